"""One command for the stop-sign study: RP2's released attack and this project's, through the same tests."""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from physadv.classifiers import Classifier, load_classifier
from physadv.errors import PhysadvError
from physadv.progress import reporter
from physadv.randomness import derive_seed
from physadv.signs.stop_sign import FACE_SIDE
from physadv.signs.stop_sign.camera import drawn_backgrounds
from physadv.signs.stop_sign.judge import simulated_tests
from physadv.signs.stop_sign.make import stickers_for
from physadv.signs.stop_sign.score import Score, score_drive_by, score_lab
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, StopSignSettings, StudySize
from physadv.signs.stop_sign.sign_photos import read_sign_photos
from physadv.signs.stop_sign.views import Exhibit, Judge
from reproductions.kept_rows import kept_rows
from reproductions.rp2.held_out import exhibit_of, run_held_out, under_preset
from reproductions.rp2.page import ALONE, COMMAND, NAME, PUBLISHED, Against, Judgement, write_results
from reproductions.rp2.published import (
    FOLDER,
    MASKS,
    SPEED_LIMIT_45,
    STOP,
    around_planes,
    as_planes,
    noise_for_each,
    our_noise,
    read_published,
)

TARGETS = {"LISA-CNN": "speedLimit45", "signs": "speed limit 120"}
"""The paper's own for its classifier; for ours a limit that random stickers do not reach.

It was chosen among all classes on the signs that stickers are made on. Small signs in random stickers are
often taken for speed limit 30, which stickers reach more easily for that reason.
"""
HELD_OUT_MASKS = ("poster", "auto", "two-bars", "camouflage")
_SEED = 0


@dataclass(frozen=True)
class Rp2Size(StudySize):
    """Size of the study.

    Attributes:
        steps: of the optimiser.
        steps_alone: of the optimiser, for a noise that is made for one crop alone.
        draws: of the preset that was not trained for, a sign.
    """

    shots: int = 2
    every: int = 20
    steps: int = 300
    steps_alone: int = 200
    draws: int = 50


QUICK = Rp2Size(shots=1, every=30, steps=60, steps_alone=20, draws=5)


@dataclass(frozen=True)
class _Unit:
    """One row of the study: a released attack where there is no mask, else a mask on held-out signs."""

    data: Path
    size: Rp2Size
    kind: str = ""
    classifier: str = ""
    mask: str = ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study from the command line; stopped, the same command goes on where it was."""
    parser = argparse.ArgumentParser(prog="python -m reproductions.rp2", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with traffic/rp2")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of the page")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for a first look")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else Rp2Size()
    units = [_Unit(chosen.data, size, kind=kind) for kind in MASKS]
    units += [
        _Unit(chosen.data, size, classifier=name, mask=mask) for name in TARGETS for mask in HELD_OUT_MASKS
    ]
    unfinished = chosen.out / f".{NAME}"
    try:
        rows = kept_rows(_row, units, unfinished, workers=chosen.workers)
        found = list(reporter(quiet=chosen.quiet).track(rows, len(units), "rows of the study"))
    except PhysadvError as error:
        parser.error(str(error))
    against = [row for row in found if isinstance(row, Against)]
    judgements = [row for row in found if isinstance(row, Judgement)]
    command = f"{COMMAND}{' --quick' * chosen.quick}"
    for path in write_results(chosen.out, against, judgements, command):
        print(f"wrote {path}")
    shutil.rmtree(unfinished)


def _row(unit: _Unit) -> Against | Judgement:
    if not unit.mask:
        return compare_with_published(_load("LISA-CNN", unit.data), unit.data, unit.kind, unit.size)
    classifier, target = _load(unit.classifier, unit.data), TARGETS[unit.classifier]
    settings = StopSignSettings(
        model=classifier.spec, target=target, mask=unit.mask, steps=unit.size.steps, seed=_SEED
    )
    run = stickers_for(classifier, read_sign_photos(unit.data / FOLDER / "victims"), settings)
    unforeseen = under_preset(exhibit_of(run), "graphite", draws=unit.size.draws, seed=_SEED)
    return Judgement(unit.classifier, target, run_held_out(run, unit.size), unforeseen)


def _load(name: str, data: Path) -> Classifier:
    if name == "signs":
        return load_classifier(name)
    return load_classifier(f"file:{data / FOLDER / 'lisa_cnn.pt2'}", data / FOLDER / "lisa_classes.txt")


def compare_with_published(classifier: Classifier, data: Path, kind: str, size: Rp2Size) -> Against:
    """Return what RP2's released noise and ours do to the same crops, as files and through both tests."""
    attack = read_published(data, kind)
    behind = around_planes(drawn_backgrounds(derive_seed(_SEED, "published")))
    ours = our_noise(classifier, attack, behind, steps=4 * size.steps, seed=_SEED)
    noises = {
        CLEAN: torch.zeros_like(ours),
        PUBLISHED: attack.noise,
        OPTIMISED: ours,
        ALONE: noise_for_each(classifier, attack, behind, steps=size.steps_alone, seed=_SEED),
    }
    crops = {name: attack.added(noise) for name, noise in noises.items()}
    with torch.no_grad():
        digital = {
            name: int((classifier.classes(each) == SPEED_LIMIT_45).sum()) for name, each in crops.items()
        }

    exhibit = Exhibit(
        Judge(classifier, STOP, SPEED_LIMIT_45),
        attack.names,
        {name: as_planes(each) for name, each in crops.items()},
        torch.ones(FACE_SIDE, FACE_SIDE),
        seed=derive_seed(_SEED, "published", kind),
        margin=0.0,
    )
    lab, drive = simulated_tests(exhibit, size, finders=(None,))

    def scores(*treatments: str) -> tuple[Score, Score]:
        return (
            score_lab([answer for answer in lab if answer.treatment in treatments]),
            score_drive_by([answer for answer in drive if answer.treatment in treatments]),
        )

    ends = {
        name: (float(noise[..., attack.mask > 0].min()), float(noise[..., attack.mask > 0].max()))
        for name, noise in noises.items()
    }
    # What is possible under the mask is no part of the comparison, nor of its Holm correction.
    return Against(
        kind,
        len(attack.names),
        digital,
        ends,
        *scores(CLEAN, PUBLISHED, OPTIMISED),
        *scores(OPTIMISED, ALONE),
    )
