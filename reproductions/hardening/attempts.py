"""The attacks on single images, made against a classifier before and after hardening."""

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
"""First words of the names of attacks that hardening against stickers does not train on."""
SIGMA = 0.01
"""Search radius of the black-box attack, as a share of the pixel range (Uesato et al. 2018)."""

Attack = Callable[[Classifier, Tensor, Tensor], Tensor]
"""(classifier, images (B, 3, H, W) in [0, 1], labels (B,)) → attacked images."""


@dataclass(frozen=True)
class Attempt:
    """One attack.

    Attributes:
        name: its name in the table.
        attack: the function that makes it.
        most: largest number of images that are attacked; None attacks all.
    """

    name: str
    attack: Attack
    most: int | None = None

    def fooled(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Estimate:
        """Return the share of images, all of them right as they are, that are wrong after the attack."""
        images, labels = images[: self.most], labels[: self.most]
        attacked = round_to_8_bits(self.attack(classifier, images, labels))
        wrong = classifier.classes(attacked) != labels
        return proportion(wrong.int().numpy(), torch.ones(len(labels)).numpy())


def attempts(queried: int, query_steps: int) -> list[Attempt]:
    """Return the attacks, those with stickers first.

    Those "at one place" share places and starts: only their steps, or what they know, tell them apart.

    Args:
        queried: number of images attacked as a black box, by 51 queries a step.
        query_steps: steps of the black-box attack.
    """
    return [
        Attempt(WORST_STICKERS, partial(stickers, steps=100, places=5)),
        *(
            Attempt(f"at one place, {steps} steps", partial(stickers, steps=steps))
            for steps in (5, 20, 100, 200)
        ),
        Attempt(f"at one place, 100 steps, first {queried}", partial(stickers, steps=100), queried),
        Attempt(
            f"at one place, answers only, first {queried}", partial(_black_box, steps=query_steps), queried
        ),
        Attempt("L∞ noise, eps 2, PGD 40 steps", partial(_noise, eps=2)),
        Attempt("L∞ noise, eps 4, PGD 40 steps", partial(_noise, eps=4)),
        Attempt("L∞ noise, eps 8, PGD 40 steps", partial(_noise, eps=8)),
        Attempt("L2 noise, radius 0.5, PGD 40 steps", partial(_noise_l2, radius=0.5)),
        Attempt("L2 noise, radius 1, PGD 40 steps", partial(_noise_l2, radius=1.0)),
    ]


def stickers(network: Classifier, images: Tensor, labels: Tensor, *, steps: int, places: int = 1) -> Tensor:
    """Return images with a square on each that covers a tenth; steps are smaller where there are more."""
    attack = StickerAttack(TENTH, steps, places, shapes=(square,))
    return attack(network, images, labels, generator(0, "hardening", "stickers"))


def _black_box(classifier: Classifier, images: Tensor, labels: Tensor, *, steps: int) -> Tensor:
    black_box = QueryOnly(classifier, NES(sigma=SIGMA), generator(0, "hardening", "answers"))
    return stickers(black_box, images, labels, steps=steps)


def _noise(classifier: Classifier, images: Tensor, labels: Tensor, *, eps: int) -> Tensor:
    return pgd(classifier, images, labels, eps=eps / 255, steps=40)


def _noise_l2(classifier: Classifier, images: Tensor, labels: Tensor, *, radius: float) -> Tensor:
    return pgd_l2(classifier, images, labels, eps=radius, steps=40)
