"""Stickers made on some of the real photos and judged on the others: lab, drive-by, an EOT preset."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from physadv.attacks.lit_stickers import MARGIN
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.stop_sign.camera import drawn_backgrounds
from physadv.signs.stop_sign.judge import simulated_tests
from physadv.signs.stop_sign.make import StickerRun
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.score import Score, score_drive_by, score_lab
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.views import Answer, Exhibit, View, treat
from physadv.transforms import load_preset
from reproductions.rp2.scenes import scene_or_own

_CROP_SIDE = 96


@dataclass(frozen=True)
class HeldOut:
    """What stickers made on some signs do to others.

    Attributes:
        record: the settings of the stickers, and what was measured of them when they were made.
        lab: score of the simulated lab test; clusters of this and the other scores are scenes.
        drive: score of the simulated drive-by, signs cut out where they stand, as the paper's were by hand.
        found: score of the same drive-by, signs found by their outline.
    """

    record: dict[str, Any]
    lab: Score
    drive: Score
    found: Score


def run_held_out(run: StickerRun, size: StudySize, reporter: Reporter = silent) -> HeldOut:
    """Return what stickers do to signs that the attack has not seen.

    Args:
        run: the stickers, and the signs that were held out.
        size: size of the tests.
        reporter: shows every step.
    """
    finders = (None, find_signs)
    lab, drive, found = simulated_tests(exhibit_of(run), size, finders=finders, reporter=reporter)
    return HeldOut(
        run.record,
        score_lab(lab, cluster=scene),
        score_drive_by(drive, cluster=scene),
        score_drive_by(found, cluster=scene),
    )


def scene(answer: Answer) -> str:
    """Return the scene of the sign that an answer is about, the cluster of its intervals."""
    return scene_or_own(answer.sign)


def exhibit_of(run: StickerRun) -> Exhibit:
    """Return the signs that were held out in every treatment."""
    judge_seed, random_seed = (derive_seed(run.record["asked"]["seed"], name) for name in ("judge", "random"))
    return treat(run.judge, run.judged, run.stickers, run.mask, seed=judge_seed, random_seed=random_seed)


def under_preset(exhibit: Exhibit, preset: str, *, draws: int, seed: int) -> Score:
    """Return the score of the signs under draws of an EOT preset; see `preset_answers` for the arguments."""
    answers = preset_answers(exhibit, preset, draws=draws, seed=seed)
    return score_lab(answers, f"simulated, {preset}", scene)


def preset_answers(exhibit: Exhibit, preset: str, *, draws: int, seed: int) -> list[Answer]:
    """Return answers on crops of the signs under draws of an EOT preset, the same for every treatment.

    Args:
        exhibit: the signs, and who is asked.
        preset: name of the preset.
        draws: number of crops of each sign.
        seed: of the draws.
    """
    distribution = load_preset(preset)
    side = round(_CROP_SIDE / (1 + 2 * MARGIN))
    edge = (_CROP_SIDE - side) // 2
    inside = (slice(None), slice(None), slice(edge, edge + side), slice(edge, edge + side))
    backgrounds = drawn_backgrounds(derive_seed(seed, preset))
    behind = F.interpolate(backgrounds, (_CROP_SIDE, _CROP_SIDE), mode="bilinear", antialias=True).clamp(0, 1)
    plate = F.interpolate(exhibit.alpha[None, None], (side, side), mode="bilinear", antialias=True)
    answers: list[Answer] = []
    for row, name in enumerate(exhibit.names):
        random = generator(seed, preset, name)
        scenes = behind[torch.randint(len(behind), (draws,), generator=random)]
        parameters = distribution.sample(draws, random)
        for treatment, faces in exhibit.faces.items():
            small = F.interpolate(faces[row : row + 1], (side, side), mode="bilinear", antialias=True)
            shown = scenes.clone()
            shown[inside] += plate * (small - shown[inside])
            crops = distribution.apply(shown, parameters)
            answers += exhibit.judge.answers(
                [View(treatment, name, preset, 0.0, 0.0, crop) for crop in crops]
            )
    return answers
