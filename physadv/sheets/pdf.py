"""Sheets as a vector PDF at true size, and a PDF page as the pixels a printer would lay down.

Pictures go in losslessly, pixel for pixel, and are scaled by the page, never resampled by this program.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from physadv.sheets.codes import qr_matrix
from physadv.sheets.layout import CODE, MARGIN, Box, Cell, Mark, Sheet, SheetError

POINTS_PER_MM = 72 / 25.4
DOTS_PER_MM = 20
FONT, FONT_SIZE = "Helvetica", 6.5
CAPTION_GAP = 3.0


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
    # reportlab's `invariant` drops the date and the random document id.
    canvas = Canvas(path.name, pageCompression=1, invariant=1)
    canvas.setTitle(title)
    canvas.setCreator("physadv")
    canvas.setViewerPreference("PrintScaling", "None")
    for sheet in sheets:
        _Page(canvas, sheet.page_mm).draw(sheet, count, title, picture, caption)
    # Not `canvas.save`, which leaves its file open where the disk is full.
    path.write_bytes(canvas.getpdfdata())


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


class _Page:
    """A reportlab canvas in millimetres from the top-left corner."""

    def __init__(self, canvas: Canvas, page_mm: tuple[float, float]) -> None:
        self.canvas = canvas
        self.height = page_mm[1]
        # Rounded down, or a renderer that rounds up adds a row of dots and stretches the page over it.
        width, height = (floor(side * POINTS_PER_MM * 1e4) / 1e4 for side in page_mm)
        canvas.setPageSize((width, height))
        canvas.scale(POINTS_PER_MM, POINTS_PER_MM)

    def draw(
        self,
        sheet: Sheet,
        count: int,
        title: str,
        picture: Callable[[str], Image.Image],
        caption: Callable[[str], Caption],
    ) -> None:
        place = f"sheet {sheet.index + 1} of {count}   {sheet.code}"
        head = f"{title}   {place}   print at 100 %, not fit to page"
        self.text(MARGIN, MARGIN + 3, head, 7)
        for patch in sheet.patches:
            self.fill([patch.box_mm], patch.rgb)
        for cell in sheet.cells:
            self.picture(cell, picture(cell.example))
        for mark in sheet.marks:
            if mark.kind == "saddle":
                self.saddle(mark)
            else:
                self.code(mark, caption(sheet.cells[mark.cell].example), sheet.page_mm[0] / 2)
        for number in range(len(sheet.cells)):
            self.frame([m for m in sheet.marks if m.cell == number and m.kind == "saddle"])
        self.canvas.showPage()

    def fill(self, boxes: Sequence[Box], rgb: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Fill boxes as one path: renderers snap a lone box to whole dots, and seams show between many."""
        self.canvas.setFillColorRGB(*(level / 255 for level in rgb))
        path = self.canvas.beginPath()
        for x, y, w, h in boxes:
            path.rect(x, self.height - y - h, w, h)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def text(self, x: float, y: float, text: str, points: float, font: str = FONT) -> None:
        self.canvas.setFillGray(0)
        self.canvas.setFont(font, points / POINTS_PER_MM)
        self.canvas.drawString(x, self.height - y, text)

    def picture(self, cell: Cell, image: Image.Image) -> None:
        x, y, w, h = cell.box_mm
        # Half a micrometre short on every side: renderers round a picture's box outward to whole dots.
        short = 0.0005
        y = self.height - y - h
        self.canvas.drawImage(ImageReader(image), x + short, y + short, w - 2 * short, h - 2 * short)

    def saddle(self, mark: Mark) -> None:
        x, y, w, h = mark.box_mm
        self.fill([(x, y, w / 2, h / 2), (x + w / 2, y + h / 2, w / 2, h / 2)])

    def frame(self, saddles: Sequence[Mark]) -> None:
        """Draw hairlines between the saddles, for the eye and the scissors; they stop short of the marks."""
        (left, top), _, (right, bottom), _ = (mark.centre_mm for mark in saddles)
        clear = saddles[0].box_mm[2] / 2 + 1.5
        self.canvas.setLineWidth(0.1)
        self.canvas.setStrokeGray(0.6)
        for y in (top, bottom):
            self.canvas.line(left + clear, self.height - y, right - clear, self.height - y)
        for x in (left, right):
            self.canvas.line(x, self.height - top - clear, x, self.height - bottom + clear)

    def code(self, mark: Mark, caption: Caption, middle: float) -> None:
        x, y, size, _ = mark.box_mm
        matrix = qr_matrix(mark.payload or "")
        module = size / len(matrix)
        self.fill(
            [
                (x + start * module, y + row * module, length * module, module)
                for row, modules in enumerate(matrix)
                for start, length in _runs(modules)
            ]
        )
        left_side = x < middle
        for line, text in enumerate(caption.lines):
            font = f"{FONT}-Bold" if line == 0 else FONT
            text, width = _fit(text, font, 28.0)
            text_x = x + CODE + CAPTION_GAP if left_side else x - CAPTION_GAP - width
            self.text(text_x, y + 3 + 3 * line, text, FONT_SIZE, font)


def _runs(modules: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (start, length) of each run of dark modules in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], modules.astype(np.int8), [0]))))
    return [(int(start), int(stop - start)) for start, stop in edges.reshape(-1, 2)]


def _fit(text: str, font: str, width_mm: float) -> tuple[str, float]:
    """Return a text cut to a width, and the width it takes, in mm."""

    def measure(part: str) -> float:
        return float(stringWidth(part, font, FONT_SIZE)) / POINTS_PER_MM

    cut = text
    while measure(cut) > width_mm:
        cut = cut[:-2].rstrip() + "…"
    return cut, measure(cut)
