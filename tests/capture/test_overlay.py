from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from capture_scene import Pixels, Scene, picture
from PIL import Image

from physadv.capture.crop_photo import crop_photo
from physadv.capture.overlay import BLUE, CYAN, GREEN, RED, SIDE, draw_overlay
from physadv.capture.papers import FoundSheet
from physadv.sheets.layout import box_corners


@pytest.fixture(scope="module")
def found(scene: Scene) -> FoundSheet:
    (sheet,) = crop_photo(scene.photo, [scene.sheet], picture=picture).sheets
    return sheet


@pytest.fixture(scope="module")
def drawn(scene: Scene, found: FoundSheet) -> Callable[[np.ndarray], Pixels]:
    """The 3 × 3 pixels of an overlay about points of the photo; the second of its cells is refused."""
    refused = replace(found.cells[1], crop=None, reason="only 1 of its 4 saddle marks can be seen")
    cells = (found.cells[0], refused, *found.cells[2:])
    image = draw_overlay(scene.photo.rgb, [replace(found, cells=cells)])
    assert max(image.size) == SIDE
    pixels = np.asarray(image)
    scale = SIDE / max(scene.photo.rgb.shape[:2])

    def at(points: np.ndarray) -> Pixels:
        x, y = np.round((points + 0.5) * scale - 0.5).astype(int).T
        return np.stack([pixels[y + dy, x + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=1)

    return at


def drawn_in(colour: tuple[int, int, int], neighbourhoods: Pixels) -> bool:
    """Whether a line of a colour goes through every neighbourhood."""
    return bool((neighbourhoods == colour).all(axis=2).any(axis=1).all())


def along(corners: np.ndarray, low: float = 0.3, high: float = 0.7) -> np.ndarray:
    """Points on the lower edge of a box seen in a photo, clear of text and marks."""
    steps = np.linspace(low, high, 20)[:, None]
    return corners[3] + steps * (corners[2] - corners[3])


def test_cells_cut_out_are_green_and_those_refused_are_red(drawn, found: FoundSheet) -> None:
    for cell in found.cells:
        edge = drawn(along(cell.corners_px))
        assert drawn_in(RED if cell.number == 1 else GREEN, edge), cell.example


def test_the_sheet_and_its_marks_are_drawn_where_they_are(drawn, scene: Scene, found: FoundSheet) -> None:
    edge = found.model.to_photo(along(box_corners((0.0, 0.0, *scene.sheet.page_mm))))
    assert drawn_in(BLUE, drawn(edge))
    assert len(found.marks_px) == len(scene.sheet.marks)
    middles = np.stack([mark[0] for mark in found.marks_px])
    assert drawn_in(CYAN, drawn(middles))


def test_a_cell_s_reason_is_written_into_it(drawn, scene: Scene, found: FoundSheet) -> None:
    """Text is on a shade, so that the place of a long reason is darker than that of a short name."""
    top_left, top_right, *_ = found.cells[1].corners_px
    below = top_left + 0.06 * (found.cells[1].corners_px[3] - top_left)
    places = below + np.linspace(0.05, 0.9, 60)[:, None] * (top_right - top_left)
    original = scene.photo.rgb[tuple(np.round(places).astype(int).T[::-1])]
    seen = drawn(places)[:, 4].astype(int)
    assert (seen.sum(axis=1) < original.astype(int).sum(axis=1)).mean() > 0.5
    assert (seen[:, 0] - seen[:, 1] > 60).any()


def test_a_refused_photo_carries_its_reason(scene: Scene) -> None:
    plain = np.asarray(Image.fromarray(scene.photo.rgb[:600, :800]))
    image = np.asarray(draw_overlay(plain, [], "shows no sheet: no QR code could be read"))
    assert image.shape == plain.shape
    np.testing.assert_array_equal(image[200:], plain[200:])
    assert (image[:60] == RED).all(axis=2).any()


def test_a_photo_that_cannot_be_read_has_an_overlay_too() -> None:
    image = np.asarray(draw_overlay(None, [], "not a readable image: " + "very " * 60 + "long"))
    reds = np.argwhere((image == RED).all(axis=2))
    assert reds[:, 0].max() > 60
    assert reds[:, 1].max() < image.shape[1] - 4


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 2)])
def test_photos_of_any_shape_can_be_drawn_on(shape: tuple[int, int]) -> None:
    image = draw_overlay(np.zeros((*shape, 3), np.uint8), [], "shows no sheet")
    assert max(image.size) <= SIDE
    assert min(image.size) >= 1
