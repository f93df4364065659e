"""Ranges that parameters are drawn from, on the generator's device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from physadv.transforms.protocol import TransformError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Spacing = Literal["uniform", "log", "reciprocal"]
SPACINGS: tuple[str, ...] = get_args(Spacing)


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


ZERO, ONE = fixed(0), fixed(1)
HALF_TURN = Range(0, 180)
"""Degrees: every direction of a line."""


def plus_minus(limit: float) -> Range:
    """Return the range of either sign up to `limit`."""
    return Range(-limit, limit)


def require(
    name: str,
    given: Range,
    *,
    at_least: float = -math.inf,
    at_most: float = math.inf,
    above: float = -math.inf,
) -> None:
    """Check that a range stays within what its parameter can be.

    Raises:
        TransformError: it does not; the line names the parameter, the range and the bound.
    """
    low, high = given.low, given.high
    if given.spacing == "reciprocal":
        low, high = min(low, 1 / high), max(high, 1 / low)
    if low < at_least:
        raise TransformError(f"{name} {given}; wanted at least {at_least:g}")
    if low <= above:
        raise TransformError(f"{name} {given}; wanted above {above:g}")
    if high > at_most:
        raise TransformError(f"{name} {given}; wanted at most {at_most:g}")
