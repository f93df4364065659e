"""One homography a sample: how a camera's view of a flat picture is composed, and the grid that resamples it.

Homographies map pixels of the picture to pixels of the result, (0, 0) at the centre of the top-left pixel,
as OpenCV's do. The plane's origin is the picture's centre and its unit the picture's height.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.transforms.geometry import apply_homography, matrices, plane_to_rays
from physadv.transforms.protocol import Parameters, TransformError


class View(NamedTuple):
    """A homography in its three factors, each (B, 3, 3) float64.

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


def pose_views(drawn: Parameters, height: int, width: int) -> View:
    """Return the views of pictures about the middle of the frame, before any shift.

    Args:
        drawn: float64 (B,) `rotation`, `scale`, `aspect`, `shear`, `yaw`, `pitch`, `roll`, `distance` and
            `focal`, each as in `Warp`.
        height: of picture and frame, pixels.
        width: of picture and frame, pixels.
    """
    turn, lean, stretch = drawn["rotation"].deg2rad(), drawn["shear"].deg2rad().tan(), drawn["aspect"].sqrt()
    across, down = drawn["scale"] * stretch, drawn["scale"] / stretch
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    from_pixels = matrices(
        torch.full_like(turn, 1 / height), 0, -centre_x / height, 0, 1 / height, -centre_y / height, 0, 0, 1
    )
    stretched = matrices(across, lean * down, 0, 0, down, 0, 0, 0, 1)
    turned = matrices(turn.cos(), -turn.sin(), 0, turn.sin(), turn.cos(), 0, 0, 0, 1)
    unit = drawn["focal"] * height
    return View(
        to_plane=turned @ stretched @ from_pixels,
        rays=plane_to_rays(drawn["distance"] * drawn["focal"], drawn["yaw"], drawn["pitch"], drawn["roll"]),
        to_frame=matrices(unit, 0, centre_x, 0, unit, centre_y, 0, 0, 1),
    )


def shifted(view: View, shift: Tensor) -> View:
    """Return the views with the result moved by `shift` (B, 2), pixels."""
    x, y = shift.unbind(dim=1)
    return view._replace(to_frame=matrices(1, 0, x, 0, 1, y, 0, 0, 1) @ view.to_frame)


def framed(view: View, low: Tensor, high: Tensor, frame: Tensor) -> View:
    """Return the views with the box from `low` to `high`, (B, 2) each, stretched to a frame (2,), pixels."""
    across, down = (frame / (high - low)).unbind(dim=1)
    left, top = low.unbind(dim=1)
    stretch = matrices(across, 0, -left * across - 0.5, 0, down, -top * down - 0.5, 0, 0, 1)
    return view._replace(to_frame=stretch @ view.to_frame)


def bounding_box(homography: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the least and largest x and y, each (B, 2), of warped pictures' outer edges, pixels.

    Raises:
        TransformError: part of a picture is behind the camera.
    """
    right, bottom = width - 0.5, height - 0.5
    corners = homography.new_tensor([(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)])
    if bool(((F.pad(corners, (0, 1), value=1.0) @ homography[:, 2, :, None])[..., 0] <= 0).any()):
        raise TransformError(
            "a view puts part of the picture behind the camera; wanted less tilt or more distance or focal"
        )
    seen = apply_homography(homography, corners)
    return seen.amin(dim=1), seen.amax(dim=1)


def sampling_grid(
    homography: Tensor, height: int, width: int, like: Tensor, seen: tuple[int, int] | None = None
) -> Tensor:
    """Return where every pixel of the result is read, (B, H, W, 2), as `grid_sample` takes it.

    Args:
        homography: (B, 3, 3) from pixels of the picture to pixels of the result.
        height: of the picture, pixels.
        width: of the picture, pixels.
        like: gives dtype and device.
        seen: height and width of the result; the picture's without it.

    Returns:
        Picture coordinates for `align_corners=False`: −1 and 1 are the outer edges.
    """
    rows_seen, columns_seen = seen or (height, width)
    to_picture = _to_unit(height, width, homography)
    from_result = torch.linalg.inv(_to_unit(rows_seen, columns_seen, homography))
    rows = (to_picture @ torch.linalg.inv(homography) @ from_result).to(like)
    x = _unit_axis(columns_seen, like)[None, None, :]
    y = _unit_axis(rows_seen, like)[None, :, None]
    # Broadcast sums of a row and a column: a matrix product over all pixels costs three times as much.
    across = [
        row[:, 0, None, None] * x + (row[:, 1, None] * y[0, :, 0] + row[:, 2, None])[:, :, None]
        for row in rows.unbind(dim=1)
    ]
    grid = like.new_empty(len(rows), rows_seen, columns_seen, 2)
    torch.div(across[0], across[2], out=grid[..., 0])
    torch.div(across[1], across[2], out=grid[..., 1])
    return grid


def footprint(homography: Tensor, height: int, width: int) -> Tensor:
    """Return how many picture pixels a result pixel spans along x and y, (B, 2), at the picture's middle."""
    centre = homography.new_tensor([[(width - 1) / 2, (height - 1) / 2]])
    inverse = torch.linalg.inv(homography)
    place = F.pad(apply_homography(homography, centre)[:, 0], (0, 1), value=1.0)
    depth = (inverse[:, 2] * place).sum(dim=1)
    # The derivative of (a·p / c·p) is (a − (a·p / c·p) c) / c·p.
    jacobian: Tensor = (inverse[:, :2, :2] - centre[..., None] * inverse[:, None, 2, :2]) / depth[
        :, None, None
    ]
    return jacobian.square().sum(dim=2).sqrt()


def _to_unit(height: int, width: int, like: Tensor) -> Tensor:
    """Return the matrix (3, 3) from pixels to −1 and 1 at the outer edges."""
    return like.new_tensor([(2 / width, 0, 1 / width - 1), (0, 2 / height, 1 / height - 1), (0, 0, 1)])


def _unit_axis(size: int, like: Tensor) -> Tensor:
    return (torch.arange(size, dtype=like.dtype, device=like.device) * 2 + 1) / size - 1
