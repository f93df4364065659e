"""The geometry of photos of sheets: the camera, any model of a sheet, and that of a flat one, a fitted plane.

The flat model is a homography with k1 and k2 of Brown (1971). Robust estimators on subsets of the marks are
not used: with refined marks they drop good points in favour of a wrong model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]

# The main camera of a phone has 23 to 28 mm.
USUAL_FOCAL_35MM, FILM_DIAGONAL = 26.0, float(np.hypot(36, 24))
DIFFERENCE_MM = 0.05
LENS_SPREAD = 0.1
"""Standard deviation of k1 and k2 among phones. A few marks do not determine a lens; this prior does."""
ROBUST_FROM, MAX_DAMPING = 3.0, 1e8
KNOWN_FOCAL_SPREAD, GUESSED_FOCAL_SPREAD = 0.05, 0.2
STRETCH_TOLERANCE = 0.01
"""The share by which the width to height of a print may be wrong without a warning."""


@dataclass(frozen=True)
class Pinhole:
    """What is known of a camera before a sheet is fitted.

    Attributes:
        width: width of the photo, pixels.
        height: height of the photo, pixels.
        focal_35mm: focal length for a film frame of 36 × 24 mm, from EXIF; None if EXIF has none.
    """

    width: int
    height: int
    focal_35mm: float | None = None

    @property
    def centre(self) -> Points:
        """Return the middle of the photo (2,), pixels."""
        return (np.array([self.width, self.height], dtype=np.float64) - 1) / 2

    @property
    def focal(self) -> float:
        """Return the focal length in pixels; that of a usual phone if EXIF has none."""
        diagonal = float(np.hypot(self.width, self.height))
        return (self.focal_35mm or USUAL_FOCAL_35MM) / FILM_DIAGONAL * diagonal

    @property
    def focal_spread(self) -> float:
        """Return the relative standard deviation of the focal length."""
        return KNOWN_FOCAL_SPREAD if self.focal_35mm else GUESSED_FOCAL_SPREAD

    def view(self, slope: Points, pixel: Points) -> tuple[float, float]:
        """Return the viewing angle at one point, degrees (0 is frontal), and its distance in mm.

        A small piece of the paper is taken as a plane: its `slope` (2, 2) is from `jacobians`, its `pixel`
        (2,) where it is in the photo. Lengths along the line of sight are lost, lengths across it shrink
        with the distance; on inclined paper the two directions differ.
        """
        ray = np.append((pixel - self.centre) / self.focal, 1.0)
        length = float(np.linalg.norm(ray))
        tangents = np.vstack([slope / self.focal, np.zeros(2)])
        across = tangents - np.outer(ray, ray @ tangents) / length**2
        shrunk, whole = np.sqrt(np.maximum(np.linalg.eigvalsh(across.T @ across), 0))
        return float(np.degrees(np.arccos(np.clip(shrunk / whole, 0, 1)))), float(length / whole)


class SheetModel(Protocol):
    """How one camera sees a sheet of paper, flat or not."""

    def to_photo(self, points_mm: Points) -> Points:
        """Return the photo points (N, 2), pixels with whole numbers at centres, of page points (N, 2), mm."""


def is_inside(picture: Pixels, points: Points) -> NDArray[np.bool_]:
    """Return which points (N, 2) are inside a picture (H, W) or (H, W, 3)."""
    height, width = picture.shape[:2]
    return np.asarray(((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1))


def jacobians(model: SheetModel, points_mm: Points) -> Points:
    """Return the derivatives d pixels / d mm (N, 2, 2) of a model at page points (N, 2)."""
    steps = DIFFERENCE_MM * np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    moved = (points_mm[:, None] + steps).reshape(-1, 2)
    right, left, down, up = model.to_photo(moved).reshape(-1, 4, 2).transpose(1, 0, 2)
    return np.stack([right - left, down - up], axis=2) / (2 * DIFFERENCE_MM)


def pixels_per_mm(slopes: Points) -> Points:
    """Return the resolution (N,) from `jacobians` (N, 2, 2): the geometric mean over directions."""
    resolution: Points = np.sqrt(np.abs(np.linalg.det(slopes)))
    return resolution


@dataclass(frozen=True)
class FlatPage:
    """A sheet model: a homography, then a lens.

    Attributes:
        homography: matrix (3, 3) from page mm to undistorted points, in units of `scale` from the `centre`.
        k1: coefficient of radial distortion with the second power of the radius.
        k2: coefficient of radial distortion with the fourth power of the radius.
        centre: the middle of the photo (2,), pixels.
        scale: pixels per unit of the undistorted points.
    """

    homography: Points
    k1: float
    k2: float
    centre: Points
    scale: float

    def axes(self, focal: float) -> Points:
        """Return the page's x, y and origin before the camera (3, 3), as columns of one unknown unit."""
        axes: Points = np.diag([self.scale / focal, self.scale / focal, 1]) @ self.homography
        return axes

    def to_photo(self, points_mm: Points) -> Points:
        """Return the photo points (N, 2), pixels, of page points (N, 2), mm."""
        homogeneous = points_mm @ self.homography[:, :2].T + self.homography[:, 2]
        ideal = homogeneous[:, :2] / homogeneous[:, 2:]
        square = np.einsum("ij,ij->i", ideal, ideal)[:, None]
        distorted: Points = ideal * (self.scale * (1 + self.k1 * square + self.k2 * square**2))
        return distorted + self.centre


def fit_flat(
    points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole, lens: bool = True
) -> FlatPage:
    """Fit a flat sheet to N ≥ 4 marks, not all on a line; without a `lens` k1 and k2 are 0.

    Marks have page points (N, 2), mm, photo points (N, 2), pixels, and standard deviations (N,) of these.
    """
    middle = points_mm.mean(axis=0)
    size = float(np.abs(points_mm - middle).max())
    # Page points are centred and scaled, so that all eight entries are of the same order.
    to_unit = np.array([[1 / size, 0, -middle[0] / size], [0, 1 / size, -middle[1] / size], [0, 0, 1]])
    page = (points_mm - middle) / size
    centre, scale = camera.centre, 0.75 * max(camera.width, camera.height)
    start, _ = cv2.findHomography(page, (pixels - centre) / scale, 0)
    initial = np.append(start.ravel()[:8] / start[2, 2], (0.0, 0.0))
    spread = np.full(10, np.inf)
    spread[8:] = LENS_SPREAD if lens else 1e-9
    project = partial(_project, page=page, centre=centre, scale=scale)
    best, _ = fit_points(project, initial, pixels, sigmas, expected=initial, spread=spread)
    homography = np.append(best[:8], 1.0).reshape(3, 3) @ to_unit
    return FlatPage(homography, float(best[8]), float(best[9]), centre, scale)


def print_stretch(page: FlatPage, camera: Pinhole) -> float | None:
    """Return how much wider a sheet was printed than its height wants: 0.97 for one of 97 % in x alone.

    A photo tells no more of a print's size, as nobody knows from how far it was taken. None where it does not
    tell this to within `STRETCH_TOLERANCE`: on inclined paper it is as uncertain as the focal length, and on
    curled paper the axes of the best plane are not at right angles, by about as much as their ratio is wrong.
    """
    spread = 1 + camera.focal_spread
    focals = camera.focal * np.array([1, spread, 1 / spread])
    axes = np.stack([page.axes(focal)[:, :2] for focal in focals])
    lengths = np.linalg.norm(axes, axis=1)
    ratios = lengths[:, 0] / lengths[:, 1]
    skew = abs(axes[0, :, 0] @ axes[0, :, 1]) / lengths[0].prod()
    doubt = np.abs(ratios - ratios[0]).max() + skew
    return float(ratios[0]) if doubt <= STRETCH_TOLERANCE else None


def _project(parameters: Points, page: Points, centre: Points, scale: float) -> tuple[Points, Points]:
    """Return photo points (N, 2) and their derivatives (N, 2, 10) by the homography's entries, k1 and k2."""
    a, b, c, d, e, f, g, h, k1, k2 = parameters
    x, y = page.T
    w = 1 / (g * x + h * y + 1)
    u, v = (a * x + b * y + c) * w, (d * x + e * y + f) * w
    square = u * u + v * v
    stretch = 1 + k1 * square + k2 * square**2
    bend = 2 * k1 + 4 * k2 * square
    ideal = np.stack([u, v], axis=1)
    one = np.stack([x * w, y * w, w], axis=1)
    by_homography = np.zeros((len(page), 2, 8))
    by_homography[:, 0, :3] = by_homography[:, 1, 3:6] = one
    by_homography[:, :, 6:] = -ideal[:, :, None] * one[:, None, :2]
    by_ideal = stretch[:, None, None] * np.eye(2) + bend[:, None, None] * ideal[:, :, None] * ideal[:, None]
    by_lens = ideal[:, :, None] * np.stack([square, square**2], axis=1)[:, None]
    slopes = np.concatenate([by_ideal @ by_homography, by_lens], axis=2)
    return ideal * stretch[:, None] * scale + centre, slopes * scale


def fit_points(
    project: Callable[[Points], tuple[Points, Points]],
    start: Points,
    pixels: Points,
    sigmas: Points,
    *,
    expected: Points,
    spread: Points,
    iterations: int = 30,
    tolerance: float = 1e-5,
) -> tuple[Points, float]:
    """Return the parameters (P,) whose projected points are closest to the observed ones, and their cost.

    The cost is the soft-L1 loss of each point's distance, quadratic below `ROBUST_FROM` sigmas and linear
    beyond, so that an outlier has bounded influence, plus a Gaussian prior on the parameters. This
    Levenberg–Marquardt takes half a millisecond where a general solver, without derivatives, takes fifty.

    `project` maps parameters (P,) to points (N, 2), pixels, and their derivatives (N, 2, P). `pixels` (N, 2)
    were observed, with standard deviations `sigmas` (N,). The prior has means `expected` (P,) and standard
    deviations `spread` (P,), inf for no prior. The fit ends with a step that lowers the cost by a share
    below `tolerance`.
    """
    precision = 1 / np.square(spread)
    weights = 1 / np.square(sigmas)

    def cost_of(errors: Points, parameters: Points) -> tuple[float, Points]:
        squares = np.square(errors).sum(axis=1) * weights / ROBUST_FROM**2
        root = np.sqrt(1 + squares)
        offset = parameters - expected
        return float(2 * ROBUST_FROM**2 * (root - 1).sum() + precision @ np.square(offset)), weights / root

    best = start
    seen, slopes = project(best)
    cost, pull = cost_of(seen - pixels, best)
    damping = 1e-4
    for _ in range(iterations):
        weighted = slopes * pull[:, None, None]
        normal = np.tensordot(weighted, slopes, axes=((0, 1), (0, 1))) + np.diag(precision)
        gradient = np.tensordot(weighted, seen - pixels, axes=((0, 1), (0, 1)))
        gradient += precision * (best - expected)
        while damping < MAX_DAMPING:
            damped = normal + damping * np.diag(normal.diagonal() + 1e-12)
            step = np.linalg.solve(damped, gradient)
            trial = best - step
            trial_seen, trial_slopes = project(trial)
            trial_cost, trial_pull = cost_of(trial_seen - pixels, trial)
            if trial_cost <= cost:
                break
            damping *= 10
        else:
            break
        gained = cost - trial_cost
        best, seen, slopes, cost, pull = trial, trial_seen, trial_slopes, trial_cost, trial_pull
        damping = max(damping / 10, 1e-12)
        if gained <= tolerance * cost + 1e-12:
            break
    return best, cost
