"""Signs of one class at a time, for the stickers they share to be made on: photographed, or drawn.

Photos of one country teach one face. GTSRB's stop signs are German: stickers that made a network hardened on
them call every photo of a US stop sign "no entry" did so to none of them and to none drawn after the German
face, but to all drawn after the American one, whose letters are smaller.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from physadv.classifiers.signs import SIGN_LABELS
from physadv.signs.drawing.drawing import draw_posed_sign
from physadv.signs.drawing.faces import ABROAD
from physadv.signs.training.fitting import Signs

DRAWN = 400
"""How many are drawn to be trained on."""
_SIDE = 32
"""Their side in pixels, as GTSRB's are stored."""


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
        signs: photographed, of all classes.
        protected: the class that is drawn with a chance of `focus`; else that of a random photo.
        focus: see `protected`.
        abroad: drawings of the protected class, if there are any.
        drawn: chance that signs of the protected class are these.
        random: of all choices.
    """

    signs: Signs
    protected: int
    focus: float
    abroad: Signs | None
    drawn: float
    random: Generator

    def __call__(self, n: int) -> tuple[Tensor, Tensor]:
        """Return n images, float (n, 3, S, S) in [0, 1], of some one class, and their labels, int64 (n,)."""
        pool = self.signs
        chosen = int(pool.labels[int(torch.randint(len(pool.labels), (), generator=self.random))])
        if self._by_chance(self.focus):
            chosen = self.protected
            if self.abroad is not None and self._by_chance(self.drawn):
                pool = self.abroad
        rows = (pool.labels == chosen).nonzero()[:, 0]
        rows = rows[torch.randint(len(rows), (n,), generator=self.random)]
        return pool.images[rows].float() / 255, pool.labels[rows]

    def _by_chance(self, share: float) -> bool:
        return float(torch.rand((), generator=self.random)) < share
