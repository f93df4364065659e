"""Ink on one page of a PDF, in millimetres from its top-left corner: boxes, lines, text, pictures, marks.

Pictures are embedded losslessly, pixel for pixel. The page scales them, this program never resamples them.
"""

from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.sheets.codes import qr_matrix
from physadv.sheets.layout import BoxMm

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.pdfgen.pathobject import PDFPathObject

POINTS_PER_MM = 72 / 25.4
FONT, BOLD, SIGNS = "Helvetica", "Helvetica-Bold", "ZapfDingbats"
CLIP_TO_PATH = {"stroke": 0, "fill": 0}

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


def text_width(text: str, points: float, font: str = FONT) -> float:
    """Return the width of a text in mm."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, font, points)) / POINTS_PER_MM


def fitted(text: str, width_mm: float, points: float, font: str = FONT) -> str:
    """Return a text shortened to a width in mm, ending in "…" if it was cut."""
    while text_width(text, points, font) > width_mm:
        text = text[:-2].rstrip() + "…"
    return text


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
        path = self.canvas.beginPath()
        for x, y, w, h in boxes:
            path.rect(x, self.height - y - h, w, h)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def veil(self, box: BoxMm, opacity: float) -> None:
        """Cover a box with translucent white, so that text on it can be read."""
        self.canvas.saveState()
        self.canvas.setFillAlpha(opacity)
        self.fill([box], (255, 255, 255))
        self.canvas.restoreState()

    def text(self, x: float, y: float, text: str, points: float, font: str = FONT) -> None:
        """Write a text that starts at (x, y), the left end of its baseline."""
        self.canvas.setFillGray(0)
        self.canvas.setFont(font, points / POINTS_PER_MM)
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
        """Draw one line through the points (k, 2) of each run; widths and dashes are in mm."""
        self.canvas.setLineWidth(width)
        self.canvas.setStrokeGray(gray)
        self.canvas.setDash(list(dash))
        self.canvas.drawPath(self._path(runs, closed=closed), stroke=1, fill=0)

    def picture(self, box: BoxMm, image: Image.Image, edges: Sequence[Polygon] = ()) -> None:
        """Draw an image in a box, clipped to `edges`, closed polygons (k, 2), unless there are none."""
        from reportlab.lib.utils import ImageReader

        x, y, w, h = box
        # Half a micrometre smaller on every side, as renderers round a picture's box outward to whole dots.
        short = 0.0005
        y = self.height - y - h
        self.canvas.saveState()
        if edges:
            self.canvas.clipPath(self._path(edges, closed=True), **CLIP_TO_PATH)
        self.canvas.drawImage(ImageReader(image), x + short, y + short, w - 2 * short, h - 2 * short)
        self.canvas.restoreState()

    def open_window(self, box: BoxMm) -> None:
        """Clip all drawing to a box, until `close_window`."""
        x, y, w, h = box
        self.canvas.saveState()
        path = self.canvas.beginPath()
        path.rect(x, self.height - y - h, w, h)
        self.canvas.clipPath(path, **CLIP_TO_PATH)

    def close_window(self) -> None:
        """End the clipping."""
        self.canvas.restoreState()

    def saddle(self, box: BoxMm) -> None:
        """Draw a 2×2 saddle mark."""
        x, y, w, h = box
        self.fill([(x, y, w / 2, h / 2), (x + w / 2, y + h / 2, w / 2, h / 2)])

    def code(self, box: BoxMm, payload: str) -> None:
        """Draw a QR code."""
        x, y, size, _ = box
        matrix = qr_matrix(payload)
        module = size / len(matrix)
        self.fill(
            [
                (x + start * module, y + row * module, length * module, module)
                for row, modules in enumerate(matrix)
                for start, length in _runs(modules)
            ]
        )

    def _path(self, runs: Sequence[Polygon], *, closed: bool) -> "PDFPathObject":
        path = self.canvas.beginPath()
        for points in runs:
            path.moveTo(points[0][0], self.height - points[0][1])
            for x, y in points[1:]:
                path.lineTo(x, self.height - y)
            if closed:
                path.close()
        return path


def _runs(modules: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (start, length) of each run of dark modules in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], modules.astype(np.int8), [0]))))
    return [(int(start), int(stop - start)) for start, stop in edges.reshape(-1, 2)]
