"""JPEG: the true codec, for evaluation. Gradients do not pass it."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def pillow_jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """Return what a JPEG file of every image holds: rounded to 8 bits, 4:2:0, Pillow's libjpeg.

    Args:
        images: float (B, 3, H, W) in [0, 1].
        quality: (B,) whole numbers from 1 to 100, libjpeg's scale.

    Returns:
        (B, 3, H, W) multiples of 1/255 on the images' device; not differentiable.
    """
    levels = images.detach().mul(255).round().clamp(0, 255).to("cpu", torch.uint8)
    decoded = [
        _round_trip(Image.fromarray(image.permute(1, 2, 0).numpy()), int(q))
        for image, q in zip(levels, quality.tolist(), strict=True)
    ]
    return torch.stack(decoded).to(images) / 255


def _round_trip(image: Image.Image, quality: int) -> Tensor:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(file) as decoded:
        return torch.from_numpy(np.array(decoded)).permute(2, 0, 1)
