"""What stickers do to detection: is the sign still found, and how surely, under each treatment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from physadv.classifiers.detectors import LEAST_IOU, STOP_SIGN, Detector, sign_score
from physadv.evaluation.intervals import Estimate, counted, mean, share
from physadv.progress import Reporter, silent
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.cells import CELLS
from physadv.signs.stop_sign.lab import photograph
from physadv.signs.stop_sign.settings import CLEAN
from physadv.signs.stop_sign.views import Exhibit

LEAST_SCORE = 0.5
"""Score from which a sign counts as detected."""
Place = tuple[str, str]
"""A sign's name, and from where it is seen."""


_AT_ONCE = 8


class Scene(NamedTuple):
    """One sign in one picture.

    Attributes:
        treatment: what it wears: "clean", "random", "optimised", …
        sign: the sign's name.
        place: from where it is seen; scenes of one sign and place differ in the treatment only.
        picture: (3, H, W) in [0, 1].
        box: (4,) around the sign: left, top, right, bottom in pixels, as `camera.Box` counts them.
    """

    treatment: str
    sign: str
    place: str
    picture: Tensor
    box: Tensor


@dataclass(frozen=True)
class Detected:
    """What became of detection under one treatment; intervals rest on signs.

    Attributes:
        treatment: what the signs wore.
        detected: share of scenes in which the sign is detected.
        kept: share of the scenes with the clean sign detected in which the sign still is.
        score: mean score, 0 where it is not found at all.
        lost: the clean sign's mean score less this treatment's, over scenes that both have; None without any.
    """

    treatment: str
    detected: Estimate
    kept: Estimate
    score: Estimate
    lost: float | None


def judge_detection(detector: Detector, exhibit: Exhibit, reporter: Reporter = silent) -> list[Detected]:
    """Return how often a detector finds the signs in one photo of each from every cell of the lab test."""
    scenes = []
    for cell in CELLS:
        for treatment, faces in exhibit.faces.items():
            for face, sign in zip(faces, exhibit.names, strict=True):
                photos = photograph(exhibit, face, sign, cell, shots=1)
                scenes.append(Scene(treatment, sign, cell.name, photos.pictures[0], photos.boxes[0]))
    return measure_detection(detector, scenes, reporter)


@torch.no_grad()
def measure_detection(
    detector: Detector, scenes: Sequence[Scene], reporter: Reporter = silent
) -> list[Detected]:
    """Return a row for every treatment, in the order they come in.

    Scenes show the signs under every treatment, "clean" among them for `kept` and `lost`.

    Raises:
        StopSignError: two scenes are of the same treatment, sign and place.
        ClassifierError: the detector knows no stop sign.
    """
    wanted = detector.label_index(STOP_SIGN)
    scores: dict[str, dict[Place, float]] = {}
    starts = range(0, len(scenes), _AT_ONCE)
    for start in reporter.track(starts, len(starts), f"{detector.spec}, batches"):
        shown = scenes[start : start + _AT_ONCE]
        for scene, found in zip(shown, detector([each.picture for each in shown]), strict=True):
            own = scores.setdefault(scene.treatment, {})
            if (scene.sign, scene.place) in own:
                raise StopSignError(f"two scenes of '{scene.sign}', {scene.treatment}, {scene.place}")
            own[scene.sign, scene.place] = sign_score(found, scene.box, wanted, LEAST_IOU)
    return [_row(treatment, own, scores.get(CLEAN, {})) for treatment, own in scores.items()]


def _row(treatment: str, own: Mapping[Place, float], clean: Mapping[Place, float]) -> Detected:
    detected = {key: score >= LEAST_SCORE for key, score in own.items()}
    before = {key: found for key, found in detected.items() if clean.get(key, 0.0) >= LEAST_SCORE}
    lost = [clean[key] - score for key, score in own.items() if key in clean]
    return Detected(
        treatment,
        detected=share(list(detected.values()), [sign for sign, _ in detected]),
        kept=share(list(before.values()), [sign for sign, _ in before]),
        score=mean(*zip(*counted(own.values(), [sign for sign, _ in own]).values(), strict=True)),
        lost=sum(lost) / len(lost) if lost else None,
    )
