"""The one attack loop: objective × variable × EOT distribution × optimiser."""

from collections.abc import Callable

import torch
from torch import Tensor

from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import Objective
from physadv.attacks.optimisers import Optimiser
from physadv.attacks.variables import Variable
from physadv.transforms import Transformation

Callback = Callable[[int, Tensor], None]
"""(step, losses (B,) before the step) → None."""


def optimise(
    classifier: Callable[[Tensor], Tensor],
    objective: Objective,
    variable: Variable,
    distribution: Transformation,
    optimiser: Optimiser,
    *,
    steps: int,
    samples: int,
    generator: torch.Generator,
    chunk: int | None = None,
    callback: Callback | None = None,
) -> Tensor:
    """Return the values that make the expected loss small: Expectation over Transformation.

    Every step draws `samples` transformations per image and descends the mean over them of the per-sample
    losses: the expectation of the loss, not the loss of mean logits (Athalye et al. 2018).

    Args:
        classifier: images (N, 3, H, W) → logits (N, K).
        objective: the loss.
        variable: what may change.
        distribution: the transformations it must survive.
        optimiser: the step rule.
        steps: how many.
        samples: transformations drawn per image and step.
        generator: of the start and of every draw; the same state gives the same values.
        chunk: samples per image held in memory at once, all of them without it. It changes neither the draws
            nor, but for the order of the sum, the gradient.
        callback: called before every step.

    Raises:
        AttackError: a gradient is not finite.
    """
    values = variable.start(generator)
    for step in range(steps):
        losses, gradient = expected_loss(
            classifier,
            objective,
            variable,
            distribution,
            values,
            samples=samples,
            generator=generator,
            chunk=chunk,
        )
        if not gradient.isfinite().all():
            raise AttackError(f"the gradient is not finite (NaN or overflow) at step {step + 1} of {steps}")
        if callback is not None:
            callback(step, losses)
        values = variable.project(optimiser(values, gradient))
    return values


@torch.enable_grad()
def expected_loss(
    classifier: Callable[[Tensor], Tensor],
    objective: Objective,
    variable: Variable,
    distribution: Transformation,
    values: Tensor,
    *,
    samples: int,
    generator: torch.Generator,
    chunk: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return every image's mean loss over fresh draws, (B,), and the gradient of their sum by the values.

    The gradient of an image does not depend on the others in the batch. See `optimise` for the arguments.
    """
    values = values.detach().requires_grad_()
    batch = variable.images(values).shape[0]
    draws = distribution.sample(samples * batch, generator)
    losses, gradient = values.new_zeros(batch), torch.zeros_like(values)
    for first in range(0, samples, chunk or samples):
        size = min(chunk or samples, samples - first)
        rows = slice(first * batch, (first + size) * batch)
        images = variable.images(values).repeat(size, 1, 1, 1)
        seen = distribution.apply(images, {name: drawn[rows] for name, drawn in draws.items()})
        part = objective(classifier(seen).reshape(size, batch, -1)).sum(dim=0) / samples
        gradient += torch.autograd.grad(part.sum(), values)[0]
        losses += part.detach()
    return losses, gradient
