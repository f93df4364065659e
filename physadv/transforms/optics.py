"""Blur, with another kernel for every image of a batch."""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from physadv.transforms.kernels import gaussian_taps

REACH = 4.0
"""Standard deviations at which gaussian kernels end: 6e-5 of the light lies beyond."""


def gaussian_blur(images: Tensor, sigma: Tensor, radius: int | None = None) -> Tensor:
    """Blur every image with its own gaussian, edges reflected.

    Args:
        images: float (B, C, H, W).
        sigma: standard deviations in pixels, (B,), or (B, 2) of x and y; 0 changes nothing.
        radius: at which the kernels end, pixels; four times the largest sigma without it. At most one less
            than the images' sides.

    Returns:
        (B, C, H, W), differentiable in both arguments.

    >>> dot = torch.zeros(1, 1, 9, 9)
    >>> dot[..., 4, 4] = 1
    >>> round(float(gaussian_blur(dot, torch.tensor([1.0]))[0, 0, 4, 4]), 3)
    0.159
    """
    batch, channels, height, width = images.shape
    if radius is None:
        radius = math.ceil(REACH * float(sigma.detach().max()))
    radius = min(radius, height - 1, width - 1)
    if radius == 0:
        return images
    sigma = sigma.to(images).reshape(batch, -1).expand(batch, 2)
    taps = gaussian_taps(sigma.reshape(-1), 2 * radius + 1)
    # Every kernel ends where it would alone, so that a result does not depend on the rest of the batch.
    offsets = torch.arange(-radius, radius + 1, device=images.device).abs()
    taps = taps * (offsets <= (REACH * sigma.detach()).ceil().reshape(-1, 1))
    taps = (taps / taps.sum(dim=1, keepdim=True)).reshape(batch, 2, -1)
    across, down = taps.repeat_interleave(channels, dim=0).unbind(dim=1)
    folded = _folded(images, radius)
    folded = conv2d(folded, down[:, None, :, None], groups=batch * channels)
    folded = conv2d(folded, across[:, None, None, :], groups=batch * channels)
    return folded.reshape(images.shape)


def blur(images: Tensor, kernels: Tensor) -> Tensor:
    """Blur every image with its own odd kernel, edges reflected.

    Args:
        images: float (B, C, H, W).
        kernels: (B, k, k), k odd and at most twice the images' smaller side, less one.

    Returns:
        (B, C, H, W), differentiable in both arguments.
    """
    batch, channels = images.shape[:2]
    weight = kernels.to(images).flip(-2, -1).repeat_interleave(channels, dim=0)[:, None]
    folded = conv2d(_folded(images, kernels.shape[-1] // 2), weight, groups=batch * channels)
    return folded.reshape(images.shape)


def _folded(images: Tensor, radius: int) -> Tensor:
    """Return images padded by reflection with the batch folded into channels, (1, B·C, H + 2r, W + 2r).

    One depthwise convolution is several times faster than one an image.
    """
    padded = pad(images, (radius,) * 4, mode="reflect")
    return padded.reshape(1, -1, *padded.shape[2:])
