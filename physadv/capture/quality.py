"""The quality of a photo at each cell: blur, clipping and the level of the paper."""

from collections.abc import Sequence

import cv2
import numpy as np

from physadv.capture.geometry import Pixels, Points, SheetModel, pixels_per_mm
from physadv.capture.light import to_linear
from physadv.sheets.layout import BoxMm

EDGE_SAMPLES = 81
EDGE_END = 10
MIN_EDGE_LIGHT = 0.02
RING_MM = 0.6
_LIGHT = to_linear(np.arange(256) / 255)


def edge_sigmas(gray: Pixels, centres: Points, slopes: Points, size_mm: float) -> Points:
    """Return the standard deviation (N,) of the blur at saddle marks, photo pixels; nan without contrast.

    Four edge profiles are sampled across the arms of each mark, in linear light. The standard deviation is
    the distance between their 10 % and 90 % levels over 2.563, which is exact for a Gaussian.

    Args:
        gray: the photo (H, W), uint8.
        centres: centres (N, 2) of the marks, pixels.
        slopes: derivatives d pixels / d mm (N, 2, 2) at the marks.
        size_mm: side of a whole mark, that is of two quadrants.
    """
    if not len(centres):
        return np.zeros(0)
    half = size_mm / 2
    along = np.linspace(-0.8 * half, 0.8 * half, EDGE_SAMPLES)
    arm = np.full_like(along, 0.5 * half)
    profiles = np.concatenate(
        [
            np.stack([along, -arm], axis=1),
            np.stack([-along, arm], axis=1),
            np.stack([-arm, along], axis=1),
            np.stack([arm, -along], axis=1),
        ]
    )
    where = (profiles @ slopes.transpose(0, 2, 1) + centres[:, None]).astype(np.float32)
    levels = cv2.remap(gray, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = _LIGHT[levels].reshape(len(centres), 4, EDGE_SAMPLES).mean(axis=1)
    dark = light[:, :EDGE_END].mean(axis=1, keepdims=True)
    span = light[:, -EDGE_END:].mean(axis=1, keepdims=True) - dark
    rises = np.maximum.accumulate((light - dark) / np.maximum(span, MIN_EDGE_LIGHT), axis=1)
    widths = np.array([np.diff(np.interp([0.1, 0.9], rise, along))[0] for rise in rises])
    sigmas: Points = widths / 2.563 * pixels_per_mm(slopes)
    sigmas[span[:, 0] < MIN_EDGE_LIGHT] = np.nan
    return sigmas


def clipped_share(crop: Pixels) -> float:
    """Return the share of pixels of a crop with any channel burnt out (255) or all channels black (0)."""
    unburnt = cv2.countNonZero(cv2.inRange(crop, (0, 0, 0), (254, 254, 254)))
    black = cv2.countNonZero(cv2.inRange(crop, (0, 0, 0), (0, 0, 0)))
    total = crop.shape[0] * crop.shape[1]
    return float((total - unburnt + black) / total)


def paper_levels(gray: Pixels, model: SheetModel, boxes_mm: Sequence[BoxMm]) -> Points:
    """Return the median 8-bit level (N,) of the bare paper just outside of each picture."""
    t = np.linspace(0.1, 0.9, 15)
    low, high = np.zeros_like(t), np.ones_like(t)
    sides = np.concatenate([np.stack(side, axis=1) for side in ((t, low), (t, high), (low, t), (high, t))])
    outward = np.where(np.isin(sides, (0.0, 1.0)), np.sign(sides - 0.5), 0.0) * RING_MM
    boxes = np.array(boxes_mm)
    places = boxes[:, None, :2] + sides * boxes[:, None, 2:] + outward
    where = model.to_photo(places.reshape(-1, 2)).reshape(len(boxes), -1, 2).astype(np.float32)
    levels = cv2.remap(gray, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    medians: Points = np.median(levels, axis=1)
    return medians
