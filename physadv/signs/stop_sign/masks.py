"""Where on the sign's face stickers may be: shapes by name, an image file, or rectangles that were found."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from physadv.pictures.reading import read_exact
from physadv.signs.stop_sign import FACE_SIDE, StopSignError
from physadv.signs.stop_sign.plate import RED_REACH, filled, octagon, outline
from physadv.signs.stop_sign.settings import check_mask_name

Rectangle = tuple[float, float, float, float]
"""Left, top, width and height in sides of the face."""

_TWO_BARS: tuple[Rectangle, ...] = ((0.28, 0.14, 0.44, 0.186), (0.28, 0.674, 0.44, 0.186))
_CAMOUFLAGE: tuple[Rectangle, ...] = (
    (0.27, 0.14, 0.2, 0.2),
    (0.53, 0.15, 0.21, 0.19),
    (0.28, 0.67, 0.21, 0.19),
    (0.52, 0.66, 0.2, 0.2),
)
_WORDS = (("LOVE", 0.3), ("HATE", 0.94))
"""Words above and below the sign's own, as in the paper's figure 5, and the height of their base lines."""
_ASPECTS = (1.0, 1.5, 1 / 1.5, 2.5, 1 / 2.5, 4.0, 1 / 4.0)
"""Widths over heights of the rectangles that are tried."""


def rectangles(boxes: tuple[Rectangle, ...], side: int = FACE_SIDE) -> Tensor:
    """Return the mask (side, side) of rectangles, their edges as exact as pixels allow."""
    axis = torch.arange(side) / side
    mask = torch.zeros(side, side)
    for left, top, width, height in boxes:
        across, down = (
            ((start + length - axis) * side).clamp(0, 1) * ((axis - start) * side + 1).clamp(0, 1)
            for start, length in ((left, width), (top, height))
        )
        mask = torch.maximum(mask, down[:, None] * across)
    return mask


def _octagon(side: int) -> Tensor:
    return filled(octagon(RED_REACH * side) + (1 - RED_REACH) * side / 2, side)


def _graffiti(side: int) -> Tensor:
    fine = 4
    canvas = np.zeros((side * fine, side * fine), np.uint8)
    thickness = round(0.07 * side * fine)
    for word, base in _WORDS:
        (width, height), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
        scale = 0.19 * side * fine / height
        start = (round((side * fine - scale * width) / 2), round((base - 0.04) * side * fine))
        cv2.putText(canvas, word, start, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thickness)
    covered = cv2.resize(canvas.astype(np.float32) / 255, (side, side), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(covered)


_DRAWN: dict[str, Callable[[int], Tensor]] = {
    "poster": outline,
    "octagon": _octagon,
    "two-bars": partial(rectangles, _TWO_BARS),
    "graffiti": _graffiti,
    "camouflage": partial(rectangles, _CAMOUFLAGE),
}


def load_mask(name: str, side: int = FACE_SIDE) -> Tensor:
    """Return the mask (side, side) in [0, 1] called `name`, or that of an image file: white is sticker.

    What lies off the plate is cut away.

    Raises:
        StopSignError: there is no such mask or file, it cannot be read, it is empty or off the sign.
    """
    if name in _DRAWN:
        return torch.minimum(_DRAWN[name](side), outline(side))
    check_mask_name(name)
    path = Path(name)
    wanted = "cannot be read as a picture of a mask"
    pixels = read_exact(path, lambda error: StopSignError(f"{path}: {wanted} ({error})"))
    grey = Image.fromarray(pixels).convert("L")
    levels = torch.from_numpy(np.asarray(grey, dtype=np.float32) / 255)
    if float(levels.max()) <= 0:
        raise StopSignError(f"mask '{path}' is empty; wanted white where stickers may be")
    sized = F.interpolate(levels[None, None], (side, side), mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
    mask = torch.minimum(sized, outline(side))
    if float(mask.max()) < 0.5:
        raise StopSignError(f"mask '{path}' is off the sign; wanted white within the octagon")
    return mask


def area_share(mask: Tensor) -> float:
    """Return how much of the plate a mask (side, side) covers, 0 to 1."""
    plate = outline(len(mask))
    return float((mask * plate).sum() / plate.sum())


def vulnerable_rectangles(weight: Tensor, count: int, area: float) -> Tensor:
    """Return the mask of the `count` rectangles that hold the most weight, none over another.

    The second half of RP2's two stages (Eykholt et al. 2018, section 3.3): an L1-sparse attack has shown
    where the classifier is vulnerable; stickers of a shape that can be cut go there.

    The weight (side, side) is how much the sparse attack changed each pixel, at least 0; the area is the
    share of the plate that all rectangles cover together.

    Raises:
        StopSignError: there is no room for them.
    """
    side, plate = len(weight), outline(len(weight))
    left_over, free = (weight * plate).double(), plate > 0.99
    each = area * float(plate.sum()) / count
    mask = torch.zeros(side, side)
    for number in range(count):
        best = max((_heaviest(left_over, free, each, aspect) for aspect in _ASPECTS), default=None)
        if best is None or best[0] < 0:
            raise StopSignError(f"no room for rectangle {number + 1} of {count} over {area:g} of the sign")
        _, top, left, height, width = best
        rows, columns = slice(top, top + height), slice(left, left + width)
        mask[rows, columns], left_over[rows, columns], free[rows, columns] = 1, 0, False
    return mask


def _heaviest(weight: Tensor, free: Tensor, area: float, aspect: float) -> tuple[float, int, int, int, int]:
    """Return the weight, top, left, height and width of the best free rectangle; weight −1 where none is."""
    height, width = (max(1, round((area * factor) ** 0.5)) for factor in (1 / aspect, aspect))
    if max(height, width) > len(weight):
        return (-1.0, 0, 0, height, width)
    held = _box_sums(weight, height, width)
    held[_box_sums((~free).double(), height, width) > 0.5] = -1
    best = int(held.argmax())
    return (float(held.flatten()[best]), *divmod(best, held.shape[1]), height, width)


def _box_sums(field: Tensor, height: int, width: int) -> Tensor:
    """Return the sums over every box of a field, by its top-left corner."""
    total = F.pad(field.cumsum(0).cumsum(1), (1, 0, 1, 0))
    below, above = total[height:], total[:-height]
    return below[:, width:] - above[:, width:] - below[:, :-width] + above[:, :-width]
