"""A comparison for people: its tables on a terminal, and its page."""

from collections.abc import Callable
from pathlib import Path

from physadv.evaluation.comparisons import SMALLEST, Comparison
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.worst import Worst
from physadv.files import replacing
from physadv.pipeline.measurement import Measurement, common_name
from physadv.pipeline.observing import PHOTO, UNTOUCHED, is_photo
from physadv.report.channels import Sweep, sort_channels
from physadv.report.compare import DESTRUCTION, SUCCESS, Line, RunComparison
from physadv.report.figures import Series, side_by_side_figure
from physadv.report.page import FigureGroup, Notice, render_page, slug
from physadv.report.provenance import cameras, generate_command, measure_options
from physadv.report.result_tables import TESTS
from physadv.report.run_figures import JUDGES, sweep_curves
from physadv.report.table import Column, Table, show
from physadv.report.wording import plural
from physadv.text import printable

RATES_TITLE = "Rates in per cent, top-1, of the shared source images, 95 % intervals below them."
TOGETHER_TITLE = "Images classified wrong under the strongest run, and under any of the runs, 95 % intervals."
TESTS_TITLE = "Every two runs on the same pairs: first less second, in points, 95 % intervals below it."


def show_comparison(found: RunComparison) -> None:
    """Print the rates side by side and the paired tests."""
    title = f"{plural(found.shared, 'shared pair')}, judged by {found.measurements[0].classifier}, top-1"
    show(_rates(title, found))
    if any(line.worst for line in found.lines):
        show(_together("runs taken together: images classified wrong", found))
    title = "exact sign-flip tests on the same pairs, first less second in points"
    show(_tests(f"{title}; of interest from {100 * found.smallest:g} points on", found))
    for difference in _unlike(found):
        print(printable(difference))


def write_comparison(found: RunComparison, path: Path) -> None:
    """Write the comparison's page, whole or not at all."""
    names = [measurement.manifest.name for measurement in found.measurements]
    options = measure_options(found.measurements[0])
    page = {
        "title": " · ".join(names),
        "summary": (
            plural(found.shared, "shared source image"),
            f"judged by {found.measurements[0].classifier}",
        ),
        "notice": _notice(found),
        "figures": _figures(found),
        "tables": (_rates(RATES_TITLE, found), _together(TOGETHER_TITLE, found)),
        "tests": (_tests(f"{TESTS_TITLE} {_of_interest(found)}", found),),
        "parameters": {each.manifest.name: _facts(each) for each in found.measurements},
        "commands": [
            *(generate_command(measurement.manifest) for measurement in found.measurements),
            " ".join(["physadv compare", *names, *options, *_asked(found)]),
        ],
    }
    with replacing(path, tidy=True) as temporary:
        temporary.write_text(render_page("compare.html.j2", page), encoding="utf-8")


def _asked(found: RunComparison) -> list[str]:
    points = 100 * found.smallest
    return [] if found.smallest == SMALLEST else [f"--smallest {points:g}"]


def _of_interest(found: RunComparison) -> str:
    return f"Differences are of interest from {100 * found.smallest:g} points on, settled beforehand."


def _unlike(found: RunComparison) -> list[str]:
    """Return what sets the runs apart besides their attacks, and which of these failed."""
    measurements = found.measurements
    files = (line.worst for line in found.lines if line.channel == UNTOUCHED.name)
    lines = [note for worst in files if worst for note in worst.notes]
    for measurement in measurements:
        pairs = len(measurement.manifest.pairs())
        if pairs > found.shared:
            left = f"{plural(pairs - found.shared, 'pair')} of {pairs} not shared, left out"
            lines.append(f"{measurement.manifest.name}: {left}")
    without = [m.manifest.name for m in measurements if not any(map(is_photo, m.channels))]
    made = {m.manifest.name: f"{m.channel_name(PHOTO.name)}: {', '.join(m.conditions)}" for m in measurements}
    if 0 < len(without) < len(measurements):
        lines.append(f"photos are left out: {', '.join(without)} never photographed")
    if not without and len(set(made.values())) > 1:
        lines.append(f"photos made differently: {'; '.join(f'{run} {how}' for run, how in made.items())}")
        if not any(is_photo(line.channel) for line in found.lines):
            lines.append("photos are left out: no preset or camera is common to all; --pool compares them")
    return lines


def _notice(found: RunComparison) -> Notice:
    unlike = "; ".join(_unlike(found))
    photos = [photo for m in found.measurements if any(map(is_photo, m.channels)) for photo in m.used_photos]
    simulated = sum(photo.simulated for photo in photos)
    if simulated:
        some = "some are " * (simulated < len(photos))
        text = f"{some}made by the virtual printer and phone, not by a camera. {unlike}".strip()
        return Notice("Simulated photographs:", text)
    if unlike:
        return Notice("Not alike:", unlike)
    if not photos:
        return Notice("No photographs:", "only digital transformations were measured.")
    return Notice("Photographs of printed sheets:", f"by {cameras(photos)}.", plain=True)


def _figures(found: RunComparison) -> list[FigureGroup]:
    channels = sort_channels([line.channel for line in found.lines if line.channel != UNTOUCHED.name])
    rates = {(line.channel, line.measure): dict(list(line.rates.items())[:JUDGES]) for line in found.lines}
    figures, groups = [], []
    for measure, caption in _CAPTIONS.items():
        shares = {
            common_name(found.measurements, channel): rates[channel, measure]
            for channel in (UNTOUCHED.name, *channels.single)
            if (channel, measure) in rates
        }
        title, name = measure.capitalize(), f"compare-{slug(measure)}"
        if shares:
            caption += " 95 % intervals, shared source images."
            figures.append(side_by_side_figure(name, f"{title}, top-1", caption, shares))

        def series(sweep: Sweep, measure: str = measure) -> list[Series]:
            own = [rates[channel, measure] for channel in sweep.channels.values()]
            return [Series(run, tuple(shares[run] for shares in own)) for run in own[0]]

        if channels.sweeps:
            curves = sweep_curves(name, measure, channels.sweeps, series)
            groups.append(FigureGroup(f"{title} against strength", "Top-1, with 95 % bands.", curves, True))
    return [FigureGroup("", "", tuple(figures)), *groups]


_CAPTIONS = {
    DESTRUCTION: "Share of adversarial images that lost their effect; lower is better for the attack.",
    SUCCESS: "Share of adversarial images classified wrong, of pairs whose clean image is classified right.",
}


def _rates(title: str, found: RunComparison) -> Table[Line]:
    """Return every measure of every channel, two columns a run."""

    def rate(run: str) -> Callable[[Line], Estimate]:
        return lambda line: line.rates[run]

    def count(run: str) -> Callable[[Line], int]:
        return lambda line: line.rates[run].n

    columns = [Column[Line]("measure", lambda line: line.measure, long="Measure")]
    for run in (measurement.manifest.name for measurement in found.measurements):
        columns += [Column(run, rate(run), "interval"), Column("n", count(run), "number")]
    groups: dict[str, list[Line]] = {}
    for line in found.lines:
        groups.setdefault(common_name(found.measurements, line.channel), []).append(line)
    return Table(title, columns, groups, "channel")


def _together(title: str, found: RunComparison) -> Table[Worst]:
    """Return the union over runs for every channel through which each image is seen once."""
    columns = (
        Column[Worst]("strongest", lambda worst: worst.attack),
        Column[Worst]("alone", lambda worst: worst.alone, "interval"),
        Column[Worst]("under any run", lambda worst: worst.union, "interval"),
        Column[Worst]("n", lambda worst: worst.union.n, "number"),
    )
    groups = {
        common_name(found.measurements, line.channel): [line.worst] for line in found.lines if line.worst
    }
    return Table(title, columns, groups, "channel")


def _tests(title: str, found: RunComparison) -> Table[Comparison]:
    groups = {
        f"{common_name(found.measurements, line.channel)}: {line.measure}": line.tests
        for line in found.lines
        if line.tests
    }
    return Table(title, TESTS, groups, "channel: measure")


def _facts(measurement: Measurement) -> list[tuple[str, str]]:
    manifest, photos = measurement.manifest, measurement.used_photos
    return [
        ("attack", f"{manifest.attack.name}, {manifest.attack.budget}"),
        ("made against", manifest.classifier.spec),
        ("pairs", str(len(manifest.pairs()))),
        ("photos used", f"{len(photos)} of {len(measurement.photos)}"),
        *([("camera", cameras(photos))] if photos else []),
        ("seed", str(manifest.seed)),
        *sorted(manifest.versions.items()),
    ]
