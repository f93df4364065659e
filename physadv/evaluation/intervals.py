"""Shares and means that say how sure they are, and how many pairs make them as sure as wanted."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from physadv.errors import PhysadvError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95
Z = 1.959963984540054
"""The standard normal's quantile at 97.5 %: intervals lie within ± Z standard errors."""
RESAMPLES = 2000
NO_PAIRS = "no pairs left"
_DRAWN_AT_ONCE = 2_000_000
"""Numbers a bootstrap holds at once: 16 MB, whatever the number of pairs."""


@dataclass(frozen=True)
class Estimate:
    """A share of observations, or a mean over them, with its 95 % interval.

    Attributes:
        value: the share or mean, None where there was nothing to count: it is then undefined, not zero.
        low: lower end of the interval, None where there is none.
        high: upper end of the interval, None where there is none.
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


class SampleSizeError(PhysadvError):
    """No number of pairs gives what was asked for."""


@dataclass(frozen=True)
class SampleSize:
    """How many pairs give the interval wanted.

    Attributes:
        rate: the share expected, 0 to 1.
        qualifying: share of printed pairs that is expected to count.
        counted: pairs that must count.
        printed: pairs to print so that as many count.
        low: lower end of the interval that is then expected.
        high: upper end of the interval that is then expected.
    """

    rate: float
    qualifying: float
    counted: int
    printed: int
    low: float
    high: float


def proportion(successes: ArrayLike, seen: ArrayLike) -> Estimate:
    """Return the share of successes over source images, each seen once or several times.

    With one observation an image this is the Wilson score interval (Wilson 1927). Several of one image are no
    independent trials: the interval is then the percentile bootstrap that draws whole images (Davison and
    Hinkley 1997, section 3.8). Where all images agree no draw differs from another, and the interval is
    Wilson's for as many trials as there are images.

    Args:
        successes: (P,) whole numbers, one an image.
        seen: (P,) observations of each; images never seen are left out.

    >>> share = proportion([1, 0, 0, 0, 0], [1, 1, 1, 1, 1])
    >>> f"{share.value:.2f} ({share.low:.3f} to {share.high:.3f}), n = {share.n}"
    '0.20 (0.036 to 0.624), n = 5'
    """
    k, n = _seen_only(successes, seen)
    if not n.size:
        return Estimate(None, None, None, 0, 0, NO_PAIRS)
    value = float(k.sum() / n.sum())
    if n.max() == 1 or (k / n).min() == (k / n).max():
        low, high = wilson(value * n.size, n.size)
    else:
        low, high = _bootstrapped(k, n)
    return Estimate(value, *_around(value, low, high), int(n.sum()), n.size)


def share(
    successes: Sequence[bool] | NDArray[np.bool_], clusters: Sequence[Hashable] | None = None
) -> Estimate:
    """Return the share of trials that succeeded.

    Args:
        successes: N outcomes, one a trial.
        clusters: what each trial belongs to, such as a sign or an approach: trials of one cluster are no
            independent ones, and the interval rests on clusters (see `proportion`). Without it every trial
            stands for itself.

    >>> share([True, True, False, False], ["a", "a", "b", "b"]).pairs
    2
    """
    if clusters is None:
        return proportion(successes, [1] * len(successes))
    counts: dict[Hashable, list[bool]] = {}
    for succeeded, cluster in zip(successes, clusters, strict=True):
        counts.setdefault(cluster, []).append(succeeded)
    return proportion([sum(own) for own in counts.values()], [len(own) for own in counts.values()])


def wilson(successes: float, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of the share p = successes / n (Wilson 1927).

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n); at p = 0 and 1 one end is p itself.

    >>> tuple(round(end, 3) for end in wilson(1, 10))
    (0.018, 0.404)
    """
    p = successes / n
    scale = 1 + Z**2 / n
    centre = (p + Z**2 / (2 * n)) / scale
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / scale
    return 0.0 if p == 0 else centre - half, 1.0 if p == 1 else centre + half


def mean(sums: ArrayLike, seen: ArrayLike) -> Estimate:
    """Return the mean over source images of a quantity in [0, 1], summed over each one's observations.

    With one observation an image the interval is Student's t, with several the bootstrap of `proportion`; one
    image has none.

    Args:
        sums: (P,) of the quantity, one an image.
        seen: (P,) observations of each; images never seen are left out.

    >>> mean([0.25, 0.75], [1, 1]).value
    0.5
    """
    total, n = _seen_only(sums, seen)
    if not n.size:
        return Estimate(None, None, None, 0, 0, NO_PAIRS)
    value = float(total.sum() / n.sum())
    if n.size == 1:
        return Estimate(value, None, None, int(n.sum()), 1)
    if n.max() == 1:
        from statsmodels.stats.weightstats import DescrStatsW

        low, high = DescrStatsW(total).tconfint_mean(alpha=1 - CONFIDENCE)
    else:
        low, high = _bootstrapped(total, n)
    return Estimate(value, *_around(value, low, high), int(n.sum()), n.size)


def plan_pairs(rate: float, halfwidth: float, qualifying: float = 1.0) -> SampleSize:
    """Return the fewest pairs whose 95 % Wilson interval about `rate` is ± `halfwidth` or narrower.

    The half width h = z √(p(1−p)/n + z²/4n²) / (1 + z²/n) falls with n; squared, it is a quadratic in n:
    h²n² + (2h² − p(1−p)) z² n + (h² − ¼) z⁴ = 0.

    Args:
        rate: the share p expected, 0 to 1.
        halfwidth: h, above 0 and below 0.5, the half width that no pair at all would give.
        qualifying: share of printed pairs expected to count: clean right, adversarial wrong, photo usable.

    Raises:
        SampleSizeError: an argument is out of its range.

    >>> size = plan_pairs(0.1, 0.05, qualifying=0.8)
    >>> size.counted, size.printed
    (141, 177)
    """
    for name, value, valid, wanted in (
        ("rate", rate, 0 <= rate <= 1, "a share from 0 to 1"),
        ("halfwidth", halfwidth, 0 < halfwidth < 0.5, "a share above 0 and below 0.5"),
        ("qualifying", qualifying, 0 < qualifying <= 1, "a share above 0, at most 1"),
    ):
        if not valid:
            raise SampleSizeError(f"{name} {value:g}: wanted {wanted}")
    z2, h2 = Z**2, halfwidth**2
    slope = (2 * h2 - rate * (1 - rate)) * z2
    root = (-slope + math.sqrt(slope**2 - 4 * h2 * (h2 - 0.25) * z2**2)) / (2 * h2)
    counted = math.ceil(root - 1e-9)
    printed = math.ceil(counted / qualifying - 1e-9)
    return SampleSize(rate, qualifying, counted, printed, *wilson(rate * counted, counted))


def _seen_only(sums: ArrayLike, seen: ArrayLike) -> tuple[Floats, Floats]:
    import numpy as np

    n = np.asarray(seen, dtype=np.float64)
    return np.asarray(sums, dtype=np.float64)[n > 0], n[n > 0]


def _bootstrapped(sums: Floats, seen: Floats) -> tuple[float, float]:
    """Return the percentile interval of Σ sums / Σ seen over draws of whole images, from a fixed seed.

    How often each image is drawn is multinomial; images with equal numbers are drawn as one, at a fraction of
    the cost.
    """
    import numpy as np

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
