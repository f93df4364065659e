"""What an office printer makes of a picture: less gamut, darker midtones, softer edges.

A model of this project's own, with round numbers within what office printers are known to do; it is fitted
to no printer.
"""

from dataclasses import dataclass

import torch
from kornia.color import rgb_to_linear_rgb
from kornia.filters import gaussian_blur2d
from torch import Tensor


@dataclass(frozen=True)
class Printer:
    """A printer and its paper.

    Attributes:
        white: reflectance of the bare paper in R, G, B.
        black: reflectance of full ink, relative to white.
        dot_gain: rise of a 50 % ink coverage, as a fraction (0.05: 50 % prints as 55 %).
        crosstalk: share of each channel that every other channel takes from it (ink colour error).
        spread_mm: gaussian spread of ink and light in the paper, mm.
    """

    white: tuple[float, float, float] = (0.86, 0.86, 0.84)
    black: float = 0.035
    dot_gain: float = 0.05
    crosstalk: float = 0.03
    spread_mm: float = 0.05


def print_images(images: Tensor, printer: Printer, dots_per_mm: float) -> Tensor:
    """Return the reflectance (B, 3, H, W), linear light, of sRGB images in [0, 1] printed at a resolution."""
    light = rgb_to_linear_rgb(images)
    light = light - 4 * printer.dot_gain * light * (1 - light)
    mix = torch.full((3, 3), printer.crosstalk)
    mix.fill_diagonal_(1 - 2 * printer.crosstalk)
    light = torch.einsum("ij,bjhw->bihw", mix.to(light), light)
    light = printer.black + (1 - printer.black) * light
    sigma = printer.spread_mm * dots_per_mm
    reach = 2 * max(1, round(3 * sigma)) + 1
    light = gaussian_blur2d(light, (reach, reach), light.new_full((len(light), 2), sigma))
    return light * light.new_tensor(printer.white)[:, None, None]
