"""Stickers made on half of the real photos and judged on the other, in lab, drive-by and other light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.classifiers import Classifier
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.stop_sign.approach import USUAL as USUAL_DRIVE
from physadv.signs.stop_sign.crops import Finder
from physadv.signs.stop_sign.drive_by import drive_by_test
from physadv.signs.stop_sign.lab import USUAL as USUAL_LAB
from physadv.signs.stop_sign.lab import lab_test
from physadv.signs.stop_sign.masks import AUTO, area_share, load_mask
from physadv.signs.stop_sign.optimise import StickerSettings, find_vulnerable, optimise_stickers
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.palettes import printing_errors
from physadv.signs.stop_sign.rendering import classify, drawn_backgrounds
from physadv.signs.stop_sign.score import Score, score_drive_by, score_lab
from physadv.signs.stop_sign.sign import Answer, Victim
from physadv.signs.stop_sign.stickers import MARGIN
from physadv.signs.stop_sign.treatments import Treated, treat
from physadv.signs.stop_sign.victims import held_out
from physadv.transforms import load_preset

_CROP_SIDE = 96


@dataclass(frozen=True)
class Effort:
    """How much is done.

    Attributes:
        steps: of the optimiser.
        shots: photos of every sign in every cell.
        approaches: drives to every sign; `every` how many of their frames one is looked at.
        draws: of the conditions not trained for, a sign.
        steps_alone: of a noise that is made for one crop alone.
    """

    steps: int = 300
    shots: int = 2
    approaches: int = 1
    every: int = 20
    draws: int = 50
    steps_alone: int = 200


QUICK = Effort(steps=60, shots=1, every=30, draws=5, steps_alone=20)


@dataclass(frozen=True)
class HeldOut:
    """What stickers made on some signs do to others.

    Attributes:
        mask: its name; `area` the share of the plate that it covers.
        stickers: (1, 3, FACE_SIDE, FACE_SIDE).
        treated: the signs that were judged.
        printability: of the stickers.
        lab: the lab test, simulated; likewise `drive`, with signs cut out by hand, and `found`, with signs
            found by their outline.
        unforeseen: targeted success by treatment under the preset `graphite`.
    """

    mask: str
    area: float
    stickers: Tensor
    treated: Treated
    printability: Mapping[str, float]
    lab: Score
    drive: Score
    found: Score
    unforeseen: Score


def run_held_out(
    classifier: Classifier,
    victims: Sequence[Victim],
    mask: str,
    *,
    label: int,
    target: int | None,
    effort: Effort,
    seed: int,
    rectangles: int = 3,
    area: float = 0.19,
    reporter: Reporter = silent,
) -> HeldOut:
    """Return what stickers do that were made on one half of the signs, judged on the other.

    Args:
        classifier: attacked and judging.
        victims: all of them.
        mask: as `load_mask` takes it, or `auto`.
        label: true class of all; `target` the attack's, any other class without it.
        target: see `label`.
        effort: how much is done.
        seed: of everything random.
        rectangles: how many `auto` finds.
        area: share of the sign that they cover.
        reporter: told of every step.
    """
    attacked, judged = held_out(victims)
    settings = StickerSettings(label=label, target=target, steps=effort.steps, seed=seed)
    distribution = load_preset("rp2-sign")
    behind = drawn_backgrounds(derive_seed(seed, "attack"))
    covered = (
        find_vulnerable(
            classifier,
            attacked,
            distribution,
            behind,
            settings,
            count=rectangles,
            area=area,
            reporter=reporter,
        )
        if mask == AUTO
        else load_mask(mask)
    )
    stickers = optimise_stickers(classifier, attacked, covered, distribution, behind, settings, reporter)
    treated = treat(judged, stickers, covered, derive_seed(seed, "random"))
    lab, drive, found = both_tests(
        classifier,
        treated,
        label=label,
        target=target,
        effort=effort,
        seed=derive_seed(seed, "judge"),
        finders=(None, find_signs),
        reporter=reporter,
    )
    unforeseen = score_lab(
        under_preset(
            classifier, treated, "graphite", label=label, target=target, draws=effort.draws, seed=seed
        ),
        "simulated, graphite",
    )
    return HeldOut(
        mask,
        area_share(covered),
        stickers,
        treated,
        printing_errors(stickers, covered, settings.printable),
        lab,
        drive,
        found,
        unforeseen,
    )


def both_tests(
    classifier: Classifier,
    treated: Treated,
    *,
    label: int,
    target: int | None,
    effort: Effort,
    seed: int,
    margin: float | None = None,
    finders: Sequence[Finder | None] = (None,),
    reporter: Reporter = silent,
) -> list[Score]:
    """Return the scores of the simulated lab test, and of the drive-by test for each way of finding signs.

    Args:
        classifier: asked about every crop.
        treated: the signs.
        label: their true class; `target` the attack's.
        target: see `label`.
        effort: how much is looked at.
        seed: of poses, light and noise.
        margin: around a crop, in shares of the sign; the tests' own without it.
        finders: how signs are found on the drive-by; None cuts them out by hand, as the paper's were.
        reporter: told of every cell and approach.
    """
    lab = replace(USUAL_LAB, shots=effort.shots, margin=USUAL_LAB.margin if margin is None else margin)
    answers = lab_test(
        classifier,
        treated.faces,
        treated.alpha,
        treated.names,
        label=label,
        target=target,
        seed=seed,
        conditions=lab,
        reporter=reporter,
    )
    driven = drive_by_test(
        classifier,
        treated.faces,
        treated.alpha,
        treated.names,
        label=label,
        target=target,
        seed=seed,
        approaches=effort.approaches,
        conditions=replace(USUAL_DRIVE, every=effort.every),
        finders=finders,
        margin=lab.margin,
        reporter=reporter,
    )
    return [score_lab(answers), *map(score_drive_by, driven)]


def under_preset(
    classifier: Classifier,
    treated: Treated,
    preset: str,
    *,
    label: int,
    target: int | None,
    draws: int,
    seed: int,
) -> list[Answer]:
    """Return answers on crops of the signs under draws of an EOT preset, the same for every treatment."""
    distribution = load_preset(preset)
    side = round(_CROP_SIDE / (1 + 2 * MARGIN))
    edge = (_CROP_SIDE - side) // 2
    backgrounds = drawn_backgrounds(derive_seed(seed, preset))
    behind = F.interpolate(backgrounds, (_CROP_SIDE, _CROP_SIDE), mode="bilinear", antialias=True).clamp(0, 1)
    plate = F.interpolate(treated.alpha[None, None], (side, side), mode="bilinear", antialias=True)
    answers = []
    for row, name in enumerate(treated.names):
        random = generator(seed, preset, name)
        scenes = behind[torch.randint(len(behind), (draws,), generator=random)]
        parameters = distribution.sample(draws, random)
        for treatment, faces in treated.faces.items():
            small = F.interpolate(faces[row : row + 1], (side, side), mode="bilinear", antialias=True)
            shown = scenes.clone()
            inside = (slice(None), slice(None), slice(edge, edge + side), slice(edge, edge + side))
            shown[inside] += plate * (small - shown[inside])
            for answer, confidence in classify(classifier, distribution.apply(shown, parameters)):
                answers.append(Answer(treatment, name, preset, 0.0, 0.0, label, target, answer, confidence))
    return answers
