"""A page on paper: in a printer's colours and dots, at the size and with the losses of people's prints."""

from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from kornia.color import rgb_to_grayscale
from kornia.filters import gaussian_blur2d
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from physadv.phone.phones import Printer, PrintSettings
from physadv.phone.printers import DEFAULT, named_printer
from physadv.transforms.presses import printed_light

MM_PER_INCH = 25.4
RASTER = 600 / MM_PER_INCH
"""Dots per mm of a page that is printed in halftone."""
_TILE = 120  # dots after which the screens repeat
_WAVES = ((20, 6), (6, 20), (21, 0))
"""Periods of each channel's screen over the tile, in x and y: 105 lines per inch at 17, 73 and 0 degrees."""
_BAND = 256  # rows printed at once; a whole page of 25 megapixels would need gigabytes


def print_page(
    page: NDArray[np.uint8],
    page_mm: tuple[float, float],
    settings: PrintSettings | None = None,
    printer: Printer | None = None,
) -> Tensor:
    """Return the reflectance (1, 3, H, W), linear light, of a page on paper of its size.

    The page is as laid out, uint8 sRGB pixels (H, W, 3), `page_mm` its width and height; by default an office
    laser printer prints it as it should be.

    >>> page = np.full((60, 40, 3), 255, np.uint8)
    >>> [round(value, 2) for value in print_page(page, (20.0, 30.0)).amax(dim=(0, 2, 3)).tolist()]
    [0.86, 0.88, 0.91]
    """
    settings, printer = settings or PrintSettings(), printer or named_printer(DEFAULT)
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
    printed = print_images(pixels, printer, dots_per_mm)
    if settings.ink < 1:
        # Less ink lets that share of the paper's white through.
        printed = torch.lerp(_white(printer), printed, settings.ink)
    if settings.monochrome:
        # One ink on one screen has the paper's hue.
        printed = printed[:, 1:2] / _white(printer)[:, 1:2] * _white(printer)
    return printed


def print_images(images: Tensor, printer: Printer, dots_per_mm: float) -> Tensor:
    """Return the reflectance (B, 3, H, W), linear light, of sRGB images in [0, 1] printed at a resolution.

    At less than the raster's own, 600 dpi, a halftone is the continuous tone that its dots reflect together.
    """
    sigma = printer.spread_mm * dots_per_mm
    radius = max(1, round(3 * sigma))
    dotted = printer.halftone != "continuous" and dots_per_mm > 0.99 * RASTER
    whole = _halftoned(reflectance(images, printer), printer) if dotted else None
    bands = []
    for top in range(0, images.shape[2], _BAND):
        above = min(top, radius)
        rows = (..., slice(top - above, top + _BAND + radius), slice(None))
        light = reflectance(images[rows], printer) if whole is None else whole[rows]
        # On one large image the library's blur is several times faster than `gaussian_blur`, for batches.
        spread = gaussian_blur2d(light, 2 * radius + 1, light.new_full((len(light), 2), sigma))
        bands.append(spread[:, :, above : above + _BAND])
    return torch.cat(bands, dim=2)


def reflectance(images: Tensor, printer: Printer) -> Tensor:
    """Return the linear light (B, 3, H, W) that sRGB images in [0, 1] reflect as printed, unspread.

    >>> reflectance(torch.ones(1, 3, 1, 1), Printer("offset-coated")).flatten().tolist()
    [0.86, 0.88, 0.91]
    """
    pixels = (images * 255).round().byte().permute(0, 2, 3, 1)
    printed = printed_light(pixels.flatten(0, 1).numpy(), printer.press)
    light = torch.from_numpy(printed).reshape(pixels.shape).permute(0, 3, 1, 2).to(images.dtype)
    return light if printer.ink == 1 else torch.lerp(_white(printer).to(light), light, printer.ink)


@lru_cache
def _white(printer: Printer) -> Tensor:
    """Return the reflectance (1, 3, 1, 1) of bare paper."""
    white = printed_light(np.full((1, 1, 3), 255, np.uint8), printer.press)
    return torch.from_numpy(white).reshape(1, 3, 1, 1)


def _halftoned(light: Tensor, printer: Printer) -> Tensor:
    """Return continuous tones (B, 3, H, W) as dots of full ink on bare paper, whose mean is the same light.

    Each channel is one ink, as dark as the printer's black, on a screen of its own; tones darker than that
    are solid.
    """
    solid, white = reflectance(light.new_zeros(1, 3, 1, 1), printer), _white(printer).to(light)
    bare = ((light - solid) / (white - solid)).clamp(0, 1)
    if printer.halftone == "clustered":
        down, across = (-(-side // _TILE) for side in light.shape[2:])
        screen = _screens().to(light).repeat(1, down, across)[:, : light.shape[2], : light.shape[3]]
        paper = bare > screen
    else:
        shares = (bare * 255).round().byte().flatten(0, 1).numpy()
        diffused = [np.array(Image.fromarray(share).convert("1")) for share in shares]
        paper = torch.from_numpy(np.stack(diffused)).reshape(bare.shape)
    return torch.where(paper, white, torch.minimum(light, solid))


@lru_cache
def _screens() -> Tensor:
    """Return thresholds (3, _TILE, _TILE) in (0, 1) of screens that repeat: each occurs in one dot."""
    y, x = np.indices((_TILE, _TILE)) * (2 * np.pi / _TILE)
    ranks = []
    for a, b in _WAVES:
        spot = np.cos(a * x + b * y) + np.cos(a * y - b * x)
        ranks.append(spot.ravel().argsort(kind="stable").argsort().reshape(spot.shape))
    return torch.from_numpy((np.stack(ranks) + 0.5) / _TILE**2)
