"""How many independent trials clustered ones are worth, and the ends of an interval for their share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The standard normal's quantile at 97.5 %: intervals lie within ± Z standard errors."""
LIMIT = 0.2
"""Quantile of F that gives the upper 80 % confidence limit of the intraclass correlation (ICC)."""
ALIKE = 0.95
"""ICC of an image that is assumed where all observations agree and say nothing of it."""
LIGHT = 0.2
"""ICC of a photo that is assumed where photos say nothing of it, and the most where they show no more."""


def clustered(
    successes: Floats, seen: Floats, photos: tuple[Floats, Floats] | None = None
) -> tuple[float, float]:
    """Return the two ends of `proportion`'s interval, of images and photos each seen at least once."""
    factors = [(successes, seen, ALIKE, 1.0)]
    if photos is not None and (photos[1] > 1).any():
        factors.append((*photos, LIGHT, LIGHT))
    failures = [(n - k, n, alike, most) for k, n, alike, most in factors]
    return _lower(failures), 1 - _lower(factors)


def _lower(factors: Sequence[tuple[Floats, Floats, float, float]]) -> float:
    """Return the lower end for the share of successes, from what `_design_effect` wants of every factor.

    A factor is one way to cluster the same trials: by image, by photo.
    """
    import numpy as np

    failures, seen, *_ = factors[0]
    failed, _ = _concentrated(failures, seen)
    total = seen.sum()
    effective = np.asarray(total / (1 + sum(_design_effect(failed, *factor) - 1 for factor in factors)))
    return _least(failed / total * effective, effective)


def _design_effect(failed: Floats, failures: Floats, seen: Floats, alike: float, most: float) -> Floats:
    """Return by how much clusters lessen the number of trials, at most, for each number of failures.

    Args:
        failed: numbers of failures.
        failures: (K,) failures of each cluster as they are.
        seen: (K,) trials of each.
        alike: ICC where all trials agree and say nothing of it.
        most: the most that the upper limit of the ICC may be where the ICC itself is less.
    """
    import numpy as np
    from scipy.special import fdtri

    total, clusters = seen.sum(), seen.size
    size = (seen**2).sum() / total
    between = np.interp(failed, *_concentrated(failures, seen))
    # A cluster's agreeing trial j, from 0, counts 1 / (1 + j ICC / (1 − ICC)).
    counts = np.cumsum(1 / (1 + np.arange(seen.max()) * alike / (1 - alike)))
    agreeing = counts[seen.astype(int) - 1].sum()
    effect = np.ones(failed.shape)
    if size > 1 and clusters > 1:
        below = fdtri(clusters - 1, max(total - clusters, 1), LIMIT)
        limit = _correlation(failed, between, seen, below)
        effect = 1 + (size - 1) * np.minimum(limit, np.maximum(_correlation(failed, between, seen), most))
    effect[(failed == 0) | (failed >= total) | (clusters == 1)] = total / agreeing
    return effect


def intraclass(successes: Floats, seen: Floats) -> float | None:
    """Return the ICC from the analysis of variance, None where no cluster was seen twice or all agree.

    Args:
        successes: (K,) of each cluster, seen at least once.
        seen: (K,) trials of each.

    >>> import numpy as np
    >>> intraclass(np.array([4.0, 4.0, 0.0, 1.0]), np.full(4, 4.0))
    0.8
    """
    if seen.size < 2 or seen.max() < 2 or successes.sum() in (0, seen.sum()):
        return None
    return float(_correlation(successes.sum(), (successes**2 / seen).sum(), seen))


def _correlation(failed: ArrayLike, between: ArrayLike, seen: Floats, below: float = 1.0) -> Floats:
    """Return the ICC, 0 to 1, for numbers of failures and their Σ f²/n.

    Args:
        failed: numbers of failures.
        between: Σ f²/n over the clusters for each.
        seen: (K,) trials of each cluster.
        below: what the mean square between clusters is divided by, for a limit of the ICC a quantile of F.
    """
    import numpy as np

    failed, between, total, clusters = np.asarray(failed), np.asarray(between), seen.sum(), seen.size
    within = (failed - between) / max(total - clusters, 1)
    spread = (between - failed**2 / total) / (clusters - 1) / below
    whole = spread + ((total - (seen**2).sum() / total) / (clusters - 1) - 1) * within
    return np.asarray(np.clip((spread - within) / np.where(whole > 0, whole, 1), 0, 1))


def _concentrated(failures: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Return numbers of failures, from none to all, and the most that Σ f²/n can be with as many left.

    The clusters that fail most keep theirs; one that keeps a part counts as if its share stayed, so that no
    data with fewer failures has more.
    """
    import numpy as np

    order = np.argsort(-failures / seen, kind="stable")
    order = order[failures[order] > 0]
    f, n = failures[order], seen[order]
    steps = np.ceil(f).astype(int)
    cluster = np.repeat(np.arange(f.size), steps)
    nth = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps) + 1
    kept = np.minimum(nth, f[cluster])
    failed = (np.cumsum(f) - f)[cluster] + kept
    between = (np.cumsum(f**2 / n) - f**2 / n)[cluster] + kept * (f / n)[cluster]
    return np.append(0.0, failed), np.append(0.0, between)


def _least(failed: Floats, trials: Floats) -> float:
    """Return the least of the lower ends of Clopper-Pearson for failures out of trials, both may be broken.

    The end rises with successes and falls with failures: of two data sets the one that has fewer successes
    and more failures has the lower end, and the other needs no look. Of those left, Wilson's closed form says
    where to begin; from there the one is sought below which no other lies.
    """
    import numpy as np
    from scipy.special import betainc, betaincinv

    order = np.argsort(trials - failed, kind="stable")
    most = np.maximum.accumulate(failed[order])
    order = order[np.append(True, most[1:] > most[:-1])]
    failed, trials = failed[order], trials[order]
    z2, q = Z**2, failed / trials
    upper = (q + z2 / (2 * trials) + np.sqrt(z2 * (q * (1 - q) + z2 / (4 * trials)) / trials)) / (
        1 + z2 / trials
    )
    succeeded, least, place = np.maximum(trials - failed, 0), 1.0, int(upper.argmax())
    while succeeded[place] > 1e-9:
        end = float(betaincinv(succeeded[place], failed[place] + 1, (1 - CONFIDENCE) / 2))
        if end >= least:
            return least
        least = end
        place = int(betainc(np.maximum(succeeded, 1e-12), failed + 1, least).argmax())
    return 0.0
