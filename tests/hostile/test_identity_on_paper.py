"""A crop is its own example's: pictures exchanged or pasted, and copied codes, pass under no false name."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from physadv.capture.crop_photo import crop_photo
from physadv.capture.identity import SURE, find_likelier, margin
from physadv.capture.reading import Photo
from physadv.sheets import PrintItem, page_pixels, plan_sheets, write_pdf

SIDE, DOTS_PER_MM, PAIRS = 48, 6, 2


def made_pictures() -> dict[str, np.ndarray]:
    """Smooth coloured pictures, and the same changed by 8 levels in every pixel."""
    found = {}
    for pair in range(PAIRS):
        rng = np.random.default_rng(pair)
        coarse = rng.integers(30, 226, (6, 6, 3), dtype=np.uint8)
        clean = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        found[f"{pair}-clean"] = clean
        signs = rng.choice([-8, 8], clean.shape)
        found[f"{pair}-adversarial"] = np.clip(clean.astype(int) + signs, 0, 255).astype(np.uint8)
    return found


PICTURES = made_pictures()
NAMES = list(PICTURES)


def as_photographed(picture: np.ndarray, seed: int = 0) -> np.ndarray:
    """Blur, a tone curve, light from one side and noise."""
    light = np.linspace(0.7, 1.0, SIDE)[None, :, None]
    seen = 255 * (cv2.GaussianBlur(picture, (0, 0), 0.8) / 255) ** 1.2 * light
    noise = np.random.default_rng(seed).normal(0, 3, seen.shape)
    return np.clip(seen + noise, 0, 255).round().astype(np.uint8)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The plan of a sheet, and a function that prints pictures in its cells and returns the page."""
    items = [
        (PrintItem(f"{k}-clean", SIDE, SIDE), PrintItem(f"{k}-adversarial", SIDE, SIDE)) for k in range(PAIRS)
    ]
    sheets = plan_sheets(items, run="MYRUN1")
    folder: Path = tmp_path_factory.mktemp("sheets")

    def page(shown: dict[str, str]) -> np.ndarray:
        write_pdf(folder / "sheets.pdf", sheets, picture=lambda name: PICTURES[shown.get(name, name)])
        return page_pixels(folder / "sheets.pdf", 0, DOTS_PER_MM)

    return sheets, page


def look(page, sheets):
    photo = Photo(page, cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), camera="")
    return crop_photo(photo, sheets, picture=PICTURES.__getitem__).sheets


def test_every_picture_in_its_own_cell_passes(printed):
    sheets, page = printed
    (found,) = look(page({}), sheets)
    assert [cell.reason for cell in found.cells] == [None] * len(NAMES)
    assert all(cell.margin > SURE for cell in found.cells)


@pytest.mark.parametrize(
    "shown",
    [
        {"0-clean": "0-adversarial", "0-adversarial": "0-clean"},
        {"0-clean": "1-clean"},
        {"1-adversarial": "0-clean"},
        {"0-adversarial": "0-clean"},
    ],
)
def test_pictures_exchanged_or_pasted_cost_their_cells_and_no_other(printed, shown):
    sheets, page = printed
    (found,) = look(page(shown), sheets)
    reasons = {cell.example: cell.reason for cell in found.cells}
    for name in NAMES:
        if name not in shown:
            assert reasons[name] is None
        else:
            assert "its source" in reasons[name]
    for cell in found.cells:
        assert (cell.crop is None) == (cell.example in shown)


@pytest.mark.parametrize("name", NAMES)
def test_print_and_camera_do_not_hide_which_of_a_pair_it_is(name):
    partner = name.replace("clean", "x").replace("adversarial", "clean").replace("x", "adversarial")
    crop = as_photographed(PICTURES[name])
    assert margin(crop, PICTURES[name], PICTURES[partner]) > SURE
    assert margin(crop, PICTURES[partner], PICTURES[name]) < -SURE


def test_a_difference_too_small_to_tell_is_no_reason_and_is_said():
    own = PICTURES["0-clean"]
    other = own.copy()
    other[::7, ::5] += 1
    pictures = {"own": own, "other": other, "same": own.copy()}
    for seed in range(20):
        crop = as_photographed(own, seed)
        likelier, distance = find_likelier(crop, "own", ["other", "same"], pictures.__getitem__)
        assert likelier is None
        assert abs(distance) < SURE
    assert find_likelier(crop, "own", ["same"], pictures.__getitem__) == (None, None)


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_a_copy_of_one_code_upon_its_sheet_is_no_second_photo(printed, scale):
    sheets, page = printed
    seen = page({})
    x, y, w, h = next(
        (round(side * DOTS_PER_MM) for side in mark.box_mm) for mark in sheets[0].marks if mark.kind == "code"
    )
    quiet = 12
    code = cv2.resize(seen[y - quiet : y + h + quiet, x - quiet : x + w + quiet], None, fx=scale, fy=scale)
    top, left = 1200, 500
    seen[top : top + code.shape[0], left : left + code.shape[1]] = code
    (found,) = look(seen, sheets)
    assert [cell.reason for cell in found.cells] == [None] * len(NAMES)
