"""Paper that is not flat: bent along a line, or uneven; solved on a coarse lattice."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.transforms.geometry import View, apply_homography

LATTICE = 17
"""Chebyshev points along each side, polynomials between: within 0.02 pixels for paper bent in an arc."""

_HALF = 0.5  # picture heights from the middle: where `bend` is the slope
_ITERATIONS = 16
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


def lattice_offsets(
    view: View, bend: Sequence[Tensor] | None, spline: Tensor | None, *, height: int, width: int, like: Tensor
) -> Tensor:
    """Return how far from the flat view a deformed picture's pixels read, (B, H, W, 2), for `grid_sample`.

    `bend` is `Deformation`'s bend, direction and skew, each (B,), and `spline` its displacements (B,
    2·knots²); None leaves either out. Picture and frame are `height` by `width` pixels; `like` gives dtype
    and device.
    """
    x, y = ((_chebyshev(view.rays) + 1) / 2 * (size - 1) for size in (width, height))
    lattice = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)
    flat = apply_homography(torch.linalg.inv(view.to_frame @ view.rays), lattice)
    on_paper = flat
    if bend is not None:
        on_paper = _unbend(flat, view.rays, *(values.to(flat) for values in bend))
    to_picture = torch.linalg.inv(view.to_plane)
    pixels = apply_homography(to_picture, on_paper)
    if spline is not None:
        displacement = spline.to(flat).reshape(len(flat), -1, 2) * height
        pixels = pixels + _thin_plate(pixels, displacement, height, width)
    coarse = (pixels - apply_homography(to_picture, flat)) * pixels.new_tensor([2 / width, 2 / height])
    coarse = coarse.reshape(-1, LATTICE, LATTICE, 2).permute(0, 3, 1, 2).to(like)
    fine = _polynomials(height, coarse) @ coarse @ _polynomials(width, coarse).T
    return fine.permute(0, 2, 3, 1)


def bent_surface(points: Tensor, bend: Tensor, direction: Tensor, skew: Tensor) -> Tensor:
    """Return where points (B, N, 2) of a flat sheet lie once it is bent, (B, N, 3), z away from the camera.

    In picture heights from the sheet's middle; bend, direction and skew are `Deformation`'s, each (B,).
    """
    angle = direction.deg2rad()
    along = torch.stack([angle.cos(), angle.sin()], dim=-1)[:, None]
    across = torch.stack([-angle.sin(), angle.cos()], dim=-1)[:, None]
    arc, ruling = (points * along).sum(dim=-1), (points * across).sum(dim=-1)
    nodes, weights = points.new_tensor((_NODES + 1) / 2), points.new_tensor(_WEIGHTS / 2)
    # Beyond twice the picture the paper goes on straight.
    travelled = arc.clamp(-2 * _HALF, 2 * _HALF)
    steps = travelled[..., None] * nodes
    slope = _slope(steps, bend, skew)
    x = travelled * (slope.cos() * weights).sum(dim=-1)
    z = travelled * (slope.sin() * weights).sum(dim=-1)
    end = _slope(travelled[..., None], bend, skew)[..., 0]
    x, z = x + (arc - travelled) * end.cos(), z + (arc - travelled) * end.sin()
    flat = x[..., None] * along + ruling[..., None] * across
    return torch.cat([flat, z[..., None]], dim=-1)


def _slope(arc: Tensor, bend: Tensor, skew: Tensor) -> Tensor:
    """Return the slope, radians, at arc lengths (B, N, K); curvature is linear in them."""
    t = arc / _HALF
    return bend.deg2rad()[:, None, None] * (t + skew[:, None, None] * t.square() / 2)


def _unbend(flat: Tensor, rays: Tensor, bend: Tensor, direction: Tensor, skew: Tensor) -> Tensor:
    """Return the points of the bent sheet seen where points (B, N, 2) of the flat one would be."""
    third = torch.linalg.cross(rays[:, :, 0], rays[:, :, 1])
    spatial = torch.stack([rays[:, :, 0], rays[:, :, 1], third], dim=2)
    origin, to_flat = rays[:, None, :, 2], torch.linalg.inv(rays)
    points = flat
    for _ in range(_ITERATIONS):
        seen = bent_surface(points, bend, direction, skew) @ spatial.transpose(1, 2) + origin
        back = seen @ to_flat.transpose(1, 2)
        points = points + flat - back[..., :2] / back[..., 2:]
    return points


def _thin_plate(points: Tensor, displacement: Tensor, height: int, width: int) -> Tensor:
    """Return a thin-plate spline (Bookstein 1989) of displacements (B, K², 2) of K×K knots at points."""
    knots = round(displacement.shape[1] ** 0.5)
    x, y = (torch.linspace(-0.5, size - 0.5, knots).to(points) for size in (width, height))
    centres = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2) / height
    affine = F.pad(centres, (1, 0), value=1.0)
    above = torch.cat([_bending_energy(centres, centres), affine], dim=1)
    system = torch.cat([above, F.pad(affine.T, (0, 3))])
    weights: Tensor = torch.linalg.solve(system, F.pad(displacement, (0, 0, 0, 3)))
    # Beyond the picture's edge the edge's value is taken.
    x, y = points.unbind(dim=-1)
    inside = torch.stack([x.clamp(-0.5, width - 0.5), y.clamp(-0.5, height - 0.5)], dim=-1) / height
    return torch.cat([_bending_energy(inside, centres), F.pad(inside, (1, 0), value=1.0)], dim=-1) @ weights


def _bending_energy(points: Tensor, centres: Tensor) -> Tensor:
    square: Tensor = (points[..., :, None, :] - centres).square().sum(dim=-1)
    return square * square.clamp_min(1e-300).log()


def _polynomials(size: int, like: Tensor) -> Tensor:
    """Return what each pixel takes of each lattice point, (size, LATTICE) (Berrut and Trefethen 2004)."""
    nodes, pixels = _chebyshev(like), torch.linspace(-1, 1, size).to(like)
    signs = 1 - 2 * (torch.arange(LATTICE) % 2).to(like)
    signs[[0, -1]] /= 2
    distance = pixels[:, None] - nodes
    on_node = distance.abs() < 1e-12
    terms = torch.where(on_node.any(dim=1, keepdim=True), on_node.to(like), signs / distance)
    return terms / terms.sum(dim=1, keepdim=True)


def _chebyshev(like: Tensor) -> Tensor:
    return -(torch.arange(LATTICE).to(like) * torch.pi / (LATTICE - 1)).cos()
