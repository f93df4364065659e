"""The attacks of `masking-check` on one batch: by gradients, by queries alone, and by chance."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from physadv.attacks.gradient import fast
from physadv.attacks.loop import Snapshot, optimise
from physadv.attacks.objectives import Objective, untargeted_cross_entropy, untargeted_margin
from physadv.attacks.optimisers import MomentumSign, SignedStep
from physadv.attacks.queries import NES, QueryOnly
from physadv.attacks.running import eight_bit_levels
from physadv.attacks.variables import LInfBall
from physadv.classifiers import Classifier
from physadv.evaluation.masking import AttackOutcomes
from physadv.evaluation.outcomes import Bools
from physadv.pipeline.settings import MaskingSettings
from physadv.randomness import generator
from physadv.transforms import identity

CURVE = (1, 2, 5, 10, 20, 50, 100)
"""Numbers of steps, and of restarts, after which accuracy is written down."""
WHOLE_RANGE = 255


def attack_every_way(
    settings: MaskingSettings,
    classifier: Classifier,
    images: Tensor,
    labels: Sequence[int | None],
    index: int,
) -> AttackOutcomes | None:
    """Return what became of those images (B, 3, H, W) that the classifier gets right, if there are any.

    An image without a label has the classifier's own answer as its true class; `index` seeds random streams.
    """
    images = images.to(classifier.device)
    answers = classifier.classes(images)
    known = torch.tensor(
        [int(own) if label is None else label for label, own in zip(labels, answers, strict=True)],
        device=images.device,
    )
    images, known = images[answers == known], known[answers == known]
    if not len(images):
        return None
    batch = _Batch(classifier, images, known, settings, index)
    iterative, raised = batch.by_gradients(batch.ball)
    restarts = batch.by_restarts(iterative[settings.steps])
    unbounded, _ = batch.by_gradients(LInfBall(batch.ball.levels, WHOLE_RANGE))
    return AttackOutcomes(
        iterative=iterative,
        restarts=restarts,
        unbounded=unbounded,
        raised=raised,
        one_step=batch.right(fast(classifier, images, known, eps=settings.eps / 255)),
        queries=batch.by_queries(),
        noise=batch.by_chance(),
    )


class _Batch:
    """Images of one batch, all of them right, and the ways to attack them."""

    def __init__(
        self, classifier: Classifier, images: Tensor, labels: Tensor, settings: MaskingSettings, index: int
    ) -> None:
        self.classifier, self.labels, self.settings, self.index = classifier, labels, settings, index
        self.images = images
        self.ball = LInfBall(eight_bit_levels(images), settings.eps, random_start=True)
        self.size = max(1, round(settings.eps / 4))

    def right(self, images: Tensor) -> Bools:
        """Return which images are still right, bool (B,)."""
        right: Bools = (self.classifier.classes(images) == self.labels).cpu().numpy()
        return right

    def random(self, purpose: str, restart: int = 0) -> torch.Generator:
        again = (restart,) if restart else ()
        return generator(self.settings.seed, "masking", purpose, self.index, *again)

    def by_restarts(self, right: Bools) -> dict[int, Bools]:
        """Return which are right after how many gradient attacks from random starts, `right` after the first.

        An image has failed once any of them made it fail; those that have are not attacked again.
        """
        restarts, survived = self.settings.restarts, right.copy()
        curve: dict[int, Bools] = {}
        for restart in range(restarts):
            if restart and survived.any():
                left = torch.from_numpy(survived).to(self.labels.device)
                among = _Batch(
                    self.classifier, self.images[left], self.labels[left], self.settings, self.index
                )
                again, _ = among.by_gradients(among.ball, restart)
                survived[survived] = again[self.settings.steps]
            if restart + 1 in (*CURVE, restarts):
                curve[restart + 1] = survived.copy()
        return curve

    def by_gradients(self, ball: LInfBall, restart: int = 0) -> tuple[dict[int, Bools], Bools]:
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
            generator=self.random("gradients", restart),
            callback=lambda step, before: losses.append(before),
            keep=keep,
        )
        images = ball.images(end)
        curve[steps] = self.right(images)
        lowered = self._losses(objective, images) < losses[0]
        return curve, lowered.cpu().numpy() | ~curve[steps]

    def by_queries(self) -> Bools:
        """Return which are right after NES on the margin loss, which saturation does not flatten."""
        random = self.random("answers")
        directions = NES(self.settings.population, self.settings.sigma / 255)
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
        survived: Bools = np.all(draws, axis=0)
        return survived

    @torch.no_grad()
    def _losses(self, objective: Objective, images: Tensor) -> Tensor:
        return objective(self.classifier(images)[None])[0]
