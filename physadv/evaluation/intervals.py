"""Proportions that say how sure they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from statsmodels.stats.proportion import proportion_confint

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Proportion:
    """A share of observations with its 95 % Wilson interval.

    Attributes:
        value: the share, None where there was nothing to count: it is then undefined, not zero.
        low: of the interval; likewise `high`.
        n: observations counted.
        pairs: independent source images among them; the interval rests on this number, because photos of one
            picture are no independent trials.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    pairs: int


def proportion(outcomes: Sequence[Sequence[bool]]) -> Proportion:
    """Return the share of True over groups of outcomes, one group a source image.

    With one outcome a group this is the Wilson score interval (Wilson 1927); with several, the share is over
    all outcomes and the interval is Wilson's for as many trials as there are groups, which never claims more
    than the pairs can carry.
    """
    groups = [group for group in outcomes if group]
    n = sum(len(group) for group in groups)
    if not n:
        return Proportion(None, None, None, 0, 0)
    value = sum(sum(group) for group in groups) / n
    low, high = proportion_confint(value * len(groups), len(groups), alpha=1 - CONFIDENCE, method="wilson")
    # Rounding may leave the bound a hair outside the share at 0 and 1.
    return Proportion(value, min(float(low), value), max(float(high), value), n, len(groups))
