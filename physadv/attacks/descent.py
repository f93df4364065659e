"""What every recipe does with its options: choose what to aim at, and run the loop."""

from collections.abc import Callable

import torch
from torch import Tensor

from physadv.attacks.checks import check_count, check_targets
from physadv.attacks.errors import AttackError
from physadv.attacks.loop import ViewPenalty, optimise
from physadv.attacks.objectives import Objective, targeted_cross_entropy, untargeted_cross_entropy
from physadv.attacks.optimisers import Optimiser
from physadv.attacks.options import Options
from physadv.attacks.penalties import Penalty
from physadv.attacks.variables import Variable
from physadv.classifiers import Classifier
from physadv.transforms import identity


def aim(
    classifier: Classifier,
    labels: Tensor,
    options: Options,
    towards: Callable[[Tensor], Objective] = targeted_cross_entropy,
    away: Callable[[Tensor], Objective] = untargeted_cross_entropy,
) -> Objective:
    """Return the objective: towards the targets where there are any, else away from the labels.

    Raises:
        AttackError: the targets are not what `check_targets` wants.
    """
    targets = options.get("targets")
    if targets is None:
        return away(labels)
    check_targets(targets, labels, len(classifier.labels))
    return towards(targets)


def random_of(options: Options) -> torch.Generator:
    """Return the generator of the options, or one of seed 0."""
    return options.get("generator") or torch.Generator().manual_seed(0)


def refuse_goal(attack: str, options: Options) -> None:
    """Refuse a goal for an attack whose values are no pictures of their own.

    Raises:
        AttackError: there is one.
    """
    if options.get("goal") is not None:
        raise AttackError(f"{attack} cannot stop image by image at a goal; leave it out")


def descend(
    classifier: Classifier,
    objective: Objective,
    variable: Variable,
    optimiser: Optimiser,
    steps: int,
    options: Options,
    *,
    penalty: Penalty | None = None,
    view_penalty: ViewPenalty | None = None,
) -> Tensor:
    """Return the values that `optimise` finds with a recipe's options; `steps` where they name none.

    Raises:
        AttackError: a count is less than 1, or a gradient is not finite.
    """
    wanted, chunk = options.get("steps"), options.get("chunk")
    return optimise(
        classifier,
        objective,
        variable,
        options.get("distribution", identity),
        optimiser,
        steps=steps if wanted is None else check_count("steps", wanted),
        samples=check_count("samples", options.get("samples", 1)),
        generator=random_of(options),
        chunk=None if chunk is None else check_count("chunk", chunk),
        penalty=penalty,
        view_penalty=view_penalty,
        callback=options.get("callback"),
        goal=options.get("goal"),
        keep=options.get("keep"),
        resume=options.get("resume"),
    )
