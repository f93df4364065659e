"""Shares and means that say how sure they are."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The standard normal's quantile at 97.5 %: intervals lie within ± Z standard errors."""
NO_PAIRS = "no pairs left"
_LIMIT = 0.2
"""Quantile of F that gives the upper 80 % confidence limit of the intraclass correlation (ICC)."""
_ALIKE = 0.95
"""ICC of an image that is assumed where all observations agree and say nothing of it."""
_LIGHT = 0.2
"""ICC of a photo that is assumed where photos say nothing of it, and the most where they show no more."""


@dataclass(frozen=True)
class Estimate:
    """A share of observations, or a mean over them, with its 95 % interval.

    Attributes:
        value: the share or mean, None where there was nothing to count: it is then undefined, not zero.
        low: lower end of the interval, None where there is none.
        high: upper end of the interval, None where there is none.
        n: observations counted.
        pairs: independent clusters among them, such as source images, on which the interval rests.
        undefined: why there is no value, None where there is one.
        discarded: reason → pairs left out for it, each counted under the first reason that applies.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    pairs: int
    undefined: str | None = None
    discarded: Mapping[str, int] = field(default_factory=dict)


def proportion(
    successes: ArrayLike, seen: ArrayLike, photos: tuple[ArrayLike, ArrayLike] | None = None
) -> Estimate:
    """Return the share of successes over source images, each seen once or several times.

    The interval is Clopper and Pearson's (1934) at the effective number of observations. N observations of K
    images are worth N / (1 + (m − 1) ICC) independent ones (Korn and Graubard 1998), with m = Σn²/N; the ICC
    is the upper 80 % limit from the analysis of variance. Where all agree they say nothing of it: the number
    is then that for which they are as probable as under a beta-binomial with ICC 0.95, near 0 and 1.

    Images in one photo share its light, and images are crossed with photos. What photos take from the number
    of observations is found in the same way and added (Cameron, Gelbach and Miller 2011): N / (1 + Σ (m − 1)
    ICC). A few photos say little of their ICC: it is taken to be 0.2 or what they show, whichever is more,
    where the upper limit lies above both.

    A failure more never moves an end up: the lower end is the least over all data with fewer failures, the
    upper one its mirror image. docs/results/coverage.md says how often it covers.

    Args:
        successes: (P,) numbers from 0 to `seen`, one an image.
        seen: (P,) observations of each; images never seen are left out.
        photos: the same observations counted by photo, where several images share one: successes, seen.

    Raises:
        ValueError: some are negative, not finite or more than were seen, one is missing, or photos and
            images do not add up to the same.

    >>> share = proportion([1, 0, 0, 0, 0], [1, 1, 1, 1, 1])
    >>> f"{share.value:.2f} ({share.low:.3f} to {share.high:.3f}), n = {share.n}"
    '0.20 (0.005 to 0.716), n = 5'
    """
    import numpy as np

    k, n = _seen_only(successes, seen)
    if not n.size:
        return Estimate(None, None, None, 0, 0, NO_PAIRS)
    value = float(k.sum() / n.sum())
    shared = None if photos is None else _seen_only(*photos)
    if shared and not np.allclose([k.sum(), n.sum()], [own.sum() for own in shared]):
        raise ValueError("wanted the same observations by photo as by image")
    return Estimate(value, *_around(value, *clustered(k, n, shared)), int(n.sum()), n.size)


def share(
    successes: Sequence[bool] | NDArray[np.bool_],
    clusters: Sequence[Hashable] | None = None,
    photos: Sequence[Hashable] | None = None,
) -> Estimate:
    """Return the share of trials that succeeded.

    Args:
        successes: N outcomes, one a trial.
        clusters: what each trial belongs to, such as a sign or an approach: trials of one cluster are no
            independent ones, and the interval rests on clusters (see `proportion`). Without it every trial
            stands for itself.
        photos: what shows each trial, where clusters share photos.

    >>> share([True, True, False, False], ["a", "a", "b", "b"]).pairs
    2
    """
    import numpy as np

    def by(names: Iterable[Hashable]) -> tuple[Floats, Floats]:
        found = np.array(list(counted(successes, names).values()), np.float64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    k, n = by(range(len(successes)) if clusters is None else clusters)
    return proportion(k, n, None if photos is None else by(photos))


def counted(values: Iterable[float], clusters: Iterable[Hashable]) -> dict[Hashable, tuple[float, int]]:
    """Return cluster → the sum of its trials' values, such as whether each succeeded, and their number.

    >>> counted([True, True, False], ["a", "a", "b"])
    {'a': (2, 2), 'b': (0, 1)}
    """
    found: dict[Hashable, tuple[float, int]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        total, seen = found.get(cluster, (0, 0))
        found[cluster] = total + value, seen + 1
    return found


def mean(
    sums: ArrayLike, seen: ArrayLike, images: ArrayLike | None = None, photos: ArrayLike | None = None
) -> Estimate:
    """Return the mean over source images of a quantity in [0, 1], summed over several observations.

    The interval is Student's t over images, of the ratio of sums where they were seen unequally often
    (Cochran 1977, section 6.3). Where photos show several, the variance over photos is added, that over both
    taken off, and t is of the fewer of the two (Cameron, Gelbach and Miller 2011). One image, or one photo of
    several, has no interval.

    Args:
        sums: (M,) of the quantity.
        seen: (M,) observations in each sum; sums of none are left out.
        images: (M,) numbers of the images that the sums are of, by default one each.
        photos: (M,) numbers of the photos, where several images share one.

    >>> mean([0.25, 0.75], [1, 1]).value
    0.5
    """
    import numpy as np

    total, n = _seen_only(sums, seen)
    if not n.size:
        return Estimate(None, None, None, 0, 0, NO_PAIRS)
    value, images = float(total.sum() / n.sum()), np.arange(np.size(seen)) if images is None else images

    def variance(*names: ArrayLike) -> tuple[float, int]:
        """Return the variance of the mean between clusters, and their number."""
        clusters, number = np.unique(np.stack(names)[:, np.asarray(seen) > 0], axis=1, return_inverse=True)
        beside, size = np.bincount(number.ravel(), total - value * n), clusters.shape[1]
        return size / max(size - 1, 1) * float((beside**2).sum()) / float(n.sum()) ** 2, size

    spread, clusters = variance(images)
    least = clusters
    if photos is not None:
        (light, shown), (both, cells) = variance(photos), variance(images, photos)
        if cells > shown:
            least = min(clusters, shown)
            spread = max(spread, light, spread + light - both)
    if least == 1:
        return Estimate(value, None, None, int(n.sum()), clusters)
    from scipy.special import stdtrit

    half = float(stdtrit(least - 1, (1 + CONFIDENCE) / 2)) * math.sqrt(spread)
    return Estimate(value, *_around(value, value - half, value + half), int(n.sum()), clusters)


def _seen_only(sums: ArrayLike, seen: ArrayLike) -> tuple[Floats, Floats]:
    import numpy as np

    k, n = np.asarray(sums, dtype=np.float64), np.asarray(seen, dtype=np.float64)
    if k.shape != n.shape or not (np.isfinite(n).all() and ((k >= 0) & (k <= n + 1e-9)).all()):
        raise ValueError("wanted as many sums as numbers of observations, each from 0 to its number")
    return k[n > 0], n[n > 0]


def clustered(
    successes: Floats, seen: Floats, photos: tuple[Floats, Floats] | None = None
) -> tuple[float, float]:
    """Return the two ends of `proportion`'s interval, of images and photos each seen at least once."""
    factors = [(successes, seen, _ALIKE, 1.0)]
    if photos is not None and (photos[1] > 1).any():
        factors.append((*photos, _LIGHT, _LIGHT))
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
    q = failed / total
    between = np.interp(failed, *_concentrated(failures, seen))
    # A cluster's agreeing trial j, from 0, counts 1 / (1 + j ICC / (1 − ICC)).
    counts = np.cumsum(1 / (1 + np.arange(seen.max()) * alike / (1 - alike)))
    agreeing = counts[seen.astype(int) - 1].sum()
    effect = np.ones(q.shape)
    if size > 1 and clusters > 1:
        within = (failed - between) / max(total - clusters, 1)
        spread = (between - failed * q) / (clusters - 1)

        def correlation(spread: Floats) -> Floats:
            whole = spread + ((total - size) / (clusters - 1) - 1) * within
            return np.asarray(np.clip((spread - within) / np.where(whole > 0, whole, 1), 0, 1))

        limit = correlation(spread / fdtri(clusters - 1, max(total - clusters, 1), _LIMIT))
        effect = 1 + (size - 1) * np.minimum(limit, np.maximum(correlation(spread), most))
    effect[(q == 0) | (q >= 1) | (clusters == 1)] = total / agreeing
    return effect


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


def _around(value: float, low: float, high: float) -> tuple[float, float]:
    """Return the bounds within [0, 1]; rounding may leave one a hair on the wrong side of the value."""
    return max(min(float(low), value), 0.0), min(max(float(high), value), 1.0)
