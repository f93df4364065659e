"""Ink on one page of a PDF, in millimetres from its top-left corner: boxes, lines, text, pictures, marks.

Pictures go in losslessly, pixel for pixel, and are scaled by the page, never resampled by this program.
"""

from collections.abc import Sequence
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject

from physadv.sheets.codes import qr_matrix
from physadv.sheets.layout import Box

POINTS_PER_MM = 72 / 25.4
FONT, BOLD, SIGNS = "Helvetica", "Helvetica-Bold", "ZapfDingbats"
CLIP_TO_PATH = {"stroke": 0, "fill": 0}

Polygon = NDArray[np.float64]


def new_canvas(path: Path, title: str) -> Canvas:
    """Return an empty PDF that comes out the same, byte for byte, and that viewers print at 100 %."""
    # reportlab's `invariant` drops the date and the random document id.
    canvas = Canvas(path.name, pageCompression=1, invariant=1)
    canvas.setTitle(title)
    canvas.setCreator("physadv")
    canvas.setViewerPreference("PrintScaling", "None")
    return canvas


def save_canvas(canvas: Canvas, path: Path) -> None:
    """Write a finished PDF."""
    # Not `canvas.save`, which leaves its file open where the disk is full.
    path.write_bytes(canvas.getpdfdata())


def text_width(text: str, points: float, font: str = FONT) -> float:
    """Return the width of a text in mm."""
    return float(stringWidth(text, font, points)) / POINTS_PER_MM


def fitted(text: str, width_mm: float, points: float, font: str = FONT) -> str:
    """Return a text cut to a width."""
    while text_width(text, points, font) > width_mm:
        text = text[:-2].rstrip() + "…"
    return text


class Ink:
    """A new page of a canvas; `done` ends it."""

    def __init__(self, canvas: Canvas, page_mm: tuple[float, float]) -> None:
        self.canvas = canvas
        self.height = page_mm[1]
        # Rounded down, or a renderer that rounds up adds a row of dots and stretches the page over it.
        width, height = (floor(side * POINTS_PER_MM * 1e4) / 1e4 for side in page_mm)
        canvas.setPageSize((width, height))
        canvas.scale(POINTS_PER_MM, POINTS_PER_MM)

    def done(self) -> None:
        """End the page."""
        self.canvas.showPage()

    def fill(self, boxes: Sequence[Box], rgb: tuple[int, int, int] = (0, 0, 0)) -> None:
        """Fill boxes as one path: renderers snap a lone box to whole dots, and seams show between many."""
        self.canvas.setFillColorRGB(*(level / 255 for level in rgb))
        path = self.canvas.beginPath()
        for x, y, w, h in boxes:
            path.rect(x, self.height - y - h, w, h)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def veil(self, box: Box, opacity: float) -> None:
        """Lay white over what is drawn, so that text on it can be read."""
        self.canvas.saveState()
        self.canvas.setFillAlpha(opacity)
        self.fill([box], (255, 255, 255))
        self.canvas.restoreState()

    def text(self, x: float, y: float, text: str, points: float, font: str = FONT) -> None:
        """Write a text from the left end of its baseline."""
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
        """Draw lines through the points (k, 2) of each run."""
        self.canvas.setLineWidth(width)
        self.canvas.setStrokeGray(gray)
        self.canvas.setDash(list(dash))
        self.canvas.drawPath(self._path(runs, closed=closed), stroke=1, fill=0)

    def picture(self, box: Box, image: Image.Image, edges: Sequence[Polygon] = ()) -> None:
        """Draw an image over a box, only inside of `edges`, closed polygons (k, 2), where there are any."""
        x, y, w, h = box
        # Half a micrometre short on every side: renderers round a picture's box outward to whole dots.
        short = 0.0005
        y = self.height - y - h
        self.canvas.saveState()
        if edges:
            self.canvas.clipPath(self._path(edges, closed=True), **CLIP_TO_PATH)
        self.canvas.drawImage(ImageReader(image), x + short, y + short, w - 2 * short, h - 2 * short)
        self.canvas.restoreState()

    def open_window(self, box: Box) -> None:
        """Show only what is drawn inside a box, until `close_window`."""
        x, y, w, h = box
        self.canvas.saveState()
        path = self.canvas.beginPath()
        path.rect(x, self.height - y - h, w, h)
        self.canvas.clipPath(path, **CLIP_TO_PATH)

    def close_window(self) -> None:
        """Show everything again."""
        self.canvas.restoreState()

    def saddle(self, box: Box) -> None:
        """Draw a 2×2 saddle mark."""
        x, y, w, h = box
        self.fill([(x, y, w / 2, h / 2), (x + w / 2, y + h / 2, w / 2, h / 2)])

    def code(self, box: Box, payload: str) -> None:
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

    def _path(self, runs: Sequence[Polygon], *, closed: bool) -> PDFPathObject:
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
