"""Where page points are seen in a photo, whatever shape the paper has, and what follows from that alone."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# A phone's main camera: 23 to 28 mm on a film frame of 36 × 24 mm.
USUAL_FOCAL_35MM = 26.0
FILM_DIAGONAL = float(np.hypot(36, 24))
DIFFERENCE_MM = 0.05


@dataclass(frozen=True)
class Camera:
    """What is known of the camera beforehand.

    Attributes:
        width: of the photo, pixels; likewise `height`.
        focal_35mm: focal length on a film frame of 36 × 24 mm, as EXIF gives it, None where it does not.
    """

    width: int
    height: int
    focal_35mm: float | None = None

    @property
    def centre(self) -> Points:
        """Return the photo's middle (2,), pixels."""
        return (np.array([self.width, self.height], dtype=np.float64) - 1) / 2

    @property
    def focal(self) -> float:
        """Return the focal length in pixels, a usual phone's where EXIF gives none."""
        diagonal = float(np.hypot(self.width, self.height))
        return (self.focal_35mm or USUAL_FOCAL_35MM) / FILM_DIAGONAL * diagonal


class SheetModel(Protocol):
    """A sheet of paper as one camera sees it."""

    def to_photo(self, points_mm: Points) -> Points:
        """Return the pixels (N, 2), pixel centres as OpenCV, at which page points (N, 2) in mm are seen."""


def jacobians(model: SheetModel, points_mm: Points) -> Points:
    """Return d pixels / d mm, (N, 2, 2), at page points (N, 2)."""
    steps = DIFFERENCE_MM * np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    moved = (points_mm[:, None] + steps).reshape(-1, 2)
    right, left, down, up = model.to_photo(moved).reshape(-1, 4, 2).transpose(1, 0, 2)
    return np.stack([right - left, down - up], axis=2) / (2 * DIFFERENCE_MM)


def pixels_per_mm(slopes: Points) -> Points:
    """Return the photo's resolution (N,) from `jacobians` (N, 2, 2): the geometric mean over directions."""
    resolution: Points = np.sqrt(np.abs(np.linalg.det(slopes)))
    return resolution


def viewed_from(slope: Points, pixel: Points, camera: Camera) -> tuple[float, float]:
    """Return the angle between paper and sight, degrees (0 = frontal), and the distance, mm, at one point.

    A small piece of plane seen at a known place with a known focal length: lengths along the ray are lost,
    those across it shrink by the distance, the two directions of the paper unequally where it is inclined.

    Args:
        slope: (2, 2) from `jacobians`.
        pixel: (2,) where the point is seen.
        camera: gives centre and focal length.
    """
    ray = np.append((pixel - camera.centre) / camera.focal, 1.0)
    length = float(np.linalg.norm(ray))
    tangents = np.vstack([slope / camera.focal, np.zeros(2)])
    across = tangents - np.outer(ray, ray @ tangents) / length**2
    shrunk, whole = np.sqrt(np.maximum(np.linalg.eigvalsh(across.T @ across), 0))
    return float(np.degrees(np.arccos(np.clip(shrunk / whole, 0, 1)))), float(length / whole)
