"""The faces of German traffic signs, and of one from abroad, as vector geometry, rasterised with coverage.

Shapes follow the plates of the road code.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.signs.drawing.pen import Colour, Pen, Point, arc, regular

Field = NDArray[np.float64]

_OVERSAMPLING = 2
_OCTAGON = 1.06
"""From the middle of a stop sign to its corners, in half plates."""
STOP_SIGN_REACH = _OCTAGON * math.cos(math.pi / 8)
"""From the middle of a stop sign to its edges, in half plates."""

WHITE, BLACK = (238, 240, 240), (24, 24, 26)
RED, BLUE, YELLOW = (190, 22, 30), (16, 86, 164), (248, 186, 14)
GREEN, AMBER = (24, 140, 70), (240, 170, 20)


def _ring(pen: Pen) -> None:
    pen.disc((0, 0), 0.97, RED)
    pen.disc((0, 0), 0.75, WHITE)


def _speed_limit(pen: Pen, limit: int) -> None:
    _ring(pen)
    height, narrow = (0.8, 0.95) if limit < 100 else (0.72, 0.8)
    pen.text(str(limit), height, BLACK, narrow)


def _no_passing(pen: Pen) -> None:
    _ring(pen)
    for x, colour in ((-0.33, RED), (0.33, BLACK)):
        cabin = [(x - 0.21, 0), (x - 0.13, -0.19), (x + 0.13, -0.19), (x + 0.21, 0)]
        window = [(x - 0.14, -0.03), (x - 0.095, -0.15), (x + 0.095, -0.15), (x + 0.14, -0.03)]
        pen.polygon(cabin, colour, rounding=0.02)
        pen.polygon(window, WHITE)
        pen.box(x - 0.25, 0.01, x + 0.25, 0.14, colour, rounding=0.02)
        for wheel in (x - 0.18, x + 0.18):
            pen.box(wheel - 0.05, 0.14, wheel + 0.05, 0.25, colour, rounding=0.01)


def _no_entry(pen: Pen) -> None:
    pen.disc((0, 0), 0.95, RED)
    pen.box(-0.76, -0.17, 0.76, 0.17, WHITE)


def _priority_road(pen: Pen) -> None:
    pen.polygon(regular(4, 0.9, 0), WHITE, rounding=0.05)
    pen.polygon(regular(4, 0.61, 0), BLACK, rounding=0.04)
    pen.polygon(regular(4, 0.59, 0), YELLOW, rounding=0.04)


def _yield(pen: Pen) -> None:
    pen.polygon(_triangle(270), RED, rounding=0.07)
    pen.polygon(_triangle(270, 0.66), WHITE, rounding=0.04)


def _stop(pen: Pen) -> None:
    pen.polygon(regular(8, 0.99, 22.5), RED)
    pen.text("STOP", 0.76, WHITE, narrow=0.72)


def _stop_abroad(pen: Pen) -> None:
    """Letters a third of the sign high and a border a fortieth of it wide: R1-1 of the US MUTCD."""
    pen.polygon(regular(8, 0.95 * _OCTAGON, 22.5), RED)
    pen.text("STOP", 2 / 3 * _OCTAGON * math.cos(math.pi / 8), WHITE)


def _danger(pen: Pen) -> None:
    pen.polygon(_triangle(90), RED, rounding=0.07)
    pen.polygon(_triangle(90, 0.7), WHITE, rounding=0.05)


def _general_caution(pen: Pen) -> None:
    _danger(pen)
    pen.polygon([(-0.085, -0.28), (0.085, -0.28), (0.045, 0.27), (-0.045, 0.27)], BLACK, rounding=0.02)
    pen.disc((0, 0.45), 0.09, BLACK)


def _right_of_way(pen: Pen) -> None:
    _danger(pen)
    pen.polygon([(0, -0.36), (0.24, 0.04), (-0.24, 0.04)], BLACK)
    pen.box(-0.11, 0.0, 0.11, 0.54, BLACK)
    pen.box(-0.34, 0.16, 0.34, 0.3, BLACK)


def _traffic_signals(pen: Pen) -> None:
    _danger(pen)
    for y, colour in ((-0.2, RED), (0.12, AMBER), (0.44, GREEN)):
        pen.disc((0, y), 0.13, colour)


def _mandatory(pen: Pen, arrows: Sequence[Sequence[Point]], width: float = 0.23, head: float = 0.4) -> None:
    pen.disc((0, 0), 0.95, BLUE)
    for points in arrows:
        pen.arrow(points, width, head, WHITE)


def _triangle(first: float, radius: float = 0.97) -> list[Point]:
    """Return a triangle with its tip at `first` degrees, up (90) or down (270), its box centred."""
    middle = 0.25 if first == 90 else -0.25
    return arc((0, middle), radius, first, first + 240)[::16]


class _Plate(NamedTuple):
    """A sign's painting, outline (corners and how far they are grown; none for a disc) and rim colour."""

    paint: Callable[[Pen], None]
    corners: Sequence[Point] | None = None
    rounding: float = 0.0
    rim: Colour = WHITE


_TURN_RIGHT = [(-0.25, 0.66), *arc((0.02, -0.02), 0.27, 180, 90), (0.3, -0.29)]
_TURN_LEFT = [(-x, y) for x, y in _TURN_RIGHT]
_ROUND = [arc((0, 0), 0.55, start, start + 72) for start in (68, 188, 308)]
_PLATES: dict[str, _Plate] = {
    **{
        f"speed limit {n}": _Plate(partial(_speed_limit, limit=n)) for n in (20, 30, 50, 60, 70, 80, 100, 120)
    },
    "no passing": _Plate(_no_passing),
    "right-of-way at next intersection": _Plate(_right_of_way, _triangle(90), 0.11),
    "priority road": _Plate(_priority_road, regular(4, 0.9, 0), 0.07, rim=BLACK),
    "yield": _Plate(_yield, _triangle(270), 0.11),
    "stop": _Plate(_stop, regular(8, _OCTAGON, 22.5)),
    "stop (US)": _Plate(_stop_abroad, regular(8, _OCTAGON, 22.5)),
    "no vehicles": _Plate(_ring),
    "no entry": _Plate(_no_entry),
    "general caution": _Plate(_general_caution, _triangle(90), 0.11),
    "traffic signals": _Plate(_traffic_signals, _triangle(90), 0.11),
    "turn right ahead": _Plate(partial(_mandatory, arrows=[_TURN_RIGHT])),
    "turn left ahead": _Plate(partial(_mandatory, arrows=[_TURN_LEFT])),
    "ahead only": _Plate(partial(_mandatory, arrows=[[(0, 0.7), (0, -0.34)]])),
    "keep right": _Plate(partial(_mandatory, arrows=[[(-0.52, -0.52), (0.24, 0.24)]])),
    "keep left": _Plate(partial(_mandatory, arrows=[[(0.52, -0.52), (-0.24, 0.24)]])),
    "roundabout": _Plate(partial(_mandatory, arrows=_ROUND, width=0.17, head=0.34)),
}

ABROAD: Mapping[str, str] = {"stop": "stop (US)"}
"""Sign → the face it has in another country, where one is drawn."""
DRAWN_SIGNS: tuple[str, ...] = tuple(name for name in _PLATES if name not in ABROAD.values())
"""The signs there are German faces of, named as `physadv.classifiers.specs.SIGN_LABELS` names them."""


@lru_cache(maxsize=len(_PLATES))
def face(label: str, side: int) -> tuple[Field, Field]:
    """Return a sign's face `side` pixels wide: colours (S, S, 3) and the plate's coverage (S, S), in [0, 1].

    Outside the plate the colour is its rim's, so that resampling at the edge mixes in nothing else.
    """
    plate = _PLATES[label]
    large = (side * _OVERSAMPLING, side * _OVERSAMPLING)
    colour, coverage = Image.new("RGB", large, plate.rim), Image.new("RGB", large)
    plate.paint(Pen(colour))
    if plate.corners is None:
        Pen(coverage).disc((0, 0), 1.0, (255, 255, 255))
    else:
        Pen(coverage).polygon(plate.corners, (255, 255, 255), plate.rounding)
    return _reduced(colour), _reduced(coverage)[..., 0]


def _reduced(image: Image.Image) -> Field:
    return np.asarray(image.reduce(_OVERSAMPLING), dtype=np.float64) / 255
