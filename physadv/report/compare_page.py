"""A comparison for people: its tables on a terminal, and its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from physadv.attacks.recipes import RECIPES
from physadv.evaluation.comparisons import SMALLEST, Comparison
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.worst import Worst
from physadv.files import replacing
from physadv.pipeline.measurement import Measurement, common_name
from physadv.pipeline.observing import PHOTO, UNTOUCHED, is_photo
from physadv.report.channels import Sweep, sort_channels
from physadv.report.compare import DESTRUCTION, SUCCESS, SURVIVAL, RunComparison
from physadv.report.figures import Series, side_by_side_figure
from physadv.report.gallery import gallery_row
from physadv.report.page import FigureGroup, Notice, render_page, slug
from physadv.report.provenance import cameras, generate_command, measure_options
from physadv.report.result_tables import TESTS
from physadv.report.run_figures import JUDGES, sweep_curves
from physadv.report.table import Cell, Column, Table, show
from physadv.report.wording import of_interest, paragraph, plural
from physadv.runs import Capture, Printout
from physadv.text import printable

RATES_TITLE = "Rates in per cent, top-1, with 95 % intervals that rest on source images"
TESTS_TITLE = "The same pairs in two runs: first less second, in points, 95 % intervals below it."
READING = (
    "Fooled, as a file and after the channel: adversarial image classified wrong, of the pairs whose clean "
    "file is classified right. Destroyed: of those fooled as files, classified right again after the channel "
    "(Kurakin et al. 2017, equation 1), seen n times; where it is low, the attack survives. Clean: image "
    "without an attack still right; where it falls, the channel spoils any image."
)


def show_comparison(found: RunComparison) -> None:
    """Print the rates side by side and the paired tests."""
    title = f"{plural(found.shared, 'shared pair')}, judged by {found.measurements[0].classifier}, top-1"
    for table in _rates(title, found):
        show(table)
    print(paragraph(READING))
    title = "exact sign-flip tests on the same pairs, first less second"
    show(_tests(f"{title}, {of_interest(found.smallest)}", found))
    for difference in _unlike(found):
        print(printable(difference))


def write_comparison(found: RunComparison, path: Path, title: str = "") -> None:
    """Write the comparison's page, whole or not at all; its title is the runs' names by default."""
    names = [measurement.manifest.name for measurement in found.measurements]
    options = measure_options(found.measurements[0])
    options += [f"--against {found.against}"] if found.against else []
    options += [f"--smallest {100 * found.smallest:g}"] if found.smallest != SMALLEST else []
    page = {
        "title": title or " · ".join(names),
        "summary": (
            plural(found.shared, "shared source image"),
            f"judged by the classifier {found.measurements[0].classifier}",
        ),
        "notice": _notice(found),
        "figures": _figures(found),
        "tables": _rates(RATES_TITLE, found),
        "reading": READING,
        "pictures": _pictures(found),
        "smallest": f"{100 * found.smallest:g}",
        "tests": (_tests(TESTS_TITLE, found), _together(found)),
        "parameters": _parameters(found),
        "commands": [
            *(generate_command(measurement.manifest) for measurement in found.measurements),
            " ".join(["physadv compare", *names, *options]),
        ],
    }
    with replacing(path, tidy=True) as temporary:
        temporary.write_text(render_page("compare.html.j2", page), encoding="utf-8")


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


@dataclass(frozen=True)
class _RunRow:
    """One run through one channel.

    Attributes:
        run: its measurement.
        files: its success before the channel.
        rates: measure → estimate after the channel; nothing where the line is of the files.
        test: its destruction rate tested against that of the one run that all are, if there is one.
    """

    run: Measurement
    files: Estimate
    rates: Mapping[str, Estimate]
    test: Comparison | None


def _rates(title: str, found: RunComparison) -> list[Table[_RunRow]]:
    """Return every run through every channel; the strengths of sweeps in a table of their own, folded."""
    channels = list(dict.fromkeys(line.channel for line in found.lines if line.measure == DESTRUCTION))
    single = sort_channels(channels).single
    swept = [channel for channel in channels if channel not in single]
    columns, tables = _columns(found), []
    if single or not swept:
        groups = _groups(found, single or (UNTOUCHED.name,))
        # One channel needs no column of its own.
        alone = next(iter(groups)) if len(groups) == 1 else None
        if alone:
            tables.append(Table(f"{title}: {alone}", columns, {"": groups[alone]}))
        else:
            tables.append(Table(title, columns, groups, "channel"))
    if swept:
        groups = _groups(found, swept)
        tables.append(Table(f"{title}: every strength", columns, groups, "channel", folded=True))
    return tables


def _groups(found: RunComparison, channels: Sequence[str]) -> dict[str, list[_RunRow]]:
    """Return channel → the row of every run."""
    files, *others = found.lines
    groups = {}
    for channel in channels:
        own = {line.measure: line for line in others if line.channel == channel}
        tests = {test.first: test for test in own[DESTRUCTION].tests} if own and found.against else {}
        groups[common_name(found.measurements, channel)] = [
            _RunRow(
                run, files.rates[name], {key: line.rates[name] for key, line in own.items()}, tests.get(name)
            )
            for name, run in zip(files.rates, found.measurements, strict=True)
        ]
    return groups


def _columns(found: RunComparison) -> list[Column[_RunRow]]:
    columns = [
        Column[_RunRow]("run", _run, long="Run"),
        Column[_RunRow]("fooled", lambda row: row.files, "share", "Fooled as file"),
        Column[_RunRow]("after", lambda row: row.rates.get(SUCCESS), "interval", "Fooled after"),
        Column[_RunRow]("destroyed", lambda row: row.rates.get(DESTRUCTION), "interval", "Destroyed"),
        Column("n", _seen, "number"),
        Column[_RunRow]("clean", lambda row: row.rates.get(SURVIVAL), "share", "Clean survival"),
    ]
    if found.against:
        columns.append(
            Column(
                f"destroyed, against {found.against}", _verdict, long=f"Destroyed, against {found.against}"
            )
        )
    return columns


def _verdict(row: _RunRow) -> str:
    return row.test.verdict if row.test else ""


def _run(row: _RunRow) -> Cell:
    return Cell(row.run.manifest.name, row.run.manifest.attack.budget)


def _seen(row: _RunRow) -> int | None:
    return row.rates[DESTRUCTION].n if DESTRUCTION in row.rates else None


def _pictures(found: RunComparison) -> list[dict[str, Any]]:
    """Return one source image as it is and in every run, as a file and from a photo where there is one.

    Each has a `name`: the run's, or the true class of the clean image; `words`: what the run's attack is; and
    `pictures`.
    """
    shown: list[dict[str, Any]] = []
    for measurement, pair in zip(found.measurements, found.example, strict=True):
        run = measurement.manifest
        row = gallery_row(Printout(found.root, run.name), Capture(found.root, run.name), measurement, pair)
        # The last picture of a row is the difference; without photos the first two are all others.
        files, photos = row["pictures"][:2], row["pictures"][2:-1]
        how = measurement.channel_name(PHOTO.name)
        clean, adversarial = (
            [replace(files[k], title="file"), *(replace(photo, title=how) for photo in photos[k : k + 1])]
            for k in range(2)
        )
        if not shown:
            shown.append({"name": row["label"], "words": "the clean image", "pictures": clean})
        recipe = RECIPES.get(run.attack.name)
        words = ": ".join([run.attack.budget, *([recipe.description] if recipe else [])])
        shown.append({"name": run.name, "words": words, "pictures": adversarial})
    return shown


def _together(found: RunComparison) -> Table[Worst]:
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
    title = "Images classified wrong under the strongest run, and under any of the runs, 95 % intervals."
    return Table(title, columns, groups, "channel")


def _tests(title: str, found: RunComparison) -> Table[Comparison]:
    groups = {
        f"{common_name(found.measurements, line.channel)}: {line.measure}": line.tests
        for line in found.lines
        if line.tests
    }
    return Table(title, TESTS, groups, "channel: measure")


def _parameters(found: RunComparison) -> dict[str, list[tuple[str, str]]]:
    """Return what is the same in all runs once, and of each run what is not."""
    facts = {each.manifest.name: _facts(each) for each in found.measurements}
    common = [fact for fact in _facts(found.measurements[0]) if all(fact in own for own in facts.values())]
    apart = {name: [fact for fact in own if fact not in common] for name, own in facts.items()}
    return {"All runs": common, **{name: own for name, own in apart.items() if own}}


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
