"""Sheets as a vector PDF at true size, drawn with `Ink`, and a page of a PDF as the dots of a printer.

Pictures are embedded losslessly, pixel for pixel. The page scales them, this program never resamples them.
"""

from collections.abc import Callable, Sequence
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.progress import Reporter, silent
from physadv.sheets.codes import qr_matrix
from physadv.sheets.fonts import BOLD, FONT, POINTS_PER_MM, fitted, font_for, text_width
from physadv.sheets.layout import BLEED, MARGIN, BoxMm, Mark, Sheet, SheetError, sheet_bar
from physadv.text import printable

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.pdfgen.pathobject import PDFPathObject

DOTS_PER_MM = 20
HEAD_SIZE, CAPTION_SIZE = 7, 6.5
TICK_WIDTH, TICK_HEIGHT = 0.3, 1.2
CAPTION_GAP, CAPTION_WIDTH = 3.0, 28.0
CLIP_TO_PATH = {"stroke": 0, "fill": 0}

Picture = Callable[[str], NDArray[np.uint8]]
Caption = Callable[[str], Sequence[str]]
Polygon = NDArray[np.float64]


def new_canvas(path: Path, title: str) -> "Canvas":
    """Return an empty PDF that viewers print at 100 %; the same drawing gives the same bytes."""
    from reportlab.pdfgen.canvas import Canvas

    # reportlab's `invariant` drops the date and the random document id.
    canvas = Canvas(path.name, pageCompression=1, invariant=1)
    canvas.setTitle(title)
    canvas.setCreator("physadv")
    canvas.setViewerPreference("PrintScaling", "None")
    return canvas


def save_canvas(canvas: "Canvas", path: Path) -> None:
    """Write a finished PDF."""
    # `canvas.save` would leave its file open when the disk is full.
    path.write_bytes(canvas.getpdfdata())


class Ink:
    """A new page of a canvas, to be drawn on; `done` ends it."""

    def __init__(self, canvas: "Canvas", page_mm: tuple[float, float]) -> None:
        self.canvas = canvas
        self.height = page_mm[1]
        # Rounded down: a renderer that rounds up would add a row of dots and stretch the page over it.
        width, height = (floor(side * POINTS_PER_MM * 1e4) / 1e4 for side in page_mm)
        canvas.setPageSize((width, height))
        canvas.scale(POINTS_PER_MM, POINTS_PER_MM)

    def done(self) -> None:
        """End the page."""
        self.canvas.showPage()

    def fill(self, boxes: Sequence[BoxMm], rgb: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Fill boxes as one path. Renderers snap separate boxes to whole dots, so that seams would show."""
        self.canvas.setFillColorRGB(*(level / 255 for level in rgb))
        self.canvas.drawPath(self._boxes(boxes), stroke=0, fill=1)

    def veil(self, box: BoxMm, opacity: float) -> None:
        """Cover a box with translucent white, so that text on it can be read."""
        self.canvas.saveState()
        self.canvas.setFillAlpha(opacity)
        self.fill([box], (255, 255, 255))
        self.canvas.restoreState()

    def text(self, x: float, y: float, text: str, points: float, font: str = FONT) -> None:
        """Write a text that starts at (x, y), the left end of its baseline."""
        self.canvas.setFillGray(0)
        text = printable(text)
        self.canvas.setFont(font_for(text, font), points / POINTS_PER_MM)
        self.canvas.drawString(x, self.height - y, text)

    def lines(
        self,
        runs: Sequence[Polygon],
        *,
        width: float = 0.1,
        gray: float = 0.6,
        dash: Sequence[float] = (),
        closed: bool = False,
    ) -> None:
        """Draw a line through the points (k, 2) of each run; widths and dashes are in mm."""
        self.canvas.setLineWidth(width)
        self.canvas.setStrokeGray(gray)
        self.canvas.setDash(list(dash))
        self.canvas.drawPath(self._path(runs, closed=closed), stroke=1, fill=0)

    def picture(self, box: BoxMm, image: Image.Image, edges: Sequence[Polygon] = ()) -> None:
        """Draw an image in a box, clipped to `edges`, closed polygons (k, 2).

        Without edges it has a bleed: its outermost pixels go on for `BLEED` mm around the box.
        """
        if edges:
            self.canvas.saveState()
            self.canvas.clipPath(self._path(edges, closed=True), **CLIP_TO_PATH)
            self._image(box, image)
            self.canvas.restoreState()
            return
        x, y, w, h = box
        pixels = np.asarray(image)
        rows, columns = pixels[[0, -1]], pixels[:, [0, -1]]
        # The image covers what the halves of these have in its box, so that no seam can show.
        self._image((x - BLEED, y - BLEED, w + 2 * BLEED, h + 2 * BLEED), Image.fromarray(rows[:, [0, -1]]))
        self._image((x, y - BLEED, w, h + 2 * BLEED), Image.fromarray(rows))
        self._image((x - BLEED, y, w + 2 * BLEED, h), Image.fromarray(columns))
        self._image(box, image)

    def _image(self, box: BoxMm, image: Image.Image) -> None:
        from reportlab.lib.utils import ImageReader

        x, y, w, h = box
        # Half a micrometre smaller on every side, as renderers round a picture's box outward to whole dots.
        short = 0.0005
        y = self.height - y - h
        self.canvas.drawImage(ImageReader(image), x + short, y + short, w - 2 * short, h - 2 * short)

    def open_window(self, box: BoxMm) -> None:
        """Clip all drawing to a box, until `close_window`."""
        self.canvas.saveState()
        self.canvas.clipPath(self._boxes([box]), **CLIP_TO_PATH)

    def close_window(self) -> None:
        """End the clipping."""
        self.canvas.restoreState()

    def mark(self, mark: Mark) -> None:
        """Draw a saddle or a QR code."""
        x, y, w, h = mark.box_mm
        if mark.payload is None:
            self.fill([(x, y, w / 2, h / 2), (x + w / 2, y + h / 2, w / 2, h / 2)])
            return
        matrix = qr_matrix(mark.payload)
        module = w / len(matrix)
        runs = [(row, *run) for row, modules in enumerate(matrix) for run in _runs(modules)]
        self.fill([(x + k * module, y + row * module, length * module, module) for row, k, length in runs])

    def scale_bar(self, bar: BoxMm) -> None:
        """Draw a bar from `layout.scale_bar`, its ends marked by ticks, and say what it is for."""
        x, y, w, h = bar
        ends = (x, x + w - TICK_WIDTH)
        self.fill([bar, *((end, y - TICK_HEIGHT, TICK_WIDTH, TICK_HEIGHT) for end in ends)])
        self.text(x + w + 2, y + h, "100 mm: measure it with a ruler", CAPTION_SIZE)

    def _boxes(self, boxes: Sequence[BoxMm]) -> "PDFPathObject":
        path = self.canvas.beginPath()
        for x, y, w, h in boxes:
            path.rect(x, self.height - y - h, w, h)
        return path

    def _path(self, runs: Sequence[Polygon], *, closed: bool) -> "PDFPathObject":
        path = self.canvas.beginPath()
        for (first_x, first_y), *others in runs:
            path.moveTo(first_x, self.height - first_y)
            for x, y in others:
                path.lineTo(x, self.height - y)
            if closed:
                path.close()
        return path


def _runs(modules: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (start, length) of each run of dark modules in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], modules.astype(np.int8), [0]))))
    return [(int(start), int(stop - start)) for start, stop in edges.reshape(-1, 2)]


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
            return np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
    except (pypdfium2.PdfiumError, FileNotFoundError) as error:
        raise SheetError(f"{pdf}: not a readable PDF ({error}); run 'physadv print' again") from error


def _draw_sheet(ink: Ink, sheet: Sheet, count: int, title: str, picture: Picture, caption: Caption) -> None:
    place = f"sheet {sheet.index + 1} of {count}   {sheet.code}"
    ink.text(MARGIN, MARGIN + 3, f"{title}   {place}   print at 100 %, not fit to page", HEAD_SIZE)
    for patch in sheet.patches:
        ink.fill([patch.box_mm], patch.rgb)
    ink.scale_bar(sheet_bar(sheet.page_mm))
    for cell in sheet.cells:
        ink.picture(cell.box_mm, Image.fromarray(picture(cell.example)))
    for mark in sheet.marks:
        ink.mark(mark)
        if mark.kind == "code":
            _draw_caption(ink, mark, caption(sheet.cells[mark.cell].example), sheet.page_mm[0] / 2)
    for number in range(len(sheet.cells)):
        _draw_frame(ink, [m for m in sheet.marks if m.cell == number and m.kind == "saddle"])
    ink.done()


def _draw_frame(ink: Ink, saddles: Sequence[Mark]) -> None:
    """Draw hairlines between the saddles, for eyes and scissors. They end before the marks."""
    (left, top), _, (right, bottom), _ = (mark.centre_mm for mark in saddles)
    clear = saddles[0].box_mm[2] / 2 + 1.5
    across = [[(left + clear, y), (right - clear, y)] for y in (top, bottom)]
    down = [[(x, top + clear), (x, bottom - clear)] for x in (left, right)]
    ink.lines([np.array(line) for line in (*across, *down)])


def _draw_caption(ink: Ink, mark: Mark, lines: Sequence[str], middle: float) -> None:
    """Write a caption beside a code, on the side of the page's middle (mm)."""
    x, y, size, _ = mark.box_mm
    for line, text in enumerate(lines):
        font = BOLD if line == 0 else FONT
        text = fitted(text, CAPTION_WIDTH, CAPTION_SIZE, font)
        outer = x - CAPTION_GAP - text_width(text, CAPTION_SIZE, font)
        left = x + size + CAPTION_GAP if x < middle else outer
        ink.text(left, y + 3 + 3 * line, text, CAPTION_SIZE, font)
