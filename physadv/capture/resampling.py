"""One cell, resampled from a photo onto its example's pixel grid, and its likeness to the example."""

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Pixels, Points, SheetModel, jacobians, pixels_per_mm
from physadv.sheets.layout import BoxMm, box_centre

SUPERSAMPLING = 2
SPACING_PX = 1.1
"""Largest distance between samples in the photo. Three samples per pixel where two are enough take twice the
time and change a crop by 0.3 of 255 levels; a photo's noise of 6 levels changes it by 2 to 3.
"""
PITCH = 24
"""Samples per point at which a sheet's model is evaluated; interpolation between these errs by 0.01 px."""
THUMBNAIL, BLOCKS = 32, 4
MIN_CONTRAST = 3.0


def cut_crop(rgb: Pixels, model: SheetModel, box_mm: BoxMm, size_px: tuple[int, int]) -> Pixels:
    """Return the picture of a cell (h, w, 3), uint8, on its example's grid of `size_px` = (width, height).

    Samples at least twice as fine as the grid, and as fine as the photo, are averaged over each pixel, so
    that nothing aliases and noise is not amplified.
    """
    width, height = size_px
    slopes = jacobians(model, np.array([box_centre(box_mm)]))
    density = pixels_per_mm(slopes)[0] * box_mm[2] / width
    fine = max(SUPERSAMPLING, int(np.ceil(density / SPACING_PX)))
    where = _places(model, box_mm, width * fine, height * fine)
    dense = cv2.remap(rgb, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    crop: Pixels = cv2.resize(dense, (width, height), interpolation=cv2.INTER_AREA)
    return crop


def correlation(crop: Pixels, source: Pixels) -> float:
    """Return the likeness of two RGB pictures: 1 for equal ones, 0 for unrelated ones, 1 for a flat source.

    It is Pearson's correlation of luma over 32 × 32 averages, computed in each of 4 × 4 blocks, so that the
    edge of a shadow or a reflection affects only the blocks that it crosses. Blocks are weighted by their
    contrast in the source.
    """
    seen, wanted = _blocks(crop), _blocks(source)
    contrast = wanted.std(axis=1)
    if contrast.max() < MIN_CONTRAST:
        return 1.0
    likeness = (seen * wanted).mean(axis=1) / np.maximum(seen.std(axis=1), 1) / np.maximum(contrast, 1)
    return float(likeness @ contrast / contrast.sum())


def _blocks(image: Pixels) -> Points:
    """Return the luma of a picture in 16 blocks of 64 averages (16, 64), each minus its mean."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(luma, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float64)
    side = THUMBNAIL // BLOCKS
    blocks = small.reshape(BLOCKS, side, BLOCKS, side).transpose(0, 2, 1, 3).reshape(BLOCKS**2, side**2)
    centred: Points = blocks - blocks.mean(axis=1, keepdims=True)
    return centred


def _places(model: SheetModel, box_mm: BoxMm, columns: int, rows: int) -> NDArray[np.float32]:
    """Return the photo points (rows, columns, 2) of the samples of a box.

    A matrix product would be simpler, but the threads that BLAS starts for it spin while cores are busy.
    """
    x, y, w, h = box_mm
    knots = [(np.arange(-1, samples // PITCH + 2) + 0.5) * PITCH / samples for samples in (columns, rows)]
    coarse = np.stack(np.meshgrid(x + knots[0] * w, y + knots[1] * h), axis=-1)
    seen = model.to_photo(coarse.reshape(-1, 2)).astype(np.float32).reshape(coarse.shape)
    fine = cv2.resize(seen, None, fx=PITCH, fy=PITCH, interpolation=cv2.INTER_LINEAR)
    inner: NDArray[np.float32] = fine[PITCH : PITCH + rows, PITCH : PITCH + columns]
    return inner
