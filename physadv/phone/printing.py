"""A page on paper: in a printer's colours and dots, at the size and with the losses of people's prints."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from physadv.phone.phones import Phone, Printer, PrintSettings
from physadv.phone.printers import DEFAULT, named_printer
from physadv.sheets.pdf import DOTS_PER_MM
from physadv.transforms.presses import light_of_levels, printed_srgb

MM_PER_INCH = 25.4
RASTER = 600 / MM_PER_INCH
"""Dots per mm of a page that is printed in halftone."""
RESOLVES = 0.5
"""Width of a photo, as a share of the usual one, at which dots of ink are less than two pixels apart."""
_TILE = 120  # dots after which the screens repeat
_WAVES = ((20, 6), (6, 20), (21, 0))
"""Periods of each channel's screen over the tile, in x and y: 105 lines per inch at 17, 73 and 0 degrees."""


@dataclass(frozen=True)
class Print:
    """A page on paper, as small as it can be kept: what is seen of it is computed part by part.

    Attributes:
        dots: sRGB of each dot's light before it spreads in the paper, (H, W, 3) uint8.
        light: linear light of the levels 0 to 255 of each channel, (3, 256) float32.
        spread: gaussian sigma over which ink and light spread in the paper, dots.
    """

    dots: NDArray[np.uint8]
    light: NDArray[np.float32]
    spread: float

    def reflectance(
        self, rows: tuple[int, int] | None = None, columns: tuple[int, int] | None = None, blur: float = 0.0
    ) -> Tensor:
        """Return the linear light (3, h, w), float32, of the page, or of some of its rows and columns.

        It is spread, and blurred by a gaussian of `blur` dots on top; `rows` and `columns` are the first and
        the one after the last.
        """
        sigma = math.hypot(self.spread, blur)
        reach = math.ceil(4 * sigma)
        sides = zip((rows, columns), self.dots.shape[:2], strict=False)
        (top, bottom), (left, right) = (side or (0, length) for side, length in sides)
        above, before = min(reach, top), min(reach, left)
        around = self.dots[top - above : bottom + reach, left - before : right + reach]
        sharp = cv2.LUT(around, self.light.T[None])
        soft = cv2.GaussianBlur(sharp, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        part = soft[above : above + bottom - top, before : before + right - left]
        return torch.from_numpy(part).permute(2, 0, 1)


def dots_per_mm(printer: Printer, phone: Phone) -> float:
    """Return the resolution at which a page is to be drawn and printed for a phone's photos.

    A smaller camera sees less of the page; a much smaller one sees no dots of ink.

    >>> dots_per_mm(Printer("offset-coated"), Phone(width=1512))
    10.0
    """
    sees = min(1.0, phone.width / Phone().width)
    return RASTER if printer.halftone != "continuous" and sees > RESOLVES else DOTS_PER_MM * sees


def print_page(
    page: NDArray[np.uint8],
    page_mm: tuple[float, float],
    settings: PrintSettings | None = None,
    printer: Printer | None = None,
) -> Print:
    """Return a page on paper of its size.

    The page is as laid out, uint8 sRGB pixels (H, W, 3), `page_mm` its width and height; by default an office
    laser printer prints it as it should be.

    >>> page = np.full((60, 40, 3), 255, np.uint8)
    >>> [round(value, 2) for value in print_page(page, (20.0, 30.0)).reflectance().amax(dim=(1, 2)).tolist()]
    [0.86, 0.88, 0.91]
    """
    settings, printer = settings or PrintSettings(), printer or named_printer(DEFAULT)
    height, width = page.shape[:2]
    fine = width / page_mm[0]
    if settings.dpi is not None:
        coarse = tuple(round(side / MM_PER_INCH * settings.dpi) for side in page_mm)
        page = cv2.resize(page, coarse, interpolation=cv2.INTER_AREA)
        page = cv2.resize(page, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    if settings.scale != 1:
        middle = np.array([width - 1, height - 1]) / 2
        shrink = np.column_stack([np.eye(2) * settings.scale, middle * (1 - settings.scale)])
        page = cv2.warpAffine(page, shrink, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if settings.monochrome:
        page = cv2.cvtColor(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if settings.margin_mm:
        inset = round(settings.margin_mm * fine)
        inside = slice(inset, height - inset), slice(inset, width - inset)
        laid_out, page = page, np.full_like(page, 255)
        page[inside] = laid_out[inside]
    printed = print_dots(page, printer, fine)
    white = _levels(255, printer.press)
    light = _less_ink(printed.light, white, settings.ink)
    if settings.monochrome:
        # One ink on one screen has the paper's hue.
        paper = np.take_along_axis(light, white[:, None], axis=1)
        gray = light[1, np.minimum(np.arange(256), white[1])] / paper[1]
        one = cv2.cvtColor(cv2.extractChannel(printed.dots, 1), cv2.COLOR_GRAY2RGB)
        return replace(printed, dots=one, light=gray * paper)
    return replace(printed, light=light)


def print_dots(pixels: NDArray[np.uint8], printer: Printer, resolution: float) -> Print:
    """Return sRGB pixels (H, W, 3) as a printer prints them, one a dot, `resolution` dots on a millimetre.

    At less than the raster's own, 600 dpi, a halftone is the continuous tone that its dots reflect together.

    >>> print_dots(np.full((1, 1, 3), 255, np.uint8), Printer("offset-coated"), 20).dots.tolist()
    [[[239, 241, 245]]]
    """
    dots = np.empty_like(pixels)
    for top in range(0, len(pixels), _TILE):
        band = pixels[top : top + _TILE]
        # Pictures are enlarged, and most of their rows repeat the one above.
        new = np.append(True, (band[1:] != band[:-1]).any(axis=(1, 2)))
        dots[top : top + _TILE] = printed_srgb(band[new], printer.press)[new.cumsum() - 1]
    light = np.tile(light_of_levels(), (3, 1))
    light = _less_ink(light, _levels(255, printer.press), printer.ink)
    if printer.halftone != "continuous" and resolution > 0.99 * RASTER:
        _halftone(dots, light, printer)
    return Print(dots, light, printer.spread_mm * resolution)


def _levels(grey: int, press: str) -> NDArray[np.uint8]:
    """Return the levels (3,) in which a grey is printed."""
    levels: NDArray[np.uint8] = printed_srgb(np.full((1, 1, 3), grey, np.uint8), press)[0, 0]
    return levels


def _less_ink(light: NDArray[np.float32], white: NDArray[np.uint8], ink: float) -> NDArray[np.float32]:
    """Return light (3, 256) with a share of the ink; the rest lets the paper's white through."""
    paper = np.take_along_axis(light, white[:, None].astype(int), axis=1)
    return paper + np.float32(ink) * (light - paper)


def _halftone(dots: NDArray[np.uint8], light: NDArray[np.float32], printer: Printer) -> None:
    """Turn continuous tones (H, W, 3) into dots of full ink on bare paper, whose mean is the same light.

    Each channel is one ink, as dark as the printer's black, on a screen of its own; tones darker than that
    are solid.
    """
    solid, white = (_levels(grey, printer.press) for grey in (0, 255))
    inked, paper = (np.take_along_axis(light, each[:, None].astype(int), axis=1) for each in (solid, white))
    bare = ((light - inked) / (paper - inked)).clip(0, 1)
    if printer.halftone == "clustered":
        # The lowest level at which more of the paper is bare than the screen's threshold.
        lowest = [np.searchsorted(*each, side="right") for each in zip(bare, _screens(), strict=True)]
        across = -(-dots.shape[1] // _TILE)
        screens = np.tile(np.stack(lowest, axis=-1).astype(np.uint8), (1, across, 1))[:, : dots.shape[1]]
        solid, white = (np.tile(each, (dots.shape[1], 1)) for each in (solid, white))
        for top in range(0, len(dots), _TILE):
            band = dots[top : top + _TILE]
            is_paper = band >= screens[: len(band)]
            # A third of the time that numpy's choice of one or the other takes.
            np.maximum(np.minimum(band, solid), is_paper * white, out=band)
        return
    for channel, share in enumerate((bare * 255).round().astype(np.uint8)):
        tones = cv2.extractChannel(dots, channel)
        is_paper = np.array(Image.fromarray(cv2.LUT(tones, share)).convert("1"))
        dots[..., channel] = np.maximum(np.minimum(tones, solid[channel]), is_paper * white[channel])


@lru_cache
def _screens() -> NDArray[np.float64]:
    """Return thresholds (3, _TILE, _TILE) in (0, 1) of screens that repeat: each occurs in one dot."""
    y, x = np.indices((_TILE, _TILE)) * (2 * np.pi / _TILE)
    ranks = []
    for a, b in _WAVES:
        spot = np.cos(a * x + b * y) + np.cos(a * y - b * x)
        ranks.append(spot.ravel().argsort(kind="stable").argsort().reshape(spot.shape))
    thresholds: NDArray[np.float64] = (np.stack(ranks) + 0.5) / _TILE**2
    return thresholds
