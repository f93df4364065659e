"""Resampling: images read once through a homography or a grid, smoothed first where they become smaller."""

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.transforms.geometry import apply_homography
from physadv.transforms.optics import gaussian_blur

ANTIALIAS = 0.6
"""Gaussian sigma per picture pixel that a result pixel covers beyond one; measured against area sampling."""

_NEGLIGIBLE = 0.15
"""A gaussian this narrow, in pixels, changes nothing at 8 bits."""


def warp_perspective(
    images: Tensor, homography: Tensor, background: Tensor | None = None, size: tuple[int, int] | None = None
) -> Tensor:
    """Return images (B, C, H, W) resampled once by homographies (B, 3, 3), smoothed first where they shrink.

    Homographies go from pixels of the picture to pixels of the result, as `cv2.warpPerspective`'s.
    `background`, (B, C, 1, 1) or (B, C, h, w), is seen beside the picture, its edge extended without it;
    `size` is height and width of the result, the picture's without it. Differentiable in images and
    background.
    """
    height, width = images.shape[-2:]
    grid = sampling_grid(homography.double(), height, width, images, size)
    return resample(prefilter(images, homography.double()), grid, background)


def prefilter(images: Tensor, homography: Tensor) -> Tensor:
    """Return images smoothed as far as a homography will make them smaller, so that they do not alias.

    Only the images that need it are touched, along the axes that need it.
    """
    sigma = ANTIALIAS * (footprint(homography, *images.shape[-2:]) - 1).clamp_min(0)
    needed = (sigma > _NEGLIGIBLE).any(dim=1)
    if not bool(needed.any()):
        return images
    rows = needed.nonzero()[:, 0]
    if len(rows) == len(images):
        return gaussian_blur(images, sigma)
    chosen = rows.to(images.device)
    return images.index_copy(0, chosen, gaussian_blur(images[chosen], sigma[rows]))


def resample(images: Tensor, grid: Tensor, background: Tensor | None = None) -> Tensor:
    """Return images (B, C, H, W) read at a grid (B, H, W, 2) by `grid_sample`, −1 and 1 their outer edges.

    `background` is (B, C, 1, 1) or (B, C, H, W); the edge is extended without it.
    """
    if background is None:
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    seen = F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    beside = 1 - _coverage(grid, *images.shape[-2:])
    return torch.addcmul(seen, background, beside[:, None])


def _coverage(grid: Tensor, height: int, width: int) -> Tensor:
    """Return the share of each result pixel that bilinear reading took from within the picture, (B, H, W)."""
    x, y = grid.unbind(dim=-1)
    across = x.abs().mul_(-width / 2).add_((width + 1) / 2).clamp_(0, 1)
    down = y.abs().mul_(-height / 2).add_((height + 1) / 2).clamp_(0, 1)
    return across.mul_(down)


def sampling_grid(
    homography: Tensor, height: int, width: int, like: Tensor, seen: tuple[int, int] | None = None
) -> Tensor:
    """Return where every pixel of the result is read, (B, H, W, 2): −1 and 1 are the picture's outer edges.

    The homography goes from pixels of the picture, `height` by `width`, to pixels of the result, whose height
    and width are `seen` where they differ; `like` gives dtype and device.
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
    derivative = inverse[:, :2, :2] - centre[..., None] * inverse[:, None, 2, :2]
    jacobian: Tensor = derivative / depth[:, None, None]
    return jacobian.square().sum(dim=2).sqrt()


def reduce_and_enlarge(images: Tensor, heights: Tensor) -> Tensor:
    """Return images (B, C, H, W) reduced to heights (B,), rounded to whole pixels, and enlarged again.

    An image no higher than its height stays as it is. Widths keep the aspect ratio.
    """
    height, width = images.shape[-2:]
    wanted = heights.round().long().tolist()
    # One size at a time: reducing and enlarging are exact for a batch of one size only.
    reduced = list(images.unbind())
    for least in sorted({h for h in wanted if h < height}):
        rows = [row for row, h in enumerate(wanted) if h == least]
        size = (least, max(2, round(least * width / height)))
        few = F.interpolate(images[rows], size, mode="bilinear", antialias=True)
        again = F.interpolate(few, (height, width), mode="bilinear", align_corners=False)
        for row, image in zip(rows, again, strict=True):
            reduced[row] = image
    return torch.stack(reduced)


def _to_unit(height: int, width: int, like: Tensor) -> Tensor:
    """Return the matrix (3, 3) from pixels to −1 and 1 at the outer edges."""
    return like.new_tensor([(2 / width, 0, 1 / width - 1), (0, 2 / height, 1 / height - 1), (0, 0, 1)])


def _unit_axis(size: int, like: Tensor) -> Tensor:
    return (torch.arange(size, dtype=like.dtype, device=like.device) * 2 + 1) / size - 1
