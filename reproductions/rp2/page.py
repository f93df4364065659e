"""The page of the stop-sign study, made from its stored answers: tables, verdicts, what no longer holds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from physadv.errors import reading
from physadv.evaluation.intervals import Estimate
from physadv.files import replacing
from physadv.report.drawing import Figure
from physadv.report.page import slug
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import interval, p_value, paragraph, percent, with_interval
from physadv.signs.stop_sign.page import score_figures
from physadv.signs.stop_sign.score import Score, score_drive_by, score_lab
from physadv.signs.stop_sign.settings import OPTIMISED, RANDOM
from physadv.signs.stop_sign.views import Answer
from reproductions.rp2 import earlier
from reproductions.rp2.counting import (
    HELD_OUT_TESTS,
    NOISES,
    PUBLISHED,
    PUBLISHED_TESTS,
    SAME_RANGE,
    WORN,
    Counts,
    Outcome,
    Tested,
)
from reproductions.rp2.held_out import scene
from reproductions.rp2.scenes import scene_of
from reproductions.rp2.sights import (
    AS_FILES,
    DRIVE,
    FOUND,
    LAB,
    Sight,
    SightsError,
    read_sights,
    write_sights,
)

Line = tuple[str, str]
"""A part of the study and a treatment: a line of a table of shares."""
NAME = "stop-sign"
COMMAND = "python -m reproductions.rp2 DATA"
GOAL, MOST_BY_CHANCE = 0.85, 0.10
"""Targeted success that was to be reached, and what random stickers were to stay below."""
GOAL_TESTS = (LAB, DRIVE, FOUND)
NOT_DECIDED = "not decided"
_STILL = {
    "better": ("better",),
    "at least as good": ("better", "within 3 points"),
    "no difference shown": ("no difference of interest shown", "within 3 points"),
}
"""Earlier outcome → outcomes of today under which it holds."""


def store(out: Path, made: Sequence[Mapping[str, Any]], sights: Sequence[Sight], command: str) -> None:
    """Keep how the noises and stickers were made, and every answer on them, for `recount`."""
    write_sights(out / f"{NAME}-sights.csv.gz", sights)
    _write_json(out, {"command": command, "made": list(made)})


def recount(out: Path) -> list[Path]:
    """Write the page, its numbers and its figures from the stored answers alone, and return their paths.

    Raises:
        SightsError: there are no stored answers, or they are damaged.
    """
    path = out / f"{NAME}.json"
    with reading(path, lambda error: SightsError(f"{path}: no stored study to recount ({error})")):
        stored = json.loads(path.read_text(encoding="utf-8"))
        command, made = stored["command"], stored["made"]
    sights = read_sights(out / f"{NAME}-sights.csv.gz")
    counts = Counts(made, sights)
    figures = _figures(counts)
    page = out / f"{NAME}.md"
    with replacing(page) as temporary:
        temporary.write_text(_text(counts, sights, figures, command), encoding="utf-8")
    _write_json(out, {"command": command, **_numbers(counts), "made": made})
    for stale in set(out.glob(f"{NAME}-*.svg")) - {out / name for name in figures}:
        stale.unlink()
    for name, figure in figures.items():
        with replacing(out / name) as temporary:
            figure.write(temporary, "svg")
    return [page, path, *(out / name for name in figures)]


def _text(counts: Counts, sights: Sequence[Sight], figures: Mapping[str, Figure], command: str) -> str:
    """Return the page: the words of `page.md` with tables, outcomes and figures in their places."""
    published, random = counts.against_published, counts.against_random
    gone, held, dropped = _earlier(counts, published)
    scenes = {scene_of(sight.sign) for sight in sights}
    sides = [sorted({scene_of(name) for name in side}) for side in _sides(counts)]
    shown = {name: name.removeprefix(f"{NAME}-").removesuffix(".svg") for name in figures}
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            command=command,
            gone="\n".join(f"- {line}" for line in gone) or "- nothing.",
            held="\n".join(f"- {line}" for line in held) or "- nothing.",
            dropped=paragraph(f"Not made again: {', '.join(dropped)}; and a noise made for each crop alone."),
            sights=len(sights),
            scenes=len(scenes),
            photos=len({sight.sign for sight in sights if sight.test != AS_FILES}),
            seeds=", ".join(str(seed) for seed in sorted({sight.seed for sight in sights})),
            sides=paragraph(f"The sides: {'; '.join(', '.join(side) for side in sides)}."),
            against_family=len(published),
            random_family=len(random),
            against=to_markdown(_against_table(counts)),
            comparisons=to_markdown(_comparison_table(published)),
            held_out=to_markdown(_held_out_table(counts)),
            random=to_markdown(_comparison_table(random)),
            goals="\n".join(f"- {line}" for line in _goals(counts)),
            figures="\n".join(
                f"![{shown[name]}: {figure.title}]({name})" for name, figure in figures.items()
            ),
        )
    )


def _sides(counts: Counts) -> list[list[str]]:
    """Return the photos on either side of the split, as the stickers' record has them."""
    side = counts.made[counts.held_out[0]][0]["sides"][0] if counts.held_out else {}
    return [side[name] for name in ("attacked", "judged")] if side else []


def _against_table(counts: Counts) -> Table[Line]:
    def levels(line: Line, name: str) -> str:
        part, noise = line
        found = [row[name][noise] for row in counts.made[part]]
        return f"{sum(found) / len(found):.3f}"

    def ends(line: Line) -> str:
        part, noise = line
        lows, highs = zip(*(row["range"][noise] for row in counts.made[part]), strict=True)
        return f"{min(lows):.2f} to {max(highs):.2f}"

    columns = (
        Column[Line]("mask", lambda line: line[0]),
        Column[Line]("noise", lambda line: line[1]),
        Column[Line]("range", ends),
        Column[Line]("mean size", lambda line: levels(line, "mean"), "number"),
        Column[Line]("mean change", lambda line: levels(line, "change"), "number"),
        *(_targeted(counts, test) for test in PUBLISHED_TESTS),
    )
    return Table("", columns, {"": [(part, noise) for part in counts.published for noise in NOISES]})


def _held_out_table(counts: Counts) -> Table[Line]:
    def target(line: Line) -> str:
        return f"{line[0]} → {counts.target(line[0])}, {_area(counts, line[0])}"

    columns = (
        Column[Line]("classifier, mask → target, area", target),
        Column[Line]("treatment", lambda line: line[1]),
        *(_targeted(counts, test) for test in HELD_OUT_TESTS),
        Column[Line]("of frames", lambda line: percent(counts.found(line[0], FOUND, line[1]).share)),
        Column[Line]("read right, lab", lambda line: _seen(counts.right(line[0], LAB, line[1]))),
    )
    return Table("", columns, {"": [(part, worn) for part in counts.held_out for worn in WORN]})


def _targeted(counts: Counts, test: str) -> Column[Line]:
    return Column(test, lambda line: _seen(counts.targeted(line[0], test, line[1])))


def _comparison_table(tests: Sequence[Tested]) -> Table[Tested]:
    def difference(line: Tested) -> str:
        own = line.found.difference
        return "undefined" if own.value is None else f"{100 * own.value:+.1f} ({interval(own)})"

    columns = (
        Column[Tested]("part", lambda line: line.part),
        Column[Tested]("test", lambda line: line.test),
        Column[Tested]("compared", lambda line: f"{line.found.first} − {line.found.second}"),
        Column[Tested]("difference, points", difference),
        Column[Tested]("p", lambda line: p_value(line.found.p), "number"),
        Column[Tested]("Holm", lambda line: p_value(line.found.holm), "number"),
        Column[Tested]("verdict", lambda line: line.found.verdict),
        Column[Tested]("sights", lambda line: line.found.difference.n, "number"),
        Column[Tested]("scenes", lambda line: line.found.difference.pairs, "number"),
    )
    return Table("", columns, {"": tests})


def _seen(outcome: Outcome) -> str:
    """Return a share with its interval and the least and largest of the seeds' shares."""
    if outcome.share.value is None:
        return with_interval(outcome.share)
    seeds = outcome.seeds.values()
    return f"{with_interval(outcome.share)}; {100 * min(seeds):.1f} to {100 * max(seeds):.1f}"


def _area(counts: Counts, part: str) -> str:
    areas = [side["area_of_the_sign"] for row in counts.made[part] for side in row["sides"]]
    return f"{100 * sum(areas) / len(areas):.1f} %"


def _goals(counts: Counts) -> list[str]:
    lines = []
    for part in counts.held_out:
        for test in GOAL_TESTS:
            own, random = (counts.targeted(part, test, worn).share for worn in (OPTIMISED, RANDOM))
            lines.append(
                f"{part}, {test}: {with_interval(own)} of {100 * GOAL:.0f} % wanted, {_goal(own)}; "
                f"random {with_interval(random)}, {_chance(random)}."
            )
    return lines


def _goal(own: Estimate) -> str:
    """Return whether the goal is reached, as far as the whole interval says."""
    if own.low is None or own.high is None:
        return NOT_DECIDED
    return "reached" if own.low >= GOAL else "missed" if own.high < GOAL else NOT_DECIDED


def _chance(random: Estimate) -> str:
    """Return whether random stickers stay below what was allowed, as far as the whole interval says."""
    if random.low is None or random.high is None:
        return NOT_DECIDED
    below = f"below {100 * MOST_BY_CHANCE:.0f} %"
    return below if random.high < MOST_BY_CHANCE else f"not shown {below}"


def _earlier(counts: Counts, published: Sequence[Tested]) -> tuple[list[str], list[str], list[str]]:
    """Return what no longer holds of what the page said, what still does, and what is not made again."""
    gone: list[str] = []
    held: list[str] = []
    today = {(each.part, each.test): each for each in published if each.found.first == SAME_RANGE}
    for part, test, before, numbers in earlier.AGAINST:
        if (part, test) in today:
            now = _outcome(today[part, test])
            shares = (counts.targeted(part, test, name).share for name in (SAME_RANGE, PUBLISHED))
            lines = held if now in _STILL[before] else gone
            lines.append(
                f"{part}, {test}, ours against the published noise: was “{before}” ({numbers}), is "
                f"“{now}” ({' against '.join(with_interval(own) for own in shares)})."
            )
    dropped = []
    for part, test, reached, wanted, by_chance in earlier.GOALS:
        if part not in counts.held_out:
            dropped.append(part)
            continue
        own, random = (counts.targeted(part, test, worn).share for worn in (OPTIMISED, RANDOM))
        for before, now, number, share in (
            ("reached" if reached >= wanted else "missed", _goal(own), f"{reached} % of {wanted} %", own),
            (f"below {100 * MOST_BY_CHANCE:.0f} %", _chance(random), f"random {by_chance} %", random),
        ):
            lines = held if now == before else gone
            lines.append(f"{part}, {test}: was “{before}” ({number}), is “{now}” ({with_interval(share)}).")
    return gone, held, list(dict.fromkeys(dropped))


def _outcome(tested: Tested) -> str:
    """Return the verdict on ours as the earlier page put it."""
    verdict, found = tested.found.verdict, tested.found
    return {f"{found.first} higher": "better", f"{found.second} higher": "worse"}.get(verdict, verdict)


def _numbers(counts: Counts) -> dict[str, Any]:
    """Return all shares and comparisons as plain numbers."""

    def shares(parts: Sequence[str], treatments: Sequence[str], tests: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "part": part,
                "test": test,
                "treatment": treatment,
                "targeted": _as_json(counts.targeted(part, test, treatment)),
                "right": _as_json(counts.right(part, test, treatment)),
                "found": _as_json(counts.found(part, test, treatment)),
            }
            for part in parts
            for treatment in treatments
            for test in tests
        ]

    def tests(found: Sequence[Tested]) -> list[dict[str, Any]]:
        return [
            {
                "part": each.part,
                "test": each.test,
                "first": each.found.first,
                "second": each.found.second,
                "difference": _estimate(each.found.difference),
                "p": each.found.p,
                "holm": each.found.holm,
                "verdict": each.found.verdict,
            }
            for each in found
        ]

    return {
        "published": shares(counts.published, NOISES, PUBLISHED_TESTS),
        "against_published": tests(counts.against_published),
        "held_out": shares(counts.held_out, WORN, HELD_OUT_TESTS),
        "against_random": tests(counts.against_random),
    }


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {**_estimate(outcome.share), "seeds": list(outcome.seeds.values())}


def _estimate(own: Estimate) -> dict[str, Any]:
    return {"value": own.value, "low": own.low, "high": own.high, "n": own.n, "scenes": own.pairs}


def _write_json(out: Path, numbers: Mapping[str, Any]) -> None:
    with replacing(out / f"{NAME}.json") as path:
        path.write_text(json.dumps(numbers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _figures(counts: Counts) -> dict[str, Figure]:
    """Return the lab's heat map and the drive-by's curve of every part's stickers, by file name."""
    figures = {}
    for part in counts.held_out:
        lab = score_lab(_answers(counts, part, LAB), cluster=scene)
        drive = score_drive_by(_answers(counts, part, DRIVE), cluster=scene)
        for test, score, name in (
            ("lab", lab, slug(f"{lab.title} {OPTIMISED}")),
            ("drive-by", drive, slug(f"{drive.title} {drive.measure}")),
        ):
            figures[f"{NAME}-{part.replace(', ', '-')}-{test}.svg"] = _figure(score, name)
    return figures


def _figure(score: Score, name: str) -> Figure:
    return next(figure for figure in score_figures(score).figures if figure.name == name)


def _answers(counts: Counts, part: str, test: str) -> list[Answer]:
    """Return the sights of a test as answers of two classes and others: 0 is the sign's, 1 the target."""
    numbers = {str(counts.made[part][0]["label"]): 0, counts.target(part): 1}
    return [
        Answer(
            worn,
            sight.sign,
            sight.place,
            sight.distance_m,
            0.0,
            label=0,
            target=1,
            labels=(numbers.get(sight.answer, 2),) if sight.answer else (),
            probabilities=(1.0,) if sight.answer else (),
        )
        for worn in WORN
        for sight in counts.sights(part, test, worn)
    ]
