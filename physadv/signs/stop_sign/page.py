"""The page of a stop-sign study: headlines, heat maps, the drive-by curve, views and parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from physadv.files import replacing
from physadv.report.drawing import Figure
from physadv.report.figures import Series, curve, heat_map
from physadv.report.page import Facts, FigureGroup, Headline, Notice, Picture, render_page, slug
from physadv.report.table import Table
from physadv.report.wording import interval, percent, plural
from physadv.runs import Capture
from physadv.signs.stop_sign.cells import CELLS
from physadv.signs.stop_sign.gallery import ViewRow, sticker_pictures, view_rows
from physadv.signs.stop_sign.score import Printability, Score
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, StudySize
from physadv.signs.stop_sign.tables import comparison_table, overall_table, place_table
from physadv.signs.stop_sign.views import Exhibit

SIMULATED_NOTICE = (
    "No sign was printed and none photographed: every photo and every frame here was computed from the "
    "sign's face by a model of camera, light and road. What real stickers do on a real sign, only real "
    "photos tell."
)


@dataclass(frozen=True)
class StudyPage:
    """What the page shows, from top to bottom; its template has the words that are always the same.

    Attributes:
        title: the study's name.
        summary: short facts below it.
        notice: says what is simulated.
        headlines: one a test.
        stickers_note: what the stickers are.
        stickers: the first sign's face, a picture a treatment.
        figures: of every test.
        tables: of every test.
        views: the first sign from some places, a picture a treatment.
        parameters: everything the study was made with.
        commands: that remake it.
    """

    title: str
    summary: tuple[str, ...]
    notice: Notice
    headlines: tuple[Headline, ...]
    stickers_note: str
    stickers: tuple[Picture, ...]
    figures: tuple[FigureGroup, ...]
    tables: tuple[Table[Any], ...]
    views: tuple[ViewRow, ...]
    parameters: tuple[Facts, ...]
    commands: tuple[str, ...]


def study_page(
    title: str,
    exhibit: Exhibit,
    scores: Sequence[Score],
    printability: Mapping[str, Printability],
    *,
    shots: int,
    parameters: tuple[Facts, ...],
    commands: tuple[str, ...],
    stickers_note: str = "The first sign as each treatment leaves it, flat and unphotographed.",
) -> StudyPage:
    """Return the page of a study.

    Args:
        title: the study's name.
        exhibit: the signs that were judged.
        scores: of its tests, simulated or real.
        printability: of the treatments that wear stickers.
        shots: photos in each cell of the lab test, of which the first is shown.
        parameters: everything the study was made with.
        commands: what remakes it, one line each.
        stickers_note: what the stickers are, in a sentence.
    """
    judge, unreal = exhibit.judge, [score for score in scores if score.simulated]
    labels = judge.classifier.labels
    target = None if judge.target is None else labels[judge.target]
    aim = f"to be read as “{target}”" if target else "not to be read as what it is"
    tables: list[Table[Any]] = [overall_table(score, printability, clustered=True) for score in scores]
    tables += [comparison_table(score) for score in scores if score.by_view]
    tables += map(place_table, scores)
    return StudyPage(
        title=title,
        summary=(
            f"classifier {judge.classifier.spec}",
            f"sign “{labels[judge.label]}”, {aim}",
            *(score.title for score in scores),
        ),
        notice=Notice("Simulated.", SIMULATED_NOTICE)
        if len(unreal) == len(scores)
        else Notice("Partly simulated." if unreal else "Real pictures.", _what_is_real(scores), not unreal),
        headlines=tuple(_headline(score, target) for score in scores),
        stickers_note=stickers_note,
        stickers=sticker_pictures(exhibit),
        figures=tuple(score_figures(score) for score in scores),
        tables=tuple(map(_capital, tables)),
        views=view_rows(exhibit, shots),
        parameters=parameters,
        commands=commands,
    )


def render_study(page: StudyPage) -> str:
    """Return the page as one self-contained HTML file; the same data gives the same text."""
    return render_page("stop_sign.html.j2", page)


def write_page(
    capture: Capture,
    record: Mapping[str, Any],
    exhibit: Exhibit,
    scores: Sequence[Score],
    printability: Mapping[str, Printability],
    size: StudySize,
    command: str,
) -> None:
    """Write the page of a run to its capture's `report.html`.

    Args:
        capture: where it is written.
        record: of the stickers, as `stop-sign.json` has it.
        exhibit: the signs that were judged.
        scores: of the tests.
        printability: of the treatments that wear stickers.
        size: of the simulated tests.
        command: that remakes the run.
    """
    page = study_page(
        f"Stickers on a stop sign: {capture.name}",
        exhibit,
        scores,
        printability,
        shots=size.shots,
        parameters=_facts(record),
        commands=(command,),
        stickers_note=f"Stickers cover {100 * record['area_of_the_sign']:.1f} % of the sign; the first "
        "sign that was judged, as each treatment leaves it.",
    )
    with replacing(capture.report) as path:
        path.write_text(render_study(page), encoding="utf-8")


def _facts(record: Mapping[str, Any]) -> tuple[Facts, ...]:
    asked = tuple((name, str(value)) for name, value in record["asked"].items() if value is not None)
    printed = tuple((name, f"{value:.4g}") for name, value in record["printability"].items())
    return (
        Facts("Stickers", asked),
        Facts("Printability", printed),
        Facts("Signs", tuple((name, ", ".join(record[name])) for name in ("attacked", "judged"))),
        Facts("Versions", tuple(sorted(record["versions"].items()))),
    )


def _capital(table: Table[Any]) -> Table[Any]:
    return replace(table, title=table.title[0].upper() + table.title[1:])


def _what_is_real(scores: Sequence[Score]) -> str:
    return f"{'; '.join(f'{score.name}: {score.channel}' for score in scores)}."


def _title(score: Score) -> str:
    return score.title[0].upper() + score.title[1:]


def _headline(score: Score, target: str | None) -> Headline:
    tried = OPTIMISED if OPTIMISED in score.overall else next(iter(score.overall))
    own, overall = score.overall[tried], score.overall
    share, clustered = (getattr(each, score.measure) for each in (own, score.clustered[tried]))
    words = [
        f"of the views in which the sign was found ({percent(own.found)} of {own.views}) are "
        + (f"read as “{target}”." if target else "not read as what they are.")
    ]
    others = [name for name in overall if name not in (tried, CLEAN)]
    if others:
        rates = (f"{name} {percent(getattr(overall[name], score.measure))}" for name in others)
        words.append(f"In comparison: {', '.join(rates)}.")
    if CLEAN in overall:
        words.append(f"Without stickers {percent(overall[CLEAN].accuracy)} are read right.")
    if score.longest_run:
        run = plural(score.longest_run[tried], "frame")
        words.append(f"The longest run of right answers despite them: {run}.")
    return Headline(
        name=f"{_title(score)}: {'no' if tried == CLEAN else tried} stickers",
        value=percent(share),
        detail=f"95 % interval {interval(share)} · n = {share.n}; clustered {interval(clustered)}",
        words=" ".join(words),
        weak=share.value is None,
    )


def score_figures(score: Score) -> FigureGroup:
    """Return heat maps of a lab test, a treatment each, or the curves of a drive-by test."""
    title = _title(score)
    if score.distances_m:
        return FigureGroup(title, "Against distance; bands are 95 %, over approaches.", _curves(score), True)
    note = f"Share of views with {score.measure} success in per cent, by distance and angle."
    return FigureGroup(title, note, tuple(_heat_map(score, name) for name in score.overall))


def _curves(score: Score) -> tuple[Figure, ...]:
    return tuple(
        curve(
            slug(f"{score.title} {measure}"),
            what[0].upper() + what[1:],
            f"metres to the sign, {score.channel}",
            score.distances_m,
            [
                Series(name, tuple(getattr(place[name], measure) for place in score.places.values()))
                for name in score.overall
            ],
            what,
        )
        for measure, what in (
            (score.measure, f"{score.measure} success"),
            ("accuracy", "read right"),
            ("found", "sign found"),
        )
    )


def _heat_map(score: Score, treatment: str) -> Figure:
    shares = {
        (f"{cell.feet} ft", f"{cell.angle}°"): getattr(score.places[cell.name][treatment], score.measure)
        for cell in CELLS
        if cell.name in score.places
    }
    return heat_map(
        slug(f"{score.title} {treatment}"),
        treatment,
        score.title,
        ("distance", list(dict.fromkeys(f"{cell.feet} ft" for cell in CELLS))),
        ("angle off the sign's normal", list(dict.fromkeys(f"{cell.angle}°" for cell in CELLS))),
        shares,
    )
