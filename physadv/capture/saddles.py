"""2×2 saddle marks: found near where they must be, then placed to a few hundredths of a pixel.

A saddle's centre is the crossing of two edges of both signs; blur, gamma and dot gain move it nowhere.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Points, SheetModel

PATCH_PIXELS_PER_MM = 8
MIN_CORRELATION = 0.7


def find_saddle(
    gray: NDArray[np.uint8], model: SheetModel, centre_mm: Points, size_mm: float, search_mm: float
) -> Points | None:
    """Return where a saddle is in the photo (2,), or None where it is not to be seen.

    The neighbourhood is rectified with the sheet's own model, correlated with the mark, and the best place
    refined on the photo itself (Förstner's condition, as `cv2.cornerSubPix` solves it).

    Args:
        gray: (H, W) uint8.
        model: predicts where the mark is.
        centre_mm: (2,) the saddle's place on the page.
        size_mm: side of the whole mark, two quadrants.
        search_mm: how far the prediction may be off.
    """
    jacobian = model.jacobian(centre_mm)
    predicted = model.to_photo(centre_mm[None])[0]
    reach = round((size_mm / 2 + search_mm) * PATCH_PIXELS_PER_MM)
    side = 2 * reach + 1
    step = jacobian / PATCH_PIXELS_PER_MM
    affine = np.column_stack([step, predicted - step @ (reach, reach)])
    height, width = gray.shape
    corners = np.array([(0, 0), (side, 0), (side, side), (0, side)]) @ step.T + affine[:, 2]
    if (corners < 0).any() or (corners > (width - 1, height - 1)).any():
        return None
    patch = cv2.warpAffine(gray, affine, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    if np.ptp(patch) < 24:
        return None
    scores = cv2.matchTemplate(patch, _mark(round(size_mm * PATCH_PIXELS_PER_MM)), cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    if best < MIN_CORRELATION:
        return None
    offset = (np.array(scores.shape[::-1]) - 1) / 2
    start = predicted + step @ (np.array([x, y]) - offset)
    quadrant = size_mm / 2 * np.sqrt(abs(np.linalg.det(jacobian)))
    window = max(2, round(0.55 * quadrant))
    if (start < window + 2).any() or (start > np.array([width, height]) - window - 3).any():
        return None
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)
    point = start.astype(np.float32).reshape(1, 1, 2)
    refined: Points = (
        cv2.cornerSubPix(gray, point, (window, window), (-1, -1), stop).reshape(2).astype(np.float64)
    )
    if np.abs(refined - start).max() > 0.5 * quadrant:
        return None
    return refined


def _mark(side: int) -> NDArray[np.uint8]:
    """Return the printed mark at patch resolution, softened as a photo softens it."""
    half = side // 2
    sign = np.sign(np.arange(-half, half + 1))
    mark = (127.5 - 127.5 * np.outer(sign, sign)).astype(np.uint8)
    softened: NDArray[np.uint8] = cv2.GaussianBlur(mark, (0, 0), 1.5)
    return softened
