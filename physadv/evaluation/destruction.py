"""The metric: Kurakin et al. 2017, equation 1, and the accuracies that stand beside it in their tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from physadv.evaluation.intervals import Proportion, proportion

Case = Literal["average", "prefiltered"]
CASES: tuple[Case, ...] = ("average", "prefiltered")
TOPS = (1, 5)
PREFILTER_CONFIDENCE = 0.8


@dataclass(frozen=True)
class Judgement:
    """A classifier's top five on one image, most likely first, and the probability of the first."""

    labels: tuple[int, ...]
    confidence: float

    def right(self, label: int, top: int) -> bool:
        """Return whether the label is among the `top` first."""
        return label in self.labels[:top]


@dataclass(frozen=True)
class PairOutcome:
    """One source image: its two examples before a transformation, and each time they went through it."""

    pair: str
    label: int
    clean: Judgement
    adversarial: Judgement
    clean_after: tuple[Judgement, ...]
    adversarial_after: tuple[Judgement, ...]


@dataclass(frozen=True)
class Row:
    """One line of the table: a case at top-1 or top-5 through one channel."""

    case: Case
    top: int
    destruction_rate: Proportion
    clean_before: Proportion
    adversarial_before: Proportion
    clean_after: Proportion
    adversarial_after: Proportion


def is_prefiltered(label: int, clean: Judgement, adversarial: Judgement) -> bool:
    """Return whether a pair is of the prefiltered case (Kurakin et al. 2017, section 3.2).

    The clean image is classified right and the adversarial one wrong, at top-1 and at top-5, both with a
    probability of 0.8 or more.
    """
    return (
        clean.right(label, 1)
        and not adversarial.right(label, 5)
        and min(clean.confidence, adversarial.confidence) >= PREFILTER_CONFIDENCE
    )


def destruction_rate(outcomes: Iterable[PairOutcome], top: int) -> Proportion:
    """Return d = Σ C(X)·¬C(X_adv)·C(T(X_adv)) / Σ C(X)·¬C(X_adv) (equation 1).

    C says whether the true label is among the `top` first. Only times the adversarial image came through the
    transformation are counted; with none that qualifies, d is undefined.
    """
    return proportion(
        [
            [after.right(o.label, top) for after in o.adversarial_after]
            for o in outcomes
            if o.clean.right(o.label, top) and not o.adversarial.right(o.label, top)
        ]
    )


def table(outcomes: Sequence[PairOutcome]) -> list[Row]:
    """Return the rows of both cases at top-1 and top-5."""
    prefiltered = [o for o in outcomes if is_prefiltered(o.label, o.clean, o.adversarial)]
    chosen: dict[Case, Sequence[PairOutcome]] = {"average": outcomes, "prefiltered": prefiltered}
    return [_row(case, chosen[case], top) for case in CASES for top in TOPS]


def _row(case: Case, outcomes: Sequence[PairOutcome], top: int) -> Row:
    def share(seen: Callable[[PairOutcome], Sequence[Judgement]]) -> Proportion:
        return proportion([[judgement.right(o.label, top) for judgement in seen(o)] for o in outcomes])

    return Row(
        case=case,
        top=top,
        destruction_rate=destruction_rate(outcomes, top),
        clean_before=share(lambda o: [o.clean]),
        adversarial_before=share(lambda o: [o.adversarial]),
        clean_after=share(lambda o: o.clean_after),
        adversarial_after=share(lambda o: o.adversarial_after),
    )
