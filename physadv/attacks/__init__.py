"""Attacks: objective × variable × EOT distribution × optimiser, joined by one loop.

A recipe is a function, f(classifier, images, labels, *, eps, **options) -> images, and its published numbers:

    attacks.eot(classifier, images, labels, eps=16 / 255)      survives a print and a hand-held photo
    attacks.pgd, bim, fast, mim, pgd_l2, cw_l2, …              the digital attacks
    attacks.patch, attacks.rp2                                 a patch for any image, stickers on a sign
    attacks.find_recipe("foolbox:LinfPGD").run                 another library's attack, or your own

`RECIPES` has them all by name. A new attack is an objective, a variable or an optimiser of your own, given to
`optimise`. This room works on tensors: it calls classifiers and transformations and knows nothing of files,
sheets or photos. Names are imported when they are first used; `RECIPES` and `find_recipe` need no torch.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.attacks.errors import AttackError
    from physadv.attacks.gradient import bim, eot, eot_lagrangian, fast, least_likely, mim, pgd, pgd_l2
    from physadv.attacks.loop import optimise
    from physadv.attacks.minimum_norm import cw_l2, lbfgs
    from physadv.attacks.objectives import (
        ensemble,
        lab_distance,
        least_likely_class,
        non_printability_minimum,
        non_printability_product,
        random_target,
        targeted_cross_entropy,
        targeted_margin,
        total_variation,
        untargeted_cross_entropy,
        untargeted_margin,
    )
    from physadv.attacks.optimisers import MomentumSign, NormalisedStep, SignedStep, TorchOptimiser
    from physadv.attacks.outside import own_attack
    from physadv.attacks.patches import Patch, Placement, circle, paste, patch, square, universal_patch
    from physadv.attacks.queries import NES, FiniteDifferences, QueryOnly
    from physadv.attacks.recipes import RECIPES, Recipe, find_recipe
    from physadv.attacks.running import Options
    from physadv.attacks.stickers import Stickers, bars, rp2
    from physadv.attacks.variables import L2Ball, LInfBall

# fmt: off
__all__ = [
    "NES", "RECIPES", "AttackError", "FiniteDifferences", "L2Ball", "LInfBall", "MomentumSign",
    "NormalisedStep", "Options", "Patch", "Placement", "QueryOnly", "Recipe", "SignedStep", "Stickers",
    "TorchOptimiser", "bars", "bim", "circle", "cw_l2", "ensemble", "eot", "eot_lagrangian", "fast",
    "find_recipe", "lab_distance", "lbfgs", "least_likely", "least_likely_class", "mim",
    "non_printability_minimum", "non_printability_product", "optimise", "own_attack", "paste", "patch", "pgd",
    "pgd_l2", "random_target", "rp2", "square", "targeted_cross_entropy", "targeted_margin",
    "total_variation", "universal_patch", "untargeted_cross_entropy", "untargeted_margin",
]
# fmt: on

__getattr__, __dir__ = lazy_names(__name__)
