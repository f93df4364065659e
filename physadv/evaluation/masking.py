"""Do the gradients mislead? Symptoms of masking in what attacks with and without gradients broke.

They are those of Athalye, Carlini and Wagner 2018, section 3.1 (arXiv:1802.00420), and that more steps do
not help (Carlini et al. 2019, arXiv:1902.06705).
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from physadv.evaluation.comparisons import SMALLEST, TOO_FEW, Comparison, compare_paired
from physadv.evaluation.intervals import counted, share
from physadv.evaluation.outcomes import Bools


@dataclass(frozen=True)
class AttackOutcomes:
    """What every attack did to the P images that the classifier gets right.

    Attributes:
        iterative: number of gradient steps → (P,) whether each image is still right after as many.
        restarts: number of random starts → (P,) still right after as many gradient attacks of all steps.
        unbounded: the same as `iterative` with the whole pixel range as budget: steps → (P,) still right.
        raised: (P,) whether the last gradient step left the image wrong, or its loss above the first step's.
        one_step: (P,) still right after one gradient step of the whole budget.
        queries: (P,) still right after the attack that only queries the classifier.
        noise: (P,) still right in all random draws from the budget.
    """

    iterative: Mapping[int, Bools]
    restarts: Mapping[int, Bools]
    unbounded: Mapping[int, Bools]
    raised: Bools
    one_step: Bools
    queries: Bools
    noise: Bools


@dataclass(frozen=True)
class Symptom:
    """One symptom of masked gradients.

    Attributes:
        name: what it is, such as "more steps do not help".
        seen: whether it was observed.
        said: the numbers, in words.
    """

    name: str
    seen: bool
    said: str


_BREAKS_MORE = {
    "one step": "one step breaks more than many",
    "answers": "answers break more than gradients",
    "noise": "random noise breaks more than gradients",
}
"""Weaker attack → the symptom that it breaks more images than the gradients do."""


def masking_symptoms(outcomes: AttackOutcomes, smallest: float = SMALLEST) -> list[Symptom]:
    """Return the five symptoms, each seen or not, for one image or more.

    The three weaker attacks are compared with the gradients on the same images as `compare_paired` does, one
    family of tests: a handful of images that only the weaker one breaks is no symptom. More steps do not help
    where the interval for the share of images without a higher loss lies above one half, of what the last
    step left.

    Args:
        outcomes: what every attack did.
        smallest: smallest difference of interest, in shares.

    >>> import numpy as np
    >>> right, wrong = np.ones(8, bool), np.zeros(8, bool)
    >>> robust = AttackOutcomes({10: right}, {1: right}, {10: wrong}, wrong, right, right, right)
    >>> [symptom.name for symptom in masking_symptoms(robust) if symptom.seen]
    ['more steps do not help']
    """
    last = max(outcomes.iterative)
    iterative, unbounded = outcomes.iterative[last], outcomes.unbounded[max(outcomes.unbounded)]
    stuck = share(~outcomes.raised[iterative])
    left, lifted = stuck.n, int(outcomes.raised[iterative].sum())
    still = f"{int(unbounded.sum())} of {len(unbounded)} images still right"
    raised = f"{last} steps raised the loss of {lifted} of {left} images left"
    right = {"one step": outcomes.one_step, "answers": outcomes.queries, "noise": outcomes.noise}
    broken = {name: counted(~own, range(len(own))) for name, own in {**right, "gradients": iterative}.items()}
    tests = compare_paired(broken, smallest, against="gradients")
    return [
        *(_weaker_wins(test, right[test.first], iterative) for test in tests),
        Symptom("without a bound not every image breaks", bool(unbounded.any()), still),
        Symptom("more steps do not help", (stuck.low or 0) > 0.5, raised),
    ]


def verdict(symptoms: Sequence[Symptom], images: int, smallest: float = SMALLEST) -> str:
    """Return in words whether the gradients can be trusted, or that there are too few images to say."""
    seen = [symptom.name for symptom in symptoms if symptom.seen]
    if not seen and images < (wanted := fewest_images(smallest)):
        return f"{TOO_FEW}: {images} images, at least {wanted}"
    if not seen:
        return "no sign that gradients mislead on these images"
    return (
        f"gradients mislead ({'; '.join(seen)}): accuracy under attacks by gradients says nothing of "
        "robustness; attack with --query-only or from a substitute"
    )


def fewest_images(smallest: float = SMALLEST) -> int:
    """Return the least number of images that can show every symptom, all of them one way.

    >>> fewest_images()
    7
    """
    enough, shown = 1, partial(_all_seen, smallest=smallest)
    while not shown(enough):
        enough *= 2
    return bisect_left(range(enough), True, lo=enough // 2, key=shown)


def _all_seen(images: int, smallest: float) -> bool:
    import numpy as np

    right, wrong = np.ones(images, bool), np.zeros(images, bool)
    masked = AttackOutcomes({1: right}, {1: right}, {1: right}, wrong, wrong, wrong, wrong)
    return all(symptom.seen for symptom in masking_symptoms(masked, smallest))


def _weaker_wins(test: Comparison, weaker: Bools, iterative: Bools) -> Symptom:
    only_weaker, only_iterative = int((iterative & ~weaker).sum()), int((weaker & ~iterative).sum())
    said = (
        f"{test.first} alone broke {only_weaker}, gradients alone {only_iterative} "
        f"(p = {test.holm:.2g} after Holm)"
    )
    return Symptom(_BREAKS_MORE[test.first], test.verdict == f"{test.first} higher", said)
