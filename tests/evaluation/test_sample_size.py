"""How many pairs to print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from physadv.evaluation.intervals import SampleSizeError, plan_pairs


@given(st.floats(0, 1), st.floats(0.005, 0.4))
def test_one_pair_fewer_would_be_too_few(rate: float, halfwidth: float) -> None:
    def half(n: int) -> float:
        low, high = proportion_confint(rate * n, n, method="wilson")
        return float(high - low) / 2

    plan = plan_pairs(rate, halfwidth)
    assert half(plan.counted) <= halfwidth + 1e-6
    assert plan.counted == 1 or half(plan.counted - 1) >= halfwidth - 1e-6


def test_even_odds_by_hand() -> None:
    """At p = ½ Wilson's half width is z / 2√(n + z²): ± 0.1 takes n = 25 z² − z² = 24 z² = 92.2."""
    assert plan_pairs(0.5, 0.1).counted == 93


def test_what_does_not_qualify_is_printed_on_top() -> None:
    plan = plan_pairs(0.1, 0.05, 0.8)
    assert (plan.counted, plan.printed) == (141, 177)
    assert plan_pairs(0.1, 0.05).printed == 141


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((-0.1, 0.05), "rate -0.1: wanted a share from 0 to 1"),
        ((10, 0.05), "rate 10"),
        ((float("nan"), 0.05), "rate nan"),
        ((0.1, 0), "halfwidth 0: wanted a share above 0 and below 0.5"),
        ((0.1, 0.5), "halfwidth 0.5"),
        ((0.1, 5), "halfwidth 5"),
        ((0.1, 0.05, 0), "qualifying 0: wanted a share above 0, at most 1"),
        ((0.1, 0.05, 80), "qualifying 80"),
    ],
)
def test_bad_plans_name_the_argument(arguments: tuple[float, ...], named: str) -> None:
    with pytest.raises(SampleSizeError, match=named):
        plan_pairs(*arguments)
