"""The attacks that adversarial training learns from: few steps, made anew for every batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from physadv.attacks.loop import optimise
from physadv.attacks.objectives import untargeted_cross_entropy
from physadv.attacks.optimisers import Optimiser, SignedStep, spanning_adam
from physadv.attacks.patches import Placement, circle, square
from physadv.attacks.stickers import Stickers, bars
from physadv.attacks.variables import LInfBall, Variable
from physadv.transforms import identity

TEXELS = 16
"""Side of a sticker's canvas, in pixels of its own."""
Model = Callable[[Tensor], Tensor]
"""Images → logits."""
Shape = Callable[[int], Tensor]
"""Size → alpha mask (size, size) in [0, 1], such as `square`."""
SHAPES: tuple[Shape, ...] = (square, circle, lambda size: bars(size, size))


class InnerAttack(Protocol):
    """What an attack on a batch has to be: any function of this signature is one."""

    def __call__(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Return the images to learn from, or images and labels where it puts others in their place.

        The network maps images to logits and is in evaluation mode. Images are float (B, 3, H, W) in [0, 1],
        labels int64 (B,), the true classes, which the attack is to hide. All that is random comes from the
        generator.
        """
        ...


def hiding(
    network: Model, labels: Tensor, variable: Variable, optimiser: Optimiser, steps: int, generator: Generator
) -> Tensor:
    """Return a variable's values after some steps that raise the loss of the true classes, no EOT."""
    loss = untargeted_cross_entropy(labels)
    return optimise(network, loss, variable, identity, optimiser, steps=steps, samples=1, generator=generator)


@dataclass(frozen=True)
class StickerAttack:
    """A sticker of its own for every image: the worst of a few places, then steps of Adam there.

    After the patches of Rao et al. 2020 (arXiv:2005.02313) and the rectangles of Wu et al. 2020
    (arXiv:1909.09552).

    Attributes:
        placement: share of the image that a sticker covers, and how far it may be turned.
        steps: steps of the optimiser, from mid-grey.
        places: places tried with a grey sticker first; the one that raises the loss most is kept.
        shapes: alpha masks, of which every batch draws one.

    >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> images, attack = torch.full((2, 3, 16, 16), 0.3), StickerAttack(Placement((0.1, 0.1)), steps=2)
    >>> stickered = attack(network, images, torch.tensor([0, 1]), Generator().manual_seed(0))
    >>> bool(0.05 < (stickered != images).any(dim=1).float().mean() < 0.25)
    True
    """

    placement: Placement
    steps: int = 5
    places: int = 3
    shapes: Sequence[Shape] = SHAPES

    def __call__(self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> Tensor:
        """Return the images (B, 3, H, W) with stickers on them, float, not rounded to 8 bits."""
        count = len(self.shapes)
        alpha = self.shapes[int(torch.randint(count, (), generator=generator)) if count > 1 else 0](TEXELS)
        views = self._worst(network, images, labels, generator, alpha)
        stickers = Stickers(images, alpha, views, shared=False)
        values = hiding(network, labels, stickers, spanning_adam(self.steps), self.steps, generator)
        return stickers.render(values, {}, 1)

    def _worst(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator, alpha: Tensor
    ) -> Tensor:
        """Return for each image the view (B, 3, 3), of several drawn, in which a grey sticker hurts most."""
        batch = len(images)
        drawn = self.views(self.places * batch, alpha, images.shape[-2:], generator)
        if self.places == 1:
            return drawn
        grey = Stickers(images.repeat(self.places, 1, 1, 1), alpha, drawn)
        with torch.no_grad():
            logits = network(grey.render(grey.start(generator), {}, 1))
            losses = -untargeted_cross_entropy(labels)(logits.view(self.places, batch, -1))
        return drawn.view(self.places, batch, 3, 3)[losses.argmax(dim=0), torch.arange(batch)]

    def views(self, n: int, alpha: Tensor, frame: Sequence[int], generator: Generator) -> Tensor:
        """Return n random homographies (n, 3, 3), float64, from the canvas (s, s) to a frame (H, W).

        The canvas lies wholly in the frame, or in its middle along an axis on which it is larger.
        """
        drawn = self.placement.draw(n, generator)
        height, width = frame
        texel = (drawn["area"].double() * height * width / alpha.sum()).sqrt()
        cosine, sine = texel * drawn["angle"].cos(), texel * drawn["angle"].sin()
        reach = len(alpha) / 2 * (cosine.abs() + sine.abs())
        middle = torch.tensor([width, height], dtype=torch.float64) / 2
        centre = middle + (2 * drawn["place"] - 1) * (middle - reach[:, None]).clamp_min(0) - 0.5
        turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
        shift = centre - (len(alpha) - 1) / 2 * turn.sum(dim=2)
        views = torch.zeros(n, 3, 3, dtype=torch.float64)
        views[:, :2, :2], views[:, :2, 2], views[:, 2, 2] = turn, shift, 1
        return views


@dataclass(frozen=True)
class NoiseAttack:
    """Projected gradient steps in the L∞ ball, from a random start (Madry et al. 2018, arXiv:1706.06083).

    Attributes:
        eps: radius of the ball, in 8-bit levels.
        steps: number of steps; each is a quarter of eps long, but at least one level.

    >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> images = torch.full((2, 3, 16, 16), 0.4)
    >>> noisy = NoiseAttack(eps=4)(network, images, torch.tensor([0, 1]), Generator().manual_seed(0))
    >>> round(float((noisy - images).abs().max()) * 255, 3)
    4.0
    """

    eps: int
    steps: int = 5

    def __call__(self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator) -> Tensor:
        """Return images (B, 3, H, W), whole 8-bit levels, no further than eps from `images` so rounded."""
        ball = LInfBall((images * 255).round(), self.eps, random_start=True)
        step = SignedStep(max(1, round(self.eps / 4)))
        return ball.images(hiding(network, labels, ball, step, self.steps, generator))


@dataclass(frozen=True)
class Mixture:
    """An inner attack made of several: each gets a share of the batch, and the rest stays as it is.

    Attributes:
        parts: (attack, share of the batch) in the order of the batch; the shares sum to 1 at most.

    >>> darker = lambda network, images, labels, generator: images / 2
    >>> mixture = Mixture([(darker, 0.5), (NoiseAttack(eps=2), 0.25)])
    >>> network, images = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.full((8, 3, 4, 4), 0.4)
    >>> mixed, _ = mixture(network, images, torch.zeros(8).long(), Generator().manual_seed(0))
    >>> [bool((image != 0.4).any()) for image in mixed]
    [True, True, True, True, True, True, False, False]
    """

    parts: Sequence[tuple[InnerAttack, float]]

    def __call__(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the images (B, 3, H, W) and labels (B,) of a batch, in order, its first ones attacked."""
        counts = [round(share * len(images)) for _, share in self.parts]
        counts.append(len(images) - sum(counts))
        batch, classes = list(torch.split(images, counts)), list(torch.split(labels, counts))
        for part, (attack, _) in enumerate(self.parts):
            if counts[part]:
                found = attack(network, batch[part], classes[part], generator)
                batch[part], classes[part] = found if isinstance(found, tuple) else (found, classes[part])
        return torch.cat(batch), torch.cat(classes)
