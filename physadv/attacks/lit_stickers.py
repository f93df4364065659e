"""One set of stickers for many signs: lit as each sign is, and shown in front of other scenes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.attacks.objectives import nearest_colours
from physadv.attacks.variables import mid_grey_noise
from physadv.transforms import round_to_8_bits
from physadv.transforms.colours import linear_to_srgb, srgb_to_linear
from physadv.transforms.protocol import Parameters

MARGIN = 0.1
"""Margin of scene around a face, in sides of the face: what a crop shows of a sign's surroundings."""
PAPER = 0.86
"""Linear light of white paper under the light that makes a perfect white 1."""


@dataclass(frozen=True)
class SharedStickers:
    """One set of stickers on the faces of all signs; values are levels from 0 to 255, (1, 3, S, S).

    A face is a photo's picture of a flat sign, rectified to S pixels a side.

    Attributes:
        scenes: (V, 3, C, C) in [0, 1], faces with `MARGIN` around them.
        mask: (S, S) in [0, 1], where on the face stickers are.
        plate: (S, S) in [0, 1], where on the face the sign is; the rest is replaced, as is the margin.
        light: (V, 3), how each sign is lit, as `white_light` measures it.
        backgrounds: (K, 3, C, C) in [0, 1], what may be behind a sign besides its own surroundings.
        batch: number of signs that a step draws.
        palette: (N, 3) in [0, 1], the only colours allowed; None allows any.
        start_at: levels (1, 3, S, S) to start from; None starts from noise around mid-grey.
        seen: what stickers (1, 3, S, S) look like once printed, in neutral light; None takes ink to be true.
    """

    scenes: Tensor
    mask: Tensor
    plate: Tensor
    light: Tensor
    backgrounds: Tensor
    batch: int
    palette: Tensor | None = None
    start_at: Tensor | None = None
    seen: Callable[[Tensor], Tensor] | None = None

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the levels to begin with."""
        if self.start_at is not None:
            return self.start_at
        return mid_grey_noise((1, 3, *self.mask.shape), generator).to(self.scenes)

    def images(self, values: Tensor) -> Tensor:
        """Return the stickers (1, 3, S, S) in [0, 1], in colours of the palette where there is one.

        The gradient passes rounding and palette as if they were not there.
        """
        colours = round_to_8_bits(values / 255)
        if self.palette is None:
            return colours
        return colours + (nearest_colours(colours.detach(), self.palette) - colours.detach())

    def draw(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw n signs, and what is behind them: their own surroundings as often as another scene."""
        signs = torch.randint(len(self.scenes), (n,), generator=generator)
        behind = torch.randint(2 * len(self.backgrounds), (n,), generator=generator)
        return {"sign": signs, "behind": behind}

    def render(self, values: Tensor, drawn: Parameters, samples: int) -> Tensor:
        """Return the drawn signs with the stickers on them, (samples·B, 3, C, C)."""
        scenes, light = self.scenes[drawn["sign"]], self.light[drawn["sign"]]
        margin = (scenes.shape[-1] - self.mask.shape[-1]) // 2
        around = (margin, scenes.shape[-1] - self.mask.shape[-1] - margin) * 2
        images = self.images(values)
        stickers, mask = F.pad(self.seen(images) if self.seen else images, around), F.pad(self.mask, around)
        behind = drawn["behind"] % len(self.backgrounds)
        other = drawn["behind"] >= len(self.backgrounds)
        plate = torch.where(other[:, None, None, None], F.pad(self.plate, around), 1.0)
        set_before = self.backgrounds[behind] + plate * (scenes - self.backgrounds[behind])
        return set_before + mask * (relit(stickers, light) - set_before)

    def project(self, values: Tensor) -> Tensor:
        """Return the values clipped to [0, 255]."""
        return values.clamp(0, 255)


def relit(stickers: Tensor, light: Tensor) -> Tensor:
    """Return stickers (1, 3, S, S) as they look under the light (B, 3) of each sign, (B, 3, S, S)."""
    lit = srgb_to_linear(stickers) * light.to(stickers)[:, :, None, None]
    return linear_to_srgb(lit.clamp(0, 1))


def white_light(faces: Tensor, plate: Tensor) -> Tensor:
    """Return the linear light of each sign's white relative to that of white paper, (V, 3).

    Stickers are relit with it: on a sign in the shade a sticker is as dark as the sign's letters. Faces are
    (V, 3, S, S) in [0, 1]; the plate, (S, S) in [0, 1], is where on them the sign is.
    """
    pixels = faces[:, :, plate > 0.99]
    brightness = pixels.amin(dim=1)
    # A sixth of a stop sign is white; half of that is surely no edge.
    whitest = brightness.topk(max(1, brightness.shape[1] // 12), dim=1).indices
    white = pixels.gather(2, whitest[:, None].expand(-1, 3, -1)).median(dim=2).values
    return srgb_to_linear(white) / PAPER


def metered(faces: Tensor, light: Tensor) -> tuple[Tensor, Tensor]:
    """Return faces (V, 3, H, W) and their light as exposed by a camera that meters the sign.

    Photos may show signs in the shade or against the sky, while the simulated cameras light their views
    themselves. Each face is brightened to the level of white paper, by two stops at most: beyond that there
    is only noise.
    """
    gain = (1 / light.amax(dim=1)).clamp(1, 4)
    shown = linear_to_srgb((srgb_to_linear(faces) * gain[:, None, None, None]).clamp(0, 1))
    return shown, light * gain[:, None]


def stickered(faces: Tensor, stickers: Tensor, mask: Tensor, light: Tensor) -> Tensor:
    """Return faces (V, 3, S, S) with stickers (1 or V, 3, S, S) on them under a mask (S, S)."""
    return faces + mask * (relit(stickers, light) - faces)
