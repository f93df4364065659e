"""Lenses: blur with a kernel of its own for every image of a batch."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from physadv.transforms.kernels import camera_kernel, gaussian_taps
from physadv.transforms.protocol import Parameters
from physadv.transforms.ranges import HALF_TURN, ZERO, Range, require

_REACH = 4.0
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
    """
    batch, channels, height, width = images.shape
    if radius is None:
        radius = math.ceil(_REACH * float(sigma.detach().max()))
    radius = min(radius, height - 1, width - 1)
    if radius == 0:
        return images
    sigma = sigma.to(images).reshape(batch, -1).expand(batch, 2)
    taps = gaussian_taps(sigma.reshape(-1), 2 * radius + 1)
    # Every kernel ends where it would alone: a row's result does not hang on its neighbours.
    offsets = torch.arange(-radius, radius + 1, device=images.device).abs()
    taps = taps * (offsets <= (_REACH * sigma.detach()).ceil().reshape(-1, 1))
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


@dataclass(frozen=True)
class Optics:
    """A lens out of focus in a hand that moves: one kernel a sample, separable when it is only gaussian.

    Attributes:
        sigma: of the gaussian, pixels of the image.
        defocus: radius of the disc, pixels.
        motion: length of the line, pixels; its direction is drawn too.

    Raises:
        TransformError: a range goes below 0.
    """

    sigma: Range = ZERO
    defocus: Range = ZERO
    motion: Range = ZERO

    def __post_init__(self) -> None:
        for name in ("sigma", "defocus", "motion"):
            require(name, getattr(self, name), at_least=0)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `sigma`, `defocus`, `motion` and the motion's `angle` in degrees, each (n,)."""
        return {
            "sigma": self.sigma.draw(n, generator),
            "defocus": self.defocus.draw(n, generator),
            "motion": self.motion.draw(n, generator),
            "angle": HALF_TURN.draw(n, generator) if self.motion.high else ZERO.draw(n, generator),
        }

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images (n, C, H, W) blurred, each with its own row's kernel.

        Kernels are as wide as the distribution's largest, so that a row's result does not hang on its
        neighbours.
        """
        soft = math.ceil(_REACH * self.sigma.high)
        if self.defocus.is_only(0) and self.motion.is_only(0):
            return gaussian_blur(images, parameters["sigma"], soft)
        names = ("sigma", "defocus", "motion", "angle")
        radii = (soft, math.ceil(self.defocus.high), math.ceil(self.motion.high / 2 + 0.5))
        kernels = camera_kernel(*(parameters[name] for name in names), radii=radii)
        excess = max(0, kernels.shape[-1] // 2 - min(images.shape[-2:]) + 1)
        if excess:
            kernels = kernels[:, excess:-excess, excess:-excess]
            kernels = kernels / kernels.sum(dim=(1, 2), keepdim=True)
        return blur(images, kernels)


def _folded(images: Tensor, radius: int) -> Tensor:
    """Return images padded by reflection with the batch folded into channels, (1, B·C, H + 2r, W + 2r).

    One depthwise convolution is several times faster than one an image.
    """
    padded = pad(images, (radius,) * 4, mode="reflect")
    return padded.reshape(1, -1, *padded.shape[2:])
