"""Lenses: blur with a kernel of its own for every image of a batch."""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

_REACH = 4.0
"""Standard deviations at which gaussian kernels end: 6e-5 of the light lies beyond."""


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur every image with its own gaussian, edges reflected.

    Args:
        images: float (B, C, H, W).
        sigma: (B,) standard deviations in pixels; 0 changes nothing.

    Returns:
        (B, C, H, W), differentiable in both arguments.
    """
    batch, channels, height, width = images.shape
    sigma = sigma.to(images)
    radius = min(math.ceil(_REACH * float(sigma.detach().max())), height - 1, width - 1)
    if radius == 0:
        return images
    offsets = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    # A floor instead of a case for 0: at a thousandth of a pixel all weight is on the centre.
    kernel = (-0.5 * (offsets / sigma.clamp_min(1e-3)[:, None]).square()).exp()
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    padded = pad(images, (radius,) * 4, mode="reflect")
    # The batch is folded into groups: one depthwise convolution, several times faster than one an image.
    folded = padded.reshape(1, batch * channels, *padded.shape[2:])
    folded = conv2d(folded, kernel[:, None, :, None], groups=batch * channels)
    folded = conv2d(folded, kernel[:, None, None, :], groups=batch * channels)
    return folded.reshape(images.shape)
