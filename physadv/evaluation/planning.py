"""How many pairs to print for a rate as sharp as wanted, and what sharpens it most: pairs, photos or devices.

It answers without numpy and scipy: a plan is asked for on the command line, and these take long to load.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import partial
from statistics import NormalDist

from physadv.errors import PhysadvError
from physadv.evaluation.clusters import ALIKE, CONFIDENCE, LIGHT, LIMIT
from physadv.evaluation.intervals import Estimate

_TAIL = (1 - CONFIDENCE) / 2
_MOST = 10**9
_NOTHING = -600
"""Exponent below which a chance is 0: the smallest floats, multiplied by less than 1, stay what they are."""


class PlanError(PhysadvError):
    """A number of a plan is out of its range, or no number of pairs gives what was asked for."""


@dataclass(frozen=True)
class Correlations:
    """Intraclass correlations (ICC) of two views, 0 for independent ones and 1 for repetitions.

    The defaults are assumptions, on the safe side for photos of one phone in one room.

    Attributes:
        pair: two views of one pair.
        photo: two pairs in one photo, which share its light.
        device: two pairs seen by one device. At 0 the rate is that of the devices used; for a rate of such
            devices in general, 0.005 stands for rates that differ by 3.5 points (SD) from one to the next.
    """

    pair: float = 0.5
    photo: float = 0.05
    device: float = 0.0


@dataclass(frozen=True)
class Design:
    """What is printed and how often it is photographed.

    Attributes:
        pairs: pairs printed.
        photos: photos of every sheet by each device.
        devices: phones or cameras.
        per_sheet: pairs on a sheet.
    """

    pairs: int
    photos: int = 1
    devices: int = 1
    per_sheet: int = 8


@dataclass(frozen=True)
class Choice:
    """One way to go on.

    Attributes:
        what: the change in words.
        design: the whole design then.
        taken: photos to take in all.
        halfwidth: half the width of the 95 % interval that is then expected.
    """

    what: str
    design: Design
    taken: int
    halfwidth: float


@dataclass(frozen=True)
class Plan:
    """A design, the interval expected of it, and what more would buy.

    Attributes:
        rate: the share expected, 0 to 1.
        qualifying: share of printed pairs that is expected to count.
        counted: pairs that are expected to count.
        printed: pairs to print.
        low: lower end of the interval that is expected.
        high: upper end of the interval that is expected.
        icc: the intraclass correlations assumed.
        choices: the design as it is, then with twice its pairs, twice its photos, or one more device.
    """

    rate: float
    qualifying: float
    counted: int
    printed: int
    low: float
    high: float
    icc: Correlations
    choices: tuple[Choice, ...]


def plan_pairs(
    rate: float,
    halfwidth: float | None = None,
    qualifying: float = 1.0,
    design: Design | None = None,
    icc: Correlations | None = None,
) -> Plan:
    """Return the fewest pairs whose expected 95 % interval about `rate` is ± `halfwidth` or narrower.

    The interval is that of `proportion`, Clopper and Pearson's at the effective number of views: N views are
    worth N / (1 + Σ (m − 1) ICC), where m views share a pair, a photo or a device (Korn and Graubard 1998).
    Of pairs and photos the ICC will be estimated: what counts is the upper limit that is then expected. What
    devices take is known.

    Args:
        rate: the share expected, 0 to 1.
        halfwidth: from 0.0001 to below 0.5; without it the design's own pairs are planned.
        qualifying: share of printed pairs expected to count: clean right, adversarial wrong, photo usable.
        design: photos, devices and pairs on a sheet; its `pairs` count only without a half width.
        icc: the intraclass correlations, by default the assumed ones.

    Raises:
        PlanError: an argument is out of its range, or no number of pairs gives an interval as narrow.

    >>> plan = plan_pairs(0.1, 0.05, qualifying=0.8)
    >>> plan.counted, plan.printed
    (241, 302)
    """
    planned, icc = design or Design(1), icc or Correlations()
    _check(rate, halfwidth, qualifying, planned, icc)
    effective = partial(_effective, qualifying=qualifying, icc=icc)
    if halfwidth is not None:
        wanted = _trials(rate, 2 * halfwidth)
        pairs = bisect_left(range(_MOST), wanted, lo=1, key=lambda k: effective(replace(planned, pairs=k)))
        if pairs == _MOST:
            raise PlanError(
                f"halfwidth {halfwidth:g}: no number of pairs is enough with --devices {planned.devices} "
                f"and --icc-device {icc.device:g}; wanted more devices"
            )
        planned = replace(planned, pairs=pairs)
    choices = []
    for what, tried in (
        ("as planned", planned),
        ("twice the pairs", replace(planned, pairs=2 * planned.pairs)),
        ("twice the photos", replace(planned, photos=2 * planned.photos)),
        ("one more device", replace(planned, devices=planned.devices + 1)),
    ):
        taken = math.ceil(tried.pairs / tried.per_sheet) * tried.photos * tried.devices
        choices.append(Choice(what, tried, taken, _width(_ends(rate, effective(tried))) / 2))
    ends = _ends(rate, effective(planned))
    return Plan(rate, qualifying, _counted(planned, qualifying), planned.pairs, *ends, icc, tuple(choices))


def pairs_wanted(share: Estimate, halfwidth: float) -> int:
    """Return how many pairs give a 95 % interval of ± `halfwidth`, photographed as those of a share were.

    How alike their views are is taken from the share's own interval. Without one, ValueError is raised.

    >>> pairs_wanted(Estimate(0.5, 0.25, 0.75, 40, 20), 0.125)
    81
    """
    if share.value is None or share.low is None or share.high is None:
        raise ValueError("wanted a share with an interval")
    now = _trials(share.value, share.high - share.low)
    return math.ceil(share.pairs * _trials(share.value, 2 * halfwidth) / now)


def _check(
    rate: float, halfwidth: float | None, qualifying: float, design: Design, icc: Correlations
) -> None:
    half, shared = 0.25 if halfwidth is None else halfwidth, sum(vars(icc).values())
    for name, value, valid, wanted in (
        ("rate", rate, 0 <= rate <= 1, "a share from 0 to 1"),
        ("halfwidth", half, 1e-4 <= half < 0.5, "a share from 0.0001 to below 0.5"),
        ("qualifying", qualifying, 0 < qualifying <= 1, "a share above 0, at most 1"),
        ("pairs", design.pairs, design.pairs > 0, "1 or more"),
        ("photos", design.photos, design.photos > 0, "1 or more"),
        ("devices", design.devices, design.devices > 0, "1 or more"),
        ("pairs on a sheet", design.per_sheet, design.per_sheet > 0, "1 or more"),
        *((f"icc-{name}", value, value >= 0, "0 or more") for name, value in vars(icc).items()),
        ("icc-pair, icc-photo and icc-device together", shared, shared <= 1, "at most 1"),
    ):
        if not valid:
            raise PlanError(f"{name} {value:g}: wanted {wanted}")


def _counted(design: Design, qualifying: float) -> int:
    return max(1, math.floor(design.pairs * qualifying + 1e-9))


def _effective(design: Design, qualifying: float, icc: Correlations) -> float:
    """Return how many independent views a design's are worth."""
    pairs, views = _counted(design, qualifying), design.photos * design.devices
    together = max(1.0, min(pairs, design.per_sheet * qualifying))
    effect = (
        _design_effect(icc.pair, views, pairs, ALIKE, 1.0)
        + _design_effect(icc.photo, together, views * pairs / together, LIGHT, LIGHT)
        + (pairs * design.photos - 1) * icc.device
    )
    return pairs * views / (effect - 1)


def _design_effect(icc: float, size: float, clusters: float, alike: float, most: float) -> float:
    """Return by how much `clusters` of `size` views each lessen their number; see `clusters.clustered`.

    Args:
        icc: the intraclass correlation that the views have.
        size: views in each.
        clusters: their number.
        alike: ICC where there is one cluster, which says nothing of it.
        most: the most that the upper limit of the ICC may be where the ICC itself is less.
    """
    if size <= 1:
        return 1.0
    if clusters < 2:
        return size / sum(1 / (1 + j * alike / (1 - alike)) for j in range(math.ceil(size)))
    if icc == 1:
        return size
    between = (1 + (size - 1) * icc) / (1 - icc) / _f_quantile(clusters - 1, clusters * (size - 1))
    limit = (between - 1) / (between + size - 1)
    return 1 + (size - 1) * min(limit, max(icc, most))


def _f_quantile(between: float, within: float) -> float:
    """Return the quantile of F at `LIMIT` for its degrees of freedom, by Paulson's (1942) cube root."""
    c, d, z2 = 2 / (9 * within), 2 / (9 * between), NormalDist().inv_cdf(LIMIT) ** 2
    square, middle, rest = (1 - c) ** 2 - z2 * c, (1 - c) * (1 - d), (1 - d) ** 2 - z2 * d
    root = (middle - math.sqrt(max(middle**2 - square * rest, 0))) / square
    return max(root, 1e-3) ** 3


def _width(ends: tuple[float, float]) -> float:
    return ends[1] - ends[0]


def _trials(rate: float, width: float) -> float:
    """Return the number of independent trials whose interval about a rate is as wide."""
    few, enough = 0.0, 1.0
    while _width(_ends(rate, enough)) > width:
        few, enough = enough, 2 * enough
    while enough - few > 1e-6 * enough:
        middle = (few + enough) / 2
        few, enough = (middle, enough) if _width(_ends(rate, middle)) > width else (few, middle)
    return enough


def _ends(rate: float, n: float) -> tuple[float, float]:
    """Return Clopper and Pearson's (1934) 95 % interval for rate · n of n trials, both may be broken."""
    return _lower(rate * n, n), 1 - _lower((1 - rate) * n, n)


def _lower(successes: float, n: float) -> float:
    """Return the share with which as many successes of n trials, or more, have a chance of 2.5 %."""
    low, high = 0.0, successes / n
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _reached(successes, n, middle) < _TAIL else (low, middle)
    return low


def _reached(successes: float, n: float, share: float) -> float:
    """Return the chance of as many successes or more, the regularised incomplete beta function I(k, n−k+1).

    Its series x^k (1−x)^(n−k+1) / B(k, n−k+1) · Σ_j Π_{i≤j} (n+i)/(k+i) x^j / n has positive terms only
    (Abramowitz and Stegun 1964, 26.5.4).
    """
    rest = n - successes + 1
    log = math.lgamma(n + 1) - math.lgamma(successes + 1) - math.lgamma(rest)
    exponent = log + successes * math.log(share) + rest * math.log1p(-share)
    if exponent < _NOTHING:
        return 0.0
    total = term = math.exp(exponent)
    j = 0
    while term > 1e-12 * total:
        j += 1
        term *= share * (n + j) / (successes + j)
        total += term
    return total
