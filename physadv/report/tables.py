"""Tables of a page: rates with intervals and n, what must be read beside them, sweeps, transfer."""

from collections.abc import Mapping, Sequence

from physadv.evaluation.calibration import Reliability
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import KINDS, Kind
from physadv.evaluation.transfer import TransferCell
from physadv.report.page import Cell, Column, ColumnGroup, RowGroup, Table
from physadv.report.wording import UNDEFINED, interval, number

_BEFORE_AFTER = (Column("before"), Column("after"))


def rate_table(channels: Mapping[str, Sequence[Row]]) -> Table:
    """Return every channel's rows: destruction rate with interval, n, and the accuracies beside it."""
    return Table(
        caption="Destruction rate and accuracy in per cent, 95 % intervals below them.",
        columns=(
            ColumnGroup("", (Column("Case", numeric=False),)),
            ColumnGroup("Destruction rate", (Column("rate"), Column("n"), Column("pairs"))),
            ColumnGroup("Clean accuracy", _BEFORE_AFTER),
            ColumnGroup("Adversarial accuracy", _BEFORE_AFTER),
        ),
        groups=tuple(
            RowGroup(name, tuple(_rate_cells(row) for row in rows)) for name, rows in channels.items()
        ),
    )


def _rate_cells(row: Row) -> tuple[Cell, ...]:
    rate = row.destruction_rate
    accuracies = (row.clean_before, row.clean_after, row.adversarial_before, row.adversarial_after)
    return (
        Cell(f"{row.case}, top-{row.top}"),
        share_cell(rate),
        Cell(str(rate.n)),
        Cell(str(rate.pairs)),
        *map(share_cell, accuracies),
    )


def beside_table(channels: Mapping[tuple[str, str], tuple[Row, Mapping[Kind, Reliability]]]) -> Table:
    """Return what must be read beside a destruction rate: all pairs, top-1.

    Args:
        channels: channel's name and what is said under it → its first row, and its reliability by kind.
    """
    return Table(
        caption="Success, clean survival, confidence and calibration in per cent: all pairs, top-1.",
        columns=(
            ColumnGroup("", (Column("Channel", numeric=False), Column("clean survival"))),
            ColumnGroup("Success", _BEFORE_AFTER),
            ColumnGroup("Target reached", _BEFORE_AFTER),
            ColumnGroup("Confidence after", (Column("clean"), Column("adversarial"))),
            ColumnGroup("Calibration error after", (Column("clean"), Column("adversarial"))),
        ),
        groups=(
            RowGroup(
                "",
                tuple(
                    _beside_cells(Cell(name, under), row, found)
                    for (name, under), (row, found) in channels.items()
                ),
            ),
        ),
    )


def _beside_cells(name: Cell, row: Row, found: Mapping[Kind, Reliability]) -> tuple[Cell, ...]:
    shares = (row.clean_survival, row.success_before, row.success_after)
    targeted = (row.targeted_before, row.targeted_after)
    return (
        name,
        *map(share_cell, shares),
        *(share_cell(share) if share.n else Cell("no target", weak=True) for share in targeted),
        *map(share_cell, (row.clean_confidence_after, row.adversarial_confidence_after)),
        *(_ece_cell(found[kind]) for kind in KINDS),
    )


def _ece_cell(found: Reliability) -> Cell:
    return Cell(UNDEFINED, weak=True) if found.ece is None else Cell(f"{100 * found.ece:.1f}")


def sweep_table(name: str, strengths: Mapping[str, Sequence[Row]]) -> Table:
    """Return one kind of transformation at every strength: average case."""
    both = (Column("top-1"), Column("top-5"))
    return Table(
        caption=f"Every strength of {name}; average case, per cent",
        columns=(
            ColumnGroup("", (Column("Strength", numeric=False),)),
            ColumnGroup("Destruction rate", (*both, Column("n, top-1"))),
            ColumnGroup("Clean accuracy after", both),
            ColumnGroup("Adversarial accuracy after", both),
            ColumnGroup("", (Column("clean survival, top-1"),)),
        ),
        groups=(RowGroup("", tuple(_sweep_cells(at, rows) for at, rows in strengths.items())),),
        folded=True,
    )


def _sweep_cells(strength: str, rows: Sequence[Row]) -> tuple[Cell, ...]:
    average = [row for row in rows if row.case == "average"]
    return (
        Cell(strength),
        *(share_cell(row.destruction_rate) for row in average),
        Cell(str(average[0].destruction_rate.n)),
        *(share_cell(row.clean_after) for row in average),
        *(share_cell(row.adversarial_after) for row in average),
        share_cell(average[0].clean_survival),
    )


def transfer_table(cells: Sequence[TransferCell], names: Mapping[str, str]) -> Table:
    """Return sources by targets: success and destruction rate, a group of rows a channel.

    Args:
        cells: of every run, target and channel.
        names: channel → what a person calls it.
    """
    targets = list(dict.fromkeys(cell.target for cell in cells))
    found = {(cell.channel, cell.run, cell.target): cell for cell in cells}
    runs = dict.fromkeys((cell.run, cell.source) for cell in cells)
    return Table(
        caption="Transfer in per cent, top-1: rows made against one classifier, columns judged by another. "
        "Success: wrong, of pairs whose clean image the judge has right; * the judge is the source.",
        columns=(
            ColumnGroup("", (Column("Run, made against", numeric=False),)),
            *(ColumnGroup(target, (Column("success"), Column("destroyed"))) for target in targets),
        ),
        groups=tuple(
            RowGroup(
                names[channel],
                tuple(
                    (
                        Cell(run, source),
                        *(c for target in targets for c in _transfer_cells(found[channel, run, target])),
                    )
                    for run, source in runs
                    if (channel, run, targets[0]) in found
                ),
            )
            for channel in dict.fromkeys(cell.channel for cell in cells)
        ),
    )


def _transfer_cells(cell: TransferCell) -> tuple[Cell, Cell]:
    success = share_cell(cell.success, "*" * cell.white_box)
    return success, share_cell(cell.destruction) if cell.destruction else Cell("–", weak=True)


def share_cell(share: Estimate, mark: str = "") -> Cell:
    """Return a share in per cent over its interval; a mark follows it."""
    text = number(share)
    return Cell(text + mark, interval(share), weak=text == UNDEFINED)
