"""Step rules: how a gradient changes the values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

from physadv.attacks.errors import check_number

Memory = dict[str, Any]
"""State that an optimiser carries from step to step; it can be saved."""
_STEP = "a step above 0, and finite", lambda size: 0 < size < inf


class Optimiser:
    """A step rule whose state, here an empty one, can be saved and restored to resume a loop."""

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return the next values, before projection, from values and the loss's gradient by them."""
        raise NotImplementedError

    def memory(self) -> Memory:
        """Return its state, which the next step may change."""
        return {}

    def restore(self, memory: Memory) -> None:
        """Restore a state that another of its kind returned."""


@dataclass(frozen=True)
class SignedStep(Optimiser):
    """Steepest descent under L∞: every value moves by `size` against the sign of its gradient.

    Attributes:
        size: size of a step in the unit of the values, above 0; whole levels stay whole.
    """

    size: float

    def __post_init__(self) -> None:
        check_number("size", self.size, *_STEP)

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return values − size·sign(gradient)."""
        return values - self.size * gradient.sign()


@dataclass(frozen=True)
class NormalisedStep(Optimiser):
    """Steepest descent under L2: every image moves by `size` along its own gradient's direction.

    Attributes:
        size: Euclidean length of the step, in the unit of the values, above 0.
    """

    size: float

    def __post_init__(self) -> None:
        check_number("size", self.size, *_STEP)

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return values − size·gradient/‖gradient‖₂, rows with no gradient unmoved."""
        norm: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2, 3), keepdim=True).clamp_min(1e-20)
        return values - self.size * gradient / norm


class MomentumSign(Optimiser):
    """Signed steps along an accumulated, L1-normalised gradient (MI-FGSM, Dong et al. 2018).

    Args:
        size: size of a step in the unit of the values, above 0.
        decay: μ, the share of the accumulated gradient that is kept.
    """

    def __init__(self, size: float, decay: float = 1.0) -> None:
        check_number("size", size, *_STEP)
        self.size, self.decay = size, decay
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
        """Restore an accumulated gradient."""
        self._velocity = memory["velocity"]


class TorchOptimiser(Optimiser):
    """A step of any `torch.optim` optimiser, such as Adam or L-BFGS, on the values.

    Args:
        make: parameters → optimiser, for instance `partial(torch.optim.Adam, lr=0.01)`; not one that
            evaluates the loss again within a step, such as L-BFGS with a line search.
        schedule: optimiser → learning-rate scheduler, stepped after every step; by default a constant rate.
    """

    def __init__(
        self,
        make: Callable[[list[Tensor]], torch.optim.Optimizer],
        schedule: Callable[[torch.optim.Optimizer], LRScheduler] | None = None,
    ) -> None:
        self._make, self._schedule = make, schedule
        self._parameter = torch.empty(0)
        self._running: dict[str, Any] = {}
        self._restored: Memory = {}

    def __call__(self, values: Tensor, gradient: Tensor) -> Tensor:
        """Return the values after one step."""
        if not self._running:
            self._parameter = values.clone()
            self._running = {"optimiser": self._make([self._parameter])}
            if self._schedule is not None:
                self._running["schedule"] = self._schedule(self._running["optimiser"])
            for name, state in self._restored.items():
                self._running[name].load_state_dict(state)
        self._parameter.copy_(values)
        self._parameter.grad = gradient.contiguous()
        # The gradient is there already; the closure only satisfies optimisers that insist on one.
        self._running["optimiser"].step(lambda: torch.zeros(()))
        if "schedule" in self._running:
            self._running["schedule"].step()
        return self._parameter.clone()

    def memory(self) -> Memory:
        """Return the states of the optimiser and its schedule, empty before the first step."""
        return {name: part.state_dict() for name, part in self._running.items()}

    def restore(self, memory: Memory) -> None:
        """Restore those states at the next step."""
        self._restored = memory


class EachImage(Optimiser):
    """One optimiser per image, so that its state does not depend on the others in the batch."""

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
        """Return every optimiser's state by the image's number."""
        return {str(row): optimiser.memory() for row, optimiser in enumerate(self._optimisers)}

    def restore(self, memory: Memory) -> None:
        """Restore every optimiser's state."""
        self._optimisers = [self._make() for _ in memory]
        for optimiser, kept in zip(self._optimisers, memory.values(), strict=True):
            optimiser.restore(kept)


def cooling_adam(rate: float, steps: int) -> TorchOptimiser:
    """Return Adam for an expectation: short memory, and a rate that falls to zero along half a cosine.

    Gradients from few samples are noisy; the falling rate, in the unit of the values, averages them at last.
    """
    adam = partial(torch.optim.Adam, lr=rate, betas=(0.8, 0.99))
    return TorchOptimiser(adam, partial(CosineAnnealingLR, T_max=steps))


def spanning_adam(steps: int) -> TorchOptimiser:
    """Return the cooling Adam whose steps together take an 8-bit level from mid-grey to black or white.

    Larger steps overshoot and end on black and white noise; smaller ones leave colours out of reach.
    """
    return cooling_adam(256 / steps, steps)  # half a cosine covers half the distance of a constant rate
