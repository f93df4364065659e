"""`masking-check`: attack a classifier with its gradients and without, and say whether they mislead."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from physadv.attacks.checks import check_differentiable, eight_bit_levels, whole_eps
from physadv.attacks.gradient import fast
from physadv.attacks.loop import Snapshot, Watch, optimise
from physadv.attacks.objectives import Objective, untargeted_cross_entropy, untargeted_margin
from physadv.attacks.optimisers import MomentumSign, SignedStep
from physadv.attacks.queries import NES, QueryOnly
from physadv.attacks.variables import LInfBall
from physadv.classifiers import Classifier, load_classifier
from physadv.errors import PhysadvError
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.masking import AttackOutcomes, Bools, Symptom, accuracy, masking_symptoms, verdict
from physadv.pipeline.attack_batch import to_tensor
from physadv.pipeline.sources import Source, batches_of_one_size, check_source, find_sources, read_source
from physadv.progress import Reporter, silent
from physadv.randomness import generator
from physadv.transforms import identity

CURVE = (1, 2, 5, 10, 20, 50, 100)
WHOLE_RANGE = 255


class MaskingError(PhysadvError):
    """A masking check cannot be made."""


@dataclass(frozen=True)
class MaskingSettings:
    """What is checked, on what.

    Attributes:
        images: folder, CSV file or class tree, see `find_sources`; without labels those of the classifier.
        model: a spec of `load_classifier`; `labels` its class names, if they are in a file.
        eps: budget in 8-bit levels.
        steps: of the attacks by gradients, PGD's of eps/4 each (Madry et al. 2018).
        query_steps: of the attack by answers, each of `population` queries.
        sigma: how far it looks, in 8-bit levels. 2.55, a hundredth of the range, is Uesato et al. 2018's
            (arXiv:1802.05666): further than gradients see, so that steps in the input do not hide the way.
        noise: random pictures of the budget tried on each image.
        size: images are reduced to this many pixels a side; `limit` how many of them, all by default.
        batch: images attacked at once.
        device: the classifier runs there.
    """

    images: Path
    model: str = "signs"
    labels: Path | None = None
    eps: int = 16
    steps: int = 100
    query_steps: int = 50
    population: int = 50
    sigma: float = 2.55
    noise: int = 100
    size: int = 299
    limit: int | None = None
    seed: int = 0
    batch: int = 16
    device: str = "auto"


@dataclass(frozen=True)
class MaskingCheck:
    """What a masking check found: accuracies of the images right before it, the signs, and the verdict.

    Attributes:
        attacks: attack → accuracy under it.
        iterative: steps → accuracy after so many by gradients; likewise `unbounded`.
        wrong_before: images left out because the classifier gets them wrong anyhow.
        queries: answers taken for each image by the attack that takes nothing else.
    """

    classifier: str
    eps: int
    attacks: Mapping[str, Estimate]
    iterative: Mapping[int, Estimate]
    unbounded: Mapping[int, Estimate]
    wrong_before: int
    queries: int
    signs: Sequence[Symptom]
    verdict: str

    @property
    def curves(self) -> dict[str, Mapping[int, Estimate]]:
        """Return the two curves by name, steps → accuracy."""
        return {f"gradients, eps {self.eps}": self.iterative, "gradients, no bound": self.unbounded}

    def as_json(self) -> dict[str, Any]:
        """Return it as plain numbers, for `json`."""
        return asdict(self)


def masking_check(settings: MaskingSettings, reporter: Reporter = silent) -> MaskingCheck:
    """Attack by gradients, by answers and by chance, and compare (Athalye, Carlini and Wagner 2018).

    Raises:
        PhysadvError: bad input of any kind, a classifier without gradients, or one that gets no image right.
    """
    for name, value, least in (
        ("steps", settings.steps, 1),
        ("query_steps", settings.query_steps, 1),
        ("noise", settings.noise, 1),
        ("batch", settings.batch, 1),
        ("limit", settings.limit, 1),
        ("size", settings.size, 16),
    ):
        if value is not None and value < least:
            raise MaskingError(f"{name} {value}: wanted {least} or more")
    whole_eps(settings.eps / 255)
    directions = NES(settings.population, settings.sigma / 255)
    classifier = load_classifier(settings.model, settings.labels, device=settings.device)
    check_differentiable(classifier)
    sources = find_sources(settings.images, classifier)[: settings.limit]
    checked = [check_source(source, settings.size) for source in sources]
    batches = list(batches_of_one_size(checked, settings.batch))
    found = [
        trials
        for index, batch in enumerate(reporter.track(batches, len(batches), "masking check, batches"))
        if (trials := _try(settings, directions, classifier, [item.source for item in batch], index))
    ]
    if not found:
        raise MaskingError(f"{settings.images}: {settings.model} gets none of {len(sources)} images right")
    trials = _joined(found)
    signs = masking_symptoms(trials)
    return MaskingCheck(
        classifier=classifier.spec,
        eps=settings.eps,
        attacks={
            "random noise": accuracy(trials.noise),
            "one step": accuracy(trials.one_step),
            "answers only": accuracy(trials.queries),
        },
        iterative={step: accuracy(right) for step, right in trials.iterative.items()},
        unbounded={step: accuracy(right) for step, right in trials.unbounded.items()},
        wrong_before=len(sources) - len(trials.noise),
        queries=settings.query_steps * (1 + settings.population),
        signs=signs,
        verdict=verdict(signs),
    )


def _try(
    settings: MaskingSettings, directions: NES, classifier: Classifier, sources: Sequence[Source], index: int
) -> AttackOutcomes | None:
    """Return what became of those images of a batch that the classifier gets right, if there are any."""
    images = to_tensor([read_source(source.path, settings.size) for source in sources])
    images = images.to(classifier.device)
    answers = classifier.probabilities(images).argmax(dim=1)
    known = torch.tensor(
        [int(own) if s.label is None else s.label for s, own in zip(sources, answers, strict=True)],
        device=images.device,
    )
    images, labels = images[answers == known], known[answers == known]
    if not len(images):
        return None
    trial = _Trial(classifier, images, labels, settings, index)
    iterative, raised = trial.by_gradients(trial.ball)
    unbounded, _ = trial.by_gradients(LInfBall(trial.ball.levels, WHOLE_RANGE))
    return AttackOutcomes(
        iterative=iterative,
        unbounded=unbounded,
        raised=raised,
        one_step=trial.right(fast(classifier, images, labels, eps=settings.eps / 255)),
        queries=trial.by_answers(directions),
        noise=trial.by_chance(),
    )


class _Trial:
    """Images of one batch, all of them right, and the ways to attack them."""

    def __init__(
        self, classifier: Classifier, images: Tensor, labels: Tensor, settings: MaskingSettings, index: int
    ) -> None:
        self.classifier, self.labels, self.settings, self.index = classifier, labels, settings, index
        self.ball = LInfBall(eight_bit_levels(images), settings.eps, random_start=True)
        self.size = max(1, round(settings.eps / 4))

    def right(self, images: Tensor) -> Bools:
        """Return which images are still right, bool (B,)."""
        right: Bools = (self.classifier.probabilities(images).argmax(dim=1) == self.labels).cpu().numpy()
        return right

    def random(self, purpose: str) -> torch.Generator:
        """Return the stream of one attack on this batch."""
        return generator(self.settings.seed, "masking", purpose, self.index)

    def by_gradients(self, ball: LInfBall) -> tuple[dict[int, Bools], Bools]:
        """Return which are right after how many steps of PGD, and whether the last left the loss raised.

        Without a bound it starts at the image itself, as a random start would be noise and no attack, in
        steps that can cross the whole range.
        """
        steps = self.settings.steps
        curve: dict[int, Bools] = {}
        losses: list[Tensor] = []

        def keep(snapshot: Snapshot) -> None:
            if snapshot.step in CURVE:
                curve[snapshot.step] = self.right(ball.images(snapshot.values))

        objective = untargeted_cross_entropy(self.labels)
        end = optimise(
            self.classifier,
            objective,
            ball,
            identity,
            SignedStep(max(self.size, -(-ball.eps // steps))),
            steps=steps,
            samples=1,
            generator=self.random("gradients"),
            watch=Watch(callback=lambda step, before: losses.append(before), keep=keep),
        )
        images = ball.images(end)
        curve[steps] = self.right(images)
        lowered = self._losses(objective, images) < losses[0]
        return curve, lowered.cpu().numpy() | ~curve[steps]

    def by_answers(self, directions: NES) -> Bools:
        """Return which are right after NES on the margin loss, which saturation does not flatten."""
        random = self.random("answers")
        end = optimise(
            QueryOnly(self.classifier, directions, random),
            untargeted_margin(self.labels),
            self.ball,
            identity,
            MomentumSign(self.size, decay=0.9),
            steps=self.settings.query_steps,
            samples=1,
            generator=random,
        )
        return self.right(self.ball.images(self.ball.whole(end)))

    def by_chance(self) -> Bools:
        """Return which are right in all of the random draws from the ball."""
        random = self.random("noise")
        draws = [self.right(self.ball.start(random) / 255) for _ in range(self.settings.noise)]
        survived: Bools = np.logical_and.reduce(draws)
        return survived

    @torch.no_grad()
    def _losses(self, objective: Objective, images: Tensor) -> Tensor:
        return objective(self.classifier(images)[None])[0]


def _joined(trials: Sequence[AttackOutcomes]) -> AttackOutcomes:
    """Return the trials of all batches as one."""
    return AttackOutcomes(
        iterative=_joined_curves([trial.iterative for trial in trials]),
        unbounded=_joined_curves([trial.unbounded for trial in trials]),
        **{
            name: np.concatenate([getattr(trial, name) for trial in trials])
            for name in ("raised", "one_step", "queries", "noise")
        },
    )


def _joined_curves(curves: Sequence[Mapping[int, Bools]]) -> dict[int, Bools]:
    return {step: np.concatenate([curve[step] for curve in curves]) for step in curves[0]}
