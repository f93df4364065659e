"""Judging stickers: the simulated lab and drive-by tests, and their tables and report in captures/NAME."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from physadv.classifiers.detectors import load_detector
from physadv.files import replacing
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed
from physadv.runs import Capture
from physadv.signs.stop_sign.detection import Detected, judge_detection
from physadv.signs.stop_sign.drive_by import drive_by_test
from physadv.signs.stop_sign.lab import lab_test
from physadv.signs.stop_sign.make import StickerRun
from physadv.signs.stop_sign.observations import KeptAnswers
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.page import write_page
from physadv.signs.stop_sign.real_photos import CHANNEL, photo_test, video_test
from physadv.signs.stop_sign.score import Score, score_drive_by, score_lab
from physadv.signs.stop_sign.settings import JudgeSettings, StudySize
from physadv.signs.stop_sign.views import Answer, Exhibit, Finders, Keep, afresh, treat
from physadv.text import csv_cell


def judge(
    capture: Capture, run: StickerRun, settings: JudgeSettings, command: str, reporter: Reporter = silent
) -> tuple[list[Score], list[Detected]]:
    """Run both simulated tests on the signs that were held out, and those of real pictures.

    Answers are kept in the capture's observation store as each part of a test ends. Writes `answers.csv`, one
    line a view, `tables.json` and `report.html`.

    Returns:
        Scores of the simulated tests, then of real photos and videos; and what a detector found under each
        treatment, nothing where none was asked.

    Raises:
        PhysadvError: of the rooms: there is nothing that can be judged.
    """
    detector = load_detector(settings.detector) if settings.detector else None
    seed, size = derive_seed(run.record["asked"]["seed"], "judge"), settings.size
    made_with = [run.record["asked"], run.record["versions"], asdict(size), settings.known_place]
    worn = run.seen(run.stickers) if run.seen else run.stickers
    exhibit = treat(run.judge, run.judged[: size.most], worn, run.mask, seed=seed, random_seed=seed)
    with capture.store() as store:
        keep = KeptAnswers(store, run.judge, seed, made_with)
        photographed = [
            answer
            for treatment, folder in settings.photos
            for answer in photo_test(run.judge, folder, treatment, keep=keep, reporter=reporter)
        ]
        filmed = [
            answer
            for treatment, path in settings.videos
            for answer in video_test(run.judge, path, treatment, every=size.every, keep=keep)
        ]
        finder = None if settings.known_place else find_signs
        lab, drive = simulated_tests(exhibit, size, finders=(finder,), keep=keep, reporter=reporter)
    least = settings.smallest
    scores = [score_lab(lab, smallest=least), score_drive_by(drive, smallest=least)]
    scores += [score_lab(photographed, CHANNEL, smallest=least)] if photographed else []
    scores += [score_drive_by(filmed, CHANNEL, smallest=least)] if filmed else []
    found = judge_detection(detector, exhibit, reporter) if detector else []
    _write_answers(capture, [*lab, *drive, *photographed, *filmed])
    tables = {
        "stickers": run.record,
        "tests": [score.as_json() for score in scores],
        "detection": [asdict(each) for each in found],
    }
    with replacing(capture.folder / "tables.json") as path:
        path.write_text(json.dumps(tables, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_page(capture, run, exhibit, scores, size.shots, command)
    return scores, found


def simulated_tests(
    exhibit: Exhibit,
    size: StudySize,
    *,
    finders: Finders = (find_signs,),
    keep: Keep = afresh,
    reporter: Reporter = silent,
) -> list[list[Answer]]:
    """Return the answers of the lab test, then those of the drive-by test for each way of finding signs."""
    lab = lab_test(exhibit, size, keep=keep, reporter=reporter)
    return [lab, *drive_by_test(exhibit, size, finders=finders, keep=keep, reporter=reporter)]


def _write_answers(capture: Capture, answers: Sequence[Answer]) -> None:
    """Write a line an answer; a real picture may tell neither distance nor angle."""
    rows = [
        {
            "treatment": answer.treatment,
            "victim": answer.sign,
            "place": answer.place,
            "distance_m": "" if math.isnan(answer.distance_m) else answer.distance_m,
            "angle_deg": "" if math.isnan(answer.angle_deg) else answer.angle_deg,
            "label": answer.label,
            "target": answer.target,
            "answer": answer.answer,
            "confidence": round(answer.confidence, 6),
        }
        for answer in answers
    ]
    with (
        replacing(capture.folder / "answers.csv") as path,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
