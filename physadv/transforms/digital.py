"""Transformations at a fixed strength, as `--transform` names them: Kurakin's, ImageNet-C's, a viewpoint.

Names, ranges and parsing; the functions of tensors are imported when a transformation is applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from physadv.errors import unknown_name
from physadv.transforms import viewpoint
from physadv.transforms.protocol import Parameters, TransformError
from physadv.transforms.viewpoint import Viewpoint, axis_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CORRUPTIONS = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
)
SEVERITIES = (1, 5)
"""The corruptions of ImageNet-C, and how strong they can be."""


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
        corruption: its name in the optional library of ImageNet-C's corruptions; empty for all others.
    """

    name: str
    unit: str
    low: float
    high: float
    source: str
    whole: bool = False
    corruption: str = ""

    def at(self, value: float, text: str) -> FixedTransform:
        """Return this kind at one strength.

        Raises:
            TransformError: the value is out of range or not whole; the line quotes `text`.
        """
        wanted = f"wanted {self.name}=NUMBER, {self.unit}, {self.low:g} to {self.high:g}"
        if not self.low <= value <= self.high:
            raise TransformError(f"transform '{text}' is out of range; {wanted}")
        if self.whole and not value.is_integer():
            raise TransformError(f"transform '{text}' is not whole; {wanted}")
        return FixedTransform(self, value)

    def apply(self, images: Tensor, values: Tensor, seeds: Tensor) -> Tensor:
        """Return images (B, 3, H, W) changed at strengths (B,), with the randomness of seeds (B,)."""
        from physadv.transforms import colours, corruptions, jpeg, noise, optics

        if self.corruption:
            return corruptions.corrupt(self.corruption, images, values, seeds)
        match self.name:
            case "brightness":
                return colours.adjust_brightness(images, values / 255)
            case "contrast":
                return colours.adjust_contrast(images, values)
            case "blur":
                return optics.gaussian_blur(images, values)
            case "noise":
                return noise.gaussian_noise(images, values / 255, noise.standard_normal(seeds, images))
            case _:
                return jpeg.pillow_jpeg(images, values)


_KURAKIN = "Kurakin et al. 2017"
_HENDRYCKS = "Hendrycks and Dietterich 2019; physadv[corruptions]"

DIGITAL_TRANSFORMS: dict[str, DigitalTransform] = {
    kind.name: kind
    for kind in (
        DigitalTransform("brightness", "8-bit levels added", -255, 255, _KURAKIN),
        DigitalTransform(
            "contrast", "factor about each channel's mean", 0, 10, f"{_KURAKIN}, as tf.image.adjust_contrast"
        ),
        DigitalTransform("blur", "gaussian sigma in pixels", 0, 50, _KURAKIN),
        DigitalTransform("noise", "gaussian sd in 8-bit levels", 0, 255, _KURAKIN),
        DigitalTransform("jpeg", "libjpeg quality, 4:2:0", 1, 100, _KURAKIN, whole=True),
        *(
            DigitalTransform(
                f"imagenet-c/{name}", "severity", *SEVERITIES, _HENDRYCKS, whole=True, corruption=name
            )
            for name in CORRUPTIONS
        ),
    )
}


def check_installed(name: str) -> None:
    """Raise a TransformError that says what to install where the library of corruptions is missing."""
    if find_spec("imagecorruptions") is None:
        raise TransformError(
            f"imagenet-c/{name} needs imagecorruptions-imaug: pip install 'physadv[corruptions]'"
        )


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

        from physadv.transforms.noise import draw_seeds

        return {
            "value": torch.full((n,), self.value, dtype=torch.float64),
            "seed": draw_seeds(n, generator),
        }

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return float images (n, 3, H, W) in [0, 1] transformed, in [0, 1]; `jpeg` stops gradients."""
        return self.kind.apply(images, parameters["value"], parameters["seed"]).clamp(0, 1)


def find_kind(name: str) -> DigitalTransform:
    """Return the digital transformation called `name`.

    Raises:
        TransformError: no transformation has that name, the line names the nearest; or the library that it
            needs is not installed.
    """
    kind = DIGITAL_TRANSFORMS.get(name)
    if kind is None:
        raise TransformError(unknown_name("transform", name, (viewpoint.NAME, *DIGITAL_TRANSFORMS)))
    if kind.corruption:
        check_installed(kind.corruption)
    return kind


def parse_transform(text: str) -> FixedTransform | Viewpoint:
    """Return the transformation that a text names.

    Args:
        text: `NAME=NUMBER`, such as `brightness=30` or `jpeg=75`, or `viewpoint=AXIS:NUMBER,…`, such as
            `viewpoint=yaw:30,distance:2`.

    Raises:
        TransformError: the name is unknown; or the number is missing, malformed, not whole where it must be,
            or out of the range in `DIGITAL_TRANSFORMS` or `AXES`.

    >>> import torch
    >>> darker = parse_transform("brightness=-51")
    >>> grey = torch.full((1, 3, 2, 2), 0.5)
    >>> round(float(darker.apply(grey, darker.sample(1, torch.Generator())).mean()), 4)
    0.3
    """
    name, equals, number = (part.strip() for part in text.partition("="))
    if name == viewpoint.NAME:
        return _parse_viewpoint(text, number)
    kind = find_kind(name)
    wanted = f"wanted {name}=NUMBER, {kind.unit}, {kind.low:g} to {kind.high:g}"
    if not (equals and number):
        raise TransformError(f"transform '{text}' has no value; {wanted}")
    return kind.at(_number(text, number, wanted), text)


def _parse_viewpoint(text: str, poses: str) -> Viewpoint:
    wanted = "wanted viewpoint=AXIS:NUMBER,…, as in viewpoint=yaw:30,distance:2"
    pose: dict[str, float] = {}
    for part in poses.split(","):
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if not (name and colon):
            raise TransformError(f"transform '{text}' has no pose; {wanted}")
        axis_of(name, text)
        if name in pose:
            raise TransformError(f"transform '{text}' names {name} twice; {wanted}")
        pose[name] = _number(text, number, wanted)
    return Viewpoint(**pose)


def _number(text: str, number: str, wanted: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise TransformError(f"transform '{text}': '{number}' is no number; {wanted}") from None
