"""Which picture a crop shows: its own source, or another of its sheet such as its pair's other picture."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Pixels, Points

THUMBNAIL, BLOCKS, MIN_CONTRAST = 32, 4, 3.0
ALIKE = 0.9
"""Pictures that correlate more are compared by their difference, others by their thumbnails."""
SURE = 4.0
"""Standard errors that tell two pictures much alike apart; less is chance in one of 30,000 crops or more."""
COMPARED_PX, NOISE_PX, MIN_POWER = 128, 8, 1e-6
_BLURS = (0.0, 0.7, 1.4, 3.0)
"""Sigmas, pixels, of which any mixture stands for the blur of print, camera and JPEG."""


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


def find_likelier(
    crop: Pixels, own: str, others: Sequence[str], picture: Callable[[str], Pixels]
) -> tuple[str | None, float | None]:
    """Return which of other pictures a crop shows rather than its own, None for none, and the margin.

    The margin is the number of standard errors by which the crop is nearer to its own picture than to the
    most alike of the others; below `SURE` they cannot be told apart. None where no other is alike.
    """
    source, margins = picture(own), [np.inf]
    alike, size = correlation(crop, source), source.shape[1::-1]
    for other in others:
        theirs = picture(other)
        if theirs.shape != source.shape:
            theirs = cv2.resize(theirs, size, interpolation=cv2.INTER_AREA)
        if correlation(source, theirs) < ALIKE:
            if correlation(crop, theirs) > alike:
                return other, None
        elif not np.array_equal(source, theirs):
            margins.append(margin(crop, source, theirs))
            if margins[-1] < -SURE:
                return other, margins[-1]
    return None, min(margins) if len(margins) > 1 else None


def margin(crop: Pixels, own: Pixels, other: Pixels) -> float:
    """Return by how many standard errors a crop is nearer to one of two like pictures than to the other.

    What print and camera do to both is fitted to their mean: a mixture of blurs and of colours, a tone curve,
    and light that changes over the picture. It is done to half their difference too, and what the fit leaves
    of the crop is projected on the result. The error is that of blocks of 8 × 8 pixels, as noise and JPEG
    spread further than one. Pictures are (h, w, 3), uint8, of one size.
    """
    scale = COMPARED_PX / max(crop.shape)
    if scale < 1:
        crop, own, other = (
            cv2.resize(each, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for each in (crop, own, other)
        )
    height, width = crop.shape[:2]
    down, across = (axis.ravel() - 0.5 for axis in np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j])
    light = [np.ones_like(across), across, down, across**2, down**2]
    one, two, shown = (each / 255 for each in (own, other, crop))
    mean, half = _blurred((one + two) / 2), _blurred((one - two) / 2)
    colours, differing = ([each[..., k].ravel() for each in part for k in range(3)] for part in (mean, half))
    sharp = np.stack(colours[3:6])
    model = np.stack([*colours, *sharp**2, *(sharp * across), *(sharp * down), *light], axis=1)
    weights, rests = _fitted(model, np.column_stack([shown.reshape(-1, 3), *differing]))
    rest, change = rests[:, :3], rests[:, 3:] @ weights[: len(differing), :3]
    power = float((change**2).sum())
    if power < MIN_POWER:
        return 0.0
    nearer = float((rest * change).sum()) / power
    scores = ((rest - nearer * change) * change).sum(axis=1).reshape(height, width)
    rows, columns = height // NOISE_PX, width // NOISE_PX
    whole = scores[: rows * NOISE_PX, : columns * NOISE_PX]
    blocks = whole.reshape(rows, NOISE_PX, columns, NOISE_PX).sum(axis=(1, 3))
    return nearer * power / max(float(np.linalg.norm(blocks)), MIN_POWER)


def _blurred(picture: Points) -> list[Points]:
    return [cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture for sigma in _BLURS]


def _fitted(model: Points, seen: NDArray[Any]) -> tuple[Points, Points]:
    """Return the weights of the columns of a model in least squares, and what they leave."""
    product = model.T @ model
    product += 1e-9 * np.trace(product) * np.eye(len(product))
    weights = np.linalg.solve(product, model.T @ seen)
    return weights, seen - model @ weights


def _blocks(image: Pixels) -> Points:
    """Return the luma of a picture in 16 blocks of 64 averages (16, 64), each minus its mean."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(luma, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float64)
    side = THUMBNAIL // BLOCKS
    blocks = small.reshape(BLOCKS, side, BLOCKS, side).transpose(0, 2, 1, 3).reshape(BLOCKS**2, side**2)
    centred: Points = blocks - blocks.mean(axis=1, keepdims=True)
    return centred
