"""One sheet in one photo: a plane seen by a pinhole with radial distortion, fitted to every mark at once.

A homography and Brown's k1 and k2 (Brown 1971), by least squares over all code corners and saddles with a
soft-L1 loss. Robust subset estimators are not used: on refined marks they drop good points to save a wrong
model.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Points = NDArray[np.float64]

POINTS_FOR_K1 = 12
POINTS_FOR_K2 = 24


@dataclass(frozen=True)
class SheetModel:
    """Maps page millimetres to photo pixels (pixel centres, as OpenCV).

    Attributes:
        homography: (3, 3), page mm → ideal points in units of `scale` from the photo's centre.
        k1: radial distortion per squared unit; likewise `k2` per fourth power.
        centre: the photo's middle, pixels.
        scale: pixels per unit.
    """

    homography: Points
    k1: float
    k2: float
    centre: Points
    scale: float

    def to_photo(self, points_mm: Points) -> Points:
        """Return the pixels (N, 2) at which page points (N, 2) in mm are seen."""
        homogeneous = points_mm @ self.homography[:, :2].T + self.homography[:, 2]
        ideal = homogeneous[:, :2] / homogeneous[:, 2:]
        square = (ideal**2).sum(axis=1, keepdims=True)
        distorted: Points = ideal * (1 + self.k1 * square + self.k2 * square**2)
        return distorted * self.scale + self.centre

    def jacobian(self, point_mm: Points) -> Points:
        """Return d pixels / d mm, (2, 2), at a page point (2,)."""
        step = 0.05
        moved = np.array([(step, 0), (-step, 0), (0, step), (0, -step)]) + point_mm
        right, left, down, up = self.to_photo(moved)
        return np.stack([(right - left), (down - up)], axis=1) / (2 * step)

    def pixels_per_mm(self, point_mm: Points) -> float:
        """Return the photo's resolution at a page point (2,): the geometric mean over directions."""
        return float(np.sqrt(abs(np.linalg.det(self.jacobian(point_mm)))))


def fit_sheet(points_mm: Points, pixels: Points, sigmas: Points, photo_size: tuple[int, int]) -> SheetModel:
    """Fit a sheet to marks; the lens is fitted too where there are marks enough to tell it.

    Args:
        points_mm: (N, 2) page positions, N ≥ 4.
        pixels: (N, 2) where they were found.
        sigmas: (N,) how far each is trusted, pixels.
        photo_size: width and height of the photo, pixels.
    """
    centre = (np.array(photo_size, dtype=np.float64) - 1) / 2
    scale = float(max(photo_size)) * 0.75
    units = (pixels - centre) / scale
    middle = points_mm.mean(axis=0)
    spread = float(np.abs(points_mm - middle).max())
    # Page points are centred and scaled, so that all eight entries are of one size.
    to_unit = np.array(
        [[1 / spread, 0, -middle[0] / spread], [0, 1 / spread, -middle[1] / spread], [0, 0, 1]]
    )
    page = (points_mm - middle) / spread
    start, _ = cv2.findHomography(page, units, 0)
    lens = (len(page) >= POINTS_FOR_K1) + (len(page) >= POINTS_FOR_K2)

    def model(parameters: Points) -> SheetModel:
        matrix = np.append(parameters[:8], 1.0).reshape(3, 3)
        k1, k2 = np.pad(parameters[8:], (0, 2))[:2]
        return SheetModel(matrix, float(k1), float(k2), centre, scale)

    def residuals(parameters: Points) -> Points:
        errors = model(parameters).to_photo(page) - pixels
        flat: Points = (errors / sigmas[:, None]).ravel()
        return flat

    initial = np.concatenate([start.ravel()[:8] / start[2, 2], np.zeros(lens)])
    if len(page) == 4:
        best = model(initial)
    else:
        best = model(least_squares(residuals, initial, loss="soft_l1", f_scale=3.0, x_scale="jac").x)
    return SheetModel(best.homography @ to_unit, best.k1, best.k2, centre, scale)
