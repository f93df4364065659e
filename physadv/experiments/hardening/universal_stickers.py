"""Stickers that many signs of one class share, as the inner attack: RP2 in small, made anew for every batch.

A sticker of an image's own may show another sign and leave nothing to learn; what has to fool every sign of a
class at once is weaker and is what is stuck on a real one (shared adversarial training, Mummadi et al. 2019).
Left to many steps, such stickers end as another sign in small: some begin as one, a decoy.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from physadv.attacks import (
    LInfBall,
    SignedStep,
    Stickers,
    optimise,
    targeted_cross_entropy,
    untargeted_cross_entropy,
)
from physadv.transforms import identity

TEXELS = 24
"""Side of the canvas, which covers a sign; the sign covers about so many pixels of an image."""
PIECES = (1, 4)
"""Rectangles of a set: the fewest and the most."""
_TURN, _STRETCH, _SHIFT = 0.2, 0.15, 0.08
"""How views of a sign differ, either way: radians, logarithm of the size, shares of the image."""


@dataclass(frozen=True)
class UniversalStickers:
    """One set of rectangles anywhere on a sign, for all images of a batch.

    Attributes:
        area: the least and the largest share of the sign that they cover.
        steps: of the optimiser.
        size: of a step from mid-grey, 8-bit levels; from a decoy a third of it, which leaves it to be seen.
    """

    area: tuple[float, float] = (0.05, 0.25)
    steps: int = 8
    size: int = 48

    def __call__(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor,
        generator: torch.Generator,
        decoy: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Return images (B, 3, H, W) with the same stickers on them, float, not rounded to 8 bits.

        Args:
            network: images → logits, in evaluation mode.
            images: float (B, 3, H, W) in [0, 1], signs of one class that fill three quarters of the image.
            labels: int64 (B,), their class, which stickers from mid-grey are to hide.
            generator: of places, views and start.
            decoy: a picture (3, h, w) in [0, 1] of another sign, to begin with, and its label (), which it is
                to be taken for.
        """
        mask = self.layout(generator)
        if decoy is None:
            objective, start, size = untargeted_cross_entropy(labels), None, self.size
        else:
            picture, label = decoy
            objective = targeted_cross_entropy(label.expand(len(labels)))
            start, size = LInfBall(255 * shown_under(mask, picture), 255), max(1, round(self.size / 3))
        stickers = Stickers(images, mask, views(images, generator), disguise=start)
        values = optimise(
            network,
            objective,
            stickers,
            identity,
            SignedStep(size),
            steps=self.steps,
            samples=1,
            generator=generator,
        )
        return stickers.render(values, {}, 1)

    def layout(self, generator: torch.Generator) -> Tensor:
        """Return a mask (TEXELS, TEXELS) of a few random rectangles, of about the area drawn."""
        low, high = self.area
        pieces = int(torch.randint(PIECES[0], PIECES[1] + 1, (), generator=generator))
        share = (low + (high - low) * float(torch.rand((), generator=generator))) / pieces
        mask = torch.zeros(TEXELS, TEXELS)
        for _ in range(pieces):
            longer, x, y = torch.rand(3, generator=generator).tolist()
            ratio = 4 ** (longer - 0.5)
            height, width = (
                min(TEXELS, max(1, round(TEXELS * side)))
                for side in ((share / ratio) ** 0.5, (share * ratio) ** 0.5)
            )
            top, left = round(y * (TEXELS - height)), round(x * (TEXELS - width))
            mask[top : top + height, left : left + width] = 1
        return mask


def shown_under(mask: Tensor, picture: Tensor) -> Tensor:
    """Return a mid-grey canvas (1, 3, h, w) with a picture (3, ·, ·) in the box of a mask (h, w)."""
    rows, columns = mask.amax(dim=1).nonzero()[:, 0], mask.amax(dim=0).nonzero()[:, 0]
    top, left = int(rows[0]), int(columns[0])
    height, width = int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left
    canvas = torch.full((1, 3, *mask.shape), 0.5)
    small = F.interpolate(picture[None], (height, width), mode="bilinear", antialias=True).clamp(0, 1)
    canvas[..., top : top + height, left : left + width] = small
    return canvas


def views(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return homographies (B, 3, 3), float64, from the canvas to the middle of each image, a little off."""
    batch, _, height, width = images.shape
    turn, stretch, shift_x, shift_y = 2 * torch.rand(4, batch, generator=generator, dtype=torch.float64) - 1
    scale = (_STRETCH * stretch).exp() * min(height, width) * 0.75 / TEXELS
    cosine, sine = scale * (_TURN * turn).cos(), scale * (_TURN * turn).sin()
    found = torch.zeros(batch, 3, 3, dtype=torch.float64)
    found[:, 0, 0], found[:, 0, 1], found[:, 1, 0], found[:, 1, 1] = cosine, -sine, sine, cosine
    middle = found.new_tensor([(width - 1) / 2, (height - 1) / 2])
    off = _SHIFT * torch.stack([shift_x * width, shift_y * height], dim=1)
    found[:, :2, 2] = middle + off - (TEXELS - 1) / 2 * found[:, :2, :2].sum(dim=2)
    found[:, 2, 2] = 1
    return found
