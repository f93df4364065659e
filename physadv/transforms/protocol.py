"""What a transformation is: parameters drawn from ranges, then applied to images; how several compose."""

from __future__ import annotations

import math
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, get_args

from physadv.errors import PhysadvError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Parameters: TypeAlias = "dict[str, Tensor]"
"""A draw: tensors whose leading dimension counts the samples. It can be stored, sliced and replayed."""

Spacing = Literal["uniform", "log", "reciprocal"]
SPACINGS: tuple[str, ...] = get_args(Spacing)


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
class Range:
    """The numbers from `low` to `high`.

    Attributes:
        low: the smallest number.
        high: the largest number.
        spacing: `uniform`; `log`, uniform in the logarithm; or `reciprocal`, uniform, and replaced by its
            inverse with probability 1/2 (a gamma of 1 to 3.5 in both directions).

    Raises:
        TransformError: low above high, a number that is not finite, or a low of 0 or less in a `log` or
            `reciprocal` range.

    >>> import torch
    >>> draws = Range(0.5, 2, "log").draw(1000, torch.Generator().manual_seed(0))
    >>> bool((draws < 1).double().mean().sub(0.5).abs() < 0.05)
    True
    """

    low: float
    high: float
    spacing: Spacing = "uniform"

    def __post_init__(self) -> None:
        if self.spacing not in SPACINGS:
            raise TransformError(f"spacing '{self.spacing}'; wanted one of {', '.join(SPACINGS)}")
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise TransformError(f"range {self}; wanted finite numbers")
        if self.low > self.high:
            raise TransformError(f"range {self} is empty; wanted low ≤ high")
        if self.spacing != "uniform" and self.low <= 0:
            raise TransformError(f"{self.spacing} range {self}; wanted low above 0")

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    @property
    def fixed(self) -> bool:
        """Whether every draw is the same number."""
        return self.low == self.high and (self.spacing != "reciprocal" or self.low == 1)

    def is_only(self, value: float) -> bool:
        """Return whether every draw is `value`."""
        return self.fixed and self.low == value

    def draw(self, n: int, generator: torch.Generator, width: int | None = None) -> Tensor:
        """Return draws, float64 (n,), or (n, width); a fixed range does not use the generator."""
        import torch

        shape = (n,) if width is None else (n, width)
        if self.fixed:
            return torch.full(shape, self.low, dtype=torch.float64, device=generator.device)
        unit = torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
        if self.spacing == "log":
            return (math.log(self.low) + unit * math.log(self.high / self.low)).exp()
        values = self.low + unit * (self.high - self.low)
        if self.spacing == "reciprocal":
            inverted = torch.rand(shape, generator=generator, device=generator.device) < 0.5
            values = torch.where(inverted, values.reciprocal(), values)
        return values


def fixed(value: float) -> Range:
    """Return the range that holds only `value`."""
    return Range(value, value)


def plus_minus(limit: float) -> Range:
    """Return the range of either sign up to `limit`."""
    return Range(-limit, limit)


HALF_TURN = Range(0, 180)
"""Degrees: every direction of a line."""


def within(
    at_least: float = -math.inf,
    at_most: float = math.inf,
    *,
    above: float = -math.inf,
    default: Any = MISSING,
    width: int | None = None,
) -> Any:
    """Return a field of `Drawn`: a range within bounds, of which a sample takes one number or `width`."""
    given = fixed(default) if isinstance(default, int | float) else default
    return field(default=given, metadata={"bounds": (at_least, at_most, above), "width": width})


@dataclass(frozen=True)
class Drawn:
    """A transformation whose fields made by `within` are ranges: checked when it is made, drawn in order.

    Raises:
        TransformError: a range leaves its bounds; the line names the parameter, the range and the bound.
    """

    def __post_init__(self) -> None:
        for each, given in self._ranges():
            low, high = given.low, given.high
            if given.spacing == "reciprocal":
                low, high = min(low, 1 / high), max(high, 1 / low)
            at_least, at_most, above = each.metadata["bounds"]
            if low < at_least:
                raise TransformError(f"{each.name} {given}; wanted at least {at_least:g}")
            if low <= above:
                raise TransformError(f"{each.name} {given}; wanted above {above:g}")
            if high > at_most:
                raise TransformError(f"{each.name} {given}; wanted at most {at_most:g}")

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw every given range, in order: (n,), or (n, width) where a sample takes several numbers."""
        return {each.name: given.draw(n, generator, each.metadata["width"]) for each, given in self._ranges()}

    def _ranges(self) -> list[tuple[Field[Any], Range]]:
        given = [(each, getattr(self, each.name)) for each in fields(self) if "bounds" in each.metadata]
        return [(each, value) for each, value in given if value is not None]


@dataclass(frozen=True)
class Identity(Drawn):
    """No transformation: the digital attack of the literature."""

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images themselves."""
        return images


@dataclass(frozen=True)
class Rounding(Drawn):
    """Rounding to the 8 bits of a file, as a transformation without parameters."""

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images rounded; see `round_to_8_bits`."""
        from physadv.transforms.colours import round_to_8_bits

        return round_to_8_bits(images)


@dataclass(frozen=True)
class Composition:
    """Transformations applied one after another, drawn independently; none at all raise TransformError."""

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
        for index in range(len(self.parts)):
            prefix = f"{index}."
            own = {k.removeprefix(prefix): values for k, values in parameters.items() if k.startswith(prefix)}
            images = self._apply_part(index, images, own)
        return images

    def _apply_part(self, index: int, images: Tensor, own: Parameters) -> Tensor:
        return self.parts[index].apply(images, own)


@dataclass(frozen=True)
class LinearLight(Composition):
    """Transformations of linear light: decode sRGB, apply them one after another, encode again.

    A part with a function `light`, a press, decodes by itself; anywhere but first it raises TransformError.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(hasattr(part, "light") for part in self.parts[1:]):
            raise TransformError("a press takes sRGB; wanted first of those in linear light")

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return sRGB images in [0, 1] after what happened to their light, in [0, 1]."""
        from physadv.transforms.colours import linear_to_srgb

        return linear_to_srgb(super().apply(images, parameters))

    def _apply_part(self, index: int, images: Tensor, own: Parameters) -> Tensor:
        from physadv.transforms.colours import srgb_to_linear

        part = self.parts[index]
        if index == 0 and hasattr(part, "light"):
            light: Tensor = part.light(images, own)
            return light
        return part.apply(images if index else srgb_to_linear(images), own)


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


def in_linear_light(*parts: Transformation) -> LinearLight:
    """Return the transformation that applies `parts` to linear light."""
    return LinearLight(parts)
