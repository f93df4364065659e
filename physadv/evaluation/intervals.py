"""Shares and means that say how sure they are."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from physadv.evaluation.clusters import CONFIDENCE, clustered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

NO_PAIRS = "no pairs left"


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


def _around(value: float, low: float, high: float) -> tuple[float, float]:
    """Return the bounds within [0, 1]; rounding may leave one a hair on the wrong side of the value."""
    return max(min(float(low), value), 0.0), min(max(float(high), value), 1.0)
