"""Equation 1 of Kurakin et al. 2017 by pencil and paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from physadv.evaluation.destruction import Judgement, PairOutcome, destruction_rate, is_prefiltered, table
from physadv.evaluation.intervals import proportion

LABEL = 7
RIGHT = Judgement((LABEL, 1, 2, 3, 4), 0.9)
FIFTH = Judgement((1, 2, 3, 4, LABEL), 0.9)
WRONG = Judgement((1, 2, 3, 4, 5), 0.9)
UNSURE = Judgement((1, 2, 3, 4, 5), 0.5)


def outcome(
    clean: Judgement, adversarial: Judgement, *after: Judgement, clean_after: tuple[Judgement, ...] = ()
) -> PairOutcome:
    return PairOutcome("p", LABEL, clean, adversarial, clean_after, after)


def test_equation_1_at_top_1_and_top_5() -> None:
    outcomes = [
        outcome(RIGHT, WRONG, RIGHT),  # destroyed at both
        outcome(RIGHT, WRONG, WRONG),  # survived
        outcome(RIGHT, WRONG, FIFTH),  # survived at top-1, destroyed at top-5
        outcome(RIGHT, FIFTH, RIGHT),  # destroyed at top-1; at top-5 never adversarial
        outcome(RIGHT, RIGHT, RIGHT),  # never adversarial
        outcome(WRONG, WRONG, RIGHT),  # the clean image was wrong already
        outcome(FIFTH, WRONG, WRONG),  # clean right at top-5 only
    ]
    top1, top5 = destruction_rate(outcomes, 1), destruction_rate(outcomes, 5)
    assert (top1.value, top1.n) == (2 / 4, 4)
    assert (top5.value, top5.n) == (2 / 4, 4)


def test_a_rate_with_nothing_to_count_is_undefined() -> None:
    for outcomes in ([], [outcome(WRONG, WRONG, RIGHT)], [outcome(RIGHT, WRONG)]):
        rate = destruction_rate(outcomes, 1)
        assert (rate.value, rate.low, rate.high, rate.n) == (None, None, None, 0)


def test_the_prefiltered_case_needs_both_confident() -> None:
    assert is_prefiltered(LABEL, RIGHT, WRONG)
    assert not is_prefiltered(LABEL, RIGHT, UNSURE)
    assert not is_prefiltered(LABEL, RIGHT, FIFTH)
    assert not is_prefiltered(LABEL, FIFTH, WRONG)
    assert not is_prefiltered(LABEL, Judgement((LABEL,), 0.79), WRONG)


judgements = st.sampled_from([RIGHT, FIFTH, WRONG, UNSURE])


@given(st.lists(st.tuples(judgements, judgements, judgements, judgements), max_size=30))
def test_in_the_prefiltered_case_the_rate_is_the_accuracy_on_adversarial_photos(
    drawn: list[tuple[Judgement, ...]],
) -> None:
    outcomes = [outcome(a, b, c, clean_after=(d,)) for a, b, c, d in drawn]
    for row in table(outcomes):
        if row.case == "prefiltered":
            assert row.destruction_rate == row.adversarial_after
            assert row.clean_before.value in (None, 1.0)
            assert row.adversarial_before.value in (None, 0.0)


def test_accuracies_count_each_side_by_itself() -> None:
    outcomes = [
        outcome(RIGHT, WRONG, WRONG, clean_after=(RIGHT,)),
        outcome(RIGHT, WRONG, clean_after=(WRONG,)),
        outcome(WRONG, WRONG, RIGHT),
    ]
    row = table(outcomes)[0]
    assert (row.case, row.top) == ("average", 1)
    assert row.clean_before.value == pytest.approx(2 / 3)
    assert (row.clean_after.value, row.clean_after.n) == (1 / 2, 2)
    assert (row.adversarial_after.value, row.adversarial_after.n) == (1 / 2, 2)


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_single_trials_have_wilsons_interval(trials: list[bool]) -> None:
    share = proportion([[trial] for trial in trials])
    low, high = proportion_confint(sum(trials), len(trials), method="wilson")
    assert share.value == sum(trials) / len(trials)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-12)
    assert share.n == share.pairs == len(trials)


def test_wilson_by_hand() -> None:
    """1 of 10: centre (0.1 + z²/20)/(1 + z²/10), z = 1.96, as in any textbook: 1.8 % to 40.4 %."""
    share = proportion([[n == 0] for n in range(10)])
    assert (round(share.low or 0, 3), round(share.high or 0, 3)) == (0.018, 0.404)


def test_more_photos_of_the_same_pairs_do_not_narrow_the_interval() -> None:
    once = proportion([[True], [False], [False], [True]])
    thrice = proportion([[True] * 3, [False] * 3, [False] * 3, [True] * 3])
    assert thrice.n == 12
    assert thrice.pairs == 4
    assert (thrice.value, thrice.low, thrice.high) == (once.value, once.low, once.high)
