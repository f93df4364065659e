"""Sheets as a vector PDF at true size, and a page of a PDF as the pixels that a printer would print."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.progress import Reporter, silent
from physadv.sheets.ink import BOLD, FONT, POINTS_PER_MM, Ink, fitted, new_canvas, save_canvas, text_width
from physadv.sheets.layout import MARGIN, Mark, Sheet, SheetError

DOTS_PER_MM = 20
HEAD_SIZE, CAPTION_SIZE = 7, 6.5
CAPTION_GAP, CAPTION_WIDTH = 3.0, 28.0

Picture = Callable[[str], NDArray[np.uint8]]
Caption = Callable[[str], Sequence[str]]


def write_pdf(
    path: Path,
    sheets: Sequence[Sheet],
    *,
    picture: Picture,
    caption: Caption = lambda example: (example,),
    title: str = "",
    reporter: Reporter = silent,
) -> None:
    """Write sheets to one PDF at true size. The same input gives the same bytes.

    Args:
        path: the file to write.
        sheets: from `plan_sheets`.
        picture: maps an example's id to its pixels (h, w, 3), uint8 RGB; they are stored as they are.
        caption: maps an example's id to the lines beside its QR code, the first in bold; its id by default.
        title: printed at the top of every page.
        reporter: shows progress.

    Raises:
        SheetError: there are no sheets.

    >>> from tempfile import TemporaryDirectory
    >>> from physadv.sheets import PrintItem, plan_sheets
    >>> sheets = plan_sheets([(PrintItem("clean", 64, 64), PrintItem("adversarial", 64, 64))], run="MYRUN1")
    >>> with TemporaryDirectory() as folder:
    ...     pdf = Path(folder) / "sheets.pdf"
    ...     write_pdf(pdf, sheets, picture=lambda example: np.zeros((64, 64, 3), np.uint8))
    ...     page_pixels(pdf, 0, dots_per_mm=5).shape
    (1485, 1050, 3)
    """
    if not sheets:
        raise SheetError("there are no pairs to print")
    canvas = new_canvas(path, title)
    for sheet in reporter.track(sheets, len(sheets), "sheets"):
        _draw_sheet(Ink(canvas, sheet.page_mm), sheet, len(sheets), title, picture, caption)
    save_canvas(canvas, path)


def page_pixels(pdf: Path, index: int, dots_per_mm: float = DOTS_PER_MM) -> NDArray[np.uint8]:
    """Return one page of a PDF rendered to sRGB pixels (H, W, 3), uint8.

    Args:
        pdf: the file.
        index: of the page, 0 for the first.
        dots_per_mm: resolution; the default is that of a 508 dpi printer.

    Raises:
        SheetError: the file is no PDF, or it has no such page.
    """
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(pdf) as document:
            if not 0 <= index < len(document):
                raise SheetError(f"{pdf}: has {len(document)} pages, page {index + 1} was asked for")
            bitmap = document[index].render(scale=dots_per_mm / POINTS_PER_MM, rev_byteorder=True)
            return np.array(bitmap.to_numpy()[:, :, :3])
    except (pypdfium2.PdfiumError, FileNotFoundError) as error:
        raise SheetError(f"{pdf}: not a readable PDF ({error}); run 'physadv print' again") from error


def _draw_sheet(ink: Ink, sheet: Sheet, count: int, title: str, picture: Picture, caption: Caption) -> None:
    place = f"sheet {sheet.index + 1} of {count}   {sheet.code}"
    ink.text(MARGIN, MARGIN + 3, f"{title}   {place}   print at 100 %, not fit to page", HEAD_SIZE)
    for patch in sheet.patches:
        ink.fill([patch.box_mm], patch.rgb)
    for cell in sheet.cells:
        ink.picture(cell.box_mm, Image.fromarray(picture(cell.example)))
    for mark in sheet.marks:
        if mark.kind == "saddle":
            ink.saddle(mark.box_mm)
        else:
            ink.code(mark.box_mm, mark.payload or "")
            _draw_caption(ink, mark, caption(sheet.cells[mark.cell].example), sheet.page_mm[0] / 2)
    for number in range(len(sheet.cells)):
        _draw_frame(ink, [m for m in sheet.marks if m.cell == number and m.kind == "saddle"])
    ink.done()


def _draw_frame(ink: Ink, saddles: Sequence[Mark]) -> None:
    """Draw hairlines between the saddles, for eyes and scissors. They end before the marks."""
    (left, top), _, (right, bottom), _ = (mark.centre_mm for mark in saddles)
    clear = saddles[0].box_mm[2] / 2 + 1.5
    level = [[(left + clear, y), (right - clear, y)] for y in (top, bottom)]
    upright = [[(x, top + clear), (x, bottom - clear)] for x in (left, right)]
    ink.lines([np.array(line) for line in (*level, *upright)])


def _draw_caption(ink: Ink, mark: Mark, lines: Sequence[str], middle: float) -> None:
    """Write a caption beside a code, on the side of the page's middle (mm)."""
    x, y, size, _ = mark.box_mm
    for line, text in enumerate(lines):
        font = BOLD if line == 0 else FONT
        text = fitted(text, CAPTION_WIDTH, CAPTION_SIZE, font)
        inner = x + size + CAPTION_GAP
        outer = x - CAPTION_GAP - text_width(text, CAPTION_SIZE, font)
        ink.text(inner if x < middle else outer, y + 3 + 3 * line, text, CAPTION_SIZE, font)
