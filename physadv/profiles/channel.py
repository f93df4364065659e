"""What a profile's numbers do to images: colours, light, blur, sharpening, noise; drawn, differentiable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from physadv.transforms.distributions import Optics, Photometry
from physadv.transforms.presses import NODES
from physadv.transforms.protocol import (
    Drawn,
    Parameters,
    Range,
    Transformation,
    compose,
    in_linear_light,
    plus_minus,
)
from physadv.transforms.warps import Warp

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from physadv.profiles.profile import Profile

FULL = 65535
"""What stands for 1 in a colour table: 16 bits."""
OF_SD = math.sqrt(3)
"""Half the width of a uniform distribution over its standard deviation."""
LEAST_HALO = 0.02
"""Strength of sharpening below which none is drawn: as much as an edge without any seems to have."""
BETWEEN_PIXELS = 1 / 6
"""Variance, in pixels squared, that linear sampling between pixels adds to a blur."""
OFFSET, TURN, ZOOM = 0.1, 0.03, 0.0005
"""What a good crop is off by: pixels of shift, degrees and share of the size. They add up to 0.3 pixels."""


@dataclass(frozen=True)
class ColourTable(Drawn):
    """A fixed map of colours.

    Attributes:
        rows: sRGB in 16 bits of 17³ colours, R changing fastest, then G, then B.
    """

    rows: tuple[tuple[int, int, int], ...]

    @cached_property
    def table(self) -> Tensor:
        """Return it as `look_up` takes it, of sRGB in [0, 1]."""
        import torch

        from physadv.transforms.colours import tetrahedra

        cube = torch.tensor(self.rows, dtype=torch.float32).reshape(NODES, NODES, NODES, 3)
        return tetrahedra(cube.permute(3, 0, 1, 2)[None] / FULL)

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return sRGB images (n, 3, H, W) in [0, 1] in the colours of the table, in [0, 1]."""
        from physadv.transforms.colours import look_up

        return look_up(images, self.table)


@dataclass(frozen=True)
class Halo(Drawn):
    """A phone's sharpening, an unsharp mask.

    Attributes:
        amount: its strength.
        radius: its gaussian sigma, pixels of the image.
    """

    amount: float
    radius: float

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return sRGB images (n, 3, H, W) in [0, 1] sharpened, in [0, 1]."""
        from physadv.transforms.optics import gaussian_blur

        soft = gaussian_blur(images, images.new_full((len(images),), self.radius))
        return (images + self.amount * (images - soft)).clamp(0, 1)


@dataclass(frozen=True)
class Grain(Drawn):
    """Noise whose strength is a curve over the level, as it was measured.

    Attributes:
        sds: standard deviation at evenly spaced levels from 0 to 1, in units of the images.
    """

    sds: tuple[float, ...]

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw the `seed` (n,) of the noise."""
        from physadv.transforms.camera import draw_seeds

        return {"seed": draw_seeds(n, generator)}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return sRGB images (n, 3, H, W) in [0, 1] with the noise of their seeds, in [0, 1]."""
        from physadv.transforms.camera import pooled_normal

        curve = images.new_tensor(self.sds)
        place = images.detach().clamp(0, 1) * (len(curve) - 1)
        below = place.long().clamp_max(len(curve) - 2)
        sd = curve[below].lerp(curve[below + 1], place - below)
        return (images + sd * pooled_normal(parameters["seed"], images)).clamp(0, 1)


def channel(profile: Profile, image_px: int, ratio: float) -> Transformation:
    """Return what a profile draws for images of `image_px` pixels, each of `ratio` pixels of the photo."""
    blur, noise, spread = profile.blur, profile.noise, profile.colour_spread
    light = OF_SD * math.hypot(spread.exposure, spread.shading)
    tint = OF_SD * math.hypot(spread.red, spread.blue) / math.sqrt(2)
    gains = Photometry(
        gain=Range(math.exp(-light), math.exp(light), "log"), white_balance=plus_minus(min(tint, 1))
    )
    # The crop is sampled in the photo, then read off the image's own grid.
    own = [blur.sigma_px * max(0.0, 1 + side * OF_SD * blur.spread) for side in (-1, 1)]
    sigmas = [math.sqrt((sigma**2 + BETWEEN_PIXELS) / ratio**2 + BETWEEN_PIXELS) for sigma in own]
    soft = Optics(sigma=Range(min(sigmas), max(sigmas)))
    # White noise spread over a gaussian, then averaged over a square of `ratio` pixels.
    kept = min(1.0, (12 * noise.length_px**2 + 1) / (12 * noise.length_px**2 + ratio**2))
    grain = Grain(tuple(sd / 255 * math.sqrt(kept) for sd in noise.curve))
    shift = plus_minus(OFFSET / image_px)
    moved = Warp(rotation=plus_minus(TURN), scale=Range(1 - ZOOM, 1 + ZOOM), shift_x=shift, shift_y=shift)
    if blur.amount < LEAST_HALO:
        return compose(moved, profile.looks(), in_linear_light(gains, soft), grain)
    halo = Halo(blur.amount, blur.radius_px / ratio)
    return compose(moved, profile.looks(), in_linear_light(gains, soft), halo, grain)
