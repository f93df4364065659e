"""Damage that no JPEG decoder notices: colours that shift along the file's own grid, from one block on.

JPEG codes the mean of a block as its difference from the block before (ITU-T T.81, F.1.2.1.1). Where a
decoder falls into step again after a damaged byte, luma or chroma of all that follows is off by a constant.
The upper edge of that is one row of minimum coded units (MCUs) long: to the right of the damage along the
top of its row of MCUs, to the left of it along the top of the next.
"""

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

# Across a photo, each the mean of at least so many columns; and how many of a row must be known.
SAMPLES, LEAST_COLUMNS, LEAST_KNOWN = 128, 16, 16
# Means this near to black or white, in 8-bit levels, are of clipped pixels: what shifts there is not known.
CLIPPED = 1.5
# 8-bit levels between the rows next to an edge, of luma and of chroma, which is blurred over the edge.
LEAST_JUMP = (4.0, 2.0, 2.0)
# Of a row's known samples, and of either part of it where it turns into the next row.
JUMPING, JUMPING_IN_BOTH = 0.9, 0.8
# A shift over its spread, and the spread of what is seen along the edge over that of its jumps.
EVEN, CONTINUED = 1.5, 3.0
# JFIF's luma and chroma from RGB.
YCBCR = np.array([(0.299, 0.587, 0.114), (-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813)], np.float32)

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]
Known = NDArray[np.bool_]


def shifted_from(rgb: Pixels, mcu_rows: int) -> int | None:
    """Return the row of pixels from which on a decoded JPEG's colours are shifted, to within a row of MCUs.

    None where they are not. An edge of something seen that lies right on the grid is no shift: what is above
    it does not go on below. Not found are shifts that begin in the first few blocks, which leave no edge,
    those that make nearly all black or white, and those of a few levels where much is to be seen.

    Args:
        rgb: (H, W, 3) uint8, as decoded: not turned, not yet converted from other primaries.
        mcu_rows: pixels from one row of MCUs to the next.
    """
    height, width = rgb.shape[:2]
    columns = max(width // SAMPLES, LEAST_COLUMNS)
    samples, edges = width // columns, (height - 2) // mcu_rows
    if samples < LEAST_KNOWN or edges < 1:
        return None
    along = partial(_along_edges, rgb, mcu_rows, (samples, edges), columns)
    (last, known), (first, also) = along(-1), along(0)
    known &= also
    starts = _candidates(first - last, known, samples)
    if not starts:
        return None
    (above, also), (below, too) = along(-2), along(1)
    known &= also & too
    wide = below - above
    jumps = wide.copy()
    # Luma is carried on to the edge from both sides; chroma is blurred over it.
    jumps[0] = 1.5 * (first - last)[0] - 0.5 * wide[0]
    for start, channel in starts:
        there = np.arange(start, start + samples)[known[start : start + samples]]
        in_first_row = there // samples == start // samples
        jump, wide_jump, luma_jump = jumps[channel, there], wide[channel, there], jumps[0, there]
        if _is_even(jump, wide_jump) and (
            _is_in_both_rows(jump, in_first_row) or _carries_on(last[0, there], luma_jump)
        ):
            return int(mcu_rows * (start // samples))
    return None


def _along_edges(
    rgb: Pixels, mcu_rows: int, size: tuple[int, int], columns: int, offset: int
) -> tuple[Samples, Known]:
    """Return YCbCr (3, N) of the pixels so many rows below the upper edge of every row of MCUs.

    In raster order; beside it what of it is known: nothing of the first edge, which is the photo's own.
    """
    rows = rgb[mcu_rows + offset :: mcu_rows, : size[0] * columns][: size[1]]
    means = cv2.resize(rows, size, interpolation=cv2.INTER_AREA)
    means = cv2.copyMakeBorder(means, 1, 0, 0, 0, cv2.BORDER_CONSTANT)
    planes = np.stack(cv2.split(means)).reshape(3, -1)
    known = (planes.min(axis=0) >= CLIPPED) & (planes.max(axis=0) <= 255 - CLIPPED)
    return YCBCR @ planes.astype(np.float32), known


def _candidates(jumps: Samples, known: Known, samples: int) -> list[tuple[int, int]]:
    """Return start and channel of the stretches, one row long, of which nearly all jumps in one direction.

    Of those that start in one row only the one that does so most, in the midst of those that do so equally.
    """
    found = []
    counts = _sliding_sum(known, samples)
    for channel, (jump, least) in enumerate(zip(jumps, LEAST_JUMP, strict=True)):
        for jumping in (jump > least, jump < -least):
            hits = _sliding_sum(jumping & known, samples)
            starts = np.flatnonzero((counts >= LEAST_KNOWN) & (hits >= JUMPING * counts))
            for row in np.unique(starts // samples):
                within = starts[starts // samples == row]
                share = hits[within] / counts[within]
                best = within[share == share.max()]
                found.append((int(best[len(best) // 2]), channel))
    return sorted(found)


def _sliding_sum(counted: Known, length: int) -> NDArray[np.int32]:
    sums = np.zeros(len(counted) + 1, np.int32)
    np.cumsum(counted, out=sums[1:])
    return sums[length:] - sums[:-length]


def _is_even(jump: Samples, wide_jump: Samples) -> bool:
    """Return whether all samples jump alike, and to stay: no thin line, no blurred edge beside the grid."""
    if len(jump) < LEAST_KNOWN:
        return False
    shift = np.median(jump)
    stays = abs(np.median(wide_jump) - shift) < abs(shift) / 3
    return bool(stays and abs(shift) > EVEN * (_spread(jump) + 1))


def _is_in_both_rows(jump: Samples, in_first_row: Known) -> bool:
    """Return whether the jump turns from one row of MCUs into the next, as no edge of anything seen does."""
    shift = np.median(jump)
    near = abs(jump - shift) < abs(shift) / 2
    parts = (near[in_first_row], near[~in_first_row])
    return all(len(part) >= LEAST_KNOWN // 2 and part.mean() >= JUMPING_IN_BOTH for part in parts)


def _carries_on(luma: Samples, luma_jump: Samples) -> bool:
    """Return whether what is seen above the edge goes on below it, only lighter or darker."""
    return _spread(luma) > CONTINUED * _spread(luma_jump)


def _spread(values: Samples) -> float:
    """Return the distance between the 10th and the 90th percentile."""
    low, high = np.percentile(values, (10, 90))
    return float(high - low)
