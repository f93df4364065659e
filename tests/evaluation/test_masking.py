"""Symptoms of masked gradients, in outcomes written down by hand."""

import numpy as np
import pytest

from physadv.evaluation.intervals import share
from physadv.evaluation.masking import AttackOutcomes, fewest_images, masking_symptoms, verdict

ALL, NONE = np.ones(8, bool), np.zeros(8, bool)


def outcomes(**changes):
    """Gradients that lead: every image breaks, by one step only half of them, by noise none."""
    usual = {
        "iterative": {1: np.arange(8) < 4, 100: NONE},
        "restarts": {1: NONE, 5: NONE},
        "unbounded": {1: ALL, 100: NONE},
        "raised": ALL,
        "one_step": np.arange(8) < 4,
        "queries": np.arange(8) < 2,
        "noise": ALL,
    }
    return AttackOutcomes(**{**usual, **changes})


def seen(**changes):
    return [symptom.name for symptom in masking_symptoms(outcomes(**changes)) if symptom.seen]


def test_gradients_that_lead_show_no_sign():
    assert seen() == []
    assert verdict(masking_symptoms(outcomes()), 8).startswith("no sign")


@pytest.mark.parametrize(
    ("attack", "name"),
    [
        ("one_step", "one step breaks more than many"),
        ("queries", "answers break more than gradients"),
        ("noise", "random noise breaks more than gradients"),
    ],
)
def test_a_weaker_attack_that_wins_is_a_sign_from_seven_images_on(attack, name):
    """Exact McNemar of k discordant images, all one way, of three tests: p = 3 · 2^(1-k), 0.047 for seven."""
    stuck = {"iterative": {100: ALL}, "one_step": ALL, "queries": ALL, "noise": ALL}
    assert seen(**{**stuck, attack: np.arange(8) >= 7}) == [name]
    assert seen(**{**stuck, attack: np.arange(8) >= 6}) == []


def test_one_image_that_no_bound_protects_is_a_sign():
    assert seen(unbounded={100: np.arange(8) == 3}) == ["without a bound not every image breaks"]


def test_robust_is_not_masked_while_the_loss_rises_and_is_when_it_does_not():
    robust = {"iterative": {100: ALL}, "one_step": ALL, "queries": ALL}
    assert seen(**robust) == []
    assert seen(**robust, raised=NONE) == ["more steps do not help"]
    (stuck,) = [symptom for symptom in masking_symptoms(outcomes(**robust, raised=NONE)) if symptom.seen]
    assert stuck.said == "100 steps raised the loss of 0 of 8 images left"


def test_the_verdict_names_what_was_seen():
    said = verdict(masking_symptoms(outcomes(unbounded={100: ALL})), 8)
    assert said.startswith("gradients mislead (without a bound not every image breaks)")


def test_a_weaker_attack_wins_by_more_than_the_smallest_difference_of_interest():
    stuck = outcomes(iterative={100: ALL}, one_step=ALL, queries=NONE)
    assert [each.seen for each in masking_symptoms(stuck)][1]
    assert not any(each.seen for each in masking_symptoms(stuck, smallest=0.6))
    assert fewest_images(0.6) > fewest_images(0.5) > 7


def test_below_seven_images_nothing_is_said_but_what_one_shows():
    five = {name: np.asarray(each) for name, each in vars(outcomes()).items() if not isinstance(each, dict)}
    few = {name: each[:5] for name, each in five.items()}
    curves = {name: {100: NONE[:5]} for name in ("iterative", "restarts", "unbounded")}
    symptoms = masking_symptoms(AttackOutcomes(**few, **curves))
    assert verdict(symptoms, 5) == "too few to say: 5 images, at least 7"
    kept = masking_symptoms(AttackOutcomes(**few, **{**curves, "unbounded": {100: ALL[:5]}}))
    assert verdict(kept, 5).startswith("gradients mislead (without a bound")


@pytest.mark.parametrize(("left", "seen"), [(5, False), (6, True)])
def test_a_loss_that_never_rises_is_a_sign_once_the_interval_lies_above_one_half(left, seen):
    """0.025^(1/5) = 0.478 and 0.025^(1/6) = 0.541."""
    stuck = outcomes(iterative={100: np.arange(8) < left}, raised=NONE, one_step=ALL, queries=ALL)
    assert masking_symptoms(stuck)[-1].seen is seen


def test_accuracy_of_none_in_ten_has_clopper_and_pearsons_interval():
    """(1 − p)¹⁰ = 0.025."""
    found = share(np.zeros(10, bool))
    assert (found.value, found.low, found.n) == (0, 0, 10)
    assert found.high == pytest.approx(1 - 0.025**0.1)
