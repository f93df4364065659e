"""Reliability by pencil and paper."""

import numpy as np
import pytest

from physadv.evaluation.calibration import Answers, reliability


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


def test_no_answer_is_undefined() -> None:
    found = reliability(answers(images=3))
    assert (found.ece, found.undefined, found.accuracy.value) == (None, "no pairs left", None)
    assert all(within.confidence is None and within.accuracy.value is None for within in found.bins)
