"""Attack one batch of source images, resume an interrupted attack, and judge the result."""

import time
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from physadv.attacks.loop import Snapshot
from physadv.attacks.objectives import least_likely_class, random_target
from physadv.attacks.queries import Directions, QueryOnly, find_directions, steps_within
from physadv.attacks.running import check_differentiable
from physadv.classifiers import Classifier
from physadv.keeping import Kept
from physadv.pipeline.examples import AttackedBatch, predictions, to_tensor
from physadv.pipeline.settings import LEAST_LIKELY, NO_TARGET, RANDOM, GenerateSettings
from physadv.randomness import generator
from physadv.runs import HeldOut
from physadv.transforms import Transformation

if TYPE_CHECKING:
    from physadv.pictures.damage import Pixels

HELD_OUT_DRAWS = 32


class Checkpoint:
    """A file of snapshots, written at most every so many seconds, each in place of the one before."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._kept, self._seconds = Kept(path), seconds
        self._written = time.monotonic()

    def keep(self, queried: QueryOnly | None, snapshot: Snapshot) -> None:
        """Write a snapshot and the number of queries so far, if the last one is old enough."""
        if time.monotonic() - self._written < self._seconds:
            return
        kept = {field.name: getattr(snapshot, field.name) for field in fields(Snapshot)}
        self._kept.save(kept | {"queries": queried.queries if queried else 0})
        self._written = time.monotonic()

    def read(self, queried: QueryOnly | None, device: torch.device) -> Snapshot | None:
        """Return the last snapshot, its values on a device, if there is one, and set the queries so far."""
        kept = self._kept.load(device)
        if kept is None:
            return None
        try:
            queries = kept.pop("queries")
            snapshot = Snapshot(**kept | {"stream": kept["stream"].cpu()})
        except (AttributeError, LookupError, TypeError) as error:
            raise self._kept.damaged() from error
        if queried:
            queried.queries = queries
        return snapshot


def check_attack(settings: GenerateSettings, classifier: Classifier) -> None:
    """Check what a classifier must be, before any image is read.

    Raises:
        AttackError: a classifier without gradients for an attack that wants them, or an unknown estimator.
        ClassifierError: the target is none of the classes.
    """
    if directions_of(settings) is None and not settings.recipe.outside:
        check_differentiable(classifier)
    if settings.target not in (NO_TARGET, LEAST_LIKELY, RANDOM):
        classifier.label_index(settings.target)


def directions_of(settings: GenerateSettings) -> Directions | None:
    """Return the directions along which gradients are estimated, None where they are the classifier's own."""
    if settings.estimate is None:
        return None
    return find_directions(settings.estimate, None if settings.sigma is None else settings.sigma / 255)


def attack_batch(
    settings: GenerateSettings,
    classifier: Classifier,
    pixels: "Sequence[Pixels]",
    labels: Sequence[int | None],
    index: int,
    checkpoint: Checkpoint | None = None,
) -> AttackedBatch:
    """Attack uint8 images (H, W, 3) of one size; the classifier's answer stands in for a missing label.

    Settings are those of `resolve`. The number of the batch seeds its random streams; an interrupted attack
    resumes from the checkpoint, if there is one.

    Raises:
        AttackError: the attack cannot be run, or a target is the image's own label.
    """
    clean = to_tensor(pixels).to(classifier.device)
    before = predictions(classifier, clean)
    known = torch.tensor(
        [top[0].label if label is None else label for label, top in zip(labels, before, strict=True)],
        device=clean.device,
    )
    random, directions = generator(settings.seed, "attack", index), directions_of(settings)
    queried = QueryOnly(classifier, directions, random) if directions else None
    attacked = queried or classifier
    targets = _targets(settings, attacked, clean, known, index)
    resume = checkpoint.read(queried, clean.device) if checkpoint else None
    steps = settings.steps
    if settings.queries is not None and directions:
        steps = steps_within(settings.queries, directions, settings.samples or 1, clean[0].numel())
    distribution = settings.distribution(max(clean.shape[-2:]))
    success = partial(_success, settings, distribution, labels=known, targets=targets)

    def goal(images: Tensor) -> Tensor:
        return success(attacked, images, draws="goal") >= (settings.goal or 1)

    adversarial = settings.recipe.run(
        attacked,
        clean,
        known,
        **settings.budget(),
        generator=random,
        distribution=distribution,
        samples=settings.samples or 1,
        steps=steps,
        targets=None if settings.recipe.target else targets,
        goal=None if settings.goal is None else goal,
        keep=partial(checkpoint.keep, queried) if checkpoint else None,
        resume=resume,
    )
    held_out: list[HeldOut | None] = [None] * len(clean)
    if settings.is_transformed:
        shares = success(classifier, adversarial, draws="held out").tolist()
        held_out = [HeldOut(draws=HELD_OUT_DRAWS, success=share) for share in shares]
    return AttackedBatch(
        labels=known.tolist(),
        targets=[None] * len(known) if targets is None else targets.tolist(),
        clean=pixels,
        pixels=(adversarial * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy(),
        before=before,
        after=predictions(classifier, adversarial),
        held_out=held_out,
        queries=queried.queries if queried else 0,
    )


def _targets(
    settings: GenerateSettings, classifier: Classifier, clean: Tensor, labels: Tensor, index: int
) -> Tensor | None:
    if settings.recipe.target is not None:
        chosen: Tensor = settings.recipe.target(classifier, clean)
        return chosen
    if settings.target == NO_TARGET:
        return None
    if settings.target == LEAST_LIKELY:
        return least_likely_class(classifier, clean)
    if settings.target == RANDOM:
        return random_target(labels, len(classifier.labels), generator(settings.seed, "target", index))
    return torch.full_like(labels, classifier.label_index(settings.target))


@torch.no_grad()
def _success(
    settings: GenerateSettings,
    distribution: Transformation,
    classifier: Classifier,
    images: Tensor,
    *,
    labels: Tensor,
    targets: Tensor | None,
    draws: str,
) -> Tensor:
    """Return the share of one fixed set of transformed views that reach what the attack wants, (B,)."""
    count = HELD_OUT_DRAWS if settings.is_transformed else 1
    drawn = distribution.sample(count, generator(settings.seed, draws))
    shares = []
    for position, image in enumerate(images):
        seen = distribution.apply(image.expand(count, -1, -1, -1), drawn)
        answers = classifier.classes(seen)
        reached = answers != labels[position] if targets is None else answers == targets[position]
        shares.append(reached.float().mean())
    return torch.stack(shares)
