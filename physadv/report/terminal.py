"""Tables for a terminal: what `destruction-rate`, `plan` and `masking-check` print."""

from collections import defaultdict
from collections.abc import Sequence

from rich import box
from rich.console import Console, ConsoleOptions
from rich.table import Table

from physadv.evaluation.calibration import Reliability
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import KINDS
from physadv.evaluation.planning import PrintPlan
from physadv.evaluation.transfer import TransferCell
from physadv.pipeline.masking_check import MaskingCheck
from physadv.pipeline.measure import Measurement, transfer_matrix
from physadv.pipeline.observing import UNTOUCHED
from physadv.report.wording import UNDEFINED, counted, interval, number

NAMED = 6
"""Channels that a line names; of more it says how many."""


def show_measurements(measurements: Sequence[Measurement]) -> None:
    """Print every measurement's tables, and with several the transfer matrix."""
    for measurement in measurements:
        show_table(measurement)
    if len(measurements) > 1:
        _show_transfer(transfer_matrix(measurements))


def show_table(measurement: Measurement) -> None:
    """Print a measurement's tables, what was discarded, and whether the photos were simulated."""
    manifest = measurement.manifest
    title = f"{manifest.name}: {manifest.attack.name}, {manifest.attack.budget}, {measurement.classifier}"
    shown = _table(
        title,
        ("channel", "case", "top"),
        ("destroyed % (95 %)", "n", "pairs", "clean right %", "adv. right %"),
    )
    for channel, rows in measurement.channels.items():
        before = ""
        for row in rows:
            name = measurement.channel_name(channel) if row is rows[0] else ""
            shown.add_row(name, row.case if row.case != before else "", str(row.top), *_cells(row))
            before = row.case
    console = console_for(shown)
    console.print(shown)
    console.print("destroyed: destruction rate, Kurakin et al. 2017, eq. 1; right: before → after")
    for line in (*_undefined(measurement), *_discarded(measurement)):
        console.print(line, soft_wrap=True)
    beside = _beside(measurement)
    console = console_for(beside)
    console.print(beside)
    console.print(
        "success: adversarial wrong, of clean right before; survival: clean right, of clean right before; "
        "ECE: expected calibration error",
        soft_wrap=True,
    )


def _beside(measurement: Measurement) -> Table:
    """Return what must be read beside a destruction rate: all pairs, top-1."""
    shown = _table(
        "all pairs, top-1",
        ("channel",),
        (
            "success % (95 %)",
            "target reached %",
            "clean survival % (95 %)",
            "confidence % clean",
            "adv.",
            "ECE % clean",
            "adv.",
        ),
    )
    tables = {channel: rows[0] for channel, rows in measurement.channels.items()}
    first = next(iter(tables.values()))
    untouched = measurement.calibration[UNTOUCHED.name]
    shown.add_row(
        "files",
        _with_interval(first.success_before),
        number(first.targeted_before),
        "",
        number(first.clean_confidence_before),
        number(first.adversarial_confidence_before),
        *(_ece(untouched[kind]) for kind in KINDS),
    )
    for channel, row in tables.items():
        shown.add_row(
            measurement.channel_name(channel),
            _with_interval(row.success_after),
            number(row.targeted_after) if row.targeted_after.n else "no target",
            _with_interval(row.clean_survival),
            number(row.clean_confidence_after),
            number(row.adversarial_confidence_after),
            *(_ece(measurement.calibration[channel][kind]) for kind in KINDS),
        )
    return shown


def _show_transfer(cells: Sequence[TransferCell]) -> None:
    """Print the matrix: a row a source and channel, two columns a classifier that judges."""
    targets = list(dict.fromkeys(cell.target for cell in cells))
    judged = [f"{what} by {k + 1}" for k in range(len(targets)) for what in ("success %", "destroyed %")]
    shown = _table("transfer, top-1 (95 %)", ("run", "channel"), judged)
    found = {(cell.run, cell.channel, cell.target): cell for cell in cells}
    for run, channel in dict.fromkeys((cell.run, cell.channel) for cell in cells):
        chosen = [found[run, channel, target] for target in targets]
        said = [
            _with_interval(rate) if rate else "–"
            for cell in chosen
            for rate in (cell.success, cell.destruction)
        ]
        shown.add_row(run, "files" if channel == UNTOUCHED.name else channel, *said)
    console = console_for(shown)
    console.print(shown)
    for run, source in dict.fromkeys((cell.run, cell.source) for cell in cells):
        console.print(f"{run}: made against {source}", soft_wrap=True)
    for k, target in enumerate(targets):
        console.print(f"by {k + 1}: judged by {target}", soft_wrap=True)


def show_plan(plan: PrintPlan) -> None:
    """Print how many pairs to print, and what comes of it."""
    print(
        f"{counted(plan.counted, 'pair')} must count: a rate of {100 * plan.rate:g} % then has the 95 % "
        f"interval {100 * plan.low:.1f}–{100 * plan.high:.1f} % (Wilson)"
    )
    of = "" if plan.qualifying == 1 else f", of which {100 * plan.qualifying:g} % are expected to count"
    print(f"print {counted(plan.printed, 'pair')}, {2 * plan.printed} pictures{of}")


def show_masking(check: MaskingCheck) -> None:
    """Print accuracies under every attack, the signs of masking, and the verdict."""
    shown = _table(
        f"{check.classifier}, eps {check.eps}: accuracy under attack",
        ("attack",),
        ("steps", "right % (95 %)", "n"),
    )
    for name, share in check.attacks.items():
        shown.add_row(name, "", _with_interval(share), str(share.n))
    for name, curve in check.curves.items():
        for steps, share in curve.items():
            shown.add_row(
                name if steps == min(curve) else "", str(steps), _with_interval(share), str(share.n)
            )
    console_for(shown).print(shown)
    print(f"answers only: {check.queries} queries an image")
    if check.wrong_before:
        print(f"left out: {counted(check.wrong_before, 'image')} wrong before any attack")
    for sign in check.signs:
        print(f"{'SEEN' if sign.seen else 'not seen'}: {sign.name} ({sign.said})")
    print(f"verdict: {check.verdict}")


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    shown = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0))
    for heading in words:
        shown.add_column(heading)
    for heading in numbers:
        shown.add_column(heading, justify="right", no_wrap=True)
    return shown


def _cells(row: Row) -> list[str]:
    rate = row.destruction_rate
    return [
        _with_interval(rate),
        str(rate.n),
        str(rate.pairs),
        f"{number(row.clean_before)} → {number(row.clean_after)}",
        f"{number(row.adversarial_before)} → {number(row.adversarial_after)}",
    ]


def _with_interval(rate: Estimate) -> str:
    return rate.undefined or f"{number(rate)} ({interval(rate)})"


def _ece(found: Reliability) -> str:
    return UNDEFINED if found.ece is None else f"{100 * found.ece:.1f}"


def _undefined(measurement: Measurement) -> list[str]:
    """Return a line for every way in which destruction rates of the average case came to be undefined."""
    channels: dict[str, list[str]] = defaultdict(list)
    for channel, rows in measurement.channels.items():
        for row in rows:
            rate = row.destruction_rate
            if row.case == "average" and rate.undefined:
                why = ", ".join(f"{pairs} {reason}" for reason, pairs in rate.discarded.items())
                channels[
                    f"top-{row.top}: destruction rate undefined, {rate.undefined} of "
                    f"{counted(sum(rate.discarded.values()), 'pair')} ({why})"
                ].append(channel)
    return [
        f"{line}: {', '.join(names) if len(names) <= NAMED else counted(len(names), 'channel')}"
        for line, names in channels.items()
    ]


def console_for(table: Table) -> Console:
    """Return a console for a table: the terminal's own width, or all the table wants where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, console.measure(table, options=_unbounded(console)).maximum)
    return console


def _unbounded(console: Console) -> ConsoleOptions:
    return console.options.update(max_width=1000)


def _discarded(measurement: Measurement) -> list[str]:
    lines = []
    refused = [photo for photo in measurement.photos if photo.status == "refused"]
    cells = [crop for crop in measurement.crops if crop.path is None]
    if refused or cells:
        lines.append(f"discarded: {len(refused)} photos, {len(cells)} cells of the others")
        lines += [f"  {photo.name}: {photo.reason}" for photo in refused]
        lines += [f"  {cell.photo}: {cell.example}: {cell.reason}" for cell in cells]
    for channel in measurement.channels:
        missing = measurement.missing[channel]
        if missing:
            lines.append(f"{channel}: {len(missing)} pairs not measured: {', '.join(missing)}")
    return lines
