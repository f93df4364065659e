"""One sheet of random pictures, printed by the virtual printer and photographed once by the phone."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from physadv.capture.codes import FoundCode, readings
from physadv.capture.reading import Photo, read_photo
from physadv.phone import Phone, Print, Shot, draw_shot, encode_jpeg, page_to_photo, print_page, take_photo
from physadv.sheets import PrintItem, Sheet, page_pixels, plan_sheets, write_pdf
from physadv.sheets.layout import box_corners
from physadv.sheets.pdf import DOTS_PER_MM

Pixels = NDArray[np.uint8]


def picture(example: str) -> Pixels:
    """A smooth coloured picture of its own for every pair, 64 × 64, as an example has."""
    rng = np.random.default_rng(int(example[0]))
    coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC)


def first_codes(gray: Pixels) -> list[FoundCode]:
    """The codes of the first reader that reads any."""
    return next((found for found in readings(gray) if found), [])


@dataclass(frozen=True)
class Scene:
    """A printed sheet, one shot of it, the photo as read from its file, and where every cell really is."""

    sheet: Sheet
    shot: Shot
    path: Path
    photo: Photo
    truth: dict[str, NDArray[np.float64]]


def photograph(sheet: Sheet, pdf: Path, path: Path, phone: Phone, seed: int) -> Scene:
    """Take one photo of a printed sheet, unless the file is there already."""
    shot = draw_shot(phone, sheet.page_mm, torch.Generator().manual_seed(seed))
    if not path.exists():
        photo = take_photo([_printed(pdf, sheet.index, sheet.page_mm)], shot)
        path.write_bytes(encode_jpeg(photo, shot))
    truth = {cell.example: page_to_photo(shot, box_corners(cell.box_mm)) for cell in sheet.cells}
    return Scene(sheet, shot, path, read_photo(path), truth)


@lru_cache(maxsize=1)
def _printed(pdf: Path, index: int, page_mm: tuple[float, float]) -> Print:
    return print_page(page_pixels(pdf, index, DOTS_PER_MM), page_mm)


@pytest.fixture(scope="session")
def sheet_pdf(made_once: Callable[[str, Callable[[Path], object]], Path]) -> tuple[Sheet, Path]:
    pairs = [(PrintItem(f"{n}-clean", 64, 64), PrintItem(f"{n}-adversarial", 64, 64)) for n in range(8)]
    (sheet,) = plan_sheets(pairs, run="RUN000")
    folder = made_once("capture", lambda folder: write_pdf(folder / "sheets.pdf", [sheet], picture=picture))
    return sheet, folder / "sheets.pdf"


@pytest.fixture(scope="session")
def take(
    sheet_pdf: tuple[Sheet, Path], made_once: Callable[[str, Callable[[Path], object]], Path]
) -> Callable[[Phone, int], Scene]:
    sheet, pdf = sheet_pdf

    def shoot(phone: Phone, seed: int) -> Scene:
        name = f"photo-{hashlib.sha256(repr((phone, seed)).encode()).hexdigest()[:16]}"
        folder = made_once(name, lambda folder: photograph(sheet, pdf, folder / "photo.jpg", phone, seed))
        return photograph(sheet, pdf, folder / "photo.jpg", phone, seed)

    return shoot


@pytest.fixture(scope="session")
def scene(take: Callable[[Phone, int], Scene]) -> Scene:
    return take(Phone(), 5)


@pytest.fixture(scope="session")
def small_photo(sheet_pdf: tuple[Sheet, Path]) -> Pixels:
    """The sheet's first two cells, tilted, at eight pixels to the millimetre."""
    page = page_pixels(sheet_pdf[1], 0, 8)
    corners = np.array([(60, 170), (850, 150), (860, 730), (50, 700)], np.float32)
    frame = np.array([(0, 0), (840, 0), (840, 600), (0, 600)], np.float32)
    warp = cv2.getPerspectiveTransform(corners, frame)
    return cv2.warpPerspective(page, warp, (840, 600), flags=cv2.INTER_AREA)
