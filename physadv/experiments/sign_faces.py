"""The faces of German traffic signs as vector geometry, rasterised with coverage.

Shapes follow the plates of the road code, letters and digits the pen strokes of DIN 1451. No font, no file.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Field = NDArray[np.float64]
Point = tuple[float, float]
Colour = tuple[int, int, int]

FACE_REACH = 0.96
"""Share of a face's side that the sign's plate spans, centred."""
_OVERSAMPLING = 2

WHITE, BLACK = (238, 240, 240), (24, 24, 26)
RED, BLUE, YELLOW = (190, 22, 30), (16, 86, 164), (248, 186, 14)
GREEN, AMBER = (24, 140, 70), (240, 170, 20)


class _Pen:
    """Draws on one face in units of half the plate: x to the right, y down, the plate inside [-1, 1]²."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._unit = image.width * FACE_REACH / 2
        self._centre = image.width / 2

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(self._centre + x * self._unit, self._centre + y * self._unit) for x, y in points]

    def disc(self, centre: Point, radius: float, fill: Colour) -> None:
        x, y = centre
        corners = self._pixels([(x - radius, y - radius), (x + radius, y + radius)])
        self._draw.ellipse([*corners[0], *corners[1]], fill=fill)

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, rounding: float = 0.0
    ) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill, rounding)

    def polygon(self, points: Sequence[Point], fill: Colour, rounding: float = 0.0) -> None:
        """Fill a polygon grown by `rounding`, which rounds its corners."""
        self._draw.polygon(self._pixels(points), fill=fill)
        if rounding:
            for corner, following in zip(points, [*points[1:], points[0]], strict=True):
                self.stroke([corner, following], 2 * rounding, fill)
                self.disc(corner, rounding, fill)

    def stroke(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """Draw a polyline with mitred joints and flat ends."""
        middle = np.array(points)
        along = np.diff(middle, axis=0)
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


def _arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """Return points from `start` to `end` degrees, counter-clockwise from the right as one sees them."""
    angles = np.radians(np.linspace(start, end, 33))
    return [(centre[0] + radius * math.cos(a), centre[1] - radius * math.sin(a)) for a in angles]


def _regular(count: int, radius: float, first: float, centre: Point = (0, 0)) -> list[Point]:
    """Return the corners of a regular polygon, the first at `first` degrees."""
    return _arc(centre, radius, first, first + 360)[:: 32 // count][:count]


_STROKE = 0.155
"""Width of the pen for letters one unit high between the middles of their strokes."""
_O = [*_arc((0.23, 0.23), 0.23, 180, 0), *_arc((0.23, 0.77), 0.23, 0, -180), (0.0, 0.23), (0.0, 0.2)]
_GLYPHS: dict[str, tuple[float, list[list[Point]]]] = {
    "0": (0.46, [_O]),
    "1": (0.25, [[(-0.02, 0.27), (0.22, 0.03)], [(0.24, -0.0775), (0.24, 1.0775)]]),
    "2": (
        0.46,
        [[(0.0, 0.29), *_arc((0.23, 0.23), 0.23, 180, -40), (0.03, 1.0)], [(-0.06, 1.0), (0.5, 1.0)]],
    ),
    "3": (
        0.48,
        [
            [*_arc((0.22, 0.235), 0.235, 160, -90), (0.14, 0.47)],
            [(0.14, 0.47), *_arc((0.215, 0.735), 0.265, 90, -160)],
        ],
    ),
    "5": (
        0.46,
        [[(0.44, 0.0), (-0.0175, 0.0)], [(0.06, 0.0), (0.03, 0.53), *_arc((0.2, 0.735), 0.265, 115, -160)]],
    ),
    "6": (
        0.48,
        [
            _arc((0.24, 0.735), 0.265, 0, 372),
            [(0.37, -0.06), (0.25, 0.13), (0.13, 0.36), (0.03, 0.56), (-0.02, 0.68), (-0.025, 0.74)],
        ],
    ),
    "7": (0.46, [[(-0.05, 0.0), (0.49, 0.0)], [(0.41, 0.0), (0.14, 1.06)]]),
    "8": (0.48, [_arc((0.24, 0.225), 0.225, 0, 372), _arc((0.24, 0.735), 0.265, 0, 372)]),
    "S": (0.46, [[*_arc((0.23, 0.235), 0.235, 20, 235), *_arc((0.225, 0.745), 0.255, 55, -160)]]),
    "T": (0.46, [[(-0.05, 0.0), (0.51, 0.0)], [(0.23, 0.0), (0.23, 1.0775)]]),
    "O": (0.46, [_O]),
    "P": (
        0.46,
        [
            [(0.0, 1.0775), (0.0, -0.0775)],
            [(0.0, 0.0), (0.2, 0.0), *_arc((0.2, 0.27), 0.27, 90, -90), (0.0, 0.54)],
        ],
    ),
}
"""Width and pen strokes of each letter: points of the strokes' middles, y down from 0 to 1."""


def _ring(pen: _Pen) -> None:
    pen.disc((0, 0), 0.97, RED)
    pen.disc((0, 0), 0.75, WHITE)


def _speed_limit(pen: _Pen, limit: int) -> None:
    _ring(pen)
    if limit < 100:
        pen.text(str(limit), 0.8, BLACK, narrow=0.95)
    else:
        pen.text(str(limit), 0.72, BLACK, narrow=0.8)


def _no_passing(pen: _Pen) -> None:
    _ring(pen)
    for x, colour in ((-0.33, RED), (0.33, BLACK)):
        cabin = [(x - 0.21, 0), (x - 0.13, -0.19), (x + 0.13, -0.19), (x + 0.21, 0)]
        window = [(x - 0.14, -0.03), (x - 0.095, -0.15), (x + 0.095, -0.15), (x + 0.14, -0.03)]
        pen.polygon(cabin, colour, rounding=0.02)
        pen.polygon(window, WHITE)
        pen.box(x - 0.25, 0.01, x + 0.25, 0.14, colour, rounding=0.02)
        for wheel in (x - 0.18, x + 0.18):
            pen.box(wheel - 0.05, 0.14, wheel + 0.05, 0.25, colour, rounding=0.01)


def _no_entry(pen: _Pen) -> None:
    pen.disc((0, 0), 0.95, RED)
    pen.box(-0.76, -0.17, 0.76, 0.17, WHITE)


def _priority_road(pen: _Pen) -> None:
    pen.polygon(_regular(4, 0.9, 0), WHITE, rounding=0.05)
    pen.polygon(_regular(4, 0.61, 0), BLACK, rounding=0.04)
    pen.polygon(_regular(4, 0.59, 0), YELLOW, rounding=0.04)


def _yield(pen: _Pen) -> None:
    pen.polygon(_triangle(270), RED, rounding=0.07)
    pen.polygon(_triangle(270, 0.66), WHITE, rounding=0.04)


def _stop(pen: _Pen) -> None:
    pen.polygon(_regular(8, 0.99, 22.5), RED)
    pen.text("STOP", 0.76, WHITE, narrow=0.72)


def _danger(pen: _Pen) -> None:
    pen.polygon(_triangle(90), RED, rounding=0.07)
    pen.polygon(_triangle(90, 0.7), WHITE, rounding=0.05)


def _general_caution(pen: _Pen) -> None:
    _danger(pen)
    pen.polygon([(-0.085, -0.28), (0.085, -0.28), (0.045, 0.27), (-0.045, 0.27)], BLACK, rounding=0.02)
    pen.disc((0, 0.45), 0.09, BLACK)


def _right_of_way(pen: _Pen) -> None:
    _danger(pen)
    pen.polygon([(0, -0.36), (0.24, 0.04), (-0.24, 0.04)], BLACK)
    pen.box(-0.11, 0.0, 0.11, 0.54, BLACK)
    pen.box(-0.34, 0.16, 0.34, 0.3, BLACK)


def _traffic_signals(pen: _Pen) -> None:
    _danger(pen)
    for y, colour in ((-0.2, RED), (0.12, AMBER), (0.44, GREEN)):
        pen.disc((0, y), 0.13, colour)


def _mandatory(pen: _Pen, *arrows: Sequence[Point], width: float = 0.23, head: float = 0.4) -> None:
    pen.disc((0, 0), 0.95, BLUE)
    for points in arrows:
        pen.arrow(points, width, head, WHITE)


def _turn_ahead(pen: _Pen, side: int) -> None:
    bend = _arc((0.02, -0.02), 0.27, 180, 90)
    path = [(-0.25, 0.66), *bend, (0.3, -0.29)]
    _mandatory(pen, [(side * x, y) for x, y in path])


def _keep(pen: _Pen, side: int) -> None:
    _mandatory(pen, [(-side * 0.52, -0.52), (side * 0.24, 0.24)])


def _ahead_only(pen: _Pen) -> None:
    _mandatory(pen, [(0, 0.7), (0, -0.34)])


def _roundabout(pen: _Pen) -> None:
    _mandatory(
        pen, *(_arc((0, 0), 0.55, start, start + 72) for start in (68, 188, 308)), width=0.17, head=0.34
    )


def _triangle(first: float, radius: float = 0.97) -> list[Point]:
    """Return a triangle with its tip at `first` degrees, up (90) or down (270), its box centred."""
    middle = 0.25 if first == 90 else -0.25
    third = _arc((0, middle), radius, first, first + 240)
    return [third[0], third[16], third[32]]


class _Plate:
    """A sign's outline (corners and how far they are grown; none for a disc), rim colour and painting."""

    def __init__(
        self,
        paint: Callable[[_Pen], None],
        corners: Sequence[Point] | None = None,
        rounding: float = 0.0,
        rim: Colour = WHITE,
    ) -> None:
        self.paint, self.corners, self.rounding, self.rim = paint, corners, rounding, rim


_PLATES: dict[str, _Plate] = {
    **{
        f"speed limit {limit}": _Plate(partial(_speed_limit, limit=limit))
        for limit in (20, 30, 50, 60, 70, 80, 100, 120)
    },
    "no passing": _Plate(_no_passing),
    "right-of-way at next intersection": _Plate(_right_of_way, _triangle(90), 0.11),
    "priority road": _Plate(_priority_road, _regular(4, 0.9, 0), 0.07, rim=BLACK),
    "yield": _Plate(_yield, _triangle(270), 0.11),
    "stop": _Plate(_stop, _regular(8, 1.06, 22.5)),
    "no vehicles": _Plate(_ring),
    "no entry": _Plate(_no_entry),
    "general caution": _Plate(_general_caution, _triangle(90), 0.11),
    "traffic signals": _Plate(_traffic_signals, _triangle(90), 0.11),
    "turn right ahead": _Plate(partial(_turn_ahead, side=1)),
    "turn left ahead": _Plate(partial(_turn_ahead, side=-1)),
    "ahead only": _Plate(_ahead_only),
    "keep right": _Plate(partial(_keep, side=1)),
    "keep left": _Plate(partial(_keep, side=-1)),
    "roundabout": _Plate(_roundabout),
}

FACES: tuple[str, ...] = tuple(_PLATES)
"""The signs there are faces of, named as `physadv.classifiers.signs.SIGN_LABELS` names them."""


@lru_cache(maxsize=len(_PLATES))
def face(label: str, side: int) -> tuple[Field, Field]:
    """Return a sign's face `side` pixels wide: colours (S, S, 3) and the plate's coverage (S, S), in [0, 1].

    Outside the plate the colour is its rim's, so that resampling at the edge mixes in nothing else.
    """
    plate = _PLATES[label]
    large = (side * _OVERSAMPLING, side * _OVERSAMPLING)
    colour, coverage = Image.new("RGB", large, plate.rim), Image.new("RGB", large)
    plate.paint(_Pen(colour))
    if plate.corners is None:
        _Pen(coverage).disc((0, 0), 1.0, (255, 255, 255))
    else:
        _Pen(coverage).polygon(plate.corners, (255, 255, 255), plate.rounding)
    return _reduced(colour), _reduced(coverage)[..., 0]


def _reduced(image: Image.Image) -> Field:
    return np.asarray(image.reduce(_OVERSAMPLING), dtype=np.float64) / 255
