"""Judging stickers: the simulated lab and drive-by tests, and their tables and report in captures/NAME."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from physadv.attacks.checks import check_count
from physadv.classifiers.detectors import load_detector
from physadv.files import replacing
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed
from physadv.report.page import Facts
from physadv.runs import Capture
from physadv.signs.stop_sign.approach import USUAL as USUAL_DRIVE
from physadv.signs.stop_sign.detection import Detected
from physadv.signs.stop_sign.detection_run import judge_detection
from physadv.signs.stop_sign.drive_by import drive_by_test
from physadv.signs.stop_sign.gallery import Exhibit, sight_rows, sticker_pictures
from physadv.signs.stop_sign.lab import USUAL as USUAL_LAB
from physadv.signs.stop_sign.lab import lab_test
from physadv.signs.stop_sign.make import StickerRun
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.page import render_study, study_page
from physadv.signs.stop_sign.real_photos import judge_pictures
from physadv.signs.stop_sign.score import Printability, Score, score_drive_by, score_lab
from physadv.signs.stop_sign.sign import Answer
from physadv.signs.stop_sign.treatments import OPTIMISED, Treated, treat


@dataclass(frozen=True)
class JudgeSettings:
    """How much is looked at.

    Attributes:
        shots: photos of every sign in every cell of the lab test.
        approaches: drives to every sign.
        every: of how many frames of a drive one is looked at.
        most: signs that are looked at; all that were held out without it.
        known_place: cut signs out of simulated frames where they stand, as the paper's were by hand, instead
            of finding them by their outline.
        photos: (treatment, folder) of real photos named by cell; likewise `videos`, (treatment, file).
        detector: spec of `load_detector`, to be asked whether it still finds the sign.
    """

    shots: int = 3
    approaches: int = 1
    every: int = 10
    most: int | None = None
    known_place: bool = False
    photos: tuple[tuple[str, Path], ...] = ()
    videos: tuple[tuple[str, Path], ...] = ()
    detector: str | None = None

    def __post_init__(self) -> None:
        for name in ("shots", "approaches", "every"):
            check_count(name, getattr(self, name))


@dataclass(frozen=True)
class Judged:
    """What came out: the scores, what they say of printing, and what a detector found if one was asked."""

    scores: tuple[Score, ...]
    printability: dict[str, Printability]
    detection: tuple[Detected, ...]


def judge(
    capture: Capture, run: StickerRun, settings: JudgeSettings, command: str, reporter: Reporter = silent
) -> Judged:
    """Run both simulated tests on the signs that were held out, and those of real pictures there are.

    Writes `answers.csv`, one line a sight, `tables.json` and `report.html`.

    Raises:
        PhysadvError: of the rooms: nothing that can be judged.
    """
    detector = load_detector(settings.detector) if settings.detector else None
    real, real_scores = judge_pictures(run, settings.photos, settings.videos, settings.every, reporter)
    seed = derive_seed(run.record["asked"]["seed"], "judge")
    treated = treat(run.judged[: settings.most], run.stickers, run.mask, seed)
    lab = lab_test(
        run.classifier,
        treated.faces,
        treated.alpha,
        treated.names,
        label=run.label,
        target=run.target,
        seed=seed,
        conditions=replace(USUAL_LAB, shots=settings.shots),
        reporter=reporter,
    )
    (drive,) = drive_by_test(
        run.classifier,
        treated.faces,
        treated.alpha,
        treated.names,
        label=run.label,
        target=run.target,
        seed=seed,
        approaches=settings.approaches,
        conditions=replace(USUAL_DRIVE, every=settings.every),
        finders=(None if settings.known_place else find_signs,),
        reporter=reporter,
    )
    scores = (score_lab(lab), score_drive_by(drive), *real_scores)
    conditions = replace(USUAL_LAB, shots=1)
    found = judge_detection(detector, treated, conditions, seed, reporter) if detector else []
    printed = run.record["printability"]
    printability = {OPTIMISED: Printability(printed["nps_minimum"], printed["palette_error"])}
    _write_answers(capture, [*lab, *drive, *real])
    with replacing(capture.folder / "tables.json") as path:
        tables = {
            "stickers": run.record,
            "tests": [score.as_json() for score in scores],
            "detection": [asdict(each) for each in found],
        }
        path.write_text(json.dumps(tables, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _write_report(capture, run, treated, scores, printability, command, seed)
    return Judged(scores, printability, tuple(found))


def _write_answers(capture: Capture, answers: Sequence[Answer]) -> None:
    with (
        replacing(capture.folder / "answers.csv") as path,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, [field.name for field in fields(Answer)], lineterminator="\n")
        writer.writeheader()
        for answer in answers:
            row = {**asdict(answer), "confidence": round(answer.confidence, 6)}
            # A real picture may tell neither distance nor angle.
            writer.writerow({name: "" if value != value else value for name, value in row.items()})


def _write_report(
    capture: Capture,
    run: StickerRun,
    treated: Treated,
    scores: tuple[Score, ...],
    printability: dict[str, Printability],
    command: str,
    seed: int,
) -> None:
    exhibit = Exhibit(run.classifier, treated.faces, treated.alpha, treated.names, run.label, seed)
    classes = run.record["classes"]
    page = study_page(
        f"Stickers on a stop sign: {capture.name}",
        classifier=run.classifier.spec,
        label=classes["label"],
        target=classes["target"],
        scores=scores,
        printability=printability,
        stickers=sticker_pictures(exhibit),
        sights=sight_rows(exhibit),
        parameters=_facts(run),
        commands=(command,),
        stickers_note=f"Stickers cover {100 * run.record['area_of_the_sign']:.1f} % of the sign; the first "
        "sign that was judged, as each treatment leaves it.",
    )
    with replacing(capture.report) as path:
        path.write_text(render_study(page), encoding="utf-8")


def _facts(run: StickerRun) -> tuple[Facts, ...]:
    record = run.record
    asked = tuple((name, str(value)) for name, value in record["asked"].items() if value is not None)
    printed = tuple((name, f"{value:.4g}") for name, value in record["printability"].items())
    return (
        Facts("Stickers", asked),
        Facts("Printability", printed),
        Facts("Signs", tuple((name, ", ".join(record[name])) for name in ("attacked", "judged"))),
        Facts("Versions", tuple(sorted(record["versions"].items()))),
    )
