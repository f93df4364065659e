"""Noise whose randomness is data: drawn from stored seeds, so that a draw can be replayed."""

import torch
from torch import Tensor

from physadv.transforms.photometry import per_image

_SEEDS = 2**62


def gaussian_noise(images: Tensor, sd: Tensor, noise: Tensor) -> Tensor:
    """Add noise of a standard deviation of its own to every image and clip.

    Args:
        images: float (B, C, H, W) in [0, 1].
        sd: (B,), in units of the images (10 8-bit levels are 10/255).
        noise: standard normal, of the images' shape.

    Returns:
        (B, C, H, W) in [0, 1], differentiable in all arguments.
    """
    return (images + per_image(sd, images) * noise).clamp(0, 1)


def draw_seeds(n: int, generator: torch.Generator) -> Tensor:
    """Return n independent seeds, int64 (n,), each of which stands for one image's noise."""
    return torch.randint(_SEEDS, (n,), generator=generator, device=generator.device)


def standard_normal(seeds: Tensor, like: Tensor) -> Tensor:
    """Return standard normal noise of the shape, dtype and device of `like`, one seed (B,) an image.

    It is drawn on the CPU, so that a seed means the same noise on every device.
    """
    rows = [
        torch.randn(like.shape[1:], generator=torch.Generator().manual_seed(seed), dtype=like.dtype)
        for seed in seeds.tolist()
    ]
    return torch.stack(rows).to(like.device)
