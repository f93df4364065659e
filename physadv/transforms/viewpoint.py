"""A picture seen from a fixed viewpoint: the camera's pose, in degrees and in distances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from physadv.errors import unknown_name
from physadv.transforms.protocol import Parameters, TransformError
from physadv.transforms.ranges import fixed
from physadv.transforms.warps import Warp

if TYPE_CHECKING:
    import torch
    from torch import Tensor

NAME = "viewpoint"
SOURCE = "this project: a pinhole camera, focal length 1.5 frame heights"
_GREY = 0.5


class Axis(NamedTuple):
    """Unit, bounds and default of one number of a pose."""

    unit: str
    low: float
    high: float
    default: float


AXES = {
    "yaw": Axis("degrees", -80, 80, 0),
    "distance": Axis("1 = the picture fills the frame", 0.5, 100, 1),
    "pitch": Axis("degrees", -80, 80, 0),
    "roll": Axis("degrees", -180, 180, 0),
}
_ALWAYS_SHOWN = ("yaw", "distance")


@dataclass(frozen=True)
class Viewpoint:
    """A picture before mid-grey, as a camera sees it from one pose; the frame is not rectified.

    Attributes:
        yaw: turn of the camera about the picture's vertical axis, degrees.
        distance: to the picture's middle, 1 = the picture fills the frame.
        pitch: turn of the camera about the picture's horizontal axis, degrees.
        roll: turn of the camera about its line of sight, degrees.

    Raises:
        TransformError: a number is out of its range, or puts part of the picture behind the camera.
    """

    yaw: float = 0.0
    distance: float = 1.0
    pitch: float = 0.0
    roll: float = 0.0

    def __post_init__(self) -> None:
        for name, axis in AXES.items():
            if not axis.low <= getattr(self, name) <= axis.high:
                raise TransformError(
                    f"transform '{self}': {name} is out of range; "
                    f"wanted {axis.low:g} to {axis.high:g}, {axis.unit}"
                )
        import torch

        self._warp.view(self.sample(1, torch.Generator()), 100, 100)

    @property
    def name(self) -> str:
        """Return the name of the kind."""
        return NAME

    def __str__(self) -> str:
        shown = [
            f"{name}:{getattr(self, name):.12g}"
            for name, axis in AXES.items()
            if name in _ALWAYS_SHOWN or getattr(self, name) != axis.default
        ]
        return f"{NAME}={','.join(shown)}"

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Return n times the one pose; the generator is not used."""
        return self._warp.sample(n, generator)

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return float images (n, 3, H, W) in [0, 1] as seen."""
        return self._warp.apply(images, parameters).clamp(0, 1)

    @cached_property
    def _warp(self) -> Warp:
        return Warp(
            yaw=fixed(self.yaw),
            pitch=fixed(self.pitch),
            roll=fixed(self.roll),
            distance=fixed(self.distance),
            background=_GREY,
        )


def axis_of(name: str, text: str) -> Axis:
    """Return the axis called `name`, which `text` asks for.

    Raises:
        TransformError: no axis has that name; the line names the nearest.
    """
    if name not in AXES:
        raise TransformError(f"'{text}': {unknown_name('axis of viewpoint', name, AXES)}")
    return AXES[name]
