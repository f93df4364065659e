"""The measures by pencil and paper: equation 1 of Kurakin et al. 2017, and what stands beside it."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from physadv.evaluation.destruction import (
    accuracy,
    adversariality,
    clean_survival,
    confidence,
    destruction_clean_survives,
    destruction_rate,
    success,
    table,
)
from physadv.evaluation.intervals import proportion
from physadv.evaluation.outcomes import Judgement, PairOutcome, is_prefiltered, tally

LABEL, TARGET = 7, 9
RIGHT = Judgement((LABEL, 1, 2, 3, 4), 0.9)
FIFTH = Judgement((1, 2, 3, 4, LABEL), 0.9)
WRONG = Judgement((1, 2, 3, 4, 5), 0.9)
UNSURE = Judgement((1, 2, 3, 4, 5), 0.5)
HIT = Judgement((TARGET, 2, 3, 4, LABEL), 0.6)


def outcome(
    clean: Judgement,
    adversarial: Judgement,
    *after: Judgement,
    clean_after: tuple[Judgement, ...] = (),
    target: int | None = None,
) -> PairOutcome:
    return PairOutcome("p", LABEL, clean, adversarial, clean_after, after, target)


def test_equation_1_at_top_1_and_top_5() -> None:
    counted = tally(
        [
            outcome(RIGHT, WRONG, RIGHT),  # destroyed at both
            outcome(RIGHT, WRONG, WRONG),  # survived
            outcome(RIGHT, WRONG, FIFTH),  # survived at top-1, destroyed at top-5
            outcome(RIGHT, FIFTH, RIGHT),  # destroyed at top-1; at top-5 never adversarial
            outcome(RIGHT, RIGHT, RIGHT),  # never adversarial
            outcome(WRONG, WRONG, RIGHT),  # the clean image was wrong already
            outcome(FIFTH, WRONG, WRONG),  # clean right at top-5 only
        ]
    )
    top1, top5 = destruction_rate(counted, 1), destruction_rate(counted, 5)
    assert (top1.value, top1.n) == (2 / 4, 4)
    assert (top5.value, top5.n) == (2 / 4, 4)
    assert top1.discarded == {"clean image wrong before": 2, "adversarial image right before": 1}
    assert top5.discarded == {"clean image wrong before": 1, "adversarial image right before": 2}


def test_several_photos_of_a_pair_all_count() -> None:
    rate = destruction_rate(
        tally([outcome(RIGHT, WRONG, RIGHT, RIGHT, WRONG), outcome(RIGHT, WRONG, WRONG)]), 1
    )
    assert (rate.value, rate.n, rate.pairs) == (2 / 4, 4, 2)


def test_a_rate_with_nothing_to_count_is_undefined_and_says_why() -> None:
    for outcomes, why in (
        ([], {}),
        ([outcome(WRONG, WRONG, RIGHT)], {"clean image wrong before": 1}),
        ([outcome(RIGHT, RIGHT, RIGHT)], {"adversarial image right before": 1}),
        ([outcome(RIGHT, WRONG)], {"never seen through the channel": 1}),
    ):
        rate = destruction_rate(tally(outcomes), 1)
        assert (rate.value, rate.low, rate.high, rate.n) == (None, None, None, 0)
        assert rate.undefined == "no pairs left"
        assert rate.discarded == why


def test_no_measure_of_nothing_is_a_number() -> None:
    for row in table(tally([])):
        for field in fields(row):
            if field.name not in ("case", "top"):
                assert getattr(row, field.name).value is None
                assert getattr(row, field.name).undefined == "no pairs left"


def test_the_prefiltered_case_needs_both_confident() -> None:
    assert is_prefiltered(LABEL, RIGHT, WRONG)
    assert not is_prefiltered(LABEL, RIGHT, UNSURE)
    assert not is_prefiltered(LABEL, RIGHT, FIFTH)
    assert not is_prefiltered(LABEL, FIFTH, WRONG)
    assert not is_prefiltered(LABEL, Judgement((LABEL,), 0.79), WRONG)


judgements = st.sampled_from([RIGHT, FIFTH, WRONG, UNSURE])


@given(st.lists(st.tuples(judgements, judgements, st.lists(judgements, max_size=3), judgements), max_size=30))
def test_in_the_prefiltered_case_the_rate_is_the_accuracy_on_adversarial_photos(
    drawn: list[tuple[Judgement, Judgement, list[Judgement], Judgement]],
) -> None:
    """Their clean images are right and their adversarial ones wrong: equation 1 leaves none of them out."""
    for row in table(tally([outcome(a, b, *c, clean_after=(d,)) for a, b, c, d in drawn])):
        if row.case == "prefiltered":
            assert row.destruction_rate == row.adversarial_after
            assert row.clean_before.value in (None, 1.0)
            assert row.adversarial_before.value in (None, 0.0)


def test_accuracies_count_each_side_by_itself() -> None:
    row = table(
        tally(
            [
                outcome(RIGHT, WRONG, WRONG, clean_after=(RIGHT,)),
                outcome(RIGHT, WRONG, clean_after=(WRONG,)),
                outcome(WRONG, WRONG, RIGHT),
            ]
        )
    )[0]
    assert (row.case, row.top) == ("average", 1)
    assert row.clean_before.value == pytest.approx(2 / 3)
    assert (row.clean_after.value, row.clean_after.n) == (1 / 2, 2)
    assert (row.adversarial_after.value, row.adversarial_after.n) == (1 / 2, 2)
    assert row.adversarial_after.discarded == {"never seen through the channel": 1}


def test_success_leaves_out_what_the_classifier_gets_wrong_by_itself() -> None:
    counted = tally(
        [outcome(RIGHT, WRONG, WRONG), outcome(RIGHT, WRONG, FIFTH), outcome(RIGHT, RIGHT, RIGHT)]
        + [outcome(WRONG, WRONG, WRONG)] * 5
    )
    assert success(counted, "before", 1).value == pytest.approx(2 / 3)
    assert success(counted, "after", 1).value == pytest.approx(2 / 3)
    assert success(counted, "after", 5).value == pytest.approx(1 / 3)
    assert success(counted, "after", 1).discarded == {"clean image wrong before": 5}


def test_adversariality_counts_the_target_and_only_where_there_is_one() -> None:
    counted = tally(
        [
            outcome(RIGHT, HIT, HIT, WRONG, target=TARGET),
            outcome(WRONG, WRONG, WRONG, WRONG, target=TARGET),
            outcome(RIGHT, HIT, HIT),
        ]
    )
    reached = adversariality(counted, "after", 1)
    assert (reached.value, reached.n, reached.pairs) == (1 / 4, 4, 2)
    assert reached.discarded == {"attack without a target": 1}
    untargeted = adversariality(tally([outcome(RIGHT, WRONG, WRONG)]), "after", 1)
    assert (untargeted.value, untargeted.discarded) == (None, {"attack without a target": 1})


def test_clean_survival_shows_a_camera_that_broke_everything() -> None:
    """No adversarial image is right after it: d is 0, which looks strong; no clean one is right either."""
    broken = tally([outcome(RIGHT, WRONG, WRONG, clean_after=(WRONG,))] * 4 + [outcome(WRONG, WRONG, WRONG)])
    assert destruction_rate(broken, 1).value == 0.0
    assert clean_survival(broken, 1).value == 0.0
    assert clean_survival(broken, 1).discarded == {"clean image wrong before": 1}
    kept = tally([outcome(RIGHT, WRONG, WRONG, clean_after=(RIGHT, FIFTH))])
    assert (clean_survival(kept, 1).value, clean_survival(kept, 5).value) == (0.5, 1.0)


def test_answers_of_one_photo_are_one_view_wherever_they_stand() -> None:
    """The clean image is cut out of one photo of two: there it is right, and the adversarial one wrong."""
    first, second = (replace(WRONG, photo=name) for name in ("1.jpg", "2.jpg"))
    seen = outcome(RIGHT, WRONG, first, second, clean_after=(replace(RIGHT, photo="2.jpg"),))
    rate = destruction_clean_survives(tally([seen]), 1)
    assert (rate.value, rate.n) == (0.0, 1)


def test_where_clean_survives_only_views_count_that_a_clean_image_came_through() -> None:
    counted = tally(
        [
            # Of four views two spoilt the clean image; of the other two one destroyed the adversarial one.
            outcome(RIGHT, WRONG, RIGHT, WRONG, WRONG, WRONG, clean_after=(RIGHT, RIGHT, WRONG, WRONG)),
            outcome(RIGHT, WRONG, RIGHT, clean_after=(FIFTH,)),  # survives at top-5 only
            outcome(RIGHT, RIGHT, RIGHT, clean_after=(RIGHT,)),  # never adversarial
            outcome(RIGHT, WRONG, RIGHT),  # the clean image was never seen
        ]
    )
    assert destruction_rate(counted, 1).value == 3 / 6
    top1, top5 = destruction_clean_survives(counted, 1), destruction_clean_survives(counted, 5)
    assert (top1.value, top1.n, top1.pairs) == (1 / 2, 2, 1)
    assert (top5.value, top5.n, top5.pairs) == (2 / 3, 3, 2)
    lost = "never seen in a view that its clean image survived"
    assert top1.discarded == {"adversarial image right before": 1, lost: 2}
    assert destruction_clean_survives(counted.of(np.array([1])), 5).value == 1.0


def test_confidence_is_the_mean_of_first_answers_right_or_wrong() -> None:
    counted = tally([outcome(RIGHT, UNSURE, HIT, UNSURE), outcome(WRONG, WRONG)])
    assert confidence(counted, "adversarial", "before").value == pytest.approx(0.7)
    after = confidence(counted, "adversarial", "after")
    assert (after.value, after.n, after.pairs) == (pytest.approx(0.55), 2, 1)
    assert after.discarded == {"never seen through the channel": 1}
    assert accuracy(counted, "clean", "before", 1).value == 0.5


def test_photos_that_pairs_share_are_counted_beside_the_pairs() -> None:
    """Twelve pairs in three photos: in the first all are destroyed, in the others none."""
    photos = [[replace(answer, photo=f"{k}.jpg") for k, answer in enumerate((RIGHT, WRONG, WRONG))]] * 12
    shared = tally([outcome(RIGHT, WRONG, *own) for own in photos])
    alone = tally([outcome(RIGHT, WRONG, RIGHT, WRONG, WRONG)] * 12)
    rate = destruction_rate(shared, 1)
    assert rate == replace(proportion([1] * 12, [3] * 12, ([12, 0, 0], [12] * 3)), discarded={})
    before = destruction_rate(alone, 1)
    assert (rate.value, rate.n, rate.pairs) == (before.value, before.n, before.pairs)
    # Three photos, one of them all lost: no more than three trials; twelve pairs alike seemed 36.
    low, high = proportion_confint(1, 3, method="beta")
    assert rate.high - rate.low > 0.85 * (high - low) > 2 * (before.high - before.low)
    # Files are in no photo.
    assert success(shared, "before", 1) == success(alone, "before", 1)
    # Pairs left out take their photos' counts with them.
    half = shared.of(np.array([5, 3]))
    assert destruction_rate(half, 1) == replace(
        proportion([1, 1], [3, 3], ([2, 0, 0], [2] * 3)), discarded={}
    )
