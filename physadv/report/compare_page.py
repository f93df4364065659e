"""A comparison for people: its tables on a terminal, and its page."""

from collections.abc import Sequence
from pathlib import Path

from physadv.evaluation.comparisons import Comparison
from physadv.evaluation.intervals import Estimate
from physadv.files import replacing
from physadv.pipeline.measure import Measurement, common_name
from physadv.pipeline.observing import PHOTO, UNTOUCHED
from physadv.report.channels import sort_channels
from physadv.report.compare import DESTRUCTION, SUCCESS, Line, RunComparison
from physadv.report.figures import Series, curve, side_by_side_figure
from physadv.report.page import Facts, FigureGroup, Notice, render_page, slug
from physadv.report.provenance import cameras, generate_command, measure_options
from physadv.report.result_tables import paired_table
from physadv.report.run_figures import JUDGES
from physadv.report.table import Column, Table, show
from physadv.report.wording import plural

NOTE = (
    "Exact McNemar tests on the pairs that count in both runs, two-sided; p is corrected by Holm's method "
    "for all tests on this page. A pair seen several times counts as destroyed, or as fooled, where it was "
    "in more than half of them. Only pairs on which two runs differ bear on a test. Where no difference is "
    "shown there may be one all the same."
)


RATES_TITLE = "Rates in per cent, top-1, of the shared source images, 95 % intervals below them."
TESTS_TITLE = "Every two runs on the same pairs: of how many something is true under one of them only."


def show_comparison(found: RunComparison) -> None:
    """Print the rates side by side and the paired tests."""
    title = f"{plural(found.shared, 'shared pair')}, judged by {found.measurements[0].classifier}, top-1"
    show(_rates(title, found))
    show(_tests("exact McNemar on the same pairs", found))
    for line_of_words in _unlike(found):
        print(line_of_words)


def write_comparison(found: RunComparison, path: Path) -> None:
    """Write the comparison's page, whole or not at all."""
    names = [measurement.manifest.name for measurement in found.measurements]
    page = {
        "title": " · ".join(names),
        "summary": (
            plural(found.shared, "shared source image"),
            f"judged by {found.measurements[0].classifier}",
        ),
        "notice": _notice(found),
        "figures": _figures(found),
        "tables": (_rates(RATES_TITLE, found),),
        "tests_note": NOTE,
        "tests": (_tests(TESTS_TITLE, found),),
        "parameters": tuple(_facts(measurement) for measurement in found.measurements),
        "commands": _commands(found, names),
        "commands_note": "Options at their defaults are left out; the runs' own reports have printing and "
        "photographing.",
    }
    with replacing(path) as temporary:
        temporary.write_text(render_page("compare.html.j2", page), encoding="utf-8")


def _unlike(found: RunComparison) -> list[str]:
    """Return what sets the runs apart besides their attacks."""
    measurements = found.measurements
    lines = [
        f"{m.manifest.name}: {plural(len(m.manifest.pairs()) - found.shared, 'pair')} of "
        f"{len(m.manifest.pairs())} not shared, left out"
        for m in measurements
        if len(m.manifest.pairs()) > found.shared
    ]
    without = [m.manifest.name for m in measurements if PHOTO.name not in m.channels]
    if 0 < len(without) < len(measurements):
        lines.append(f"photos are left out: {', '.join(without)} never photographed")
    if not without and len({m.channel_name(PHOTO.name) for m in measurements}) > 1:
        said = ", ".join(f"{m.manifest.name} {m.channel_name(PHOTO.name)}" for m in measurements)
        lines.append(f"photos made differently: {said}")
    return lines


def _notice(found: RunComparison) -> Notice:
    unlike = "; ".join(_unlike(found))
    photos = [photo for m in found.measurements if PHOTO.name in m.channels for photo in m.used_photos]
    if any(photo.simulated for photo in photos):
        some = "" if all(photo.simulated for photo in photos) else "some are "
        text = f"{some}made by the virtual printer and phone, not by a camera. {unlike}".strip()
        return Notice("Simulated photographs:", text)
    if unlike:
        return Notice("Not alike:", unlike)
    if not photos:
        return Notice("No photographs:", "only digital transformations were measured.")
    return Notice("Photographs of printed sheets:", f"by {cameras(photos)}.", plain=True)


def _figures(found: RunComparison) -> tuple[FigureGroup, ...]:
    channels = sort_channels([line.channel for line in found.lines if line.channel != UNTOUCHED.name])
    rates = {(line.channel, line.measure): _drawn(line) for line in found.lines}
    groups = [
        FigureGroup(
            "",
            "",
            tuple(
                side_by_side_figure(
                    f"compare-{slug(measure)}",
                    f"{measure.capitalize()}, top-1",
                    f"{caption} 95 % intervals, shared source images.",
                    {
                        common_name(found.measurements, channel): rates[channel, measure]
                        for channel in (UNTOUCHED.name, *channels.single)
                        if (channel, measure) in rates
                    },
                )
                for measure, caption in _CAPTIONS.items()
                if any((channel, measure) in rates for channel in (UNTOUCHED.name, *channels.single))
            ),
        )
    ]
    for measure in _CAPTIONS if channels.sweeps else ():
        curves = tuple(
            curve(
                f"compare-{slug(measure)}-{slug(sweep.name)}",
                sweep.name,
                sweep.unit,
                list(sweep.channels),
                [
                    Series(name, tuple(rates[channel, measure][name] for channel in sweep.channels.values()))
                    for name in next(iter(rates.values()))
                ],
                measure,
            )
            for sweep in channels.sweeps
        )
        title = f"{measure.capitalize()} against strength"
        groups.append(FigureGroup(title, "Top-1, with 95 % bands.", curves, small=True))
    return tuple(groups)


_CAPTIONS = {
    DESTRUCTION: "Share of adversarial images that lost their effect; lower is better for the attack.",
    SUCCESS: "Share of adversarial images classified wrong, of pairs whose clean image is classified right.",
}


def _drawn(line: Line) -> dict[str, Estimate]:
    return dict(list(line.rates.items())[:JUDGES])


def _rates(title: str, found: RunComparison) -> Table[Line]:
    """Return every measure of every channel, two columns a run."""
    columns = [Column[Line]("measure", lambda line: line.measure, long="Measure")]
    for measurement in found.measurements:
        columns += _rate_columns(measurement.manifest.name)
    groups: dict[str, list[Line]] = {}
    for line in found.lines:
        groups.setdefault(common_name(found.measurements, line.channel), []).append(line)
    return Table(title, columns, groups, "channel")


def _rate_columns(run: str) -> tuple[Column[Line], Column[Line]]:
    return (
        Column(run, lambda line: line.rates[run], "interval"),
        Column("n", lambda line: line.rates[run].n, "number"),
    )


def _tests(title: str, found: RunComparison) -> Table[Comparison]:
    groups = {
        f"{common_name(found.measurements, line.channel)}: {line.measure}": line.tests
        for line in found.lines
        if line.tests
    }
    return paired_table(title, groups, "channel: measure")


def _facts(measurement: Measurement) -> Facts:
    manifest = measurement.manifest
    photos = measurement.used_photos
    return Facts(
        manifest.name,
        (
            ("attack", f"{manifest.attack.name}, {manifest.attack.budget}"),
            ("made against", manifest.classifier.spec),
            ("pairs", str(len(manifest.pairs()))),
            ("photos used", f"{len(photos)} of {len(measurement.photos)}"),
            *((("camera", cameras(photos)),) if photos else ()),
            ("seed", str(manifest.seed)),
            *sorted(manifest.versions.items()),
        ),
    )


def _commands(found: RunComparison, names: Sequence[str]) -> tuple[str, ...]:
    made = [generate_command(measurement.manifest) for measurement in found.measurements]
    options = measure_options(found.measurements[0])
    return (*made, " ".join(["physadv compare", *names, *options]))
