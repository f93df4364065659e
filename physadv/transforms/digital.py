"""Transformations at a fixed strength, as `--transform` names them: Kurakin's, ImageNet-C's, a viewpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from physadv.errors import unknown_name
from physadv.transforms import viewpoint
from physadv.transforms.colours import adjust_brightness, adjust_contrast
from physadv.transforms.corruptions import CORRUPTIONS, SEVERITIES, check_installed, corrupt
from physadv.transforms.jpeg import pillow_jpeg
from physadv.transforms.noise import draw_seeds, gaussian_noise, standard_normal
from physadv.transforms.optics import gaussian_blur
from physadv.transforms.protocol import Parameters, TransformError
from physadv.transforms.viewpoint import Viewpoint, axis_of


@dataclass(frozen=True)
class DigitalTransform:
    """A kind of transformation that one number sets.

    Attributes:
        name: as `--transform` takes it.
        unit: of the number.
        low: the least value allowed; likewise `high`.
        source: the paper it comes from.
        function: (images (B, 3, H, W), values (B,), seeds (B,)) → images.
        whole: whether the number must be whole.
        corruption: its name in the optional library, "" where it needs none.
    """

    name: str
    unit: str
    low: float
    high: float
    source: str
    function: Callable[[Tensor, Tensor, Tensor], Tensor]
    whole: bool = False
    corruption: str = ""

    def at(self, value: float, text: str) -> "FixedTransform":
        """Return this kind at one strength.

        Raises:
            TransformError: the value is out of range or not whole, `text` being what asked for it.
        """
        wanted = f"wanted {self.name}=NUMBER, {self.unit}, {self.low:g} to {self.high:g}"
        if not self.low <= value <= self.high:
            raise TransformError(f"transform '{text}' is out of range; {wanted}")
        if self.whole and not value.is_integer():
            raise TransformError(f"transform '{text}' is not whole; {wanted}")
        return FixedTransform(self, value)


_KURAKIN = "Kurakin et al. 2017"

DIGITAL_TRANSFORMS: dict[str, DigitalTransform] = {
    kind.name: kind
    for kind in (
        DigitalTransform(
            "brightness",
            "8-bit levels added",
            -255,
            255,
            _KURAKIN,
            lambda images, levels, _: adjust_brightness(images, levels / 255),
        ),
        DigitalTransform(
            "contrast",
            "factor about each channel's mean",
            0,
            10,
            f"{_KURAKIN}, as tf.image.adjust_contrast",
            lambda images, factor, _: adjust_contrast(images, factor),
        ),
        DigitalTransform(
            "blur",
            "gaussian sigma in pixels",
            0,
            50,
            _KURAKIN,
            lambda images, sigma, _: gaussian_blur(images, sigma),
        ),
        DigitalTransform(
            "noise",
            "gaussian sd in 8-bit levels",
            0,
            255,
            _KURAKIN,
            lambda images, sd, seeds: gaussian_noise(images, sd / 255, standard_normal(seeds, images)),
        ),
        DigitalTransform(
            "jpeg",
            "libjpeg quality, 4:2:0",
            1,
            100,
            _KURAKIN,
            lambda images, quality, _: pillow_jpeg(images, quality),
            whole=True,
        ),
        *(
            DigitalTransform(
                f"imagenet-c/{name}",
                "severity",
                *SEVERITIES,
                "Hendrycks and Dietterich 2019; physadv[corruptions]",
                partial(corrupt, name),
                whole=True,
                corruption=name,
            )
            for name in CORRUPTIONS
        ),
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
        return {
            "value": torch.full((n,), self.value, dtype=torch.float64),
            "seed": draw_seeds(n, generator),
        }

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return float images (n, 3, H, W) in [0, 1] transformed, in [0, 1]; `jpeg` stops gradients."""
        return self.kind.function(images, parameters["value"], parameters["seed"]).clamp(0, 1)


def find_kind(name: str) -> DigitalTransform:
    """Return the digital transformation called `name`.

    Raises:
        TransformError: there is none, the line names the nearest; or what it needs is not installed.
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
        TransformError: the name is unknown, the number is missing, none, not whole where it must be, or out
            of the range in `DIGITAL_TRANSFORMS` or `AXES`.
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
