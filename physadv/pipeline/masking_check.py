"""`masking-check`: attack a classifier with its gradients and without, and say whether they mislead."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from physadv.attacks.recipes import RECIPES
from physadv.classifiers.specs import check_spec
from physadv.errors import PhysadvError
from physadv.evaluation.comparisons import check_smallest
from physadv.evaluation.intervals import Estimate, share
from physadv.evaluation.masking import AttackOutcomes, Symptom, masking_symptoms, verdict
from physadv.evaluation.outcomes import Bools
from physadv.pipeline.settings import MaskingSettings, check_least
from physadv.pipeline.sources import (
    check_source,
    label_sources,
    list_sources,
    neighbours_of_one_size,
    read_source,
)
from physadv.progress import Reporter, silent

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.classifiers import Classifier


class MaskingError(PhysadvError):
    """A masking check cannot be made."""


@dataclass(frozen=True)
class MaskingCheck:
    """What a masking check found, on the images that the classifier gets right without an attack.

    Attributes:
        classifier: the spec of the classifier.
        eps: budget in 8-bit levels.
        attacks: attack → accuracy under it.
        iterative: steps → accuracy after as many gradient steps within the budget.
        restarts: random starts → accuracy where an image has failed once the attack from any made it fail.
        unbounded: steps → accuracy after as many gradient steps with the whole pixel range as budget.
        wrong_before: images left out because the classifier gets them wrong without any attack.
        queries: queries for each image by the black-box attack.
        smallest: smallest difference of interest, in shares.
        signs: the symptoms of masked gradients, seen or not.
        verdict: what they amount to, in words.
    """

    classifier: str
    eps: int
    attacks: Mapping[str, Estimate]
    iterative: Mapping[int, Estimate]
    restarts: Mapping[int, Estimate]
    unbounded: Mapping[int, Estimate]
    wrong_before: int
    queries: int
    smallest: float
    signs: Sequence[Symptom]
    verdict: str

    @property
    def curves(self) -> dict[str, Mapping[int, Estimate]]:
        """Return the curves by name: steps, or random starts with all steps from each → accuracy."""
        return {
            f"gradients, eps {self.eps}": self.iterative,
            f"restarts, {max(self.iterative)} steps each": self.restarts,
            "gradients, no bound": self.unbounded,
        }


def masking_check(settings: MaskingSettings, reporter: Reporter = silent) -> MaskingCheck:
    """Attack with gradients, with queries alone and by chance, and compare (Athalye et al. 2018).

    Raises:
        PhysadvError: bad input of any kind, a classifier without gradients, or one that gets no image right.
    """
    check_least(
        settings,
        {"steps": 1, "restarts": 1, "query_steps": 1, "noise": 1, "batch": 1, "limit": 1, "size": 16},
    )
    RECIPES["pgd"].budget(settings.eps, None)
    check_smallest(settings.smallest)
    check_spec(settings.model, settings.labels)
    listed = list_sources(settings.images)
    # Torch is loaded only now that numbers and paths are known to be right.
    from physadv.attacks.queries import NES
    from physadv.attacks.running import check_differentiable
    from physadv.classifiers import load_classifier
    from physadv.pipeline.examples import to_tensor

    NES(settings.population, settings.sigma / 255)  # raises where these cannot be
    classifier = load_classifier(settings.model, settings.labels, device=settings.device)
    check_differentiable(classifier)
    sources = label_sources(listed, classifier)[: settings.limit]
    sources = [check_source(source, settings.size) for source in sources]
    batches = list(neighbours_of_one_size(sources, lambda source: source.size_px, settings.batch))
    read = (
        (
            to_tensor([read_source(source.path, settings.size) for source in batch]),
            [source.label for source in batch],
        )
        for batch in reporter.track(batches, len(batches), "masking check, batches")
    )
    return check_batches(settings, classifier, read)


def check_batches(
    settings: MaskingSettings,
    classifier: "Classifier",
    batches: "Iterable[tuple[Tensor, Sequence[int | None]]]",
) -> MaskingCheck:
    """Return what `masking_check` finds on images that are there already.

    Images are float (B, 3, H, W) in [0, 1] in whole 8-bit levels; None in place of a true class stands for
    the classifier's own answer. The settings' images and model are named in errors only.

    Raises:
        MaskingError: the classifier gets no image right.
    """
    from physadv.pipeline.masking_attacks import attack_every_way

    found, count = [], 0
    for index, (images, labels) in enumerate(batches):
        count += len(labels)
        if outcomes := attack_every_way(settings, classifier, images, labels, index):
            found.append(outcomes)
    if not found:
        raise MaskingError(f"{settings.images}: {settings.model} gets none of {count} images right")
    outcomes = _joined(found)
    signs = masking_symptoms(outcomes, settings.smallest)
    return MaskingCheck(
        classifier=classifier.spec,
        eps=settings.eps,
        attacks={
            "random noise": share(outcomes.noise),
            "one step": share(outcomes.one_step),
            "answers only": share(outcomes.queries),
        },
        iterative={step: share(right) for step, right in outcomes.iterative.items()},
        restarts={starts: share(right) for starts, right in outcomes.restarts.items()},
        unbounded={step: share(right) for step, right in outcomes.unbounded.items()},
        wrong_before=count - len(outcomes.noise),
        smallest=settings.smallest,
        queries=settings.query_steps * (1 + settings.population),
        signs=signs,
        verdict=verdict(signs, len(outcomes.noise), settings.smallest),
    )


def _joined(batches: Sequence[AttackOutcomes]) -> AttackOutcomes:
    """Return the outcomes of all batches as one."""
    import numpy as np

    def curve(name: str) -> dict[int, Bools]:
        curves: list[Mapping[int, Bools]] = [getattr(batch, name) for batch in batches]
        return {step: np.concatenate([each[step] for each in curves]) for step in curves[0]}

    def rights(name: str) -> Bools:
        return np.concatenate([getattr(batch, name) for batch in batches])

    return AttackOutcomes(
        iterative=curve("iterative"),
        restarts=curve("restarts"),
        unbounded=curve("unbounded"),
        raised=rights("raised"),
        one_step=rights("one_step"),
        queries=rights("queries"),
        noise=rights("noise"),
    )
