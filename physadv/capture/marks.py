"""The marks of one sheet in a photo: the codes on one piece of paper, and all marks found outward from them.

The centre of a 2×2 saddle is where two edges of both signs cross, so that blur, gamma and dot gain do not
move it. It is located to a few hundredths of a pixel.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.codes import FoundCode, read_at, refine_corners
from physadv.capture.fitting import fit_rough
from physadv.capture.geometry import Pinhole, Pixels, Points, SheetModel, is_inside, jacobians, pixels_per_mm
from physadv.sheets.codes import qr_matrix
from physadv.sheets.layout import Mark, Sheet, box_corners

DECODED_SIGMA, CODE_SIGMA, SADDLE_SIGMA = 1.2, 0.12, 0.06
FAR_SEARCH_MM, NEAR_SEARCH_MM, REACH_MM = 2.5, 1.0, 75.0
ENOUGH_SADDLES, FEW_CODES, LOOKS = 12, 4, 2
PATCH_PIXELS_PER_MM = 8
MIN_SEARCH_CORRELATION, MIN_LIKENESS, MIN_CONTRAST = 0.7, 0.8, 5.0
_REFINED = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)
EXPLAINED_MM = 8.0
CLOSE_MM, CLOSE_PER_MM = 8.0, 0.15
"""How far a code may be from its place as its neighbour predicts it, and how much more per mm between them.
The prediction from one code knows no perspective and no bend, which makes it wrong by up to 5 mm at 64 mm.
"""


@dataclass
class Evidence:
    """The marks of one sheet found so far.

    Attributes:
        decoded: maps codes to their corners (4, 2) from a decoder, good to a pixel.
        fitted: maps codes to their corners (4, 2), fitted to the modules.
        saddles: maps saddles to their centres (2,).
    """

    decoded: dict[Mark, Points] = field(default_factory=dict)
    fitted: dict[Mark, Points] = field(default_factory=dict)
    saddles: dict[Mark, Points] = field(default_factory=dict)

    def stacked(self, *, precise: bool = False) -> tuple[Points, Points, Points]:
        """Return page points (N, 2), mm, photo points (N, 2), pixels, and their standard deviations (N,).

        Corners from a decoder are left out if `precise`, and once enough saddles are known.
        """
        precise = precise or len(self.saddles) >= ENOUGH_SADDLES
        rough = {} if precise else {m: c for m, c in self.decoded.items() if m not in self.fitted}
        codes = rough | self.fitted
        page = [box_corners(mark.box_mm) for mark in codes]
        page += [np.array([mark.centre_mm]) for mark in self.saddles]
        seen = [*codes.values(), *(centre[None] for centre in self.saddles.values())]
        counts = (4 * len(rough), 4 * len(self.fitted), len(self.saddles))
        sigmas = np.repeat((DECODED_SIGMA, CODE_SIGMA, SADDLE_SIGMA), counts)
        none = np.zeros((0, 2))
        return np.concatenate([none, *page]), np.concatenate([none, *seen]), sigmas

    @property
    def mirrored(self) -> bool:
        """Return whether the corners of the first code run counter-clockwise in the photo."""
        return _area(next(iter(self.decoded.values()))) < 0

    def errors(self, model: SheetModel) -> tuple[Points, NDArray[np.int_]]:
        """Return the errors (N,) of a model at the precise points, pixels, and the cells (N,) of these."""
        page, seen, _ = self.stacked(precise=True)
        cells = [mark.cell for mark in self.fitted for _ in range(4)] + [mark.cell for mark in self.saddles]
        return np.linalg.norm(model.to_photo(page) - seen, axis=1), np.array(cells, dtype=np.int_)

    def __len__(self) -> int:
        return len(self.decoded) + len(self.saddles)


def collect_marks(gray: Pixels, sheet: Sheet, evidence: Evidence, camera: Pinhole) -> None:
    """Add all marks of a sheet that can be found in a photo to the evidence.

    A rough model of the known marks predicts those near them, and each mark found improves the model, until
    none is new. Codes are fitted to their modules only while there are few saddles, which are more precise.
    """
    if len(evidence.decoded) < FEW_CODES:
        _fit_codes(gray, evidence)
    looked: Counter[Mark] = Counter()
    while len(evidence) < len(sheet.marks):
        if look_around(gray, sheet, evidence, fit_rough(*evidence.stacked(), camera), looked):
            continue
        if len(evidence.saddles) >= ENOUGH_SADDLES or not _fit_codes(gray, evidence):
            return


def look_around(
    gray: Pixels, sheet: Sheet, evidence: Evidence, model: SheetModel, looked: Counter[Mark]
) -> int:
    """Look for missing marks near known ones, where a model predicts them; return how many were found.

    Those found are added to the evidence. No mark is looked for more than twice, which `looked` counts.
    """
    found = {*evidence.decoded, *evidence.saddles}
    known = np.array([mark.centre_mm for mark in found])
    # Of a large picture the next marks are at its other side.
    reach = max(REACH_MM, *(1.1 * side for cell in sheet.cells for side in cell.box_mm[2:]))
    missing = [mark for mark in sheet.marks if mark not in found and looked[mark] < LOOKS]
    near = [mark for mark in missing if np.linalg.norm(known - mark.centre_mm, axis=1).min() <= reach]
    looked.update(near)
    before = len(evidence)
    saddles = [mark for mark in near if mark.kind == "saddle"]
    if saddles:
        centres = np.array([mark.centre_mm for mark in saddles])
        search_mm = FAR_SEARCH_MM if len(evidence) < ENOUGH_SADDLES else NEAR_SEARCH_MM
        where, slopes = model.to_photo(centres), jacobians(model, centres)
        points, seen = find_saddles(gray, where, slopes, saddles[0].box_mm[2], search_mm)
        evidence.saddles |= {m: p for m, p, there in zip(saddles, points, seen, strict=True) if there}
    for mark in (mark for mark in near if mark.kind == "code"):
        predicted = model.to_photo(box_corners(mark.box_mm))
        code = read_at(gray, predicted) if is_inside(gray, predicted).all() else None
        if code and code.text == mark.payload:
            evidence.decoded[mark] = predicted
    return len(evidence) - before


def _fit_codes(gray: Pixels, evidence: Evidence) -> bool:
    """Fit the codes that are not yet fitted to their modules; return whether any fit succeeded."""
    before = len(evidence.fitted)
    for mark, corners in evidence.decoded.items():
        if mark not in evidence.fitted:
            refined = refine_corners(gray, corners, qr_matrix(mark.payload or ""))
            if refined is not None:
                evidence.fitted[mark] = refined
    return len(evidence.fitted) > before


def claim_copy(sheet: Sheet, codes: Sequence[FoundCode]) -> tuple[dict[Mark, Points], list[FoundCode]]:
    """Return the codes on the same piece of paper as the largest of `codes`, and all others.

    Each claimed code predicts where those near it are, by an affine map of its own corners, and a code of the
    sheet that is found there is claimed too. A second copy of the sheet has the same codes in other places.
    All of `codes` are of this sheet.
    """
    marks = sheet.codes
    rest = sorted(codes, key=lambda code: -abs(_area(code.corners)))
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


def explains(model: SheetModel, mark: Mark, corners: Points) -> bool:
    """Return whether a model has a mark where the corners (4, 2) of its code were found, to within 8 mm."""
    predicted = model.to_photo(box_corners(mark.box_mm))
    scale = np.sqrt(abs(_area(predicted))) / mark.box_mm[2]
    off = np.linalg.norm(corners.mean(axis=0) - predicted.mean(axis=0)) / scale
    return bool(off <= EXPLAINED_MM)


def _stands_right(mark: Mark, corners: Points, claimed: dict[Mark, Points]) -> bool:
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


def _area(corners: Points) -> float:
    """Return the area of a quadrilateral, negative if its corners (4, 2) run counter-clockwise."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    return float(((cx - ax) * (dy - by) - (dx - bx) * (cy - ay)) / 2)


def find_saddles(
    gray: Pixels, predicted: Points, slopes: Points, size_mm: float, search_mm: float
) -> tuple[Points, NDArray[np.bool_]]:
    """Return the places (N, 2) of saddles in a photo (H, W), uint8, and which of them (N,) were found.

    Each is refined from its predicted place (N, 2), pixels (Förstner's condition, as `cv2.cornerSubPix`
    solves it). Where this leads to no saddle, the neighbourhood is rectified by `slopes`, d pixels / d mm
    (N, 2, 2), and correlated with the mark, and the best place refined. A mark of two quadrants has a side
    of `size_mm`; the prediction is wrong by at most `search_mm` on paper.
    """
    points, found = predicted.copy(), np.zeros(len(predicted), dtype=bool)
    inside = _wholly_inside(gray, predicted, slopes, size_mm)
    todo = np.flatnonzero(inside)
    points[todo], found[todo] = _refine(gray, predicted[todo], slopes[todo], size_mm)
    for n in np.flatnonzero(inside & ~found):
        start = _search(gray, predicted[n], slopes[n], size_mm, search_mm)
        if start is not None and _wholly_inside(gray, start[None], slopes[n : n + 1], size_mm)[0]:
            place, seen = _refine(gray, start[None], slopes[n : n + 1], size_mm)
            points[n], found[n] = place[0], seen[0]
    return points, found


def _wholly_inside(gray: Pixels, centres: Points, slopes: Points, size_mm: float) -> NDArray[np.bool_]:
    reach = np.abs(slopes).sum(axis=2) * size_mm / 2 + 3
    return is_inside(gray, centres - reach) & is_inside(gray, centres + reach)


def _refine(gray: Pixels, starts: Points, slopes: Points, size_mm: float) -> tuple[Points, NDArray[np.bool_]]:
    """Return refined places (N, 2) of saddles near `starts`, and which of them (N,) look like a saddle."""
    refined = starts.copy()
    quadrants = size_mm / 2 * pixels_per_mm(slopes)
    windows = np.maximum(2, np.round(0.55 * quadrants)).astype(int)
    for window in np.unique(windows):
        of_size = np.flatnonzero(windows == window)
        moved = np.ascontiguousarray(starts[of_size, None], dtype=np.float32)
        cv2.cornerSubPix(gray, moved, (int(window), int(window)), (-1, -1), _REFINED)
        refined[of_size] = moved[:, 0]
    near = np.abs(refined - starts).max(axis=1) <= 0.5 * quadrants
    return refined, near & (_likeness(gray, refined, slopes, size_mm) >= MIN_LIKENESS)


def _likeness(gray: Pixels, centres: Points, slopes: Points, size_mm: float) -> Points:
    """Return Pearson's correlation (N,) of the photo around each place with a mark, 0 without contrast."""
    if not len(centres):
        return np.zeros(0)
    line = np.linspace(-0.45, 0.45, 14) * size_mm
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    where = (grid @ slopes.transpose(0, 2, 1) + centres[:, None]).astype(np.float32)
    seen = cv2.remap(gray, where, None, cv2.INTER_LINEAR).astype(np.float64)
    seen -= seen.mean(axis=1, keepdims=True)
    contrast = seen.std(axis=1)
    mark = -np.sign(grid[:, 0] * grid[:, 1])
    return np.where(contrast >= MIN_CONTRAST, seen @ mark / len(mark) / np.maximum(contrast, 1e-9), 0.0)


def _search(
    gray: Pixels, predicted: Points, slope: Points, size_mm: float, search_mm: float
) -> Points | None:
    """Return the place near a predicted one (2,) where the photo looks most like a mark, or None."""
    reach = round((size_mm / 2 + search_mm) * PATCH_PIXELS_PER_MM)
    side = 2 * reach + 1
    step = slope / PATCH_PIXELS_PER_MM
    affine = np.column_stack([step, predicted - step @ (reach, reach)])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(gray, affine, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if patch.std() < MIN_CONTRAST:
        return None
    # The printed mark, blurred as in a photo.
    half = round(size_mm * PATCH_PIXELS_PER_MM) // 2
    sign = np.sign(np.arange(-half, half + 1))
    mark = cv2.GaussianBlur((127.5 - 127.5 * np.outer(sign, sign)).astype(np.uint8), (0, 0), 1.5)
    scores = cv2.matchTemplate(patch, mark, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    if best < MIN_SEARCH_CORRELATION:
        return None
    offset = (np.array(scores.shape[::-1]) - 1) / 2
    place: Points = predicted + step @ (np.array([x, y]) - offset)
    return place
