"""Damage that no JPEG decoder notices: colours that are shifted from one block of the file on.

JPEG codes a block's mean as its difference from the block before (ITU-T T.81, F.1.2.1.1), so all that follows
a damaged byte is off by a constant. The upper edge of the shifted area is one row of minimum coded units
(MCUs) long: right of the damage at the top of its row of MCUs, left of the damage at the top of the next row.
"""

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

# Samples across a photo, columns that each is the mean of at least, and samples of a row that must be known.
SAMPLES, LEAST_COLUMNS, LEAST_KNOWN = 128, 16, 16
# Means this near to black or white, 8-bit levels, come from clipped pixels, which hide a shift.
CLIPPED = 1.5
# 8-bit levels between the rows on both sides of an edge, for luma and for chroma, which is blurred across it.
LEAST_JUMP = (4.0, 2.0, 2.0)
# Shares of a row's known samples, and of each part of a row that continues in the next.
JUMPING, JUMPING_IN_BOTH = 0.9, 0.8
# A shift over its spread, and the spread of the content along an edge over the spread of its jumps.
EVEN, CONTINUED = 1.5, 3.0
# JFIF's luma and chroma from RGB.
YCBCR = np.array([(0.299, 0.587, 0.114), (-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813)], np.float32)

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]
Known = NDArray[np.bool_]


def shifted_from(rgb: Pixels, mcu_rows: int) -> int | None:
    """Return the row from which on the colours of a decoded JPEG are shifted, or None if they are not.

    The row is right to within one row of MCUs, `mcu_rows` pixels. The edge of an object that lies exactly on
    the grid is no shift: the content above it does not continue below. Not found are shifts that begin in
    the first few blocks, which have no edge, those that make nearly everything black or white, and small
    ones in a busy scene. The pixels (H, W, 3), uint8, are as decoded, neither turned nor converted from
    other primaries.
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
    # Luma is extrapolated to the edge from both sides; chroma is blurred across it.
    jumps[0] = 1.5 * (first - last)[0] - 0.5 * wide[0]
    for start, channel in starts:
        there = np.arange(start, start + samples)[known[start : start + samples]]
        in_first_row = there // samples == start // samples
        jump, wide_jump, luma_jump = jumps[channel, there], wide[channel, there], jumps[0, there]
        if not _is_even(jump, wide_jump):
            continue
        # The content above the edge continues below it, only lighter or darker.
        carries_on = _spread(last[0, there]) > CONTINUED * _spread(luma_jump)
        if carries_on or _is_in_both_rows(jump, in_first_row):
            return int(mcu_rows * (start // samples))
    return None


def _along_edges(
    rgb: Pixels, mcu_rows: int, size: tuple[int, int], columns: int, offset: int
) -> tuple[Samples, Known]:
    """Return YCbCr (3, N) of the pixels `offset` rows below every upper edge, and which of them are known."""
    rows = rgb[mcu_rows + offset :: mcu_rows, : size[0] * columns][: size[1]]
    means = cv2.resize(rows, size, interpolation=cv2.INTER_AREA)
    # Nothing is known along the first edge, which is that of the photo.
    means = cv2.copyMakeBorder(means, 1, 0, 0, 0, cv2.BORDER_CONSTANT)
    planes = np.stack(cv2.split(means)).reshape(3, -1)
    known = (planes.min(axis=0) >= CLIPPED) & (planes.max(axis=0) <= 255 - CLIPPED)
    return YCBCR @ planes.astype(np.float32), known


def _candidates(jumps: Samples, known: Known, samples: int) -> list[tuple[int, int]]:
    """Return start and channel of stretches, one row long, in which nearly all samples jump the same way."""
    found = []
    counts = _sliding_sum(known, samples)
    for channel, (jump, least) in enumerate(zip(jumps, LEAST_JUMP, strict=True)):
        for jumping in (jump > least, jump < -least):
            hits = _sliding_sum(jumping & known, samples)
            starts = np.flatnonzero((counts >= LEAST_KNOWN) & (hits >= JUMPING * counts))
            for row in np.unique(starts // samples):
                within = starts[starts // samples == row]
                # Of those that start in one row, only the best one counts, the middle one of equals.
                share = hits[within] / counts[within]
                best = within[share == share.max()]
                found.append((int(best[len(best) // 2]), channel))
    return sorted(found)


def _sliding_sum(counted: Known, length: int) -> NDArray[np.int32]:
    sums = np.zeros(len(counted) + 1, np.int32)
    np.cumsum(counted, out=sums[1:])
    return sums[length:] - sums[:-length]


def _is_even(jump: Samples, wide_jump: Samples) -> bool:
    """Return whether all samples jump alike and stay: no thin line and no blurred edge off the grid does."""
    if len(jump) < LEAST_KNOWN:
        return False
    shift = np.median(jump)
    stays = abs(np.median(wide_jump) - shift) < abs(shift) / 3
    return bool(stays and abs(shift) > EVEN * (_spread(jump) + 1))


def _is_in_both_rows(jump: Samples, in_first_row: Known) -> bool:
    """Return whether the jump continues in the next row of MCUs, as no edge of an object does."""
    shift = np.median(jump)
    near = abs(jump - shift) < abs(shift) / 2
    parts = (near[in_first_row], near[~in_first_row])
    return all(len(part) >= LEAST_KNOWN // 2 and part.mean() >= JUMPING_IN_BOTH for part in parts)


def _spread(values: Samples) -> float:
    """Return the distance between the 10th and the 90th percentile."""
    low, high = np.percentile(values, (10, 90))
    return float(high - low)
