"""Intervals by pencil and paper, and against statsmodels and scipy."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap
from statsmodels.stats.proportion import proportion_confint

from physadv.evaluation.intervals import NO_PAIRS, mean, proportion

Z = 1.959963984540054


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_single_trials_have_wilsons_interval(trials: list[bool]) -> None:
    share = proportion(trials, [1] * len(trials))
    low, high = proportion_confint(sum(trials), len(trials), method="wilson")
    assert share.value == sum(trials) / len(trials)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-12)
    assert share.n == share.pairs == len(trials)


def test_wilson_by_hand() -> None:
    """1 of 10: centre (0.1 + z²/20)/(1 + z²/10), as in any textbook: 1.8 % to 40.4 %."""
    share = proportion([1] + [0] * 9, [1] * 10)
    centre = (0.1 + Z**2 / 20) / (1 + Z**2 / 10)
    half = Z * math.sqrt(0.1 * 0.9 / 10 + Z**2 / 400) / (1 + Z**2 / 10)
    assert (share.low, share.high) == pytest.approx((centre - half, centre + half), abs=1e-12)
    assert (round(share.low or 0, 3), round(share.high or 0, 3)) == (0.018, 0.404)


def test_nothing_to_count_is_undefined_and_says_so() -> None:
    for found in (proportion([], []), proportion([0, 0], [0, 0]), mean([0.0], [0])):
        assert (found.value, found.low, found.high, found.n, found.pairs) == (None, None, None, 0, 0)
        assert found.undefined == NO_PAIRS


def test_bootstrap_of_two_images_by_hand() -> None:
    """One image right in both photos, one in none: draws of two are 0, ½ and 1 with odds ¼, ½, ¼."""
    share = proportion([2, 0], [2, 2])
    assert (share.value, share.low, share.high, share.n, share.pairs) == (0.5, 0.0, 1.0, 4, 2)


def test_bootstrap_of_images_seen_unequally_is_of_the_ratio() -> None:
    """The share is over photos: 3 of 3 and 0 of 1 are 3 of 4; drawing the second twice gives 0."""
    share = proportion([3, 0], [3, 1])
    assert (share.value, share.low, share.high) == (0.75, 0.0, 1.0)


def test_more_photos_of_the_same_images_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(1)
    right = rng.integers(0, 3, 60)
    twice, tenfold = proportion(right, np.full(60, 2)), proportion(10 * right, np.full(60, 20))
    assert (twice.value, twice.low, twice.high) == (tenfold.value, tenfold.low, tenfold.high)
    once = proportion(right > 0, np.ones(60))
    thrice = proportion(3 * (right > 0), np.full(60, 3))
    assert (thrice.high or 0) - (thrice.low or 0) == pytest.approx(
        (once.high or 0) - (once.low or 0), abs=0.04
    )


def test_images_that_all_agree_have_wilsons_interval_and_not_none() -> None:
    for right in (0, 2):
        low, high = proportion_confint(20 * right / 2, 20, method="wilson")
        share = proportion([right] * 20, [2] * 20)
        assert (share.low, share.high) == pytest.approx((low, high), abs=1e-12)


def test_bootstrap_agrees_with_the_cluster_robust_error_of_statsmodels() -> None:
    """300 images of 5 photos, drawn together: percentile and value ± z·SE differ by a fraction of the SE."""
    rng = np.random.default_rng(2)
    right = rng.binomial(5, rng.beta(2, 2, 300))
    photos = np.concatenate([np.repeat([1, 0], [k, 5 - k]) for k in right])
    fitted = sm.OLS(photos, np.ones_like(photos)).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(300), 5)}
    )
    share = proportion(right, np.full(300, 5))
    se = float(fitted.bse[0])
    assert share.value == pytest.approx(float(fitted.params[0]))
    assert (share.low, share.high) == pytest.approx(
        (share.value - Z * se, share.value + Z * se), abs=0.15 * se
    )


def test_bootstrap_agrees_with_scipys() -> None:
    rng = np.random.default_rng(3)
    seen = rng.integers(1, 6, 80)
    right = rng.binomial(seen, 0.3)
    theirs = bootstrap(
        (right, seen),
        lambda k, n, axis: k.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(4),
    ).confidence_interval
    share = proportion(right, seen)
    assert (share.low, share.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_the_same_numbers_give_the_same_interval() -> None:
    assert proportion([1, 0, 2, 2], [2, 2, 2, 2]) == proportion([1, 0, 2, 2], [2, 2, 2, 2])


def test_a_mean_has_students_interval_by_hand() -> None:
    """0.2, 0.4, 0.9: mean 0.5, s² = 0.13, t(2) = 4.3027: ± 4.3027·√(0.13/3) = ± 0.896, cut at 0 and 1."""
    found = mean([0.2, 0.4, 0.9], [1, 1, 1])
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.0, 1.0))
    close = mean([0.50, 0.51, 0.52, 0.53], [1] * 4)
    half = 3.182446 * math.sqrt(0.0005 / 3 / 4)
    assert (close.low, close.high) == pytest.approx((0.515 - half, 0.515 + half), abs=1e-6)


def test_a_mean_of_several_photos_is_over_photos_and_drawn_by_image() -> None:
    found = mean([1.8, 0.2], [2, 2])
    assert (found.value, found.low, found.high, found.n) == (0.5, pytest.approx(0.1), pytest.approx(0.9), 4)


def test_a_mean_of_one_image_has_no_interval() -> None:
    found = mean([1.2], [2])
    assert (found.value, found.low, found.high, found.pairs) == (0.6, None, None, 1)
