"""How a gradient moves the values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

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
        schedule: the optimiser → what changes its learning rate after every step; it stays without it.
    """

    def __init__(
        self,
        make: Callable[[list[Tensor]], torch.optim.Optimizer],
        schedule: Callable[[torch.optim.Optimizer], LRScheduler] | None = None,
    ) -> None:
        self._make = make
        self._schedule = schedule
        self._scheduler: LRScheduler | None = None
        self._parameter: Tensor | None = None
        self._optimiser: Any = None
        self._restored: Memory | None = None

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return the values after one step."""
        if self._parameter is None:
            self._parameter = values.clone()
            self._optimiser = self._make([self._parameter])
            self._scheduler = self._schedule(self._optimiser) if self._schedule else None
            if self._restored is not None:
                self._restore(self._restored)
        self._parameter.copy_(values)
        self._parameter.grad = gradient.contiguous()
        # The gradient is there already; the closure only satisfies optimisers that insist on one.
        self._optimiser.step(lambda: torch.zeros(()))
        if self._scheduler is not None:
            self._scheduler.step()
        return self._parameter.clone()

    def memory(self) -> Memory:
        """Return the states of the optimiser and its schedule, empty before the first step."""
        schedule = {"schedule": self._scheduler.state_dict()} if self._scheduler else {}
        return {} if self._optimiser is None else {"optimiser": self._optimiser.state_dict(), **schedule}

    def restore(self, memory: Memory) -> None:
        """Give optimiser and schedule those states when they take their next step."""
        self._restored = memory or None

    def _restore(self, memory: Memory) -> None:
        self._optimiser.load_state_dict(memory["optimiser"])
        if self._scheduler is not None:
            self._scheduler.load_state_dict(memory["schedule"])


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


def cooling_adam(rate: float, steps: int) -> TorchOptimiser:
    """Return Adam for an expectation: short memories, the rate falling to nothing along half a cosine.

    Gradients of few samples are noisy. A rate that stays keeps the values jittering about what they should
    be; one that falls averages the noise away in the end.

    Args:
        rate: the learning rate at first, in the unit of the values.
        steps: how many will be taken.
    """
    return TorchOptimiser(
        partial(torch.optim.Adam, lr=rate, betas=(0.8, 0.99)), partial(CosineAnnealingLR, T_max=steps)
    )


def spanning_adam(steps: int) -> TorchOptimiser:
    """Return the cooling Adam that, over its steps, takes a value from mid-grey to either end of the range.

    Steps that are larger overshoot and end on black and white noise, however few they are; smaller ones leave
    colours out of reach. Values are 8-bit levels.
    """
    # Half a cosine leaves half of what a constant rate would go.
    return cooling_adam(256 / steps, steps)
