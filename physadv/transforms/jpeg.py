"""JPEG: a differentiable model of libjpeg for optimisation, and the true codec, for evaluation.

The model is ITU-T T.81 as libjpeg plays it by default: JFIF colours, chroma averaged 2×2 (4:2:0), the
standard's example tables scaled by quality, and triangular ("fancy") upsampling.
"""

import math
from functools import lru_cache
from io import BytesIO

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from physadv.transforms.colours import straight_through

_RGB_TO_YCC = ((0.299, 0.587, 0.114), (-0.168735892, -0.331264108, 0.5), (0.5, -0.418687589, -0.081312411))


def differentiable_jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """Return images in [0, 1] as a JPEG file holds them, but for the last rounding to 8 bits; differentiable.

    Within about a level (RMSE) of Pillow's libjpeg on photographs at qualities 30 to 95. Rounding passes
    gradients straight; what chroma subsampling takes away is taken from the gradient too. Sides of `images`
    (B, 3, H, W) that are no multiple of 16 are padded by their edge; `quality` (B,) is whole, 1 to 100.
    """
    batch, _, height, width = images.shape
    padding = (0, -width % 16, 0, -height % 16)
    if any(padding):
        images = F.pad(images, padding, mode="replicate")
    to_ycc = images.new_tensor(_RGB_TO_YCC)
    ycc = torch.matmul(to_ycc * 255, images.flatten(2)).reshape(images.shape)
    luma, chroma = ycc[:, :1], F.avg_pool2d(ycc[:, 1:], 2)
    tables = quantisation_tables(quality.to(images))
    with torch.no_grad():
        coded_luma = _code(luma.round().sub_(128), tables[:, 0]).add_(128)
        # libjpeg rounds means that end in .5 down and up by turns.
        bias = images.new_tensor([0.25, 0.5]).repeat(chroma.shape[-1] // 2)
        whole = F.avg_pool2d(ycc[:, 1:].round(), 2).add_(bias).floor_()
        coded_chroma = _code(whole, tables[:, 1])
    luma, chroma = straight_through(luma, coded_luma), straight_through(chroma, coded_chroma)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    to_rgb = torch.linalg.inv(to_ycc) / 255
    grey = torch.matmul(to_rgb[:, :1], luma.flatten(2))
    levels = torch.baddbmm(grey, to_rgb[None, :, 1:].expand(batch, 3, 2), chroma.flatten(2))
    return levels.clamp(0, 1).reshape(images.shape)[..., :height, :width]


def quantisation_tables(quality: Tensor) -> Tensor:
    """Return libjpeg's luminance and chrominance tables, (B, 2, 8, 8), at qualities (B,) from 1 to 100."""
    base = quality.new_tensor(_standard_tables()).reshape(2, 8, 8)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    return ((base * percent[:, None, None, None] + 50) / 100).floor().clamp(1, 255)


@lru_cache(maxsize=1)
def _standard_tables() -> list[list[int]]:
    """Return the standard's example tables, luminance and chrominance: libjpeg's own at quality 50."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=50)
    with Image.open(file, formats=["JPEG"]) as image:
        return list(image.quantization.values())  # type: ignore[attr-defined]


def pillow_jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """Return what a JPEG file (4:2:0, Pillow's libjpeg) of every image holds, multiples of 1/255.

    The gradients of the images, float (B, 3, H, W) in [0, 1], stop here; `quality` (B,) is whole, 1 to 100.
    """
    levels = images.detach().mul(255).round().clamp(0, 255).to("cpu", torch.uint8)
    decoded = []
    for image, q in zip(levels.permute(0, 2, 3, 1).numpy(), quality.tolist(), strict=True):
        file = BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=int(q), subsampling="4:2:0")
        with Image.open(file, formats=["JPEG"]) as picture:
            decoded.append(torch.from_numpy(np.array(picture)).permute(2, 0, 1))
    return torch.stack(decoded).to(images) / 255


def _code(planes: Tensor, table: Tensor) -> Tensor:
    """Return planes (B, C, H, W), whole levels about 0, after quantising the DCT by tables (B, 8, 8)."""
    batch, channels, height, width = planes.shape
    basis = _dct_basis(planes.dtype, planes.device)
    steps = table.flatten(1)
    blocks = planes.reshape(batch, channels, height // 8, 8, width // 8, 8)
    blocks = blocks.transpose(3, 4).reshape(batch, -1, 64)
    coefficients = torch.bmm(blocks, (basis / steps[:, :, None]).transpose(1, 2))
    # Rounds halves, which whole levels make common, away from 0 as libjpeg does.
    coefficients = coefficients.add_(coefficients.sign(), alpha=0.5 + 1e-5).trunc_()
    blocks = torch.bmm(coefficients, basis * steps[:, :, None]).round_().clamp_(-128, 127)
    blocks = blocks.reshape(batch, channels, height // 8, width // 8, 8, 8)
    return blocks.transpose(3, 4).reshape(planes.shape)


@lru_cache(maxsize=8)
def _dct_basis(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the orthonormal DCT-II of flattened 8×8 blocks, (64, 64), one frequency a row."""
    position, frequency = torch.arange(8, dtype=torch.float64), torch.arange(8, dtype=torch.float64)[:, None]
    axis = ((2 * position + 1) * frequency * math.pi / 16).cos() / 2
    axis[0] /= math.sqrt(2)
    return torch.kron(axis, axis).to(device, dtype)
