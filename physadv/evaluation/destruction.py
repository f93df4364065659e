"""The measures: Kurakin et al. 2017, equation 1, and the rates without which it misleads; one function each.

Every measure says how many pairs it rests on and how many it left out for which reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from physadv.evaluation.intervals import Estimate, mean, proportion
from physadv.evaluation.outcomes import CASES, KINDS, TOPS, WHENS, Bools, Case, Ints, Kind, Tally, When

NOT_PREFILTERED = "not of the prefiltered case"
CLEAN_WRONG = "clean image wrong before"
ADVERSARIAL_RIGHT = "adversarial image right before"
NO_TARGET = "attack without a target"
NOT_SEEN = "never seen through the channel"

Condition = tuple[str, Bools]
"""Why a pair is left out, and which pairs (P,) stay."""


@dataclass(frozen=True)
class Row:
    """One line of the table: a case at top-1 or top-5 through one channel.

    Attributes:
        case: "average" for all pairs, or "prefiltered".
        top: 1 or 5: the true label counts as found among so many first answers.
        destruction_rate: equation 1, as the function `destruction_rate` computes it.
        clean_before: accuracy on clean images before the channel.
        adversarial_before: accuracy on adversarial images before the channel.
        clean_after: accuracy on clean images after the channel.
        adversarial_after: accuracy on adversarial images after the channel.
        clean_survival: share of clean images right after the channel, of those right before it.
        success_before: untargeted success before the channel.
        success_after: untargeted success after the channel.
        targeted_before: target reached before the channel.
        targeted_after: target reached after the channel.
        clean_confidence_before: mean confidence in clean images before the channel, whatever `top` is.
        adversarial_confidence_before: mean confidence in adversarial images before the channel.
        clean_confidence_after: mean confidence in clean images after the channel.
        adversarial_confidence_after: mean confidence in adversarial images after the channel.
    """

    case: Case
    top: int
    destruction_rate: Estimate
    clean_before: Estimate
    adversarial_before: Estimate
    clean_after: Estimate
    adversarial_after: Estimate
    clean_survival: Estimate
    success_before: Estimate
    success_after: Estimate
    targeted_before: Estimate
    targeted_after: Estimate
    clean_confidence_before: Estimate
    adversarial_confidence_before: Estimate
    clean_confidence_after: Estimate
    adversarial_confidence_after: Estimate


def destruction_rate(tally: Tally, top: int, case: Case = "average") -> Estimate:
    """Return d = Σ C(X)·¬C(X_adv)·C(T(X_adv)) / Σ C(X)·¬C(X_adv) (Kurakin et al. 2017, equation 1).

    C says whether the true label is among the `top` first answers. Every time an adversarial image came
    through the channel counts; with none that qualifies, d is undefined.

    Args:
        tally: answers on P pairs, from `tally` of their outcomes.
        top: 1 or 5.
        case: "average" or "prefiltered".

    >>> from physadv.evaluation import Judgement, PairOutcome, tally
    >>> right, wrong = Judgement((3, 1, 2, 4, 5), 0.9), Judgement((7, 1, 2, 4, 5), 0.8)
    >>> pairs = [PairOutcome(str(k), 3, right, wrong, (), (after,)) for k, after in enumerate((right, wrong))]
    >>> destruction_rate(tally(pairs), top=1).value
    0.5
    """
    after = tally.counts["adversarial", "after"]
    return _share(
        after.right[:, TOPS.index(top)],
        after.seen,
        *_of_case(tally, case),
        (CLEAN_WRONG, tally.right_before("clean", top)),
        (ADVERSARIAL_RIGHT, ~tally.right_before("adversarial", top)),
    )


def accuracy(tally: Tally, kind: Kind, when: When, top: int, case: Case = "average") -> Estimate:
    """Return the share of examples of a kind whose true label is among the `top` first."""
    found = tally.counts[kind, when]
    return _share(found.right[:, TOPS.index(top)], found.seen, *_of_case(tally, case))


def success(tally: Tally, when: When, top: int, case: Case = "average") -> Estimate:
    """Return the share of adversarial images whose label is not among the `top` first, untargeted success.

    Of pairs whose untouched clean image is classified right: without that, the classifier's own errors would
    pass for the attack's.
    """
    found = tally.counts["adversarial", when]
    return _share(
        found.seen - found.right[:, TOPS.index(top)],
        found.seen,
        *_of_case(tally, case),
        (CLEAN_WRONG, tally.right_before("clean", top)),
    )


def adversariality(tally: Tally, when: When, top: int, case: Case = "average") -> Estimate:
    """Return the share of adversarial images with the target among the `top` first (Athalye et al. 2018)."""
    found = tally.counts["adversarial", when]
    return _share(
        found.target[:, TOPS.index(top)], found.seen, *_of_case(tally, case), (NO_TARGET, tally.targeted)
    )


def clean_survival(tally: Tally, top: int, case: Case = "average") -> Estimate:
    """Return the share of clean images classified right after the channel of those right before it.

    Where it is low the channel spoils every image, and a low success is no sign of robustness.
    """
    after = tally.counts["clean", "after"]
    return _share(
        after.right[:, TOPS.index(top)],
        after.seen,
        *_of_case(tally, case),
        (CLEAN_WRONG, tally.right_before("clean", top)),
    )


def confidence(tally: Tally, kind: Kind, when: When, case: Case = "average") -> Estimate:
    """Return the mean probability of the first answer, right or wrong."""
    found = tally.counts[kind, when]
    kept, discarded = _kept(found.seen > 0, _of_case(tally, case))
    return replace(mean(found.confidence[kept], found.seen[kept]), discarded=discarded)


def table(tally: Tally) -> list[Row]:
    """Return the rows of both cases at top-1 and top-5."""
    return [row for case in CASES for row in _rows(tally, case)]


def _rows(tally: Tally, case: Case) -> list[Row]:
    confidences = {
        f"{kind}_confidence_{when}": confidence(tally, kind, when, case) for kind in KINDS for when in WHENS
    }
    return [
        Row(
            case=case,
            top=top,
            destruction_rate=destruction_rate(tally, top, case),
            clean_before=accuracy(tally, "clean", "before", top, case),
            adversarial_before=accuracy(tally, "adversarial", "before", top, case),
            clean_after=accuracy(tally, "clean", "after", top, case),
            adversarial_after=accuracy(tally, "adversarial", "after", top, case),
            clean_survival=clean_survival(tally, top, case),
            success_before=success(tally, "before", top, case),
            success_after=success(tally, "after", top, case),
            targeted_before=adversariality(tally, "before", top, case),
            targeted_after=adversariality(tally, "after", top, case),
            **confidences,
        )
        for top in TOPS
    ]


def _of_case(tally: Tally, case: Case) -> list[Condition]:
    return [(NOT_PREFILTERED, tally.prefiltered)] if case == "prefiltered" else []


def _share(successes: Ints, seen: Ints, *conditions: Condition) -> Estimate:
    """Return the share of successes among the pairs of which every condition holds."""
    kept, discarded = _kept(seen > 0, conditions)
    return replace(proportion(successes[kept], seen[kept]), discarded=discarded)


def _kept(seen: Bools, conditions: Sequence[Condition]) -> tuple[Bools, dict[str, int]]:
    """Return which pairs (P,) stay, and how many went under the first condition that they fail."""
    kept, discarded = np.ones_like(seen), {}
    for reason, holds in (*conditions, (NOT_SEEN, seen)):
        if lost := int((kept & ~holds).sum()):
            discarded[reason] = lost
        kept &= holds
    return kept, discarded
