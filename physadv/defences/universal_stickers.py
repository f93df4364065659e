"""Stickers that all images of a class share, as an inner attack: RP2 in small, made anew for every batch.

A sticker for one image can simply paint another object and leaves nothing to learn. One for a whole class is
weaker, realistic, and worth training on (Mummadi et al. 2019). It is put on before pose, light and lens: put
on after them, it would have to work in the dark and in the sun in the same colours, and teach nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor, nn

from physadv.attacks.objectives import untargeted_cross_entropy
from physadv.attacks.optimisers import spanning_adam
from physadv.attacks.stickers import Stickers
from physadv.attacks.variables import LInfBall
from physadv.defences.inner_attacks import hiding

TEXELS = 24
"""Side of the canvas that covers the object, in pixels of its own."""
PIECES = (1, 4)
"""Fewest and most rectangles in a set."""
ELONGATION = 3.0
"""Largest ratio of a rectangle's longer side to its shorter."""
_TRIED_ON = 8
"""Images that layouts and colours are tried on; the optimiser sees all."""
_TURN, _STRETCH, _SHIFT = 0.05, 0.1, 0.03
"""Spread of the objects' poses, either way: radians, logarithm of the size, shares of the image."""

View = Callable[[Tensor], Tensor]
"""Images (B, 3, H, W) of objects → the same objects under conditions drawn anew at every call."""
UNCHANGED: View = nn.Identity()
"""The view that changes nothing."""


@dataclass(frozen=True)
class UniversalStickers:
    """One set of rectangles, anywhere on the object, for all images given: objects of one class.

    Attributes:
        area: least and largest share of the object that they cover.
        steps: steps of the optimiser.
        layouts: most layouts that are tried in flat colours first; the one that raises the loss most is where
            the optimiser starts. From grey it would not find what paint in the object's own colours does.
        filled: share of an image's side that the object fills, in the middle of the image.

    >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> images, attack = torch.full((4, 3, 32, 32), 0.3), UniversalStickers((0.2, 0.2), steps=2, layouts=4)
    >>> stickered = attack(network, images, torch.zeros(4).long(), torch.Generator().manual_seed(0))
    >>> stickered.shape, bool((stickered != images).any(dim=1).float().mean() < 0.3)
    (torch.Size([4, 3, 32, 32]), True)
    """

    area: tuple[float, float] = (0.05, 0.25)
    steps: int = 12
    layouts: int = 64
    filled: float = 0.8

    def __call__(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator, view: View = UNCHANGED
    ) -> Tensor:
        """Return a view of the images (B, 3, H, W) with the same stickers on them, float, not rounded.

        The arguments are those of every `InnerAttack`, the images objects of one class; `view` changes images
        with stickers on them, and gradients pass through it.
        """
        stickers = self._worst(network, images, labels, generator)
        adam = spanning_adam(self.steps)
        values = hiding(lambda worn: network(view(worn)), labels, stickers, adam, self.steps, generator)
        return view(stickers.render(values, {}, 1))

    @torch.no_grad()
    def _worst(self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> Stickers:
        """Return the stickers in flat colours, of one layout or of several drawn, that hurt most."""
        where, losses = poses(images, self.filled, generator), untargeted_cross_entropy(labels[:_TRIED_ON])
        few = Stickers(images[:_TRIED_ON], torch.ones(TEXELS, TEXELS), where[:_TRIED_ON])
        worst, most = few, -math.inf
        for _ in range(int(torch.randint(self.layouts, (), generator=generator)) + 1):
            alpha, paint = self.painted(images, generator)
            stickers = replace(few, alpha=alpha, disguise=LInfBall((255 * paint).round(), 255))
            hurt = float(-losses(network(stickers.render(stickers.start(generator), {}, 1))[None]).mean())
            if hurt > most:
                worst, most = stickers, hurt
        return replace(worst, photos=images, homography=where)

    def painted(self, images: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return a random layout (TEXELS, TEXELS) and paint (1, 3, TEXELS, TEXELS) of one or more colours."""
        alpha = torch.zeros(TEXELS, TEXELS)
        paint = flat_colour(images, generator)[:, None, None].repeat(1, 1, TEXELS, TEXELS)
        colourful = float(torch.rand((), generator=generator)) < 0.5
        for rows, columns in self.layout(generator):
            alpha[rows, columns] = 1
            if colourful:
                paint[:, :, rows, columns] = flat_colour(images, generator)[:, None, None]
        return alpha, paint

    def layout(self, generator: Generator) -> list[tuple[slice, slice]]:
        """Return a few random rectangles, rows and columns of the canvas, of about the area drawn."""
        low, high = self.area
        pieces = int(torch.randint(PIECES[0], PIECES[1] + 1, (), generator=generator))
        share = (low + (high - low) * float(torch.rand((), generator=generator))) / pieces
        found = []
        for _ in range(pieces):
            longer, x, y = torch.rand(3, generator=generator).tolist()
            ratio = ELONGATION ** (2 * longer - 1)
            sides = ((share / ratio) ** 0.5, (share * ratio) ** 0.5)
            height, width = (min(TEXELS, max(1, round(TEXELS * side))) for side in sides)
            top, left = round(y * (TEXELS - height)), round(x * (TEXELS - width))
            found.append((slice(top, top + height), slice(left, left + width)))
        return found


def flat_colour(images: Tensor, generator: Generator) -> Tensor:
    """Return a colour (3,) in [0, 1]: that of a random pixel or, half of the time, of its hue but pure.

    Pure colours are the strongest paint of an object's own hues, which photos show dull or in shadow.
    """
    batch, _, height, width = images.shape
    sides = (batch, height, width)
    image, row, column = (int(torch.randint(side, (), generator=generator)) for side in sides)
    colour = images[image, :, row, column]
    if float(torch.rand((), generator=generator)) < 0.5:
        return colour
    low, high = colour.min(), colour.max()
    return (colour - low) / (high - low).clamp_min(1 / 255)


def poses(images: Tensor, filled: float, generator: Generator) -> Tensor:
    """Return random homographies (B, 3, 3), float64, from the canvas to the object in each image."""
    batch, _, height, width = images.shape
    turn, stretch, shift_x, shift_y = 2 * torch.rand(4, batch, generator=generator, dtype=torch.float64) - 1
    scale = (_STRETCH * stretch).exp() * min(height, width) * filled / TEXELS
    cosine, sine = scale * (_TURN * turn).cos(), scale * (_TURN * turn).sin()
    found = torch.zeros(batch, 3, 3, dtype=torch.float64)
    found[:, 0, 0], found[:, 0, 1], found[:, 1, 0], found[:, 1, 1] = cosine, -sine, sine, cosine
    middle = found.new_tensor([(width - 1) / 2, (height - 1) / 2])
    off = _SHIFT * torch.stack([shift_x * width, shift_y * height], dim=1)
    found[:, :2, 2] = middle + off - (TEXELS - 1) / 2 * found[:, :2, :2].sum(dim=2)
    found[:, 2, 2] = 1
    return found
