"""From marks to the model of a sheet: flat while that explains them, curled where residuals ask for it."""

from collections.abc import Callable

import numpy as np

from physadv.capture.bent_page import fit_bent
from physadv.capture.flat_page import fit_flat
from physadv.capture.geometry import Camera, Points, SheetModel

Fit = Callable[[Points, Points, Points, Camera], SheetModel]

MARKS_FOR_BEND = 16
ROUGH_SIGMA = 0.5
FLAT_ENOUGH_PX = 0.15
"""Flat sheets under any lens leave 0.01 to 0.11 px of their marks, sheets with a bow of 5 mm more than 1."""
BEND_GAIN = 0.8
"""A curled model must leave this much less than a flat one: its further parameters alone save 3 %."""
CURVES = (4, 7)
"""Coefficients of a curled page's slope: those of an arc, more of it at one end, an S; then waves too."""
TRIMMED = 0.9


def fit_sheet(points_mm: Points, pixels: Points, sigmas: Points, camera: Camera) -> SheetModel:
    """Return the model that places a sheet's cells best.

    Args:
        points_mm: (N, 2) page positions of marks, N ≥ 4, not all on a line.
        pixels: (N, 2) where they were found.
        sigmas: (N,) how far each is trusted, pixels.
        camera: that took the photo.
    """
    flat = fit_flat(points_mm, pixels, sigmas, camera)
    precise = sigmas < ROUGH_SIGMA
    if precise.sum() < MARKS_FOR_BEND:
        return flat
    marks = points_mm[precise], pixels[precise]
    left = _trimmed_rms(flat, *marks)
    if left <= FLAT_ENOUGH_PX:
        return flat
    best: SheetModel = flat
    for terms in CURVES:
        bent = fit_bent(points_mm, pixels, sigmas, camera, flat, terms)
        still_left = _trimmed_rms(bent, *marks)
        if still_left < BEND_GAIN * left:
            best, left = bent, still_left
        if left <= FLAT_ENOUGH_PX:
            break
    return best


def _trimmed_rms(model: SheetModel, points_mm: Points, pixels: Points) -> float:
    """Return the root mean square error of the nine tenths of the marks that fit best."""
    squares = np.sort(np.square(model.to_photo(points_mm) - pixels).sum(axis=1))
    return float(np.sqrt(squares[: int(np.ceil(TRIMMED * len(squares)))].mean()))
