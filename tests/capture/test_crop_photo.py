import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from capture_scene import Pixels, Scene, picture

from physadv.capture.crop_photo import crop_photo
from physadv.capture.papers import FoundSheet
from physadv.capture.reading import CaptureError, Photo
from physadv.phone import Phone, page_to_photo
from physadv.phone.shots import FOOTPRINT
from physadv.sheets import PrintItem, Sheet, page_pixels, plan_sheets, write_pdf
from physadv.sheets.layout import box_corners


def look(rgb: Pixels, sheet: Sheet) -> FoundSheet:
    photo = Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), "a test")
    (found,) = crop_photo(photo, [sheet], picture=picture).sheets
    return found


def errors(found: FoundSheet, scene: Scene) -> list[float]:
    return [
        float(np.linalg.norm(cell.corners_px - scene.truth[cell.example], axis=1).mean())
        for cell in found.cells
        if cell.crop is not None
    ]


def cover(rgb: Pixels, corners: np.ndarray, grow: float, colour: int = 90) -> Pixels:
    """Paint over a place in a photo, as a thumb would cover it."""
    middle = corners.mean(axis=0)
    covered = rgb.copy()
    cv2.fillConvexPoly(covered, np.round(middle + grow * (corners - middle)).astype(int), (colour,) * 3)
    return covered


@pytest.fixture(scope="module")
def found(scene: Scene) -> FoundSheet:
    return look(scene.photo.rgb, scene.sheet)


def test_every_cell_is_cropped_under_its_own_name(found: FoundSheet, scene: Scene) -> None:
    assert [cell.example for cell in found.cells] == [cell.example for cell in scene.sheet.cells]
    for cell in found.cells:
        assert cell.crop is not None
        assert cell.crop.shape == (64, 64, 3)
        alike = [np.corrcoef(cell.crop.ravel(), picture(f"{pair}-clean").ravel())[0, 1] for pair in range(8)]
        assert int(np.argmax(alike)) == int(cell.example[0])


def test_corners_are_found_to_a_twentieth_of_a_pixel(found: FoundSheet, scene: Scene) -> None:
    assert max(errors(found, scene)) < 0.05
    assert len(found.marks_px) == len(scene.sheet.marks)


def test_the_blur_measured_is_the_blur_there_was(found: FoundSheet, scene: Scene) -> None:
    kernel = scene.shot.kernel
    axis = np.arange(len(kernel)) - len(kernel) // 2
    of_the_phone = (
        float((kernel.sum(0).numpy() * axis**2).sum() + (kernel.sum(1).numpy() * axis**2).sum()) / 2
    )
    of_the_phone += FOOTPRINT**2
    for cell in found.cells:
        # The printer's spread of 0.05 mm adds to what the phone blurs, and the tone curve steepens edges.
        assert cell.sharpness_px is not None
        assert cell.pixels_per_mm is not None
        true_sigma = np.sqrt(of_the_phone + (0.05 * cell.pixels_per_mm) ** 2)
        assert cell.sharpness_px == pytest.approx(true_sigma, rel=0.25)


def test_angle_and_distance_are_those_of_the_camera(scene: Scene) -> None:
    (found,) = crop_photo(scene.photo, [scene.sheet], picture=picture).sheets
    camera = scene.shot.camera
    origin = camera.rays(torch.zeros((1, 2), dtype=torch.float64))[0][0, 0].numpy()
    for cell, printed in zip(found.cells, scene.sheet.cells, strict=True):
        middle = box_corners(printed.box_mm).mean(axis=0)[None]
        view = scene.shot.papers[0].surface(middle)[0] - origin
        assert cell.distance_mm == pytest.approx(np.linalg.norm(view), rel=0.01)
        assert cell.angle_deg == pytest.approx(np.degrees(np.arccos(view[2] / np.linalg.norm(view))), abs=1)


def test_a_photo_is_read_the_same_any_way_up(found: FoundSheet, scene: Scene) -> None:
    turned = look(np.ascontiguousarray(np.rot90(scene.photo.rgb)), scene.sheet)
    width = scene.photo.rgb.shape[1]
    for cell, straight in zip(turned.cells, found.cells, strict=True):
        assert cell.crop is not None
        x, y = straight.corners_px.T
        np.testing.assert_allclose(cell.corners_px, np.stack([y, width - 1 - x], axis=1), atol=0.05)


def test_a_covered_code_costs_nothing_and_a_covered_picture_only_itself(scene: Scene) -> None:
    code = next(mark for mark in scene.sheet.marks if mark.kind == "code")
    second = scene.sheet.cells[1]
    hidden = look(
        cover(scene.photo.rgb, page_to_photo(scene.shot, box_corners(code.box_mm)), 1.1), scene.sheet
    )
    assert all(cell.crop is not None for cell in hidden.cells)
    assert len(hidden.marks_px) == len(scene.sheet.marks) - 1
    thumb = look(cover(scene.photo.rgb, scene.truth[second.example], 1.6), scene.sheet)
    refused = [cell.example for cell in thumb.cells if cell.crop is None]
    assert refused == [second.example]
    assert "saddle marks" in (thumb.cells[1].reason or "")
    assert max(errors(thumb, scene)) < 0.05


def test_a_picture_covered_between_its_marks_does_not_pass_for_itself(scene: Scene) -> None:
    cell = scene.sheet.cells[3]
    found = look(cover(scene.photo.rgb, scene.truth[cell.example], 0.98), scene.sheet)
    assert found.cells[3].crop is None
    assert "does not look like its source" in (found.cells[3].reason or "")


def test_half_a_sheet_keeps_the_cells_that_are_in_the_frame(scene: Scene) -> None:
    height = len(scene.photo.rgb)
    found = look(scene.photo.rgb[: height // 2], scene.sheet)
    whole = {
        cell.example for cell in scene.sheet.cells if scene.truth[cell.example][:, 1].max() < height // 2 - 60
    }
    assert whole <= {cell.example for cell in found.cells if cell.crop is not None}
    assert {cell.reason for cell in found.cells if cell.crop is None} <= {
        "outside the photo",
        *(f"only {n} of its 4 saddle marks can be seen" for n in (0, 1)),
    }


def test_one_code_is_enough_where_the_marks_around_it_are_seen(scene: Scene) -> None:
    rgb = scene.photo.rgb
    for code in [mark for mark in scene.sheet.marks if mark.kind == "code"][1:]:
        rgb = cover(rgb, page_to_photo(scene.shot, box_corners(code.box_mm)), 1.1, colour=200)
    found = look(rgb, scene.sheet)
    assert all(cell.crop is not None for cell in found.cells)
    assert max(errors(found, scene)) < 0.1


def test_a_blurred_photo_is_cropped_or_refused_but_never_misnamed(scene: Scene) -> None:
    for sigma in (2.5, 4.0, 8.0):
        blurred = cv2.GaussianBlur(scene.photo.rgb, (0, 0), sigma)
        try:
            found = look(blurred, scene.sheet)
        except CaptureError:
            continue
        assert all(error < 0.5 for error in errors(found, scene))


def test_importing_the_rooms_of_pages_and_photos_loads_no_torch_and_nothing_else_that_is_slow() -> None:
    code = "import sys, physadv.capture, physadv.sheets; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "scipy", "skimage", "reportlab", "av"} & set(loaded.split())


def test_a_dark_picture_gets_no_bright_frame_from_the_paper(tmp_path: Path) -> None:
    """A blurred page at 8 pixels to the mm: without a bleed the frame has 75 levels more, its corners 122."""
    dark = np.full((200, 200, 3), 30, np.uint8)
    dark[60:140, 60:140] = (220, 200, 60)
    pictures = {"0-clean": dark, "0-adversarial": np.roll(dark, 20, axis=0)}
    items = [PrintItem(name, 200, 200) for name in pictures]
    sheets = plan_sheets([(items[0], items[1])], run="RUN000")
    write_pdf(tmp_path / "sheets.pdf", sheets, picture=pictures.__getitem__)
    rgb = cv2.GaussianBlur(page_pixels(tmp_path / "sheets.pdf", 0, 8), (0, 0), 1.5)
    photo = Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), "a test")
    (sheet,) = crop_photo(photo, sheets, picture=pictures.__getitem__).sheets
    for cell in sheet.cells:
        assert cell.crop is not None
        rim = np.ones((200, 200), bool)
        rim[1:-1, 1:-1] = False
        assert np.abs(cell.crop[rim].astype(int) - 30).max() <= 1
        assert cell.paper_level == 255


@pytest.mark.parametrize(("wide", "said"), [(1.0, None), (0.97, "sheet 1 was printed 97.0% as wide")])
def test_a_print_of_unequal_scaling_is_told_of(
    sheet_pdf: tuple[Sheet, Path], wide: float, said: str | None
) -> None:
    """A flat page, squeezed in x as a printer might, and turned by 15 degrees before a pinhole."""
    sheet, pdf = sheet_pdf
    page = page_pixels(pdf, 0, 8)
    pinhole = Photo(np.zeros((1500, 2000, 3), np.uint8), np.zeros((1500, 2000), np.uint8), "", 26.0).pinhole
    turn = cv2.Rodrigues(np.radians([15.0, 0.0, 90.0]))[0]
    view = np.column_stack([turn[:, 0] * wide, turn[:, 1], -turn @ (wide * 105, 148.5, 0) + (0, 0, 300)])
    lens = np.array([[pinhole.focal, 0, 999.5], [0, pinhole.focal, 749.5], [0, 0, 1]])
    dots = np.array([[1 / 8, 0, 1 / 16], [0, 1 / 8, 1 / 16], [0, 0, 1]])
    rgb = cv2.warpPerspective(page, lens @ view @ dots, (2000, 1500), borderValue=(90, 80, 70))
    photo = Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), "a test", 26.0)
    seen = crop_photo(photo, [sheet], picture=picture)
    assert seen.sheets[0].stretch == pytest.approx(wide, abs=0.002)
    assert all(cell.crop is not None for cell in seen.sheets[0].cells)
    assert len(seen.remarks) == (said is not None)
    assert all(said in remark for remark in seen.remarks if said)


def of_run(run: str) -> Sheet:
    (sheet,) = plan_sheets([(PrintItem("0-clean", 64, 64), PrintItem("0-adversarial", 64, 64))], run=run)
    return sheet


def test_what_is_in_a_useless_photo_is_said(scene: Scene) -> None:
    rgb = scene.photo.rgb
    with pytest.raises(CaptureError, match=r"another run \(code RUN000; this run's is OTHER0\)"):
        look(rgb, of_run("OTHER0"))
    with pytest.raises(CaptureError, match="no QR code could be read"):
        look(np.full((600, 800, 3), 128, np.uint8), scene.sheet)
    with pytest.raises(CaptureError, match="its manifest does not list"):
        look(rgb, scene.sheet.model_copy(update={"index": 3}))


def test_a_mirrored_photo_is_recognised_and_refused(scene: Scene) -> None:
    with pytest.raises(CaptureError, match="mirrored"):
        look(np.ascontiguousarray(scene.photo.rgb[:, ::-1]), scene.sheet)


def test_steep_and_distorted_views_are_still_exact(take: Callable[[Phone, int], Scene]) -> None:
    steep = take(replace(Phone(), tilt=30.0, lens=0.05, roll=180.0), 11)
    found = look(steep.photo.rgb, steep.sheet)
    assert all(cell.crop is not None for cell in found.cells)
    assert max(errors(found, steep)) < 0.1
