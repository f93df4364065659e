import numpy as np
import pytest
import torch
from PIL import Image

from physadv.classifiers import load_classifier
from physadv.classifiers.specs import SIGN_LABELS
from physadv.signs.drawing.drawing import DrawnSignError, draw_demo_set, draw_sign
from physadv.signs.drawing.faces import DRAWN_SIGNS, face
from physadv.signs.drawing.pen import Pen


def test_every_drawn_sign_is_a_class_of_the_sign_classifier():
    assert len(DRAWN_SIGNS) == len(set(DRAWN_SIGNS)) >= 20
    assert set(DRAWN_SIGNS) <= set(SIGN_LABELS)


@pytest.mark.parametrize("size", [16, 64, 129])
def test_picture_is_8_bit_rgb_of_the_size_asked_for(size):
    picture = draw_sign("stop", size, np.random.default_rng(0))
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8


@pytest.fixture(scope="module")
def drawn():
    """Fifty signs, more than there are faces."""
    return draw_demo_set(50, size=96, seed=0)


def test_a_seed_gives_the_same_set_and_another_seed_another(drawn):
    again, other = (draw_demo_set(4, size=96, seed=seed) for seed in (0, 4))
    for (label, picture), (same_label, same) in zip(drawn, again, strict=False):
        assert label == same_label
        np.testing.assert_array_equal(picture, same)
    assert any(not np.array_equal(a, b) for (_, a), (_, b) in zip(again, other, strict=True))


def test_a_set_goes_round_all_signs_before_it_repeats_one(drawn):
    assert {label for label, _ in drawn[: len(DRAWN_SIGNS)]} == set(DRAWN_SIGNS)


def test_stop_is_red_with_white_letters_on_an_octagon():
    colour, coverage = face("stop", 256)
    red = (colour[..., 0] > 0.6) & (colour[..., 1] < 0.3)
    # A regular octagon as wide as the plate fills 2(√2 - 1) of its box.
    assert coverage.sum() / (0.96 * 256) ** 2 == pytest.approx(2 * (np.sqrt(2) - 1), abs=0.04)
    assert 0.5 < red[coverage > 0.5].mean() < 0.9
    assert colour[128, 60:200].min(axis=1).max() > 0.9


def test_the_american_stop_sign_has_letters_a_third_of_it_high_and_a_narrow_border():
    colour, coverage = face("stop (US)", 512)
    plate = np.flatnonzero(coverage[256] > 0.5)
    white = colour.min(axis=2) > 0.6
    letters = np.flatnonzero(white[:, 140:372].any(axis=1) & (abs(np.arange(512) - 256) < 200))
    assert np.ptp(letters) / np.ptp(plate) == pytest.approx(1 / 3, abs=0.01)
    red = np.flatnonzero(~white[300])
    assert (red[0] - plate[0]) / np.ptp(plate) == pytest.approx(0.75 / 30, abs=0.01)
    np.testing.assert_array_equal(coverage, face("stop", 512)[1])


def test_a_stroke_passes_over_points_that_repeat():
    def drawn(points):
        image = Image.new("RGB", (64, 64))
        Pen(image).stroke(points, 0.2, (255, 255, 255))
        return np.asarray(image)

    np.testing.assert_array_equal(
        drawn([(-0.5, 0), (-0.5, 0), (0.2, 0.1), (0.2, 0.1), (0.5, 0.6), (0.5, 0.6)]),
        drawn([(-0.5, 0), (0.2, 0.1), (0.5, 0.6)]),
    )


def test_mirrored_faces_are_mirror_images():
    for left, right in (("keep left", "keep right"), ("turn left ahead", "turn right ahead")):
        difference = np.abs(face(left, 128)[0][:, ::-1] - face(right, 128)[0])
        assert difference.mean() < 0.01


def test_the_sign_classifier_recognises_the_drawings(drawn):
    images = torch.from_numpy(np.stack([picture for _, picture in drawn])).permute(0, 3, 1, 2).float() / 255
    answers = load_classifier("signs")(images).argmax(dim=1)
    right = sum(SIGN_LABELS[k] == label for k, (label, _) in zip(answers.tolist(), drawn, strict=True))
    assert right >= 45


def test_unknown_signs_and_tiny_pictures_are_refused():
    with pytest.raises(DrawnSignError, match="nearest: stop"):
        draw_sign("stopp", 64, np.random.default_rng(0))
    with pytest.raises(DrawnSignError, match="8 pixels"):
        draw_sign("stop", 8, np.random.default_rng(0))
