import pytest
import torch
from torch import nn

from physadv.classifiers import ClassifierError
from physadv.classifiers.detectors import Detector
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.detection import Scene, measure_detection

BOX = torch.tensor([8.0, 8.0, 24.0, 24.0])


class RedFinder(nn.Module):
    """Finds the box around what is red, its score the share of red in it; a detector that can be reckoned."""

    def forward(self, pictures):
        return [self.found(picture) for picture in pictures]

    def found(self, picture):
        red = (picture[0] > 0.5) & (picture[1:].amax(dim=0) < 0.5)
        places = red.nonzero()
        if not len(places):
            return {"boxes": torch.zeros(0, 4), "scores": torch.zeros(0), "labels": torch.zeros(0).long()}
        top, left = places.amin(dim=0)
        bottom, right = places.amax(dim=0) + 1
        share = red[top:bottom, left:right].float().mean()
        box = torch.stack([left, top, right, bottom]).float()
        return {"boxes": box[None], "scores": share[None], "labels": torch.ones(1).long()}


@pytest.fixture
def finder():
    return Detector(RedFinder(), ["__background__", "stop sign"], "red", torch.device("cpu"))


def scene(treatment, victim, covered, place="10 ft, 0°"):
    """A red square of 16 pixels of which the middle rows are covered in white; all of it leaves nothing."""
    picture = torch.zeros(3, 32, 40)
    picture[0, 8:24, 8:24] = 1
    picture[:, 8 + (16 - covered) // 2 : 8 + (16 + covered) // 2, 8:24] = 1
    return Scene(treatment, victim, place, picture, BOX)


def test_shares_and_scores_are_those_reckoned_by_hand(finder):
    scenes = [
        *(scene("clean", victim, 0) for victim in "abcd"),
        scene("optimised", "a", 4),
        scene("optimised", "b", 10),
        scene("optimised", "c", 16),
        scene("optimised", "d", 0),
    ]

    clean, optimised = measure_detection(finder, scenes)

    assert (clean.treatment, optimised.treatment) == ("clean", "optimised")
    assert clean.detected.value == clean.score.value == clean.kept.value == 1
    assert clean.lost == 0
    # Scores 12/16, 6/16, 0 and 1: the first and the last are detected.
    assert optimised.detected.value == optimised.kept.value == 0.5
    assert optimised.score.value == pytest.approx((12 / 16 + 6 / 16 + 0 + 1) / 4)
    assert optimised.lost == pytest.approx(1 - optimised.score.value)


def test_kept_counts_only_what_was_detected_clean(finder):
    scenes = [
        scene("clean", "a", 10),
        scene("clean", "b", 0),
        scene("random", "a", 0),
        scene("random", "b", 2),
    ]

    clean, random = measure_detection(finder, scenes)

    assert clean.detected.value == 0.5
    assert random.detected.n == 2
    assert random.kept.n == 1
    assert random.kept.value == 1
    assert random.lost == pytest.approx((6 / 16 + 1 - 1 - 14 / 16) / 2)


def test_without_clean_signs_nothing_is_compared(finder):
    (random,) = measure_detection(finder, [scene("random", "a", 0)])
    assert random.detected.value == 1
    assert random.kept.value is None
    assert random.lost is None


def test_a_box_elsewhere_is_not_the_sign(finder):
    elsewhere = Scene(
        "clean", "a", "near", scene("clean", "a", 0).picture, torch.tensor([20.0, 8.0, 36.0, 24.0])
    )
    (clean,) = measure_detection(finder, [elsewhere])
    assert clean.detected.value == 0
    assert clean.score.value == 0


def test_bad_scenes_are_refused(finder):
    with pytest.raises(StopSignError, match="two scenes of 'a', clean, 10 ft, 0°"):
        measure_detection(finder, [scene("clean", "a", 0), scene("clean", "a", 1)])
    blind = Detector(RedFinder(), ["__background__", "yield"], "red", torch.device("cpu"))
    with pytest.raises(ClassifierError, match="stop sign"):
        measure_detection(blind, [scene("clean", "a", 0)])
