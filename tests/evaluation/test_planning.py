"""How many pairs to print, and what sharpens a rate most."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from physadv.evaluation.intervals import proportion
from physadv.evaluation.planning import Correlations, Design, Plan, PlanError, pairs_wanted, plan_pairs

INDEPENDENT = Correlations(pair=0, photo=0, device=0)


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
    plan = plan_pairs(rate, halfwidth, icc=INDEPENDENT)
    low, high = ends(rate, plan.counted)
    assert (plan.low, plan.high) == pytest.approx((low, high), abs=1e-6)
    assert high - low <= 2 * halfwidth + 1e-6
    low, high = ends(rate, max(1, plan.counted - 1))
    assert plan.counted == 1 or high - low >= 2 * halfwidth - 1e-6


def test_the_interval_is_the_programs_own() -> None:
    plan = plan_pairs(0.1, design=Design(140), icc=INDEPENDENT)
    shown = proportion([1] * 14 + [0] * 126, [1] * 140)
    assert (plan.low, plan.high) == pytest.approx((shown.low, shown.high), abs=1e-6)


def test_what_does_not_qualify_is_printed_on_top() -> None:
    plan = plan_pairs(0.1, 0.05, 0.8, icc=INDEPENDENT)
    alone = plan_pairs(0.1, 0.05, icc=INDEPENDENT)
    assert plan.counted == alone.counted == alone.printed
    assert plan.printed == -(-5 * plan.counted // 4)


def test_views_of_a_pair_are_worth_what_their_icc_leaves() -> None:
    """Ten photos of a pair with ICC ½ are worth 10 / (1 + 9 / 2) = 20 / 11 pairs."""
    many = plan_pairs(0.3, design=Design(110, photos=10), icc=Correlations(0.5, 0, 0))
    assert (many.low, many.high) == pytest.approx(ends(0.3, 200), abs=1e-6)
    light = plan_pairs(0.3, design=Design(120, per_sheet=5), icc=Correlations(0, 0.05, 0))
    assert (light.low, light.high) == pytest.approx(ends(0.3, 100), abs=1e-6)
    phone = plan_pairs(0.3, design=Design(101, devices=2), icc=Correlations(0, 0, 0.01))
    assert (phone.low, phone.high) == pytest.approx(ends(0.3, 101), abs=1e-6)


def test_pairs_photos_or_a_device_buy_most_where_they_differ_most() -> None:
    def best(icc: Correlations) -> list[str]:
        more = plan_pairs(0.3, design=Design(200, photos=4), icc=icc).choices[1:]
        return [each.what for each in sorted(more, key=lambda each: each.halfwidth)]

    assert best(Correlations(pair=0.5, photo=0, device=0))[0] == "twice the pairs"
    assert best(Correlations(pair=0, photo=0, device=0.02))[0] == "one more device"
    assert best(Correlations(pair=0.1, photo=0, device=0)).index("twice the photos") == 1
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
    assert plan.high - plan.low == pytest.approx(0.01, abs=1e-5)


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
