"""What an office printer makes of a picture: less gamut, darker midtones, softer edges.

A model of this project's own, with round numbers within what office printers are known to do; it is fitted
to no printer.
"""

from dataclasses import dataclass

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from physadv.transforms.light import srgb_to_linear
from physadv.transforms.protocol import Parameters
from physadv.transforms.ranges import ONE, ZERO, Range, require
from physadv.transforms.surrogates import with_slope


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
    light = srgb_to_linear(images)
    one = light.new_ones(len(light))
    light = ink(
        light,
        white=light.new_tensor(printer.white).expand(len(light), 3),
        black=printer.black * one,
        dot_gain=printer.dot_gain * one,
        crosstalk=printer.crosstalk * one,
    )
    sigma = printer.spread_mm * dots_per_mm
    reach = 2 * max(1, round(3 * sigma)) + 1
    # A page is one large image, for which the library's blur is several times faster than `gaussian_blur`,
    # made for batches.
    return gaussian_blur2d(light, (reach, reach), light.new_full((len(light), 2), sigma))


def ink(light: Tensor, *, white: Tensor, black: Tensor, dot_gain: Tensor, crosstalk: Tensor) -> Tensor:
    """Return the reflectance of ink asked to look like `light`, (B, 3, H, W), linear, before it spreads.

    Args:
        light: (B, 3, H, W), linear, in [0, 1].
        white: (B, 3) reflectance of the paper.
        black: (B,) reflectance of full ink, relative to white.
        dot_gain: (B,) as in `Printer`.
        crosstalk: (B,) as in `Printer`.
    """
    with torch.no_grad():
        rise = (4 * dot_gain.to(light)).reshape(-1, 1, 1, 1)
        gained = torch.addcmul(light, rise, light.square().sub_(light))
        slope = (light * 2).sub_(1).mul_(rise).add_(1) if light.requires_grad else gained
    share = crosstalk.to(light)[:, None, None]
    unit = torch.eye(3, dtype=light.dtype, device=light.device)
    mix = (1 - 3 * share) * unit + share
    paper, floor = white.to(light)[:, :, None], black.to(light)[:, None, None]
    flat = torch.baddbmm(
        paper * floor, paper * (1 - floor) * mix, with_slope(light, gained, slope).flatten(2)
    )
    return flat.reshape(light.shape)


@dataclass(frozen=True)
class Ink:
    """A distribution over printers, on linear light; by default one that prints what it is given.

    The spread of ink is left to `Optics`: to what sees the print it is one more blur.

    Attributes:
        white: reflectance of the paper, drawn once for all channels.
        black: reflectance of full ink, relative to white.
        dot_gain: rise of a 50 % ink coverage, as a fraction.
        crosstalk: share of each channel that every other channel takes from it.
        yellowing: how much less the paper reflects blue, as a fraction.

    Raises:
        TransformError: a range leaves 0 to 1, dot gain 0 to 0.25 or crosstalk 0 to a third.
    """

    white: Range = ONE
    black: Range = ZERO
    dot_gain: Range = ZERO
    crosstalk: Range = ZERO
    yellowing: Range = ZERO

    def __post_init__(self) -> None:
        for name in ("white", "black", "yellowing"):
            require(name, getattr(self, name), at_least=0, at_most=1)
        require("dot_gain", self.dot_gain, at_least=0, at_most=0.25)
        require("crosstalk", self.crosstalk, at_least=0, at_most=1 / 3)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw every quantity above, (n,)."""
        names = ("white", "black", "dot_gain", "crosstalk", "yellowing")
        return {name: getattr(self, name).draw(n, generator) for name in names}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the reflectance (n, 3, H, W), linear light in [0, 1], of linear light in [0, 1]."""
        white = parameters["white"]
        return ink(
            images,
            white=torch.stack([white, white, white * (1 - parameters["yellowing"])], dim=1),
            black=parameters["black"],
            dot_gain=parameters["dot_gain"],
            crosstalk=parameters["crosstalk"],
        )
