"""One cell cut out of a photo onto its example's pixel grid, and whether it is the picture it should be."""

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Points, SheetModel, jacobians, pixels_per_mm
from physadv.sheets.layout import Box

SUPERSAMPLING = 2
SPACING_PX = 1.1
"""Samples are at most this far apart in the photo. Three samples a pixel where two reach that take twice the
time and change a crop by 0.3 of 255 levels, where a photo's noise of 6 levels changes it by 2 to 3.
"""
PITCH = 24
"""Samples between those at which a sheet's model is asked; straight lines between are within 0.01 px."""
THUMBNAIL, BLOCKS = 32, 4
MIN_CONTRAST = 3.0


def cut_crop(
    rgb: NDArray[np.uint8], model: SheetModel, box_mm: Box, size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a cell's picture (h, w, 3) on its example's own grid of `size_px` = (width, height).

    The grid is sampled at least twice as fine, as fine as the photo is, and averaged over each pixel, so that
    nothing aliases and noise is not amplified.
    """
    width, height = size_px
    x, y, w, h = box_mm
    density = pixels_per_mm(jacobians(model, np.array([[x + w / 2, y + h / 2]])))[0] * w / width
    fine = max(SUPERSAMPLING, int(np.ceil(density / SPACING_PX)))
    where = _places(model, box_mm, width * fine, height * fine)
    dense = cv2.remap(rgb, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    crop: NDArray[np.uint8] = cv2.resize(dense, (width, height), interpolation=cv2.INTER_AREA)
    return crop


def correlation(crop: NDArray[np.uint8], source: NDArray[np.uint8]) -> float:
    """Return how alike two RGB pictures are, 1 for the same, 0 for unrelated ones; 1 for a flat source.

    Pearson's correlation of luma over 32 × 32 averages, in each of 4 × 4 blocks by itself, so that the edge
    of a shadow or a reflection costs only the blocks it crosses. Blocks weigh by the source's contrast there.
    """
    seen, wanted = _blocks(crop), _blocks(source)
    contrast = wanted.std(axis=1)
    if contrast.max() < MIN_CONTRAST:
        return 1.0
    likeness = (seen * wanted).mean(axis=1) / np.maximum(seen.std(axis=1), 1) / np.maximum(contrast, 1)
    return float(likeness @ contrast / contrast.sum())


def _blocks(image: NDArray[np.uint8]) -> Points:
    """Return a picture's luma in 16 blocks of 64 averages, each less its mean, (16, 64)."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(luma, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float64)
    side = THUMBNAIL // BLOCKS
    blocks = small.reshape(BLOCKS, side, BLOCKS, side).transpose(0, 2, 1, 3).reshape(BLOCKS**2, side**2)
    centred: Points = blocks - blocks.mean(axis=1, keepdims=True)
    return centred


def _places(model: SheetModel, box_mm: Box, columns: int, rows: int) -> NDArray[np.float32]:
    """Return where the samples of a box are in the photo, (rows, columns, 2).

    Not by a matrix product: BLAS would wake its threads for it, and they spin where cores are busy.
    """
    x, y, w, h = box_mm
    knots = [(np.arange(-1, samples // PITCH + 2) + 0.5) * PITCH / samples for samples in (columns, rows)]
    coarse = np.stack(np.meshgrid(x + knots[0] * w, y + knots[1] * h), axis=-1)
    seen = model.to_photo(coarse.reshape(-1, 2)).astype(np.float32).reshape(coarse.shape)
    fine = cv2.resize(seen, None, fx=PITCH, fy=PITCH, interpolation=cv2.INTER_LINEAR)
    inner: NDArray[np.float32] = fine[PITCH : PITCH + rows, PITCH : PITCH + columns]
    return inner
