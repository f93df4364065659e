"""Attacks: objective × variable × EOT distribution × optimiser, joined by one loop.

Recipes are named compositions over that loop with their published defaults. This room works on tensors: it
calls classifiers and transformations and knows nothing of files, sheets or photos.
"""

from physadv.attacks.balls import bim, eot, fast, kurakin_iterations, least_likely, mim, pgd, pgd_l2
from physadv.attacks.errors import AttackError
from physadv.attacks.loop import expected_loss, optimise
from physadv.attacks.objectives import (
    Objective,
    ensemble,
    least_likely_class,
    random_target,
    targeted_cross_entropy,
    targeted_margin,
    untargeted_cross_entropy,
    untargeted_margin,
)
from physadv.attacks.optimisers import (
    MomentumSign,
    NormalisedStep,
    Optimiser,
    SignedStep,
    TorchOptimiser,
    cooling_adam,
)
from physadv.attacks.options import Options
from physadv.attacks.patches import Patch, Placement, circle, paste, patch, square
from physadv.attacks.penalties import (
    Penalty,
    lab_distance,
    non_printability_minimum,
    non_printability_product,
    total_variation,
)
from physadv.attacks.recipes import RECIPES, Recipe, find_recipe
from physadv.attacks.variables import L2Ball, LInfBall, Variable

__all__ = [
    "RECIPES",
    "AttackError",
    "L2Ball",
    "LInfBall",
    "MomentumSign",
    "NormalisedStep",
    "Objective",
    "Optimiser",
    "Options",
    "Patch",
    "Penalty",
    "Placement",
    "Recipe",
    "SignedStep",
    "TorchOptimiser",
    "Variable",
    "bim",
    "circle",
    "cooling_adam",
    "ensemble",
    "eot",
    "expected_loss",
    "fast",
    "find_recipe",
    "kurakin_iterations",
    "lab_distance",
    "least_likely",
    "least_likely_class",
    "mim",
    "non_printability_minimum",
    "non_printability_product",
    "optimise",
    "paste",
    "patch",
    "pgd",
    "pgd_l2",
    "random_target",
    "square",
    "targeted_cross_entropy",
    "targeted_margin",
    "total_variation",
    "untargeted_cross_entropy",
    "untargeted_margin",
]
