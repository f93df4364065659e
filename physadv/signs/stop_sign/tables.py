"""The columns of the stop-sign tables, for a page and a terminal."""

from collections.abc import Callable, Mapping, Sequence

from physadv.evaluation.comparisons import Comparison
from physadv.report.result_tables import TESTS
from physadv.report.table import Column, Table, Value
from physadv.report.wording import of_interest
from physadv.signs.stop_sign.detection import Detected
from physadv.signs.stop_sign.score import Score, Shares
from physadv.signs.stop_sign.settings import OPTIMISED

Place = tuple[str, Mapping[str, Shares]]
"""A place's name, and the shares of every treatment there."""
Printability = Mapping[str, float]
"""How well the optimised stickers print: "nps_minimum", the mean distance to the nearest printable colour,
and "palette_error", the root mean square of that distance in 8-bit levels a channel."""


def overall_table(score: Score, printability: Printability) -> Table[str]:
    """Return a line a treatment: its shares over all views, and how well its stickers print."""

    def print_error(name: str) -> Callable[[str], Value]:
        def value(treatment: str) -> str | None:
            return f"{printability[name]:.3g}" if treatment == OPTIMISED else None

        return value

    columns = [
        Column[str]("treatment", lambda name: name, long="Treatment"),
        Column("targeted", lambda name: score.overall[name].targeted, "interval", long="Targeted success"),
        Column(
            "untargeted", lambda name: score.overall[name].untargeted, "interval", long="Untargeted success"
        ),
        Column("read right", lambda name: score.overall[name].accuracy, "interval"),
        Column("confidence", lambda name: score.overall[name].confidence, "share"),
        Column("found", lambda name: score.overall[name].found.value, "share"),
        Column("views", lambda name: score.overall[name].views, "number"),
        Column("NPS", print_error("nps_minimum"), "number"),
        Column("palette error", print_error("palette_error"), "number"),
    ]
    if score.longest_run:
        columns.append(Column("longest run", lambda name: score.longest_run[name], "number"))
    over = "approaches" if score.longest_run else "signs"
    title = f"{score.title}: per cent with 95 % interval over {over}"
    return Table(title, columns, {"": list(score.overall)})


def place_table(score: Score) -> Table[Place]:
    """Return a line a place: the success of every treatment there."""

    def success(treatment: str) -> Callable[[Place], Value]:
        return lambda place: getattr(place[1][treatment], score.measure)

    columns = [Column[Place]("place", lambda place: place[0], long="Place")]
    columns += [Column(name, success(name), "interval") for name in score.overall]
    columns.append(Column("views", lambda place: next(iter(place[1].values())).views, "number"))
    title = f"{score.title}: {score.measure} success by place, per cent"
    return Table(title, columns, {"": list(score.places_seen.items())}, folded=True)


def comparison_table(score: Score) -> Table[Comparison]:
    """Return the paired tests between treatments, sign by sign or approach by approach."""
    what = f"{score.measure} success, first less second, {of_interest(score.tests[0].smallest)}"
    title = f"{score.title}: {what}, exact sign flips, Holm"
    return Table(title, TESTS, {"": score.tests})


def score_tables(
    score: Score, printability: Printability
) -> list[Table[str] | Table[Place] | Table[Comparison]]:
    """Return all tables of one test, as a terminal shows them; for the arguments see `overall_table`."""
    tests = [comparison_table(score)] if score.tests else []
    return [overall_table(score, printability), place_table(score), *tests]


def detection_table(rows: Sequence[Detected]) -> Table[Detected]:
    """Return how often a detector still finds the sign in the views of the lab test."""
    columns = (
        Column[Detected]("treatment", lambda row: row.treatment),
        Column[Detected]("detected", lambda row: row.detected, "interval"),
        Column[Detected]("of those found clean", lambda row: row.kept, "interval"),
        Column[Detected]("mean score", lambda row: _two_digits(row.score.value), "number"),
        Column[Detected]("score lost", lambda row: _two_digits(row.lost), "number"),
    )
    title = "detection, simulated: per cent with 95 % interval, scores from 0 to 1"
    return Table(title, columns, {"": rows})


def _two_digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
