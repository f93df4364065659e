"""Attacks, or classifiers, compared on the same clusters: differences, sign-flip tests, Holm's correction."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from physadv.errors import PhysadvError
from physadv.evaluation.clusters import CONFIDENCE, clustered
from physadv.evaluation.intervals import NO_PAIRS, Estimate

if TYPE_CHECKING:
    from physadv.evaluation.outcomes import Floats, Ints

Counted = Mapping[Hashable, tuple[float, int]]
"""Cluster, such as a pair or a photo → how many of its trials succeeded, and of how many."""
SMALLEST = 0.03
"""Smallest difference of interest, in shares: 3 points."""
NOT_SHOWN = "no difference of interest shown"
TOO_FEW = "too few to say"
_LEVELS = 200_000
"""Most places on which the sums of a sign-flip test lie; finer differences are rounded to them."""


class ComparisonError(PhysadvError):
    """A comparison cannot be made as asked."""


@dataclass(frozen=True)
class Comparison:
    """One paired comparison.

    Attributes:
        first: name of the attack, or classifier, that is compared.
        second: name of the one that it is compared with.
        difference: mean over clusters of the first's share less the second's, with its 95 % interval.
        p: two-sided p of the exact sign-flip test on these differences, None where no cluster is shared. Of
            a side with more than twice the other's trials of a cluster, twice as many are drawn for it.
        holm: `p` corrected for all comparisons of one family, None where `p` is.
        smallest: smallest difference of interest, in shares.
    """

    first: str
    second: str
    difference: Estimate
    p: float | None
    holm: float | None
    smallest: float = SMALLEST

    @property
    def verdict(self) -> str:
        """Return what is shown: whose share is higher, that the two are alike, neither, or why none can be.

        One share is higher where p stands after correction, at 5 %, and the whole interval lies beyond the
        smallest difference of interest. The two are alike where the whole interval lies within it.
        """
        value, low, high = self.difference.value, self.difference.low, self.difference.high
        if value is None or low is None or high is None or self.holm is None:
            return self.difference.undefined or NOT_SHOWN
        if self.holm < 1 - CONFIDENCE and (low > self.smallest or high < -self.smallest):
            return f"{self.first if value > 0 else self.second} higher"
        if -self.smallest < low and high < self.smallest:
            return f"within {100 * self.smallest:g} points"
        if self.difference.pairs < fewest():
            return f"{TOO_FEW}: {self.difference.pairs} clusters, at least {fewest()}"
        return NOT_SHOWN


def check_smallest(smallest: float) -> None:
    """Raise a ComparisonError for a smallest difference of interest, in shares, that is none."""
    if not 0 <= smallest < 1:
        raise ComparisonError(f"smallest difference {100 * smallest:g} points: wanted 0 or more, below 100")


def compare_paired(
    outcomes: Mapping[str, Counted],
    smallest: float = SMALLEST,
    together: Mapping[Hashable, Hashable] | None = None,
    against: str | None = None,
) -> list[Comparison]:
    """Return every two of several attacks compared on the clusters they share, as one family (Holm 1979).

    Clusters are taken to be independent of each other. Pairs that share photos are not: the light of a photo
    moves all of them the same way. Say which belong `together`, such as those of one sheet: their signs are
    flipped together, and sheets are what is independent. That asks for six sheets or more.

    Args:
        outcomes: attack → cluster → how often it succeeded there, or was destroyed, and out of how many.
        smallest: smallest difference of interest, in shares.
        together: cluster → what it shares with others; without it every cluster stands for itself.
        against: the attack that all others are compared with, and no two others; None for every two.

    >>> fast, bim = {k: (0, 4) for k in range(8)}, {k: (4, 4) for k in range(8)}
    >>> (test,) = compare_paired({"fast": fast, "bim": bim})
    >>> test.difference.value, test.p, test.verdict
    (-1.0, 0.0078125, 'bim higher')
    """
    every = combinations(outcomes, 2)
    chosen = every if against is None else [(other, against) for other in outcomes if other != against]
    return corrected(
        [_compared(one, two, outcomes[one], outcomes[two], smallest, together or {}) for one, two in chosen]
    )


def _compared(
    first: str,
    second: str,
    one: Counted,
    other: Counted,
    smallest: float,
    together: Mapping[Hashable, Hashable],
) -> Comparison:
    import numpy as np

    keys = [key for key in one if key in other]
    if not keys:
        return Comparison(first, second, Estimate(None, None, None, 0, 0, NO_PAIRS), None, None, smallest)
    k, n, their_k, their_n = np.array([(*one[key], *other[key]) for key in keys], np.float64).T
    differences = k / n - their_k / their_n
    names = {
        name: number for number, name in enumerate(dict.fromkeys(together.get(key, key) for key in keys))
    }
    group = np.array([names[together.get(key, key)] for key in keys], np.int64)
    (drawn, of), (theirs, of_theirs) = _at_most_twice(k, n, their_n), _at_most_twice(their_k, their_n, n)
    levels = min(math.lcm(*map(int, {*of, *of_theirs})), max(1, _LEVELS // len(keys)))
    p = sign_flip(np.bincount(group, np.rint((drawn / of - theirs / of_theirs) * levels)))
    trials = np.minimum(n, their_n)
    return Comparison(first, second, _difference(differences, trials, group), p, None, smallest)


def _at_most_twice(k: "Floats", n: "Floats", others: "Floats") -> tuple["Floats", "Floats"]:
    """Return successes and trials of one side, of which it has at most twice as many as the other.

    Signs may be flipped where both sides have as many trials, and nearly so up to twice as many; beyond that
    small p come up too often, and that many are drawn, always the same ones.
    """
    import numpy as np

    of = np.minimum(n, 2 * others)
    good, bad = np.rint(k).astype(int), np.rint(n - k).astype(int)
    drawn = np.random.default_rng(0).hypergeometric(good, bad, of.astype(int))
    return np.where(of < n, drawn, k), of


def _difference(differences: "Floats", trials: "Floats", group: "Ints") -> Estimate:
    """Return the mean difference with the interval that those of its two parts make.

    The parts are the mean of what the first has more and the mean of what the second has more; their
    intervals are those of `proportion`, put together after Zou and Donner (2008) with their correlation. A
    difference of shares is no count: every cluster is taken to have the mean number of trials.
    """
    import numpy as np

    each = max(1.0, trials.mean() // 1)
    size = np.bincount(group)
    parts = np.array([np.bincount(group, np.maximum(own, 0)) for own in (differences, -differences)])
    (low, high), (other_low, other_high) = (clustered(part * each, size * each) for part in parts)
    more, less = parts.sum(axis=1) / differences.size
    beside = parts - np.outer((more, less), size)
    spread = math.sqrt(float((beside**2).sum(axis=1).prod()))
    correlation = float(beside.prod(axis=0).sum()) / spread if spread else 0.0

    def reach(own: float, other: float) -> float:
        return math.sqrt(max(0.0, own**2 + other**2 - 2 * correlation * own * other))

    value = float(differences.mean())
    below, above = value - reach(more - low, other_high - less), value + reach(high - more, less - other_low)
    return Estimate(value, max(below, -1.0), min(above, 1.0), int(trials.sum()), size.size)


def fewest(level: float = 1 - CONFIDENCE) -> int:
    """Return the least number of clusters with which a sign-flip test can fall below a level.

    With K of them, all one way, p is 2 / 2^K; Holm's correction asks for more.

    >>> fewest()
    6
    """
    return math.floor(math.log2(2 / level)) + 1


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons with Holm's correction for all of them, the rows of one table."""
    found = iter(holm([test.p for test in comparisons if test.p is not None]))
    return [replace(test, holm=None if test.p is None else next(found)) for test in comparisons]


def sign_flip(differences: "Ints") -> float:
    """Return the two-sided exact p of the sign-flip test for paired differences (Fisher 1935).

    Under the hypothesis each difference may as well have the other sign. That holds where both sides have as
    many trials; `compare_paired` sees to it that none has more than twice as many. All 2^K signs are counted
    by adding up the distribution of the sum pair by pair: small p are exact too.

    Args:
        differences: (K,) whole numbers, such as photos lost under one attack less those under the other.
            Others raise ValueError.

    >>> sign_flip([1] * 6)
    0.03125
    """
    import numpy as np

    d = np.rint(differences).astype(np.int64)
    if not np.array_equal(d, differences):
        raise ValueError("wanted whole numbers: shares would be rounded")
    sizes, observed = abs(d[d != 0]), abs(int(d.sum()))
    if observed == 0:
        return 1.0
    total = int(sizes.sum())
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    reached = 0
    for size in sizes:
        chances[: reached + 1] /= 2
        chances[size : reached + size + 1] += chances[: reached + 1].copy()
        reached += size
    return float(2 * chances[(total + observed) // 2 :].sum())


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for there being several (Holm 1979), in the same order.

    From the smallest on, each is multiplied by how many are left, and none falls below the one before it.

    >>> holm([0.04, 0.01])
    [0.04, 0.02]
    """
    found, highest = [1.0] * len(p_values), 0.0
    for place, k in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, (len(p_values) - place) * p_values[k])
        found[k] = min(1.0, highest)
    return found
