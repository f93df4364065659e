"""What stickers do to a detector in the sights of the lab test, simulated."""

from physadv.classifiers.detectors import Detector
from physadv.progress import Reporter
from physadv.signs.stop_sign.detection import Detected, Scene, measure_detection
from physadv.signs.stop_sign.lab import CELLS, LabConditions, photograph
from physadv.signs.stop_sign.rendering import drawn_backgrounds
from physadv.signs.stop_sign.treatments import Treated


def judge_detection(
    detector: Detector, treated: Treated, conditions: LabConditions, seed: int, reporter: Reporter
) -> list[Detected]:
    """Return how often, and how surely, the sign is still found under every treatment.

    Args:
        detector: what is tested.
        treated: the signs.
        conditions: how they are photographed, in every cell of the lab test.
        seed: of poses, light and noise.
        reporter: told of every batch.
    """
    backgrounds = drawn_backgrounds(seed)
    scenes = []
    for cell in CELLS:
        for treatment, faces in treated.faces.items():
            for face, victim in zip(faces, treated.names, strict=True):
                photos = photograph(
                    face,
                    treated.alpha,
                    cell,
                    victim,
                    seed=seed,
                    backgrounds=backgrounds,
                    conditions=conditions,
                )
                for shot, (picture, box) in enumerate(zip(photos.pictures, photos.boxes, strict=True)):
                    scenes.append(Scene(treatment, victim, f"{cell.name}, {shot + 1}", picture, box))
    return measure_detection(detector, scenes, reporter=reporter)
