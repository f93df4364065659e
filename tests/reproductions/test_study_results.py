"""The page of the stop-sign study, written from answers that are made up here."""

import json
from dataclasses import replace
from functools import cache

from physadv.keeping import Kept
from physadv.signs.stop_sign.cells import CELLS
from physadv.signs.stop_sign.score import Score, score_drive_by, score_lab
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM
from physadv.signs.stop_sign.views import Answer
from reproductions.kept_rows import dataclasses_in
from reproductions.rp2.held_out import HeldOut
from reproductions.rp2.page import ALONE, PUBLISHED, Against, Judgement, write_results

STOP, TARGET = 14, 12


def answers(treatments: tuple[str, ...], place: str | None = None) -> list[Answer]:
    """The optimised ones reach the target everywhere, the others nowhere."""
    return [
        Answer(name, f"sign {sign}", place or cell.name, 10.0 + sign, 0.0, STOP, TARGET, (said,), (0.9,))
        for name in treatments
        for sign in range(12)
        for cell in CELLS
        for said in (TARGET if name == OPTIMISED else STOP,)
    ]


@cache
def lab(treatments: tuple[str, ...]) -> Score:
    return score_lab(answers(treatments))


@cache
def drive_by(treatments: tuple[str, ...]) -> Score:
    return score_drive_by(answers(treatments, "approach 1 at 20 km/h"))


def judged(mask: str, area: float) -> Judgement:
    worn = (CLEAN, RANDOM, OPTIMISED)
    record = {
        "asked": {"mask": mask},
        "area_of_the_sign": area,
        "printability": {"nps_minimum": 0.1},
        "judged": ["sign 0"],
    }
    drive = drive_by(worn)
    unforeseen = replace(lab(worn), channel="simulated, graphite")
    return Judgement("signs", "speed limit 30", HeldOut(record, lab(worn), drive, drive), unforeseen)


def test_rows_are_read_again_as_they_were(tmp_path):
    kept = Kept(tmp_path / "row.pt", classes=sorted(dataclasses_in(Against | Judgement), key=repr))
    kept.save(judged("auto", 0.19))
    assert kept.load() == judged("auto", 0.19)


def test_every_row_and_every_figure_is_on_the_page(tmp_path):
    worn = (CLEAN, PUBLISHED, OPTIMISED)
    against = Against(
        "sticker",
        40,
        {CLEAN: 0, PUBLISHED: 36, OPTIMISED: 38, ALONE: 39},
        dict.fromkeys(worn, (-0.5, 0.5)),
        lab(worn),
        drive_by(worn),
        lab((OPTIMISED, ALONE)),
        drive_by((OPTIMISED, ALONE)),
    )
    judgements = [judged("poster", 1.0), judged("auto", 0.19)]
    written = write_results(tmp_path, [against], judgements, "the command")
    assert {path.name for path in written} == {
        "stop-sign.md",
        "stop-sign.json",
        "stop-sign-signs-auto-lab.svg",
        "stop-sign-signs-auto-drive-by.svg",
    }
    page = (tmp_path / "stop-sign.md").read_text()
    assert "| sticker | ours | -0.50 to 0.50 | 38 of 40 | 100.0 % (76.8–100.0) |" in page
    assert "- sticker, as files: at least as good." in page
    assert "- sticker, lab test: better, 100.0 against 0.0 %." in page
    possible = "takes 39 of 40 to the target as files, and 0.0 % (0.0–23.2) of 180 views through the lab test"
    assert possible in " ".join(page.split())
    assert "signs, auto, drive-by, found: 100.0 %" in page
    assert "signs, auto, lab test: 100.0 % of 85 % wanted, reached; random 0.0 %, below 10 %." in page
    assert all(f"]({path.name})" in page for path in written if path.suffix == ".svg")
    assert len(json.loads((tmp_path / "stop-sign.json").read_text())["held_out"]) == 2
