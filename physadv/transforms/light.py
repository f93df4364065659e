"""Linear light: lenses and sensors add light, files hold its sRGB code (IEC 61966-2-1)."""

import torch
from torch import Tensor

from physadv.transforms.surrogates import with_slope

_SLOPE = 12.9232102
"""Of the straight part at black, and `_KNEE` where it ends in sRGB: the pair that makes the curve smooth.

The standard rounds them to 12.92 and 0.04045, which puts a kink there and moves no value by 4e-5.
"""

_KNEE = 0.0392857


def srgb_to_linear(images: Tensor) -> Tensor:
    """Return sRGB in [0, 1] of any shape as linear light (IEC 61966-2-1).

    Value and gradient take one power together, a third of the time of the library's function.
    """
    with torch.no_grad():
        base = images.clamp_min(_KNEE).add_(0.055)
        light = base.div(1.055).pow_(2.4)
        slope = light.div(base).mul_(2.4) if images.requires_grad else light
        # Below the knee this is the tangent there.
        light.add_(images, alpha=1 / _SLOPE).sub_(base, alpha=1 / _SLOPE).add_(0.055 / _SLOPE)
    return with_slope(images, light, slope)


def linear_to_srgb(light: Tensor) -> Tensor:
    """Return linear light in [0, 1] of any shape as sRGB (IEC 61966-2-1).

    >>> round(float(linear_to_srgb(torch.tensor(0.5))), 4)
    0.7354
    """
    with torch.no_grad():
        base = light.clamp_min(_KNEE / _SLOPE)
        images = base.pow(1 / 2.4).mul_(1.055)
        slope = images.div(base).mul_(1 / 2.4) if light.requires_grad else images
        images.add_(light, alpha=_SLOPE).sub_(base, alpha=_SLOPE).sub_(0.055)
    return with_slope(light, images, slope)
