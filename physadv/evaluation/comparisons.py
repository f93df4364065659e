"""Attacks, or classifiers, compared on the same pairs: exact McNemar tests and Holm's correction."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from physadv.evaluation.intervals import CONFIDENCE, NO_PAIRS


@dataclass(frozen=True)
class Comparison:
    """One paired comparison.

    Attributes:
        first: name of the attack, or classifier, that is compared.
        second: name of the one that it is compared with.
        only_first: pairs of which something is true under `first` only.
        only_second: pairs of which something is true under `second` only.
        pairs: how many pairs both have; the others say nothing of the difference.
        p: two-sided exact McNemar p value, None where no pair is shared.
        holm: `p` corrected for all comparisons of a table, None where `p` is.
        undefined: why there is no p, None where there is one.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    pairs: int
    p: float | None
    holm: float | None
    undefined: str | None = None

    @property
    def differs(self) -> bool:
        """Return whether the difference stands after correction, at 5 %."""
        return self.holm is not None and self.holm < 1 - CONFIDENCE


def compare_paired(outcomes: Mapping[str, Mapping[str, bool]]) -> list[Comparison]:
    """Return every two of several attacks compared on the pairs they share (McNemar 1947, Holm 1979).

    Args:
        outcomes: attack → pair → whether it came about: the attack succeeded, or was destroyed.

    >>> fast, bim = {str(k): False for k in range(8)}, {str(k): True for k in range(8)}
    >>> (test,) = compare_paired({"fast": fast, "bim": bim})
    >>> test.only_second, test.pairs, test.p
    (8, 8, 0.0078125)
    """
    tests = []
    for first, second in combinations(outcomes, 2):
        other = outcomes[second]
        shared = [(own, other[pair]) for pair, own in outcomes[first].items() if pair in other]
        only_first, only_second = shared.count((True, False)), shared.count((False, True))
        p = mcnemar_exact(only_first, only_second) if shared else None
        why = None if shared else NO_PAIRS
        tests.append(Comparison(first, second, only_first, only_second, len(shared), p, None, why))
    return corrected(tests)


def by_majority(successes: Sequence[bool], clusters: Sequence[Hashable]) -> dict[str, bool]:
    """Return cluster → whether more than half of its trials succeeded, for `compare_paired`.

    Args:
        successes: N outcomes, one a trial.
        clusters: what each trial belongs to, such as a sign; named in the result by its `str`.

    >>> by_majority([True, True, False, False], ["a", "a", "a", "b"])
    {'a': True, 'b': False}
    """
    counts: dict[str, list[bool]] = {}
    for succeeded, cluster in zip(successes, clusters, strict=True):
        counts.setdefault(str(cluster), []).append(succeeded)
    return {cluster: 2 * sum(own) > len(own) for cluster, own in counts.items()}


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons with Holm's correction for all of them, the rows of one table."""
    found = iter(holm([test.p for test in comparisons if test.p is not None]))
    return [replace(test, holm=None if test.p is None else next(found)) for test in comparisons]


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Return the two-sided exact p of discordant pairs: a fair coin's, binomial with n = their number.

    >>> mcnemar_exact(1, 7)
    0.0703125
    """
    from statsmodels.stats.contingency_tables import mcnemar

    return float(mcnemar([[0, only_first], [only_second, 0]], exact=True).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for there being several (Holm 1979), in the same order.

    >>> holm([0.04, 0.01])
    [0.04, 0.02]
    """
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []
