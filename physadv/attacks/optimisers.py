"""How a gradient moves the values."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Optimiser = Callable[[Tensor, Tensor], Tensor]
"""(values, gradient of the loss) → next values, before projection. One with memory is an object."""


@dataclass(frozen=True)
class SignedStep:
    """Steepest descent under L∞: every value moves by `size` against the sign of its gradient.

    Attributes:
        size: in the unit of the values; whole levels stay whole.
    """

    size: float

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return values − size·sign(gradient)."""
        return values - self.size * gradient.sign()
