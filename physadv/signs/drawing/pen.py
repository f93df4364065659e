"""The pen that sign faces are drawn with, and its letters: the strokes of DIN 1451. No font, no file."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = tuple[int, int, int]

FACE_REACH = 0.96
"""Share of a face's side that the sign's plate spans, centred."""
_SAME = 1e-9
"""Distance up to which two points of a stroke are one."""


class Pen:
    """Draws on one face in units of half the plate: x to the right, y down, the plate inside [-1, 1]²."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._unit = image.width * FACE_REACH / 2
        self._centre = image.width / 2

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(self._centre + x * self._unit, self._centre + y * self._unit) for x, y in points]

    def disc(self, centre: Point, radius: float, fill: Colour) -> None:
        """Fill a disc."""
        x, y = centre
        corners = self._pixels([(x - radius, y - radius), (x + radius, y + radius)])
        self._draw.ellipse([*corners[0], *corners[1]], fill=fill)

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, rounding: float = 0.0
    ) -> None:
        """Fill a box grown by `rounding`, which rounds its corners."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill, rounding)

    def polygon(self, points: Sequence[Point], fill: Colour, rounding: float = 0.0) -> None:
        """Fill a polygon grown by `rounding`, which rounds its corners."""
        self._draw.polygon(self._pixels(points), fill=fill)
        if rounding:
            for corner, following in zip(points, [*points[1:], points[0]], strict=True):
                self.stroke([corner, following], 2 * rounding, fill)
                self.disc(corner, rounding, fill)

    def stroke(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """Draw a polyline with mitred joints and flat ends; points that repeat are passed over."""
        middle = np.array(points)
        along = np.diff(middle, axis=0)
        moves = np.linalg.norm(along, axis=1) > _SAME
        middle, along = middle[np.append(True, moves)], along[moves]
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        along = np.concatenate([along[:1], along, along[-1:]])
        across = (along[:-1] + along[1:])[:, ::-1] * (-0.5, 0.5)
        across *= width / 2 / np.square(across).sum(axis=1, keepdims=True)
        left, right = middle + across, middle - across
        for k in range(len(middle) - 1):
            corners = [left[k], left[k + 1], right[k + 1], right[k]]
            self._draw.polygon(self._pixels([(x, y) for x, y in corners]), fill=fill)

    def arrow(self, points: Sequence[Point], width: float, head: float, fill: Colour) -> None:
        """Draw a stroke and, beyond its last point, a triangular head `head` long."""
        (x0, y0), (x, y) = points[-2:]
        length = math.hypot(x - x0, y - y0)
        dx, dy = (x - x0) / length, (y - y0) / length
        # The stroke runs a little into its head, or a seam shows between the two.
        self.stroke([*points, (x + 0.1 * head * dx, y + 0.1 * head * dy)], width, fill)
        half = 0.65 * head
        tip = (x + head * dx, y + head * dy)
        self.polygon([tip, (x - half * dy, y + half * dx), (x + half * dy, y - half * dx)], fill)

    def text(self, text: str, height: float, fill: Colour, narrow: float = 1.0) -> None:
        """Write `text` in the plate's centre, `height` high, its letters' skeletons narrowed by a factor."""
        scale = height / (1 + _STROKE)
        gap = (_STROKE + 0.1) * scale
        widths = [_GLYPHS[letter][0] * narrow * scale for letter in text]
        x = -(sum(widths) + gap * (len(text) - 1)) / 2
        for letter, width in zip(text, widths, strict=True):
            for line in _GLYPHS[letter][1]:
                placed = [(x + u * narrow * scale, (v - 0.5) * scale) for u, v in line]
                self.stroke(placed, _STROKE * scale, fill)
            x += width + gap


def arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """Return points from `start` to `end` degrees, counter-clockwise from the right as one sees them."""
    angles = np.radians(np.linspace(start, end, 33))
    return [(centre[0] + radius * math.cos(a), centre[1] - radius * math.sin(a)) for a in angles]


def regular(count: int, radius: float, first: float, centre: Point = (0, 0)) -> list[Point]:
    """Return the corners of a regular polygon, the first at `first` degrees."""
    return arc(centre, radius, first, first + 360)[:: 32 // count][:count]


_STROKE = 0.155
"""Width of the pen for letters one unit high between the middles of their strokes."""
_O = [*arc((0.23, 0.23), 0.23, 180, 0), *arc((0.23, 0.77), 0.23, 0, -180), (0.0, 0.23), (0.0, 0.2)]
_BOWL_OF_3 = [*arc((0.22, 0.235), 0.235, 160, -90), (0.14, 0.47)]
_BOWL_OF_5 = [(0.06, 0.0), (0.03, 0.53), *arc((0.2, 0.735), 0.265, 115, -160)]
_STEM_OF_6 = [(0.37, -0.06), (0.25, 0.13), (0.13, 0.36), (0.03, 0.56), (-0.02, 0.68), (-0.025, 0.74)]
_BOWL_OF_P = [(0.0, 0.0), (0.2, 0.0), *arc((0.2, 0.27), 0.27, 90, -90), (0.0, 0.54)]
_GLYPHS: dict[str, tuple[float, list[list[Point]]]] = {
    "0": (0.46, [_O]),
    "1": (0.25, [[(-0.02, 0.27), (0.22, 0.03)], [(0.24, -0.0775), (0.24, 1.0775)]]),
    "2": (0.46, [[(0.0, 0.29), *arc((0.23, 0.23), 0.23, 180, -40), (0.03, 1.0)], [(-0.06, 1.0), (0.5, 1.0)]]),
    "3": (0.48, [_BOWL_OF_3, [(0.14, 0.47), *arc((0.215, 0.735), 0.265, 90, -160)]]),
    "5": (0.46, [[(0.44, 0.0), (-0.0175, 0.0)], _BOWL_OF_5]),
    "6": (0.48, [arc((0.24, 0.735), 0.265, 0, 372), _STEM_OF_6]),
    "7": (0.46, [[(-0.05, 0.0), (0.49, 0.0)], [(0.41, 0.0), (0.14, 1.06)]]),
    "8": (0.48, [arc((0.24, 0.225), 0.225, 0, 372), arc((0.24, 0.735), 0.265, 0, 372)]),
    "S": (0.46, [[*arc((0.23, 0.235), 0.235, 20, 235), *arc((0.225, 0.745), 0.255, 55, -160)]]),
    "T": (0.46, [[(-0.05, 0.0), (0.51, 0.0)], [(0.23, 0.0), (0.23, 1.0775)]]),
    "O": (0.46, [_O]),
    "P": (0.46, [[(0.0, 1.0775), (0.0, -0.0775)], _BOWL_OF_P]),
}
"""Width and pen strokes of each letter: points of the strokes' middles, y down from 0 to 1."""
