"""Shares and means that say how sure they are: Wilson, Student's t, and the bootstrap over source images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

CONFIDENCE = 0.95
RESAMPLES = 2000
NO_PAIRS = "no pairs left"
_DRAWN_AT_ONCE = 2_000_000
"""Numbers a bootstrap holds at once: 16 MB, whatever the number of pairs."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A share of observations, or a mean over them, with its 95 % interval.

    Attributes:
        value: the share or mean, None where there was nothing to count: it is then undefined, not zero.
        low: of the interval, None where there is none; likewise `high`.
        n: observations counted.
        pairs: independent source images among them, on which the interval rests.
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


def proportion(successes: ArrayLike, seen: ArrayLike) -> Estimate:
    """Return the share of successes over source images, each seen once or several times.

    With one observation an image this is the Wilson score interval (Wilson 1927). Several of one image are no
    independent trials: the interval is then the percentile bootstrap that draws whole images (Davison and
    Hinkley 1997, section 3.8). Where all images agree no draw differs from another, and the interval is
    Wilson's for as many trials as there are images.

    Args:
        successes: (P,) whole numbers, one an image.
        seen: (P,) observations of each; images never seen are left out.
    """
    k, n = _seen_only(successes, seen)
    if not n.size:
        return Estimate(None, None, None, 0, 0, NO_PAIRS)
    value = float(k.sum() / n.sum())
    if n.max() == 1 or np.ptp(k / n) == 0:
        low, high = wilson(value, n.size)
    else:
        low, high = _bootstrapped(k, n)
    return Estimate(value, *_around(value, low, high), int(n.sum()), n.size)


@lru_cache(maxsize=2**16)
def wilson(value: float, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share `value` of n trials (Wilson 1927)."""
    low, high = proportion_confint(value * n, n, alpha=1 - CONFIDENCE, method="wilson")
    return float(low), float(high)


def mean(sums: ArrayLike, seen: ArrayLike) -> Estimate:
    """Return the mean over source images of a quantity in [0, 1], summed over each one's observations.

    With one observation an image the interval is Student's t, with several the bootstrap of `proportion`; one
    image has none.

    Args:
        sums: (P,) of the quantity, one an image.
        seen: (P,) observations of each; images never seen are left out.
    """
    total, n = _seen_only(sums, seen)
    if not n.size:
        return Estimate(None, None, None, 0, 0, NO_PAIRS)
    value = float(total.sum() / n.sum())
    if n.size == 1:
        return Estimate(value, None, None, int(n.sum()), 1)
    if n.max() == 1:
        low, high = DescrStatsW(total).tconfint_mean(alpha=1 - CONFIDENCE)
    else:
        low, high = _bootstrapped(total, n)
    return Estimate(value, *_around(value, low, high), int(n.sum()), n.size)


def _seen_only(sums: ArrayLike, seen: ArrayLike) -> tuple[Floats, Floats]:
    n = np.asarray(seen, dtype=np.float64)
    return np.asarray(sums, dtype=np.float64)[n > 0], n[n > 0]


def _bootstrapped(sums: Floats, seen: Floats) -> tuple[float, float]:
    """Return the percentile interval of Σ sums / Σ seen over draws of whole images, from a fixed seed.

    How often each image is drawn is multinomial; images with equal numbers are drawn as one, at a fraction of
    the cost.
    """
    distinct, images = np.unique(np.stack([sums, seen]), axis=1, return_counts=True)
    rng = np.random.default_rng(0)
    at_once = max(1, _DRAWN_AT_ONCE // images.size)
    drawn = np.concatenate(
        [
            rng.multinomial(sums.size, images / sums.size, min(at_once, RESAMPLES - start)) @ distinct.T
            for start in range(0, RESAMPLES, at_once)
        ]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [tail, 1 - tail])
    return float(low), float(high)


def _around(value: float, low: float, high: float) -> tuple[float, float]:
    """Return the bounds within [0, 1]; rounding may leave one a hair on the wrong side of the value."""
    return max(min(float(low), value), 0.0), min(max(float(high), value), 1.0)
