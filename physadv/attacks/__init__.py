"""Attacks: objective × variable × EOT distribution × optimiser, joined by one loop.

Recipes are named compositions over that loop with their published defaults. This room works on tensors: it
calls classifiers and transformations and knows nothing of files, sheets or photos.
"""

from physadv.attacks.errors import AttackError
from physadv.attacks.loop import expected_loss, optimise
from physadv.attacks.objectives import (
    Objective,
    least_likely_class,
    targeted_cross_entropy,
    untargeted_cross_entropy,
)
from physadv.attacks.optimisers import Optimiser, SignedStep
from physadv.attacks.recipes import (
    RECIPES,
    Options,
    Recipe,
    bim,
    fast,
    find_recipe,
    kurakin_iterations,
    least_likely,
    pgd,
)
from physadv.attacks.variables import LInfBall, Variable

__all__ = [
    "RECIPES",
    "AttackError",
    "LInfBall",
    "Objective",
    "Optimiser",
    "Options",
    "Recipe",
    "SignedStep",
    "Variable",
    "bim",
    "expected_loss",
    "fast",
    "find_recipe",
    "kurakin_iterations",
    "least_likely",
    "least_likely_class",
    "optimise",
    "pgd",
    "targeted_cross_entropy",
    "untargeted_cross_entropy",
]
