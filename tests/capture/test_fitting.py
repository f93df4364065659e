"""Curled paper worked out by hand (a page on a round pipe), and photos of curled pages."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from capture_scene import Scene as Taken
from capture_scene import picture

from physadv.capture.crop_photo import crop_photo
from physadv.capture.fitting import BentPage, fit_bent, fit_sheet, fit_thin_plate
from physadv.capture.geometry import FlatPage, Pinhole, SheetModel, fit_flat
from physadv.phone import Phone, Scene

Points = np.ndarray

CAMERA = Pinhole(3024, 4032, 26.0)
PAGE_MM = np.array([210.0, 297.0])
AXES = np.meshgrid([14.0, 52, 60, 98, 112, 150, 158, 196], [25.0, 67, 89, 131, 152, 194, 216, 258])
MARKS = np.stack(AXES, axis=-1).reshape(-1, 2)
BETWEEN = MARKS[:-9] + np.array([17.0, 21.0])


@dataclass(frozen=True)
class Pipe:
    """A page bent round a pipe of some radius, mm, its rulings at an angle; 1/radius = 0 is a flat page."""

    curvature: float
    degrees: float = 90.0
    tilt: tuple[float, float, float] = (0.2, -0.15, 0.1)
    lens: float = 0.02

    def to_photo(self, points_mm: Points) -> Points:
        angle = np.radians(self.degrees)
        across, along = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        middle = points_mm - PAGE_MM / 2
        arc = middle @ across
        x, z = arc, np.zeros_like(arc)
        if self.curvature:
            turned = arc * self.curvature
            x, z = np.sin(turned) / self.curvature, (1 - np.cos(turned)) / self.curvature
        surface = np.column_stack([x[:, None] * across + (middle @ along)[:, None] * along, z])
        space = surface @ cv2.Rodrigues(np.array(self.tilt))[0].T + (5.0, -8.0, 350.0)
        ideal = space[:, :2] / space[:, 2:]
        square = np.square(ideal).sum(axis=1, keepdims=True)
        return ideal * (1 + self.lens * square) * CAMERA.focal + CAMERA.centre


def bow(millimetres: float) -> float:
    """Return the curvature, 1/mm, at which an arc as long as the page rises by so much over its chord."""
    return 8 * millimetres / PAGE_MM[1] ** 2


def fit(fitter: Callable[..., SheetModel], pipe: Pipe, noise: float = 0.0) -> tuple[SheetModel, float]:
    """Return a model fitted to a page's marks, and its mean error between them, pixels."""
    seen = pipe.to_photo(MARKS) + np.random.default_rng(0).normal(0, noise, MARKS.shape)
    model = fitter(MARKS, seen, np.full(len(MARKS), 0.06), CAMERA)
    errors = np.linalg.norm(model.to_photo(BETWEEN) - pipe.to_photo(BETWEEN), axis=1)
    return model, float(errors.mean())


@pytest.mark.parametrize("degrees", [0.0, 35.0, 90.0, 160.0])
@pytest.mark.parametrize("curvature", [bow(10), -bow(10), bow(25)])
def test_a_page_round_a_pipe_is_recovered(curvature: float, degrees: float) -> None:
    model, error = fit(fit_sheet, Pipe(curvature, degrees), noise=0.03)
    assert isinstance(model, BentPage)
    assert error < 0.04


@pytest.mark.parametrize("noise", [0.0, 0.03, 0.2])
def test_a_flat_page_stays_flat_however_noisy(noise: float) -> None:
    model, error = fit(fit_sheet, Pipe(0.0), noise)
    assert isinstance(model, FlatPage)
    assert error < 0.02 + noise / 3


def test_a_bow_of_half_a_millimetre_is_seen() -> None:
    model, error = fit(fit_sheet, Pipe(bow(0.5)), noise=0.02)
    assert isinstance(model, BentPage)
    assert error < 0.03


def test_simpler_models_are_worse_in_the_order_of_what_they_leave_out() -> None:
    pipe = Pipe(bow(25), 70.0, lens=0.05)

    def no_lens(*marks: Points) -> SheetModel:
        return fit_flat(*marks, lens=False)

    def spline(*marks: Points) -> SheetModel:
        return fit_thin_plate(*marks[:3], fit_flat(*marks))

    full, thin_plate, flat, homography = (fit(f, pipe)[1] for f in (fit_sheet, spline, fit_flat, no_lens))
    assert full < 0.01
    assert 0.05 < thin_plate < flat < homography
    assert flat > 3


def test_a_focal_length_that_exif_does_not_tell_is_found_from_the_bend() -> None:
    pipe = Pipe(bow(25), 80.0)
    seen = pipe.to_photo(MARKS)
    unknown = replace(CAMERA, focal_35mm=None)
    longer = replace(CAMERA, focal_35mm=30.0)
    for camera in (unknown, longer):
        sigmas = np.full(len(MARKS), 0.06)
        flat = fit_flat(MARKS, seen, sigmas, camera)
        model = fit_bent(MARKS, seen, sigmas, camera, flat)
        errors = np.linalg.norm(model.to_photo(BETWEEN) - pipe.to_photo(BETWEEN), axis=1)
        assert float(errors.mean()) < 0.05


def test_too_few_marks_to_tell_a_bend_give_a_flat_page() -> None:
    pipe = Pipe(bow(10))
    few = MARKS[:12]
    assert isinstance(fit_sheet(few, pipe.to_photo(few), np.full(12, 0.06), CAMERA), FlatPage)


def test_a_photo_of_a_curled_page_is_cropped_as_exactly_as_of_a_flat_one(
    take: Callable[[Phone, int], Taken],
) -> None:
    curled = Scene(bow=(25.0, 25.0), waves=0.3)
    taken = take(Phone(width=2016, height=2688, focal=2019.0, scene=curled), 3)
    (found,) = crop_photo(taken.photo, [taken.sheet], picture=picture).sheets
    assert isinstance(found.model, BentPage)
    errors = []
    for cell in found.cells:
        assert cell.crop is not None
        errors.append(np.linalg.norm(cell.corners_px - taken.truth[cell.example], axis=1).mean())
    assert float(np.mean(errors)) < 0.1
