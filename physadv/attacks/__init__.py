"""Attacks: objective × variable × EOT distribution × optimiser, joined by one loop.

Recipes are named compositions over that loop with their published defaults. This room works on tensors: it
calls classifiers and transformations and knows nothing of files, sheets or photos.
"""

from physadv.attacks.errors import AttackError
from physadv.attacks.gradient import bim, eot, fast, kurakin_iterations, least_likely, mim, pgd, pgd_l2
from physadv.attacks.lagrangian import eot_lagrangian
from physadv.attacks.libraries import Borrowed, require
from physadv.attacks.loop import Goal, Snapshot, expected_loss, optimise
from physadv.attacks.minimum_norm import cw_l2, lbfgs
from physadv.attacks.objectives import (
    Objective,
    ensemble,
    least_likely_class,
    random_target,
    runner_up_class,
    targeted_cross_entropy,
    targeted_generalised,
    targeted_margin,
    untargeted_cross_entropy,
    untargeted_likelihood,
    untargeted_margin,
)
from physadv.attacks.optimisers import (
    EachImage,
    MomentumSign,
    NormalisedStep,
    Optimiser,
    SignedStep,
    TorchOptimiser,
    cooling_adam,
    spanning_adam,
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
from physadv.attacks.queries import NES, AnswersOnly, Directions, FiniteDifferences
from physadv.attacks.recipes import RECIPES, Recipe, find_recipe
from physadv.attacks.stickers import Stickers, bars, rp2
from physadv.attacks.universal import universal_patch
from physadv.attacks.variables import L2Ball, LInfBall, TanhBox, Variable

__all__ = [
    "NES",
    "RECIPES",
    "AnswersOnly",
    "AttackError",
    "Borrowed",
    "Directions",
    "EachImage",
    "FiniteDifferences",
    "Goal",
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
    "Snapshot",
    "Stickers",
    "TanhBox",
    "TorchOptimiser",
    "Variable",
    "bars",
    "bim",
    "circle",
    "cooling_adam",
    "cw_l2",
    "ensemble",
    "eot",
    "eot_lagrangian",
    "expected_loss",
    "fast",
    "find_recipe",
    "kurakin_iterations",
    "lab_distance",
    "lbfgs",
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
    "require",
    "rp2",
    "runner_up_class",
    "spanning_adam",
    "square",
    "targeted_cross_entropy",
    "targeted_generalised",
    "targeted_margin",
    "total_variation",
    "universal_patch",
    "untargeted_cross_entropy",
    "untargeted_likelihood",
    "untargeted_margin",
]
