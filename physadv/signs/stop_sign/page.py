"""The page of a stop-sign study: headlines, heat maps, the drive-by curve, views and parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from physadv.evaluation.comparisons import Comparison
from physadv.files import replacing
from physadv.report.figures import Figure, Grid, Series, curve, heat_map
from physadv.report.page import (
    Cell,
    Column,
    ColumnGroup,
    Facts,
    FigureGroup,
    Headline,
    Notice,
    Picture,
    RowGroup,
    Table,
    render_page,
    slug,
)
from physadv.report.tables import share_cell
from physadv.report.wording import interval, percent, plural
from physadv.runs import Capture
from physadv.signs.stop_sign.gallery import ViewRow, sticker_pictures, view_rows
from physadv.signs.stop_sign.lab import CELLS
from physadv.signs.stop_sign.score import Printability, Score, Shares
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED
from physadv.signs.stop_sign.views import Exhibit

SIMULATED_NOTICE = (
    "No sign was printed and none photographed: every photo and every frame here was computed from the "
    "sign's face by a model of camera, light and road. What real stickers do on a real sign, only real "
    "photos tell."
)
FACES_NOTE = "The first sign as each treatment leaves it, flat and unphotographed."
LIMITS = (
    "Shares count the views in which the sign was found or, where a simulated test knows its place, is at "
    "least 16 pixels high. Wilson intervals take every view for a trial of its own; the clustered ones draw "
    "whole signs or approaches and are the safer. A simulated test says what holds under the poses, light "
    "and noise it draws, a real one what held on that day. A sticker that fools this classifier may leave "
    "another unmoved, and one that fails here may fool it in other light. Test signs of your own, never one "
    "on a public road."
)


@dataclass(frozen=True)
class StudyPage:
    """Everything the page says, in the order in which it says it; see `study_page`."""

    title: str
    summary: tuple[str, ...]
    notice: Notice
    headlines: tuple[Headline, ...]
    headlines_note: str
    stickers_note: str
    stickers: tuple[Picture, ...]
    figures: tuple[FigureGroup, ...]
    tables: tuple[Table, ...]
    views_note: str
    views: tuple[ViewRow, ...]
    parameters: tuple[Facts, ...]
    commands: tuple[str, ...]
    commands_note: str
    limits: str


def study_page(
    title: str,
    *,
    classifier: str,
    label: str,
    target: str | None,
    scores: Sequence[Score],
    printability: Mapping[str, Printability],
    stickers: tuple[Picture, ...],
    views: tuple[ViewRow, ...],
    parameters: tuple[Facts, ...],
    commands: tuple[str, ...],
    stickers_note: str = "",
) -> StudyPage:
    """Return what the page says of a study.

    Args:
        title: the study's name.
        classifier: its spec.
        label: name of the true class.
        target: name of the attack's class, None without one.
        scores: of its tests, simulated or real.
        printability: of the treatments that wear stickers.
        stickers: from `sticker_pictures`.
        views: from `view_rows`.
        parameters: everything the study was made with.
        commands: what remakes it, one line each.
        stickers_note: what the stickers are, in a sentence.
    """
    aim = f"to be read as “{target}”" if target else "not to be read as what it is"
    unreal = [score.title for score in scores if score.simulated]
    return StudyPage(
        title=title,
        summary=(f"classifier {classifier}", f"sign “{label}”, {aim}", *(score.title for score in scores)),
        notice=Notice("Simulated.", SIMULATED_NOTICE)
        if len(unreal) == len(scores)
        else Notice("Partly simulated." if unreal else "Real pictures.", _what_is_real(scores), not unreal),
        headlines=tuple(_headline(score, target) for score in scores),
        headlines_note="Random stickers have the area and the colours of the optimised ones, and nothing was "
        "optimised about them: what they do, any sticker does.",
        stickers_note=stickers_note or FACES_NOTE,
        stickers=stickers,
        figures=tuple(score_figures(score) for score in scores),
        tables=(
            *(_overall(score, printability) for score in scores),
            *(_tests(score) for score in scores if score.by_view),
            *(_places(score) for score in scores),
        ),
        views_note="The first sign, the same pose, light and noise in a row. Below each picture: the "
        "classifier's answer on the crop of the sign.",
        views=views,
        parameters=parameters,
        commands=commands,
        commands_note="The same seed gives the same numbers.",
        limits=LIMITS,
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
    command: str,
) -> None:
    """Write the page of a run to its capture's `report.html`.

    Args:
        capture: where it is written.
        record: of the stickers, as `stop-sign.json` has it.
        exhibit: the signs that were judged.
        scores: of the tests.
        printability: of the treatments that wear stickers.
        command: that remakes the run.
    """
    page = study_page(
        f"Stickers on a stop sign: {capture.name}",
        classifier=exhibit.judge.classifier.spec,
        label=record["classes"]["label"],
        target=record["classes"]["target"],
        scores=scores,
        printability=printability,
        stickers=sticker_pictures(exhibit),
        views=view_rows(exhibit),
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


def _what_is_real(scores: Sequence[Score]) -> str:
    said = [f"{score.name}: {'simulated' if score.simulated else score.channel}" for score in scores]
    return f"{'; '.join(said)}."


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
    feet = tuple(dict.fromkeys(cell.feet for cell in CELLS))
    angles = tuple(dict.fromkeys(cell.angle for cell in CELLS))
    shares = {
        (cell.feet, cell.angle): getattr(score.places[cell.name][treatment], score.measure)
        for cell in CELLS
        if cell.name in score.places
    }
    grid = Grid(
        rows=tuple(f"{row} ft" for row in feet),
        columns=tuple(f"{column}°" for column in angles),
        row_axis="distance",
        column_axis="angle off the sign's normal",
        cells=tuple(tuple(shares.get((row, column)) for column in angles) for row in feet),
    )
    return heat_map(slug(f"{score.title} {treatment}"), treatment, score.title, grid)


def _overall(score: Score, printability: Mapping[str, Printability]) -> Table:
    runs = (Column("longest run"),) if score.longest_run else ()
    return Table(
        caption=f"{_title(score)}: all views, per cent, 95 % intervals below (Wilson, then over "
        f"{'approaches' if score.longest_run else 'signs'}).",
        columns=(
            ColumnGroup("", (Column("Treatment", numeric=False),)),
            ColumnGroup("Success", (Column("targeted"), Column("untargeted"))),
            ColumnGroup("", (Column("read right"), Column("confidence"), Column("found"), Column("views"))),
            ColumnGroup("Print", (Column("NPS"), Column("palette error"))),
            *((ColumnGroup("", runs),) if runs else ()),
        ),
        groups=(
            RowGroup(
                "",
                tuple(_overall_cells(name, score, printability.get(name)) for name in score.overall),
            ),
        ),
    )


def _overall_cells(name: str, score: Score, printed: Printability | None) -> tuple[Cell, ...]:
    own, clustered = score.overall[name], score.clustered[name]
    shares = []
    for measure in ("targeted", "untargeted", "accuracy"):
        cell = share_cell(getattr(own, measure))
        over = interval(getattr(clustered, measure))
        shares.append(replace(cell, detail=f"{cell.detail}\n{over}" if over else ""))
    confidence = Cell("–", weak=True) if own.confidence is None else Cell(f"{100 * own.confidence:.1f}")
    numbers = (None, None) if printed is None else (printed.nps, printed.palette_error)
    return (
        Cell(name),
        *shares,
        confidence,
        Cell(f"{100 * (own.found.value or 0):.1f}"),
        Cell(str(own.views)),
        *(Cell("–", weak=True) if value is None else Cell(f"{value:.3g}") for value in numbers),
        *((Cell(str(score.longest_run[name])),) if score.longest_run else ()),
    )


def _places(score: Score) -> Table:
    return Table(
        caption=f"{_title(score)}, {score.measure} success by place, per cent",
        columns=(
            ColumnGroup("", (Column("Place", numeric=False), *map(Column, score.overall))),
            ColumnGroup("", (Column("views"),)),
        ),
        groups=(
            RowGroup(
                "", tuple(_place_cells(place, own, score.measure) for place, own in score.places_seen.items())
            ),
        ),
        folded=True,
    )


def _place_cells(place: str, own: Mapping[str, Shares], measure: str) -> tuple[Cell, ...]:
    views = next(iter(own.values())).views
    return (
        Cell(place),
        *(share_cell(getattr(shares, measure)) for shares in own.values()),
        Cell(str(views)),
    )


def _tests(score: Score) -> Table:
    return Table(
        caption=f"{_title(score)}: {score.measure} success compared, exact McNemar, Holm-corrected",
        columns=(
            ColumnGroup("", (Column("Treatments", numeric=False),)),
            ColumnGroup("", (Column("only first"), Column("only second"), Column("pairs"))),
            ColumnGroup("", (Column("p"), Column("p (Holm)"), Column("differs"))),
        ),
        groups=(
            RowGroup("view by view", tuple(map(_test_cells, score.by_view))),
            RowGroup("sign by sign, by most of its views", tuple(map(_test_cells, score.by_sign))),
        ),
    )


def _test_cells(test: Comparison) -> tuple[Cell, ...]:
    return (
        Cell(f"{test.first}, {test.second}"),
        *(Cell(str(count)) for count in (test.only_first, test.only_second, test.pairs)),
        *(Cell("–", weak=True) if p is None else Cell(f"{p:.2g}") for p in (test.p, test.holm)),
        Cell("yes" if test.differs else "not shown", weak=not test.differs),
    )
