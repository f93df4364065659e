"""A classifier under every attack, each made afresh against it, in parts that are kept as they end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from physadv.classifiers import Classifier, load_classifier
from physadv.classifiers.specs import SIGN_LABELS
from physadv.pipeline.masking_check import check_batches
from physadv.pipeline.settings import MaskingSettings
from physadv.report.wording import with_interval
from physadv.signs.stop_sign.sign_photos import read_sign_photos
from physadv.signs.training.data import STOP, read_test
from physadv.signs.training.harden_settings import HardenError
from physadv.transforms import round_to_8_bits
from reproductions.hardening.answers import Answers, Rows
from reproductions.hardening.attempts import NOISE, squares, squares_by_answers, squares_to
from reproductions.hardening.stop_signs import clean_photos, shared_stickers
from reproductions.rp2.published import FOLDER

AREAS = (0.02, 0.05, 0.1, 0.2, 0.4)
TENTH, FIFTH = 0.1, 0.19
SEEDS = (0, 1, 2)
NO_ENTRY = "no entry"
"""The only other white-on-red sign, the class that stickers on a hardened stop sign reached most often."""
MASKING_EPS = 4
CLEAN, PHOTOS, SQUARES, TO_STOP, ON_STOP, NOISY, QUERIED, MASKING, SHARED = (
    "clean",
    "photos",
    "squares",
    "squares to stop",
    "squares on stop signs",
    "noise",
    "answers only",
    "masking",
    "shared",
)
_AT_ONCE = 256


@dataclass(frozen=True)
class HardeningSize:
    """Size of the study.

    Attributes:
        every: every n-th test image is attacked.
        steps: steps of a square of an image's own.
        restarts: how often squares of a tenth are made anew.
        queried: images that are attacked by answers only, and checked for masked gradients.
        query_steps: steps of the attack by answers only.
        shared_steps: steps of the stickers that stop signs share.
        draws: held-out views in which these are judged on each sign.
    """

    every: int = 30
    steps: int = 60
    restarts: int = 10
    queried: int = 40
    query_steps: int = 50
    shared_steps: int = 160
    draws: int = 20


@dataclass(frozen=True)
class Task:
    """One part of the study.

    Attributes:
        kind: what is done.
        area: share of the picture, or of the plate, under stickers.
        what: name of the noise, or the class that shared stickers are made for; none means any other class.
        seed: of the attack; a restart has its own.
        lab: whether shared stickers are judged by the lab test as well.
    """

    kind: str
    area: float = 0.0
    what: str | None = None
    seed: int = 0
    lab: bool = False


@dataclass(frozen=True)
class Unit:
    """One part of the study against one classifier."""

    data: Path
    size: HardeningSize
    spec: str
    task: Task


Study = Mapping[Task, Rows]
"""What was found against one classifier; rows of attacks on single images are called by their kind."""


def tasks_of(size: HardeningSize) -> list[Task]:
    """Return all parts of the study, the longest first."""
    tasks = [Task(SHARED, FIFTH, None, seed, lab=seed == 0) for seed in SEEDS]
    tasks += [Task(SHARED, FIFTH, NO_ENTRY, seed, lab=seed == 0) for seed in SEEDS]
    tasks += [Task(SHARED, TENTH, None, seed) for seed in SEEDS]
    tasks += [Task(MASKING), Task(QUERIED, TENTH)]
    tasks += restarts(size)
    tasks += [Task(SQUARES, area, seed=seed) for area in AREAS if area != TENTH for seed in SEEDS]
    tasks += [Task(kind, TENTH, seed=seed) for kind in (TO_STOP, ON_STOP) for seed in SEEDS]
    tasks += [Task(NOISY, what=name) for name in NOISE]
    return [*tasks, Task(CLEAN), Task(PHOTOS)]


def restarts(size: HardeningSize) -> list[Task]:
    """Return the restarts of squares of a tenth; the first three are the seeds of that area."""
    return [Task(SQUARES, TENTH, seed=seed) for seed in range(max(size.restarts, len(SEEDS)))]


def rows_of(unit: Unit) -> dict[str, Answers]:
    """Return the answers of one part, computed in one thread.

    Raises:
        PhysadvError: data are missing or damaged, or the classifier has other classes.
    """
    with _one_thread():
        classifier = load_classifier(unit.spec)
        if classifier.labels != SIGN_LABELS:
            raise HardenError(f"model '{unit.spec}' has other classes than the bundled {len(SIGN_LABELS)}")
        task, size = unit.task, unit.size
        if task.kind in (SHARED, PHOTOS):
            photos = read_sign_photos(unit.data / FOLDER / "victims")
            if task.kind == PHOTOS:
                return {PHOTOS: clean_photos(classifier, photos)}
            return shared_stickers(
                classifier,
                photos,
                area=task.area,
                target=task.what,
                seed=task.seed,
                steps=size.shared_steps,
                draws=size.draws,
                lab=task.lab,
            )
        return {task.kind: _single(classifier, unit)}


def _single(classifier: Classifier, unit: Unit) -> Answers:
    task, size = unit.task, unit.size
    test = read_test(unit.data)
    chosen = torch.arange(len(test.labels))
    if task.kind == ON_STOP:
        chosen = chosen[test.labels == STOP]
    elif task.kind != CLEAN:
        chosen = chosen[:: size.every]
    if task.kind == TO_STOP:
        chosen = chosen[test.labels[chosen] != STOP]
    if task.kind in (MASKING, QUERIED):
        chosen = chosen[: size.queried]
    images, labels = test.images[chosen].float() / 255, test.labels[chosen]
    if task.kind == MASKING:
        return Answers((), (), (), (), note=_masking(classifier, images, labels, unit.data))
    parts = [
        _attacked(classifier, images[k : k + _AT_ONCE], labels[k : k + _AT_ONCE], task, size)
        for k in range(0, len(labels), _AT_ONCE)
    ]
    answers = torch.cat([classifier.classes(round_to_8_bits(part)) for part in parts])
    trials = tuple(str(number) for number in chosen.tolist())
    return Answers(trials, trials, tuple(labels.tolist()), tuple(answers.tolist()))


def _attacked(
    classifier: Classifier, images: Tensor, labels: Tensor, task: Task, size: HardeningSize
) -> Tensor:
    area, seed = task.area, task.seed
    if task.kind in (SQUARES, ON_STOP):
        return squares(classifier, images, labels, area=area, steps=size.steps, seed=seed)
    if task.kind == TO_STOP:
        return squares_to(classifier, images, STOP, area=area, steps=size.steps, seed=seed)
    if task.kind == QUERIED:
        return squares_by_answers(classifier, images, labels, area=area, steps=size.query_steps)
    if task.kind == NOISY:
        return NOISE[str(task.what)](classifier, images, labels)
    return images


def _masking(classifier: Classifier, images: Tensor, labels: Tensor, data: Path) -> str:
    """Return in words what `physadv masking-check` finds on images (B, 3, H, W)."""
    settings = MaskingSettings(data, classifier.spec, eps=MASKING_EPS)
    starts: Sequence[int] = range(0, len(labels), settings.batch)
    batches = ((images[i : i + settings.batch], labels[i : i + settings.batch].tolist()) for i in starts)
    check = check_batches(settings, classifier, batches)
    curve = ", ".join(f"{with_interval(right)} after {step}" for step, right in check.iterative.items())
    others = ", ".join(f"{with_interval(right)} under {name}" for name, right in check.attacks.items())
    return (
        f"`{classifier.spec}`, L∞ noise of eps {MASKING_EPS}, {check.attacks['one step'].n} images: "
        f"{check.verdict}. Accuracy by steps of PGD: {curve}; {others}."
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch compute in one thread: the same sums in the same order, whatever the number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
