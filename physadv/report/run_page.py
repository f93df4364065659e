"""`report`: measurements and the files of their run → captures/NAME/report.html, one self-contained page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import When
from physadv.files import replacing
from physadv.pipeline.measure import transfer_matrix
from physadv.pipeline.measurement import Measurement, common_name
from physadv.pipeline.observing import PHOTO, UNTOUCHED, is_photo
from physadv.progress import Reporter, silent
from physadv.report.channels import of_first_run, sort_channels
from physadv.report.gallery import difference_gain, gallery
from physadv.report.page import SIDE_PX, Headline, Notice, render_page
from physadv.report.provenance import cameras, commands, parameters
from physadv.report.reading import readings
from physadv.report.result_tables import BESIDE, RATES, Beside, sweep_table, transfer_table
from physadv.report.run_figures import report_figures
from physadv.report.table import Cell, Table, to_html, words_table
from physadv.report.wording import (
    count_in_words,
    destruction_in_words,
    interval,
    percent,
    plural,
    prefiltered_in_words,
)
from physadv.runs import Capture, Printout
from physadv.runs.folders import writes_run

LISTED = 100

RATE_TITLE = (
    "Destruction rate d and accuracy in per cent, 95 % intervals below them. d | clean survives: of views in "
    "which the clean image is right. Before: of the files, the paper's source images."
)
BESIDE_TITLE = "Success, clean survival, confidence and calibration in per cent: all pairs, top-1."
TRANSFER_TITLE = (
    "Transfer in per cent, top-1: rows made against one classifier, columns judged by another. "
    "Success: wrong, of pairs whose clean image the judge has right; * the judge is the source."
)


@writes_run
def write_report(
    printout: Printout, capture: Capture, measurements: Sequence[Measurement], reporter: Reporter = silent
) -> Path:
    """Write captures/NAME/report.html and return its path.

    The measurements are of the run by its judges, the first of which the page is about; then those of other
    runs by the same judges, for the transfer matrix.

    Raises:
        RunError: an example or a crop that was measured cannot be read any more.
    """
    first = measurements[0]
    pairs = gallery(printout, capture, first, reporter)
    photographed = list(filter(is_photo, first.channels))
    shown = {channel: first.channels[channel] for channel in photographed or list(first.channels)[:1]}
    page = {
        "title": first.manifest.name,
        "summary": _summary(measurements),
        "notice": _notice(first),
        "headlines": [
            headline
            for channel, rows in shown.items()
            for headline in rate_headlines(rows, _through(channel, first), _which(channel))
        ],
        "readings": readings(first),
        "headlines_note": " ".join(
            f"{prefiltered_in_words(rows).removesuffix('.')}{_which(channel)}."
            for channel, rows in shown.items()
        ),
        "figures": report_figures(measurements),
        "tables": report_tables(measurements),
        "gallery": pairs,
        "side_px": SIDE_PX,
        "gain": difference_gain(first.manifest.attack),
        "discarded_note": _discarded_note(first),
        "discarded": _discarded(first),
        "parameters": parameters(first),
        "commands": commands(measurements),
    }
    with replacing(capture.report) as temporary:
        temporary.write_text(render_page("report.html.j2", page), encoding="utf-8")
    return capture.report


def rate_headlines(rows: Sequence[Row], through: str, which: str = "") -> tuple[Headline, ...]:
    """Return the destruction rates of a table's average case and, against misreading, its clean accuracy.

    Args:
        rows: one channel's table.
        through: what was done to the images, as in "were printed and photographed".
        which: how the names end where there are headlines of several channels.
    """
    average = [row for row in rows if row.case == "average"]
    top, clean = average[0].top, average[0].clean_after
    words = f"It was {percent(average[0].clean_before)} before."
    rates = [
        _headline(
            f"Destruction rate, top-{row.top}{which}",
            row.destruction_rate,
            destruction_in_words(row, through),
        )
        for row in average
    ]
    return (*rates, _headline(f"Clean accuracy after, top-{top}{which}", clean, words))


def _headline(name: str, share: Estimate, words: str) -> Headline:
    detail = count_in_words(share)
    if share.value is not None:
        detail = f"95 % interval {interval(share)} · {detail}"
    return Headline(name, percent(share), detail, words, weak=share.value is None)


def tables_as_html(measurements: Sequence[Measurement]) -> str:
    """Return the report's tables as HTML, for a notebook."""
    return "\n".join(to_html(table, f"table-{k}") for k, table in enumerate(report_tables(measurements)))


def report_tables(measurements: Sequence[Measurement]) -> list[Table[Any]]:
    """Return the first run's tables by every judge, transfer, and every sweep, folded."""
    judges = of_first_run(measurements)
    channels = sort_channels(judges[0].channels)
    by = {judge.classifier: f", judged by {judge.classifier}" * (len(judges) > 1) for judge in judges}
    tables: list[Table[Any]] = []
    if channels.single:
        rates: dict[str, list[Row]] = {}
        beside = []
        for channel in (UNTOUCHED.name, *channels.single):
            name, untouched = common_name(judges, channel), channel == UNTOUCHED.name
            for judge in judges:
                rows = judge.channels[channels.single[0] if untouched else channel]
                cell = Cell(name, by[judge.classifier].removeprefix(", "))
                when: When = "before" if untouched else "after"
                beside.append(Beside(cell, rows[0], judge.calibration[channel], when))
                if not untouched:
                    rates[f"{name}{by[judge.classifier]}"] = rows
        tables.append(Table(RATE_TITLE, RATES, rates, "channel"))
        tables.append(Table(BESIDE_TITLE, BESIDE, {"": beside}))
    if len(measurements) > 1:
        names = {name: common_name(measurements, name) for name in (UNTOUCHED.name, *channels.single)}
        cells = [cell for cell in transfer_matrix(measurements) if cell.channel in names]
        tables.append(transfer_table(TRANSFER_TITLE, cells, names))
    strengths = {
        f"{sweep.name}, {sweep.unit}": {f"{at:g}": channel for at, channel in sweep.channels.items()}
        for sweep in channels.sweeps
    }
    for grid in channels.viewpoints:
        strengths[f"{grid.name}, {grid.rows[0]} and {grid.columns[0]}"] = {
            f"{row:g}, {column:g}": channel for (row, column), channel in sorted(grid.channels.items())
        }
    for judge in judges:
        for name, found in strengths.items():
            title = f"Every strength of {name}{by[judge.classifier]}; average case, per cent"
            tables.append(sweep_table(title, {at: judge.channels[each] for at, each in found.items()}))
    return tables


def _summary(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    manifest = measurements[0].manifest
    attack, spec = manifest.attack, manifest.classifier.spec
    judges = list(dict.fromkeys(found.classifier for found in measurements))
    return (
        f"{attack.name}, {attack.budget}{'/255' * (attack.eps is not None)}",
        plural(len(manifest.pairs()), "pair"),
        f"{'classifier' if len(judges) == 1 else 'judged by'} {judges[0]}",
        *([f"and {plural(len(judges) - 1, 'further classifier')}"] if len(judges) > 1 else []),
        *([f"made against {spec}"] if judges != [spec] else []),
    )


def _through(channel: str, measurement: Measurement) -> str:
    if not is_photo(channel):
        return f"went through {channel}"
    used, condition = measurement.photos_of(channel), channel.partition(": ")[2]
    simulated = sum(photo.simulated for photo in used)
    how = " in simulation" if simulated == len(used) else ", some in simulation" if simulated else ""
    return f"were printed and photographed{how}{f' ({condition})' if condition else ''}"


def _which(channel: str) -> str:
    """Return ", " and the condition of a channel's photos, nothing where all were taken in one way."""
    condition = channel.partition(": ")[2] if is_photo(channel) else ""
    return f", {condition}" if condition else ""


def _notice(measurement: Measurement) -> Notice:
    used = measurement.used_photos
    simulated = sum(photo.simulated for photo in used)
    if not any(map(is_photo, measurement.channels)):
        refused = len(measurement.photos) - len(used)
        why = f"{plural(refused, 'photo')} could not be used; " if refused else ""
        return Notice("No photographs:", f"{why}only digital transformations were measured.")
    if simulated == len(used):
        made = "made by the virtual printer and phone, not by a camera."
        return Notice("Simulated photographs:", f"{made} {_conditions(measurement)}".strip())
    if simulated:
        some = (
            f"{simulated} of {len(used)} were made by the virtual printer and phone, the others by a camera"
        )
        apart = "are apart" if PHOTO.name not in measurement.channels else "pool both"
        return Notice("Mixed photographs:", f"{some}; the rates below {apart}.")
    by = f"{plural(len(used), 'photo')} by {cameras(used)}. {_conditions(measurement)}".strip()
    return Notice("Photographs of printed sheets:", by, plain=True)


def _conditions(measurement: Measurement) -> str:
    """Return what is done with photos taken in several ways; nothing where there is one way."""
    names = ", ".join(measurement.conditions)
    if len(measurement.conditions) < 2:
        return ""
    return f"The rates below {'pool' if measurement.options.pool else 'are separate for'} {names}."


def _discarded_note(measurement: Measurement) -> str:
    refused = len(measurement.photos) - len(measurement.used_photos)
    cells = sum(crop.path is None for crop in measurement.crops)
    missing = {pair for channel in measurement.channels for pair in measurement.missing[channel]}
    if not (refused or cells or missing):
        return "Nothing: every photo was used, every cell was cut out, and every pair was measured."
    return (
        f"{refused} of {plural(len(measurement.photos), 'photo')}, {cells} of "
        f"{plural(len(measurement.crops), 'cell')} in the others, and {len(missing)} of "
        f"{plural(len(measurement.manifest.pairs()), 'pair')} whose adversarial image was never measured."
    )


def _discarded(measurement: Measurement) -> list[Table[Any]]:
    """Return what was left out, and why, as tables of words; where nothing was, there is no table."""
    name = measurement.channel_name
    photos = [(photo.name, photo.reason or "") for photo in measurement.photos if photo.status == "refused"]
    cells = [(crop.example, crop.photo, crop.reason or "") for crop in measurement.crops if crop.path is None]
    missing = [(name(channel), ", ".join(pairs)) for channel, pairs in measurement.missing.items() if pairs]
    # Through every strength of a sweep the same pairs do not count.
    channels = sort_channels(measurement.channels).single or tuple(measurement.channels)[:1]
    uncounted = []
    for channel in channels:
        for row in measurement.channels[channel]:
            if left := row.destruction_rate.discarded:
                why = ", ".join(f"{pairs} {reason}" for reason, pairs in left.items())
                uncounted.append((name(channel), f"{row.case}, top-{row.top}", why))
    lists: tuple[tuple[str, Sequence[str], Sequence[Sequence[str]]], ...] = (
        ("Photos that could not be used", ("Photo", "Reason"), photos),
        ("Cells that could not be cut out", ("Example", "Photo", "Reason"), cells),
        ("Pairs whose adversarial image was never measured", ("Channel", "Pairs"), missing),
        ("Pairs that no destruction rate counts", ("Channel", "Case", "Pairs and reason"), uncounted),
    )
    more = f", the first {LISTED} of {{}}; 'destruction-rate --json' lists all"
    return [
        words_table(title + more.format(len(rows)) * (len(rows) > LISTED), headings, rows[:LISTED])
        for title, headings, rows in lists
        if rows
    ]
