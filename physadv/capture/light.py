"""Light in a photo: sRGB levels and linear light, levels at photo points, and the flat field of a page.

The flat field, the uneven light on a page, is measured on the bare paper between and around what is printed.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.polynomial.polynomial import polyvander

from physadv.capture.geometry import Pixels, Points, is_inside
from physadv.capture.reading import CaptureError
from physadv.sheets.layout import HEADER, MARGIN, BoxMm, Sheet

ToPhoto = Callable[[Points], Points]
"""Maps page points (N, 2), mm, to photo points (N, 2), pixels."""
PaperLight = Callable[[Points], Points]
"""Maps page points (N, 2), mm, to the linear light (N, 3) that bare paper sends from there to the camera."""

BURNT = 254
PAPER_STEP, PAPER_CLEARANCE, PAGE_EDGE = 0.5, 0.8, 4.0
MIN_PAPER, PAPER_SAMPLES, MIN_SPREAD = 200, 4000, 0.02
DEGREE = 4
POWERS = np.array([(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]).T


def to_linear(levels: Points) -> Points:
    """Return linear light of sRGB levels, both in [0, 1] (IEC 61966-2-1)."""
    return np.where(levels <= 0.04045, levels / 12.92, ((np.maximum(levels, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(light: Points) -> Points:
    """Return sRGB levels of linear light, both in [0, 1]; light outside of that range is clipped."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def levels_at(rgb: Pixels, where: Points) -> Points:
    """Return the 8-bit levels (N, 3), float64, of a photo (H, W, 3) at photo points (N, 2) inside it."""
    found = cv2.remap(rgb, where.astype(np.float32)[None], None, cv2.INTER_LINEAR)
    return np.asarray(found[0], np.float64)


def fit_flat_field(rgb: Pixels, sheet: Sheet, to_photo: ToPhoto) -> PaperLight:
    """Return how a sheet in a photo (H, W, 3) was lit: a map of page points to the light of bare paper.

    It is the exponential of a polynomial over the page. Things that cover the paper are left out as outliers.

    Raises:
        CaptureError: too little bare paper can be seen, or it is burnt out.
    """
    places = _bare_paper(sheet)
    where = to_photo(places)
    places, where = (points[is_inside(rgb, where)] for points in (places, where))
    levels = levels_at(rgb, where) if len(where) else np.empty((0, 3))
    lit = (levels < BURNT).all(axis=1) & (levels > 0).all(axis=1)
    if lit.sum() < MIN_PAPER:
        reason = "too little bare paper is visible, or it is burnt out"
        raise CaptureError(f"{reason}: colours cannot be corrected")
    terms, light = _terms(places[lit], sheet.page_mm), np.log(to_linear(levels[lit] / 255))
    kept = np.ones(len(terms), bool)
    for _ in range(6):
        coefficients = np.linalg.lstsq(terms[kept], light[kept], rcond=None)[0]
        errors = np.abs(terms @ coefficients - light).max(axis=1)
        # Noise is within three standard deviations; a thumb or the far side of a shadow's edge is not.
        kept = errors <= max(3 * 1.4826 * float(np.median(errors)), MIN_SPREAD)
    return lambda places_mm: np.exp(_terms(places_mm, sheet.page_mm) @ coefficients)


def _terms(places_mm: Points, page_mm: tuple[float, float]) -> Points:
    """Return the powers (N, 15) of page points, scaled so that the page spans -1 to 1."""
    u, v = (2 * places_mm / page_mm - 1).T
    return np.asarray(polyvander(u, DEGREE)[:, POWERS[0]] * polyvander(v, DEGREE)[:, POWERS[1]])


@lru_cache(maxsize=8)
def _bare_paper(sheet: Sheet) -> Points:
    """Return page points (N, 2), mm, with no print on or right beside them."""
    width, height = sheet.page_mm
    columns, rows = (np.arange(PAGE_EDGE, side - PAGE_EDGE, PAPER_STEP) for side in (width, height))
    places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    bare = np.ones(len(places), bool)
    for x, y, w, h in _printed_boxes(sheet):
        low, high = np.array((x, y)) - PAPER_CLEARANCE, np.array((x + w, y + h)) + PAPER_CLEARANCE
        bare &= ((places < low) | (places > high)).any(axis=1)
    found = places[bare]
    return found[:: max(1, len(found) // PAPER_SAMPLES)]


def _printed_boxes(sheet: Sheet) -> list[BoxMm]:
    """Return boxes that contain all ink: header, foot, patches, and every cell's frame, code and caption."""
    width, height = sheet.page_mm
    boxes = [(0.0, top, width, HEADER) for top in (MARGIN, height - MARGIN)]
    boxes += [patch.box_mm for patch in sheet.patches]
    for number in range(len(sheet.cells)):
        marks = [mark for mark in sheet.marks if mark.cell == number]
        saddles = np.array([mark.box_mm for mark in marks if mark.kind == "saddle"])
        left, top = saddles[:, :2].min(axis=0)
        right, bottom = (saddles[:, :2] + saddles[:, 2:]).max(axis=0)
        boxes.append((left, top, right - left, bottom - top))
        boxes += [(left, m.box_mm[1], right - left, m.box_mm[3]) for m in marks if m.kind == "code"]
    return boxes
