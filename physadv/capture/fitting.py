"""From marks to the model of a sheet: a flat page if that explains them, or else a curled one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from physadv.capture.bent_page import ALL_TERMS, FEW_TERMS, fit_bent
from physadv.capture.flat_page import fit_flat
from physadv.capture.geometry import Pinhole, Points, SheetModel

Fit = Callable[[Points, Points, Points, Pinhole], SheetModel]

MARKS_FOR_BEND = 16
ROUGH_SIGMA = 0.5
FLAT_ENOUGH_PX, CURVED_ENOUGH_PX = 0.06, 0.03
"""RMS residuals above which a model with more parameters is tried: a curled sheet, then one with waves.

Marks in a sharp photo have errors of 0.02 px. A bow of 0.5 mm leaves residuals of 0.1 px to a flat sheet and
moves its cells as far.
"""
GAIN = 0.8
"""The share of the residual that it may leave. Any further parameters reduce it by a few per cent."""
TRIMMED = 0.9


def fit_sheet(points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole) -> SheetModel:
    """Return the model that places a sheet's cells best.

    Args:
        points_mm: page points (N, 2) of the marks, N ≥ 4, not all on a line.
        pixels: photo points (N, 2) of the marks.
        sigmas: standard deviations (N,) of the photo points, pixels.
        camera: the camera that took the photo.
    """
    flat = fit_flat(points_mm, pixels, sigmas, camera)
    precise = sigmas < ROUGH_SIGMA
    if precise.sum() < MARKS_FOR_BEND:
        return flat
    marks = points_mm[precise], pixels[precise]
    best: SheetModel = flat
    left = _trimmed_rms(flat, *marks)
    for enough, terms in ((FLAT_ENOUGH_PX, FEW_TERMS), (CURVED_ENOUGH_PX, ALL_TERMS)):
        if left <= enough:
            break
        bent = fit_bent(points_mm, pixels, sigmas, camera, flat, terms)
        still_left = _trimmed_rms(bent, *marks)
        if still_left < GAIN * left:
            best, left = bent, still_left
    return best


def _trimmed_rms(model: SheetModel, points_mm: Points, pixels: Points) -> float:
    """Return the RMS error of the nine tenths of the marks that fit best."""
    squares = np.sort(np.square(model.to_photo(points_mm) - pixels).sum(axis=1))
    return float(np.sqrt(squares[: int(np.ceil(TRIMMED * len(squares)))].mean()))


STIFFNESS = 7000.0
"""Smoothing per squared sigma: lets a decoder's corners stray by a pixel on paper that is bent by 10 mm."""


@dataclass(frozen=True)
class WarpedPage:
    """A sheet model with a thin-plate spline (Bookstein 1989) through its residuals at the marks.

    It helps to find further marks on paper of any shape. It is no good for placing cells: paper bends but
    does not stretch, which a spline does not know.

    Attributes:
        base: the model that is warped.
        spline: maps page points (N, 2), mm, to offsets (N, 2), pixels.
    """

    base: SheetModel
    spline: Callable[[Points], Points]

    def to_photo(self, points_mm: Points) -> Points:
        """Return the photo points (N, 2), pixels, of page points (N, 2), mm."""
        return self.base.to_photo(points_mm) + self.spline(points_mm)


def fit_thin_plate(points_mm: Points, pixels: Points, sigmas: Points, base: SheetModel) -> WarpedPage:
    """Return a model warped towards marks at pixels (N, 2), closer to those with a small sigma (N,)."""
    from scipy.interpolate import RBFInterpolator

    residuals = pixels - base.to_photo(points_mm)
    smoothing = STIFFNESS * np.square(sigmas)
    return WarpedPage(
        base, RBFInterpolator(points_mm, residuals, smoothing=smoothing, kernel="thin_plate_spline")
    )
