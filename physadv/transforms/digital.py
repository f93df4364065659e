"""The artificial transformations of Kurakin et al. 2017 at a fixed strength: what `--transform` names."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from physadv.errors import unknown_name
from physadv.transforms.jpeg import pillow_jpeg
from physadv.transforms.noise import draw_seeds, gaussian_noise, standard_normal
from physadv.transforms.optics import gaussian_blur
from physadv.transforms.photometry import adjust_brightness, adjust_contrast
from physadv.transforms.protocol import Parameters, TransformError


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
    """

    name: str
    unit: str
    low: float
    high: float
    source: str
    function: Callable[[Tensor, Tensor, Tensor], Tensor]
    whole: bool = False


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


def parse_transform(text: str) -> FixedTransform:
    """Return the transformation that `NAME=NUMBER` names, such as `brightness=30` or `jpeg=75`.

    Raises:
        TransformError: the name is unknown, the number is missing, none, not whole where it must be, or out
            of the range in `DIGITAL_TRANSFORMS`.
    """
    name, equals, number = (part.strip() for part in text.partition("="))
    kind = DIGITAL_TRANSFORMS.get(name)
    if kind is None:
        raise TransformError(unknown_name("transform", name, DIGITAL_TRANSFORMS))
    wanted = f"{name}=NUMBER, {kind.unit}, {kind.low:g} to {kind.high:g}"
    if not (equals and number):
        raise TransformError(f"transform '{text}' has no value; wanted {wanted}")
    try:
        value = float(number)
    except ValueError:
        raise TransformError(f"transform '{text}': '{number}' is no number; wanted {wanted}") from None
    if not kind.low <= value <= kind.high:
        raise TransformError(f"transform '{text}' is out of range; wanted {wanted}")
    if kind.whole and not value.is_integer():
        raise TransformError(f"transform '{text}' is not whole; wanted {wanted}")
    return FixedTransform(kind, value)
