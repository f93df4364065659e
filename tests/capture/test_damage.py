"""JPEGs of a sheet with flipped bits that no decoder notices, and sheets with edges right on JPEG's grid."""

import io
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from capture_scene import Pixels
from PIL import Image

from physadv.capture.damage import shifted_from
from physadv.capture.reading import CaptureError, read_photo

MCU_ROWS = {"420": 16, "422": 8, "444": 8}


def encoded(photo: Pixels, sampling: str = "420", quality: int = 90, *, progressive: bool = False) -> bytes:
    file = io.BytesIO()
    Image.fromarray(photo).save(
        file, "JPEG", quality=quality, subsampling=":".join((*"4", *sampling[1:])), progressive=progressive
    )
    return file.getvalue()


def overlooked(data: bytes, count: int) -> list[tuple[bytes, Pixels]]:
    """Files with one bit of their second half or so flipped that are decoded without an error."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        damaged = bytearray(data)
        damaged[rng.integers(len(data) // 8, len(data))] ^= 1 << rng.integers(8)
        try:
            found.append((bytes(damaged), simplejpeg.decode_jpeg(bytes(damaged), "RGB")))
        except ValueError:
            continue
    return found


@pytest.fixture(scope="module")
def photo(small_photo: Pixels) -> Pixels:
    """A photo as a camera exposes it: nothing is quite black or white, and there is noise."""
    noise = np.random.default_rng(0).normal(0, 2, small_photo.shape)
    return (20 + 0.8 * small_photo + noise).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("sampling", MCU_ROWS)
@pytest.mark.parametrize("progressive", [False, True])
def test_what_shifts_a_jpegs_colours_and_is_overlooked_by_its_decoder_is_found(
    photo: Pixels, sampling: str, progressive: bool
) -> None:
    data = encoded(photo, sampling, progressive=progressive)
    whole = simplejpeg.decode_jpeg(data, "RGB").astype(int)
    shifts = 0
    for _, seen in overlooked(data, 100):
        off = np.abs(seen - whole).max(axis=2)
        row = shifted_from(seen, MCU_ROWS[sampling])
        shifted = np.flatnonzero(np.median(off, axis=1) > 12)
        print(len(shifted), row, off.mean())
        if len(shifted) > 64:
            shifts += 1
            assert row is not None
            assert abs(row - shifted[0]) <= MCU_ROWS[sampling]
        elif not off.any():
            assert row is None
    assert shifts >= 1
