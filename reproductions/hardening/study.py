"""A classifier under every attack, each made afresh against it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from physadv.classifiers import Classifier, load_classifier
from physadv.classifiers.specs import SIGN_LABELS
from physadv.defences import Measured, measure
from physadv.evaluation.intervals import Estimate
from physadv.pipeline.masking_check import MaskingCheck, check_batches
from physadv.pipeline.settings import MaskingSettings
from physadv.progress import Reporter, silent
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.sign_photos import read_sign_photos
from physadv.signs.training.data import read_test, read_victims
from physadv.signs.training.harden_settings import HardenError
from reproductions.hardening.attempts import attempts
from reproductions.hardening.stop_signs import camera_shares, preset_shares
from reproductions.rp2.published import FOLDER

MASKING_EPS = 4


@dataclass(frozen=True)
class HardeningSize:
    """Size of the study.

    Attributes:
        every: every n-th test image is attacked.
        queried: number of those that are attacked as a black box, and checked for masked gradients.
        query_steps: steps of the black-box attack.
        sticker_steps: steps of the stickers that all stop signs share.
        draws: held-out views in which the small ones are judged on each sign.
        camera: size of the simulated tests of larger ones.
    """

    every: int = 12
    queried: int = 40
    query_steps: int = 50
    sticker_steps: int = 300
    draws: int = 20
    camera: StudySize = field(default_factory=lambda: StudySize(shots=1, every=40))


@dataclass(frozen=True)
class Findings:
    """What the attacks do to one classifier.

    Attributes:
        spec: the classifier.
        test: GTSRB test images right.
        victims: photos of US stop signs right.
        fooled: attack → share of the attacked images that it gets right otherwise, and does not now.
        stop_signs: treatment and aim → share of held-out views, of small stickers.
        camera: mask, test, treatment and aim → share of views by the simulated cameras, of larger ones.
        masking: whether its gradients mislead, under L∞ noise.
    """

    spec: str
    test: Measured
    victims: Measured
    fooled: Mapping[str, Estimate]
    stop_signs: Mapping[str, Estimate]
    camera: Mapping[str, Estimate]
    masking: MaskingCheck


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch compute in one thread: the same sums in the same order, whatever the number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def study_of(spec: str, data: Path, size: HardeningSize) -> Findings:
    """Load a classifier and attack it in every way, in one thread."""
    with _one_thread():
        return study(load_classifier(spec), data, size)


def study(classifier: Classifier, data: Path, size: HardeningSize, reporter: Reporter = silent) -> Findings:
    """Attack one classifier of the bundled classes in every way.

    Raises:
        PhysadvError: data are missing or damaged, or the classifier has other classes.
    """
    if classifier.labels != SIGN_LABELS:
        raise HardenError(f"model '{classifier.spec}' has other classes than the bundled {len(SIGN_LABELS)}")
    test, victims = read_test(data), read_victims(data)
    photos = read_sign_photos(data / FOLDER / "victims")
    images, labels = test.images[:: size.every].float() / 255, test.labels[:: size.every]
    right = classifier.classes(images) == labels
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
        stop_signs=preset_shares(
            classifier, photos, steps=size.sticker_steps, draws=size.draws, reporter=reporter
        ),
        camera=camera_shares(classifier, photos, size.camera, steps=size.sticker_steps, reporter=reporter),
        masking=_masking(classifier, images[: size.queried], labels[: size.queried], data),
    )


def _masking(classifier: Classifier, images: Tensor, labels: Tensor, data: Path) -> MaskingCheck:
    """Return the check of `physadv masking-check` on images (B, 3, H, W)."""
    settings = MaskingSettings(data, classifier.spec, eps=MASKING_EPS)
    starts = range(0, len(labels), settings.batch)
    batches = ((images[i : i + settings.batch], labels[i : i + settings.batch].tolist()) for i in starts)
    return check_batches(settings, classifier, batches)
