"""The columns of results: rates, what to read beside them, sweeps, transfer, paired tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from physadv.evaluation.calibration import Reliability
from physadv.evaluation.comparisons import Comparison
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import KINDS, Kind, When
from physadv.evaluation.transfer import TransferCell
from physadv.report.table import Cell, Column, Table
from physadv.report.wording import UNDEFINED, interval, number, p_value

CASE = Column[Row]("case", lambda row: row.case, long="Case", once=True)
TOP = Column[Row]("top", lambda row: str(row.top), long="Top")
DESTROYED = Column[Row]("destroyed", lambda row: row.destruction_rate, "interval", long="Destruction rate")
N = Column[Row]("n", lambda row: row.destruction_rate.n, "number")
PAIRS = Column[Row]("pairs", lambda row: row.destruction_rate.pairs, "number")
BEFORE_AFTER = ("before", "after")
RIGHT = (
    Column[Row](
        "clean right",
        lambda row: (row.clean_before, row.clean_after),
        "share",
        long="Clean accuracy",
        parts=BEFORE_AFTER,
        joined=True,
    ),
    Column[Row](
        "adv. right",
        lambda row: (row.adversarial_before, row.adversarial_after),
        "share",
        long="Adversarial accuracy",
        parts=BEFORE_AFTER,
        joined=True,
    ),
)
RATES = (CASE, TOP, DESTROYED, N, PAIRS, *RIGHT)
PUBLISHED_RATES = (CASE, TOP, DESTROYED, N, *RIGHT)
"""Those of `RATES` that a paper has room for."""


def rate_table(
    title: str, channels: Mapping[str, Sequence[Row]], columns: Sequence[Column[Row]] = RATES
) -> Table[Row]:
    """Return every channel's rows: destruction rate, n, and the accuracies beside it.

    Args:
        title: of the table.
        channels: channel's name → its rows.
        columns: `RATES`, or fewer of them.
    """
    return Table(title, columns, channels, "channel")


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


BESIDE = (
    Column[Beside]("channel", lambda line: line.channel, long="Channel"),
    Column[Beside]("success", lambda line: line.share("success"), "interval", long="Success"),
    Column[Beside]("target reached", lambda line: _targeted(line), "share", long="Target reached"),
    Column[Beside](
        "clean survival",
        lambda line: "" if line.when == "before" else line.row.clean_survival,
        "interval",
        long="Clean survival",
    ),
    Column[Beside](
        "confidence",
        lambda line: tuple(line.share(f"{kind}_confidence") for kind in KINDS),
        "share",
        long="Confidence",
        parts=("clean", "adv."),
    ),
    Column[Beside](
        "ECE",
        lambda line: tuple(_ece(line.reliability[kind]) for kind in KINDS),
        "share",
        long="Calibration error",
        parts=("clean", "adv."),
    ),
)


def beside_table(title: str, lines: Sequence[Beside]) -> Table[Beside]:
    """Return what must be read beside a destruction rate: the files, then every channel."""
    return Table(title, BESIDE, {"": lines})


def _targeted(line: Beside) -> Estimate | Cell:
    share = line.share("targeted")
    return share if share.n else Cell("no target", weak=True)


def _ece(found: Reliability) -> float | Cell:
    return Cell(UNDEFINED, weak=True) if found.ece is None else found.ece


Strength = tuple[str, Sequence[Row]]
"""A strength as it is written, and the rows of its average case."""
TOPS = ("top-1", "top-5")
SWEEP = (
    Column[Strength]("strength", lambda at: at[0], long="Strength"),
    Column[Strength](
        "destroyed",
        lambda at: tuple(row.destruction_rate for row in at[1]),
        "interval",
        long="Destruction rate",
        parts=TOPS,
    ),
    Column[Strength]("n, top-1", lambda at: at[1][0].destruction_rate.n, "number"),
    Column[Strength](
        "clean right after",
        lambda at: tuple(row.clean_after for row in at[1]),
        "share",
        long="Clean accuracy after",
        parts=TOPS,
    ),
    Column[Strength](
        "adv. right after",
        lambda at: tuple(row.adversarial_after for row in at[1]),
        "share",
        long="Adversarial accuracy after",
        parts=TOPS,
    ),
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
    columns = [Column[Mapping[str, TransferCell]]("run", _source, long="Run")]
    for place, target in enumerate(dict.fromkeys(cell.target for cell in cells), 1):
        columns += _judged_by(target, place)
    return Table(title, columns, {name: list(runs.values()) for name, runs in groups.items()}, "channel")


def _source(cells: Mapping[str, TransferCell]) -> Cell:
    cell = next(iter(cells.values()))
    return Cell(cell.run, f"made against {cell.source}")


def _judged_by(target: str, place: int) -> list[Column[Mapping[str, TransferCell]]]:
    def success(cells: Mapping[str, TransferCell]) -> Cell:
        share = cells[target].success
        mark = "*" * cells[target].white_box
        return Cell(f"{number(share)}{mark}", interval(share), weak=share.value is None)

    return [
        Column(f"success by {place}", success, "interval", long=f"Success by {target}"),
        Column(
            f"destroyed by {place}",
            lambda cells: cells[target].destruction,
            "interval",
            long=f"Destroyed by {target}",
        ),
    ]


TESTS = (
    Column[Comparison]("compared", lambda test: f"{test.first}, {test.second}", long="First, second"),
    Column[Comparison]("only first", lambda test: test.only_first, "number"),
    Column[Comparison]("only second", lambda test: test.only_second, "number"),
    Column[Comparison]("pairs", lambda test: test.pairs, "number"),
    Column[Comparison]("p", lambda test: p_value(test.p), "number"),
    Column[Comparison]("p (Holm)", lambda test: p_value(test.holm), "number"),
    Column[Comparison](
        "differs", lambda test: test.undefined or ("yes" if test.differs else "not shown"), long="Differs"
    ),
)


def paired_table(
    title: str, groups: Mapping[str, Sequence[Comparison]], group_heading: str = ""
) -> Table[Comparison]:
    """Return paired tests, a line each: in how many pairs something is true under one of the two only.

    Args:
        title: of the table.
        groups: name of a group, such as a channel, or "" → its tests.
        group_heading: what the groups are, such as "channel".
    """
    return Table(title, TESTS, groups, group_heading)
