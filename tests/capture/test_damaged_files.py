"""Damaged files of a small photo: refused in one line, or cropped under the right names. Never anything else.

`benchmarks/capture_fuzz.py` does the same a thousand times, with every format and a process that may die.
"""

from pathlib import Path

import numpy as np
import pytest
from capture_scene import Pixels, picture
from PIL import Image

from physadv.capture.cells import correlation
from physadv.capture.crop_photo import crop_photo
from physadv.capture.reading import CaptureError, read_photo
from physadv.sheets import Sheet

FORMS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")


def encoded(photo: Pixels, form: str, folder: Path) -> bytes:
    path = folder / "original"
    Image.fromarray(photo).save(path, form)
    return path.read_bytes()


def crops_of(path: Path, sheet: Sheet) -> dict[str, Pixels] | None:
    """The cells cut out of a file, None where it is refused; anything else fails the test by itself."""
    try:
        found = crop_photo(read_photo(path), [sheet], picture=picture).sheets
    except CaptureError as error:
        (_,) = str(error).splitlines()
        return None
    return {cell.example: cell.crop for seen in found for cell in seen.cells if cell.crop is not None}


@pytest.mark.parametrize("form", FORMS)
def test_damaged_files_are_refused_or_cropped_right(
    small_photo: Pixels, sheet_pdf: tuple[Sheet, Path], tmp_path: Path, form: str
) -> None:
    sheet, _ = sheet_pdf
    whole = encoded(small_photo, form, tmp_path)
    path = tmp_path / "photo"
    path.write_bytes(whole)
    assert set(crops_of(path, sheet) or ()) == {"0-clean", "0-adversarial"}
    rng = np.random.default_rng(sum(form.encode()))
    for number in range(10):
        damaged = np.frombuffer(whole, np.uint8).copy()
        where = rng.integers(0, len(whole) if number % 2 else 600, 1 + number)
        damaged[where] ^= (1 << rng.integers(0, 8, len(where))).astype(np.uint8)
        cut_off = number % 5 == 0
        path.write_bytes(whole[: rng.integers(1, len(whole) - 8)] if cut_off else damaged.tobytes())
        crops = crops_of(path, sheet)
        assert not (cut_off and crops)
        for example, crop in (crops or {}).items():
            alike = [correlation(crop, picture(f"{pair}-clean")) for pair in range(8)]
            assert int(np.argmax(alike)) == int(example[0]), f"{form} {number}"


def test_photos_of_other_things_yield_no_crop(
    photographs: list[Path], data_if_any: Path | None, sheet_pdf: tuple[Sheet, Path]
) -> None:
    sheet, _ = sheet_pdf
    strangers = list(photographs)
    if data_if_any:
        strangers += sorted((data_if_any / "zxing-qr").rglob("*.png"))[::12]
        strangers += sorted((data_if_any / "backgrounds").glob("*.jpg"))[::6]
        assert len(strangers) > 14
    for path in strangers:
        assert crops_of(path, sheet) is None, path.name
