"""Do the gradients mislead? What attacks with and without them broke, and the signs of masking in it.

The signs are those of Athalye, Carlini and Wagner 2018, section 3.1 (arXiv:1802.00420), and that more steps
do not help (Carlini et al. 2019, arXiv:1902.06705).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physadv.evaluation.comparisons import mcnemar_exact
from physadv.evaluation.intervals import CONFIDENCE, Estimate, proportion

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Trials:
    """What became of the P images that the classifier gets right, bool (P,) unless said otherwise.

    Attributes:
        iterative: steps → still right after so many of the attack by gradients.
        unbounded: likewise, with the whole pixel range as its budget.
        raised: whether the iterative attack's last step left the image wrong, or its loss above the first's.
        one_step: still right after one step of the whole budget.
        queries: still right after the attack that only takes answers.
        noise: still right in all of the random draws from the budget.
    """

    iterative: Mapping[int, Bools]
    unbounded: Mapping[int, Bools]
    raised: Bools
    one_step: Bools
    queries: Bools
    noise: Bools


@dataclass(frozen=True)
class Sign:
    """One sign of masked gradients: what it is, whether it was seen, and the numbers."""

    name: str
    seen: bool
    said: str


def accuracy(right: Bools) -> Estimate:
    """Return the share of images still right, with its Wilson interval."""
    return proportion(right.astype(int), np.ones(len(right)))


def signs_of_masking(trials: Trials) -> list[Sign]:
    """Return the five signs, each seen or not, for one image or more.

    Two attacks are compared on the same images by the exact McNemar test at 5 %: a handful of images that
    only the weaker one breaks is no sign, and with fewer than six images there can be none.
    """
    last = max(trials.iterative)
    iterative, unbounded = trials.iterative[last], trials.unbounded[max(trials.unbounded)]
    left = int(iterative.sum())
    stuck = int((iterative & ~trials.raised).sum())
    return [
        _weaker_wins("one step breaks more than many", trials.one_step, "one step", iterative),
        _weaker_wins("answers break more than gradients", trials.queries, "answers", iterative),
        _weaker_wins("random noise breaks more than gradients", trials.noise, "noise", iterative),
        Sign(
            "without a bound not every image breaks",
            bool(unbounded.any()),
            f"{int(unbounded.sum())} of {len(unbounded)} images still right",
        ),
        Sign(
            "more steps do not help",
            2 * stuck > left,
            f"{last} steps raised the loss of {left - stuck} of {left} images left",
        ),
    ]


def verdict(signs: list[Sign]) -> str:
    """Return in words whether the gradients can be trusted."""
    seen = [sign.name for sign in signs if sign.seen]
    if not seen:
        return "no sign that gradients mislead on these images"
    return (
        f"gradients mislead ({'; '.join(seen)}): accuracy under attacks by gradients says nothing of "
        "robustness; attack with --query-only or from a substitute"
    )


def _weaker_wins(name: str, weaker: Bools, called: str, iterative: Bools) -> Sign:
    only_weaker, only_iterative = int((iterative & ~weaker).sum()), int((weaker & ~iterative).sum())
    p = mcnemar_exact(only_weaker, only_iterative)
    return Sign(
        name,
        only_weaker > only_iterative and p < 1 - CONFIDENCE,
        f"{called} alone broke {only_weaker}, gradients alone {only_iterative} (p = {p:.2g})",
    )
