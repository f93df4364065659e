"""One batch of source images attacked, and what the classifier says of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.attacks.checks import check_differentiable
from physadv.attacks.errors import AttackError
from physadv.attacks.loop import Goal, Keep, Snapshot
from physadv.attacks.objectives import least_likely_class, random_target
from physadv.attacks.queries import Directions, QueryOnly, find_directions, steps_within
from physadv.attacks.recipe import Recipe
from physadv.classifiers import Classifier
from physadv.pipeline.checkpoints import Checkpoint
from physadv.randomness import generator
from physadv.runs import HeldOut, Prediction
from physadv.transforms import load_preset

TOP = 5
HELD_OUT_DRAWS = 32
NO_TARGET, LEAST_LIKELY, RANDOM = "none", "least-likely", "random"
NO_TRANSFORMS = "identity"


@dataclass(frozen=True)
class Plan:
    """How images are attacked, every default resolved.

    Attributes:
        eps: in 8-bit levels, None for an attack that takes none; likewise `area`, a share of the picture.
        transforms: name of the EOT preset; `samples` draws of it per image and step.
        steps: in place of the recipe's own number.
        target: "none", "least-likely", "random", or a class's name or index.
        goal: share of transformed views, judged on draws of its own, at which an image is left alone.
        estimate: of gradients from answers, see `find_directions`; None takes the classifier's own gradients.
        sigma: of the estimate, in 8-bit levels, the published one without it.
        queries: answers that an image's gradients may take: as many steps as they pay for.
    """

    recipe: Recipe
    eps: int | None
    area: float | None
    transforms: str
    samples: int
    steps: int | None
    target: str
    goal: float | None
    seed: int
    estimate: str | None = None
    sigma: float | None = None
    queries: int | None = None

    @property
    def directions(self) -> Directions | None:
        """Return along what gradients are estimated, if they are."""
        if self.estimate is None:
            return None
        return find_directions(self.estimate, None if self.sigma is None else self.sigma / 255)


@dataclass(frozen=True)
class AttackedBatch:
    """What became of B images of one size: all lists are of length B, `pixels` is uint8 (B, H, W, 3).

    `queries` counts what the attack asked of a classifier that only answers, for all of them.
    """

    labels: list[int]
    targets: list[int | None]
    pixels: NDArray[np.uint8]
    before: list[tuple[Prediction, ...]]
    after: list[tuple[Prediction, ...]]
    held_out: list[HeldOut | None]
    queries: int


def check_plan(plan: Plan, classifier: Classifier) -> None:
    """Check what can be checked before any image is read.

    Raises:
        AttackError: a budget the attack does not take, a target for an attack that chooses its own, a
            library that is not installed, or a classifier without gradients for an attack that wants them.
        ClassifierError: the target is none of the classes.
        TransformError: the preset is unknown.
    """
    plan.recipe.budget(plan.eps, plan.area)
    plan.recipe.check_available()
    if plan.estimate is None and not plan.recipe.outside:
        check_differentiable(classifier)
    _check_queries(plan)
    load_preset(plan.transforms)
    if plan.goal is not None and not 0 < plan.goal <= 1:
        raise AttackError(f"goal {plan.goal:g}: wanted a share of transformed views, above 0 and at most 1")
    if plan.target == NO_TARGET:
        return
    if plan.recipe.target is not None:
        raise AttackError(f"target '{plan.target}': {plan.recipe.name} chooses its own; leave --target out")
    if plan.target not in (LEAST_LIKELY, RANDOM):
        classifier.label_index(plan.target)


def _check_queries(plan: Plan) -> None:
    if plan.directions is None and (plan.sigma, plan.queries) != (None, None):
        raise AttackError("sigma and queries are of estimated gradients: wanted --query-only with them")
    if plan.queries is None:
        return
    if plan.steps is not None:
        raise AttackError(f"queries {plan.queries} and steps {plan.steps}: wanted one of them, not both")
    if plan.recipe.eps is None or plan.recipe.outside:
        raise AttackError(f"queries {plan.queries}: {plan.recipe.name} does not ask a fixed number a step")


def attack_batch(
    plan: Plan,
    classifier: Classifier,
    pixels: Sequence[NDArray[np.uint8]],
    labels: Sequence[int | None],
    index: int,
    checkpoint: Checkpoint | None = None,
) -> AttackedBatch:
    """Attack images (H, W, 3) of one size; those without a label get the classifier's own answer.

    Args:
        plan: what to do.
        classifier: what to fool.
        pixels: B clean images.
        labels: B labels.
        index: of the batch, which seeds its random streams.
        checkpoint: where an interrupted loop is kept and taken up again, if at all.

    Raises:
        AttackError: the attack cannot be run, or a target is the image's own label.
    """
    clean = to_tensor(pixels).to(classifier.device)
    before = classifier.probabilities(clean)
    known = torch.tensor(
        [int(row.argmax()) if label is None else label for label, row in zip(labels, before, strict=True)],
        device=clean.device,
    )
    random = generator(plan.seed, "attack", index)
    asked = QueryOnly(classifier, plan.directions, random) if plan.directions else None
    attacked = asked or classifier
    resume = checkpoint.read(clean.device) if checkpoint else None
    targets = _targets(plan, attacked, clean, known, index)
    if asked and checkpoint and resume:
        asked.queries = checkpoint.queries
    adversarial = plan.recipe.run(
        attacked,
        clean,
        known,
        **plan.recipe.budget(plan.eps, plan.area),
        generator=random,
        distribution=load_preset(plan.transforms),
        samples=plan.samples,
        steps=_steps(plan, clean),
        targets=None if plan.recipe.target else targets,
        goal=None if plan.goal is None else _goal(plan, attacked, known, targets),
        keep=_keep(checkpoint, asked) if checkpoint else None,
        resume=resume,
    )
    return AttackedBatch(
        labels=known.tolist(),
        targets=[None] * len(known) if targets is None else targets.tolist(),
        pixels=(adversarial * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy(),
        before=predictions(classifier, before),
        after=predictions(classifier, classifier.probabilities(adversarial)),
        held_out=_held_out(plan, classifier, adversarial, known, targets),
        queries=asked.queries if asked else 0,
    )


def _steps(plan: Plan, images: Tensor) -> int | None:
    if plan.queries is None or plan.directions is None:
        return plan.steps
    return steps_within(plan.queries, plan.directions, plan.samples, images[0].numel())


def _keep(checkpoint: Checkpoint, asked: QueryOnly | None) -> Keep:
    """Return what keeps snapshots, with the queries asked until then."""

    def keep(snapshot: Snapshot) -> None:
        checkpoint.queries = asked.queries if asked else 0
        checkpoint.keep(snapshot)

    return keep


def predictions(classifier: Classifier, probabilities: Tensor) -> list[tuple[Prediction, ...]]:
    """Return the top five of every row of class probabilities (B, K)."""
    top = probabilities.topk(min(TOP, probabilities.shape[1]), dim=1)
    return [
        tuple(
            Prediction(label=label, name=classifier.labels[label], probability=round(probability, 6))
            for label, probability in zip(labels, values, strict=True)
        )
        for labels, values in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


def to_tensor(pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return images (H, W, 3) uint8 of one size as a float batch (B, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255


def _targets(plan: Plan, classifier: Classifier, clean: Tensor, labels: Tensor, index: int) -> Tensor | None:
    if plan.recipe.target is not None:
        chosen: Tensor = plan.recipe.target(classifier, clean)
        return chosen
    if plan.target == NO_TARGET:
        return None
    if plan.target == LEAST_LIKELY:
        return least_likely_class(classifier, clean)
    if plan.target == RANDOM:
        return random_target(labels, len(classifier.labels), generator(plan.seed, "target", index))
    return torch.full_like(labels, classifier.label_index(plan.target))


def _goal(plan: Plan, classifier: Classifier, labels: Tensor, targets: Tensor | None) -> Goal:
    """Return the question whether images have reached the goal, asked on draws that judge nothing else."""
    return lambda pictures: _success(plan, classifier, pictures, labels, targets, "goal") >= (plan.goal or 1)


def _held_out(
    plan: Plan, classifier: Classifier, adversarial: Tensor, labels: Tensor, targets: Tensor | None
) -> list[HeldOut | None]:
    """Judge 8-bit images on one fixed set of draws that the attack has not seen."""
    if plan.transforms == NO_TRANSFORMS:
        return [None] * len(adversarial)
    shares = _success(plan, classifier, adversarial, labels, targets, "held out")
    return [HeldOut(draws=HELD_OUT_DRAWS, success=share) for share in shares.tolist()]


@torch.no_grad()
def _success(
    plan: Plan,
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    targets: Tensor | None,
    draws: str,
) -> Tensor:
    """Return the share of one fixed set of transformed views that reach what the attack wants, (B,)."""
    distribution = load_preset(plan.transforms)
    count = 1 if plan.transforms == NO_TRANSFORMS else HELD_OUT_DRAWS
    drawn = distribution.sample(count, generator(plan.seed, draws))
    shares = []
    for position, image in enumerate(images):
        seen = distribution.apply(image.expand(count, -1, -1, -1), drawn)
        answers = classifier(seen).argmax(dim=1)
        reached = answers != labels[position] if targets is None else answers == targets[position]
        shares.append(reached.float().mean())
    return torch.stack(shares)
