"""The corruptions of ImageNet-C (Hendrycks and Dietterich 2019), by the optional `imagecorruptions-imaug`.

It is the published code and frost pictures, kept working with NumPy 2; its parents are not, and
albumentations' effects of these names are others. Two slow ones are computed here, for equal pixels.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.transforms.protocol import TransformError

LEAST_SIDE = 32
_OWN_SEED = ("impulse_noise", "glass_blur")


def corrupt(name: str, images: Tensor, severity: Tensor, seeds: Tensor) -> Tensor:
    """Return images corrupted as ImageNet-C's are, multiples of 1/255; not differentiable.

    They are float (B, 3, H, W) in [0, 1]; `severity` (B,) holds whole numbers from 1 to 5, `seeds` (B,) what
    is random. A side below 32 pixels raises TransformError.
    """
    from imagecorruptions import corrupt as corrupt_one

    if min(images.shape[-2:]) < LEAST_SIDE:
        raise TransformError(
            f"imagenet-c/{name}: images of {images.shape[-1]} × {images.shape[-2]} pixels; "
            f"wanted sides of {LEAST_SIDE} or more"
        )
    levels = images.detach().mul(255).round().clamp(0, 255).to("cpu", torch.uint8)
    if name in _QUICKER:
        quick = [_QUICKER[name](image.float(), int(k) - 1) for image, k in zip(levels, severity, strict=True)]
        return torch.stack(quick).add(_ROUNDING).floor().clamp(0, 255).to(images) / 255
    corrupted = []
    pixels = levels.permute(0, 2, 3, 1).numpy()
    for image, strength, seed in zip(pixels, severity.tolist(), seeds.tolist(), strict=True):
        own = {"seed": seed % 2**32} if name in _OWN_SEED else {}
        with _numpy_seeded(seed % 2**32):
            corrupted.append(corrupt_one(image, int(strength), name, **own))
    return torch.from_numpy(np.stack(corrupted)).permute(0, 3, 1, 2).to(images) / 255


_ROUNDING = 1e-3
"""Levels: the library cuts fractions off, and a whole level may come out just below itself."""
_ZOOMS = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))  # end, step
_BRIGHTER = (25.5, 51.0, 76.5, 102.0, 127.5)


def _zoom_blur(levels: Tensor, strength: int) -> Tensor:
    """Return the mean of an image (3, H, W) and enlargements of its middle; strength 0 to 4."""
    height, width = levels.shape[-2:]
    total = levels.clone()
    zooms = np.arange(1, *_ZOOMS[strength])
    for zoom in zooms:
        rows, columns = (math.ceil(side / zoom) for side in (height, width))
        top, left = (height - rows) // 2, (width - columns) // 2
        middle = levels[None, :, top : top + rows, left : left + columns]
        size = (round(rows * zoom), round(columns * zoom))
        enlarged = F.interpolate(middle, size, mode="bilinear", align_corners=True)[0, :, :height, :width]
        total[:, : enlarged.shape[1], : enlarged.shape[2]] += enlarged
    return total / (len(zooms) + 1)


def _brightness(levels: Tensor, strength: int) -> Tensor:
    """Return an image (3, H, W) with more of HSV's value: colours of one hue and saturation scale with it."""
    value = levels.amax(dim=0)
    brighter = (value + _BRIGHTER[strength]).clamp_max(255)
    return torch.where(value > 0, levels * (brighter / value), brighter)


_QUICKER: dict[str, Callable[[Tensor, int], Tensor]] = {"zoom_blur": _zoom_blur, "brightness": _brightness}


@contextmanager
def _numpy_seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator, from which the library draws, and give it back as it was."""
    before = np.random.get_state()  # noqa: NPY002 - the library knows no other
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
