"""The one attack loop: objective × variable × EOT distribution × optimiser.

Samples are taken in chunks. The loop can be interrupted at any step and resumed with the same random stream.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import Objective, Penalty
from physadv.attacks.optimisers import Optimiser
from physadv.attacks.variables import Variable
from physadv.transforms import Transformation

Callback = Callable[[int, Tensor], None]
"""(step, losses (B,) before the step) → None."""
Goal = Callable[[Tensor], Tensor]
"""Pictures (B, 3, H, W) → bool (B,), which of them are good enough to be left alone."""
ViewPenalty = Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor]
"""(transformed images (N, 3, H, W), the draw that transformed them: images → images) → losses (N,)."""

# With more, activations outgrow what the allocator keeps and are paged in anew at every step: a quarter of
# ResNet-18's time at 32 × 224².
CPU_CHUNK, ACCELERATOR_CHUNK = 8 * 224 * 224, 128 * 224 * 224
"""Pixels shown to the classifier at once on a CPU, and on an accelerator."""


@dataclass(frozen=True)
class Snapshot:
    """State of the loop before a step; copy or save it before the next step, which changes it.

    Attributes:
        step: number of the next step, from 0.
        values: values of the variable.
        done: bool (B,), the images that met the goal.
        stream: state of the random generator.
        optimiser: memory of the optimiser.
    """

    step: int
    values: Tensor
    done: Tensor
    stream: Tensor
    optimiser: dict[str, Any]


Keep = Callable[[Snapshot], None]
"""Function called before every step with the state of the loop."""


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
    penalty: Penalty | None = None,
    view_penalty: ViewPenalty | None = None,
    callback: Callback | None = None,
    goal: Goal | None = None,
    check_every: int = 10,
    keep: Keep | None = None,
    resume: Snapshot | None = None,
) -> Tensor:
    """Return the values that make the expected loss small: Expectation over Transformation.

    Every step draws `samples` transformations per image and descends the mean over them of the per-sample
    losses: the expectation of the loss, not the loss of mean logits (Athalye et al. 2018).

    Args:
        classifier: images (N, 3, H, W) → logits (N, K).
        objective: logits → losses to be made small.
        variable: what the attack may change.
        distribution: transformations that the result must survive.
        optimiser: the step rule.
        steps: number of steps.
        samples: transformations drawn per image and step.
        generator: source of the start and of every draw; the same state gives the same values.
        chunk: samples per image held in memory at once; by default as many as suit the device, at least one.
            It changes neither the draws nor, except for the order of the sum, the gradient.
        penalty: a further loss of the values themselves, added to the expected one.
        view_penalty: a further loss of every transformed image, whose expectation is added. It is given the
            draw too, so that it can compare with other images under the same transformation.
        callback: function called with (step, losses (B,)) before every step.
        goal: function called every `check_every` steps that tells which pictures are good enough. These are
            no longer changed, and the loop ends when all are. Only for variables with one row per image.
        check_every: number of steps between two calls of `goal`.
        keep: function called with a `Snapshot` before every step.
        resume: snapshot of an interrupted loop with the same arguments; the result is the same.

    Raises:
        AttackError: the classifier passes no gradient back, or one that is not finite.

    Example:
        >>> from physadv.attacks import LInfBall, SignedStep, targeted_cross_entropy
        >>> from physadv.transforms import identity
        >>> values = optimise(
        ...     lambda images: images.mean(dim=(2, 3)), targeted_cross_entropy(torch.tensor([2])),
        ...     LInfBall(torch.full((1, 3, 1, 1), 128.0), eps=4), identity, SignedStep(1),
        ...     steps=9, samples=1, generator=torch.Generator().manual_seed(0),
        ... )
        >>> values.flatten().tolist()
        [124.0, 124.0, 132.0]
    """
    if resume is None:
        values, first = variable.start(generator), 0
        done = torch.zeros(variable.batch, dtype=torch.bool, device=values.device)
    else:
        values, done, first = resume.values, resume.done, resume.step
        generator.set_state(resume.stream)
        optimiser.restore(resume.optimiser)
    loss_at = partial(expected_loss, classifier, objective, variable, distribution, samples=samples)
    chunk = chunk or _fitting_chunk(variable, values)
    for step in range(first, steps):
        if keep is not None:
            keep(Snapshot(step, values, done, generator.get_state(), optimiser.memory()))
        if goal is not None and step and step % check_every == 0:
            done |= goal(variable.images(values))
            if bool(done.all()):
                break
        losses, gradient = loss_at(
            values, generator=generator, chunk=chunk, penalty=penalty, view_penalty=view_penalty
        )
        if not gradient.isfinite().all():
            raise AttackError(f"the gradient is not finite (NaN or overflow) at step {step + 1} of {steps}")
        if callback is not None:
            callback(step, losses)
        moved = variable.project(optimiser(values, gradient))
        values = torch.where(done[:, None, None, None], values, moved) if bool(done.any()) else moved
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
    penalty: Penalty | None = None,
    view_penalty: ViewPenalty | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean loss over fresh draws of every image, (B,), and its sum's gradient by the values.

    The gradient of an image does not depend on the others in the batch. See `optimise` for the arguments.
    """
    chunk = chunk or _fitting_chunk(variable, values)
    values = values.detach().requires_grad_()
    batch = variable.batch
    placed = variable.draw(samples * batch, generator)
    drawn = distribution.sample(samples * batch, generator)
    losses, gradient = torch.zeros(batch, device=values.device), torch.zeros_like(values)

    # A function, so that what one chunk held is free before the next one begins.
    def of_chunk(first: int) -> tuple[Tensor, Tensor]:
        size = min(chunk, samples - first)
        rows = slice(first * batch, (first + size) * batch)
        here, draw = ({name: each[rows] for name, each in drew.items()} for drew in (placed, drawn))
        view = partial(distribution.apply, parameters=draw)
        seen = view(variable.render(values, here, size))
        logits = classifier(seen)
        if not logits.requires_grad:
            raise AttackError("the classifier passes no gradient back; QueryOnly, --query-only, needs none")
        part = objective(logits.reshape(size, batch, -1)).sum(dim=0) / samples
        if view_penalty is not None:
            part = part + view_penalty(seen, view).reshape(size, batch).sum(dim=0) / samples
        return part.detach(), torch.autograd.grad(part.sum(), values)[0]

    for first in range(0, samples, chunk):
        part, slope = of_chunk(first)
        losses += part
        gradient += slope
    if penalty is not None:
        extra = penalty(values)
        gradient += torch.autograd.grad(extra.sum(), values)[0]
        losses += extra.detach()
    return losses, gradient


@torch.no_grad()
def _fitting_chunk(variable: Variable, values: Tensor) -> int:
    """Return how many samples per image to show at once."""
    drawn = variable.draw(variable.batch, torch.Generator().manual_seed(0))
    shown = variable.render(values, drawn, 1)
    return max(1, images_at_once(shown) // len(shown))


def images_at_once(images: Tensor) -> int:
    """Return how many images of this size, (…, H, W), to show a classifier at once on their device."""
    allowed = CPU_CHUNK if images.device.type == "cpu" else ACCELERATOR_CHUNK
    return max(1, allowed // (images.shape[-2] * images.shape[-1]))
