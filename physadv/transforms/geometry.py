"""A plane seen by a camera: pose, projection, lens and homographies, all on batches of one row a camera.

Plane coordinates have their origin where the camera looks, x right and y down: millimetres, or heights of the
picture for a `View`. Pixel coordinates put (0, 0) at the centre of the top-left pixel, as OpenCV does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.transforms.protocol import Parameters, TransformError


@dataclass(frozen=True)
class Camera:
    """Pinhole cameras with radial lenses, looking at the origin of a plane; every tensor is (B,).

    Attributes:
        distance: from the lens to the point looked at, mm.
        yaw: turn about the plane's vertical axis, degrees.
        pitch: turn about the plane's horizontal axis, degrees.
        roll: turn about the line of sight, degrees.
        focal: focal length, pixels.
        width: of the image, pixels.
        height: of the image, pixels.
        a1: of the lens: an image point at distorted radius r (in focal lengths) left the ideal pinhole at
            r·(1 + a1·r² + a2·r⁴).
        a2: the coefficient of r⁴ in that formula.
    """

    distance: Tensor
    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    focal: Tensor
    width: int
    height: int
    a1: Tensor
    a2: Tensor

    @property
    def centre(self) -> Tensor:
        """Return the principal point (2,), pixels."""
        return self.focal.new_tensor([(self.width - 1) / 2, (self.height - 1) / 2])

    def project(self, points: Tensor) -> Tensor:
        """Return the pixels (B, N, 2) at which points are seen: (N, 2) or (B, N, 2) on the plane, mm.

        Points (N, 3) or (B, N, 3) have a third coordinate, mm behind the plane as seen by the camera.
        """
        spatial = F.pad(points, (0, 3 - points.shape[-1]))
        seen = spatial @ self._rotation().transpose(1, 2) + self._middle()
        ideal = seen[..., :2] / seen[..., 2:]
        radius = ideal.norm(dim=-1, keepdim=True)
        distorted = radius.clone()
        for _ in range(8):
            # Newton on r·(1 + a1·r² + a2·r⁴) = ideal radius: quadratic from so near a start.
            square = distorted.square()
            a1, a2 = self.a1[:, None, None], self.a2[:, None, None]
            excess = distorted * (1 + a1 * square + a2 * square.square()) - radius
            distorted = distorted - excess / (1 + 3 * a1 * square + 5 * a2 * square.square())
        scale = torch.where(radius > 0, distorted / radius.clamp_min(1e-12), torch.ones_like(radius))
        return ideal * scale * self.focal[:, None, None] + self.centre

    def unproject(self, pixels: Tensor) -> Tensor:
        """Return the plane points (B, N, 2) in mm seen at pixels (N, 2) or (B, N, 2); `project`'s inverse."""
        origin, directions = self.rays(pixels)
        return (origin - directions * (origin[..., 2:] / directions[..., 2:]))[..., :2]

    def rays(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return where the lens is, (B, 1, 3), and where pixels look, (B, N, 3), as `project` takes points.

        `pixels` are (N, 2) or (B, N, 2).
        """
        distorted = (pixels - self.centre) / self.focal[:, None, None]
        square = distorted.square().sum(dim=-1, keepdim=True)
        ideal = distorted * (1 + self.a1[:, None, None] * square + self.a2[:, None, None] * square.square())
        rotation = self._rotation()
        return -self._middle() @ rotation, F.pad(ideal, (0, 1), value=1.0) @ rotation

    def _rotation(self) -> Tensor:
        return view_rotation(self.yaw, self.pitch, self.roll)

    def _middle(self) -> Tensor:
        """Return the point looked at, (B, 1, 3), as the camera sees it."""
        return F.pad(self.distance[:, None, None], (2, 0))


def sample_plane(images: Tensor, plane: Tensor, extent: tuple[float, float]) -> Tensor:
    """Return what plane points (B, H, W, 2) see of pictures (B, C, h, w) lying there, edges extended outward.

    `extent` is width and height of the pictures in the points' unit; (0, 0) is their top-left corner.
    """
    grid = plane * plane.new_tensor([2 / extent[0], 2 / extent[1]]) - 1
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def apply_homography(homography: Tensor, points: Tensor) -> Tensor:
    """Return points (N, 2) or (B, N, 2) mapped by homographies (B, 3, 3), (B, N, 2)."""
    homogeneous = F.pad(points, (0, 1), value=1.0) @ homography.transpose(1, 2)
    return homogeneous[..., :2] / homogeneous[..., 2:]


def matrices(*entries: Tensor | float) -> Tensor:
    """Return 3×3 matrices (B, 3, 3) of nine entries, row by row, each (B,) or one number for all."""
    like = next(entry for entry in entries if isinstance(entry, Tensor))
    filled = [entry if isinstance(entry, Tensor) else torch.full_like(like, entry) for entry in entries]
    return torch.stack(filled, dim=-1).reshape(-1, 3, 3)


def view_rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Return Rz(roll) · Rx(pitch) · Ry(yaw), (B, 3, 3), of angles in degrees."""
    (cy, sy), (cx, sx), (cz, sz) = ((a.deg2rad().cos(), a.deg2rad().sin()) for a in (yaw, pitch, roll))
    about_y = matrices(cy, 0, sy, 0, 1, 0, -sy, 0, cy)
    about_x = matrices(1, 0, 0, 0, cx, -sx, 0, sx, cx)
    about_z = matrices(cz, -sz, 0, sz, cz, 0, 0, 0, 1)
    return about_z @ about_x @ about_y


class View(NamedTuple):
    """Homographies from pixels of a picture to pixels of what is seen, in three factors, (B, 3, 3) float64.

    Attributes:
        to_plane: pixels of the picture → plane, the picture turned and scaled in it.
        rays: plane → image points in focal lengths.
        to_frame: image points in focal lengths → pixels of the result.
    """

    to_plane: Tensor
    rays: Tensor
    to_frame: Tensor

    @property
    def homography(self) -> Tensor:
        """Return the homographies (B, 3, 3) from pixels of the picture to pixels of the result."""
        return self.to_frame @ self.rays @ self.to_plane

    def shifted(self, shift: Tensor) -> View:
        """Return the views with the result moved by `shift` (B, 2), pixels."""
        x, y = shift.unbind(dim=1)
        return self._replace(to_frame=matrices(1, 0, x, 0, 1, y, 0, 0, 1) @ self.to_frame)

    def framed(self, low: Tensor, high: Tensor, frame: Tensor) -> View:
        """Return the views with the box from `low` to `high`, (B, 2), stretched to a frame (2,), pixels."""
        across, down = (frame / (high - low)).unbind(dim=1)
        left, top = low.unbind(dim=1)
        stretch = matrices(across, 0, -left * across - 0.5, 0, down, -top * down - 0.5, 0, 0, 1)
        return self._replace(to_frame=stretch @ self.to_frame)


def pose_views(drawn: Parameters, height: int, width: int) -> View:
    """Return the views of pictures about the middle of the frame, before any shift, as drawn by `Warp`.

    Every drawn quantity is float64 (B,); picture and frame are `height` by `width` pixels.
    """
    turn, lean, stretch = drawn["rotation"].deg2rad(), drawn["shear"].deg2rad().tan(), drawn["aspect"].sqrt()
    across, down = drawn["scale"] * stretch, drawn["scale"] / stretch
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    size = torch.full_like(turn, 1 / height)
    from_pixels = matrices(size, 0, -centre_x / height, 0, 1 / height, -centre_y / height, 0, 0, 1)
    stretched = matrices(across, lean * down, 0, 0, down, 0, 0, 0, 1)
    turned = matrices(turn.cos(), -turn.sin(), 0, turn.sin(), turn.cos(), 0, 0, 0, 1)
    rotation = view_rotation(drawn["yaw"], drawn["pitch"], drawn["roll"])
    translation = F.pad((drawn["distance"] * drawn["focal"])[:, None, None], (0, 0, 2, 0))
    unit = drawn["focal"] * height
    return View(
        to_plane=turned @ stretched @ from_pixels,
        rays=torch.cat([rotation[:, :, :2], translation], dim=2),
        to_frame=matrices(unit, 0, centre_x, 0, unit, centre_y, 0, 0, 1),
    )


def bounding_box(homography: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the least and largest x and y, each (B, 2), of warped pictures' outer edges, pixels.

    A picture of which part is behind the camera raises TransformError.
    """
    right, bottom = width - 0.5, height - 0.5
    corners = homography.new_tensor([(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)])
    if bool(((F.pad(corners, (0, 1), value=1.0) @ homography[:, 2, :, None])[..., 0] <= 0).any()):
        raise TransformError(
            "a view puts part of the picture behind the camera; wanted less tilt or more distance or focal"
        )
    seen = apply_homography(homography, corners)
    return seen.amin(dim=1), seen.amax(dim=1)
