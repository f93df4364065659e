"""`report`: a measurement and the files of its run → captures/NAME/report.html, one self-contained page."""

from collections.abc import Sequence
from pathlib import Path

from physadv.evaluation.figures import accuracy_figure, destruction_figure
from physadv.evaluation.outcomes import CASES, TOPS
from physadv.evaluation.report import (
    Cell,
    Column,
    ColumnGroup,
    GalleryGroup,
    Notice,
    ReportData,
    RowGroup,
    Table,
    prefiltered_in_words,
    rate_headlines,
    rate_table,
    render,
)
from physadv.evaluation.wording import counted
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Manifest, Printout, replacing
from physadv.stages.gallery import SIDE_PX, difference_gain, gallery
from physadv.stages.measure import Measurement
from physadv.stages.observing import PHOTO
from physadv.stages.provenance import cameras, commands, parameters

LISTED = 100

LIMITS = (
    "A destruction rate says how often this channel undid these adversarial examples, which this attack made "
    "against this classifier. It does not say that the classifier is safe: another attack, one that reckons "
    "with printing and photographing above all, another printer, camera or light, or other images can give "
    "another rate, and a channel that spoils clean images too destroys adversarial ones for free."
)


def write_report(
    printout: Printout, capture: Capture, measurement: Measurement, reporter: Reporter = silent
) -> Path:
    """Write captures/NAME/report.html and return its path.

    Raises:
        RunError: an example or a crop that was measured cannot be read any more.
    """
    page = render(report_data(printout, capture, measurement, reporter))
    with replacing(capture.report) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return capture.report


def report_data(
    printout: Printout, capture: Capture, measurement: Measurement, reporter: Reporter = silent
) -> ReportData:
    """Return what the report says of a measurement."""
    manifest = measurement.manifest
    named = {measurement.channel_name(channel): rows for channel, rows in measurement.channels.items()}
    first, rows = next(iter(measurement.channels.items()))
    pairs = gallery(printout, capture, measurement, reporter)
    return ReportData(
        title=manifest.name,
        summary=_summary(measurement),
        notice=_notice(measurement),
        headlines=rate_headlines(rows, _through(first, measurement)),
        headlines_note=prefiltered_in_words(rows),
        figures=(
            *(destruction_figure(named, case) for case in CASES),
            *(accuracy_figure(named, "average", top) for top in TOPS),
        ),
        tables=(rate_table(named),),
        gallery_note=_gallery_note(pairs, manifest),
        gallery=pairs,
        discarded_note=_discarded_note(measurement),
        discarded=_discarded(measurement),
        parameters=parameters(measurement),
        commands=commands(measurement),
        commands_note="Not recorded: any --seed of the commands after the first. "
        "Options at their defaults are left out.",
        limits=LIMITS,
    )


def _summary(measurement: Measurement) -> tuple[str, ...]:
    manifest = measurement.manifest
    made_against = (
        (f"made against {manifest.classifier.spec}",)
        if measurement.classifier != manifest.classifier.spec
        else ()
    )
    return (
        f"{manifest.attack.name}, {manifest.attack.budget}{'/255' * (manifest.attack.eps is not None)}",
        counted(len(manifest.pairs()), "pair"),
        f"classifier {measurement.classifier}",
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
        why = f"{counted(refused, 'photo')} could not be used; " if refused else ""
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
        "Photographs of printed sheets:", f"{counted(len(used), 'photo')} by {cameras(used)}.", plain=True
    )


def _gallery_note(groups: Sequence[GalleryGroup], manifest: Manifest) -> str:
    shown, total = sum(len(group.rows) for group in groups), sum(group.total for group in groups)
    left = (
        f"{shown} of {total} pairs, as many of each kind as there is room for; {total - shown} are not shown."
        if shown < total
        else f"All {counted(total, 'pair')}."
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
        f"{refused} of {counted(len(measurement.photos), 'photo')}, {cells} of "
        f"{counted(len(measurement.crops), 'cell')} in the others, and {len(missing)} of "
        f"{counted(len(measurement.manifest.pairs()), 'pair')} whose adversarial image was never measured."
    )


def _discarded(measurement: Measurement) -> tuple[Table, ...]:
    photos = [(photo.name, photo.reason or "") for photo in measurement.photos if photo.status == "refused"]
    cells = [(crop.example, crop.photo, crop.reason or "") for crop in measurement.crops if crop.path is None]
    missing = [
        (measurement.channel_name(channel), ", ".join(pairs))
        for channel in measurement.channels
        if (pairs := measurement.missing[channel])
    ]
    return (
        *_listed("Photos that could not be used", ("Photo", "Reason"), photos),
        *_listed("Cells that could not be cut out", ("Example", "Photo", "Reason"), cells),
        *_listed("Pairs whose adversarial image was never measured", ("Channel", "Pairs"), missing),
    )


def _listed(caption: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> tuple[Table, ...]:
    """Return a table of words, or none where there is nothing to list."""
    if not rows:
        return ()
    more = f", the first {LISTED} of {len(rows)}; 'destruction-rate --json' lists all" * (len(rows) > LISTED)
    headings = tuple(Column(name, numeric=False) for name in columns)
    cells = tuple(tuple(map(Cell, row)) for row in rows[:LISTED])
    return (Table(f"{caption}{more}", (ColumnGroup("", headings),), (RowGroup("", cells),)),)
