"""Intervals by pencil and paper, and against statsmodels and scipy."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from physadv.evaluation.intervals import NO_PAIRS, mean, proportion, share

Z = 1.959963984540054


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_single_trials_have_clopper_and_pearsons_interval(trials: list[bool]) -> None:
    share = proportion(trials, [1] * len(trials))
    low, high = proportion_confint(sum(trials), len(trials), method="beta")
    assert share.value == sum(trials) / len(trials)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-9)
    assert share.n == share.pairs == len(trials)


def test_no_success_of_ten_by_hand() -> None:
    """(1 − p)¹⁰ = 0.025 at p = 30.8 %."""
    share = proportion([0] * 10, [1] * 10)
    assert (share.low, share.high) == (0, pytest.approx(1 - 0.025**0.1))


def test_nothing_to_count_is_undefined_and_says_so() -> None:
    for found in (proportion([], []), proportion([0, 0], [0, 0]), mean([0.0], [0])):
        assert (found.value, found.low, found.high, found.n, found.pairs) == (None, None, None, 0, 0)
        assert found.undefined == NO_PAIRS


def test_more_photos_of_the_same_images_hardly_narrow_the_interval() -> None:
    rng = np.random.default_rng(1)
    right = rng.integers(0, 2, 60)
    once = proportion(right, np.ones(60))
    fivefold = proportion(5 * right, np.full(60, 5))
    assert fivefold.value == once.value
    assert (fivefold.low, fivefold.high) == pytest.approx((once.low, once.high), abs=0.01)


def test_photos_that_all_agree_count_little_more_than_their_images() -> None:
    for right in (0, 2):
        low, high = proportion_confint(20 * right / 2, 20, method="beta")
        share = proportion([right] * 20, [2] * 20)
        assert (share.low, share.high) == pytest.approx((low, high), abs=0.01)


def test_unlike_photos_of_an_image_narrow_it() -> None:
    """Each image right in half of its photos: no correlation, four times as many trials."""
    low, high = proportion_confint(160, 320, method="beta")
    share = proportion([2] * 80, [4] * 80)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-9)


def test_one_failure_more_never_makes_surer() -> None:
    """The bootstrap said 83.9–100 for no failure and 99.5–100 for one."""
    rng = np.random.default_rng(2)
    for expected in (0.03, 0.5, 0.97):
        for seen in (np.full(20, 15), rng.integers(1, 30, 20)):
            right = rng.binomial(seen, rng.beta(expected * 2, (1 - expected) * 2, 20))
            before = proportion(right, seen)
            for _ in range(12):
                place = rng.choice(np.flatnonzero(right)) if right.any() else 0
                right[place] = max(0, right[place] - 1)
                after = proportion(right, seen)
                assert after.low <= before.low + 1e-9
                assert after.high <= before.high + 1e-9
                before = after
    for _ in range(300):
        seen = rng.integers(1, 13, rng.integers(2, 8))
        right = rng.binomial(seen, rng.beta(0.5, 0.5, seen.size))
        if right.any():
            less = right.copy()
            less[rng.choice(np.flatnonzero(right))] -= 1
            after, before = proportion(less, seen), proportion(right, seen)
            assert after.low <= before.low + 1e-9
            assert after.high <= before.high + 1e-9
    for more, less in (([1, 1, 1, 0], [1, 1, 0, 0]), ([2, 2, 3, 3], [2, 2, 3, 2])):
        assert proportion(less, [3] * 4).high <= proportion(more, [3] * 4).high
        assert proportion(less, [3] * 4).low <= proportion(more, [3] * 4).low
    none, one = proportion([120] * 20, [120] * 20), proportion([119] + [120] * 19, [120] * 20)
    assert one.low <= none.low < 0.88


def test_photos_of_one_image_each_change_nothing() -> None:
    """One observation a photo: the same interval, to the digit."""
    seen = np.array([1, 4, 3, 2, 2])
    right = np.array([1, 3, 0, 1, 2])
    alone = proportion(right, seen)
    each = np.concatenate([np.repeat([1, 0], [k, n - k]) for k, n in zip(right, seen, strict=True)])
    assert proportion(right, seen, (each, np.ones(12))) == alone


def test_a_photo_that_spoils_all_of_its_images_makes_less_sure() -> None:
    """80 images, each in one photo, one half right: ten photos all right or all wrong are ten trials."""
    right = np.tile([1, 0], 40)
    alone = proportion(right, np.ones(80))
    mixed = proportion(right, np.ones(80), (np.full(10, 4), np.full(10, 8)))
    spoilt = proportion(right, np.ones(80), (np.tile([8, 0], 5), np.full(10, 8)))
    widths = [each.high - each.low for each in (alone, mixed, spoilt)]
    assert widths == sorted(widths)
    low, high = proportion_confint(5, 10, method="beta")
    assert (spoilt.low, spoilt.high) == pytest.approx((low, high), abs=1e-9)
    # Alike as independent images in a photo are, they show no ICC: the upper limit is still above none.
    assert widths[1] < 1.6 * widths[0]


def test_one_photo_of_eight_images_says_less_than_eight_photos() -> None:
    """Nothing says how alike the images of one photo are: with an ICC of 0.2 eight agree like 4.7 trials."""
    effective = sum(1 / (1 + j / 4) for j in range(8))
    found = proportion([1] * 8, [1] * 8, ([8], [8]))
    assert (found.low, found.high) == (pytest.approx(0.025 ** (1 / effective)), 1)


def test_a_failure_more_in_a_shared_photo_never_makes_surer() -> None:
    rng = np.random.default_rng(4)
    for _ in range(150):
        sheets, images, photos = rng.integers(1, 4), rng.integers(1, 6), rng.integers(1, 4)
        light = rng.beta(0.5, 0.5, (sheets, 1, photos)) * rng.beta(0.7, 0.5, (sheets, images, 1))
        right = rng.random((sheets, images, photos)) < light
        if not right.any():
            continue
        less = right.copy()
        less[tuple(rng.choice(np.argwhere(right)))] = False
        before, after = (
            proportion(
                own.sum(axis=2).ravel(),
                np.full(sheets * images, photos),
                (own.sum(axis=1).ravel(), np.full(sheets * photos, images)),
            )
            for own in (right, less)
        )
        assert after.low <= before.low + 1e-9
        assert after.high <= before.high + 1e-9


def test_trials_name_their_cluster_and_their_photo() -> None:
    found = share([True, False, True, True], ["a", "b", "a", "b"], ["1", "1", "2", "2"])
    assert found == proportion([2, 1], [2, 2], ([1, 2], [2, 2]))
    assert share([True, False], photos=["1", "2"]) == share([True, False])


def test_photos_that_show_something_else_are_refused() -> None:
    with pytest.raises(ValueError, match="by photo as by image"):
        proportion([1, 1], [1, 1], ([1], [2]))


def test_the_interval_agrees_with_the_cluster_robust_error_of_statsmodels() -> None:
    """300 images of 5 photos in which many succeed: the interval is as wide, or a little wider."""
    rng = np.random.default_rng(2)
    right = rng.binomial(5, rng.beta(2, 2, 300))
    photos = np.concatenate([np.repeat([1, 0], [k, 5 - k]) for k in right])
    fitted = sm.OLS(photos, np.ones_like(photos)).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(300), 5)}
    )
    share = proportion(right, np.full(300, 5))
    assert share.value == pytest.approx(float(fitted.params[0]))
    assert 1 < (share.high - share.low) / (2 * Z * float(fitted.bse[0])) < 1.15


def test_shares_of_a_trial_count_as_they_are() -> None:
    """A difference of shares comes as part of a trial."""
    share = proportion([0.5, 0.25, 0.0], [1, 1, 1])
    assert share.value == 0.25
    assert 0 <= share.low < 0.25 < share.high <= 1


def test_the_same_numbers_give_the_same_interval() -> None:
    assert proportion([1, 0, 2, 2], [2, 2, 2, 2]) == proportion([1, 0, 2, 2], [2, 2, 2, 2])


def test_a_mean_has_students_interval_by_hand() -> None:
    """0.2, 0.4, 0.9: mean 0.5, s² = 0.13, t(2) = 4.3027: ± 4.3027·√(0.13/3) = ± 0.896, cut at 0 and 1."""
    found = mean([0.2, 0.4, 0.9], [1, 1, 1])
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.0, 1.0))
    close = mean([0.50, 0.51, 0.52, 0.53], [1] * 4)
    half = 3.182446 * math.sqrt(0.0005 / 3 / 4)
    assert (close.low, close.high) == pytest.approx((0.515 - half, 0.515 + half), abs=1e-6)


def test_a_mean_of_several_photos_is_over_photos_and_its_interval_over_images() -> None:
    """Residuals ± 0.3: error √(2/1 · 0.18)/4 = 0.15, t(1) = 12.706; the two images say little."""
    found = mean([1.3, 0.7], [2, 2])
    assert (found.value, found.low, found.high, found.n) == (0.5, 0.0, 1.0, 4)
    many = mean([1.3, 0.7] * 50, [2, 2] * 50)
    half = 1.984217 * math.sqrt(100 / 99 * 9.0) / 200
    assert (many.low, many.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)


@pytest.mark.parametrize("sheets", [2, 12])
def test_a_mean_covers_where_photos_share_their_light(sheets: int) -> None:
    """Four photos of every sheet of eight images; light and image move a value by 0.1, chance by 0.05."""
    rng, image = np.random.default_rng(sheets), np.repeat(np.arange(8 * sheets), 4)
    photo = np.tile(np.arange(4), 8 * sheets) + 4 * (image // 8)
    covered = {"crossed": 0, "images": 0}
    for _ in range(300):
        light, own = rng.normal(0, 0.1, 4 * sheets)[photo], rng.normal(0, 0.1, 8 * sheets)[image]
        values = np.clip(0.6 + light + own + rng.normal(0, 0.05, image.size), 0, 1)
        ones = np.ones_like(values)
        for name, found in (
            ("crossed", mean(values, ones, image, photo)),
            ("images", mean(values, ones, image)),
        ):
            covered[name] += found.low < 0.6 < found.high
    assert covered["crossed"] >= 0.93 * 300 > 0.85 * 300 > covered["images"]


def test_photos_of_one_image_each_leave_a_mean_as_it_is() -> None:
    values, ones, image = [0.2, 0.4, 0.9, 0.5, 0.1], [1] * 5, [0, 0, 1, 2, 2]
    assert mean(values, ones, image, range(5)) == mean(values, ones, image)
    assert mean([0.6, 0.9, 0.6], [2, 1, 2]) == mean(values, ones, image)
    # Nothing says how one photo's light differs from another's.
    one = mean(values, ones, image, [3] * 5)
    assert (one.value, one.low, one.high, one.pairs) == (pytest.approx(0.42), None, None, 3)
    assert mean([*values, 0], [*ones, 0], [*image, 7], [*range(5), 9]) == mean(values, ones, image)


def test_a_mean_of_one_image_has_no_interval() -> None:
    found = mean([1.2], [2])
    assert (found.value, found.low, found.high, found.pairs) == (0.6, None, None, 1)


@pytest.mark.parametrize(
    ("sums", "seen"),
    [([np.nan, 1], [1, 1]), ([-1, 1], [1, 1]), ([5, 1], [1, 1]), ([1], [np.inf]), ([0], [-1]), ([1], [1, 1])],
)
def test_what_cannot_be_counted_is_refused(sums, seen) -> None:
    for estimate in (proportion, mean):
        with pytest.raises(ValueError, match="each from 0 to its number"):
            estimate(sums, seen)
