"""A stop sign's plate: its octagon on its own face, and the homography from the face to a photo.

Corners are the plate's own eight, its white rim included, clockwise from the left end of the top edge, in
pixels with (0, 0) at the centre of the top-left one.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.signs.stop_sign import FACE_SIDE, StopSignError

Corners = NDArray[np.float64]
"""(8, 2): x and y."""
Frame = NDArray[np.uint8]
"""RGB (H, W, 3)."""
RED_REACH = 0.95
"""The red field's height as a share of the plate's: 28.5 of 30 inches (Standard Highway Signs, R1-1)."""


@dataclass(frozen=True)
class SignPhoto:
    """A photo of a sign, and where in it the sign is.

    Attributes:
        name: unique in its set.
        photo: (3, H, W) in [0, 1], whole 8-bit levels.
        homography: (3, 3), float64, from pixels of the face to the photo's, as `cv2.warpPerspective`'s.
    """

    name: str
    photo: Tensor
    homography: Tensor


def to_pixels(picture: Tensor) -> Frame:
    """Return a picture (C, H, W) in [0, 1] as uint8 (H, W, C)."""
    pixels: Frame = (picture.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return pixels


def from_pixels(pixels: Frame) -> Tensor:
    """Return uint8 pixels (H, W, C) as a picture (C, H, W) in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def octagon(side: float = FACE_SIDE) -> Corners:
    """Return the plate's corners on its own face, a canvas `side` pixels wide that it just fills."""
    half = side / 2
    short = half * math.tan(math.pi / 8)
    right = [(short, -half), (half, -short), (half, short), (short, half)]
    left = [(-x, -y) for x, y in right]
    return np.array([left[3], *right, *left[:3]]) + (side - 1) / 2


def outline(side: int = FACE_SIDE) -> Tensor:
    """Return how much of every pixel of the face the plate covers, float32 (side, side) in [0, 1]."""
    return filled(octagon(side), side)


def filled(corners: Corners, side: int) -> Tensor:
    """Return how much of every pixel of a canvas a convex polygon covers, float32 (side, side).

    Corners are (N, 2), clockwise.
    """
    along = np.roll(corners, -1, axis=0) - corners
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1)
    beyond = (places @ outward.T - (corners * outward).sum(axis=1)).max(axis=-1)
    return torch.from_numpy(0.5 - beyond).float().clamp(0, 1)


def face_homography(corners: NDArray[np.floating] | Tensor, side: int = FACE_SIDE) -> Tensor:
    """Return the homography (3, 3), float64, from pixels of the face to the photo's, by least squares.

    Corners are those in the photo, clockwise from the left end of the top edge: the four of the face's
    square, or the plate's eight.

    Raises:
        StopSignError: there are neither four nor eight of them, or they are not convex and clockwise.
    """
    seen = np.asarray(corners, dtype=np.float64)
    if seen.shape not in ((4, 2), (8, 2)) or not np.isfinite(seen).all():
        wanted = "4 of the square or 8 of the octagon, x and y"
        raise StopSignError(f"corners of shape {seen.shape}; wanted {wanted}")
    edges = np.roll(seen, -1, axis=0) - seen
    turns = cross(edges, np.roll(edges, -1, axis=0))
    heading = np.arctan2(edges[:, 1], edges[:, 0])
    winding = float(((np.roll(heading, -1) - heading) % (2 * math.pi)).sum())
    if not (turns > 0).all() or not math.isclose(winding, 2 * math.pi, rel_tol=1e-6):
        raise StopSignError("corners are not convex; wanted them clockwise from the left end of the top edge")
    low, high = -0.5, side - 0.5
    square = np.array([(low, low), (high, low), (high, high), (low, high)])
    return torch.from_numpy(least_squares(octagon(side) if len(seen) == 8 else square, seen))


def sign_height(homography: Tensor, side: int = FACE_SIDE) -> float:
    """Return how many pixels high the face is in the photo, up its middle."""
    middle = (side - 1) / 2
    ends = np.array([[(middle, -0.5)], [(middle, side - 0.5)]])
    top, bottom = cv2.perspectiveTransform(ends, homography.numpy())[:, 0]
    return float(np.linalg.norm(bottom - top))


def least_squares(source: Corners, seen: Corners) -> Corners:
    """Return the homography of least reprojection error; exact for four points."""
    found, _ = cv2.findHomography(source, seen, 0)
    if found is None:
        raise StopSignError("corners lie on a line; wanted them about the sign")
    return np.asarray(found, dtype=np.float64)


def cross(first: Corners, second: Corners) -> Corners:
    """Return the cross products of vectors (N, 2) with others."""
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
