"""2×2 saddle marks: found near their predicted places and located to a few hundredths of a pixel.

The centre of a saddle is where two edges of both signs cross, so that blur, gamma and dot gain do not move
it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Pixels, Points, is_inside, pixels_per_mm

PATCH_PIXELS_PER_MM = 8
MIN_SEARCH_CORRELATION = 0.7
MIN_LIKENESS = 0.8
MIN_CONTRAST = 5.0
_REFINED = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)


def find_saddles(
    gray: Pixels, predicted: Points, slopes: Points, size_mm: float, search_mm: float
) -> tuple[Points, NDArray[np.bool_]]:
    """Return the places (N, 2) of saddles in a photo, and which of them (N,) were found.

    Each is refined from its predicted place (Förstner's condition, as `cv2.cornerSubPix` solves it). Where
    this leads to no saddle, the neighbourhood is rectified and correlated with the mark, and the best place
    refined.

    Args:
        gray: the photo (H, W), uint8.
        predicted: predicted centres (N, 2) of the marks, pixels.
        slopes: derivatives d pixels / d mm (N, 2, 2) at the marks.
        size_mm: side of a whole mark, that is of two quadrants.
        search_mm: largest error of the prediction, mm on paper.
    """
    points = predicted.copy()
    found = np.zeros(len(points), dtype=bool)
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
    patch = cv2.warpAffine(
        gray,
        affine,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if patch.std() < MIN_CONTRAST:
        return None
    scores = cv2.matchTemplate(patch, _mark(round(size_mm * PATCH_PIXELS_PER_MM)), cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    if best < MIN_SEARCH_CORRELATION:
        return None
    offset = (np.array(scores.shape[::-1]) - 1) / 2
    place: Points = predicted + step @ (np.array([x, y]) - offset)
    return place


def _mark(side: int) -> Pixels:
    """Return the printed mark at the resolution of a patch, blurred as in a photo."""
    half = side // 2
    sign = np.sign(np.arange(-half, half + 1))
    mark = (127.5 - 127.5 * np.outer(sign, sign)).astype(np.uint8)
    softened: Pixels = cv2.GaussianBlur(mark, (0, 0), 1.5)
    return softened
