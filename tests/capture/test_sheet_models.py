"""What follows from where page points are seen, against cameras worked out by hand."""

import cv2
import numpy as np
import pytest

from physadv.capture.geometry import (
    Pinhole,
    fit_flat,
    fit_points,
    jacobians,
    pixels_per_mm,
    print_stretch,
)

Points = np.ndarray


class Plane:
    """A page at a distance before a pinhole, turned about the photo's horizontal, its middle at (0, 0)."""

    def __init__(
        self, camera: Pinhole, degrees: float, distance: float, aside: float = 0.0, wide: float = 1.0
    ) -> None:
        self.camera, self.distance, self.aside, self.wide = camera, distance, aside, wide
        self.turn = cv2.Rodrigues(np.array([np.radians(degrees), 0.0, 0.0]))[0]

    def to_photo(self, points_mm: Points) -> Points:
        space = np.column_stack([points_mm * (self.wide, 1), np.zeros(len(points_mm))]) @ self.turn.T
        space += (self.aside, 0, self.distance)
        return self.camera.focal * space[:, :2] / space[:, 2:] + self.camera.centre


def test_the_focal_length_of_exif_is_that_of_a_film_frame_of_the_same_diagonal() -> None:
    assert Pinhole(3600, 2400, 50.0).focal == pytest.approx(5000)
    assert Pinhole(2400, 3600, 50.0).focal == pytest.approx(5000)
    assert Pinhole(3600, 2400).focal == pytest.approx(2600)


@pytest.mark.parametrize("degrees", [0.0, 30.0, -60.0])
def test_inclination_and_distance_are_read_off_a_small_piece_of_paper(degrees: float) -> None:
    camera = Pinhole(4000, 3000, 26.0)
    page = Plane(camera, degrees, 400.0)
    middle = np.zeros((1, 2))
    angle, distance = camera.view(jacobians(page, middle)[0], page.to_photo(middle)[0])
    assert angle == pytest.approx(abs(degrees), abs=0.01)
    assert distance == pytest.approx(400, abs=0.01)


def test_beside_the_axis_paper_is_seen_at_the_angle_of_its_ray() -> None:
    camera = Pinhole(4000, 3000, 26.0)
    page = Plane(camera, 0.0, 400.0, aside=300.0)
    middle = np.zeros((1, 2))
    angle, distance = camera.view(jacobians(page, middle)[0], page.to_photo(middle)[0])
    assert angle == pytest.approx(np.degrees(np.arctan2(300, 400)), abs=0.01)
    assert distance == pytest.approx(500, abs=0.01)


def test_resolution_is_focal_length_over_distance() -> None:
    camera = Pinhole(4000, 3000, 26.0)
    slopes = jacobians(Plane(camera, 0.0, 400.0), np.array([[0.0, 0.0], [30.0, -20.0]]))
    np.testing.assert_allclose(pixels_per_mm(slopes), camera.focal / 400, rtol=1e-6)


MARKS = np.stack(np.meshgrid(np.linspace(-90.0, 90.0, 5), np.linspace(-130.0, 130.0, 6)), -1).reshape(-1, 2)


def stretch(camera: Pinhole, seen: Points) -> float | None:
    return print_stretch(fit_flat(MARKS, seen, np.full(len(MARKS), 0.06), camera), camera)


@pytest.mark.parametrize("degrees", [0.0, 12.0, -20.0])
@pytest.mark.parametrize("wide", [0.97, 1.0, 1.02])
def test_unequal_scaling_of_a_print_is_found_from_any_distance(degrees: float, wide: float) -> None:
    camera = Pinhole(4000, 3000, 26.0)
    for distance in (350.0, 600.0):
        seen = Plane(camera, degrees, distance, wide=wide).to_photo(MARKS)
        assert stretch(camera, seen) == pytest.approx(wide, abs=1e-3)


def test_a_print_of_another_size_looks_like_one_at_another_distance() -> None:
    camera = Pinhole(4000, 3000, 26.0)
    page = Plane(camera, 12.0, 400.0)
    small = 0.94 * MARKS
    assert stretch(camera, page.to_photo(small)) == pytest.approx(1, abs=1e-3)
    farther = Plane(camera, 12.0, 400.0 / 0.94)
    np.testing.assert_allclose(page.to_photo(small), farther.to_photo(MARKS), atol=1e-6)


def test_where_inclination_focal_length_or_curl_leave_the_shape_open_none_is_given() -> None:
    camera, unknown = Pinhole(4000, 3000, 26.0), Pinhole(4000, 3000)
    assert stretch(camera, Plane(camera, 40.0, 500.0).to_photo(MARKS)) is None
    assert stretch(unknown, Plane(camera, 5.0, 500.0).to_photo(MARKS)) == pytest.approx(1, abs=1e-3)
    assert stretch(unknown, Plane(camera, 20.0, 500.0).to_photo(MARKS)) is None
    skewed = MARKS + 0.03 * MARKS[:, ::-1] * (1, 0)
    assert stretch(camera, Plane(camera, 0.0, 500.0).to_photo(skewed)) is None


def test_least_squares_meets_points_and_prior_half_way() -> None:
    """One unknown, seen at 0.02 with sigma 1, expected at 0 with spread 1: the mean of both."""
    seen = np.array([[0.02, 0.0]])

    def project(parameters: Points) -> tuple[Points, Points]:
        return np.array([[parameters[0], 0.0]]), np.array([[[1.0], [0.0]]])

    start, one = np.zeros(1), np.ones(1)
    best, cost = fit_points(project, start, seen, one, expected=start, spread=one)
    assert best[0] == pytest.approx(0.01, rel=1e-3)
    assert cost == pytest.approx(2 * 0.01**2, rel=1e-3)
