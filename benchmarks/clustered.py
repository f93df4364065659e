"""The interval for a share seen through clusters and the paired test that `coverage.py` chose.

A cluster is what trials share: the photos of one image, the views of one photo. Only whole clusters are
independent of each other.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincinv, fdtri

Floats = NDArray[np.float64]

TAIL = 0.025
LIMIT = 0.2
"""Quantile of F that gives the upper 80 % confidence limit of the intraclass correlation (ICC)."""
ALIKE = 0.95
"""ICC that is assumed where all trials agree and say nothing of it."""
_NEAR = 0.9


def cluster_interval(successes: ArrayLike, seen: ArrayLike) -> tuple[float, float]:
    """Return the 95 % interval of a share: Clopper-Pearson at the effective number of trials.

    N trials in K clusters are worth N / (1 + (m − 1) ICC) independent ones (Korn and Graubard 1998), with
    m = Σn²/N. The ICC is the upper 80 % confidence limit from the analysis of variance (F distribution).
    Where all trials agree they say nothing of it: the effective number is then the one for which so many
    agreeing trials are as probable as under a beta-binomial with ICC 0.95, at shares near 0 and 1.

    One failure more never moves an end up: the lower end is the least over all data with fewer failures. For
    each number of failures the least is where they lie in the fewest clusters, so one sorting finds it.

    Args:
        successes: (K,) of each cluster.
        seen: (K,) trials of each cluster, at least 1.

    >>> low, high = cluster_interval([4, 4, 4, 0], [4, 4, 4, 4])
    >>> f"{low:.3f} to {high:.3f}"
    '0.194 to 0.994'
    """
    k, n = np.asarray(successes, np.float64), np.asarray(seen, np.float64)
    return lower_end(n - k, n), 1 - lower_end(k, n)


def lower_end(failures: Floats, seen: Floats) -> float:
    """Return the lower end for the share of successes, from failures (K,) of trials seen (K,)."""
    order = np.argsort(-failures / seen, kind="stable")
    n, total, clusters = seen[order], seen.sum(), seen.size
    size = (n**2).sum() / total
    f = failures[order][failures[order] > 0]
    failed, between = _concentrated(f, n[: f.size])
    q = failed / total
    agreeing = _agreeing(n)
    effective = np.full(q.shape, float(total))
    if size > 1 and clusters > 1:
        spread = (
            (between - failed * q) / (clusters - 1) / fdtri(clusters - 1, max(total - clusters, 1), LIMIT)
        )
        within = (failed - between) / max(total - clusters, 1)
        whole = spread + ((total - size) / (clusters - 1) - 1) * within
        icc = np.clip((spread - within) / np.where(whole > 0, whole, 1), 0, 1)
        effective = total / (1 + (size - 1) * icc)
    effective[(q == 0) | (q >= 1) | (clusters == 1)] = agreeing
    return _least(q * effective, effective)


def _concentrated(f: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return failures kept, from none to all, and Σ f²/n where the clusters that fail most keep theirs."""
    steps = np.ceil(f).astype(int)
    cluster = np.repeat(np.arange(f.size), steps)
    own = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps) + 1
    kept = np.minimum(own, f[cluster])
    failed = (np.cumsum(f) - f)[cluster] + kept
    between = (np.cumsum(f**2 / n) - f**2 / n)[cluster] + kept**2 / n[cluster]
    return np.append(0.0, failed), np.append(0.0, between)


def _agreeing(n: Floats) -> float:
    """Return the effective number of agreeing trials: a cluster's j-th, from 0, counts 1 / (1 + 19 j)."""
    trials = 1 / (1 + np.arange(n.max()) * ALIKE / (1 - ALIKE))
    return float(np.cumsum(trials)[n.astype(int) - 1].sum())


def _least(failed: Floats, trials: Floats) -> float:
    """Return the least of the lower ends of Clopper-Pearson for failures out of trials, both may be broken.

    Wilson's closed form says which come near; of these the one is sought below which no other lies.
    """
    z2, q = 3.8415, failed / trials
    upper = (q + z2 / (2 * trials) + np.sqrt(z2 * (q * (1 - q) + z2 / (4 * trials)) / trials)) / (
        1 + z2 / trials
    )
    near = upper >= _NEAR * upper.max()
    failed, trials, place = failed[near], trials[near], int(upper[near].argmax())
    succeeded, least = np.maximum(trials - failed, 0), 1.0
    while succeeded[place] > 1e-9:
        end = float(betaincinv(succeeded[place], failed[place] + 1, TAIL))
        if end >= least:
            return least
        least = end
        place = int(betainc(np.maximum(succeeded, 1e-12), failed + 1, least).argmax())
    return 0.0


def sign_flip(differences: Sequence[int] | NDArray[np.int64]) -> float:
    """Return the two-sided exact p of the sign-flip test for paired differences (Fisher 1935).

    Under the hypothesis each difference may as well have the other sign. All 2^K signs are counted by adding
    up the distribution of the sum pair by pair, so that small p are as exact as others.

    Args:
        differences: (K,) whole numbers, such as photos lost under one attack less those under the other.

    >>> sign_flip([1, 1, 1, 1, 1, 1])
    0.03125
    """
    d = np.asarray(differences, np.int64)
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
