"""Where a picture lands in the frame: pose, place and bend, in one homography and one resampling a sample.

Ranges, checks and draws; the computing is in `geometry`, `bending` and `resampling`, imported when applied. A
range that leaves what its attribute allows raises TransformError, whose line names both.
"""

# ruff: noqa: RUF009 - `within` makes a field

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from physadv.transforms.protocol import HALF_TURN, Drawn, Parameters, Range, TransformError, within

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from physadv.transforms.geometry import View

Background: TypeAlias = 'float | tuple[float, float, float] | Literal["edge", "random"] | Tensor'


@dataclass(frozen=True)
class Deformation(Drawn):
    """Bent paper, a generalised cylinder (developable: it does not stretch), and smooth unevenness.

    Attributes:
        bend: slope of the paper half a picture height from the middle, -60 to 60 degrees; its sign turns it
            away from or towards the camera.
        bend_direction: direction of that slope, degrees in the plane; the rulings run across.
        bend_skew: 0 = an arc of a circle, ±1 = flat towards one end and twice as curved towards the other.
        spline: displacement of every knot of a thin-plate spline, picture heights, along either axis.
        knots: number of knots along each side of the picture, at least 2.

    Raises:
        TransformError: neither bend nor spline, or a value that its attribute does not allow.
    """

    bend: Range = within(-60, 60, default=0)
    bend_direction: Range = within(default=HALF_TURN)
    bend_skew: Range = within(-1, 1, default=0)
    spline: Range = Range(0, 0)
    knots: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.knots < 2:
            raise TransformError(f"knots {self.knots}; wanted at least 2")
        if self.bend.is_only(0) and self.spline.is_only(0):
            raise TransformError("a deformation without bend or spline; wanted one of them")

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `bend`, `bend_direction` and `bend_skew`, (n,), and `spline` (n, 2·knots²)."""
        return super().sample(n, generator) | {"spline": self.spline.draw(n, generator, 2 * self.knots**2)}

    def offsets(self, parameters: Parameters, view: View, height: int, width: int, like: Tensor) -> Tensor:
        """Return how far from the flat view every pixel reads, (B, H, W, 2), as `lattice_offsets` does."""
        from physadv.transforms.bending import lattice_offsets

        names = ("bend", "bend_direction", "bend_skew")
        bend = None if self.bend.is_only(0) else [parameters[name] for name in names]
        spline = None if self.spline.is_only(0) else parameters["spline"]
        return lattice_offsets(view, bend, spline, height=height, width=width, like=like)


@dataclass(frozen=True)
class Warp(Drawn):
    """A distribution over views of the picture; by default the picture as it is.

    Attributes:
        rotation: of the picture in its plane, degrees, clockwise.
        scale: factor of the picture's size.
        aspect: the horizontal over the vertical factor; their geometric mean stays `scale`.
        shear: of the verticals, degrees.
        yaw: turn of the camera about the plane's vertical axis, degrees.
        pitch: turn of the camera about the plane's horizontal axis, degrees.
        roll: turn of the camera about its line of sight, degrees.
        distance: from the camera, 1 = the picture fills the frame as it came.
        focal: focal length in frame heights: the smaller, the stronger the perspective of a turn.
        shift_x: horizontal shift of the result, as a fraction of the frame's width.
        shift_y: vertical shift of the result, as a fraction of the frame's height.
        in_bounds: instead of a shift, any place at which the flat result's bounding box lies within the frame
            or, along an axis on which it is larger, contains it.
        crop: instead of scale and shift, the bounding box of what is seen fills the frame, each side moved
            outward by a draw of its own, a share of the box's size: what a detector or a hand cuts out.
        subject: corners (x, y) of what that box is about, −1 to 1 across the picture and down; all of it
            without them.
        deformation: of the paper, before the camera sees it.
        background: what is seen beside the picture: a grey or (R, G, B) in [0, 1], `random` for a colour a
            sample, `edge` for the picture's edge extended, or images (K, 3, h, w), of which each sample draws
            one; anything else raises TransformError.
    """

    rotation: Range = within(default=0)
    scale: Range = within(above=0, default=1)
    aspect: Range = within(above=0, default=1)
    shear: Range = within(-89, 89, default=0)
    yaw: Range = within(-89, 89, default=0)
    pitch: Range = within(-89, 89, default=0)
    roll: Range = within(default=0)
    distance: Range = within(above=0, default=1)
    focal: Range = within(above=0, default=1.5)
    shift_x: Range = within(default=0)
    shift_y: Range = within(default=0)
    in_bounds: bool = False
    crop: Range | None = within(-0.4, width=4, default=None)
    subject: tuple[tuple[float, float], ...] = ()
    deformation: Deformation | None = None
    background: Background = field(default="edge", compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        shifted = not (self.shift_x.is_only(0) and self.shift_y.is_only(0))
        if self.in_bounds and shifted:
            raise TransformError("in_bounds places the picture; wanted neither shift_x nor shift_y beside it")
        if self.crop is not None and (self.in_bounds or shifted):
            beside = "in_bounds, shift_x or shift_y"
            raise TransformError(f"crop places the picture; wanted no {beside} beside it")
        _check_background(self.background)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw every quantity above, (n,), `crop` (n, 4), and what place, background and deformation need."""
        import torch

        draws = super().sample(n, generator)
        if self.in_bounds:
            draws["place"] = Range(-1, 1).draw(n, generator, 2)
        if isinstance(self.background, torch.Tensor):
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
        from physadv.transforms.resampling import prefilter, resample, sampling_grid

        height, width = images.shape[-2:]
        view = self.view(parameters, height, width)
        grid = sampling_grid(view.homography, height, width, like=images)
        if self.deformation is not None:
            grid += self.deformation.offsets(parameters, view, height, width, like=grid)
        images = prefilter(images, view.homography)
        return resample(images, grid, self._behind(images, parameters))

    def view(self, parameters: Parameters, height: int, width: int) -> View:
        """Return a draw's views of flat paper on a frame of `height` by `width` pixels; errors as `apply`."""
        import torch

        from physadv.transforms.geometry import apply_homography, bounding_box, pose_views

        view = pose_views(parameters, height, width)
        low, high = bounding_box(view.homography, height, width)
        frame = low.new_tensor([width, height])
        if self.crop is not None:
            if self.subject:
                corners = (low.new_tensor(self.subject) + 1) / 2 * frame - 0.5
                seen = apply_homography(view.homography, corners)
                low, high = seen.amin(dim=1), seen.amax(dim=1)
            outward = parameters["crop"].to(low) * (high - low).repeat(1, 2)
            return view.framed(low - outward[:, :2], high + outward[:, 2:], frame)
        shift = torch.stack([parameters["shift_x"], parameters["shift_y"]], dim=-1) * frame
        if self.in_bounds:
            slack = (frame - (high - low)).abs() / 2
            shift = (frame - 1) / 2 - (low + high) / 2 + parameters["place"] * slack
        return view.shifted(shift)

    def _behind(self, images: Tensor, parameters: Parameters) -> Tensor | None:
        """Return the colours (n, 3, 1, 1) or images (n, 3, H, W) behind; None extends the edge."""
        import torch
        from torch.nn.functional import interpolate

        if isinstance(self.background, torch.Tensor):
            chosen = self.background[parameters["background"].to(self.background.device)]
            return interpolate(chosen.to(images), images.shape[-2:], mode="bilinear", antialias=True)
        if self.background == "random":
            return parameters["background"].to(images)[:, :, None, None]
        if self.background == "edge":
            return None
        return images.new_tensor(self.background).expand(len(images), 3)[:, :, None, None]


def _check_background(background: object) -> None:
    shape = getattr(background, "shape", None)
    if shape is not None:
        if len(shape) != 4 or shape[0] == 0 or shape[1] != 3:
            raise TransformError(f"background of shape {tuple(shape)}; wanted (K, 3, h, w), K above 0")
        return
    if background in ("edge", "random"):
        return
    colour = background if isinstance(background, tuple) else (background,) * 3
    if len(colour) != 3 or not all(isinstance(c, int | float) and 0 <= c <= 1 for c in colour):
        raise TransformError(
            f"background {background!r}; wanted edge, random, a grey or three numbers from 0 to 1, or images"
        )
