"""Transformations at a fixed strength, as `--transform` names them: Kurakin's, ImageNet-C's, a viewpoint.

The functions of tensors are imported when a transformation is applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from physadv.transforms.protocol import Parameters, TransformError, fixed
from physadv.transforms.warps import Warp

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_HENDRYCKS_NAMES = (
    "gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow frost fog "
    "brightness contrast elastic_transform pixelate jpeg_compression"
)
CORRUPTIONS = tuple(_HENDRYCKS_NAMES.split())
"""The corruptions of ImageNet-C, of severities 1 to 5."""

_CORRUPTION = "imagenet-c/"
_KURAKIN = "Kurakin et al. 2017"
_HENDRYCKS = "Hendrycks and Dietterich 2019; physadv[corruptions]"
_CONTRAST = f"{_KURAKIN}, as tf.image.adjust_contrast"


@dataclass(frozen=True)
class DigitalTransform:
    """A kind of transformation that one number sets.

    Attributes:
        name: as `--transform` takes it.
        unit: of the number.
        low: the smallest value allowed.
        high: the largest value allowed.
        source: the paper it comes from.
        whole: whether the number must be whole.
    """

    name: str
    unit: str
    low: float
    high: float
    source: str
    whole: bool = False

    def wanted(self, form: str = "NUMBER") -> str:
        """Return in words what may follow its name, in that form."""
        return f"wanted {self.name}={form}, {self.unit}, {self.low:g} to {self.high:g}"

    def at(self, value: float, text: str) -> FixedTransform:
        """Return this kind at one strength; raise a TransformError that quotes `text` where it cannot be."""
        if not self.low <= value <= self.high:
            raise TransformError(f"transform '{text}' is out of range; {self.wanted()}")
        if self.whole and not value.is_integer():
            raise TransformError(f"transform '{text}' is not whole; {self.wanted()}")
        if self.name.startswith(_CORRUPTION) and find_spec("imagecorruptions") is None:
            needed = "imagecorruptions-imaug: pip install 'physadv[corruptions]'"
            raise TransformError(f"transform '{text}' needs {needed}")
        return FixedTransform(self, value)


DIGITAL_TRANSFORMS: dict[str, DigitalTransform] = {
    kind.name: kind
    for kind in (
        DigitalTransform("brightness", "8-bit levels added", -255, 255, _KURAKIN),
        DigitalTransform("contrast", "factor about each channel's mean", 0, 10, _CONTRAST),
        DigitalTransform("blur", "gaussian sigma in pixels", 0, 50, _KURAKIN),
        DigitalTransform("noise", "gaussian sd in 8-bit levels", 0, 255, _KURAKIN),
        DigitalTransform("jpeg", "libjpeg quality, 4:2:0", 1, 100, _KURAKIN, whole=True),
        *(DigitalTransform(_CORRUPTION + each, "severity", 1, 5, _HENDRYCKS, True) for each in CORRUPTIONS),
    )
}


@dataclass(frozen=True)
class FixedTransform:
    """One digital transformation at one strength; `str` gives the text that makes it again."""

    kind: DigitalTransform
    value: float

    @property
    def name(self) -> str:
        """Return the name of the kind."""
        return self.kind.name

    def __str__(self) -> str:
        return f"{self.name}={self.value:.12g}"

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Return n times the one value, and the seeds of the noise of n images."""
        import torch

        from physadv.transforms.camera import draw_seeds

        value = torch.full((n,), self.value, dtype=torch.float64)
        return {"value": value, "seed": draw_seeds(n, generator)}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return float images (n, 3, H, W) in [0, 1] transformed, in [0, 1]; `jpeg` stops gradients."""
        return self._changed(images, parameters["value"], parameters["seed"]).clamp(0, 1)

    def _changed(self, images: Tensor, values: Tensor, seeds: Tensor) -> Tensor:
        from physadv.transforms import camera, colours, corruptions, jpeg, optics

        match self.name:
            case "brightness":
                return colours.adjust_brightness(images, values / 255)
            case "contrast":
                return colours.adjust_contrast(images, values)
            case "blur":
                return optics.gaussian_blur(images, values)
            case "noise":
                return camera.gaussian_noise(images, values / 255, camera.standard_normal(seeds, images))
            case "jpeg":
                return jpeg.pillow_jpeg(images, values)
        return corruptions.corrupt(self.name.removeprefix(_CORRUPTION), images, values, seeds)


NAME = "viewpoint"
SOURCE = "this project: a pinhole camera, focal length 1.5 frame heights"
_GREY = 0.5


class Axis(NamedTuple):
    """Unit and bounds of one number of a pose."""

    unit: str
    low: float
    high: float


AXES = {
    "yaw": Axis("degrees", -80, 80),
    "distance": Axis("1 = the picture fills the frame", 0.5, 100),
    "pitch": Axis("degrees", -80, 80),
    "roll": Axis("degrees", -180, 180),
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
        name: the name of the kind.

    Raises:
        TransformError: a number is out of its range, or puts part of the picture behind the camera.
    """

    yaw: float = 0.0
    distance: float = 1.0
    pitch: float = 0.0
    roll: float = 0.0
    name: ClassVar[str] = NAME

    def __post_init__(self) -> None:
        for name, axis in AXES.items():
            if not axis.low <= getattr(self, name) <= axis.high:
                wanted = f"wanted {axis.low:g} to {axis.high:g}, {axis.unit}"
                raise TransformError(f"transform '{self}': {name} is out of range; {wanted}")
        import torch

        self._warp.view(self.sample(1, torch.Generator()), 100, 100)

    def __str__(self) -> str:
        shown = [
            f"{name}:{getattr(self, name):.12g}"
            for name in AXES
            if name in _ALWAYS_SHOWN or getattr(self, name) != getattr(type(self), name)
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
        yaw, distance, pitch, roll = (fixed(getattr(self, name)) for name in AXES)
        return Warp(yaw=yaw, pitch=pitch, roll=roll, distance=distance, background=_GREY)
