"""Stickers that many signs of one class share, as the inner attack: RP2 in small, made anew for every batch.

A sticker of an image's own may show another sign and leave nothing to learn; what has to fool every sign of a
class at once is weaker and is what is stuck on a real one (shared adversarial training, Mummadi et al. 2019).
It hangs on the sign: pose, light and lens come after it and change both alike. Put on afterwards, it would
have to fool signs in the dark and in the sun by the same colours, hardly could, and would teach nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from physadv.attacks.loop import optimise
from physadv.attacks.objectives import untargeted_cross_entropy
from physadv.attacks.optimisers import spanning_adam
from physadv.attacks.stickers import Stickers
from physadv.attacks.variables import LInfBall
from physadv.transforms import identity

TEXELS = 24
"""Side of the canvas, which covers a sign; the sign covers about so many pixels of an image."""
PIECES = (1, 4)
"""Rectangles of a set: the fewest and the most."""
ELONGATION = 3.0
"""Of a rectangle, at most: its longer side over its shorter."""
_LOOKED_AT = 8
"""Images that layouts and colours are tried on; the optimiser sees all."""
_FILLED = 0.8
"""Share of an image's side that the sign fills, about: GTSRB leaves a tenth around it."""
_TURN, _STRETCH, _SHIFT = 0.05, 0.1, 0.03
"""How signs differ in that, either way: radians, logarithm of the size, shares of the image."""

Look = Callable[[Tensor], Tensor]
"""Images (B, 3, H, W) of signs → the same signs as they may be seen, drawn anew at every call."""


@dataclass(frozen=True)
class UniversalStickers:
    """One set of rectangles anywhere on a sign, for all images given.

    Attributes:
        area: the least and the largest share of the sign that they cover.
        steps: of the optimiser.
        layouts: tried in flat colours before, at most; the one that hurts most is where the optimiser
            starts, as whoever puts stickers on a sign looks for where it is vulnerable. From grey it would
            not find what paint in the sign's own red over half a word does.
    """

    area: tuple[float, float] = (0.05, 0.25)
    steps: int = 12
    layouts: int = 64

    def __call__(
        self, network: nn.Module, images: Tensor, labels: Tensor, look: Look, generator: torch.Generator
    ) -> Tensor:
        """Return a look at the images (B, 3, H, W) with the same stickers on them, float, not rounded.

        Args:
            network: images → logits, in evaluation mode.
            images: float (B, 3, H, W) in [0, 1], signs of one class as `_FILLED` says.
            labels: int64 (B,), their class, which the stickers are to hide in every look.
            look: at signs with stickers on them; gradients pass it.
            generator: of places and start.
        """
        stickers = self._worst(network, images, labels, generator)
        values = optimise(
            lambda worn: network(look(worn)),
            untargeted_cross_entropy(labels),
            stickers,
            identity,
            spanning_adam(self.steps),
            steps=self.steps,
            samples=1,
            generator=generator,
        )
        return look(stickers.render(values, {}, 1))

    @torch.no_grad()
    def _worst(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> Stickers:
        """Return the stickers in flat colours, of one layout or of several drawn, that hurt most."""
        where, losses = views(images, generator), untargeted_cross_entropy(labels[:_LOOKED_AT])
        few = Stickers(images[:_LOOKED_AT], torch.ones(TEXELS, TEXELS), where[:_LOOKED_AT])
        worst, most = few, -math.inf
        for _ in range(int(torch.randint(self.layouts, (), generator=generator)) + 1):
            alpha, paint = self.painted(images, generator)
            stickers = replace(few, alpha=alpha, disguise=LInfBall((255 * paint).round(), 255))
            hurt = float(-losses(network(stickers.render(stickers.start(generator), {}, 1))[None]).mean())
            if hurt > most:
                worst, most = stickers, hurt
        return replace(worst, photos=images, homography=where)

    def painted(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return a random layout (TEXELS, TEXELS) and its paint (1, 3, TEXELS, TEXELS) in [0, 1].

        All pieces are of one flat colour or, half of the time, each of one of its own.
        """
        alpha = torch.zeros(TEXELS, TEXELS)
        paint = flat_colour(images, generator)[:, None, None].repeat(1, 1, TEXELS, TEXELS)
        colourful = float(torch.rand((), generator=generator)) < 0.5
        for rows, columns in self.layout(generator):
            alpha[rows, columns] = 1
            if colourful:
                paint[:, :, rows, columns] = flat_colour(images, generator)[:, None, None]
        return alpha, paint

    def layout(self, generator: torch.Generator) -> list[tuple[slice, slice]]:
        """Return a few random rectangles, rows and columns of the canvas, of about the area drawn."""
        low, high = self.area
        pieces = int(torch.randint(PIECES[0], PIECES[1] + 1, (), generator=generator))
        share = (low + (high - low) * float(torch.rand((), generator=generator))) / pieces
        found = []
        for _ in range(pieces):
            longer, x, y = torch.rand(3, generator=generator).tolist()
            ratio = ELONGATION ** (2 * longer - 1)
            height, width = (
                min(TEXELS, max(1, round(TEXELS * side)))
                for side in ((share / ratio) ** 0.5, (share * ratio) ** 0.5)
            )
            top, left = round(y * (TEXELS - height)), round(x * (TEXELS - width))
            found.append((slice(top, top + height), slice(left, left + width)))
        return found


def flat_colour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return a colour (3,) in [0, 1]: that of a random pixel or, half of the time, of its hue but pure.

    Pure colours are the strongest paint of a sign's own hues, which photos show dull or in shadow.
    """
    batch, _, height, width = images.shape
    image, row, column = (
        int(torch.randint(length, (), generator=generator)) for length in (batch, height, width)
    )
    colour = images[image, :, row, column]
    if float(torch.rand((), generator=generator)) < 0.5:
        return colour
    low, high = colour.min(), colour.max()
    return (colour - low) / (high - low).clamp_min(1 / 255)


def views(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return homographies (B, 3, 3), float64, from the canvas to the sign in each image."""
    batch, _, height, width = images.shape
    turn, stretch, shift_x, shift_y = 2 * torch.rand(4, batch, generator=generator, dtype=torch.float64) - 1
    scale = (_STRETCH * stretch).exp() * min(height, width) * _FILLED / TEXELS
    cosine, sine = scale * (_TURN * turn).cos(), scale * (_TURN * turn).sin()
    found = torch.zeros(batch, 3, 3, dtype=torch.float64)
    found[:, 0, 0], found[:, 0, 1], found[:, 1, 0], found[:, 1, 1] = cosine, -sine, sine, cosine
    middle = found.new_tensor([(width - 1) / 2, (height - 1) / 2])
    off = _SHIFT * torch.stack([shift_x * width, shift_y * height], dim=1)
    found[:, :2, 2] = middle + off - (TEXELS - 1) / 2 * found[:, :2, :2].sum(dim=2)
    found[:, 2, 2] = 1
    return found
