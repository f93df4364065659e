"""Photo points, the pinhole that projects them, and what follows from any model of a sheet in a photo."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]

# The main camera of a phone has 23 to 28 mm.
USUAL_FOCAL_35MM, FILM_DIAGONAL = 26.0, float(np.hypot(36, 24))
DIFFERENCE_MM = 0.05


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

    def view(self, slope: Points, pixel: Points) -> tuple[float, float]:
        """Return the viewing angle at one point, degrees (0 is frontal), and its distance in mm.

        A small piece of the paper is taken as a plane. Lengths along the line of sight are lost, lengths
        across it shrink with the distance; on inclined paper the two directions differ.

        Args:
            slope: derivatives (2, 2) from `jacobians`.
            pixel: where the point is in the photo, (2,).
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
