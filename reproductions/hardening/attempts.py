"""The attacks on single images, made against a classifier before and after hardening."""

from functools import partial

import torch
from torch import Tensor

from physadv.attacks.gradient import pgd, pgd_l2
from physadv.attacks.loop import optimise
from physadv.attacks.objectives import targeted_cross_entropy
from physadv.attacks.optimisers import spanning_adam
from physadv.attacks.patches import Placement, square
from physadv.attacks.queries import NES, QueryOnly
from physadv.attacks.stickers import Stickers
from physadv.classifiers import Classifier
from physadv.defences import StickerAttack
from physadv.defences.inner_attacks import TEXELS
from physadv.randomness import generator
from physadv.signs.training.harden_settings import ROTATION
from physadv.transforms import identity

PLACES = 5
"""Places that a grey square is tried at first; the one where it hurts most is kept."""
SIGMA = 0.01
"""Search radius of the black-box attack, as a share of the pixel range (Uesato et al. 2018)."""
NOISE = {
    "L∞ noise, eps 2, PGD 40 steps": partial(pgd, eps=2 / 255, steps=40),
    "L∞ noise, eps 4, PGD 40 steps": partial(pgd, eps=4 / 255, steps=40),
    "L2 noise, radius 0.5, PGD 40 steps": partial(pgd_l2, eps=0.5, steps=40),
}
"""Attacks that hardening against stickers does not train on."""


def squares(
    classifier: Classifier, images: Tensor, labels: Tensor, *, area: float, steps: int, seed: int
) -> Tensor:
    """Return images with a square of any colours on each that hides its class, at the worst of five places.

    Every seed is a restart: it draws places and colours anew.
    """
    attack = StickerAttack(Placement((area, area), ROTATION), steps, PLACES, shapes=(square,))
    return attack(classifier, images, labels, generator(seed, "hardening", "stickers"))


def squares_to(
    classifier: Classifier, images: Tensor, target: int, *, area: float, steps: int, seed: int
) -> Tensor:
    """Return images with a square of any colours on each that makes it the target's, at one random place."""
    random, alpha = generator(seed, "hardening", "stickers for a class"), square(TEXELS)
    attack = StickerAttack(Placement((area, area), ROTATION), steps, shapes=(square,))
    views = attack.views(len(images), alpha, images.shape[-2:], random)
    stickers = Stickers(images, alpha, views, shared=False)
    objective = targeted_cross_entropy(torch.full((len(images),), target))
    adam = spanning_adam(steps)
    values = optimise(
        classifier, objective, stickers, identity, adam, steps=steps, samples=1, generator=random
    )
    return stickers.render(values, {}, 1)


def squares_by_answers(
    classifier: Classifier, images: Tensor, labels: Tensor, *, area: float, steps: int
) -> Tensor:
    """Return images with such squares as `squares` makes, from answers alone: 51 queries a step."""
    black_box = QueryOnly(classifier, NES(sigma=SIGMA), generator(0, "hardening", "answers"))
    return squares(black_box, images, labels, area=area, steps=steps, seed=0)
