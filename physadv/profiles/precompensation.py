"""The colours to print so that a measured printer and phone show those that were meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from physadv.transforms.presses import NODES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from physadv.profiles.channel import ColourTable
    from physadv.profiles.profile import Profile

NODES_OF_INVERSE = 33
STEPS, RATE = 60, 0.02


@dataclass(frozen=True)
class Precompensation:
    """The inverse of a profile's colours, as far as the printer has ink for them.

    Attributes:
        table: what to print for the colours of 33³ nodes, as `look_up` takes it.
        looks: what a printed colour looks like.
    """

    table: Tensor
    looks: ColourTable

    def printed(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what to print for pixels (H, W, 3), uint8, so that they are photographed as they are."""
        from physadv.transforms.colours import look_up

        found = (255 * look_up(_batch(pixels), self.table)).round().byte()
        levels: NDArray[np.uint8] = found[0].permute(1, 2, 0).numpy()
        return levels

    def errors(self, meant: NDArray[np.uint8], printed: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the CIEDE2000 differences (H, W) of pixels (H, W, 3) as photographed from those meant."""
        from physadv.profiles.fitting import delta_e

        seen = self.looks.apply(_batch(printed), {})[0].permute(1, 2, 0).numpy()
        return delta_e(seen, meant / 255)


def precompensation(profile: Profile) -> Precompensation:
    """Return the colours to print for every colour that is to be photographed.

    Of the colours of the profile's table the one seen nearest in CIELAB is the start, gradient steps go on
    from there, and no step leaves what can be printed: a colour out of reach gets the nearest within it.
    """
    import torch
    import torch.nn.functional as F
    from kornia.color import rgb_to_lab

    from physadv.transforms.colours import tetrahedra

    looks = profile.looks()
    coarse, fine = _grid(NODES), _grid(NODES_OF_INVERSE)
    shown = rgb_to_lab(looks.apply(coarse, {}))[0, :, :, 0].T
    nearest = torch.cdist(rgb_to_lab(coarse)[0, :, :, 0].T, shown).argmin(dim=1)
    start = coarse[0, :, nearest, 0].reshape(1, 3, NODES, NODES, NODES)
    size = (NODES_OF_INVERSE,) * 3
    found = F.interpolate(start, size, mode="trilinear", align_corners=True).reshape(fine.shape)
    wanted, best, least = rgb_to_lab(fine), found, torch.full(fine.shape[2:3], torch.inf)
    values = found.clone().requires_grad_()
    optimiser = torch.optim.Adam([values], RATE)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        away = (rgb_to_lab(looks.apply(values, {})) - wanted).square().sum(dim=1)[0, :, 0]
        nearer = away.detach() < least
        least = torch.where(nearer, away.detach(), least)
        best = torch.where(nearer[None, None, :, None], values.detach(), best)
        optimiser.zero_grad()
        away.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        slower.step()
        values.data.clamp_(0, 1)
    return Precompensation(tetrahedra(best.reshape(1, 3, *size)), looks)


def _grid(nodes: int) -> Tensor:
    """Return the colours of a table's nodes, (1, 3, nodes³, 1)."""
    import torch

    levels = torch.linspace(0, 1, nodes)
    blue, green, red = torch.meshgrid(levels, levels, levels, indexing="ij")
    return torch.stack([red, green, blue]).reshape(1, 3, -1, 1)


def _batch(pixels: NDArray[np.uint8]) -> Tensor:
    import torch

    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
