"""A sign to be printed, and the parts of it that are cut out of paper: the whole face, or single stickers.

Everything here is in millimetres of the printed sign from the top-left corner of its face's canvas.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt

from physadv.sheets.layout import BoxMm, SheetError
from physadv.sheets.pdf import Polygon

SMALLEST_MM, LARGEST_MM = 10.0, 5000.0
MOST_STICKERS = 200
STRAIGHT_PX, SAME_AREA = (1.42, 1.0, 0.6), 0.01
"""Cut lines leave a mask's staircase of pixels by the first of these that keeps a part's area within a share.

The first is what a straight line of any slope needs; round parts become polygons by it and take a later one.
"""

Mask = NDArray[np.bool_] | NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class PaperSign:
    """A sign to print.

    Attributes:
        face: 8-bit RGB, square, S pixels a side, with the stickers on; what lies outside of `outline` is not
            printed.
        outline: (k, 2) corners of the plate, x and y in pixels of the face from its top-left corner, so that
            the middle of the first pixel is (0.5, 0.5).
        size_mm: side of the whole face on paper.
        mask: (S, S), bool or in [0, 1]: where the stickers are, if there are any to print alone.

    Raises:
        SheetError: a face that is not square, an outline that is none or leaves the face, a size nobody
            prints, a mask of another shape, empty, of too many parts, or off the sign.
    """

    face: Image.Image
    outline: Polygon
    size_mm: float
    mask: Mask | None = None

    def __post_init__(self) -> None:
        width, height = self.face.size
        if width != height or self.face.mode != "RGB":
            raise SheetError(f"a face of {width} × {height} pixels, {self.face.mode}; wanted a square, RGB")
        if not SMALLEST_MM <= self.size_mm <= LARGEST_MM:
            wanted = f"take {SMALLEST_MM:g} to {LARGEST_MM:g} mm"
            raise SheetError(f"a sign of {self.size_mm:g} mm cannot be printed; {wanted}")
        _check_outline(self.outline, width)
        if self.mask is not None:
            _check_mask(self.mask, self.outline, width)

    @property
    def pixel_mm(self) -> float:
        """Return the side of a pixel of the face on paper."""
        return self.size_mm / self.face.width

    def plate(self) -> "Cutout":
        """Return the whole face, to be cut out along its outline."""
        return Cutout(self.face, (0.0, 0.0, self.size_mm, self.size_mm), (self.outline * self.pixel_mm,))

    def stickers(self) -> list["Cutout"]:
        """Return the connected parts of the mask, each to be cut out alone, the uppermost first.

        Raises:
            SheetError: the sign has no mask.
        """
        if self.mask is None:
            raise SheetError("the sign has no mask, so that there are no stickers to print alone")
        count, labels = cv2.connectedComponents(_inside(self.mask), connectivity=8)
        pixels = np.asarray(self.face)
        parts = (_sticker(pixels, labels == label, self.pixel_mm) for label in range(1, count))
        return sorted(parts, key=lambda part: (part.bounds[1], part.bounds[0]))


@dataclass(frozen=True, eq=False)
class Cutout:
    """Something to be cut out of paper.

    Attributes:
        image: 8-bit RGB.
        box_mm: where the image stands.
        edges: closed lines (k, 2), mm, to cut along; what an even number of them surround is cut away.
    """

    image: Image.Image
    box_mm: BoxMm
    edges: tuple[Polygon, ...]

    @property
    def bounds(self) -> BoxMm:
        """Return the smallest box around the cut lines."""
        points = np.concatenate(self.edges)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return (float(left), float(top), float(right - left), float(bottom - top))

    def at(self, x: float, y: float, scale: float = 1.0) -> "Cutout":
        """Return it with the corner of its bounds at (x, y), made `scale` times as large."""
        left, top, _, _ = self.bounds
        shift = np.array((x - scale * left, y - scale * top))
        bx, by, w, h = self.box_mm
        box = (scale * bx + float(shift[0]), scale * by + float(shift[1]), scale * w, scale * h)
        return Cutout(self.image, box, tuple(scale * edge + shift for edge in self.edges))


def _check_outline(outline: Polygon, side: int) -> None:
    if outline.ndim != 2 or outline.shape[1] != 2 or len(outline) < 3:
        raise SheetError(f"an outline of shape {outline.shape}; wanted (k, 2) with three corners or more")
    if not ((outline >= -1e-6) & (outline <= side + 1e-6)).all():
        raise SheetError(f"the outline leaves the face of {side} × {side} pixels")
    if abs(cv2.contourArea(outline.astype(np.float32))) < 1:
        raise SheetError("the outline surrounds nothing")


def _check_mask(mask: Mask, outline: Polygon, side: int) -> None:
    if mask.shape != (side, side):
        raise SheetError(f"a mask of shape {mask.shape} for a face of {side} × {side} pixels")
    if not ((mask.astype(float) >= 0) & (mask.astype(float) <= 1)).all():
        raise SheetError("a mask is true or false, or in [0, 1]; this one holds other values")
    inside = _inside(mask)
    if not inside.any():
        raise SheetError("the mask is empty, so that there are no stickers to print")
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count - 1 > MOST_STICKERS:
        raise SheetError(f"the mask has {count - 1} parts to cut out; wanted {MOST_STICKERS} or fewer")
    plate = np.zeros((side, side), np.uint8)
    cv2.fillPoly(plate, [np.round(outline - 0.5).astype(np.int32)], 1)
    off = set(range(1, count)) - set(np.unique(labels[plate > 0]))
    if off:
        x, y = boxes[min(off)][:2]
        raise SheetError(f"the mask is off the sign from pixel ({x}, {y}) on")


def _inside(mask: Mask) -> NDArray[np.uint8]:
    return (mask.astype(np.float64) >= 0.5).astype(np.uint8)


def _sticker(pixels: NDArray[np.uint8], part: NDArray[np.bool_], pixel_mm: float) -> Cutout:
    """Return a part (S, S) of a face's pixels (S, S, 3) alone."""
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    top, left = max(rows[0] - 1, 0), max(columns[0] - 1, 0)
    window = (slice(top, rows[-1] + 2), slice(left, columns[-1] + 2))
    # Its own colours go on around it, so that a cut line that straightens a staircase shows nothing else.
    nearest = distance_transform_edt(~part[window], return_distances=False, return_indices=True)
    image = pixels[window][tuple(nearest)]
    height, width = image.shape[:2]
    box = (left * pixel_mm, top * pixel_mm, width * pixel_mm, height * pixel_mm)
    return Cutout(Image.fromarray(image), box, tuple(edge * pixel_mm for edge in _boundary(part)))


def _boundary(part: NDArray[np.bool_]) -> list[Polygon]:
    """Return closed lines (k, 2) between the pixels of a part (S, S) and the others, in pixels."""
    # On a grid of half pixels the edges between pixels are points themselves and the corners even.
    height, width = part.shape
    grid = np.zeros((2 * height + 3, 2 * width + 3), np.uint8)
    grid[2:-1:2, 2:-1:2] = part
    grid = cv2.dilate(grid, np.ones((3, 3), np.uint8))
    found, _ = cv2.findContours(grid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(-1, -1))
    return [_straightened(_with_corners(line[:, 0])) for line in found]


def _with_corners(line: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return a closed line on the grid of half pixels with the corners it cuts put back."""
    following = np.roll(line, -1, axis=0)
    corners = np.where(line % 2 == 0, line, following)
    cut = (line != following).all(axis=1)
    return np.insert(line, np.flatnonzero(cut) + 1, corners[cut], axis=0)


def _straightened(line: NDArray[np.int32]) -> Polygon:
    """Return a closed line (k, 2) on the grid of half pixels in pixels, with few corners."""
    area = cv2.contourArea(line)
    for distance in STRAIGHT_PX:
        straight = cv2.approxPolyDP(line, 2 * distance, closed=True)[:, 0]
        if abs(cv2.contourArea(straight) - area) <= SAME_AREA * area:
            return np.asarray(straight / 2, np.float64)
    return line / 2
