"""One cell cut out of a photo onto its example's pixel grid, and whether it is the picture it should be."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import SheetModel, jacobians, pixels_per_mm
from physadv.sheets.layout import Box

SUPERSAMPLING = 2
SPACING_PX = 1.1
"""Samples are at most this far apart in the photo. Three samples a pixel where two reach that take twice the
time and change a crop by 0.3 of 255 levels, where a photo's noise of 6 levels changes it by 2 to 3.
"""
KNOTS = 9
THUMBNAIL = 32


def cut_crop(
    rgb: NDArray[np.uint8], model: SheetModel, box_mm: Box, size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a cell's picture (h, w, 3) on its example's own grid of `size_px` = (width, height).

    The grid is sampled at least twice as fine, as fine as the photo is, and averaged over each pixel, so that
    nothing aliases and noise is not amplified. The sheet's model is asked at a few Chebyshev points
    and continued by polynomials: a cell is small and paper and lens are smooth.
    """
    width, height = size_px
    x, y, w, h = box_mm
    density = pixels_per_mm(jacobians(model, np.array([[x + w / 2, y + h / 2]])))[0] * w / width
    fine = max(SUPERSAMPLING, int(np.ceil(density / SPACING_PX)))
    nodes = (1 - np.cos(np.pi * np.arange(KNOTS) / (KNOTS - 1))) / 2
    places = np.stack(np.meshgrid(x + nodes * w, y + nodes * h), axis=-1).reshape(-1, 2)
    coarse = model.to_photo(places).astype(np.float32).reshape(KNOTS, KNOTS, 2)
    rows, columns = _polynomials(height * fine), _polynomials(width * fine)
    across, down = (rows @ coarse[:, :, axis] @ columns.T for axis in range(2))
    dense = cv2.remap(rgb, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    crop: NDArray[np.uint8] = cv2.resize(dense, (width, height), interpolation=cv2.INTER_AREA)
    return crop


def correlation(crop: NDArray[np.uint8], source: NDArray[np.uint8]) -> float:
    """Return Pearson's correlation of two RGB pictures' luma over 32 × 32 averages; 1 for a flat source."""
    luma = [
        cv2.resize(
            cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA
        )
        for image in (crop, source)
    ]
    (_, seen), (_, wanted) = (cv2.meanStdDev(image) for image in luma)
    if wanted[0, 0] < 3:
        return 1.0
    if seen[0, 0] == 0:
        return 0.0
    return float(cv2.matchTemplate(luma[0], luma[1], cv2.TM_CCOEFF_NORMED)[0, 0])


@lru_cache(maxsize=64)
def _polynomials(samples: int) -> NDArray[np.float32]:
    """Return what each sample's middle takes of each Chebyshev point on [0, 1], (samples, KNOTS).

    The barycentric formula (Berrut and Trefethen 2004).
    """
    nodes = (1 - np.cos(np.pi * np.arange(KNOTS) / (KNOTS - 1))) / 2
    signs = np.where(np.arange(KNOTS) % 2, -1.0, 1.0)
    signs[[0, -1]] /= 2
    distance = ((np.arange(samples) + 0.5) / samples)[:, None] - nodes
    on_node = np.abs(distance) < 1e-12
    terms = np.where(on_node.any(axis=1, keepdims=True), on_node, signs / np.where(on_node, 1, distance))
    weights: NDArray[np.float32] = (terms / terms.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights
