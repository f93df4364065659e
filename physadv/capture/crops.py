"""One cell cut out of a photo onto its example's pixel grid, and how good the photo was there."""

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Points, SheetModel
from physadv.sheets.layout import Box

SUPERSAMPLING = 3
THUMBNAIL = 32


def cut_crop(
    rgb: NDArray[np.uint8], model: SheetModel, box_mm: Box, size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a cell's picture (h, w, 3) on its example's own grid of `size_px` = (width, height).

    The grid is sampled three times finer (more where the photo is finer still) and averaged over each pixel,
    so that nothing aliases and noise is not amplified.
    """
    width, height = size_px
    x, y, w, h = box_mm
    density = model.pixels_per_mm(np.array([x + w / 2, y + h / 2])) * w / width
    fine = max(SUPERSAMPLING, int(np.ceil(density)))
    columns = x + (np.arange(width * fine) + 0.5) / (width * fine) * w
    rows = y + (np.arange(height * fine) + 0.5) / (height * fine) * h
    places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    where = model.to_photo(places).astype(np.float32).reshape(height * fine, width * fine, 2)
    dense = cv2.remap(rgb, where, None, cv2.INTER_LINEAR)
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
    if np.std(luma[1]) < 3:
        return 1.0
    if np.std(luma[0]) == 0:
        return 0.0
    return float(np.corrcoef(luma[0].ravel(), luma[1].ravel())[0, 1])


def clipped_share(crop: NDArray[np.uint8]) -> float:
    """Return the share of pixels with a channel burnt out (255) or with all channels black (0)."""
    return float(((crop == 255).any(axis=2) | (crop == 0).all(axis=2)).mean())


def edge_sigma(gray: NDArray[np.uint8], model: SheetModel, centre_mm: Points, size_mm: float) -> float | None:
    """Return the gaussian sigma, photo pixels, that blurs a saddle mark's edges; None where unreadable.

    Four edge profiles are read across the mark's arms in linear light; sigma is the distance between their
    10 % and 90 % levels over 2.563, which is exact for a gaussian.
    """
    half = size_mm / 2
    along = np.linspace(-0.8 * half, 0.8 * half, 161)
    arm = np.full_like(along, 0.5 * half)
    profiles = (
        np.stack([along, -arm], axis=1),
        np.stack([-along, arm], axis=1),
        np.stack([-arm, along], axis=1),
        np.stack([arm, -along], axis=1),
    )
    scale = model.pixels_per_mm(centre_mm)
    where = np.stack([model.to_photo(profile + centre_mm) for profile in profiles]).astype(np.float32)
    levels = cv2.remap(gray, where, None, cv2.INTER_LINEAR).astype(np.float64) / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).mean(axis=0)
    dark, bright = light[:20].mean(), light[-20:].mean()
    if bright - dark < 0.02:
        return None
    rise = np.maximum.accumulate((light - dark) / (bright - dark))
    low, high = np.interp([0.1, 0.9], rise, along)
    return float((high - low) / 2.563 * scale)


def paper_level(gray: NDArray[np.uint8], model: SheetModel, box_mm: Box) -> float:
    """Return the median 8-bit level of the bare paper just outside a picture."""
    x, y, w, h = box_mm
    t = np.linspace(0.1, 0.9, 15)
    ring = 0.6
    places = np.concatenate(
        [
            np.stack([x + t * w, np.full_like(t, y - ring)], axis=1),
            np.stack([x + t * w, np.full_like(t, y + h + ring)], axis=1),
            np.stack([np.full_like(t, x - ring), y + t * h], axis=1),
            np.stack([np.full_like(t, x + w + ring), y + t * h], axis=1),
        ]
    )
    where = model.to_photo(places).astype(np.float32)[None]
    return float(np.median(cv2.remap(gray, where, None, cv2.INTER_LINEAR)))
