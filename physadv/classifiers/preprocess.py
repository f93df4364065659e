"""The published way from pixels to a network's input, as one differentiable module."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate


class Preprocess(nn.Module):
    """Resize with antialiasing, crop the centre, normalise: what torchvision and timm publish with weights.

    Within one 8-bit level of the Pillow pipeline the weights were evaluated with, and differentiable.

    Args:
        resize: the short side in pixels (aspect kept), or (height, width) exactly.
        crop: (height, width) of the centre crop in pixels.
        mean: per-channel mean of [0, 1] pixels.
        std: per-channel standard deviation of [0, 1] pixels.
        interpolation: `bilinear` or `bicubic`.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        resize: int | tuple[int, int],
        crop: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        interpolation: str = "bilinear",
    ) -> None:
        super().__init__()
        self.resize = resize
        self.crop = crop
        self.interpolation = interpolation
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the normalised crops (B, 3, *crop) of float images (B, 3, H, W) in [0, 1]."""
        height, width = images.shape[-2:]
        size = self._resized(height, width)
        if size != (height, width):
            images = interpolate(images, size, mode=self.interpolation, antialias=True, align_corners=False)
            images = images.clamp(0, 1)  # bicubic overshoots where Pillow's 8 bits saturate
        # Rounded half to even, as torchvision does.
        top, left = round((size[0] - self.crop[0]) / 2), round((size[1] - self.crop[1]) / 2)
        images = images[..., top : top + self.crop[0], left : left + self.crop[1]]
        return (images - self.mean) / self.std

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.resize, tuple):
            return self.resize
        short = min(height, width)
        return self.resize * height // short, self.resize * width // short
