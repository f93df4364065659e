"""What an attack is free to change, and how that becomes images."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Variable(Protocol):
    """The values an attack may take: pure functions of a tensor, so that the loop holds all the state."""

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the values to begin with."""
        ...

    def images(self, values: Tensor) -> Tensor:
        """Return the images (B, 3, H, W) in [0, 1] that the values stand for, differentiable."""
        ...

    def project(self, values: Tensor) -> Tensor:
        """Return the nearest values that are allowed."""
        ...


@dataclass(frozen=True)
class LInfBall:
    """Images no further than eps from the clean ones in any channel of any pixel, counted in 8-bit levels.

    Values are levels from 0 to 255 held in floats: sums and differences of whole levels are exact, so the
    budget is kept in integers.

    Attributes:
        levels: clean images, whole levels (B, 3, H, W), float.
        eps: whole levels, 1 to 255.
        random_start: begin anywhere in the ball, uniformly over its whole levels, instead of at its centre.
    """

    levels: Tensor
    eps: int
    random_start: bool = False

    @property
    def low(self) -> Tensor:
        """Return max(0, x − eps)."""
        return (self.levels - self.eps).clamp_min(0)

    @property
    def high(self) -> Tensor:
        """Return min(255, x + eps)."""
        return (self.levels + self.eps).clamp_max(255)

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the clean levels, or levels drawn uniformly between `low` and `high`, both included."""
        if not self.random_start:
            return self.levels
        uniform = torch.rand(self.levels.shape, generator=generator, device=generator.device).to(self.levels)
        choices = self.high - self.low + 1
        return self.low + (uniform * choices).floor().minimum(choices - 1)

    def images(self, values: Tensor) -> Tensor:
        """Return levels / 255."""
        return values / 255

    def project(self, values: Tensor) -> Tensor:
        """Return the values clipped to [max(0, x − eps), min(255, x + eps)]."""
        return values.clamp(self.low, self.high)
