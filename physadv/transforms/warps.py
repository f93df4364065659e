"""Where a picture lands in the frame: pose, place and bend, in one homography and one resampling a sample."""

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.transforms.bending import Deformation
from physadv.transforms.geometry import apply_homography
from physadv.transforms.optics import gaussian_blur
from physadv.transforms.protocol import Parameters, TransformError
from physadv.transforms.ranges import ONE, ZERO, Range, fixed, require
from physadv.transforms.views import View, bounding_box, footprint, framed, pose_views, sampling_grid, shifted

ANTIALIAS = 0.6
"""Gaussian sigma per picture pixel that a result pixel covers beyond one; measured against area sampling."""

_NEGLIGIBLE = 0.15
"""A gaussian this narrow, in pixels, changes nothing at 8 bits."""

Background = float | tuple[float, float, float] | Literal["edge", "random"] | Tensor
_FOCAL = fixed(1.5)
_QUANTITIES = ("rotation", "scale", "aspect", "shear", "yaw", "pitch", "roll", "distance", "focal")


@dataclass(frozen=True)
class Warp:
    """A distribution over views of the picture; by default the picture as it is.

    Attributes:
        rotation: of the picture in its plane, degrees, clockwise.
        scale: factor; `aspect`: of the horizontal over the vertical factor, their geometric mean kept.
        shear: of the verticals, degrees.
        yaw: of the camera about the plane's vertical axis, degrees; likewise `pitch` and `roll`.
        distance: from the camera, 1 = the picture fills the frame as it came.
        focal: focal length in frame heights: the smaller, the stronger the perspective of a turn.
        shift_x: of the result, fraction of the frame's width; `shift_y`: of its height.
        in_bounds: instead of a shift, any place at which the flat result's bounding box lies within the frame
            or, along an axis on which it is larger, contains it.
        crop: instead of scale and shift, the bounding box of what is seen fills the frame, each side moved
            outward by a draw of its own, a share of the box's size: what a detector or a hand cuts out.
        subject: corners (x, y) of what that box is about, −1 to 1 across the picture and down; all of it
            without them.
        deformation: of the paper, before the camera sees it.
        background: what is seen beside the picture: a grey or (R, G, B) in [0, 1], `random` for a colour a
            sample, `edge` for the picture's edge extended, or images (K, 3, h, w), of which each sample draws
            one.

    Raises:
        TransformError: a range leaves what its parameter can be, or the background is none of these.
    """

    rotation: Range = ZERO
    scale: Range = ONE
    aspect: Range = ONE
    shear: Range = ZERO
    yaw: Range = ZERO
    pitch: Range = ZERO
    roll: Range = ZERO
    distance: Range = ONE
    focal: Range = _FOCAL
    shift_x: Range = ZERO
    shift_y: Range = ZERO
    in_bounds: bool = False
    crop: Range | None = None
    subject: tuple[tuple[float, float], ...] = ()
    deformation: Deformation | None = None
    background: Background = field(default="edge", compare=False)

    def __post_init__(self) -> None:
        for name in ("scale", "aspect", "distance", "focal"):
            require(name, getattr(self, name), above=0)
        for name in ("shear", "yaw", "pitch"):
            require(name, getattr(self, name), at_least=-89, at_most=89)
        if self.in_bounds and not (self.shift_x.is_only(0) and self.shift_y.is_only(0)):
            raise TransformError("in_bounds places the picture; wanted neither shift_x nor shift_y beside it")
        if self.crop is not None:
            require("crop", self.crop, at_least=-0.4)
            if self.in_bounds or not (self.shift_x.is_only(0) and self.shift_y.is_only(0)):
                raise TransformError(
                    "crop places the picture; wanted no in_bounds, shift_x or shift_y beside it"
                )
        _check_background(self.background)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw every quantity above, (n,), and what place, background and deformation need."""
        draws = {
            name: getattr(self, name).draw(n, generator) for name in (*_QUANTITIES, "shift_x", "shift_y")
        }
        if self.in_bounds:
            draws["place"] = Range(-1, 1).draw(n, generator, 2)
        if self.crop is not None:
            draws["crop"] = self.crop.draw(n, generator, 4)
        if isinstance(self.background, Tensor):
            draws["background"] = torch.randint(
                len(self.background), (n,), generator=generator, device=generator.device
            )
        elif self.background == "random":
            draws["background"] = Range(0, 1).draw(n, generator, 3)
        if self.deformation is not None:
            draws |= self.deformation.sample(n, generator)
        return draws

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, 3, H, W) as seen, of the same shape, in [0, 1] but for rounding.

        Differentiable in the images, not in the parameters.

        Raises:
            TransformError: a draw puts part of the picture behind the camera.
        """
        height, width = images.shape[-2:]
        view = self.view(parameters, height, width)
        grid = sampling_grid(view.homography, height, width, like=images)
        if self.deformation is not None:
            grid += self.deformation.offsets(parameters, view, height, width, like=grid)
        images = prefilter(images, view.homography)
        return resample(images, grid, self._behind(images, parameters))

    def view(self, parameters: Parameters, height: int, width: int) -> View:
        """Return the views of a draw, flat paper, on a frame of `height` by `width` pixels.

        Raises:
            TransformError: a draw puts part of the picture behind the camera.
        """
        view = pose_views({name: parameters[name] for name in _QUANTITIES}, height, width)
        low, high = bounding_box(view.homography, height, width)
        frame = low.new_tensor([width, height])
        if self.crop is not None:
            if self.subject:
                corners = (low.new_tensor(self.subject) + 1) / 2 * frame - 0.5
                seen = apply_homography(view.homography, corners)
                low, high = seen.amin(dim=1), seen.amax(dim=1)
            outward = parameters["crop"].to(low) * (high - low).repeat(1, 2)
            return framed(view, low - outward[:, :2], high + outward[:, 2:], frame)
        shift = torch.stack([parameters["shift_x"], parameters["shift_y"]], dim=-1) * frame
        if self.in_bounds:
            slack = (frame - (high - low)).abs() / 2
            shift = (frame - 1) / 2 - (low + high) / 2 + parameters["place"] * slack
        return shifted(view, shift)

    def _behind(self, images: Tensor, parameters: Parameters) -> Tensor | None:
        """Return the colours (n, 3, 1, 1) or images (n, 3, H, W) behind; None extends the edge."""
        if isinstance(self.background, Tensor):
            chosen = self.background[parameters["background"].to(self.background.device)]
            return F.interpolate(chosen.to(images), images.shape[-2:], mode="bilinear", antialias=True)
        if self.background == "random":
            return parameters["background"].to(images)[:, :, None, None]
        if self.background == "edge":
            return None
        return images.new_tensor(self.background).expand(len(images), 3)[:, :, None, None]


def warp_perspective(
    images: Tensor,
    homography: Tensor,
    background: Tensor | None = None,
    size: tuple[int, int] | None = None,
) -> Tensor:
    """Return images resampled once by homographies, bilinear, smoothed first where that makes them smaller.

    Args:
        images: float (B, C, H, W).
        homography: (B, 3, 3) from pixels of the picture to pixels of the result, as `cv2.warpPerspective`'s.
        background: seen beside the picture, (B, C, 1, 1) or (B, C, h, w); its edge extended without it.
        size: height and width (h, w) of the result; the picture's without it.

    Returns:
        (B, C, h, w), differentiable in the images and the background.
    """
    height, width = images.shape[-2:]
    grid = sampling_grid(homography.double(), height, width, images, size)
    return resample(prefilter(images, homography.double()), grid, background)


def prefilter(images: Tensor, homography: Tensor) -> Tensor:
    """Return images smoothed as far as a homography will make them smaller, so that it does not alias.

    Only the images that need it are touched, along the axes that need it: sigma is `ANTIALIAS` pixels for
    every picture pixel beyond one that a result pixel spans.
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
    """Return images (B, C, H, W) read at a grid (B, H, W, 2) by `grid_sample`, before a background.

    Args:
        images: what is read.
        grid: −1 and 1 are the outer edges.
        background: (B, C, 1, 1) or (B, C, H, W); the edge is extended without it.
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


def _check_background(background: Background) -> None:
    if isinstance(background, Tensor):
        if background.ndim != 4 or background.shape[0] == 0 or background.shape[1] != 3:
            raise TransformError(
                f"background of shape {tuple(background.shape)}; wanted (K, 3, h, w), K above 0"
            )
        return
    if background in ("edge", "random"):
        return
    colour = background if isinstance(background, tuple) else (background,) * 3
    if len(colour) != 3 or not all(isinstance(c, int | float) and 0 <= c <= 1 for c in colour):
        raise TransformError(
            f"background {background!r}; wanted edge, random, a grey or three numbers from 0 to 1, or images"
        )
