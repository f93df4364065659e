"""Functions given with their gradient: rounding, whose own is zero, and exact ones reused."""

from typing import Any

import torch
from torch import Tensor


def straight_through(images: Tensor, value: Tensor) -> Tensor:
    """Return `value`, a stepwise function of `images`, with the identity's gradient (Bengio et al. 2013)."""
    return with_slope(images, value, None)


def with_slope(images: Tensor, value: Tensor, slope: Tensor | None) -> Tensor:
    """Return `value`, a pointwise function of `images`, with its derivative `slope`, None for 1, as gradient.

    The derivative often falls out of the value: a power needs no second power backward.
    """
    return _WithSlope.apply(images, value, slope)  # type: ignore[no-any-return]


def round_to_8_bits(images: Tensor) -> Tensor:
    """Return float images in [0, 1] clipped and rounded to multiples of 1/255, the gradient passing straight.

    It passes out of range too: what an attack pushed past black or white can come back.
    """
    with torch.no_grad():
        rounded = images.clamp(0, 1).mul_(255).round_().div_(255)
    return straight_through(images, rounded)


class _WithSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, value: Tensor, slope: Tensor | None) -> Tensor:
        ctx.save_for_backward(slope)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] if slope is None else gradients[0] * slope, None, None
