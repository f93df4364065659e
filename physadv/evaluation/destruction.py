"""The measures: Kurakin et al. 2017, equation 1, the rates without which it misleads, and transfer.

Every measure says how many pairs it rests on and how many it left out for which reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from physadv.evaluation.intervals import Estimate, mean, proportion
from physadv.evaluation.outcomes import (
    CASES,
    KINDS,
    TOPS,
    WHENS,
    Bools,
    Case,
    Counts,
    Ints,
    Kind,
    Tally,
    When,
    summed,
)

NOT_PREFILTERED = "not of the prefiltered case"
CLEAN_WRONG = "clean image wrong before"
ADVERSARIAL_RIGHT = "adversarial image right before"
NO_TARGET = "attack without a target"
NOT_SEEN = "never seen through the channel"
CLEAN_LOST = "never seen in a view that its clean image survived"
DIGITAL = "none"
"""The channel of files as they are."""

Condition = tuple[str, Bools]
"""Why a pair is left out, and which pairs (P,) stay."""
Count = Callable[[Counts], tuple[Ints, Ints]]
"""Counts of P images → successes (P,) of each and the observations (P,) that they are of."""


@dataclass(frozen=True)
class Row:
    """One line of the table: a case at top-1 or top-5 through one channel.

    Attributes:
        case: "average" for all pairs, or "prefiltered".
        top: 1 or 5: the true label counts as found among so many first answers.
        destruction_rate: equation 1, as the function `destruction_rate` computes it.
        destruction_clean_survives: equation 1 over the views in which the clean image is right too.
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
    destruction_clean_survives: Estimate
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


@dataclass(frozen=True)
class TransferCell:
    """What one source's examples do to one target classifier (Papernot et al. 2016, Liu et al. 2017).

    Attributes:
        run: name of the run that the examples are of.
        source: classifier or ensemble that the run was made against.
        target: classifier that judged.
        white_box: whether the target is the source.
        channel: "none" for the files themselves, "photo", or a transformation.
        success: share classified wrong of pairs whose clean file the target has right, top-1. Liu et al.'s
            accuracy on adversarial images is 1 minus it.
        matching: share classified as the attack's own target class, Liu et al.'s matching rate.
        destruction: equation 1 with the target as judge; None for files, which went through nothing.
    """

    run: str
    source: str
    target: str
    white_box: bool
    channel: str
    success: Estimate
    matching: Estimate
    destruction: Estimate | None


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
    return _share(tally, case, "adversarial", _right(top), *_adversarial(tally, top))


def destruction_clean_survives(tally: Tally, top: int, case: Case = "average") -> Estimate:
    """Return equation 1 counted over only the views in which the pair's clean image is right too.

    A view that no image survives destroys nothing in the equation's sense and lowers d; it says nothing of
    the attack, and here it does not count. Arguments are those of `destruction_rate`.

    >>> from physadv.evaluation import Judgement, PairOutcome, tally
    >>> right, wrong = Judgement((3, 1, 2, 4, 5), 0.9), Judgement((7, 1, 2, 4, 5), 0.8)
    >>> counted = tally([PairOutcome("a", 3, right, wrong, (right, wrong), (right, wrong))])
    >>> destruction_rate(counted, top=1).value, destruction_clean_survives(counted, top=1).value
    (0.5, 1.0)
    """
    which = TOPS.index(top)

    def count(found: Counts) -> tuple[Ints, Ints]:
        return found.both_right[:, which], found.clean_right[:, which]

    return _share(tally, case, "adversarial", count, *_adversarial(tally, top), unseen=CLEAN_LOST)


def accuracy(tally: Tally, kind: Kind, when: When, top: int, case: Case = "average") -> Estimate:
    """Return the share of examples of a kind whose true label is among the `top` first."""
    return _share(tally, case, kind, _right(top), when=when)


def success(tally: Tally, when: When, top: int, case: Case = "average") -> Estimate:
    """Return the share of adversarial images whose label is not among the `top` first, untargeted success.

    Of pairs whose untouched clean image is classified right: without that, the classifier's own errors would
    pass for the attack's.
    """

    def wrong(found: Counts) -> tuple[Ints, Ints]:
        right, seen = _right(top)(found)
        return seen - right, seen

    clean_right = (CLEAN_WRONG, tally.right_before("clean", top))
    return _share(tally, case, "adversarial", wrong, clean_right, when=when)


def adversariality(tally: Tally, when: When, top: int, case: Case = "average") -> Estimate:
    """Return the share of adversarial images with the target among the `top` first (Athalye et al. 2018)."""

    def reached(found: Counts) -> tuple[Ints, Ints]:
        return found.target[:, TOPS.index(top)], found.seen

    return _share(tally, case, "adversarial", reached, (NO_TARGET, tally.targeted), when=when)


def clean_survival(tally: Tally, top: int, case: Case = "average") -> Estimate:
    """Return the share of clean images classified right after the channel of those right before it.

    Where it is low the channel spoils every image, and a low success is no sign of robustness.
    """
    clean_right = (CLEAN_WRONG, tally.right_before("clean", top))
    return _share(tally, case, "clean", _right(top), clean_right)


def confidence(tally: Tally, kind: Kind, when: When, case: Case = "average") -> Estimate:
    """Return the mean probability of the first answer, right or wrong."""
    found = tally.counts[kind, when]
    kept, discarded = _kept(tally, case, found.seen > 0)
    if shown := tally.by_photo(kind, when):
        among = kept[shown.pair]
        sums, seen = shown.counts.confidence[among], shown.counts.seen[among]
        estimate = mean(sums, seen, shown.pair[among], shown.photo[among])
    else:
        estimate = mean(found.confidence[kept], found.seen[kept])
    return replace(estimate, discarded=discarded)


def table(tally: Tally) -> list[Row]:
    """Return the rows of both cases at top-1 and top-5."""
    return [_row(tally, case, top) for case in CASES for top in TOPS]


def transfer_cells(
    run: str, source: str, target: str, channels: Mapping[str, Sequence[Row]]
) -> list[TransferCell]:
    """Return the cells of one source and one target: the files, then every channel.

    Args:
        run: name of the source's run.
        source: spec of the classifier that the examples were made against.
        target: spec of the classifier that judged them.
        channels: channel → its table.
    """
    white_box = source == target
    cells: list[TransferCell] = []
    for channel, rows in channels.items():
        row = next(row for row in rows if (row.case, row.top) == ("average", 1))
        if not cells:
            files = (row.success_before, row.targeted_before, None)
            cells.append(TransferCell(run, source, target, white_box, DIGITAL, *files))
        after = (row.success_after, row.targeted_after, row.destruction_rate)
        cells.append(TransferCell(run, source, target, white_box, channel, *after))
    return cells


def _row(tally: Tally, case: Case, top: int) -> Row:
    shares = {
        "destruction_rate": destruction_rate(tally, top, case),
        "destruction_clean_survives": destruction_clean_survives(tally, top, case),
        "clean_survival": clean_survival(tally, top, case),
    }
    for when in WHENS:
        shares[f"success_{when}"] = success(tally, when, top, case)
        shares[f"targeted_{when}"] = adversariality(tally, when, top, case)
        for kind in KINDS:
            shares[f"{kind}_{when}"] = accuracy(tally, kind, when, top, case)
            shares[f"{kind}_confidence_{when}"] = confidence(tally, kind, when, case)
    return Row(case=case, top=top, **shares)


def _adversarial(tally: Tally, top: int) -> tuple[Condition, Condition]:
    """Return what equation 1 asks of a pair before the channel: clean right, adversarial wrong."""
    return (
        (CLEAN_WRONG, tally.right_before("clean", top)),
        (ADVERSARIAL_RIGHT, ~tally.right_before("adversarial", top)),
    )


def _right(top: int) -> Count:
    """Return what counts how often examples were right, and how often they were seen."""

    def count(found: Counts) -> tuple[Ints, Ints]:
        return found.right[:, TOPS.index(top)], found.seen

    return count


def _share(
    tally: Tally,
    case: Case,
    kind: Kind,
    count: Count,
    *conditions: Condition,
    when: When = "after",
    unseen: str = NOT_SEEN,
) -> Estimate:
    """Return the share of successes among the examples of a kind whose pair meets every condition.

    After the channel they are counted by photo too, where photos are named.
    """
    successes, seen = count(tally.counts[kind, when])
    kept, discarded = _kept(tally, case, seen > 0, *conditions, unseen=unseen)
    photos = None
    if shown := tally.by_photo(kind, when):
        among = kept[shown.pair]
        right, views = (summed(each[among], shown.photo[among]) for each in count(shown.counts))
        photos = right, views
    return replace(proportion(successes[kept], seen[kept], photos), discarded=discarded)


def _kept(
    tally: Tally, case: Case, seen: Bools, *conditions: Condition, unseen: str = NOT_SEEN
) -> tuple[Bools, dict[str, int]]:
    """Return which pairs (P,) stay, and how many went under the first condition that they fail."""
    import numpy as np

    of_case = [(NOT_PREFILTERED, tally.prefiltered)] if case == "prefiltered" else []
    kept, discarded = np.ones_like(seen), {}
    for reason, holds in (*of_case, *conditions, (unseen, seen)):
        if lost := int((kept & ~holds).sum()):
            discarded[reason] = lost
        kept &= holds
    return kept, discarded
