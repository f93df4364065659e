"""Paired tests by pencil and paper."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from physadv.evaluation.comparisons import NOT_SHOWN, compare_paired, fewest, holm, sign_flip


def test_flipped_signs_of_single_trials_are_mcnemars_fair_coin() -> None:
    """1 against 7: p = 2·(C(8,0) + C(8,1))/2⁸ = 18/256."""
    assert sign_flip(np.array([1] + [-1] * 7)) == pytest.approx(18 / 256)
    assert sign_flip(np.array([1] * 7 + [-1] + [0] * 9)) == pytest.approx(binomtest(1, 8).pvalue)
    assert sign_flip(np.zeros(5)) == 1.0
    assert sign_flip(np.array([1, -1] * 4)) == 1.0


def test_flipped_signs_count_all_of_them() -> None:
    differences = np.array([3, -1, 2, 2, -4, 1, 5, 0])
    sums = [abs(np.dot(signs, differences)) for signs in product((1, -1), repeat=8)]
    assert sign_flip(differences) == pytest.approx(np.mean(np.array(sums) >= differences.sum()))


def test_holm_by_hand() -> None:
    """Three p sorted: 0.01·3, max(0.03, 0.02·2), max(0.04, 0.04·1), back in their own order."""
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.integers(0, 64), max_size=8), st.integers(0, 63))
def test_holm_rejects_what_its_step_down_procedure_does(sixty_fourths: list[int], level: int) -> None:
    """From the smallest p on, reject while p is at most the level over the number left (Holm 1979)."""
    order, rejected = sorted(range(len(sixty_fourths)), key=lambda k: sixty_fourths[k]), set()
    for left, k in zip(range(len(order), 0, -1), order, strict=True):
        if left * sixty_fourths[k] > level:
            break
        rejected.add(k)
    found = holm([p / 64 for p in sixty_fourths])
    assert {k for k, p in enumerate(found) if p <= level / 64} == rejected
    assert all(p <= 1 for p in found)


def test_attacks_are_compared_on_the_pairs_they_share() -> None:
    fast = {k: (int(k < 2), 1) for k in range(12)}
    bim = {k: (int(k < 11), 1) for k in range(12)}
    other = dict.fromkeys(range(50, 60), (1, 1))
    fast_bim, fast_other, bim_other = compare_paired({"fast": fast, "bim": bim, "other": other})
    assert (fast_bim.difference.value, fast_bim.difference.pairs) == (pytest.approx(-9 / 12), 12)
    assert fast_bim.p == pytest.approx(2 / 2**9)
    # The two that share no pair are no tests, and are not corrected for.
    assert fast_bim.holm == fast_bim.p
    assert fast_bim.verdict == "bim higher"
    for nothing in (fast_other, bim_other):
        assert (nothing.p, nothing.holm, nothing.verdict) == (None, None, "no pairs left")


def test_a_table_of_tests_is_corrected_as_one() -> None:
    first = dict.fromkeys(range(6), (0, 1))
    tests = compare_paired({"a": first, "b": dict.fromkeys(range(6), (1, 1)), "c": dict(first)})
    assert [test.p for test in tests] == pytest.approx([2 / 2**6, 1.0, 2 / 2**6])
    assert [test.holm for test in tests] == pytest.approx([3 * 2 / 2**6, 1.0, 3 * 2 / 2**6])
    assert [test.verdict for test in tests] == [NOT_SHOWN] * 3


def test_half_of_the_photos_against_none_is_beyond_doubt() -> None:
    """A majority vote finds nothing where half of each pair's four photos are destroyed."""
    none = dict.fromkeys(range(100), (0, 4))
    for half in (dict.fromkeys(none, (2, 4)), {pair: (4 * (pair % 2), 4) for pair in none}):
        (test,) = compare_paired({"half": half, "none": none})
        assert test.p is not None
        assert test.p < 1e-10
        assert test.verdict == "half higher"
        low, high = test.difference.low, test.difference.high
        assert 0.35 < low < 0.5 < high < 0.65


def test_a_few_discordant_sights_of_forty_photos_are_of_no_interest() -> None:
    """21 sights of 4,800, all one way: sight by sight p is 10⁻⁶, and more sights would make it any p."""
    theirs = dict.fromkeys(range(40), (56, 120))
    for spread in ([1] * 21 + [0] * 19, [3] * 7 + [0] * 33):
        ours = {photo: (56 + more, 120) for photo, more in enumerate(spread)}
        (test,) = compare_paired({"ours": ours, "theirs": theirs})
        assert test.difference.value == pytest.approx(21 / 4800)
        assert test.verdict == NOT_SHOWN == "no difference of interest shown"


def test_a_higher_share_lies_beyond_the_smallest_difference_with_its_whole_interval() -> None:
    ours, theirs = dict.fromkeys(range(200), (60, 100)), dict.fromkeys(range(200), (50, 100))
    (test,) = compare_paired({"ours": ours, "theirs": theirs})
    assert test.verdict == "ours higher"
    (stricter,) = compare_paired({"ours": ours, "theirs": theirs}, smallest=0.09)
    assert (stricter.p, stricter.verdict) == (test.p, NOT_SHOWN)


def test_two_are_alike_where_the_whole_interval_lies_within_the_smallest_difference() -> None:
    few, many = ({pair: (pair % 2, 1) for pair in range(count)} for count in (20, 2000))
    (unsure,), (alike,) = (compare_paired({"a": each, "b": dict(each)}) for each in (few, many))
    assert (unsure.difference.value, unsure.verdict) == (0.0, NOT_SHOWN)
    assert (alike.difference.value, alike.verdict) == (0.0, "within 3 points")


def test_differences_that_lie_on_no_common_grid_are_rounded_alike_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    seen = rng.integers(900, 1000, (2, 50))
    k = rng.binomial(seen, 0.5)
    one, other = (
        {p: (int(a), int(n)) for p, (a, n) in enumerate(zip(*each, strict=False))}
        for each in zip(k, seen, strict=False)
    )
    (there,), (back,) = compare_paired({"a": one, "b": other}), compare_paired({"b": other, "a": one})
    assert there.p == back.p
    assert there.difference.value == pytest.approx(-(back.difference.value or 0))


def test_many_photos_of_one_side_buy_no_p() -> None:
    """97 % on both sides, 120 photos of each pair against one: d is minus a little nearly everywhere."""
    rng = np.random.default_rng(5)
    small = 0
    for _ in range(100):
        many = {pair: (int(k), 120) for pair, k in enumerate(rng.binomial(120, 0.97, 20))}
        one = {pair: (int(k), 1) for pair, k in enumerate(rng.binomial(1, 0.97, 20))}
        (there,), (back,) = compare_paired({"a": many, "b": one}), compare_paired({"b": one, "a": many})
        assert there.p == back.p is not None
        small += there.p < 0.05
    assert small <= 10


def test_a_test_of_shares_would_round_them_and_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted whole numbers"):
        sign_flip([0.5] * 6)


def test_pairs_of_one_sheet_flip_together() -> None:
    """Seven sheets of eight pairs, all destroyed under one attack: 2 / 2^7, and not 2 / 2^56."""
    none, all_ = (dict.fromkeys(range(56), (k, 1)) for k in (0, 1))
    (test,) = compare_paired({"a": all_, "b": none}, together={pair: pair // 8 for pair in none})
    assert (test.p, test.difference.pairs, test.difference.n) == (pytest.approx(2 / 2**7), 7, 56)
    (alone,) = compare_paired({"a": all_, "b": none})
    assert alone.p == pytest.approx(2 / 2**56)
    assert test.difference.low < alone.difference.low


def test_pairs_on_their_own_are_as_they_were_without_sheets() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = ({k: (int(rng.integers(5)), 4) for k in range(30)} for _ in range(2))
    each = {pair: f"sheet {pair}" for pair in ours}
    assert compare_paired({"a": ours, "b": theirs}, together=each) == compare_paired({"a": ours, "b": theirs})


def test_too_few_clusters_can_show_nothing_and_the_verdict_says_so() -> None:
    assert (fewest(), 2 / 2 ** fewest() < 0.05 < 2 / 2 ** (fewest() - 1)) == (6, True)
    few, enough = (dict.fromkeys(range(count), (0, 4)) for count in (5, 6))
    for none, verdict in ((few, "too few to say: 5 clusters, at least 6"), (enough, "a higher")):
        (test,) = compare_paired({"a": dict.fromkeys(none, (4, 4)), "b": none})
        assert test.verdict == verdict
