from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray

from physadv.sheets import PrintItem, Sheet, SheetError, page_pixels, plan_sheets, write_pdf
from physadv.sheets.layout import BLEED, BoxMm, sheet_bar
from physadv.sheets.pdf import TICK_HEIGHT

DOTS = 20


def noise_picture(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (90, 90, 3), dtype=np.uint8)


def make_pdf(path: Path, page: str = "a4") -> list[Sheet]:
    sheets = plan_sheets(
        [(PrintItem(f"{n}c", 90, 90), PrintItem(f"{n}a", 90, 90)) for n in range(2)], run="RUN000", page=page
    )
    write_pdf(
        path,
        sheets,
        title="a run",
        picture=lambda example: noise_picture(int(example[0])),
        caption=lambda example: (example, "a label far too long for the room there is beside a code"),
    )
    return sheets


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sheet, Path, NDArray[np.uint8]]:
    path = tmp_path_factory.mktemp("pdf") / "sheets.pdf"
    (sheet,) = make_pdf(path)
    return sheet, path, page_pixels(path, 0, DOTS)


def region(page: NDArray[np.uint8], box: BoxMm) -> NDArray[np.uint8]:
    x, y, w, h = (round(DOTS * side) for side in box)
    return page[y : y + h, x : x + w]


@pytest.mark.parametrize(("page", "size"), [("a4", (210.0, 297.0)), ("letter", (215.9, 279.4))])
def test_pages_are_of_true_size(tmp_path: Path, page: str, size: tuple[float, float]) -> None:
    make_pdf(tmp_path / "sheets.pdf", page)
    with pypdfium2.PdfDocument(tmp_path / "sheets.pdf") as document:
        assert [side / 72 * 25.4 for side in document[0].get_size()] == pytest.approx(size, abs=0.001)


def test_pictures_are_stored_losslessly_pixel_for_pixel(printed: tuple[Sheet, Path, object]) -> None:
    with pypdfium2.PdfDocument(printed[1]) as document:
        stored = [
            image.get_bitmap().to_numpy()[:, :, ::-1]
            for image in document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
        ]
    pictures = [image for image in stored if min(image.shape[:2]) > 2]  # the others are their bleeds
    wanted = [noise_picture(seed) for seed in (0, 0, 1, 1)]
    assert len(pictures) == 4
    for picture, source in zip(pictures, wanted, strict=True):
        np.testing.assert_array_equal(picture, source)


def test_a_picture_stands_exactly_in_its_box(printed: tuple[Sheet, Path, NDArray[np.uint8]]) -> None:
    """90 pixels on 36 mm are 8 dots each: every block of dots must have its pixel's mean."""
    sheet, _, page = printed
    dots = region(page, sheet.cells[0].box_mm).astype(float)
    blocks = dots.reshape(90, 8, 90, 8, 3)[:, 3:5, :, 3:5].mean(axis=(1, 3))
    source = noise_picture(0).astype(float)
    assert np.corrcoef(blocks.ravel(), source.ravel())[0, 1] > 0.99


def test_the_pixels_at_a_pictures_edge_go_on_for_a_millimetre(
    printed: tuple[Sheet, Path, NDArray[np.uint8]],
) -> None:
    """90 pixels on 36 mm are 8 dots each, and the bleed is 20 dots wide on every side."""
    sheet, _, page = printed
    for cell in sheet.cells:
        x, y, w, h = cell.box_mm
        dots = region(page, (x - BLEED, y - BLEED, w + 2 * BLEED, h + 2 * BLEED)).astype(int)
        continued = np.repeat(np.repeat(noise_picture(int(cell.example[0])), 8, axis=0), 8, axis=1).astype(
            int
        )
        continued = np.pad(continued, ((20, 20), (20, 20), (0, 0)), mode="edge")
        bleed = np.pad(np.zeros((720, 720), bool), 20, constant_values=True)
        assert np.abs(dots - continued)[bleed].max() <= 1
        around = region(page, (x - BLEED - 0.5, y + 1, 0.5, h - 2))
        assert (around == 255).all()


def test_every_mark_is_outside_of_every_bleed(printed: tuple[Sheet, Path, object]) -> None:
    sheet = printed[0]
    for x, y, w, h in (cell.box_mm for cell in sheet.cells):
        for mx, my, mw, mh in (part.box_mm for part in (*sheet.marks, *sheet.patches)):
            beside = mx >= x + w + BLEED - 1e-9 or mx + mw <= x - BLEED + 1e-9
            assert beside or my >= y + h + BLEED - 1e-9 or my + mh <= y - BLEED + 1e-9


@pytest.mark.parametrize("page", ["a4", "letter"])
def test_a_bar_in_the_lower_margin_is_100_mm_long_and_says_so(tmp_path: Path, page: str) -> None:
    (sheet,) = make_pdf(tmp_path / "sheets.pdf", page)
    x, y, w, h = sheet_bar(sheet.page_mm)
    dots = page_pixels(tmp_path / "sheets.pdf", 0, DOTS)
    row = dots[round(DOTS * (y + h / 2)), :, 0]
    inked = np.flatnonzero(row[: round(DOTS * (x + w + 1))] == 0)  # its text is further to the right
    assert [inked[0], inked[-1] + 1, len(inked)] == [round(DOTS * x), round(DOTS * (x + 100)), 100 * DOTS]
    lowest = max(part.box_mm[1] + part.box_mm[3] for part in (*sheet.marks, *sheet.patches))
    assert lowest + 1 <= y - TICK_HEIGHT
    assert y + h <= sheet.page_mm[1] - 6
    with pypdfium2.PdfDocument(tmp_path / "sheets.pdf") as document:
        assert "100 mm: measure it with a ruler" in document[0].get_textpage().get_text_bounded()


def test_saddles_cross_where_the_layout_says(printed: tuple[Sheet, Path, NDArray[np.uint8]]) -> None:
    sheet, _, page = printed
    for mark in (mark for mark in sheet.marks if mark.kind == "saddle"):
        dots = region(page, mark.box_mm)[:, :, 0] > 127
        half = len(dots) // 2
        assert not dots[:half, :half].any()
        assert not dots[half:, half:].any()
        assert dots[:half, half:].all()
        assert dots[half:, :half].all()


def test_the_colour_bar_has_its_colours(printed: tuple[Sheet, Path, NDArray[np.uint8]]) -> None:
    sheet, _, page = printed
    for patch in sheet.patches:
        seen = region(page, patch.box_mm)[10:-10, 10:-10].reshape(-1, 3)
        assert np.abs(seen.astype(int) - patch.rgb).max() <= 1


def test_the_same_sheets_give_the_same_bytes(tmp_path: Path) -> None:
    make_pdf(tmp_path / "one.pdf")
    make_pdf(tmp_path / "two.pdf")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_nothing_to_print_is_said(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="no pairs"):
        write_pdf(tmp_path / "x.pdf", [], picture=lambda _: noise_picture(0))


def test_a_file_that_is_no_pdf_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 cut short")
    with pytest.raises(SheetError, match=r"broken\.pdf: not a readable PDF"):
        page_pixels(broken, 0)
    make_pdf(tmp_path / "good.pdf")
    with pytest.raises(SheetError, match="has 1 pages, page 3"):
        page_pixels(tmp_path / "good.pdf", 2)
