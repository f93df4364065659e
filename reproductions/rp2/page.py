"""The page of the stop-sign study: against the published attack, and on signs that were held out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from physadv.evaluation.comparisons import Comparison
from physadv.files import replacing
from physadv.report.drawing import Figure
from physadv.report.page import slug
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import p_value, paragraph, percent, with_interval
from physadv.signs.stop_sign.page import score_figures
from physadv.signs.stop_sign.score import Score
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM
from reproductions.rp2.held_out import HeldOut

NAME = "stop-sign"
PUBLISHED, ALONE = "published", "for each alone"
"""Treatments: the noise that RP2 released, and a noise of its own for every crop."""
COMMAND = "python -m reproductions.rp2 DATA"
POSTER_GOAL, STICKER_GOAL, DRIVE_GOAL, RANDOM_GOAL = 0.95, 0.85, 0.85, 0.10


@dataclass(frozen=True)
class Against:
    """One released attack and ours, on the same crops with the same mask.

    Attributes:
        kind: "sticker" or "poster".
        crops: how many there are.
        digital: treatment → how many of them become the target, as files.
        range: least and largest of what was added, published and ours.
        lab: score of the two in the simulated lab test.
        drive: score of the two in the simulated drive-by test.
        lab_alone: score of ours and of a noise made for each crop alone in the lab test.
        drive_alone: score of ours and of a noise made for each crop alone in the drive-by test.
    """

    kind: str
    crops: int
    digital: Mapping[str, int]
    range: Mapping[str, tuple[float, float]]
    lab: Score
    drive: Score
    lab_alone: Score
    drive_alone: Score


@dataclass(frozen=True)
class Judgement:
    """One mask on one classifier, on held-out signs.

    Attributes:
        classifier: its name.
        target: name of the attack's class.
        found: scores of the stickers in the simulated tests.
        unforeseen: their score under the preset `graphite`, which nothing was optimised for.
    """

    classifier: str
    target: str
    found: HeldOut
    unforeseen: Score


Tried = tuple[Against, str]
"""A released attack and one of its treatments: a line of the first table."""
Judged = tuple[Judgement, str]
"""A judged mask and one of its treatments: a line of the second table."""


def write_results(
    out: Path, against: Sequence[Against], judgements: Sequence[Judgement], command: str
) -> list[Path]:
    """Write `stop-sign.md`, its numbers as JSON and its figures, and return their paths."""
    figures = _figures(judgements)
    page, numbers = out / f"{NAME}.md", out / f"{NAME}.json"
    with replacing(numbers) as path:
        path.write_text(json.dumps(_as_json(against, judgements), indent=1) + "\n", encoding="utf-8")
    with replacing(page) as path:
        path.write_text(_text(against, judgements, figures, command), encoding="utf-8")
    written = [page, numbers]
    for name, figure in figures.items():
        written.append(out / name)
        with replacing(out / name) as path:
            figure.write(path, "svg")
    return written


def _text(
    against: Sequence[Against], judgements: Sequence[Judgement], figures: Mapping[str, Figure], command: str
) -> str:
    """Return the page: the words of `page.md` with tables, outcomes and figures in their places."""
    treated = [(each, treatment) for each in judgements for treatment in (CLEAN, RANDOM, OPTIMISED)]
    compared = [[*(f"- {line}" for line in _comparison(each)), "", _possible(each)] for each in against]
    shown = {name: name.removeprefix(f"{NAME}-").removesuffix(".svg") for name in figures}
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            command=command,
            against=to_markdown(_against_table(against)),
            comparisons="".join("\n" + "\n".join(lines) + "\n" for lines in compared),
            held_out=to_markdown(Table("", HELD_OUT, {"": treated})),
            verdicts="\n".join(f"- {line}" for each in judgements for line in _verdicts(each)),
            figures="\n".join(
                f"![{shown[name]}: {figure.title}]({name})" for name, figure in figures.items()
            ),
        )
    )


def _against_table(against: Sequence[Against]) -> Table[Tried]:
    columns = (
        Column[Tried]("mask", lambda line: line[0].kind),
        Column[Tried]("noise", lambda line: "ours" if line[1] == OPTIMISED else line[1]),
        Column[Tried]("range", lambda line: "{:.2f} to {:.2f}".format(*line[0].range.get(line[1], (0, 0)))),
        Column[Tried]("as files", lambda line: f"{line[0].digital[line[1]]} of {line[0].crops}", "number"),
        *_test_columns("lab test", lambda each: each.lab),
        *_test_columns("drive-by", lambda each: each.drive),
    )
    lines = [(each, treatment) for each in against for treatment in (CLEAN, PUBLISHED, OPTIMISED)]
    return Table("", columns, {"": lines})


def _test_columns(name: str, score: Callable[[Against], Score]) -> tuple[Column[Tried], ...]:
    def p(line: Tried) -> str | None:
        own = _between(score(line[0]).tests, PUBLISHED, OPTIMISED)
        return p_value(own.holm) if line[1] == OPTIMISED else ""

    return (
        Column(name, lambda line: score(line[0]).overall[line[1]].targeted, "interval"),
        Column("p", p, "number"),
    )


def _comparison(each: Against) -> list[str]:
    """Return in words whether ours is as good as files, and clearly better through each test."""
    digital = each.digital[OPTIMISED] - each.digital[PUBLISHED]
    lines = [f"{each.kind}, as files: {'at least as good' if digital >= 0 else f'{-digital} crops worse'}."]
    for score in (each.lab, each.drive):
        ours, theirs = (score.overall[name].targeted.value or 0 for name in (OPTIMISED, PUBLISHED))
        verdict = _between(score.tests, PUBLISHED, OPTIMISED).verdict
        outcome = {f"{OPTIMISED} higher": "better", f"{PUBLISHED} higher": "worse"}.get(verdict, verdict)
        lines.append(f"{each.kind}, {score.name}: {outcome}, {100 * ours:.1f} against {100 * theirs:.1f} %.")
    return lines


def _possible(each: Against) -> str:
    """Return in words what a noise for each crop alone reaches, which one for all can hardly surpass."""
    tests = []
    for score in (each.lab_alone, each.drive_alone):
        ours, alone = (score.overall[name].targeted for name in (OPTIMISED, ALONE))
        p = _between(score.tests, OPTIMISED, ALONE).p
        tests.append(
            f"{with_interval(alone)} of {alone.n} views through the {score.name} "
            f"(ours {percent(ours)}, {'no p' if p is None else f'p {p:.2g}'})"
        )
    text = (
        f"What is possible under the mask of the {each.kind}? A noise made as ours is, but for each crop "
        f"alone, takes {each.digital[ALONE]} of {each.crops} to the target as files, "
        f"and {' and '.join(tests)}."
    )
    return paragraph(text)


def _verdicts(each: Judgement) -> list[str]:
    found = each.found
    poster = found.area > 0.5
    where = f"{each.classifier}, {found.mask}"
    goals = (
        ("lab test", found.lab, POSTER_GOAL if poster else STICKER_GOAL),
        ("drive-by", found.drive, DRIVE_GOAL),
        *(() if poster else (("drive-by, found", found.found, DRIVE_GOAL),)),
    )
    lines = []
    for name, score, goal in goals:
        share, random = (score.overall[treatment].targeted.value or 0 for treatment in (OPTIMISED, RANDOM))
        reached = "reached" if share >= goal else f"missed by {100 * (goal - share):.1f} points"
        control = "below" if random < RANDOM_GOAL else "NOT below"
        lines.append(
            f"{where}, {name}: {100 * share:.1f} % of {100 * goal:.0f} % wanted, {reached}; random "
            f"{100 * random:.1f} %, {control} {100 * RANDOM_GOAL:.0f} %."
        )
    return lines


def _both(score: Score, treatment: str) -> str:
    return with_interval(score.overall[treatment].targeted)


HELD_OUT = (
    Column[Judged]("classifier → target", lambda line: f"{line[0].classifier} → {line[0].target}"),
    Column[Judged]("mask", lambda line: f"{line[0].found.mask}, {100 * line[0].found.area:.1f} %"),
    Column[Judged]("treatment", lambda line: line[1]),
    Column[Judged]("lab test", lambda line: _both(line[0].found.lab, line[1])),
    Column[Judged]("drive-by", lambda line: _both(line[0].found.drive, line[1])),
    Column[Judged]("drive-by, found", lambda line: _both(line[0].found.found, line[1])),
    Column[Judged]("of frames", lambda line: percent(line[0].found.found.overall[line[1]].found)),
    Column[Judged]("graphite", lambda line: _both(line[0].unforeseen, line[1])),
    Column[Judged]("read right, lab", lambda line: line[0].found.lab.overall[line[1]].accuracy, "interval"),
)


def _between(tests: Sequence[Comparison], one: str, other: str) -> Comparison:
    return next(test for test in tests if {test.first, test.second} == {one, other})


def _figures(judgements: Sequence[Judgement]) -> dict[str, Figure]:
    """Return the lab's heat map and the drive-by's curve of every judgement's stickers, by file name."""
    figures = {}
    for each in judgements:
        found = each.found
        if found.area > 0.5:
            continue
        shown = {f.name: f for score in (found.lab, found.drive) for f in score_figures(score).figures}
        for test, name in (
            ("lab", slug(f"{found.lab.title} {OPTIMISED}")),
            ("drive-by", slug(f"{found.drive.title} {found.drive.measure}")),
        ):
            figures[f"{NAME}-{each.classifier}-{found.mask}-{test}.svg"] = shown[name]
    return figures


def _as_json(against: Sequence[Against], judgements: Sequence[Judgement]) -> dict[str, Any]:
    return {
        "published": [
            {
                "mask": each.kind,
                "crops": each.crops,
                "as_files": dict(each.digital),
                "range": {name: list(ends) for name, ends in each.range.items()},
                "tests": [each.lab.as_json(), each.drive.as_json()],
                "for_each_alone": [each.lab_alone.as_json(), each.drive_alone.as_json()],
            }
            for each in against
        ],
        "held_out": [
            {
                "classifier": each.classifier,
                "target": each.target,
                "mask": each.found.mask,
                "area": each.found.area,
                "printability": each.found.record["printability"],
                "judged": each.found.record["judged"],
                "tests": [
                    score.as_json()
                    for score in (each.found.lab, each.found.drive, each.found.found, each.unforeseen)
                ],
            }
            for each in judgements
        ],
    }
