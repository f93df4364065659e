"""Sheets as a vector PDF at true size, and a PDF page as the pixels a printer would lay down."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image

from physadv.sheets.ink import BOLD, FONT, POINTS_PER_MM, Ink, fitted, new_canvas, save_canvas, text_width
from physadv.sheets.layout import MARGIN, Mark, Sheet, SheetError

DOTS_PER_MM = 20
HEAD_SIZE, CAPTION_SIZE = 7, 6.5
CAPTION_GAP, CAPTION_WIDTH = 3.0, 28.0


@dataclass(frozen=True)
class Caption:
    """The lines a person reads beside a cell's code, first one bold."""

    lines: tuple[str, ...]


def write_pdf(
    path: Path,
    sheets: Iterable[Sheet],
    *,
    count: int,
    title: str,
    picture: Callable[[str], Image.Image],
    caption: Callable[[str], Caption],
) -> None:
    """Write sheets to one PDF at true size; the same input gives the same bytes.

    Args:
        path: the file to write.
        sheets: from `plan_sheets`.
        count: how many they are.
        title: printed at the head of every page.
        picture: example id → its 8-bit RGB image.
        caption: example id → the text beside its code.

    Raises:
        SheetError: there is nothing to print.
    """
    if not count:
        raise SheetError("there are no pairs to print")
    canvas = new_canvas(path, title)
    for sheet in sheets:
        _draw_sheet(Ink(canvas, sheet.page_mm), sheet, count, title, picture, caption)
    save_canvas(canvas, path)


def page_pixels(pdf: Path, index: int, dots_per_mm: float = DOTS_PER_MM) -> NDArray[np.uint8]:
    """Return a page rendered to sRGB pixels (H, W, 3), uint8.

    Raises:
        SheetError: the file is no PDF, or it has no such page.
    """
    try:
        with pypdfium2.PdfDocument(pdf) as document:
            if not 0 <= index < len(document):
                raise SheetError(f"{pdf}: has {len(document)} pages, page {index + 1} was asked for")
            bitmap = document[index].render(scale=dots_per_mm / POINTS_PER_MM, rev_byteorder=True)
            return np.array(bitmap.to_numpy()[:, :, :3])
    except (pypdfium2.PdfiumError, FileNotFoundError) as error:
        raise SheetError(f"{pdf}: not a readable PDF ({error}); run 'physadv print' again") from error


def _draw_sheet(
    ink: Ink,
    sheet: Sheet,
    count: int,
    title: str,
    picture: Callable[[str], Image.Image],
    caption: Callable[[str], Caption],
) -> None:
    place = f"sheet {sheet.index + 1} of {count}   {sheet.code}"
    ink.text(MARGIN, MARGIN + 3, f"{title}   {place}   print at 100 %, not fit to page", HEAD_SIZE)
    for patch in sheet.patches:
        ink.fill([patch.box_mm], patch.rgb)
    for cell in sheet.cells:
        ink.picture(cell.box_mm, picture(cell.example))
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
    """Draw hairlines between the saddles, for the eye and the scissors; they stop short of the marks."""
    (left, top), _, (right, bottom), _ = (mark.centre_mm for mark in saddles)
    clear = saddles[0].box_mm[2] / 2 + 1.5
    level = [[(left + clear, y), (right - clear, y)] for y in (top, bottom)]
    upright = [[(x, top + clear), (x, bottom - clear)] for x in (left, right)]
    ink.lines([np.array(line) for line in (*level, *upright)])


def _draw_caption(ink: Ink, mark: Mark, caption: Caption, middle: float) -> None:
    """Write a cell's caption on the inner side of its code."""
    x, y, size, _ = mark.box_mm
    for line, text in enumerate(caption.lines):
        font = BOLD if line == 0 else FONT
        text = fitted(text, CAPTION_WIDTH, CAPTION_SIZE, font)
        inner = x + size + CAPTION_GAP
        outer = x - CAPTION_GAP - text_width(text, CAPTION_SIZE, font)
        ink.text(inner if x < middle else outer, y + 3 + 3 * line, text, CAPTION_SIZE, font)
