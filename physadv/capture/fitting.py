"""From marks to the model of a sheet: flat while that explains them, curled where residuals ask for it."""

from collections.abc import Callable

import numpy as np

from physadv.capture.bent_page import ALL_TERMS, FEW_TERMS, fit_bent
from physadv.capture.flat_page import fit_flat
from physadv.capture.geometry import Camera, Points, SheetModel

Fit = Callable[[Points, Points, Points, Camera], SheetModel]

MARKS_FOR_BEND = 16
ROUGH_SIGMA = 0.5
FLAT_ENOUGH_PX, CURVED_ENOUGH_PX = 0.06, 0.03
"""What a model may leave of the marks before one with more parameters is tried.

Marks in a sharp photo stray by 0.02 px. A bow of 0.5 mm leaves a flat sheet 0.1 px of them and moves its
cells as far.
"""
GAIN = 0.8
"""That one must leave this much less: further parameters save a few per cent by themselves."""
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
    """Return the root mean square error of the nine tenths of the marks that fit best."""
    squares = np.sort(np.square(model.to_photo(points_mm) - pixels).sum(axis=1))
    return float(np.sqrt(squares[: int(np.ceil(TRIMMED * len(squares)))].mean()))
