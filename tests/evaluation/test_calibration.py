"""Reliability by pencil and paper."""

import numpy as np
import pytest

from physadv.evaluation.calibration import Answers, reliability
from physadv.evaluation.intervals import mean, proportion


def answers(*said: tuple[int, int, bool, float], images: int, bins: int = 2) -> Answers:
    """Answers (image, bin, right, confidence)."""
    seen, right, confidence = (np.zeros((images, bins)) for _ in range(3))
    for image, within, correct, sure in said:
        seen[image, within] += 1
        right[image, within] += correct
        confidence[image, within] += sure
    return Answers(seen.astype(np.int64), right.astype(np.int64), confidence)


def test_expected_calibration_error_by_hand() -> None:
    """Low: 0.2 and 0.4, one right, |½ − 0.3|; high: 0.8 and 1, both right, |1 − 0.9|; half each: 0.15."""
    found = reliability(
        answers((0, 0, True, 0.2), (1, 0, False, 0.4), (2, 1, True, 0.8), (3, 1, True, 1.0), images=4)
    )
    assert found.ece == pytest.approx(0.15)
    assert found.confidence.value == pytest.approx(0.6)
    assert found.accuracy.value == 0.75
    low, high = found.bins
    assert (low.low, low.high, high.high) == (0.0, 0.5, 1.0)
    assert (low.confidence, low.accuracy.value) == (pytest.approx(0.3), 0.5)
    assert (high.confidence, high.accuracy.value) == (pytest.approx(0.9), 1.0)


def test_photos_of_one_image_are_one_source_of_evidence() -> None:
    found = reliability(answers((0, 1, True, 0.9), (0, 1, True, 0.9), (0, 0, False, 0.3), images=1))
    assert (found.accuracy.n, found.accuracy.pairs) == (3, 1)
    assert found.ece == pytest.approx((2 * 0.1 + 0.3) / 3)


def test_photos_that_images_share_are_counted_beside_the_images() -> None:
    """Twelve images in three photos: in the first all are right and sure, in the others wrong and unsure."""
    photo, image = np.repeat(np.arange(3), 12), np.tile(np.arange(12), 3)
    sure = (photo == 0).astype(int)
    seen = np.stack([1 - sure, sure], axis=1)
    right, confidence = seen * sure[:, None], seen * [0.3, 0.9]
    found = reliability(Answers(seen, right, confidence, image, photo))
    assert found.accuracy == proportion([1] * 12, [3] * 12, ([12, 0, 0], [12] * 3))
    assert found.bins[1].accuracy == proportion([1] * 12, [1] * 12, ([12], [12]))
    assert found.confidence == mean(confidence.sum(axis=1), np.ones(36), image, photo)
    alone = reliability(Answers(seen, right, confidence, image))
    assert (alone.ece, alone.confidence.value) == (found.ece, found.confidence.value)
    assert found.confidence.high - found.confidence.low > 0.9 > alone.confidence.high - alone.confidence.low


def test_no_answer_is_undefined() -> None:
    found = reliability(answers(images=3))
    assert (found.ece, found.undefined, found.accuracy.value) == (None, "no pairs left", None)
    assert all(within.confidence is None and within.accuracy.value is None for within in found.bins)
