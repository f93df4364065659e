"""A classifier under every attack, each made afresh against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from torch import Tensor

from physadv.classifiers import Classifier, load_classifier
from physadv.classifiers.specs import SIGN_LABELS
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
from reproductions.hardening.attempts import attempts
from reproductions.hardening.stop_signs import stop_sign_shares
from reproductions.rp2.held_out import run_held_out
from reproductions.rp2.published import FOLDER
from reproductions.rp2.study import TARGETS

MASKING_EPS = 4
CAMERA_MASKS = ("two-bars", AUTO)
CAMERA_TARGETS: tuple[str | None, ...] = (TARGETS["signs"], "no entry", None)
"""The stop-sign study's target, the only other white-on-red sign, and whichever class is easiest."""


@dataclass(frozen=True)
class HardeningSize:
    """Size of the study.

    Attributes:
        every: every n-th test image is attacked.
        queried: number of those that are attacked as a black box, and checked for masked gradients.
        query_steps: steps of the black-box attack.
        shared_steps: steps of the stickers that all stop signs share.
        shared_samples: views drawn of every photo at each of those steps.
        shared_draws: held-out views in which the shared stickers are judged on each photo.
        camera: size of the simulated tests of larger stickers.
        camera_steps: steps of the larger stickers.
    """

    every: int = 12
    queried: int = 40
    query_steps: int = 50
    shared_steps: int = 200
    shared_samples: int = 4
    shared_draws: int = 20
    camera: StudySize = field(default_factory=lambda: StudySize(shots=1, every=40))
    camera_steps: int = 300


@dataclass(frozen=True)
class Findings:
    """What the attacks do to one classifier.

    Attributes:
        spec: the classifier.
        test: GTSRB test images right.
        victims: photos of US stop signs right.
        fooled: attack → share of the attacked images that it gets right otherwise, and does not now.
        stop_signs: treatment and aim → share of held-out views.
        camera: mask, test, treatment and aim → share of views by the simulated cameras.
        masking: whether its gradients mislead, under L∞ noise.
    """

    spec: str
    test: Measured
    victims: Measured
    fooled: Mapping[str, Estimate]
    stop_signs: Mapping[str, Estimate]
    camera: Mapping[str, Estimate]
    masking: MaskingCheck


def study_of(spec: str, data: Path, size: HardeningSize) -> Findings:
    """Load a classifier and attack it in every way, in one thread."""
    with one_thread():
        return study(load_classifier(spec), data, size)


def study(classifier: Classifier, data: Path, size: HardeningSize, reporter: Reporter = silent) -> Findings:
    """Attack one classifier of the bundled classes in every way.

    Raises:
        PhysadvError: data are missing or damaged, or the classifier has other classes.
    """
    if classifier.labels != SIGN_LABELS:
        raise HardenError(f"model '{classifier.spec}' has other classes than the bundled {len(SIGN_LABELS)}")
    test, victims = read_test(data), read_victims(data)
    images, labels = test.images[:: size.every].float() / 255, test.labels[:: size.every]
    right = classifier.probabilities(images).argmax(dim=1) == labels
    images, labels = images[right], labels[right]
    tried = attempts(size.queried, size.query_steps)
    fooled = {
        attempt.name: attempt.fooled(classifier, images, labels)
        for attempt in reporter.track(tried, len(tried), f"{classifier.spec}, attacks")
    }
    reporter.say(f"{classifier.spec}: stickers that stop signs share")
    return Findings(
        spec=classifier.spec,
        test=measure(classifier, *test),
        victims=measure(classifier, *victims),
        fooled=fooled,
        stop_signs=stop_sign_shares(
            classifier,
            victims,
            steps=size.shared_steps,
            samples=size.shared_samples,
            draws=size.shared_draws,
        ),
        camera=camera_shares(classifier, data, size.camera, size.camera_steps, reporter),
        masking=_masking(classifier, images[: size.queried], labels[: size.queried], data),
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
