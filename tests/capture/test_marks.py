"""Marks drawn at known places, far from whole pixels, and found again."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from physadv.capture.cells import clipped_share, correlation, cut_crop, edge_sigmas
from physadv.capture.codes import read_at, refine_corners
from physadv.capture.fitting import fit_sheet
from physadv.capture.geometry import FlatPage, Pinhole
from physadv.capture.marks import find_saddles
from physadv.sheets.codes import Code, format_code, qr_matrix

SCALE = 10.0


def frontal(offset: tuple[float, float] = (0.0, 0.0)) -> FlatPage:
    """Ten pixels a millimetre, nothing else."""
    homography = np.array([[SCALE, 0, offset[0]], [0, SCALE, offset[1]], [0, 0, 1]])
    return FlatPage(homography, 0.0, 0.0, np.zeros(2), 1.0)


def saddle_at_50(
    photo: NDArray[np.uint8], off_by: tuple[float, float] = (0, 0)
) -> NDArray[np.float64] | None:
    """Look for a 4 mm saddle 5 mm from the corner, predicted wrongly by some pixels."""
    predicted = np.array([[50.0, 50.0]]) + off_by
    points, found = find_saddles(photo, predicted, np.eye(2)[None] * SCALE, 4.0, 1.0)
    return points[0] if found[0] else None


def saddle_photo(centre: tuple[float, float], sigma: float) -> NDArray[np.uint8]:
    """A 4 mm saddle of 40 pixels at a sub-pixel place, blurred in linear light and gamma-coded."""
    fine = 8
    y, x = (np.mgrid[: 100 * fine, : 100 * fine] + 0.5) / fine - 0.5
    dx, dy = x - centre[0], y - centre[1]
    inked = (np.abs(dx) < 20) & (np.abs(dy) < 20) & (dx * dy > 0)
    light = cv2.GaussianBlur(np.where(inked, 0.04, 0.8), (0, 0), sigma * fine)
    light = cv2.resize(light, (100, 100), interpolation=cv2.INTER_AREA)
    return np.round(255 * light ** (1 / 2.2)).astype(np.uint8)


# The drawing has eight samples a pixel, so eighths are exact.
places = st.integers(46 * 8, 54 * 8).map(lambda eighths: eighths / 8)


@settings(max_examples=10)
@given(places, places, st.floats(0.6, 2.5))
def test_a_saddle_is_placed_to_a_twentieth_of_a_pixel(x: float, y: float, sigma: float) -> None:
    found = saddle_at_50(saddle_photo((x, y), sigma))
    assert found is not None
    np.testing.assert_allclose(found, (x, y), atol=0.05)


def test_where_there_is_no_saddle_none_is_found() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100), dtype=np.uint8)
    edge = np.where(np.arange(100) < 50, 20, 230).astype(np.uint8)[None].repeat(100, axis=0)
    mirrored = np.ascontiguousarray(saddle_photo((50, 50), 1.0)[:, ::-1])
    for photo in (noise, edge, mirrored, np.full((100, 100), 128, np.uint8)):
        assert saddle_at_50(photo) is None


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
def test_edge_sigma_is_the_blur_in_pixels(sigma: float) -> None:
    photo = saddle_photo((50, 50), sigma)
    # The pixel's own box and reading between pixels blur too: variances of 1/12 and 1/6.
    seen = (sigma**2 + 1 / 12 + 1 / 6) ** 0.5
    (sigma_px,) = edge_sigmas(photo, np.array([[50.0, 50.0]]), np.eye(2)[None] * SCALE, 4.0)
    assert sigma_px == pytest.approx(seen, rel=0.08)


def code_photo(text: str, homography: NDArray[np.float64]) -> NDArray[np.uint8]:
    sheet = np.kron(np.where(np.pad(qr_matrix(text), 4), 25, 230), np.ones((12, 12))).astype(np.uint8)
    fine = cv2.warpPerspective(
        sheet, np.diag([3.0, 3.0, 1.0]) @ homography, (900, 900), flags=cv2.INTER_AREA, borderValue=230
    )
    return cv2.resize(cv2.GaussianBlur(fine, (0, 0), 3), (300, 300), interpolation=cv2.INTER_AREA)


def test_code_corners_are_refined_to_a_tenth_of_a_pixel() -> None:
    text = format_code(Code("RUN000", 1, 2))
    homography = np.array([[0.55, 0.05, 60.3], [-0.04, 0.58, 70.7], [5e-5, 2e-5, 1.0]])
    photo = code_photo(text, homography)
    low, high = 4 * 12 - 0.5, 25 * 12 - 0.5
    square = np.array([[(low, low), (high, low), (high, high), (low, high)]])
    # The picture was drawn three times finer: pixel centres of both grids differ by a third of a pixel.
    truth = (cv2.perspectiveTransform(square, np.diag([3.0, 3.0, 1.0]) @ homography)[0] - 1) / 3
    rough = truth + np.random.default_rng(1).uniform(-2, 2, (4, 2))
    refined = refine_corners(photo, rough, qr_matrix(text))
    assert refined is not None
    assert float(np.abs(refined - truth).max()) < 0.1
    read = read_at(photo, rough)
    assert read is not None
    assert read.text == text
    assert float(np.abs(read.corners - truth).max()) < 1.5


def test_a_code_that_is_not_there_is_not_refined_or_read() -> None:
    text = format_code(Code("RUN000", 1, 2))
    flat = np.full((300, 300), 200, np.uint8)
    corners = np.array([(100.0, 100.0), (200, 100), (200, 200), (100, 200)])
    assert refine_corners(flat, corners, qr_matrix(text)) is None
    assert read_at(flat, corners) is None


def synthetic_view(points: NDArray[np.float64], k1: float, k2: float) -> NDArray[np.float64]:
    homography = np.array([[2.2e-3, 1e-4, -0.25], [-8e-5, 2.3e-3, -0.33], [1e-4, -2e-4, 1.0]])
    return FlatPage(homography, k1, k2, np.array([1511.5, 2015.5]), 3024.0).to_photo(points)


@settings(max_examples=20)
@given(st.floats(-0.05, 0.05), st.floats(-0.02, 0.02))
def test_plane_and_lens_are_recovered_from_marks(k1: float, k2: float) -> None:
    axis_x, axis_y = np.linspace(12, 198, 6), np.linspace(20, 280, 8)
    points = np.stack(np.meshgrid(axis_x, axis_y), axis=-1).reshape(-1, 2)
    seen = synthetic_view(points, k1, k2)
    model = fit_sheet(points, seen, np.full(len(points), 0.1), Pinhole(3024, 4032))
    between = points + np.array([7.3, 5.1])
    np.testing.assert_allclose(model.to_photo(between), synthetic_view(between, k1, k2), atol=0.02)


def test_one_wild_mark_does_not_move_the_sheet() -> None:
    axis = np.linspace(20, 190, 7)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    seen = synthetic_view(points, 0.02, 0.0)
    seen[10] += (40, -25)
    model = fit_sheet(points, seen, np.full(len(points), 0.1), Pinhole(3024, 4032))
    others = np.delete(np.arange(len(points)), 10)
    error = np.linalg.norm(model.to_photo(points) - synthetic_view(points, 0.02, 0.0), axis=1)
    assert float(error[others].max()) < 0.5


def test_a_crop_is_the_area_average_of_its_place() -> None:
    """A crop of an exact enlargement gives the source back, but for what bilinear reading takes at edges."""
    source = np.random.default_rng(3).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    photo = np.kron(source, np.ones((9, 9, 1), np.uint8))
    model = frontal((-0.5, -0.5))
    crop = cut_crop(photo, model, (0.0, 0.0, 18.0, 18.0), (20, 20))
    assert int(np.abs(crop.astype(int) - source).max()) <= 5


def test_correlation_tells_pictures_apart() -> None:
    rng = np.random.default_rng(4)
    one, other = (cv2.resize(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8), (60, 60)) for _ in range(2))
    assert correlation(cv2.convertScaleAbs(one, alpha=0.6, beta=30), one) > 0.99
    assert correlation(other, one) < 0.4
    assert correlation(np.full_like(one, 77), one) == 0.0
    assert correlation(one, np.full_like(one, 77)) == 1.0


def test_clipping_counts_burnt_channels_and_black() -> None:
    crop = np.full((2, 2, 3), 100, np.uint8)
    crop[0, 0, 1] = 255
    crop[1, 1] = 0
    assert clipped_share(crop) == 0.5
