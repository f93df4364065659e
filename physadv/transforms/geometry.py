"""A printed plane seen by a camera: pose, projection and lens, all on batches of one row a camera.

Plane coordinates are millimetres from the point the camera looks at, x right and y down; pixel coordinates
put (0, 0) at the centre of the top-left pixel, as OpenCV does.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LATTICE_STEP = 8


@dataclass(frozen=True)
class Camera:
    """Pinhole cameras with radial lenses, looking at the origin of a plane; every tensor is (B,).

    Attributes:
        distance: from the lens to the point looked at, mm.
        yaw: turn about the plane's vertical axis, degrees; likewise `pitch` (horizontal axis) and `roll`
            (the line of sight).
        focal: focal length, pixels.
        width: of the image, pixels; likewise `height`.
        a1: lens: an image point at distorted radius r (in focal lengths) left the ideal pinhole at
            r·(1 + a1·r² + a2·r⁴); likewise `a2`.
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

    def plane_to_rays(self) -> Tensor:
        """Return the homographies (B, 3, 3) from plane millimetres to ideal image points in focal lengths."""
        return plane_to_rays(self.distance, self.yaw, self.pitch, self.roll)

    def project(self, points: Tensor) -> Tensor:
        """Return the pixels (B, N, 2) at which plane points (N, 2) or (B, N, 2) in mm are seen."""
        ideal = apply_homography(self.plane_to_rays(), points)
        radius = ideal.norm(dim=-1, keepdim=True)
        distorted = radius.clone()
        for _ in range(20):
            # Newton on r·(1 + a1·r² + a2·r⁴) = ideal radius: quadratic from so near a start.
            square = distorted.square()
            a1, a2 = self.a1[:, None, None], self.a2[:, None, None]
            excess = distorted * (1 + a1 * square + a2 * square.square()) - radius
            distorted = distorted - excess / (1 + 3 * a1 * square + 5 * a2 * square.square())
        scale = torch.where(radius > 0, distorted / radius.clamp_min(1e-12), torch.ones_like(radius))
        return ideal * scale * self.focal[:, None, None] + self.centre

    def unproject(self, pixels: Tensor) -> Tensor:
        """Return the plane points (B, N, 2) in mm seen at pixels (N, 2) or (B, N, 2); `project`'s inverse."""
        distorted = (pixels - self.centre) / self.focal[:, None, None]
        square = distorted.square().sum(dim=-1, keepdim=True)
        ideal = distorted * (1 + self.a1[:, None, None] * square + self.a2[:, None, None] * square.square())
        return apply_homography(torch.linalg.inv(self.plane_to_rays()), ideal)

    def pixel_map(self) -> Tensor:
        """Return the plane point in mm seen by every pixel, (B, H, W, 2) float32.

        It is exact on a lattice of `LATTICE_STEP` pixels and linear between: off by less than a hundredth of
        a pixel at any view from which a sheet can be read.
        """
        columns = torch.arange((self.width - 1) // LATTICE_STEP + 2).to(self.focal)
        rows = torch.arange((self.height - 1) // LATTICE_STEP + 2).to(self.focal)
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1) * LATTICE_STEP
        coarse = self.unproject(grid.reshape(-1, 2)).reshape(-1, len(rows), len(columns), 2)
        fine = F.interpolate(
            coarse.permute(0, 3, 1, 2).float(),
            size=((len(rows) - 1) * LATTICE_STEP + 1, (len(columns) - 1) * LATTICE_STEP + 1),
            mode="bilinear",
            align_corners=True,
        )
        return fine[:, :, : self.height, : self.width].permute(0, 2, 3, 1)


def sample_plane(images: Tensor, plane: Tensor, extent: tuple[float, float]) -> Tensor:
    """Return what a pixel map sees of pictures lying on a plane, edges extended outward.

    Args:
        images: (B, C, h, w), covering `extent` of the plane from (0, 0) on.
        plane: (B, H, W, 2) plane points in the unit of `extent`, from the picture's top-left corner.
        extent: width and height of the picture on the plane.
    """
    grid = plane * plane.new_tensor([2 / extent[0], 2 / extent[1]]) - 1
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def plane_to_rays(distance: Tensor, yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Return the homographies (B, 3, 3) from a plane to image points in focal lengths.

    Args:
        distance: (B,) from the lens to the plane's origin, which it looks at, in the plane's unit.
        yaw: (B,) degrees about the plane's vertical axis.
        pitch: (B,) degrees about its horizontal axis.
        roll: (B,) degrees about the line of sight.
    """
    view = view_rotation(yaw, pitch, roll)
    translation = torch.zeros_like(view[:, :, :1])
    translation[:, 2, 0] = distance
    return torch.cat([view[:, :, :2], translation], dim=2)


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
