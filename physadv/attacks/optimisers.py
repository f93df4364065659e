"""How a gradient moves the values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

Memory = dict[str, Any]
"""What an optimiser remembers of earlier steps; it can be pickled."""


class Optimiser(Protocol):
    """A step rule. What it remembers can be kept and given back, so that a loop can be taken up again."""

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return the next values, before projection, from values and the loss's gradient by them."""
        ...

    def memory(self) -> Memory:
        """Return what it remembers, which the next step may change."""
        ...

    def restore(self, memory: Memory) -> None:
        """Take up a memory that another of its kind returned."""
        ...


class _Forgetful:
    """A step rule that remembers nothing."""

    def memory(self) -> Memory:
        """Return nothing."""
        return {}

    def restore(self, memory: Memory) -> None:
        """Leave everything as it is."""


@dataclass(frozen=True)
class SignedStep(_Forgetful):
    """Steepest descent under L∞: every value moves by `size` against the sign of its gradient.

    Attributes:
        size: in the unit of the values; whole levels stay whole.
    """

    size: float

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return values − size·sign(gradient)."""
        return values - self.size * gradient.sign()


@dataclass(frozen=True)
class NormalisedStep(_Forgetful):
    """Steepest descent under L2: every image moves by `size` along its own gradient's direction.

    Attributes:
        size: Euclidean length of the step, in the unit of the values.
    """

    size: float

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return values − size·gradient/‖gradient‖₂, rows with no gradient unmoved."""
        norm: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2, 3), keepdim=True).clamp_min(1e-20)
        return values - self.size * gradient / norm


class MomentumSign:
    """Signed steps along an accumulated, L1-normalised gradient (MI-FGSM, Dong et al. 2018).

    Args:
        size: of a step, in the unit of the values.
        decay: μ, how much of the accumulated gradient is kept.
    """

    def __init__(self, size: float, decay: float = 1.0) -> None:
        self.size = size
        self.decay = decay
        self._velocity: Tensor | None = None

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return values − size·sign(μ·g + gradient/mean|gradient|)."""
        scale = gradient.abs().mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-20)
        kept = 0.0 if self._velocity is None else self.decay * self._velocity
        self._velocity = kept + gradient / scale
        return values - self.size * self._velocity.sign()

    def memory(self) -> Memory:
        """Return the accumulated gradient."""
        return {"velocity": self._velocity}

    def restore(self, memory: Memory) -> None:
        """Take up an accumulated gradient."""
        self._velocity = memory["velocity"]


class TorchOptimiser:
    """A step of any `torch.optim` optimiser, such as Adam or L-BFGS, on the values.

    Args:
        make: parameters → optimiser, for instance `partial(torch.optim.Adam, lr=0.01)`. One that asks for
            the loss again within a step (L-BFGS with a line search) is not served.
    """

    def __init__(self, make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> None:
        self._make = make
        self._parameter: Tensor | None = None
        self._optimiser: Any = None
        self._restored: Memory | None = None

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return the values after one step."""
        if self._parameter is None:
            self._parameter = values.clone()
            self._optimiser = self._make([self._parameter])
            if self._restored is not None:
                self._optimiser.load_state_dict(self._restored)
        self._parameter.copy_(values)
        self._parameter.grad = gradient.contiguous()
        # The gradient is there already; the closure only satisfies optimisers that insist on one.
        self._optimiser.step(lambda: torch.zeros(()))
        return self._parameter.clone()

    def memory(self) -> Memory:
        """Return the optimiser's state, empty before the first step."""
        return {} if self._optimiser is None else self._optimiser.state_dict()

    def restore(self, memory: Memory) -> None:
        """Give the optimiser that state when it takes its next step."""
        self._restored = memory or None


class EachImage:
    """One optimiser an image, so that what one remembers does not depend on the others in the batch.

    Args:
        make: () → optimiser of values (1, …).
    """

    def __init__(self, make: Callable[[], Optimiser]) -> None:
        self._make = make
        self._optimisers: list[Optimiser] = []

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return every image's values after one step of its own."""
        if not self._optimisers:
            self._optimisers = [self._make() for _ in values]
        rows = zip(self._optimisers, values[:, None], gradient[:, None], strict=True)
        return torch.cat([optimiser(value, slope) for optimiser, value, slope in rows])

    def memory(self) -> Memory:
        """Return every optimiser's memory, by the image's number."""
        return {str(row): optimiser.memory() for row, optimiser in enumerate(self._optimisers)}

    def restore(self, memory: Memory) -> None:
        """Give every optimiser its memory back."""
        self._optimisers = [self._make() for _ in memory]
        for optimiser, kept in zip(self._optimisers, memory.values(), strict=True):
            optimiser.restore(kept)
