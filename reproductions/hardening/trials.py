"""The attacks on single images that a classifier is tried with, before and after hardening."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from physadv.attacks.gradient import pgd, pgd_l2
from physadv.attacks.patches import Placement, square
from physadv.attacks.queries import NES, QueryOnly
from physadv.classifiers import Classifier
from physadv.defences import StickerAttack
from physadv.evaluation.intervals import Estimate, proportion
from physadv.randomness import generator
from physadv.signs.training.harden_settings import ROTATION
from physadv.transforms import round_to_8_bits

TENTH = Placement((0.1, 0.1), ROTATION)
WORST_STICKERS = "square of 10 %, worst of 5 places, 100 steps"
UNFORESEEN = ("L∞ noise", "L2 noise")
"""How the names of attacks begin that hardening against stickers does not train on."""
SIGMA = 0.01
"""How far the attack by answers looks; see `physadv.pipeline.settings.MaskingSettings`."""

Attack = Callable[[Classifier, Tensor, Tensor], Tensor]
"""(classifier, images (B, 3, H, W) in [0, 1], labels (B,)) → attacked images."""


@dataclass(frozen=True)
class Trial:
    """One attack.

    Attributes:
        name: as the table names it.
        attack: makes it.
        most: images it is tried on, at most; all without it.
    """

    name: str
    attack: Attack
    most: int | None = None

    def fooled(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Estimate:
        """Return the share of images, all of them right as they are, that are wrong after the attack."""
        images, labels = images[: self.most], labels[: self.most]
        attacked = round_to_8_bits(self.attack(classifier, images, labels))
        wrong = classifier.probabilities(attacked).argmax(dim=1) != labels
        return proportion(wrong.int().numpy(), torch.ones(len(labels)).numpy())


def trials(queried: int, query_steps: int) -> list[Trial]:
    """Return the attacks, those with stickers first.

    Those "at one place" share places and starts: only their steps, or what they know, tell them apart.

    Args:
        queried: images attacked by answers only, 51 of them a step.
        query_steps: of that attack.
    """
    return [
        Trial(WORST_STICKERS, partial(stickers, steps=100, places=5)),
        *(
            Trial(f"at one place, {steps} steps", partial(stickers, steps=steps))
            for steps in (5, 20, 100, 200)
        ),
        Trial(f"at one place, 100 steps, first {queried}", partial(stickers, steps=100), queried),
        Trial(f"at one place, answers only, first {queried}", partial(_asked, steps=query_steps), queried),
        Trial("L∞ noise, eps 2, PGD 40 steps", partial(_noise, eps=2)),
        Trial("L∞ noise, eps 4, PGD 40 steps", partial(_noise, eps=4)),
        Trial("L∞ noise, eps 8, PGD 40 steps", partial(_noise, eps=8)),
        Trial("L2 noise, radius 0.5, PGD 40 steps", partial(_noise_l2, radius=0.5)),
        Trial("L2 noise, radius 1, PGD 40 steps", partial(_noise_l2, radius=1.0)),
    ]


def stickers(network: Classifier, images: Tensor, labels: Tensor, *, steps: int, places: int = 1) -> Tensor:
    """Return images with a square on each that covers a tenth; steps are smaller where there are more."""
    attack = StickerAttack(TENTH, steps, places, shapes=(square,))
    return attack(network, images, labels, generator(0, "hardening", "stickers"))


def _asked(classifier: Classifier, images: Tensor, labels: Tensor, *, steps: int) -> Tensor:
    asked = QueryOnly(classifier, NES(sigma=SIGMA), generator(0, "hardening", "answers"))
    return stickers(asked, images, labels, steps=steps)


def _noise(classifier: Classifier, images: Tensor, labels: Tensor, *, eps: int) -> Tensor:
    return pgd(classifier, images, labels, eps=eps / 255, steps=40)


def _noise_l2(classifier: Classifier, images: Tensor, labels: Tensor, *, radius: float) -> Tensor:
    return pgd_l2(classifier, images, labels, eps=radius, steps=40)
