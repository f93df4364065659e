"""The figures of a run's report: for its page, and as files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from physadv.errors import PhysadvError, unknown_name
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import CASES, TOPS, Case
from physadv.files import replacing
from physadv.pipeline.measure import transfer_matrix
from physadv.pipeline.measurement import Measurement, common_name
from physadv.pipeline.observing import UNTOUCHED, is_photo
from physadv.report.channels import Sweep, Viewpoints, of_first_run, sort_channels
from physadv.report.drawing import FORMATS, Figure
from physadv.report.figures import (
    Series,
    accuracy_figure,
    curve,
    heat_map,
    reliability_figure,
    side_by_side_figure,
)
from physadv.report.page import FigureGroup, slug
from physadv.runs import Capture, Printout
from physadv.transforms.digital import AXES

JUDGES = 6
"""Classifiers that one drawing tells apart."""


def report_figures(measurements: Sequence[Measurement]) -> list[FigureGroup]:
    """Return every figure of a report: of the first measurement, and of the others what compares them.

    Args:
        measurements: of one run by its judges, then those of other runs by the same judges.
    """
    judges, first = of_first_run(measurements), measurements[0]
    channels = sort_channels(first.channels)
    names = {name: common_name(judges, name) for name in (UNTOUCHED.name, *channels.single)}
    groups = []
    if channels.single:
        tables = {names[name]: first.channels[name] for name in channels.single}
        figures = [destruction_figure(tables, case) for case in CASES]
        figures += [accuracy_figure(tables, "average", top) for top in TOPS]
        if len(judges) > 1:
            shares = {
                names[name]: {
                    judge.classifier: judge.channels[name][0].destruction_rate for judge in judges[:JUDGES]
                }
                for name in channels.single
            }
            caption = "Average case, with 95 % interval; each classifier judges the same examples."
            title = "Destruction rate by classifier, top-1"
            figures.append(side_by_side_figure("judges", title, caption, shares))
        groups.append(FigureGroup("", "", tuple(figures)))
    if channels.sweeps:
        groups += _sweeps(judges, channels.sweeps)
    if channels.viewpoints:
        groups.append(_viewpoints(first, channels.viewpoints))
    if len(measurements) > 1:
        groups.append(_transfer(measurements, channels.single))
    calibration = (
        reliability_figure(f"calibration-{slug(channel)}", name, first.calibration[channel])
        for channel, name in names.items()
    )
    note = (
        "How often the first answer was right, of answers as sure as that; the dashed line would be perfect."
    )
    return [*groups, FigureGroup("Calibration", note, tuple(calibration), small=True)]


def write_figures(capture: Capture, measurements: Sequence[Measurement], fmt: str) -> list[Path]:
    """Write every figure of the report into captures/NAME/figures, and return the files.

    Raises:
        PhysadvError: the format is unknown.
    """
    check_figure_format(fmt)
    written = []
    with Printout(capture.root, capture.name).alone():
        capture.figures.mkdir(parents=True, exist_ok=True)
        for group in report_figures(measurements):
            for figure in group.figures:
                path = capture.figures / f"{figure.name}.{fmt}"
                with replacing(path) as temporary:
                    figure.write(temporary, fmt)
                written.append(path)
    return written


def check_figure_format(fmt: str) -> str:
    """Return a format of figures.

    Raises:
        PhysadvError: it is none of `FORMATS`.
    """
    if fmt not in FORMATS:
        raise PhysadvError(unknown_name("format of figures", fmt, FORMATS))
    return fmt


def destruction_figure(channels: Mapping[str, Sequence[Row]], case: Case) -> Figure:
    """Return destruction rates with 95 % intervals, a line of top-1 and one of top-5 per channel.

    Args:
        channels: channel's name → its table.
        case: whose rows are drawn.
    """
    shares = {
        name: {f"top-{row.top}": row.destruction_rate for row in rows if row.case == case}
        for name, rows in channels.items()
    }
    caption = (
        "Share of adversarial images that lost their effect, with 95 % interval; lower is better for the "
        "attack."
    )
    return side_by_side_figure(f"destruction-{case}", f"Destruction rate, {case} case", caption, shares)


def sweep_curves(
    name: str, what: str, sweeps: Iterable[Sweep], series: Callable[[Sweep], list[Series]]
) -> tuple[Figure, ...]:
    """Return a curve over the strengths of every sweep.

    Args:
        name: what the figures' names begin with.
        what: what is shown, for the text alternative: "destruction rate".
        sweeps: one a curve.
        series: sweep → its lines.
    """
    return tuple(
        curve(f"{name}-{slug(each.name)}", each.name, each.unit, list(each.channels), series(each), what)
        for each in sweeps
    )


def _sweeps(judges: Sequence[Measurement], sweeps: Sequence[Sweep]) -> list[FigureGroup]:
    first = judges[0]

    def over(sweep: Sweep, measure: str, judge: Measurement = first, row: int = 0) -> tuple[Estimate, ...]:
        return tuple(getattr(judge.channels[channel][row], measure) for channel in sweep.channels.values())

    def destroyed(sweep: Sweep) -> list[Series]:
        return [Series(f"top-{top}", over(sweep, "destruction_rate", row=k)) for k, top in enumerate(TOPS)]

    def accuracies(sweep: Sweep) -> list[Series]:
        kinds = ("clean", "adversarial")
        return [
            Series(kind, over(sweep, f"{kind}_after"), over(sweep, f"{kind}_before")[0]) for kind in kinds
        ]

    def by_judge(sweep: Sweep) -> list[Series]:
        return [Series(judge.classifier, over(sweep, "destruction_rate", judge)) for judge in judges[:JUDGES]]

    band = "with 95 % bands"
    shown = f" The first {JUDGES} of {len(judges)} classifiers." * (len(judges) > JUDGES)
    groups: list[tuple[str, str, tuple[Figure, ...]]] = [
        (
            "Destruction rate against strength",
            f"Average case, {band}; lower is better for the attack.",
            sweep_curves("sweep-destruction", "destruction rate", sweeps, destroyed),
        ),
        (
            "Accuracy against strength",
            f"Share classified as the true label, top-1, {band}; dotted: before any transformation.",
            sweep_curves("sweep-accuracy", "top-1 accuracy", sweeps, accuracies),
        ),
    ]
    if len(judges) > 1:
        curves = sweep_curves("sweep-judges", "top-1 destruction rate", sweeps, by_judge)
        title = "Destruction rate against strength, by classifier"
        groups.append((title, f"Average case, top-1, {band}.{shown}", curves))
    return [FigureGroup(*group, small=True) for group in groups]


def _viewpoints(measurement: Measurement, grids: Sequence[Viewpoints]) -> FigureGroup:
    lost = "Share of adversarial images that lost their effect, per cent."
    right = "Share of clean images still right, per cent; where it is low, the view spoils every image."
    shown = (
        ("destruction", "destruction_rate", "Destruction rate", lost),
        ("survival", "clean_survival", "Clean survival", right),
    )
    figures = [
        heat_map(
            f"viewpoint-{what}-{k + 1}",
            f"{title}, {grid.name}",
            caption,
            (grid.rows[0], [f"{value:g}" for value in grid.rows[1]]),
            (f"{grid.columns[0]}, {AXES[grid.columns[0]].unit}", [f"{value:g}" for value in grid.columns[1]]),
            {
                (f"{row:g}", f"{column:g}"): getattr(measurement.channels[channel][0], measure)
                for (row, column), channel in grid.channels.items()
            },
        )
        for k, grid in enumerate(grids)
        for what, measure, title, caption in shown
    ]
    units = ", ".join(
        f"{name} in {AXES[name].unit}" if name != "distance" else f"{name} {AXES[name].unit}"
        for name in dict.fromkeys(axis for grid in grids for axis in (grid.rows[0], grid.columns[0]))
    )
    return FigureGroup("Viewpoints", f"Average case, top-1; {units}.", tuple(figures))


def _transfer(measurements: Sequence[Measurement], single: Sequence[str]) -> FigureGroup:
    """Return success and destruction of sources by targets, of files and of photos."""
    cells = transfer_matrix(measurements)
    runs = {cell.run: f"{cell.run}: {cell.source}" for cell in cells}
    targets = list(dict.fromkeys(cell.target for cell in cells))
    figures = []
    for channel in (UNTOUCHED.name, *filter(is_photo, single)):
        chosen = [cell for cell in cells if cell.channel == channel]
        for measure, title in (("success", "Success"), ("destruction", "Destruction rate")):
            shares = {(runs[cell.run], cell.target): getattr(cell, measure) for cell in chosen}
            if any(shares.values()):
                figures.append(
                    heat_map(
                        f"transfer-{measure}-{slug(channel)}",
                        f"{title}, {common_name(measurements, channel)}",
                        "",
                        ("made against", list(dict.fromkeys(run for run, _ in shares))),
                        ("judged by", targets),
                        shares,
                    )
                )
    note = (
        "Rows: made against; columns: judged by; per cent, top-1. Success counts adversarial images "
        "classified wrong, of pairs whose clean image the judge has right."
    )
    return FigureGroup("Transfer", note, tuple(figures))
