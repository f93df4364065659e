"""What an office printer makes of a picture: less gamut, darker midtones, softer edges.

A model of this project's own, with round numbers within what office printers are known to do; it is fitted
to no printer.
"""

import torch
from torch import Tensor

from physadv.transforms.surrogates import with_slope


def ink(light: Tensor, *, white: Tensor, black: Tensor, dot_gain: Tensor, crosstalk: Tensor) -> Tensor:
    """Return the reflectance of ink asked to look like `light`, (B, 3, H, W), linear, before it spreads.

    Args:
        light: (B, 3, H, W), linear, in [0, 1].
        white: (B, 3) reflectance of the paper.
        black: (B,) reflectance of full ink, relative to white.
        dot_gain: (B,) rise of a 50 % ink coverage, as a fraction.
        crosstalk: (B,) share of each channel that every other channel takes from it.
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
