"""The columns of results: rates, what to read beside them, sweeps, transfer, paired tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from physadv.evaluation.calibration import Reliability
from physadv.evaluation.comparisons import Comparison
from physadv.evaluation.destruction import Row, TransferCell
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import KINDS, Kind, When
from physadv.report.table import CHANGE, Cell, Column, Table, Value
from physadv.report.wording import UNDEFINED, interval, number, p_value

_CHANGES = {kind: attrgetter(f"{kind}_before", f"{kind}_after") for kind in KINDS}
PUBLISHED_RATES = (
    Column[Row]("case", lambda row: row.case, long="Case", once=True),
    Column[Row]("top", lambda row: str(row.top), long="Top"),
    Column[Row]("destroyed", lambda row: row.destruction_rate, "interval", "Destruction rate"),
    Column[Row]("n", lambda row: row.destruction_rate.n, "number"),
    Column[Row]("d | clean survives", lambda row: row.destruction_clean_survives, "interval"),
    Column[Row]("clean right", _CHANGES["clean"], "share", "Clean accuracy", CHANGE),
    Column[Row]("adv. right", _CHANGES["adversarial"], "share", "Adversarial accuracy", CHANGE),
)
"""Those columns of `RATES` that a paper has room for."""
PAIRS = Column[Row]("pairs", lambda row: row.destruction_rate.pairs, "number")
RATES = (*PUBLISHED_RATES[:4], PAIRS, *PUBLISHED_RATES[4:])
"""Every channel's rows: destruction rate, n, and the accuracies beside it."""


@dataclass(frozen=True)
class Beside:
    """One line beside the destruction rates: all pairs at top-1, before or after one channel.

    Attributes:
        channel: its name, with who judged below it where several did.
        row: the channel's first row, or any channel's where the line is of the files as they are.
        reliability: kind of example → its calibration.
        when: "before" for the files, "after" for what came through the channel.
    """

    channel: Cell
    row: Row
    reliability: Mapping[Kind, Reliability]
    when: When = "after"

    def share(self, measure: str) -> Estimate:
        """Return one of the row's measures on the line's side of the channel."""
        found: Estimate = getattr(self.row, f"{measure}_{self.when}")
        return found


def _targeted(line: Beside) -> Estimate | Cell:
    share = line.share("targeted")
    return share if share.n else Cell("no target", weak=True)


def _errors(line: Beside) -> tuple[Value, ...]:
    errors = [line.reliability[kind].ece for kind in KINDS]
    return tuple(Cell(UNDEFINED, weak=True) if error is None else error for error in errors)


def _confidences(line: Beside) -> tuple[Value, ...]:
    return tuple(line.share(f"{kind}_confidence") for kind in KINDS)


KINDS_SHORT = ("clean", "adv.")
BESIDE = (
    Column[Beside]("channel", lambda line: line.channel, long="Channel"),
    Column[Beside]("success", lambda line: line.share("success"), "interval", "Success"),
    Column("target reached", _targeted, "share", "Target reached"),
    # Files went through no channel that they could survive.
    Column[Beside](
        "clean survival",
        lambda line: line.row.clean_survival if line.when == "after" else "",
        "interval",
        "Clean survival",
    ),
    Column("confidence", _confidences, "share", "Confidence", KINDS_SHORT),
    Column("ECE", _errors, "share", "Calibration error", KINDS_SHORT),
)
"""What must be read beside a destruction rate, of the files and then of every channel."""


Strength = tuple[str, Sequence[Row]]
"""A strength as it is written, and the rows of its average case."""
TOPS = ("top-1", "top-5")


def _by_top(measure: str) -> Callable[[Strength], tuple[Value, ...]]:
    return lambda strength: tuple(getattr(row, measure) for row in strength[1])


SWEEP = (
    Column[Strength]("strength", lambda at: at[0], long="Strength"),
    Column("destroyed", _by_top("destruction_rate"), "interval", "Destruction rate", TOPS),
    Column[Strength]("n, top-1", lambda at: at[1][0].destruction_rate.n, "number"),
    Column[Strength]("d | clean survives, top-1", lambda at: at[1][0].destruction_clean_survives, "interval"),
    Column("clean right after", _by_top("clean_after"), "share", "Clean accuracy after", TOPS),
    Column("adv. right after", _by_top("adversarial_after"), "share", "Adversarial accuracy after", TOPS),
    Column[Strength]("clean survival, top-1", lambda at: at[1][0].clean_survival, "interval"),
)


def sweep_table(title: str, strengths: Mapping[str, Sequence[Row]]) -> Table[Strength]:
    """Return one kind of transformation at every strength, average case; a page shows it folded.

    Args:
        title: of the table.
        strengths: strength as it is written → its rows.
    """
    average = [(at, [row for row in rows if row.case == "average"]) for at, rows in strengths.items()]
    return Table(title, SWEEP, {"": average}, folded=True)


def transfer_table(
    title: str, cells: Sequence[TransferCell], names: Mapping[str, str]
) -> Table[Mapping[str, TransferCell]]:
    """Return sources by targets: success and destruction rate, a group of rows a channel.

    Args:
        title: of the table.
        cells: of every run, target and channel.
        names: channel → what a person calls it.
    """
    groups: dict[str, dict[str, dict[str, TransferCell]]] = {}
    for cell in cells:
        groups.setdefault(names[cell.channel], {}).setdefault(cell.run, {})[cell.target] = cell

    def source(cells: Mapping[str, TransferCell]) -> Cell:
        cell = next(iter(cells.values()))
        return Cell(cell.run, f"made against {cell.source}")

    columns = [Column[Mapping[str, TransferCell]]("run", source, long="Run")]
    for place, target in enumerate(dict.fromkeys(cell.target for cell in cells), 1):
        columns += _judged_by(target, place)
    return Table(title, columns, {name: list(runs.values()) for name, runs in groups.items()}, "channel")


def _judged_by(target: str, place: int) -> list[Column[Mapping[str, TransferCell]]]:
    def success(cells: Mapping[str, TransferCell]) -> Cell:
        share = cells[target].success
        mark = "*" * cells[target].white_box
        return Cell(f"{number(share)}{mark}", interval(share), weak=share.value is None)

    def destroyed(cells: Mapping[str, TransferCell]) -> Estimate | None:
        return cells[target].destruction

    return [
        Column(f"success by {place}", success, "interval", f"Success by {target}"),
        Column(f"destroyed by {place}", destroyed, "interval", f"Destroyed by {target}"),
    ]


TESTS = (
    Column[Comparison]("compared", lambda test: f"{test.first}, {test.second}", long="First, second"),
    Column[Comparison]("difference", lambda test: test.difference, "interval", long="Difference"),
    Column[Comparison]("clusters", lambda test: test.difference.pairs, "number"),
    Column[Comparison]("p", lambda test: p_value(test.p), "number"),
    Column[Comparison]("p (Holm)", lambda test: p_value(test.holm), "number"),
    Column[Comparison]("verdict", lambda test: test.verdict, long="Verdict"),
)
"""Paired tests: by how much the first's share is above the second's, over clusters."""
