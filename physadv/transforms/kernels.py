"""Point-spread functions of a camera: defocus (disc), motion (line) and gaussian, as kernels that combine."""

import torch
import torch.nn.functional as F
from torch import Tensor

SUPERSAMPLING = 7


def disc_kernel(radius: float, size: int) -> Tensor:
    """Return a defocus kernel (size, size) that sums to 1: a disc of `radius` pixels, anti-aliased."""
    y, x = _fine_grid(size)
    return _pool((x.square() + y.square() <= max(radius, 0.5 / SUPERSAMPLING) ** 2).float(), size)


def motion_kernel(length: float, angle: float, size: int) -> Tensor:
    """Return a motion kernel (size, size) that sums to 1: a line of `length` pixels at `angle` degrees."""
    y, x = _fine_grid(size)
    turn = torch.deg2rad(torch.tensor(angle))
    along, across = x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()
    thin = 0.5 / SUPERSAMPLING
    line = (along.abs() <= max(length / 2, thin)) & (across.abs() <= max(0.25, thin))
    return _pool(line.float(), size)


def gaussian_kernel(sigma: float, size: int) -> Tensor:
    """Return a gaussian kernel (size, size) that sums to 1, of `sigma` pixels."""
    y, x = _fine_grid(size)
    return _pool((-(x.square() + y.square()) / (2 * max(sigma, 1e-3) ** 2)).exp(), size)


def combine_kernels(*kernels: Tensor) -> Tensor:
    """Return the kernel of blurring with one odd kernel after another; it is as wide as all together."""
    total = kernels[0]
    for kernel in kernels[1:]:
        pad = kernel.shape[-1] - 1
        total = F.conv2d(F.pad(total, (pad, pad, pad, pad))[None, None], kernel.flip(0, 1)[None, None])[0, 0]
    return total


def _fine_grid(size: int) -> tuple[Tensor, Tensor]:
    steps = torch.arange(size * SUPERSAMPLING, dtype=torch.float32)
    axis = (steps + 0.5) / SUPERSAMPLING - size / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return y, x


def _pool(fine: Tensor, size: int) -> Tensor:
    coarse = F.avg_pool2d(fine[None, None], SUPERSAMPLING)[0, 0]
    return coarse / coarse.sum()
