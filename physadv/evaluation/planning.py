"""How many pairs to print for a rate as sharp as wanted, and what sharpens it most: pairs, photos or devices.

A plan expects what the program will show: the mean width of its own interval over simulated outcomes. Errors
about arguments come before numpy and scipy are loaded.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from physadv.errors import PhysadvError
from physadv.evaluation.clusters import CONFIDENCE, clustered
from physadv.evaluation.intervals import Estimate

if TYPE_CHECKING:
    from physadv.evaluation.outcomes import Bools

_DRAWN, _JUDGED = 400, 100
"""Outcomes drawn of a design, and how many of them have their interval computed, from the least rate to the
highest."""
_VIEWS = 4000
"""Most views of an outcome that is drawn; the worth of more grows with the number of pairs."""
_MOST = 10**9


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

    @property
    def most_of_a_photo(self) -> float:
        """Return the most that `photo` may be: the more alike pairs are in all photos, the less these are."""
        return max((1 - self.pair) ** 2, Correlations.photo)


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

    That is the mean width of `proportion`'s interval over simulated outcomes, images crossed with photos.
    What a device takes is known: N views are worth N / (1 + (m − 1) ICC) where m share it (Korn and Graubard
    1998).

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
    (246, 308)
    """
    planned, icc = design or Design(1), icc or Correlations()
    _check(rate, halfwidth, qualifying, planned, icc)
    if halfwidth is not None:
        planned = replace(planned, pairs=_fewest(rate, halfwidth, qualifying, planned, icc))
    choices = []
    for what, tried in (
        ("as planned", planned),
        ("twice the pairs", replace(planned, pairs=2 * planned.pairs)),
        ("twice the photos", replace(planned, photos=2 * planned.photos)),
        ("one more device", replace(planned, devices=planned.devices + 1)),
    ):
        taken = math.ceil(tried.pairs / tried.per_sheet) * tried.photos * tried.devices
        low, high = _expected(rate, qualifying, tried, icc)
        choices.append(Choice(what, tried, taken, (high - low) / 2))
    ends = _expected(rate, qualifying, planned, icc)
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
    light = icc.most_of_a_photo
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
        (f"icc-photo with icc-pair {icc.pair:g}", icc.photo, icc.photo <= light, f"at most {light:g}"),
    ):
        if not valid:
            raise PlanError(f"{name} {value:g}: wanted {wanted}")


def _counted(design: Design, qualifying: float) -> int:
    return max(1, math.floor(design.pairs * qualifying + 1e-9))


def _fewest(rate: float, halfwidth: float, qualifying: float, design: Design, icc: Correlations) -> int:
    """Return the fewest pairs to print for a half width."""
    room = 1 / _trials(rate, 2 * halfwidth) - icc.device / design.devices
    if room <= 1 / _MOST:
        raise PlanError(
            f"halfwidth {halfwidth:g}: no number of pairs is enough with --devices {design.devices} "
            f"and --icc-device {icc.device:g}; wanted more devices"
        )
    pairs = math.ceil(1 / room / qualifying)
    for trial in range(9):
        worth = _worth(rate, qualifying, replace(design, pairs=pairs), icc)
        if trial > 2 and worth * room >= 1:
            break
        # Close by it goes up only: sheets that fill up make the worth jump.
        nearer = math.ceil(pairs / (worth * room))
        pairs = nearer if trial < 2 else max(nearer, pairs + 1)
    return pairs


def _expected(rate: float, qualifying: float, design: Design, icc: Correlations) -> tuple[float, float]:
    """Return the ends of the interval that a design is expected to give."""
    pairs, views = _counted(design, qualifying), design.photos * design.devices
    shared = icc.device * (pairs * design.photos - 1) / (pairs * views)
    return _ends(rate, 1 / (1 / _worth(rate, qualifying, design, icc) + shared))


def _worth(rate: float, qualifying: float, design: Design, icc: Correlations) -> float:
    """Return how many independent views have an interval as wide as a design's views, of no other device."""
    pairs, views = _counted(design, qualifying), design.photos * design.devices
    drawn, on_a_sheet = min(pairs, max(1, _VIEWS // views)), max(1.0, design.per_sheet * qualifying)
    return _trials(rate, _mean_width(rate, drawn, on_a_sheet, views, icc)) * pairs / drawn


def _mean_width(rate: float, pairs: int, on_a_sheet: float, views: int, icc: Correlations) -> float:
    """Return the mean width of the interval over outcomes of pairs on sheets that are each seen some times.

    A share ICC of the pairs are all right or all wrong. So are photos in what they show of the other pairs,
    as many as make two pairs of one photo as alike as asked. Of outcomes ranked by their rate every fourth
    counts.
    """
    import numpy as np

    sheet = (np.arange(pairs) / on_a_sheet).astype(int)
    sheets, first = int(sheet[-1]) + 1, np.flatnonzero(np.diff(sheet, prepend=-1))

    # Each has numbers of its own, pair by pair: with a pair more, those before it keep theirs.
    streams = iter(np.random.default_rng(0).spawn(6))

    def drawn(chance: float, count: int, seen: int) -> "Bools":
        return next(streams).random((count, _DRAWN, seen), np.float32) < chance

    lit = min(1.0, icc.photo / max((1 - icc.pair) ** 2, 1e-9))
    of_photo = np.where(drawn(lit, sheets, views), drawn(rate, sheets, views), -1)[sheet]
    others = np.where(of_photo < 0, drawn(rate, pairs, views), of_photo)
    right = np.where(drawn(icc.pair, pairs, 1), drawn(rate, pairs, 1), others).swapaxes(0, 1)
    by_pair = right.sum(axis=2, dtype=np.float64)
    by_photo = np.add.reduceat(right, first, axis=1, dtype=np.float64).reshape(_DRAWN, -1)
    seen, shown = np.full(pairs, float(views)), np.repeat(np.diff(first, append=pairs), views).astype(float)
    ranked = np.argsort(by_pair.sum(axis=1), kind="stable")
    counted = ranked[_DRAWN // _JUDGED // 2 :: _DRAWN // _JUDGED]
    ends = [clustered(by_pair[k], seen, (by_photo[k], shown)) for k in counted]
    return float(np.diff(ends, axis=1).mean())


def _trials(rate: float, width: float) -> float:
    """Return the number of independent trials whose interval about a rate is as wide."""
    few, enough = 0.0, 1.0
    while _width(rate, enough) > width:
        few, enough = enough, 2 * enough
    while enough - few > 1e-6 * enough:
        middle = (few + enough) / 2
        few, enough = (middle, enough) if _width(rate, middle) > width else (few, middle)
    return enough


def _width(rate: float, n: float) -> float:
    low, high = _ends(rate, n)
    return high - low


def _ends(rate: float, n: float) -> tuple[float, float]:
    """Return Clopper and Pearson's (1934) 95 % interval for rate · n of n trials, both may be broken."""
    from scipy.special import betaincinv

    k, tail = rate * n, (1 - CONFIDENCE) / 2
    low = betaincinv(k, n - k + 1, tail) if k > 0 else 0.0
    return float(low), float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
