"""Signs of one class at a time, photographed or drawn, in stickers that they share.

Photos from one country teach one face. GTSRB's stop signs are German: stickers with which a hardened network
called every photo of a US stop sign "no entry" did so on no German sign, photographed or drawn, but on every
drawn American one, whose letters are smaller.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from physadv.classifiers.specs import SIGN_LABELS
from physadv.defences.universal_stickers import UniversalStickers, View
from physadv.signs.drawing.drawing import draw_posed_sign
from physadv.signs.drawing.faces import ABROAD
from physadv.signs.training.augmentation import viewed
from physadv.signs.training.data import Signs

DRAWN = 400
"""Drawings made to train on."""
SETS = 4
"""Sets of shared stickers in a batch, each on signs of one class."""
FAR = (14, 28)
"""Least and largest side, in pixels, of images seen from afar; the sign fills four fifths of it."""
_SIDE = 32
"""Side of the drawings in pixels, as GTSRB's images are stored."""


def drawn_abroad(label: str, count: int, seed: int) -> Signs | None:
    """Return so many drawings of a sign as it is in another country, or None where there is no such face."""
    if label not in ABROAD:
        return None
    random = np.random.default_rng(seed)
    pixels = np.stack([draw_posed_sign(ABROAD[label], _SIDE, random)[0] for _ in range(count)])
    classes = torch.full((count,), SIGN_LABELS.index(label))
    return Signs(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), classes)


@dataclass(frozen=True)
class OneClass:
    """Draws signs of one class.

    Attributes:
        signs: photographed signs of all classes.
        protected: the class that is drawn with probability `focus`; else it is the class of a random photo.
        focus: probability of the protected class.
        abroad: drawings of the protected class, if there are any.
        drawn: probability that signs of the protected class are drawings.
    """

    signs: Signs
    protected: int
    focus: float
    abroad: Signs | None
    drawn: float

    def __call__(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return n images, float (n, 3, S, S) in [0, 1], of some one class, and their labels, int64 (n,)."""
        pool = self.signs
        chosen = int(pool.labels[int(torch.randint(len(pool.labels), (), generator=generator))])
        if _happens(self.focus, generator):
            chosen = self.protected
            if self.abroad is not None and _happens(self.drawn, generator):
                pool = self.abroad
        rows = (pool.labels == chosen).nonzero()[:, 0]
        rows = rows[torch.randint(len(rows), (n,), generator=generator)]
        return pool.images[rows].float() / 255, pool.labels[rows]


@dataclass(frozen=True)
class OneClassStickers:
    """The inner attack that puts groups of signs, each of one class and in one set of stickers, in a batch.

    Attributes:
        attack: makes the stickers that a group shares.
        one_class: (n, generator) → n images of signs of some one class, and their labels.
        sets: number of groups.
    """

    attack: UniversalStickers
    one_class: Callable[[int, Generator], tuple[Tensor, Tensor]]
    sets: int = SETS

    def __call__(
        self, network: nn.Module, images: Tensor, labels: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return as many images (B, 3, H, W) as are given, and their labels (B,); none of those is left."""
        worn, known = [], []
        for group in images.tensor_split(self.sets):
            if len(group):
                signs, classes = self.one_class(len(group), generator)
                view = _view(classes, generator)
                worn.append(self.attack(network, signs, classes, generator, view))
                known.append(classes)
        return torch.cat(worn), torch.cat(known)


def _view(labels: Tensor, generator: Generator) -> View:
    """Return how a group is seen: half of the time as photographed, else augmented as training images are.

    Stickers for signs that all look alike are stronger than stickers for all weather; training meets both.
    Half of the time signs are also seen from afar, where letters blur and less shows another sign.
    """
    weathered, far = (torch.rand(2, generator=generator) < 0.5).tolist()

    def view(images: Tensor) -> Tensor:
        seen = viewed(images, labels, generator) if weathered else images
        return from_afar(seen, generator) if far else seen

    return view


def from_afar(images: Tensor, generator: Generator) -> Tensor:
    """Return images (B, 3, H, W) as they are at `FAR` pixels a side, one draw for all, enlarged again."""
    side = int(torch.randint(FAR[0], FAR[1] + 1, (), generator=generator))
    small = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
    return F.interpolate(small, images.shape[-2:], mode="bilinear")


def _happens(probability: float, generator: Generator) -> bool:
    return float(torch.rand((), generator=generator)) < probability
