"""A photo with the sheets, marks and cells that were found drawn in, to see what went wrong.

Blue: the edge of a sheet by its model. Cyan: the marks that were found. Green: cells cut out. Red: refused
cells with the reason. The reason to refuse a whole photo is written at its top.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from physadv.capture.cells import CroppedCell
from physadv.capture.geometry import Pixels, Points
from physadv.capture.papers import FoundSheet
from physadv.sheets.fonts import font_file, spelt
from physadv.sheets.layout import box_corners
from physadv.text import printable

SIDE = 2000
BLANK = (1200, 400)
GREEN, RED, CYAN, BLUE = (0, 220, 60), (255, 40, 40), (0, 230, 255), (60, 110, 255)
SHADE = (0, 0, 0, 170)
WIDTH, FONT_SIZE, BANNER_SIZE = 3, 17, 26
EDGE_POINTS = 40


def draw_overlay(rgb: Pixels | None, found: Sequence[FoundSheet], reason: str | None = None) -> Image.Image:
    """Return a photo reduced to at most 2000 pixels a side, with what was found drawn in.

    Args:
        rgb: the upright photo (H, W, 3), uint8; None for a file that could not be read.
        found: the sheets in the photo.
        reason: why the whole photo is refused; None for a photo that can be used.
    """
    image, scale = _reduced(rgb)
    draw = ImageDraw.Draw(image, "RGBA")
    for paper in found:
        draw.line(_line(paper.model.to_photo(_edge(paper.sheet.page_mm)), scale), fill=BLUE, width=WIDTH)
        for mark in paper.marks_px:
            _draw_mark(draw, mark, scale)
        for cell in paper.cells:
            _draw_cell(draw, cell, scale)
    lines = [f"refused: {reason}"] if reason else [_summary(paper) for paper in found]
    _write(draw, (8, 8), lines, BANNER_SIZE, image.width - 16, RED if reason else "white")
    return image


def _reduced(rgb: Pixels | None) -> tuple[Image.Image, float]:
    """Return the picture to draw on, and its scale relative to the photo."""
    if rgb is None:
        return Image.new("RGB", BLANK, (70, 70, 70)), 1.0
    scale = min(1.0, SIDE / max(rgb.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    return Image.fromarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)), scale


def _line(points: Points, scale: float) -> list[tuple[float, float]]:
    """Return photo points on the reduced picture; pixel centres are whole numbers in both."""
    return [(float(x), float(y)) for x, y in (points + 0.5) * scale - 0.5]


def _edge(page_mm: tuple[float, float]) -> Points:
    """Return a closed line of points, mm, along the edge of a page, which lenses and curls bend."""
    corners = box_corners((0.0, 0.0, *page_mm))
    sides = zip(corners, np.roll(corners, -1, 0), strict=True)
    return np.concatenate([a + np.linspace(0, 1, EDGE_POINTS)[:, None] * (b - a) for a, b in sides])


def _draw_mark(draw: ImageDraw.ImageDraw, mark: Points, scale: float) -> None:
    if len(mark) > 1:
        draw.line(_line(np.concatenate([mark, mark[:1]]), scale), fill=CYAN, width=WIDTH)
        return
    ((x, y),) = _line(mark, scale)
    for end in ((7, 7), (7, -7)):
        draw.line([(x - end[0], y - end[1]), (x + end[0], y + end[1])], fill=CYAN, width=WIDTH)


def _draw_cell(draw: ImageDraw.ImageDraw, cell: CroppedCell, scale: float) -> None:
    colour = GREEN if cell.reason is None else RED
    outline = _line(cell.corners_px, scale)
    draw.line([*outline, outline[0]], fill=colour, width=WIDTH)
    (left, top), right = np.min(outline, axis=0), max(x for x, _ in outline)
    width, height = draw.im.size
    if -width < left < width and -height < top < height:
        text = cell.example if cell.reason is None else f"{cell.example}: {cell.reason}"
        place = (max(left, 0) + 4, max(top, 0) + 4)
        _write(draw, place, [text], FONT_SIZE, max(float(right - left) - 8, 120), colour)


def _summary(sheet: FoundSheet) -> str:
    cut = sum(cell.reason is None for cell in sheet.cells)
    residual = sheet.residual_px
    away = "" if residual is None else f", {residual:.2f} px from the model"
    return f"sheet {sheet.index + 1}: {cut} of {len(sheet.cells)} cells; {len(sheet.marks_px)} marks{away}"


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    lines: Sequence[str],
    size: int,
    width: float,
    colour: str | tuple[int, int, int],
) -> None:
    """Write lines on a dark background, broken at spaces to fit a width."""
    font = ImageFont.truetype(font_file(), size)
    text = "\n".join(part for line in lines for part in _broken(spelt(printable(line)), font, width))
    if text:
        left, top, right, bottom = draw.multiline_textbbox(place, text, font=font)
        draw.rectangle((left - 4, top - 4, right + 4, bottom + 4), fill=SHADE)
        draw.multiline_text(place, text, font=font, fill=colour)


def _broken(line: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    parts = [""]
    for word in line.split():
        longer = f"{parts[-1]} {word}".strip()
        if parts[-1] and font.getlength(longer) > width:
            parts.append(word)
        else:
            parts[-1] = longer
    return parts
