"""How many pairs to print, and what sharpens a rate most."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv, fdtri

from physadv.evaluation.clusters import LIMIT
from physadv.evaluation.intervals import proportion
from physadv.evaluation.outcomes import summed
from physadv.evaluation.planning import (
    Correlations,
    Design,
    Plan,
    PlanError,
    _f_quantile,
    pairs_wanted,
    plan_pairs,
)

INDEPENDENT = Correlations(pair=0, photo=0, device=0)
ALONE = Design(1, per_sheet=1)
"""Each pair alone on its sheet, photographed once: views that nothing shares."""


def ends(rate: float, n: float) -> tuple[float, float]:
    """Clopper and Pearson's interval as scipy has it."""
    k = rate * n
    low = float(betaincinv(k, n - k + 1, 0.025)) if k > 0 else 0.0
    return low, float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0


def half(plan: Plan, what: str) -> float:
    return next(choice.halfwidth for choice in plan.choices if choice.what == what)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0.02, 0.4))
def test_one_pair_fewer_would_be_too_few(rate: float, halfwidth: float) -> None:
    plan = plan_pairs(rate, halfwidth, design=ALONE, icc=INDEPENDENT)
    low, high = ends(rate, plan.counted)
    assert (plan.low, plan.high) == pytest.approx((low, high), abs=1e-6)
    assert high - low <= 2 * halfwidth + 1e-6
    low, high = ends(rate, max(1, plan.counted - 1))
    assert plan.counted == 1 or high - low >= 2 * halfwidth - 1e-6


def simulated(rng, rate: float, design: Design, icc: Correlations) -> float:
    """Return the mean width shown over 300 outcomes: a view is its pair's, its photo's, or its own answer."""
    views, widths = design.photos * design.devices, []
    sheet = np.arange(design.pairs) // design.per_sheet
    for _ in range(300):
        own, which = rng.random((design.pairs, views)) < rate, rng.random((design.pairs, views))
        pair = rng.random((design.pairs, 1)) < rate
        light = (rng.random((sheet[-1] + 1, views)) < rate)[sheet]
        by_pair, by_photo = (math.sqrt(each) for each in (icc.pair, icc.photo))
        right = np.where(which < by_pair, pair, np.where(which < by_pair + by_photo, light, own))
        photos = summed(right.astype(float), sheet).ravel(), summed(np.ones(right.shape), sheet).ravel()
        share = proportion(right.sum(axis=1), np.full(design.pairs, views), photos)
        widths.append(share.high - share.low)
    return float(np.mean(widths))


@pytest.mark.parametrize(
    ("rate", "design", "icc", "off"),
    [
        (0.1, Design(8), Correlations(), 0.05),
        (0.3, Design(16), Correlations(), 0.05),
        (0.1, Design(96, photos=4), Correlations(), 0.05),
        (0.3, Design(24, photos=4), Correlations(0.2, 0.05), 0.05),
        (0.9, Design(240), Correlations(), 0.05),
        (0.5, Design(48, photos=2, devices=2), Correlations(0.3, 0.1), 0.05),
        (0.03, Design(96, photos=2), Correlations(0.5, 0.0), 0.05),
        (0.1, Design(48), Correlations(), 0.12),
        (0.3, Design(16, photos=15), Correlations(0.0, 0.0), 0.22),
    ],
)
def test_the_width_planned_is_near_the_width_shown(rate, design, icc, off) -> None:
    """Within 5 % with ICCs as assumed; up to 22 % where many photos of few pairs have none at all."""
    shown = simulated(np.random.default_rng(5), rate, design, icc)
    assert 2 * half(plan_pairs(rate, design=design, icc=icc), "as planned") == pytest.approx(shown, rel=off)


@pytest.mark.parametrize(("between", "within"), [(2, 100), (3, 3), (5, 42), (23, 72), (47, 1000)])
def test_the_quantile_of_f_is_scipys(between: float, within: float) -> None:
    assert _f_quantile(between, within) == pytest.approx(fdtri(between, within, LIMIT), rel=0.01)


def test_what_does_not_qualify_is_printed_on_top() -> None:
    plan = plan_pairs(0.1, 0.05, 0.8, icc=INDEPENDENT)
    alone = plan_pairs(0.1, 0.05, icc=INDEPENDENT)
    assert alone.counted == alone.printed == pytest.approx(plan.counted, rel=0.1)
    assert plan.printed == pytest.approx(1.25 * plan.counted, abs=1)


def test_many_views_of_a_pair_are_worth_what_their_icc_leaves() -> None:
    """Ten photos of a pair with ICC ½ are worth 10 / (1 + 9 / 2) = 20 / 11 pairs, if known, as of 4,400."""
    many = plan_pairs(0.3, design=Design(4400, photos=10, per_sheet=1), icc=Correlations(0.5, 0, 0))
    low, high = ends(0.3, 8000)
    assert many.high - many.low == pytest.approx(high - low, rel=0.03)


def test_what_devices_share_is_known() -> None:
    """101 pairs seen by each of two devices with ICC 0.01 are worth half of 202: 1 + 100 · 0.01 = 2."""
    known, none = (
        plan_pairs(0.3, design=Design(101, devices=2), icc=Correlations(0, 0, device)) for device in (0.01, 0)
    )
    trials = {k: high - low for k in range(20, 400) for low, high in [ends(0.3, k)]}
    worth = [min(trials, key=lambda k: abs(trials[k] - plan.high + plan.low)) for plan in (known, none)]
    assert 1 / worth[0] == pytest.approx(1 / worth[1] + 1 / 202, rel=0.02)


def test_pairs_photos_or_a_device_buy_most_where_they_differ_most() -> None:
    def best(icc: Correlations) -> list[str]:
        more = plan_pairs(0.3, design=Design(200, photos=4), icc=icc).choices[1:]
        return [each.what for each in sorted(more, key=lambda each: each.halfwidth)]

    assert best(Correlations(pair=0.5, photo=0, device=0))[0] == "twice the pairs"
    assert best(Correlations(pair=0, photo=0, device=0.02))[0] == "one more device"
    assert best(Correlations(pair=0.1, photo=0, device=0))[0] == "twice the pairs"
    plan = plan_pairs(0.3, design=Design(20, photos=4))
    assert [choice.taken for choice in plan.choices] == [12, 20, 24, 24]
    assert half(plan, "as planned") == pytest.approx((plan.high - plan.low) / 2)


def test_a_share_says_how_many_such_pairs_make_it_as_sharp_as_wanted() -> None:
    share = proportion([4] * 10 + [0] * 10, [4] * 20)
    assert share.low is not None
    assert share.high is not None
    assert pairs_wanted(share, (share.high - share.low) / 2) == pytest.approx(20, abs=1)
    wanted = pairs_wanted(share, 0.1)
    again = proportion([4] * (wanted // 2) + [0] * (wanted - wanted // 2), [4] * wanted)
    assert again.low is not None
    assert again.high is not None
    assert again.high - again.low == pytest.approx(0.2, abs=0.01)
    with pytest.raises(ValueError, match="wanted a share with an interval"):
        pairs_wanted(proportion([], []), 0.1)


def test_a_very_sharp_rate_is_planned_too() -> None:
    plan = plan_pairs(0.1, 0.005, icc=INDEPENDENT)
    assert plan.high - plan.low == pytest.approx(0.01, rel=0.02)


def test_one_device_cannot_tell_of_all() -> None:
    with pytest.raises(PlanError, match=r"halfwidth 0.05: no number of pairs .* wanted more devices"):
        plan_pairs(0.5, 0.05, icc=Correlations(device=0.02))
    assert plan_pairs(0.5, 0.05, design=Design(1, devices=12), icc=Correlations(device=0.02)).counted > 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((-0.1, 0.05), "rate -0.1: wanted a share from 0 to 1"),
        ((0.1, 1e-6), "halfwidth 1e-06: wanted a share from 0.0001 to below 0.5"),
        ((10, 0.05), "rate 10"),
        ((float("nan"), 0.05), "rate nan"),
        ((0.1, 0), "halfwidth 0: wanted a share from 0.0001 to below 0.5"),
        ((0.1, 0.5), "halfwidth 0.5"),
        ((0.1, 5), "halfwidth 5"),
        ((0.1, 0.05, 0), "qualifying 0: wanted a share above 0, at most 1"),
        ((0.1, 0.05, 80), "qualifying 80"),
        ((0.1, None, 1, Design(0)), "pairs 0: wanted 1 or more"),
        ((0.1, 0.05, 1, Design(1, photos=0)), "photos 0"),
        ((0.1, 0.05, 1, Design(1, devices=0)), "devices 0"),
        ((0.1, 0.05, 1, Design(1, per_sheet=0)), "pairs on a sheet 0"),
        ((0.1, 0.05, 1, None, Correlations(pair=-0.1)), "icc-pair -0.1: wanted 0 or more"),
        (
            (0.1, 0.05, 1, None, Correlations(pair=0.9, photo=0.2)),
            "icc-pair, icc-photo and icc-device together 1.1: wanted at most 1",
        ),
    ],
)
def test_bad_plans_name_the_argument(arguments: tuple[float, ...], named: str) -> None:
    with pytest.raises(PlanError, match=named):
        plan_pairs(*arguments)
