import cv2
import numpy as np
import pytest
import torch

from physadv.signs.drawing.faces import face
from physadv.signs.drawing.pen import FACE_REACH
from physadv.signs.stop_sign import FACE_SIDE, StopSignError
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.plate import face_homography, octagon, outline, sign_height

RED, GREY = (190, 22, 30), (120, 130, 125)


def scene(homography: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return uint8 (height, width, 3): a red octagon with a white rim, as a homography shows it."""
    fine = 8
    canvas = np.full((height * fine, width * fine, 3), GREY, np.uint8)
    for corners, colour in (
        (octagon(), (240, 240, 240)),
        (octagon(0.95 * FACE_SIDE) + 0.025 * FACE_SIDE, RED),
    ):
        seen = cv2.perspectiveTransform(corners[:, None], homography)[:, 0]
        cv2.fillConvexPoly(
            canvas, np.round(((seen + 0.5) * fine - 0.5) * 16).astype(np.int32), colour, shift=4
        )
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def view(side: float, left: float, top: float, squeeze: float = 1.0, lean: float = 0.0) -> np.ndarray:
    square = np.array([(0, 0), (FACE_SIDE, 0), (FACE_SIDE, FACE_SIDE), (0, FACE_SIDE)]) - 0.5
    right, low = left + squeeze * side, top + side
    seen = np.array([(left, top), (right, top + lean * side), (right, low - lean * side), (left, low)])
    return cv2.getPerspectiveTransform(square.astype(np.float32), seen.astype(np.float32))


class TestOctagon:
    def test_is_regular_and_fills_its_canvas(self):
        corners = octagon(100)
        edges = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
        assert edges == pytest.approx(np.full(8, 100 * np.tan(np.pi / 8)))
        assert corners.min() == pytest.approx(-0.5)
        assert corners.max() == pytest.approx(99.5)

    def test_covers_two_times_root_two_less_two_of_its_canvas(self):
        assert float(outline(64).mean()) == pytest.approx(2 * np.sqrt(2) - 2, abs=2e-3)


class TestFaceHomography:
    @pytest.mark.parametrize("corners", [octagon(), np.array([(0, 0), (256, 0), (256, 256), (0, 256)]) - 0.5])
    def test_recovers_a_view_from_eight_corners_or_four(self, corners):
        truth = view(80, 12, 9, squeeze=0.6, lean=0.1)
        seen = cv2.perspectiveTransform(np.asarray(corners, dtype=np.float64)[:, None], truth)[:, 0]
        found = face_homography(seen).numpy()
        assert found / found[2, 2] == pytest.approx(truth / truth[2, 2], abs=1e-5)

    def test_knows_how_high_the_sign_is(self):
        assert sign_height(torch.from_numpy(view(40, 3, 4))) == pytest.approx(40, abs=1e-4)

    @pytest.mark.parametrize(
        ("corners", "line"),
        [
            ([(0, 0), (9, 0), (3, 3), (0, 9)], "corners are not convex"),
            ([(0, 0), (0, 9), (9, 9), (9, 0)], "corners are not convex"),
            ([(0, 0), (1, 1), (2, 2), (3, 3)], "corners are not convex"),
            (list(octagon()[[0, 3, 6, 1, 4, 7, 2, 5]]), "corners are not convex"),
            ([(0, 0), (9, 0), (9, 9)], r"corners of shape \(3, 2\); wanted 4"),
            ([(0, 0), (9, 0), (9, 9), (0, np.nan)], r"corners of shape \(4, 2\)"),
        ],
    )
    def test_refuses_what_is_no_outline(self, corners, line):
        with pytest.raises(StopSignError, match=line):
            face_homography(np.array(corners))


class TestFindSigns:
    @pytest.mark.parametrize("side", [17, 24, 48, 150])
    @pytest.mark.parametrize(("squeeze", "lean"), [(1.0, 0.0), (0.7, 0.05)])
    def test_finds_a_known_octagon_within_a_twentieth_of_its_side(self, side, squeeze, lean):
        homography = view(side, 41.3, 25.8, squeeze, lean)
        (found, *others) = find_signs(scene(homography, 220, 240))
        truth = cv2.perspectiveTransform(octagon()[:, None], homography)[:, 0]
        assert not others
        assert np.linalg.norm(found - truth, axis=1).max() < 0.05 * side

    def test_returns_the_nearer_of_two_first(self):
        near, far = scene(view(90, 10, 10), 120, 240), scene(view(40, 150, 30), 120, 240)
        both = np.concatenate([near[:, :120], far[:, 120:]], axis=1)
        first, second = find_signs(both)
        assert (first[:, 0].mean(), second[:, 0].mean()) == pytest.approx((54.5, 169.5), abs=1)

    def test_takes_a_float_picture_too(self):
        picture = torch.from_numpy(scene(view(60, 10, 10), 90, 90)).permute(2, 0, 1) / 255
        assert len(find_signs(picture)) == 1

    def test_finds_a_dark_sign_with_its_letters(self):
        colour, covered = face("stop", 128)
        picture = 0.2 * (colour * covered[..., None] + 0.6 * (1 - covered[..., None]))
        (found,) = find_signs((picture * 255).astype(np.uint8))
        plate = octagon(128 * FACE_REACH * 1.06 * np.cos(np.pi / 8))
        assert np.linalg.norm(found - found.mean(axis=0) - plate + plate.mean(axis=0), axis=1).max() < 2

    def test_leaves_out_what_is_too_small_to_see(self):
        assert find_signs(scene(view(13, 20, 20), 60, 60)) == []

    def test_a_red_square_and_a_red_triangle_are_no_stop_signs(self):
        canvas = np.full((100, 330, 3), GREY, np.uint8)
        cv2.rectangle(canvas, (120, 10), (200, 90), RED, -1)
        cv2.fillConvexPoly(canvas, np.array([(220, 90), (260, 10), (300, 90)]), RED, cv2.LINE_AA)
        assert find_signs(canvas) == []

    def test_refuses_what_is_no_picture(self):
        with pytest.raises(StopSignError, match=r"picture of shape \(9, 9\)"):
            find_signs(np.zeros((9, 9), np.uint8))
