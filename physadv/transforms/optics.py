"""Blur, with a kernel for every image: defocus (disc), motion (line) and gaussian, which combine."""

import math
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Numbers: TypeAlias = "Tensor | float"
"""A number gives one kernel (size, size), a tensor (B,) gives one a row, (B, size, size)."""

SUPERSAMPLING = 7
REACH = 4.0
"""Standard deviations at which gaussian kernels end: 6e-5 of the light lies beyond."""


def gaussian_blur(images: Tensor, sigma: Tensor, radius: int | None = None) -> Tensor:
    """Return images (B, C, H, W) blurred by a gaussian each, edges reflected; differentiable in both tensors.

    `sigma` is in pixels, (B,), or (B, 2) of x and y; 0 changes nothing. Kernels end at `radius` pixels,
    without it at four times the largest sigma, and at most one less than the images' sides.
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
    folded = F.conv2d(folded, down[:, None, :, None], groups=batch * channels)
    folded = F.conv2d(folded, across[:, None, None, :], groups=batch * channels)
    return folded.reshape(images.shape)


def blur(images: Tensor, kernels: Tensor) -> Tensor:
    """Return images (B, C, H, W) blurred by a kernel each, edges reflected; differentiable in both arguments.

    `kernels` are (B, k, k), k odd and at most twice the images' smaller side, less one.
    """
    batch, channels = images.shape[:2]
    weight = kernels.to(images).flip(-2, -1).repeat_interleave(channels, dim=0)[:, None]
    folded = F.conv2d(_folded(images, kernels.shape[-1] // 2), weight, groups=batch * channels)
    return folded.reshape(images.shape)


def disc_kernel(radius: Numbers, size: int) -> Tensor:
    """Return a defocus kernel that sums to 1: a disc of `radius` pixels, anti-aliased."""
    radius = _column(radius)
    y, x = _fine_grid(size, radius)
    return _pool((x.square() + y.square() <= radius.clamp_min(0.5 / SUPERSAMPLING).square()).to(radius), size)


def motion_kernel(length: Numbers, angle: Numbers, size: int) -> Tensor:
    """Return a motion kernel that sums to 1: a line of `length` pixels at `angle` degrees."""
    length, turn = _column(length), _column(angle).deg2rad()
    y, x = _fine_grid(size, length)
    along, across = x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()
    line = (along.abs() <= (length / 2).clamp_min(0.5 / SUPERSAMPLING)) & (across.abs() <= 0.25)
    return _pool(line.to(length), size)


def gaussian_kernel(sigma: Numbers, size: int) -> Tensor:
    """Return a gaussian kernel that sums to 1, of `sigma` pixels, each pixel holding its area's share."""
    taps = gaussian_taps(sigma, size, SUPERSAMPLING)
    return taps[..., :, None] * taps[..., None, :]


def gaussian_taps(sigma: Numbers, size: int, supersampling: int = 1) -> Tensor:
    """Return one axis of a gaussian of `sigma` pixels, (size,) or (B, size), size odd, that sums to 1.

    A tap is the mean of `supersampling` points, an odd number; 1 keeps the variance at sigma².
    """
    sigma = _column(sigma)[..., 0]
    axis = _fine_axis(size, supersampling, sigma)
    # A floor instead of a case for 0: at a thousandth of a pixel all weight is on the centre.
    fine = (-0.5 * (axis / sigma.clamp_min(1e-3)).square()).exp()
    coarse: Tensor = fine.reshape(*fine.shape[:-1], size, supersampling).mean(dim=-1)
    return coarse / coarse.sum(dim=-1, keepdim=True)


def camera_kernel(
    sigma: Numbers, defocus: Numbers, motion: Numbers, angle: Numbers, *, radii: tuple[int, int, int]
) -> Tensor:
    """Return the point-spread function of a lens in a hand that moves: gaussian, then disc, then line.

    It is (k, k), or (B, k, k) where the numbers are (B,), k odd, and sums to 1. The gaussian's `sigma`, the
    disc's radius `defocus`, the line's length `motion` and the whole `radii` at which the three are cut off
    are in pixels, the line's `angle` in degrees from x to y.
    """
    soft, disc, line = (2 * radius + 1 for radius in radii)
    return combine_kernels(
        gaussian_kernel(sigma, soft), disc_kernel(defocus, disc), motion_kernel(motion, angle, line)
    )


def combine_kernels(*kernels: Tensor) -> Tensor:
    """Return the kernel of blurring with one odd kernel after another; it is as wide as all together."""
    total = kernels[0]
    for kernel in kernels[1:]:
        pad, rows = kernel.shape[-1] - 1, kernel[..., 0, 0].numel()
        spread = F.pad(total, (pad, pad, pad, pad)).reshape(1, rows, *[total.shape[-1] + 2 * pad] * 2)
        weight = kernel.flip(-2, -1).reshape(rows, 1, *kernel.shape[-2:])
        combined = F.conv2d(spread, weight, groups=rows)
        total = combined.reshape(*total.shape[:-2], *combined.shape[-2:])
    return total


def _folded(images: Tensor, radius: int) -> Tensor:
    """Return padded images with the batch in the channels: one depthwise convolution is faster than many."""
    padded = F.pad(images, (radius,) * 4, mode="reflect")
    return padded.reshape(1, -1, *padded.shape[2:])


def _column(values: Numbers) -> Tensor:
    dtype = None if isinstance(values, Tensor) else torch.float32
    return torch.as_tensor(values, dtype=dtype)[..., None, None]


def _fine_axis(size: int, supersampling: int, like: Tensor) -> Tensor:
    steps = torch.arange(size * supersampling, dtype=like.dtype, device=like.device)
    return (steps + 0.5) / supersampling - size / 2


def _fine_grid(size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    axis = _fine_axis(size, SUPERSAMPLING, like)
    return axis[:, None], axis[None, :]


def _pool(fine: Tensor, size: int) -> Tensor:
    coarse = F.avg_pool2d(fine.reshape(-1, 1, *fine.shape[-2:]), SUPERSAMPLING)
    coarse = coarse.reshape(*fine.shape[:-2], size, size)
    return coarse / coarse.sum(dim=(-2, -1), keepdim=True)
