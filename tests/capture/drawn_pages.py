"""Pages laid into a photo by a homography each, one upon the other: no printer, no phone, no noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.reading import Photo
from physadv.sheets import Sheet, page_pixels

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

DOTS_PER_MM = 10
DESK = 120


@dataclass(frozen=True)
class Laid:
    """A page in a photo: `homography` takes page mm to pixel centres."""

    page: Pixels
    homography: Points

    def to_photo(self, points_mm: Points) -> Points:
        return cv2.perspectiveTransform(points_mm[None], self.homography)[0]


def page_image(pdf: Path, index: int = 0) -> Pixels:
    """Return a page at 10 dots a mm, every edge averaged to where it is, softened so that it warps well."""
    exact = page_pixels(pdf, index, 2 * DOTS_PER_MM)
    return cv2.GaussianBlur(
        cv2.resize(exact, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), (0, 0), 0.7
    )


def lay(
    page: Pixels, middle: tuple[float, float], pixels_per_mm: float, degrees: float, tilt: float = 0.0
) -> Laid:
    """Lay a page with its middle at a pixel, turned, and seen the more from the side the larger `tilt` is."""
    height, width = (side / DOTS_PER_MM for side in page.shape[:2])
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    to_middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    lean = np.array([[1, 0, 0], [0, np.cos(tilt), 0], [0, np.sin(tilt) / 400, 1]])
    place = np.array([[pixels_per_mm, 0, middle[0]], [0, pixels_per_mm, middle[1]], [0, 0, 1]])
    return Laid(page, place @ lean @ turn @ to_middle)


def photo_of(laid: Sequence[Laid], width: int, height: int) -> Photo:
    """Return the photo, slightly blurred; later pages cover earlier ones."""
    rgb = np.full((height, width, 3), DESK, np.uint8)
    for each in laid:
        to_dots = np.array([[DOTS_PER_MM, 0, -0.5], [0, DOTS_PER_MM, -0.5], [0, 0, 1]])
        warp = each.homography @ np.linalg.inv(to_dots)
        seen = cv2.warpPerspective(each.page, warp, (width, height), flags=cv2.INTER_LINEAR)
        there = cv2.warpPerspective(np.full(each.page.shape[:2], 255, np.uint8), warp, (width, height))
        rgb = np.where(there[..., None] > 127, seen, rgb)
    rgb = cv2.GaussianBlur(rgb, (0, 0), 0.8)
    return Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), "drawn")


def cover_box(page: Pixels, box_mm: tuple[float, float, float, float], level: int = 255) -> Pixels:
    """Paint over a box of a page."""
    x, y, w, h = (round(side * DOTS_PER_MM) for side in box_mm)
    covered = page.copy()
    covered[y : y + h, x : x + w] = level
    return covered


def codes_of(sheet: Sheet) -> list:
    return [mark for mark in sheet.marks if mark.kind == "code"]
