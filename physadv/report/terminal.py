"""What `destruction-rate` prints on a terminal: the tables, and what was left out."""

from collections import defaultdict
from collections.abc import Sequence

from physadv.pipeline.measure import transfer_matrix
from physadv.pipeline.measurement import Measurement, common_name
from physadv.pipeline.observing import UNTOUCHED
from physadv.report.reading import readings
from physadv.report.result_tables import BESIDE, RATES, Beside, transfer_table
from physadv.report.table import Cell, Table, show
from physadv.report.wording import plural
from physadv.text import printable

NAMED = 6
"""Channels that a line names; of more it says how many."""


def show_measurements(measurements: Sequence[Measurement]) -> None:
    """Print every measurement's tables, and with several the transfer matrix."""
    for measurement in measurements:
        show_table(measurement)
    if len(measurements) > 1:
        cells = transfer_matrix(measurements)
        names = {channel: common_name(measurements, channel) for channel in (cell.channel for cell in cells)}
        show(transfer_table("transfer, top-1; * the judge is the source", cells, names))
        for place, target in enumerate(dict.fromkeys(cell.target for cell in cells), 1):
            print(printable(f"by {place}: judged by {target}"))


def show_table(measurement: Measurement) -> None:
    """Print a measurement's tables, what was discarded, and whether the photos were simulated."""
    manifest = measurement.manifest
    names = {channel: measurement.channel_name(channel) for channel in measurement.channels}
    title = f"{manifest.name}: {manifest.attack.name}, {manifest.attack.budget}, {measurement.classifier}"
    rates = {names[channel]: rows for channel, rows in measurement.channels.items()}
    show(Table(title, RATES, rates, "channel"))
    print("destroyed: destruction rate d, Kurakin et al. 2017, eq. 1; right: files → after")
    print("d | clean survives: of views in which the clean image is right")
    for line in (*_undefined(measurement), *readings(measurement), *_discarded(measurement)):
        print(printable(line))
    untouched = measurement.calibration[UNTOUCHED.name]
    lines = [Beside(Cell("files"), next(iter(measurement.channels.values()))[0], untouched, "before")]
    lines += [
        Beside(Cell(names[channel]), rows[0], measurement.calibration[channel])
        for channel, rows in measurement.channels.items()
    ]
    show(Table("all pairs, top-1", BESIDE, {"": lines}))
    print(
        "success: adversarial wrong, of clean right before; survival: clean right, of clean right before; "
        "ECE: expected calibration error"
    )


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
                    f"{plural(sum(rate.discarded.values()), 'pair')} ({why})"
                ].append(channel)
    return [
        f"{line}: {', '.join(names) if len(names) <= NAMED else plural(len(names), 'channel')}"
        for line, names in channels.items()
    ]


def _discarded(measurement: Measurement) -> list[str]:
    lines = []
    refused = [photo for photo in measurement.photos if photo.status == "refused"]
    cells = [crop for crop in measurement.crops if crop.path is None]
    if refused or cells:
        lines.append(f"discarded: {len(refused)} photos, {len(cells)} cells of the others")
        lines += [f"  {photo.name}: {photo.reason}" for photo in refused]
        lines += [f"  {cell.photo}: {cell.example}: {cell.reason}" for cell in cells]
    return lines + [
        f"{channel}: {len(missing)} pairs not measured: {', '.join(missing)}"
        for channel, missing in measurement.missing.items()
        if missing
    ]
