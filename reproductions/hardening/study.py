"""What a classifier is worth under every attack, each made afresh against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from torch import Tensor

from physadv.classifiers import Classifier, load_classifier
from physadv.classifiers.gtsrb import SIGN_LABELS
from physadv.defences import Measured, measure
from physadv.evaluation.intervals import Estimate
from physadv.parallel import one_thread
from physadv.pipeline.masking_check import MaskingCheck, check_batches
from physadv.pipeline.settings import MaskingSettings
from physadv.progress import Reporter, silent
from physadv.signs.stop_sign.make import stickers_for
from physadv.signs.stop_sign.settings import AUTO, CLEAN, OPTIMISED, RANDOM, StopSignSettings, StudySize
from physadv.signs.stop_sign.sign_photos import read_sign_photos
from physadv.signs.training.data import read_test, read_victims
from physadv.signs.training.harden_settings import HardenError
from reproductions.hardening.stop_signs import Effort, stop_sign_shares
from reproductions.hardening.trials import trials
from reproductions.rp2.held_out import run_held_out
from reproductions.rp2.published import FOLDER
from reproductions.rp2.study import TARGETS

MASKING_EPS = 4
CAMERA_MASKS = ("two-bars", AUTO)
CAMERA_TARGETS: tuple[str | None, ...] = (TARGETS["signs"], "no entry", None)
"""That of the stop-sign study; the only other sign of white on red; whichever is easiest."""


@dataclass(frozen=True)
class Extent:
    """How much is tried.

    Attributes:
        every: so manyth test image is attacked.
        queried: of those, attacked by answers only, and checked for masked gradients.
        query_steps: of the attack by answers.
        effort: for the stickers that all stop signs share.
        camera: size of the simulated tests of larger stickers.
        camera_steps: of the optimiser of the larger stickers.
    """

    every: int = 12
    queried: int = 40
    query_steps: int = 50
    effort: Effort = field(default_factory=Effort)
    camera: StudySize = field(default_factory=lambda: StudySize(shots=1, every=40))
    camera_steps: int = 300


@dataclass(frozen=True)
class Findings:
    """What one classifier is worth.

    Attributes:
        spec: the classifier.
        test: GTSRB test images right; likewise `victims`, photos of US stop signs.
        fooled: attack → share of the attacked images that it gets right otherwise, and does not now.
        stop_signs: treatment and aim → share of held-out views.
        camera: mask, test, treatment and aim → share of sights by the simulated cameras; see `camera_shares`.
        masking: whether its gradients mislead, under L∞ noise.
    """

    spec: str
    test: Measured
    victims: Measured
    fooled: Mapping[str, Estimate]
    stop_signs: Mapping[str, Estimate]
    camera: Mapping[str, Estimate]
    masking: MaskingCheck


def study_of(spec: str, data: Path, extent: Extent) -> Findings:
    """Load a classifier and attack it in every way, in one thread; see `study`."""
    with one_thread():
        return study(load_classifier(spec), data, extent)


def study(classifier: Classifier, data: Path, extent: Extent, reporter: Reporter = silent) -> Findings:
    """Attack one classifier of the bundled classes in every way.

    Raises:
        PhysadvError: data are missing or damaged, or the classifier has other classes.
    """
    if classifier.labels != SIGN_LABELS:
        raise HardenError(f"model '{classifier.spec}' has other classes than the bundled {len(SIGN_LABELS)}")
    test, victims = read_test(data), read_victims(data)
    images, labels = test.images[:: extent.every].float() / 255, test.labels[:: extent.every]
    right = classifier.probabilities(images).argmax(dim=1) == labels
    images, labels = images[right], labels[right]
    tried = trials(extent.queried, extent.query_steps)
    fooled = {
        trial.name: trial.fooled(classifier, images, labels)
        for trial in reporter.track(tried, len(tried), f"{classifier.spec}, attacks")
    }
    reporter.say(f"{classifier.spec}: stickers that stop signs share")
    return Findings(
        spec=classifier.spec,
        test=measure(classifier, *test),
        victims=measure(classifier, *victims),
        fooled=fooled,
        stop_signs=stop_sign_shares(classifier, victims, extent.effort),
        camera=camera_shares(classifier, data, extent.camera, extent.camera_steps, reporter),
        masking=_masking(classifier, images[: extent.queried], labels[: extent.queried], data),
    )


def camera_shares(
    classifier: Classifier, data: Path, size: StudySize, steps: int, reporter: Reporter = silent
) -> dict[str, Estimate]:
    """Return mask, test, treatment and aim → share, of stickers before the cameras of `physadv stop-sign`.

    They are made on half of the photos of stop signs and judged on the others. Stickers for a target count
    where it is reached, those for any other class where the sign is not called stop.
    """
    shares = {}
    photos = read_sign_photos(data / FOLDER / "victims")
    for mask, target in product(CAMERA_MASKS, CAMERA_TARGETS):
        settings = StopSignSettings(model=classifier.spec, target=target, mask=mask, steps=steps)
        run = stickers_for(classifier, photos, settings, reporter)
        found = run_held_out(run, size, reporter)
        for test, score in (("lab", found.lab), ("drive-by", found.drive), ("drive-by, found", found.found)):
            shares[f"clean, {test}, not called stop"] = score.overall[CLEAN].untargeted
            for treatment in (RANDOM, OPTIMISED):
                shown = score.overall[treatment]
                if target is None:
                    shares[f"{mask}, {test}, {treatment}, not called stop"] = shown.untargeted
                else:
                    shares[f"{mask}, {test}, {treatment}, called {target}"] = shown.targeted
    return dict(sorted(shares.items(), key=lambda item: not item[0].startswith(CLEAN)))


def _masking(classifier: Classifier, images: Tensor, labels: Tensor, data: Path) -> MaskingCheck:
    """Return the check of `physadv masking-check` on images (B, 3, H, W)."""
    settings = MaskingSettings(data, classifier.spec, eps=MASKING_EPS)
    starts = range(0, len(labels), settings.batch)
    batches = ((images[i : i + settings.batch], labels[i : i + settings.batch].tolist()) for i in starts)
    return check_batches(settings, classifier, batches)
