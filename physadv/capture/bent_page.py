"""A sheet that is curled: paper bends but does not stretch, so it is a developable surface.

The page is rolled onto a general cylinder: straight rulings in one direction, and across them a smooth curve
given by its slope angle along the arc length (Chebyshev polynomials), which leaves every distance on the
paper as it was. A pinhole with radial distortion sees it. Compare Cao et al. (2003) and Liang et al. (2008),
who take the shape of a page from its text lines; here it comes from marks at known places.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from physadv.capture.flat_page import LENS_SPREAD, FlatPage
from physadv.capture.geometry import Camera, Points
from physadv.capture.least_squares import fit_points

CURVE_SPREAD = (0.6, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1)
"""How far each coefficient of the slope angle, radians over half a page, strays from flat."""
OFF = 1e-9
KNOWN_FOCAL_SPREAD, GUESSED_FOCAL_SPREAD = 0.05, 0.2
STARTS = [(angle, bend) for angle in np.radians([0, 45, 90, 135]) for bend in (-0.15, 0.15)]
FIRST_STEPS, LAST_STEPS = 8, 60
_POSE, _FOCAL, _LENS, _ANGLE, _CURVE = slice(0, 6), 6, slice(7, 9), 9, slice(10, 17)
PARAMETERS = 17
DIFFERENCE = 1e-6
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class BentPage:
    """A sheet model: a page on a general cylinder, seen by a pinhole with a lens.

    Attributes:
        parameters: (17,) rotation from `attitude` (rotation vector), place of the page's middle, log of the
            focal length over `focal`, k1, k2, direction across the rulings (radians), slope coefficients.
        attitude: (3, 3) rotation from page to camera that the first three parameters turn further.
        middle_mm: the page point that is the origin; `size_mm` is the unit of length.
        focal: in pixels; `centre` is the photo's middle, pixels.
    """

    parameters: Points
    attitude: Points
    middle_mm: Points
    size_mm: float
    focal: float
    centre: Points

    def to_photo(self, points_mm: Points) -> Points:
        """Return the pixels (N, 2) at which page points (N, 2) in mm are seen."""
        page = (points_mm - self.middle_mm) / self.size_mm
        seen: Points = _project(self.parameters[None], page, self.attitude, self.focal, self.centre)[0]
        return seen


def fit_bent(
    points_mm: Points, pixels: Points, sigmas: Points, camera: Camera, flat: FlatPage, terms: int = 4
) -> BentPage:
    """Fit a curled sheet to marks.

    Args:
        points_mm: (N, 2) page positions; some 20 are needed to tell a bend.
        pixels: (N, 2) where they were found.
        sigmas: (N,) how far each is trusted, pixels.
        camera: that took the photo; its focal length is refined.
        flat: the best flat sheet, to begin from.
        terms: how many of the slope's seven coefficients are fitted; more than the marks ask for make waves
            between them.
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
    spread[_FOCAL] = KNOWN_FOCAL_SPREAD if camera.focal_35mm else GUESSED_FOCAL_SPREAD
    spread[_LENS] = LENS_SPREAD
    spread[_CURVE] = np.where(np.arange(len(CURVE_SPREAD)) < terms, CURVE_SPREAD, OFF)

    def fit(start: Points, iterations: int) -> tuple[Points, float]:
        return fit_points(
            project, start, pixels, sigmas, expected=expected, spread=spread, iterations=iterations
        )

    begun = []
    for angle, bend in STARTS:
        start = np.zeros(PARAMETERS)
        start[3:6], start[_ANGLE], start[_CURVE.start] = place, angle, bend
        begun.append(fit(start, FIRST_STEPS))
    best, _ = fit(min(begun, key=lambda each: each[1])[0], LAST_STEPS)
    return BentPage(best, attitude, middle, size, camera.focal, camera.centre)


def _pose(flat: FlatPage, middle: Points, size: float, camera: Camera) -> tuple[Points, Points]:
    """Return rotation (3, 3) and place (3,) in page units of a flat sheet before a camera."""
    to_page = np.array([[size, 0, middle[0]], [0, size, middle[1]], [0, 0, 1]])
    columns = np.diag([flat.scale / camera.focal, flat.scale / camera.focal, 1]) @ flat.homography @ to_page
    columns /= np.sqrt(np.linalg.norm(columns[:, 0]) * np.linalg.norm(columns[:, 1]))
    columns *= np.sign(columns[2, 2])
    near = np.column_stack([columns[:, :2], np.cross(columns[:, 0], columns[:, 1])])
    u, _, v = np.linalg.svd(near)
    return u @ v, columns[:, 2]


def _project(parameters: Points, page: Points, attitude: Points, focal: float, centre: Points) -> Points:
    """Return pixels (B, N, 2) of page points (N, 2) in page units for B sets of parameters (B, 17)."""
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
    """Return chord and height (B, N) of arc lengths (B, N) where slopes are Σ curve[k] Tₖ₊₁(arc), (B, 7)."""
    steps = arc[..., None] * (_NODES + 1) / 2
    later = latest = np.zeros_like(steps)
    for coefficient in curve.T[::-1]:  # Clenshaw's recurrence
        latest, later = coefficient[:, None, None] + 2 * steps * latest - later, latest
    slope = steps * latest - later
    return arc * (np.cos(slope) @ _WEIGHTS) / 2, arc * (np.sin(slope) @ _WEIGHTS) / 2
