"""Variables: what an attack may change, and how it becomes images."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from physadv.attacks.errors import check_number
from physadv.transforms.protocol import Parameters


class Variable(Protocol):
    """Values an attack may take; pure functions of a tensor, so that the loop holds all the state."""

    @property
    def batch(self) -> int:
        """Return the number of images that a step shows."""

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the first values."""

    def images(self, values: Tensor) -> Tensor:
        """Return the pictures (·, 3, H, W) in [0, 1] that the values stand for, differentiable."""

    def draw(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw the random parameters of `render` for n images, such as a patch's place; mostly none."""

    def render(self, values: Tensor, drawn: Parameters, samples: int) -> Tensor:
        """Return the images (samples·B, 3, H, W) to be transformed and classified, sample by sample."""

    def project(self, values: Tensor) -> Tensor:
        """Return the nearest allowed values."""


class _OwnImages:
    """Values that are the images themselves, in 8-bit levels, whole only once they are rounded."""

    levels: Tensor

    @property
    def batch(self) -> int:
        return len(self.levels)

    def start(self, generator: torch.Generator) -> Tensor:
        return self.levels

    def project(self, values: Tensor) -> Tensor:
        return values

    def draw(self, n: int, generator: torch.Generator) -> Parameters:
        return {}

    def images(self, values: Tensor) -> Tensor:
        """Return the rounded levels / 255; the gradient passes the rounding."""
        return (values + (values.round() - values).detach()) / 255

    def render(self, values: Tensor, drawn: Parameters, samples: int) -> Tensor:
        return self.images(values).repeat(samples, 1, 1, 1)


@dataclass(frozen=True)
class LInfBall(_OwnImages):
    """Images no further than eps from the clean ones in any channel of any pixel, counted in 8-bit levels.

    Sums and differences of whole levels are exact in floats, so the budget is kept in integers.

    Attributes:
        levels: clean images, whole levels (B, 3, H, W), float.
        eps: whole levels, 1 to 255; any other number raises AttackError.
        random_start: whether to start anywhere in the ball, uniformly over whole levels, not at its centre.
    """

    levels: Tensor
    eps: int
    random_start: bool = False

    def __post_init__(self) -> None:
        wanted = "whole 8-bit levels, 1 to 255"
        check_number("eps", self.eps, wanted, lambda eps: eps % 1 == 0 and 1 <= eps <= 255)

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the clean levels, or levels drawn uniformly from the ball."""
        if not self.random_start:
            return self.levels
        uniform = torch.rand(self.levels.shape, generator=generator, device=generator.device).to(self.levels)
        low, high = self._bounds()
        choices = high - low + 1
        return low + (uniform * choices).floor().minimum(choices - 1)

    def whole(self, values: Tensor) -> Tensor:
        """Return the values rounded; the ball's faces are whole levels, so none leaves it."""
        return values.round()

    def project(self, values: Tensor) -> Tensor:
        """Return the values clipped to [max(0, x − eps), min(255, x + eps)]."""
        return values.clamp(*self._bounds())

    def _bounds(self) -> tuple[Tensor, Tensor]:
        return (self.levels - self.eps).clamp_min(0), (self.levels + self.eps).clamp_max(255)


@dataclass(frozen=True)
class L2Ball(_OwnImages):
    """Images no further than eps from the clean ones in Euclidean distance, in 8-bit levels.

    Attributes:
        levels: clean images, whole levels (B, 3, H, W), float.
        eps: Euclidean radius in 8-bit levels, above 0; any other raises AttackError.
    """

    levels: Tensor
    eps: float

    def __post_init__(self) -> None:
        check_number("eps", self.eps, "a positive Euclidean radius in 8-bit levels", lambda eps: eps > 0)

    def project(self, values: Tensor) -> Tensor:
        """Return the values drawn back to radius eps and then into [0, 255]."""
        moved = values - self.levels
        norm: Tensor = torch.linalg.vector_norm(moved, dim=(1, 2, 3), keepdim=True)
        return (self.levels + moved * (self.eps / norm.clamp_min(1e-12)).clamp_max(1)).clamp(0, 255)

    def whole(self, values: Tensor) -> Tensor:
        """Return whole levels in the ball: where rounding leaves it, an image's changes are shortened."""
        moved = values - self.levels
        scale = values.new_ones((len(values), 1, 1, 1))
        while True:
            whole: Tensor = (self.levels + moved * scale).round().clamp(0, 255)
            outside = torch.linalg.vector_norm(whole - self.levels, dim=(1, 2, 3)) > self.eps
            if not bool(outside.any()):
                return whole
            scale = torch.where(outside[:, None, None, None], 0.97 * scale, scale)


@dataclass(frozen=True)
class TanhBox(_OwnImages):
    """Any image, from whole levels, as the tanh of unbounded values (Carlini & Wagner 2017, section V-B)."""

    levels: Tensor

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the values of the clean images, black and white a quarter level inside the box."""
        return (self.levels.clamp(0.25, 254.75) / 127.5 - 1).atanh()

    def images(self, values: Tensor) -> Tensor:
        """Return ½(tanh(w) + 1), rounded to 8 bits."""
        return super().images(127.5 * (values.tanh() + 1))


def mid_grey_noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return levels uniform within 16 of mid-grey, the start of a picture that has no source."""
    return 127.5 + 32 * (torch.rand(shape, generator=generator, device=generator.device) - 0.5)
