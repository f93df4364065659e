"""A page on paper: in the printer's ink, at the size and with the losses that people print with."""

from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from kornia.color import rgb_to_grayscale
from kornia.filters import gaussian_blur2d
from numpy.typing import NDArray
from torch import Tensor

from physadv.phone.phones import Printer, PrintSettings
from physadv.transforms.colours import ink, srgb_to_linear

MM_PER_INCH = 25.4
_BAND = 256  # rows printed at once; a whole page of 25 megapixels would need gigabytes


def print_page(
    page: NDArray[np.uint8],
    page_mm: tuple[float, float],
    settings: PrintSettings | None = None,
    printer: Printer | None = None,
) -> Tensor:
    """Return the reflectance (1, 3, H, W), linear light, of a page on paper of its size.

    The page is as laid out, uint8 sRGB pixels (H, W, 3), `page_mm` its width and height; by default an office
    printer prints it as it should be.

    >>> page = np.full((60, 40, 3), 255, np.uint8)
    >>> [round(value, 2) for value in print_page(page, (20.0, 30.0)).amax(dim=(0, 2, 3)).tolist()]
    [0.86, 0.86, 0.84]
    """
    settings, printer = settings or PrintSettings(), printer or Printer()
    height, width = page.shape[:2]
    dots_per_mm = width / page_mm[0]
    if settings.dpi is not None:
        coarse = tuple(round(side / MM_PER_INCH * settings.dpi) for side in page_mm)
        page = cv2.resize(page, coarse, interpolation=cv2.INTER_AREA)
        page = cv2.resize(page, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    pixels = torch.from_numpy(page).permute(2, 0, 1)[None].float() / 255
    if settings.scale != 1:
        shrink = torch.tensor([[[1 / settings.scale, 0, 0], [0, 1 / settings.scale, 0]]])
        grid = F.affine_grid(shrink, [1, 3, height, width], align_corners=False)
        pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    if settings.monochrome:
        pixels = rgb_to_grayscale(pixels).expand(-1, 3, -1, -1)
    if settings.margin_mm:
        inset = round(settings.margin_mm * dots_per_mm)
        inside = (..., slice(inset, height - inset), slice(inset, width - inset))
        printed, pixels = pixels, torch.ones_like(pixels)
        pixels[inside] = printed[inside]
    # Less ink lets that share of the paper's white through.
    thin = replace(printer, black=1 - settings.ink * (1 - printer.black))
    return print_images(pixels, thin, dots_per_mm)


def print_images(images: Tensor, printer: Printer, dots_per_mm: float) -> Tensor:
    """Return the reflectance (B, 3, H, W), linear light, of sRGB images in [0, 1] printed at a resolution."""
    sigma = printer.spread_mm * dots_per_mm
    radius = max(1, round(3 * sigma))
    white, one = images.new_tensor(printer.white).expand(len(images), 3), images.new_ones(len(images))
    given = {name: getattr(printer, name) * one for name in ("black", "dot_gain", "crosstalk")}
    bands = []
    for top in range(0, images.shape[2], _BAND):
        above = min(top, radius)
        light = srgb_to_linear(images[:, :, top - above : top + _BAND + radius])
        light = ink(light, white=white, **given)
        # On one large image the library's blur is several times faster than `gaussian_blur`, for batches.
        spread = gaussian_blur2d(light, 2 * radius + 1, light.new_full((len(light), 2), sigma))
        bands.append(spread[:, :, above : above + _BAND])
    return torch.cat(bands, dim=2)
