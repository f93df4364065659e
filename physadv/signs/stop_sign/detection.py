"""What stickers do to detection: is the sign still found, and how surely, under each treatment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from physadv.classifiers.detectors import LEAST_IOU, STOP_SIGN, Detector, sign_score
from physadv.errors import PhysadvError
from physadv.evaluation.intervals import Estimate, mean, proportion
from physadv.progress import Reporter, silent

LEAST_SCORE = 0.5
"""Score from which a sign counts as detected."""
CLEAN = "clean"


class DetectionError(PhysadvError):
    """Sights of which detection cannot be measured."""


@dataclass(frozen=True)
class Scene:
    """One sign in one picture.

    Attributes:
        treatment: what it wears: "clean", "random", "optimised", …
        victim: the sign's name.
        place: from where it is seen; scenes of one victim and place are the same but for the treatment.
        picture: (3, H, W) in [0, 1].
        box: (4,) around the sign: left, top, right, bottom in pixels, (0, 0) the top-left corner of the
            top-left pixel.
    """

    treatment: str
    victim: str
    place: str
    picture: Tensor
    box: Tensor


@dataclass(frozen=True)
class Detected:
    """What became of detection under one treatment; intervals rest on victims.

    Attributes:
        treatment: what the signs wore.
        detected: share of scenes in which the sign is detected.
        kept: likewise, of those scenes in which the clean sign is.
        score: mean score, 0 where it is not found at all.
        lost: the clean sign's mean score less this, over the scenes that both have; None without any.
    """

    treatment: str
    detected: Estimate
    kept: Estimate
    score: Estimate
    lost: float | None


@torch.no_grad()
def measure_detection(
    detector: Detector,
    scenes: Sequence[Scene],
    *,
    label: str = STOP_SIGN,
    least_score: float = LEAST_SCORE,
    least_iou: float = LEAST_IOU,
    batch: int = 8,
    reporter: Reporter = silent,
) -> list[Detected]:
    """Return a row for every treatment, in the order they come in.

    Args:
        detector: what is tested.
        scenes: of the sign under every treatment, "clean" among them for `kept` and `lost`.
        label: the class to be found.
        least_score: from which a sign counts as detected.
        least_iou: overlap with the sign's box from which a box counts as its own.
        batch: pictures shown at once.
        reporter: told how far it is.

    Raises:
        DetectionError: there is no scene, two are of the same treatment, victim and place, or a box is empty.
        ClassifierError: the detector knows no such class.
    """
    wanted = detector.label_index(label)
    _check(scenes)
    scores: dict[str, dict[tuple[str, str], float]] = {}
    starts = range(0, len(scenes), batch)
    for start in reporter.track(starts, len(starts), f"{detector.spec}, batches"):
        shown = scenes[start : start + batch]
        for scene, found in zip(shown, detector([each.picture for each in shown]), strict=True):
            own = scores.setdefault(scene.treatment, {})
            own[scene.victim, scene.place] = sign_score(found, scene.box, wanted, least_iou)
    return [_row(treatment, own, scores.get(CLEAN, {}), least_score) for treatment, own in scores.items()]


def _row(
    treatment: str,
    own: Mapping[tuple[str, str], float],
    clean: Mapping[tuple[str, str], float],
    least: float,
) -> Detected:
    victims = sorted({victim for victim, _ in own})
    shared = [key for key in own if key in clean]
    before = {key: own[key] for key in shared if clean[key] >= least}
    lost = sum(clean[key] - own[key] for key in shared) / len(shared) if shared else None
    hits, seen = _by_victim({key: score >= least for key, score in own.items()}, victims)
    kept, detected_before = _by_victim({key: score >= least for key, score in before.items()}, victims)
    sums, _ = _by_victim(own, victims)
    return Detected(
        treatment, proportion(hits, seen), proportion(kept, detected_before), mean(sums, seen), lost
    )


def _by_victim(
    values: Mapping[tuple[str, str], float], victims: Sequence[str]
) -> tuple[list[float], list[int]]:
    """Return the sum of the values of every victim, and how many there are."""
    of = {victim: [value for (name, _), value in values.items() if name == victim] for victim in victims}
    return [float(sum(each)) for each in of.values()], [len(each) for each in of.values()]


def _check(scenes: Sequence[Scene]) -> None:
    if not scenes:
        raise DetectionError("no scenes; wanted at least one of a clean sign")
    met: set[tuple[str, str, str]] = set()
    for scene in scenes:
        key = (scene.treatment, scene.victim, scene.place)
        if key in met:
            raise DetectionError(f"two scenes of '{scene.victim}', {scene.treatment}, {scene.place}")
        met.add(key)
        left, top, right, bottom = scene.box.tolist()
        if not (left < right and top < bottom):
            raise DetectionError(
                f"box {scene.box.tolist()} of '{scene.victim}' is empty; wanted left, top, right, bottom"
            )
