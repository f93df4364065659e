"""What a transformation is: parameters are drawn first, then applied to images; how several are composed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from physadv.errors import PhysadvError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Parameters: TypeAlias = "dict[str, Tensor]"
"""A draw: tensors whose leading dimension counts the samples. It can be stored, sliced and replayed."""


class TransformError(PhysadvError):
    """A transformation, its parameter or a preset cannot be used."""


class Transformation(Protocol):
    """A distribution over changes of an image between the example and the classifier's input."""

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw parameters for n images."""
        ...

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, 3, H, W) in [0, 1], image i transformed by row i of a draw.

        The same images and parameters give the same result. Differentiable unless the class says otherwise.
        """
        ...


@dataclass(frozen=True)
class Identity:
    """No transformation: the digital attack of the literature."""

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Return the empty draw; the generator is not used."""
        return {}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images themselves."""
        return images


@dataclass(frozen=True)
class Rounding:
    """Rounding to the 8 bits of a file, as a transformation without parameters."""

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Return the empty draw; the generator is not used."""
        return {}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images rounded; see `round_to_8_bits`."""
        from physadv.transforms.surrogates import round_to_8_bits

        return round_to_8_bits(images)


@dataclass(frozen=True)
class Composition:
    """Transformations applied one after another, drawn independently.

    Raises:
        TransformError: `parts` is empty.
    """

    parts: tuple[Transformation, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise TransformError("an empty distribution; wanted at least one transformation")

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw for every part in order; the parameters of part i are named `i.NAME`."""
        return {
            f"{index}.{name}": values
            for index, part in enumerate(self.parts)
            for name, values in part.sample(n, generator).items()
        }

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images after every part."""
        for index, part in enumerate(self.parts):
            prefix = f"{index}."
            own = {
                name.removeprefix(prefix): values
                for name, values in parameters.items()
                if name.startswith(prefix)
            }
            images = part.apply(images, own)
        return images


identity = Identity()


def compose(*parts: Transformation) -> Composition:
    """Return the transformation that applies `parts` in order.

    >>> import torch
    >>> from physadv.transforms import Photometry, plus_minus
    >>> eot = compose(Photometry(brightness=plus_minus(0.1)), identity)
    >>> sorted(eot.sample(2, torch.Generator().manual_seed(0)))[:2]
    ['0.brightness', '0.channel_gain']
    """
    return Composition(parts)


@dataclass(frozen=True)
class LinearLight:
    """Transformations of linear light: decode sRGB, apply them one after another, encode again.

    Attributes:
        inner: the transformations between, which see and return linear light.
    """

    inner: Composition

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw for the transformations between."""
        return self.inner.sample(n, generator)

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return sRGB images in [0, 1] after what happened to their light, in [0, 1]."""
        from physadv.transforms.colours import linear_to_srgb, srgb_to_linear

        return linear_to_srgb(self.inner.apply(srgb_to_linear(images), parameters))


def in_linear_light(*parts: Transformation) -> LinearLight:
    """Return the transformation that applies `parts` to linear light."""
    return LinearLight(Composition(parts))
