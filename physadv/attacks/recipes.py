"""Published attacks as compositions over the one loop, with their published defaults.

Images go in and come out as floats in [0, 1] that are whole 8-bit levels (k/255), at most eps apart in
exact integers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypedDict, Unpack

import torch
from torch import Tensor

from physadv.attacks.checks import check_count, check_labels, eight_bit_levels, whole_eps
from physadv.attacks.errors import AttackError
from physadv.attacks.loop import Callback, optimise
from physadv.attacks.objectives import (
    Objective,
    least_likely_class,
    targeted_cross_entropy,
    untargeted_cross_entropy,
)
from physadv.attacks.optimisers import SignedStep
from physadv.attacks.variables import LInfBall
from physadv.classifiers import Classifier
from physadv.errors import unknown_name
from physadv.transforms import Transformation, identity


class Options(TypedDict, total=False):
    """What every recipe takes besides its classifier, images, labels and eps; all of it may be left out.

    Attributes:
        generator: of random starts and transformation draws; seed 0 without it.
        distribution: the transformations to survive; `identity` without it.
        samples: draws of it per image and step, 1 without it.
        steps: in place of the published number.
        chunk: samples per image held in memory at once; all without it.
        callback: called with (step, losses (B,)) before every step.
    """

    generator: torch.Generator
    distribution: Transformation
    samples: int
    steps: int | None
    chunk: int | None
    callback: Callback | None


def kurakin_iterations(eps: int) -> int:
    """Return min(eps + 4, ⌈1.25·eps⌉) for eps in 8-bit levels (Kurakin et al. 2017, section 2.2)."""
    return min(eps + 4, -(-5 * eps // 4))


def fast(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Take one signed step of eps up the true labels' cross-entropy (Kurakin et al. 2017, section 2.1).

    Args:
        classifier: the classifier to fool.
        images: float32 or float64 (B, 3, H, W) in [0, 1], whole 8-bit levels.
        labels: int64 (B,), the true classes.
        eps: L∞ budget, a whole number of 8-bit levels over 255, such as 16/255.
        **options: see `Options`; `steps` can only be 1 here.

    Returns:
        Adversarial images of the shape and dtype of `images`, whole 8-bit levels.

    Raises:
        AttackError: an argument is out of its range, or a gradient is not finite.

    Example:
        >>> from physadv.classifiers import load_classifier
        >>> images = torch.full((1, 3, 32, 32), 128 / 255)
        >>> adversarial = fast(load_classifier("signs"), images, torch.tensor([14]), eps=8 / 255)
        >>> round(float((adversarial - images).abs().max() * 255))
        8
    """
    if options.get("steps") not in (None, 1):
        raise AttackError(f"fast takes one step, not {options['steps']}; bim is the same with more")
    ball = _ball(classifier, images, labels, eps)
    return _descend(classifier, untargeted_cross_entropy(labels), ball, ball.eps, 1, options)


def bim(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Take `fast` steps of one level, clipped to the ball after each (Kurakin et al. 2017, section 2.2).

    The number of steps is `kurakin_iterations`. Arguments, result and errors as `fast`.
    """
    ball = _ball(classifier, images, labels, eps)
    steps = kurakin_iterations(ball.eps)
    return _descend(classifier, untargeted_cross_entropy(labels), ball, 1, steps, options)


def least_likely(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Step as `bim` does, towards each clean image's least likely class (Kurakin et al. 2017, section 2.3).

    Arguments, result and errors as `fast`; the labels are checked but not used.
    """
    ball = _ball(classifier, images, labels, eps)
    targets = least_likely_class(classifier, images)
    steps = kurakin_iterations(ball.eps)
    return _descend(classifier, targeted_cross_entropy(targets), ball, 1, steps, options)


def pgd(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Descend from a random start in the ball, projecting after each step (Madry et al. 2018).

    20 steps of round(eps / 4) levels: their evaluation on CIFAR-10, 20 steps of 2 at eps 8, scaled with eps.
    The start is drawn from the ball's whole levels, so that every step is exact. Arguments, result and errors
    as `fast`.
    """
    ball = _ball(classifier, images, labels, eps, random_start=True)
    step = max(1, round(ball.eps / 4))
    return _descend(classifier, untargeted_cross_entropy(labels), ball, step, 20, options)


def _ball(
    classifier: Classifier, images: Tensor, labels: Tensor, eps: float, random_start: bool = False
) -> LInfBall:
    ball = LInfBall(eight_bit_levels(images), whole_eps(eps), random_start)
    check_labels(labels, images, len(classifier.labels))
    return ball


def _descend(
    classifier: Classifier, objective: Objective, ball: LInfBall, step: int, steps: int, options: Options
) -> Tensor:
    wanted, chunk = options.get("steps"), options.get("chunk")
    values = optimise(
        classifier,
        objective,
        ball,
        options.get("distribution", identity),
        SignedStep(step),
        steps=steps if wanted is None else check_count("steps", wanted),
        samples=check_count("samples", options.get("samples", 1)),
        generator=options.get("generator") or torch.Generator().manual_seed(0),
        chunk=None if chunk is None else check_count("chunk", chunk),
        callback=options.get("callback"),
    )
    return ball.images(values)


class Run(Protocol):
    """The calling convention of every recipe; see `fast`."""

    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        *,
        eps: float,
        **options: Unpack[Options],
    ) -> Tensor:
        """Return adversarial images."""
        ...


@dataclass(frozen=True)
class Recipe:
    """A named attack.

    Attributes:
        name: as `--attack` takes it.
        paper: where it comes from.
        norm: of its budget.
        description: one line.
        defaults: its steps, in words.
        run: (classifier, images, labels, *, eps, **options) → adversarial images.
        target: for a targeted attack, (classifier, clean images) → the classes it steers to, int64 (B,).
    """

    name: str
    paper: str
    norm: str
    description: str
    defaults: str
    run: Run
    target: Callable[[Classifier, Tensor], Tensor] | None = None


_KURAKIN = "Kurakin et al. 2017, arXiv:1607.02533"

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("fast", _KURAKIN, "L∞", "one signed step away from the true label", "1 step of eps", fast),
        Recipe(
            "bim",
            _KURAKIN,
            "L∞",
            "basic iterative method: small signed steps away from the true label",
            "min(eps + 4, ⌈1.25 eps⌉) steps of 1",
            bim,
        ),
        Recipe(
            "least-likely",
            _KURAKIN,
            "L∞",
            "small signed steps towards the clean image's least likely class",
            "min(eps + 4, ⌈1.25 eps⌉) steps of 1",
            least_likely,
            target=least_likely_class,
        ),
        Recipe(
            "pgd",
            "Madry et al. 2018, arXiv:1706.06083",
            "L∞",
            "signed steps away from the true label, from a random start",
            "20 steps of eps/4",
            pgd,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """Return the attack called `name`.

    Raises:
        AttackError: there is none; the line names the nearest.
    """
    if name not in RECIPES:
        raise AttackError(unknown_name("attack", name, RECIPES))
    return RECIPES[name]
