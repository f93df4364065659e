"""From marks to the model of a sheet: a flat page if that explains them, or else a curled one.

Paper bends but does not stretch, so a curled page is a general cylinder: straight rulings, and across them a
curve, given by its slope angle along the arc (Chebyshev polynomials). Compare Cao et al. (2003).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from physadv.capture.geometry import LENS_SPREAD, FlatPage, Pinhole, Points, SheetModel, fit_flat, fit_points

MARKS_FOR_BEND, ROUGH_SIGMA, ROUGH_PX, TRIMMED = 16, 0.5, 2.0, 0.9
FLAT_ENOUGH_PX, CURVED_ENOUGH_PX = 0.06, 0.03
"""RMS residuals above which a model with more parameters is tried: a curled sheet, then one with waves.

Marks in a sharp photo have errors of 0.02 px. A bow of 0.5 mm leaves residuals of 0.1 px to a flat sheet and
moves its cells as far.
"""
GAIN = 0.8
"""The share of the residual that it may leave. Any further parameters reduce it by a few per cent."""
STIFFNESS = 7000.0
"""Smoothing per squared sigma: lets a decoder's corners stray by a pixel on paper that is bent by 10 mm."""
CURVE_SPREAD = (0.6, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1)
"""Standard deviation of each coefficient of the slope angle, in radians, with length in half pages."""
FEW_TERMS, ALL_TERMS = 4, 7
"""The first coefficients describe an arc, one that is stronger at one end, and an S; the others, waves."""
OFF = 1e-9
STARTS = [(angle, bend) for angle in np.radians([0, 45, 90, 135]) for bend in (-0.15, 0.15)]
FIRST_STEPS, LAST_STEPS = 4, 40
CONVINCING = 20.0
"""Cost per mark above which the fit is repeated from other starts."""
PARAMETERS, DIFFERENCE = 17, 1e-6
_FOCAL, _LENS, _ANGLE, _CURVE = 6, slice(7, 9), 9, slice(10, 17)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


def fit_sheet(points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole) -> SheetModel:
    """Return the model that places a sheet's cells best, from N ≥ 4 marks, not all on a line.

    Marks have page points (N, 2), mm, photo points (N, 2), pixels, and standard deviations (N,) of these.
    """
    flat = fit_flat(points_mm, pixels, sigmas, camera)
    precise = sigmas < ROUGH_SIGMA
    if precise.sum() < MARKS_FOR_BEND:
        return flat
    marks = points_mm[precise], pixels[precise]
    best: SheetModel = flat
    left = _trimmed_rms(flat, *marks)
    for enough, terms in ((FLAT_ENOUGH_PX, FEW_TERMS), (CURVED_ENOUGH_PX, ALL_TERMS)):
        if left <= enough:
            break
        bent = fit_bent(points_mm, pixels, sigmas, camera, flat, terms)
        still_left = _trimmed_rms(bent, *marks)
        if still_left < GAIN * left:
            best, left = bent, still_left
    return best


def fit_rough(points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole) -> SheetModel:
    """Return a model to look for further marks with: a flat sheet, warped by a spline if it fits badly."""
    flat = fit_flat(points_mm, pixels, sigmas, camera)
    errors = np.linalg.norm(flat.to_photo(points_mm) - pixels, axis=1)
    return flat if np.median(errors) <= ROUGH_PX else fit_thin_plate(points_mm, pixels, sigmas, flat)


def _trimmed_rms(model: SheetModel, points_mm: Points, pixels: Points) -> float:
    """Return the RMS error of the nine tenths of the marks that fit best."""
    squares = np.sort(np.square(model.to_photo(points_mm) - pixels).sum(axis=1))
    return float(np.sqrt(squares[: int(np.ceil(TRIMMED * len(squares)))].mean()))


@dataclass(frozen=True)
class WarpedPage:
    """A sheet model with a thin-plate spline (Bookstein 1989) through its residuals at the marks.

    It helps to find further marks on paper of any shape. It is no good for placing cells: paper bends but
    does not stretch, which a spline does not know.

    Attributes:
        base: the model that is warped.
        spline: maps page points (N, 2), mm, to offsets (N, 2), pixels.
    """

    base: SheetModel
    spline: Callable[[Points], Points]

    def to_photo(self, points_mm: Points) -> Points:
        """Return the photo points (N, 2), pixels, of page points (N, 2), mm."""
        return self.base.to_photo(points_mm) + self.spline(points_mm)


def fit_thin_plate(points_mm: Points, pixels: Points, sigmas: Points, base: SheetModel) -> WarpedPage:
    """Return a model warped towards marks at pixels (N, 2), closer to those with a small sigma (N,)."""
    from scipy.interpolate import RBFInterpolator

    residuals, smoothing = pixels - base.to_photo(points_mm), STIFFNESS * np.square(sigmas)
    spline = RBFInterpolator(points_mm, residuals, smoothing=smoothing, kernel="thin_plate_spline")
    return WarpedPage(base, spline)


@dataclass(frozen=True)
class BentPage:
    """A sheet model: a page on a general cylinder, seen by a pinhole with a lens.

    Attributes:
        parameters: 17 numbers: rotation vector relative to `attitude`, position of the page's middle,
            logarithm of the focal length over `focal`, k1, k2, direction across the rulings (radians), slope
            coefficients.
        attitude: rotation matrix (3, 3) from page to camera from which the fit started.
        middle_mm: the page point (2,) that is the origin.
        size_mm: the unit of length on the page.
        focal: focal length from which the fit started, pixels.
        centre: the middle of the photo (2,), pixels.
    """

    parameters: Points
    attitude: Points
    middle_mm: Points
    size_mm: float
    focal: float
    centre: Points

    def to_photo(self, points_mm: Points) -> Points:
        """Return the photo points (N, 2), pixels, of page points (N, 2), mm."""
        page = (points_mm - self.middle_mm) / self.size_mm
        seen: Points = _project(self.parameters[None], page, self.attitude, self.focal, self.centre)[0]
        return seen


def fit_bent(
    points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole, flat: FlatPage, terms: int = FEW_TERMS
) -> BentPage:
    """Fit a curled sheet to marks, starting from the best flat sheet; the camera's focal length is refined.

    About 20 marks are needed to see a bend: page points (N, 2), mm, photo points (N, 2), pixels, and the
    standard deviations (N,) of these. Too many `terms`, coefficients of the slope, make waves between the
    marks.
    """
    middle = points_mm.mean(axis=0)
    size = float(np.abs(points_mm - middle).max())
    page = (points_mm - middle) / size
    attitude, place = _pose(flat, middle, size, camera)

    def project(parameters: Points) -> tuple[Points, Points]:
        moved = np.vstack([parameters, parameters + DIFFERENCE * np.eye(PARAMETERS)])
        seen = _project(moved, page, attitude, camera.focal, camera.centre)
        return seen[0], np.moveaxis(seen[1:] - seen[0], 0, 2) / DIFFERENCE

    expected = np.zeros(PARAMETERS)
    spread = np.full(PARAMETERS, np.inf)
    spread[_FOCAL] = camera.focal_spread
    spread[_LENS] = LENS_SPREAD
    spread[_CURVE] = np.where(np.arange(len(CURVE_SPREAD)) < terms, CURVE_SPREAD, OFF)

    follow = partial(
        fit_points, project, pixels=pixels, sigmas=sigmas, expected=expected, spread=spread, tolerance=1e-4
    )

    def fit(starts: Sequence[Points]) -> tuple[Points, float]:
        """Try all starts for a few steps and follow the best one to the end."""
        begun = [follow(start, iterations=FIRST_STEPS) for start in starts]
        return follow(min(begun, key=lambda each: each[1])[0], iterations=LAST_STEPS)

    flat_start = np.zeros(PARAMETERS)
    flat_start[3:6] = place
    flat_start[_LENS] = flat.k1, flat.k2
    best, cost = fit(_slightly_bent(flat_start, project, pixels, 1 / spread))
    if cost > CONVINCING * len(page):
        again, cost_again = fit([_bent(flat_start, angle, bend) for angle, bend in STARTS])
        best = again if cost_again < cost else best
    return BentPage(best, attitude, middle, size, camera.focal, camera.centre)


def _bent(flat: Points, angle: float, bend: float) -> Points:
    start = flat.copy()
    start[_ANGLE], start[_CURVE.start] = angle, bend
    return start


def _slightly_bent(
    flat: Points, project: Callable[[Points], tuple[Points, Points]], pixels: Points, rigour: Points
) -> list[Points]:
    """Return parameters to start from: the slight bends that best explain the residuals of a flat sheet."""
    # A slight bend lifts the paper by a quadratic form, and bends in three directions span all such forms.
    # Equal curvature in all directions looks nearly like a lens, so only the difference of the two principal
    # curvatures counts: the paper is bent about one axis, or the opposite way about the other.
    errors = project(flat)[0] - pixels
    bends = [project(_bent(flat, angle, 0.0))[1][:, :, _CURVE.start] for angle in (0.0, np.pi / 2, np.pi / 4)]
    rigid = [*range(_FOCAL + 1), *range(_LENS.start, _LENS.stop)]
    design = np.concatenate([project(flat)[1][:, :, rigid], np.stack(bends, axis=2)], axis=2)
    unknowns = design.shape[2]
    held = np.diag(np.append(rigour[rigid], [1.0, 1.0, 1.0]))
    system = np.vstack([design.reshape(-1, unknowns), held])
    solution, *_ = np.linalg.lstsq(system, np.append(-errors.ravel(), np.zeros(unknowns)), rcond=None)
    x, y, diagonal = solution[-3:]
    form = np.array([[x + diagonal / 2, diagonal / 2], [diagonal / 2, y + diagonal / 2]])
    curvatures, directions = np.linalg.eigh(form)
    bend = float(np.clip(curvatures[0] - curvatures[1], -0.6, 0.6))
    angles = np.arctan2(directions[1], directions[0])
    return [_bent(flat, float(angles[0]), bend), _bent(flat, float(angles[1]), -bend)]


def _pose(flat: FlatPage, middle: Points, size: float, camera: Pinhole) -> tuple[Points, Points]:
    """Return the rotation (3, 3) and the position (3,), in page units, of a flat sheet before a camera."""
    to_page = np.array([[size, 0, middle[0]], [0, size, middle[1]], [0, 0, 1]])
    columns = flat.axes(camera.focal) @ to_page
    columns /= np.sqrt(np.linalg.norm(columns[:, 0]) * np.linalg.norm(columns[:, 1]))
    columns *= np.sign(columns[2, 2])
    near = np.column_stack([columns[:, :2], np.cross(columns[:, 0], columns[:, 1])])
    u, _, v = np.linalg.svd(near)
    return u @ v, columns[:, 2]


def _project(parameters: Points, page: Points, attitude: Points, focal: float, centre: Points) -> Points:
    """Return photo points (B, N, 2) of page points (N, 2), in page units, for parameters (B, 17)."""
    cos, sin = np.cos(parameters[:, _ANGLE, None]), np.sin(parameters[:, _ANGLE, None])
    across = page[:, 0] * cos + page[:, 1] * sin
    along = page[:, 1] * cos - page[:, 0] * sin
    x, z = _roll(across, parameters[:, _CURVE])
    surface = np.stack([x * cos - along * sin, x * sin + along * cos, z], axis=2)
    turns = np.stack([cv2.Rodrigues(vector)[0] for vector in parameters[:, :3]]) @ attitude
    space = surface @ turns.transpose(0, 2, 1) + parameters[:, None, 3:6]
    ideal = space[:, :, :2] / space[:, :, 2:]
    square = np.square(ideal).sum(axis=2, keepdims=True)
    k1, k2 = parameters[:, _LENS].T[:, :, None, None]
    lengths = focal * np.exp(parameters[:, _FOCAL, None, None])
    seen: Points = ideal * (1 + k1 * square + k2 * square**2) * lengths + centre
    return seen


def _roll(arc: Points, curve: Points) -> tuple[Points, Points]:
    """Return chords and heights (B, N) at arc lengths (B, N), where slope angles are Σ curve[k] Tₖ₊₁(arc)."""
    steps = arc[..., None] * (_NODES + 1) / 2
    later = latest = np.zeros_like(steps)
    for coefficient in curve.T[::-1]:  # Clenshaw's recurrence
        latest, later = coefficient[:, None, None] + 2 * steps * latest - later, latest
    slope = steps * latest - later
    return arc * (np.cos(slope) @ _WEIGHTS) / 2, arc * (np.sin(slope) @ _WEIGHTS) / 2
