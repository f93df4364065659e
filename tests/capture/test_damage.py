"""JPEGs of a sheet with flipped bits that no decoder notices, and sheets with edges right on JPEG's grid."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
from capture_scene import Pixels
from PIL import Image

from physadv.capture.reading import CaptureError, read_photo
from physadv.pictures.damage import shifted_from

MCU_ROWS = {"4:2:0": 16, "4:2:2": 8, "4:4:4": 8}


@pytest.fixture(scope="module")
def photo(small_photo: Pixels) -> Pixels:
    """A photo as a camera exposes it: nothing is quite black or white, and there is noise."""
    noise = np.random.default_rng(0).normal(0, 2, small_photo.shape)
    return (30 + 0.75 * small_photo + noise).round().astype(np.uint8)


def encoded(photo: Pixels, sampling: str = "4:2:0", quality: int = 90) -> bytes:
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality, subsampling=sampling)
    return file.getvalue()


def decoded(data: bytes) -> Pixels:
    return simplejpeg.decode_jpeg(data, "RGB")


def overlooked(data: bytes, count: int) -> list[tuple[bytes, Pixels]]:
    """Those of so many files with one flipped bit that are decoded without an error, and what is seen."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        damaged = bytearray(data)
        damaged[rng.integers(len(data) // 8, len(data))] ^= 1 << rng.integers(8)
        try:
            found.append((bytes(damaged), decoded(bytes(damaged))))
        except ValueError:
            continue
    return found


def test_most_flipped_bits_that_shift_the_rest_of_a_photo_are_found(photo: Pixels, tmp_path: Path) -> None:
    data = encoded(photo)
    whole = decoded(data)
    shifted = found = 0
    for damaged, seen in overlooked(data, 200):
        rows = np.median(cv2.absdiff(seen, whole).max(axis=2), axis=1)
        if (rows > 8).sum() <= 64:
            continue
        shifted += 1
        if shifted_from(seen, 16) is not None:
            found += 1
            (tmp_path / "photo.jpg").write_bytes(damaged)
    assert shifted >= 8
    assert found >= 0.6 * shifted
    with pytest.raises(CaptureError, match=r"damaged JPEG \(colours shifted from about row \d+ on\)"):
        read_photo(tmp_path / "photo.jpg")


@pytest.mark.parametrize("sampling", MCU_ROWS)
@pytest.mark.parametrize("way", [(9.0, 9.0, 9.0), (-15.0, -15.0, -15.0), (0.0, 6.9, -35.4)])
@pytest.mark.parametrize(("y", "x"), [(160, 0), (320, 320), (160, 768)])
def test_what_is_shifted_from_one_block_on_is_found(
    photo: Pixels, sampling: str, way: tuple[float, float, float], y: int, x: int
) -> None:
    """By what the standard makes of a wrong difference: a constant, from there on in raster order."""
    side = MCU_ROWS[sampling]
    seen = decoded(encoded(photo, sampling)).astype(float)
    seen[y : y + side, x:] += way
    seen[y + side :] += way
    row = shifted_from(seen.round().clip(0, 255).astype(np.uint8), side)
    assert row is not None
    assert abs(row - y) <= side


@pytest.mark.parametrize("sampling", MCU_ROWS)
@pytest.mark.parametrize("quality", [20, 60, 95])
def test_a_whole_photo_is_not_shifted(photo: Pixels, sampling: str, quality: int) -> None:
    assert shifted_from(decoded(encoded(photo, sampling, quality)), MCU_ROWS[sampling]) is None
    assert shifted_from(decoded(encoded(photo[:20, :20], sampling, quality)), MCU_ROWS[sampling]) is None


@pytest.mark.parametrize("sampling", MCU_ROWS)
@pytest.mark.parametrize("thickness", [1, 2, 16, 64, 600])
@pytest.mark.parametrize("level", [0, 60, 250])
@pytest.mark.parametrize("soft", [0.0, 0.6])
def test_a_line_or_an_edge_right_on_the_grid_is_not_a_shift(
    photo: Pixels, sampling: str, thickness: int, level: int, soft: float
) -> None:
    """Across the whole photo: a ruled line, the edge of the paper on a table, the bar of a screenshot."""
    for top in (159, 160, 161):
        for seen in (photo, np.full_like(photo, 225)):
            drawn = seen.copy()
            drawn[top : top + thickness] = level
            drawn = cv2.GaussianBlur(drawn, (0, 0), soft) if soft else drawn
            assert shifted_from(decoded(encoded(drawn, sampling)), MCU_ROWS[sampling]) is None
