"""`report`: measurements and the files of their run → captures/NAME/report.html, one self-contained page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.files import replacing
from physadv.pipeline.measure import Measurement, common_name, transfer_matrix
from physadv.pipeline.observing import PHOTO, UNTOUCHED
from physadv.progress import Reporter, silent
from physadv.report.channels import Channels, named_channels, of_first_run
from physadv.report.gallery import difference_gain, gallery
from physadv.report.page import SIDE_PX, GalleryGroup, Headline, Notice, render_page
from physadv.report.provenance import cameras, commands, parameters
from physadv.report.result_tables import Beside, beside_table, rate_table, sweep_table, transfer_table
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
from physadv.runs import Capture, Manifest, Printout

LISTED = 100

RATE_TITLE = "Destruction rate and accuracy in per cent, 95 % intervals below them."
BESIDE_TITLE = "Success, clean survival, confidence and calibration in per cent: all pairs, top-1."
TRANSFER_TITLE = (
    "Transfer in per cent, top-1: rows made against one classifier, columns judged by another. "
    "Success: wrong, of pairs whose clean image the judge has right; * the judge is the source."
)

LIMITS = (
    "A destruction rate says how often this channel undid these adversarial examples, which this attack made "
    "against this classifier. It does not say that the classifier is safe: another attack, one that reckons "
    "with printing and photographing above all, another printer, camera or light, or other images can give "
    "another rate, and a channel that spoils clean images too destroys adversarial ones for free."
)


def write_report(
    printout: Printout, capture: Capture, measurements: Sequence[Measurement], reporter: Reporter = silent
) -> Path:
    """Write captures/NAME/report.html and return its path.

    Args:
        printout: the run.
        capture: its photos' crops, and where the page goes.
        measurements: of the run by its judges, the first of which the page is about; then those of other
            runs by the same judges, for the transfer matrix.
        reporter: shows progress.

    Raises:
        RunError: an example or a crop that was measured cannot be read any more.
    """
    first = measurements[0]
    judges = of_first_run(measurements)
    channels = named_channels(judges)
    pairs = gallery(printout, capture, first, reporter)
    channel, rows = next(iter(first.channels.items()))
    page = {
        "title": first.manifest.name,
        "summary": _summary(measurements),
        "notice": _notice(first),
        "headlines": rate_headlines(rows, _through(channel, first)),
        "headlines_note": prefiltered_in_words(rows),
        "figures": report_figures(measurements, judges, channels),
        "tables": _tables(measurements, judges, channels),
        "gallery_note": _gallery_note(pairs, first.manifest),
        "gallery": pairs,
        "discarded_note": _discarded_note(first),
        "discarded": _discarded(first, channels),
        "parameters": parameters(first),
        "commands": commands(measurements),
        "commands_note": "Not recorded: any --seed of 'photograph'. Options at their defaults are left out.",
        "limits": LIMITS,
    }
    with replacing(capture.report) as temporary:
        temporary.write_text(render_page("report.html.j2", page), encoding="utf-8")
    return capture.report


def rate_headlines(rows: Sequence[Row], through: str) -> tuple[Headline, ...]:
    """Return the destruction rates of a table's average case and, against misreading, its clean accuracy.

    Args:
        rows: one channel's table.
        through: what was done to the images, as in "were printed and photographed".
    """
    average = [row for row in rows if row.case == "average"]
    first = average[0]
    rates = [
        Headline(
            name=f"Destruction rate, top-{row.top}",
            value=percent(row.destruction_rate),
            detail=_detail(row.destruction_rate),
            words=destruction_in_words(row, through),
            weak=row.destruction_rate.value is None,
        )
        for row in average
    ]
    clean = Headline(
        name=f"Clean accuracy after, top-{first.top}",
        value=percent(first.clean_after),
        detail=_detail(first.clean_after),
        words=f"It was {percent(first.clean_before)} before. Where it falls far, the channel spoilt the "
        "images, and a destruction rate says little about the attack.",
        weak=first.clean_after.value is None,
    )
    return (*rates, clean)


def _detail(share: Estimate) -> str:
    if share.value is None:
        return count_in_words(share)
    return f"95 % interval {interval(share)} · {count_in_words(share)}"


def tables_as_html(measurements: Sequence[Measurement]) -> str:
    """Return the report's tables as HTML, for a notebook."""
    judges = of_first_run(measurements)
    tables = _tables(measurements, judges, named_channels(judges))
    return "\n".join(to_html(table, f"table-{k}") for k, table in enumerate(tables))


def _tables(
    measurements: Sequence[Measurement], judges: Sequence[Measurement], channels: Channels
) -> list[Table[Any]]:
    """Return the first run's tables by every judge, transfer, and every sweep, folded."""
    tables: list[Table[Any]] = []
    if channels.single:
        rates = {
            f"{channels.names[channel]}{_judged(judge, judges)}": judge.channels[channel]
            for channel in channels.single
            for judge in judges
        }
        beside = [
            _beside(channel, judge, judges, channels)
            for channel in (UNTOUCHED.name, *channels.single)
            for judge in judges
        ]
        tables += [rate_table(RATE_TITLE, rates), beside_table(BESIDE_TITLE, beside)]
    if len(measurements) > 1:
        names = {name: common_name(measurements, name) for name in (UNTOUCHED.name, *channels.single)}
        cells = [cell for cell in transfer_matrix(measurements) if cell.channel in names]
        tables.append(transfer_table(TRANSFER_TITLE, cells, names))
    for judge in judges:
        tables += _sweeps(judge, channels, _judged(judge, judges))
    return tables


def _beside(channel: str, judge: Measurement, judges: Sequence[Measurement], channels: Channels) -> Beside:
    cell = Cell(channels.names[channel], _judged(judge, judges).removeprefix(", "))
    untouched = channel == UNTOUCHED.name
    rows = judge.channels[channels.single[0] if untouched else channel]
    return Beside(cell, rows[0], judge.calibration[channel], "before" if untouched else "after")


def _judged(judge: Measurement, judges: Sequence[Measurement]) -> str:
    """Return who judged, where there are several who do."""
    return f", judged by {judge.classifier}" if len(judges) > 1 else ""


def _sweeps(judge: Measurement, channels: Channels, by: str) -> list[Table[Any]]:
    strengths = [
        (f"{sweep.name}, {sweep.unit}", {f"{at:g}": channel for at, channel in sweep.channels.items()})
        for sweep in channels.sweeps
    ]
    strengths += [
        (
            f"{grid.name}, {grid.rows[0]} and {grid.columns[0]}",
            {f"{row:g}, {column:g}": channel for (row, column), channel in sorted(grid.channels.items())},
        )
        for grid in channels.viewpoints
    ]
    return [
        sweep_table(
            f"Every strength of {name}{by}; average case, per cent",
            {at: judge.channels[channel] for at, channel in found.items()},
        )
        for name, found in strengths
    ]


def _summary(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    first = measurements[0]
    manifest = first.manifest
    judges = dict.fromkeys(found.classifier for found in measurements)
    made_against = (
        (f"made against {manifest.classifier.spec}",) if [*judges] != [manifest.classifier.spec] else ()
    )
    return (
        f"{manifest.attack.name}, {manifest.attack.budget}{'/255' * (manifest.attack.eps is not None)}",
        plural(len(manifest.pairs()), "pair"),
        f"{'classifier' if len(judges) == 1 else 'judged by'} {first.classifier}",
        *((f"and {plural(len(judges) - 1, 'further classifier')}",) if len(judges) > 1 else ()),
        *made_against,
    )


def _through(channel: str, measurement: Measurement) -> str:
    if channel != PHOTO.name:
        return f"went through {channel}"
    used = measurement.used_photos
    simulated = sum(photo.simulated for photo in used)
    how = " in simulation" if simulated == len(used) else ", some in simulation" if simulated else ""
    return f"were printed and photographed{how}"


def _notice(measurement: Measurement) -> Notice:
    used = measurement.used_photos
    simulated = sum(photo.simulated for photo in used)
    if PHOTO.name not in measurement.channels:
        refused = len(measurement.photos) - len(used)
        why = f"{plural(refused, 'photo')} could not be used; " if refused else ""
        return Notice("No photographs:", f"{why}only digital transformations were measured.")
    if simulated == len(used):
        return Notice("Simulated photographs:", "made by the virtual printer and phone, not by a camera.")
    if simulated:
        return Notice(
            "Mixed photographs:",
            f"{simulated} of {len(used)} were made by the virtual printer and phone, the others by a camera; "
            "the rates below pool both.",
        )
    return Notice(
        "Photographs of printed sheets:", f"{plural(len(used), 'photo')} by {cameras(used)}.", plain=True
    )


def _gallery_note(groups: Sequence[GalleryGroup], manifest: Manifest) -> str:
    shown, total = sum(len(group.rows) for group in groups), sum(group.total for group in groups)
    left = (
        f"{shown} of {total} pairs, as many of each kind as there is room for; {total - shown} are not shown."
        if shown < total
        else f"All {plural(total, 'pair')}."
    )
    return (
        f"{left} Under each picture stands the classifier's first answer with its probability, ✓ where it "
        f"is the true label and ✗ where not. Pictures are reduced to {SIDE_PX} pixels; differences are "
        f"amplified {difference_gain(manifest.attack)} times about mid-grey."
    )


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


def _discarded(measurement: Measurement, channels: Channels) -> list[Table[Any]]:
    """Return what was left out, and why, as tables of words; where nothing was, there is no table."""
    photos = [(photo.name, photo.reason or "") for photo in measurement.photos if photo.status == "refused"]
    cells = [(crop.example, crop.photo, crop.reason or "") for crop in measurement.crops if crop.path is None]
    missing = [
        (channels.names[name], ", ".join(pairs)) for name, pairs in measurement.missing.items() if pairs
    ]
    # Through every strength of a sweep the same pairs do not count.
    uncounted = [
        (
            channels.names[channel],
            f"{row.case}, top-{row.top}",
            ", ".join(f"{pairs} {reason}" for reason, pairs in row.destruction_rate.discarded.items()),
        )
        for channel in channels.single or tuple(measurement.channels)[:1]
        for row in measurement.channels[channel]
        if row.destruction_rate.discarded
    ]
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
