"""How a gradient moves the values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

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


@dataclass(frozen=True)
class NormalisedStep:
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

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return the values after one step."""
        if self._parameter is None:
            self._parameter = values.clone()
            self._optimiser = self._make([self._parameter])
            self._scheduler = self._schedule(self._optimiser) if self._schedule else None
        self._parameter.copy_(values)
        self._parameter.grad = gradient
        # The gradient is there already; the closure only satisfies optimisers that insist on one.
        self._optimiser.step(lambda: torch.zeros(()))
        if self._scheduler is not None:
            self._scheduler.step()
        return self._parameter.clone()


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
