"""Where a stop sign is in a photo or a frame: its red field, and the octagon fitted to the field's edge."""

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.plate import RED_REACH, Corners, cross, least_squares, octagon, to_pixels

LEAST_SIDE = 16
"""Pixels: with fewer a sign's outline is a blob, and its corners are guesses."""

_LEAST_RED = 12
"""Levels by which a field's red leads the other channels, in the dark."""
_SATURATIONS = (0.3, 0.55)
_PATCH = 144
"""Side, pixels, that a candidate is brought to before its edge is traced: one cost for signs of all sizes."""
_MARGIN = 0.18
_CANDIDATES = 16
_TOLERANCE = 0.012
"""Of an edge point from the octagon, in heights of the sign; half a pixel is let pass besides."""
_LEAST_SHARE = 0.8
"""Of the edge that lies on the octagon; with `_GOOD_SHARE` no other threshold is tried."""
_GOOD_SHARE, _POOR_SHARE = 0.97, 0.3
_THRESHOLDS = ((0.7, 3, 1.0), (0.8, 3, 0.2), (1.0, 9, 1.0), (1.3, 5, 1.0))
"""Of the red field: factor of Otsu's level; side of the square that opens it, pixels of the patch; and the
least area of a part of it, as a share of the largest part's: a blurred word cuts a small sign in two."""
_WORD_PX = 7
"""Height up to which a word is bridged where signs are looked for; larger ones have red between letters."""
_SPREAD = 0.727
"""Standard deviation along an axis of points on an octagon's edge, in units of half its height."""


def find_signs(picture: Tensor | NDArray[np.uint8], most: int = 4) -> list[Corners]:
    """Return the corners of the octagonal red signs in a picture, the largest first.

    A red disc is near enough to an octagon to be taken for one.

    The picture is float (3, H, W) in [0, 1] or uint8 (H, W, 3), RGB.

    Returns:
        (8, 2) each; signs under `LEAST_SIDE` pixels are left out.
    """
    pixels = _pixels(picture)
    levels, green, blue = cv2.split(pixels)
    # By how many levels red leads the other channels, (H, W).
    red = np.asarray(cv2.subtract(levels, cv2.max(green, blue)), dtype=np.uint8)
    found: list[Corners] = []
    for box in _red_boxes(pixels, red):
        corners = _octagon_in(red, box)
        if corners is not None:
            middle, others = corners.mean(axis=0).tolist(), [other.astype(np.float32) for other in found]
            if not any(cv2.pointPolygonTest(other, middle, False) >= 0 for other in others):
                found.append(corners)
    return sorted(found, key=_height, reverse=True)[:most]


def _pixels(picture: Tensor | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if isinstance(picture, Tensor):
        picture = to_pixels(picture.clamp(0, 1))
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        wanted = "(3, H, W) in [0, 1] or uint8 (H, W, 3)"
        raise StopSignError(f"picture of shape {picture.shape}; wanted {wanted}")
    return np.ascontiguousarray(picture)


def _red_boxes(pixels: NDArray[np.uint8], red: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """Return x, y, width and height of connected red fields about as wide as high, the largest first."""
    fields, masks = [], []
    bright = cv2.threshold(red, _LEAST_RED - 1, 255, cv2.THRESH_BINARY)[1]
    # A bleached sign is as pale as the bricks behind another.
    for saturation in _SATURATIONS:
        least = cv2.convertScaleAbs(pixels[..., 0], alpha=saturation)
        masks.append(cv2.bitwise_and(bright, cv2.compare(red, least, cv2.CMP_GE)))
    bridge = np.ones((_WORD_PX, 1), np.uint8)
    for mask in (*masks, cv2.morphologyEx(masks[0], cv2.MORPH_CLOSE, bridge)):
        stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
        width, height, area = stats[:, 2:].T
        shaped = (height >= 0.75 * LEAST_SIDE) & (width >= 0.25 * height) & (width <= 1.6 * height)
        fields.append(stats[shaped & (area >= 0.3 * width * height)])
    rows = np.concatenate(fields)
    kept: list[tuple[int, int, int, int]] = []
    for x, y, width, height, _ in rows[np.argsort(-rows[:, 4])].tolist():
        if len(kept) == _CANDIDATES:
            break
        if not any(max(abs(x - a), abs(y - b), abs(width - c), abs(height - d)) <= 2 for a, b, c, d in kept):
            kept.append((x, y, width, height))
    return kept


def _octagon_in(red: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Corners | None:
    """Return the plate's corners about a red field, or None where its edge is no octagon."""
    x, y, width, height = box
    pad = math.ceil(_MARGIN * max(width, height)) + 2
    # Beyond the picture's edge lies no red, so that a field that touches it has an edge there.
    left, top = x - pad, y - pad
    cut = red[max(0, top) : y + height + pad, max(0, left) : x + width + pad]
    below, beyond = y + height + pad - red.shape[0], x + width + pad - red.shape[1]
    cut = cv2.copyMakeBorder(
        cut, max(0, -top), max(0, below), max(0, -left), max(0, beyond), cv2.BORDER_CONSTANT, value=0
    )
    scale = _PATCH / max(cut.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    patch = np.asarray(cv2.resize(cut, None, fx=scale, fy=scale, interpolation=how))
    share, homography = 0.0, np.eye(3)
    for number, edge in enumerate(_field_edges(patch)):
        share, homography = max((share, homography), _fitted(edge, scale), key=lambda fit: fit[0])
        if share >= _GOOD_SHARE or (number and share < _POOR_SHARE):
            break
    if share < _LEAST_SHARE:
        return None
    plate = cv2.perspectiveTransform(_UNIT[:, None] / RED_REACH, homography)[:, 0]
    exact = np.array([cut.shape[1] / patch.shape[1], cut.shape[0] / patch.shape[0]])
    corners = np.asarray((plate + 0.5) * exact - 0.5 + (left, top), dtype=np.float64)
    return corners if round(_height(corners)) >= LEAST_SIDE and _surrounded(patch, homography) else None


def _surrounded(patch: NDArray[np.uint8], homography: Corners) -> bool:
    """Return whether an octagon is red within and less so beyond, unlike a piece of a brick wall."""
    places = cv2.perspectiveTransform(_AROUND.reshape(-1, 1, 2), homography).reshape(*_AROUND.shape)
    seen = cv2.remap(patch, places.astype(np.float32), None, cv2.INTER_LINEAR)
    within, beyond = np.sort(seen[_REACH < 0.93]), seen[(_REACH > 1.12) & (_REACH < 1.3)]
    # Letters and stickers leave the most of half a face red.
    return bool(np.median(beyond) < 0.75 * within[int(0.7 * len(within))])


def _field_edges(patch: NDArray[np.uint8]) -> Iterator[Corners]:
    """Yield points along the edge of the patch's largest red field, (N, 2), at several thresholds."""
    # Letters and stickers leave little red, glare is half as red as shade, something reddish touches a sign.
    soft = cv2.GaussianBlur(patch, (3, 3), 0)
    level, _ = cv2.threshold(soft, 0, 255, cv2.THRESH_OTSU)
    for factor, opened, least in _THRESHOLDS:
        mask = cv2.compare(soft, np.full(1, max(factor * level, 2.0), np.float64), cv2.CMP_GE)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((opened, opened), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            continue
        areas = np.array([cv2.contourArea(contour) for contour in contours])
        parts = [contours[row] for row in np.flatnonzero(areas >= least * areas.max())]
        hull = cv2.convexHull(np.concatenate(parts))[:, 0].astype(np.float64)
        if len(hull) >= 6:
            yield _evenly(hull, 160)


def _fitted(edge: Corners, scale: float) -> tuple[float, Corners]:
    """Return how much of a patch's edge (N, 2) lies on an octagon, and the homography of `_UNIT` to it."""
    mean = edge.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((edge - mean).T))
    if values[0] < 0.04 * values[1]:
        return 0.0, np.eye(3)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    isotropic = (edge - mean) @ np.linalg.inv(root).T
    angle = np.arctan2(isotropic[:, 1], isotropic[:, 0])
    radius = np.linalg.norm(isotropic, axis=1)
    # The eightfold part of the radius peaks at the corners, 22.5° off the axes of an upright octagon.
    phase = float(np.angle(np.sum((radius - radius.mean()) * np.exp(8j * angle)))) / 8
    turn = phase % (math.pi / 4) - math.pi / 8
    rotation = np.array([(math.cos(turn), -math.sin(turn)), (math.sin(turn), math.cos(turn))])
    model = np.eye(3)
    model[:2, :2] = root @ rotation / _SPREAD
    model[:2, 2] = mean
    tolerance = 2 * _TOLERANCE * math.sqrt(abs(np.linalg.det(model[:2, :2]))) + 0.5 * scale
    for _ in range(3):
        corners = _refitted(model, edge, tolerance)
        if corners is None:
            return 0.0, model
        model = least_squares(_UNIT, corners)
    off = _distances(cv2.perspectiveTransform(_UNIT[:, None], model)[:, 0], edge).min(axis=1)
    return float((off < tolerance).mean()), model


_UNIT = octagon(2) - 0.5
"""The octagon's corners in units of half its height."""
_AROUND = np.stack(np.meshgrid(*[np.linspace(-1.3, 1.3, 27)] * 2), axis=-1)
"""Places about the octagon, (27, 27, 2), in those units."""
_REACH = np.maximum(np.abs(_AROUND).max(axis=-1), np.abs(_AROUND).sum(axis=-1) / math.sqrt(2))
"""How far out they are: 1 on the octagon."""


def _refitted(model: Corners, edge: Corners, tolerance: float) -> Corners | None:
    """Return the corners where lines meet that are fitted to the edge points nearest each side."""
    corners = cv2.perspectiveTransform(_UNIT[:, None], model)[:, 0]
    distances = _distances(corners, edge)
    nearest = distances.argmin(axis=1)
    # Points far off every side belong to something else that is red.
    near = distances[np.arange(len(edge)), nearest] < 4 * tolerance
    points, directions = corners.copy(), np.roll(corners, -1, axis=0) - corners
    for side in range(8):
        own = edge[near & (nearest == side)]
        if len(own) >= 5:
            line = cv2.fitLine(own.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01)[:, 0]
            directions[side], points[side] = line[:2], line[2:]
    # Where p + s·d of a side meets its predecessor's.
    before, origin = np.roll(directions, 1, axis=0), np.roll(points, 1, axis=0)
    across = cross(directions, before)
    if np.abs(across).min() < 1e-6 * np.abs(directions).max():
        return None
    along = cross(origin - points, before) / across
    return np.asarray(points + along[:, None] * directions, dtype=np.float64)


def _distances(corners: Corners, points: Corners) -> Corners:
    """Return every point's distance from every side of a polygon, (N, 8), the sides as segments."""
    along = np.roll(corners, -1, axis=0) - corners
    offset = points[:, None] - corners
    share = ((offset * along).sum(axis=2) / (along**2).sum(axis=1)).clip(0, 1)
    return np.asarray(np.linalg.norm(offset - share[..., None] * along, axis=2), dtype=np.float64)


def _evenly(polygon: Corners, count: int) -> Corners:
    """Return `count` points spaced evenly along a closed polygon."""
    closed = np.concatenate([polygon, polygon[:1]])
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0, walked[-1], count, endpoint=False)
    return np.stack([np.interp(places, walked, closed[:, axis]) for axis in (0, 1)], axis=1)


def _height(corners: Corners) -> float:
    """Return the distance of the middles of a plate's top and bottom edges, pixels."""
    return float(np.linalg.norm(corners[[0, 1]].mean(axis=0) - corners[[4, 5]].mean(axis=0)))
