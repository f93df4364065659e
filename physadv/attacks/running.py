"""How recipes are called: the options they share, the objective they pursue, the loop with their numbers."""

from collections.abc import Callable
from typing import TypedDict

import torch
from torch import Tensor

from physadv.attacks.checks import check_count, check_targets
from physadv.attacks.errors import AttackError
from physadv.attacks.loop import Callback, Goal, Keep, Snapshot, ViewPenalty, optimise
from physadv.attacks.objectives import Objective, targeted_cross_entropy, untargeted_cross_entropy
from physadv.attacks.optimisers import Optimiser
from physadv.attacks.penalties import Penalty
from physadv.attacks.recipe import Recipe
from physadv.attacks.variables import Variable
from physadv.classifiers import Classifier
from physadv.transforms import Transformation, load_preset


class Options(TypedDict, total=False):
    """What every recipe takes besides its classifier, images, labels and budget; all may be left out.

    Attributes:
        generator: source of random starts and transformation draws; one of seed 0 without it.
        distribution: transformations to survive; the recipe's preset without it.
        samples: transformations drawn per image and step; the recipe's number without it.
        steps: number of steps; the recipe's number without it.
        targets: classes to reach, int64 (B,); without them the attack moves away from the labels.
        chunk: samples per image held in memory at once; as many as suit the device without it.
        callback: function called with (step, losses (B,)) before every step.
        goal: function from pictures to bool (B,), those that need no more steps.
        keep: function called with a `Snapshot` before every step.
        resume: snapshot of an interrupted loop to go on from.
    """

    generator: torch.Generator
    distribution: Transformation
    samples: int
    steps: int | None
    targets: Tensor | None
    chunk: int | None
    callback: Callback | None
    goal: Goal | None
    keep: Keep | None
    resume: Snapshot | None


def objective_for(
    classifier: Classifier,
    labels: Tensor,
    options: Options,
    towards: Callable[[Tensor], Objective] = targeted_cross_entropy,
    away: Callable[[Tensor], Objective] = untargeted_cross_entropy,
) -> Objective:
    """Return the objective: towards the targets, checked, where there are any, else away from the labels."""
    targets = options.get("targets")
    if targets is None:
        return away(labels)
    check_targets(classifier, targets, labels)
    return towards(targets)


def generator_of(options: Options) -> torch.Generator:
    """Return the generator of the options, or one of seed 0."""
    return options.get("generator") or torch.Generator().manual_seed(0)


def steps_of(recipe: Recipe, options: Options, eps: float = 0) -> int:
    """Return the number of steps of the options, 1 or more, or the recipe's for eps 8-bit levels."""
    steps = options.get("steps")
    return recipe.steps_for(round(eps)) if steps is None else check_count("steps", steps)


def refuse_goal(attack: str, options: Options) -> None:
    """Raise AttackError for a goal: the values of the attack are not the pictures themselves."""
    if options.get("goal") is not None:
        raise AttackError(f"{attack} cannot stop image by image at a goal; leave it out")


def run_recipe(
    recipe: Recipe,
    classifier: Callable[[Tensor], Tensor],
    objective: Objective,
    variable: Variable,
    optimiser: Optimiser,
    steps: int,
    options: Options,
    *,
    penalty: Penalty | None = None,
    view_penalty: ViewPenalty | None = None,
) -> Tensor:
    """Return the values that `optimise` finds, with the recipe's preset and samples where options name none.

    Raises:
        AttackError: a count is less than 1, or a gradient is not finite.
    """
    distribution, chunk = options.get("distribution"), options.get("chunk")
    return optimise(
        classifier,
        objective,
        variable,
        load_preset(recipe.transforms) if distribution is None else distribution,
        optimiser,
        steps=steps,
        samples=check_count("samples", options.get("samples", recipe.samples)),
        generator=generator_of(options),
        chunk=None if chunk is None else check_count("chunk", chunk),
        penalty=penalty,
        view_penalty=view_penalty,
        callback=options.get("callback"),
        goal=options.get("goal"),
        keep=options.get("keep"),
        resume=options.get("resume"),
    )
