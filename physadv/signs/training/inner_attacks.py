"""The attacks that adversarial training learns from: few steps, anywhere on the sign, made anew.

Each takes the network as it stands and images of one batch, and returns the images to learn from.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from physadv.attacks.loop import optimise
from physadv.attacks.objectives import untargeted_cross_entropy
from physadv.attacks.optimisers import SignedStep, spanning_adam
from physadv.attacks.patches import Placement, circle, square
from physadv.attacks.stickers import Stickers, bars
from physadv.attacks.variables import LInfBall
from physadv.signs.training.augmentation import viewed
from physadv.signs.training.universal_stickers import Look, UniversalStickers
from physadv.transforms import identity

TEXELS = 16
"""Side of a sticker's canvas, half that of the images: no sticker shows more detail than they can."""
FAR = (14, 28)
"""Least and largest side, pixels, of images seen from afar; the sign fills four fifths of it."""
SHAPES: tuple[Callable[[int], Tensor], ...] = (square, circle, lambda size: bars(size, size))


@dataclass(frozen=True)
class StickerAttack:
    """Stickers of one's own for every image: the worst of a few places, then steps of Adam there.

    Attributes:
        placement: how much of the image they cover, how far they are turned.
        steps: of the optimiser, from mid-grey.
        places: tried with grey stickers before; the one that hurts most is kept (Wu et al. 2020).
    """

    placement: Placement
    steps: int = 5
    places: int = 3

    def __call__(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor,
        generator: torch.Generator,
        shape: Callable[[int], Tensor],
    ) -> Tensor:
        """Return images (B, 3, H, W) with stickers of one shape on them, float, not rounded to 8 bits.

        Args:
            network: images → logits, in evaluation mode.
            images: float (B, 3, H, W) in [0, 1].
            labels: int64 (B,), the true classes, which the stickers are to hide.
            generator: of places and starts.
            shape: size → alpha mask, such as `circle`, `square`.
        """
        alpha = shape(TEXELS)
        views = self._worst(network, images, labels, generator, alpha)
        stickers = Stickers(images, alpha, views, shared=False)
        values = optimise(
            network,
            untargeted_cross_entropy(labels),
            stickers,
            identity,
            spanning_adam(self.steps),
            steps=self.steps,
            samples=1,
            generator=generator,
        )
        return stickers.render(values, {}, 1)

    def _worst(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator, alpha: Tensor
    ) -> Tensor:
        """Return for each image the view (B, 3, 3), of several drawn, in which grey stickers hurt most."""
        batch = len(images)
        drawn = self.views(self.places * batch, alpha, images.shape[-2:], generator)
        if self.places == 1:
            return drawn
        grey = Stickers(images.repeat(self.places, 1, 1, 1), alpha, drawn)
        with torch.no_grad():
            logits = network(grey.render(grey.start(generator), {}, 1))
            losses = -untargeted_cross_entropy(labels)(logits.view(self.places, batch, -1))
        return drawn.view(self.places, batch, 3, 3)[losses.argmax(dim=0), torch.arange(batch)]

    def views(
        self, n: int, alpha: Tensor, frame: torch.Size | tuple[int, int], generator: torch.Generator
    ) -> Tensor:
        """Return n random homographies (n, 3, 3), float64, from the canvas (s, s) to a frame (H, W).

        The canvas lies wholly in the frame, or in its middle along an axis on which it is larger.
        """
        drawn = self.placement.draw(n, generator)
        height, width = frame
        texel = (drawn["area"].double() * height * width / alpha.sum()).sqrt()
        cosine, sine = texel * drawn["angle"].cos(), texel * drawn["angle"].sin()
        side = len(alpha)
        reach = side / 2 * (cosine.abs() + sine.abs())
        middle = torch.tensor([width, height], dtype=torch.float64) / 2
        centre = middle + (2 * drawn["place"] - 1) * (middle - reach[:, None]).clamp_min(0) - 0.5
        turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
        shift = centre - (side - 1) / 2 * turn.sum(dim=2)
        views = torch.zeros(n, 3, 3, dtype=torch.float64)
        views[:, :2, :2], views[:, :2, 2], views[:, 2, 2] = turn, shift, 1
        return views


@dataclass(frozen=True)
class NoiseAttack:
    """Projected gradient steps in the L∞ ball, from a random start (Madry et al. 2018).

    Attributes:
        eps: 8-bit levels.
        steps: of a quarter of eps each, one level or more.
    """

    eps: int
    steps: int = 5

    def __call__(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return images (B, 3, H, W), whole 8-bit levels, no further than eps from `images` so rounded."""
        ball = LInfBall((images * 255).round(), self.eps, random_start=True)
        values = optimise(
            network,
            untargeted_cross_entropy(labels),
            ball,
            identity,
            SignedStep(max(1, round(self.eps / 4))),
            steps=self.steps,
            samples=1,
            generator=generator,
        )
        return ball.images(values)


@dataclass(frozen=True)
class Mixture:
    """What a batch of adversarial training is made of: some images as they are, the others attacked.

    Attributes:
        stickers: the attack with stickers of an image's own; `stickered` the share of a batch in them.
        universal: the attack with stickers that signs of one class share; `shared` the share of a batch that
            is replaced by such signs, which are of as many classes, and wear as many sets, as `sets` says.
        noise: the L∞ attack; None without it. `noisy` its share, taken from the others.
    """

    stickers: StickerAttack
    stickered: float
    universal: UniversalStickers
    shared: float
    noise: NoiseAttack | None
    noisy: float = 0.3
    sets: int = 4

    def __call__(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor,
        generator: torch.Generator,
        one_class: Callable[[int], tuple[Tensor, Tensor]],
    ) -> tuple[Tensor, Tensor]:
        """Return the images (B, 3, H, W) and labels (B,) of a batch in their order, its first ones attacked.

        The network attacks itself in evaluation mode, so that its running statistics are of the batches it
        learns from only, and is left in training mode.

        Args:
            network: images → logits.
            images: float (B, 3, H, W) in [0, 1].
            labels: int64 (B,).
            generator: of everything random in the attacks.
            one_class: n → n images, as photographed, and labels of some one class.
        """
        network.eval()
        counts = [round(self.stickered * len(images)), round(self.shared * len(images))]
        counts.append(round(self.noisy * len(images)) if self.noise else 0)
        counts.append(len(images) - sum(counts))
        own, replaced, noisy, rest = torch.split(images, counts)
        parts, known = [], labels.clone()
        if len(own):
            shape = SHAPES[int(torch.randint(len(SHAPES), (), generator=generator))]
            parts.append(self.stickers(network, own, labels[: len(own)], generator, shape))
        first = len(own)
        for group in replaced.tensor_split(self.sets):
            if len(group):
                signs, classes = one_class(len(group))
                parts.append(self.universal(network, signs, classes, _look(classes, generator), generator))
                known[first : first + len(group)] = classes
                first += len(group)
        if self.noise is not None:
            parts.append(self.noise(network, noisy, labels[first : first + len(noisy)], generator))
        network.train()
        return torch.cat([*parts, rest]).detach(), known


def _look(labels: Tensor, generator: torch.Generator) -> Look:
    """Return how signs are looked at: half of the time as photographed, else as training sees signs.

    A sticker for signs seen alike is stronger than one for all weather; both are met. Half of the time signs
    are seen from afar besides, where letters are a blur and stickers need less to show another sign.
    """
    weathered, far = (torch.rand(2, generator=generator) < 0.5).tolist()

    def look(images: Tensor) -> Tensor:
        seen = viewed(images, labels, generator) if weathered else images
        return from_afar(seen, generator) if far else seen

    return look


def from_afar(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return images (B, 3, H, W) as they are at `FAR` pixels a side, one draw for all, enlarged again."""
    side = int(torch.randint(FAR[0], FAR[1] + 1, (), generator=generator))
    small = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
    return F.interpolate(small, images.shape[-2:], mode="bilinear")
