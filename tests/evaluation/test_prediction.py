"""Chances that come true as often as they say, chances that say nothing, and too few images to tell."""

import numpy as np
import pytest

from physadv.evaluation.prediction import judge_prediction


def drawn(images, views, true_chance):
    image = np.repeat(np.arange(images), views)
    seen = np.random.default_rng(1).random(len(image)) < true_chance[image]
    return seen, image, np.tile(np.arange(views), images)


def test_chances_that_come_true_as_often_as_they_say():
    chance = np.random.default_rng(0).random(400)
    found = judge_prediction(chance, *drawn(400, 3, chance))
    assert found.brier.value == pytest.approx((chance * (1 - chance)).mean(), abs=0.02)
    assert found.brier.high < found.brier_of_mean
    assert (found.brier.n, found.brier.pairs) == (1200, 400)
    assert found.rank.low > 0.7
    assert found.reliability.ece < 0.05
    for within in found.reliability.bins:
        assert within.accuracy.low - 0.02 < within.confidence < within.accuracy.high + 0.02


def test_chances_that_have_nothing_to_do_with_what_is_seen():
    chance, truth = (np.random.default_rng(seed).random(400) for seed in (0, 5))
    found = judge_prediction(chance, *drawn(400, 3, truth))
    assert found.brier.low > found.brier_of_mean
    assert found.rank.low < 0 < found.rank.high


def test_what_cannot_be_ranked_is_undefined_and_not_zero():
    alike = judge_prediction(np.full(8, 0.5), *drawn(8, 2, np.full(8, 0.5)))
    assert (alike.rank.value, alike.rank.undefined) == (None, "all alike")
    few = judge_prediction(np.array([0.1, 0.9]), *drawn(2, 2, np.array([0.1, 0.9])))
    assert few.rank.undefined == "under 4 images"
    none = judge_prediction(np.ones(3), np.zeros(0, bool), np.zeros(0, int), np.zeros(0, int))
    assert (none.brier.value, none.brier_of_mean, none.reliability.ece) == (None, None, None)
