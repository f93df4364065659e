"""A sheet warped as its marks say, by a thin-plate spline; between marks it is anyone's guess.

Good for looking for the next mark on paper of any shape, not for placing cells: paper bends but does not
stretch, and a spline knows nothing of it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator

from physadv.capture.geometry import Points, SheetModel

STIFFNESS = 7000.0
"""Smoothing per squared sigma: what lets a decoder's corners stray by their pixel on paper bent by 10 mm."""


@dataclass(frozen=True)
class WarpedPage:
    """A sheet model plus a spline (Bookstein 1989) through what the model leaves of its marks, pixels."""

    base: SheetModel
    spline: RBFInterpolator

    def to_photo(self, points_mm: Points) -> Points:
        """Return the pixels (N, 2) at which page points (N, 2) in mm are seen."""
        warped: Points = self.base.to_photo(points_mm) + self.spline(points_mm)
        return warped


def fit_thin_plate(points_mm: Points, pixels: Points, sigmas: Points, base: SheetModel) -> WarpedPage:
    """Return a model warped to go through marks (N, 2), nearer to those trusted more."""
    left = pixels - base.to_photo(points_mm)
    smoothing = STIFFNESS * np.square(sigmas)
    return WarpedPage(base, RBFInterpolator(points_mm, left, smoothing=smoothing, kernel="thin_plate_spline"))
