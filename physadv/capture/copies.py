"""Which codes are on the same piece of paper: a photo may show several sheets, or copies of one sheet."""

from collections.abc import Sequence
from math import hypot, sqrt

import numpy as np

from physadv.capture.codes import FoundCode
from physadv.capture.geometry import Points, SheetModel
from physadv.sheets.layout import Mark, box_corners

Claimed = dict[Mark, Points]

CLOSE_MM = 8.0
CLOSE_PER_MM = 0.15
"""How far a code may be from its place as its neighbour predicts it, and how much more per mm between them.

The prediction from one code knows no perspective and no bend, which makes it wrong by up to 5 mm at 64 mm.
"""


def claim_copy(marks: dict[str, Mark], codes: Sequence[FoundCode]) -> tuple[Claimed, list[FoundCode]]:
    """Return the codes on the same piece of paper as the largest of `codes`, and all others.

    The set grows from neighbour to neighbour: each claimed code predicts where those near it are (by an
    affine map of its own corners), and a code of the sheet that is found there is claimed too. A second copy
    of the sheet has the same codes in other places.

    Args:
        marks: maps the payloads of the sheet's codes to their marks.
        codes: codes read in the photo, all with payloads in `marks`.
    """
    rest = sorted(codes, key=lambda code: -_area(code.corners))
    seed = rest.pop(0)
    claimed = {marks[seed.text]: seed.corners}
    grown = True
    while grown:
        grown = False
        for code in list(rest):
            mark = marks[code.text]
            if mark not in claimed and _stands_right(mark, code.corners, claimed):
                claimed[mark] = code.corners
                rest.remove(code)
                grown = True
    return claimed, rest


def is_mirrored(corners: Points) -> bool:
    """Return whether the corners (4, 2) of a code run counter-clockwise in the photo."""
    return _area(corners, signed=True) < 0


def off_by_mm(corners: Points, model: SheetModel, mark: Mark) -> float:
    """Return how far the middle of a code with corners (4, 2) is from its place in a model, mm on paper."""
    predicted = model.to_photo(box_corners(mark.box_mm))
    scale = np.sqrt(_area(predicted)) / mark.box_mm[2]
    return float(np.linalg.norm(corners.mean(axis=0) - predicted.mean(axis=0)) / scale)


def _stands_right(mark: Mark, corners: Points, claimed: Claimed) -> bool:
    """Return whether a code is where its nearest claimed neighbour predicts it, turned the same way."""
    x, y = mark.centre_mm
    near = min(claimed, key=lambda other: hypot(other.centre_mm[0] - x, other.centre_mm[1] - y))
    across, down = x - near.centre_mm[0], y - near.centre_mm[1]
    first, second, third, fourth = claimed[near]
    right = (second - first + third - fourth) / (2 * near.box_mm[2])
    below = (fourth - first + third - second) / (2 * near.box_mm[3])
    off = corners.mean(axis=0) - claimed[near].mean(axis=0) - across * right - down * below
    scale = sqrt(abs(right[0] * below[1] - right[1] * below[0]))
    turned_alike = (corners[1] - corners[0]) @ right > 0
    return bool(turned_alike and hypot(*off) <= scale * (CLOSE_MM + CLOSE_PER_MM * hypot(across, down)))


def _area(corners: Points, *, signed: bool = False) -> float:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    area = ((cx - ax) * (dy - by) - (dx - bx) * (cy - ay)) / 2
    return float(area if signed else abs(area))
