"""Do the gradients mislead? Symptoms of masking in what attacks with and without gradients broke.

They are those of Athalye, Carlini and Wagner 2018, section 3.1 (arXiv:1802.00420), and that more steps do
not help (Carlini et al. 2019, arXiv:1902.06705).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from physadv.evaluation.comparisons import TOO_FEW, fewest, sign_flip
from physadv.evaluation.intervals import CONFIDENCE, share
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


def masking_symptoms(outcomes: AttackOutcomes) -> list[Symptom]:
    """Return the five symptoms, each seen or not, for one image or more.

    Two attacks are compared on the same images by the exact sign-flip test at 5 %, here McNemar's: a handful
    of images that only the weaker one breaks is no symptom, and fewer than six images cannot show one. More
    steps do not help where the interval for the share of images without a higher loss lies above one half,
    of what the last step left: that too takes six.

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
    return [
        _weaker_wins("one step breaks more than many", outcomes.one_step, "one step", iterative),
        _weaker_wins("answers break more than gradients", outcomes.queries, "answers", iterative),
        _weaker_wins("random noise breaks more than gradients", outcomes.noise, "noise", iterative),
        Symptom("without a bound not every image breaks", bool(unbounded.any()), still),
        Symptom("more steps do not help", (stuck.low or 0) > 0.5, raised),
    ]


def verdict(symptoms: Sequence[Symptom], images: int) -> str:
    """Return in words whether the gradients can be trusted, or that there are too few images to say."""
    seen = [symptom.name for symptom in symptoms if symptom.seen]
    if not seen and images < fewest():
        return f"{TOO_FEW}: {images} images, at least {fewest()}"
    if not seen:
        return "no sign that gradients mislead on these images"
    return (
        f"gradients mislead ({'; '.join(seen)}): accuracy under attacks by gradients says nothing of "
        "robustness; attack with --query-only or from a substitute"
    )


def _weaker_wins(name: str, weaker: Bools, called: str, iterative: Bools) -> Symptom:
    only_weaker, only_iterative = int((iterative & ~weaker).sum()), int((weaker & ~iterative).sum())
    p = sign_flip(iterative.astype(int) - weaker.astype(int))
    said = f"{called} alone broke {only_weaker}, gradients alone {only_iterative} (p = {p:.2g})"
    return Symptom(name, only_weaker > only_iterative and p < 1 - CONFIDENCE, said)
