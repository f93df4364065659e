"""The figures of a run's report: for its page, and as files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from physadv.errors import PhysadvError, unknown_name
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import CASES, TOPS
from physadv.evaluation.transfer import TransferCell
from physadv.files import replacing
from physadv.pipeline.measure import Measurement, common_name, transfer_matrix
from physadv.pipeline.observing import PHOTO, UNTOUCHED
from physadv.report.channels import Channels, Sweep, Viewpoints, named_channels, of_first_run
from physadv.report.figures import (
    FORMATS,
    Figure,
    Grid,
    Series,
    accuracy_figure,
    curve,
    destruction_figure,
    heat_map,
    reliability_figure,
    side_by_side_figure,
)
from physadv.report.page import FigureGroup, slug
from physadv.runs import Capture
from physadv.transforms.digital import AXES

JUDGES = 6
"""Classifiers that one drawing tells apart."""

Share = Callable[[Row], Estimate]


def report_figures(
    measurements: Sequence[Measurement], judges: Sequence[Measurement], channels: Channels
) -> list[FigureGroup]:
    """Return every figure of a report: of the first measurement, and of the others what compares them.

    Args:
        measurements: of one run by its judges, then those of other runs by the same judges.
        judges: those of the one run.
        channels: the one run's.
    """
    first = measurements[0]
    single = {channels.names[name]: first.channels[name] for name in channels.single}
    return [
        *([FigureGroup("", "", (*_single(single), *_judges(judges, channels)))] if single else []),
        *_curves(judges, channels.sweeps),
        *_viewpoints(first, channels.viewpoints),
        *_transfer(measurements, channels.single),
        _calibration(first, channels),
    ]


def write_figures(capture: Capture, measurements: Sequence[Measurement], fmt: str) -> list[Path]:
    """Write every figure of the report into captures/NAME/figures, and return the files.

    Raises:
        PhysadvError: the format is unknown.
    """
    check_figure_format(fmt)
    capture.figures.mkdir(parents=True, exist_ok=True)
    written = []
    judges = of_first_run(measurements)
    for group in report_figures(measurements, judges, named_channels(judges)):
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


def _single(channels: Mapping[str, Sequence[Row]]) -> tuple[Figure, ...]:
    return (
        *(destruction_figure(channels, case) for case in CASES),
        *(accuracy_figure(channels, "average", top) for top in TOPS),
    )


def _judges(judges: Sequence[Measurement], channels: Channels) -> list[Figure]:
    """Return the judges of one run side by side, where there are several."""
    if len(judges) < 2:
        return []
    shares = {
        channels.names[channel]: {
            judge.classifier: judge.channels[channel][0].destruction_rate for judge in judges[:JUDGES]
        }
        for channel in channels.single
    }
    caption = "Average case, with 95 % interval; each classifier judges the same examples."
    return [side_by_side_figure("judges", "Destruction rate by classifier, top-1", caption, shares)]


def _curves(judges: Sequence[Measurement], sweeps: Sequence[Sweep]) -> list[FigureGroup]:
    if not sweeps:
        return []
    first = judges[0]

    def drawn(what: str, kind: str, series: Callable[[Sweep], list[Series]]) -> tuple[Figure, ...]:
        return tuple(
            curve(
                f"{what}-{slug(sweep.name)}",
                sweep.name,
                sweep.unit,
                list(sweep.channels),
                series(sweep),
                kind,
            )
            for sweep in sweeps
        )

    def over(judge: Measurement, sweep: Sweep, row: int, share: Share) -> tuple[Estimate, ...]:
        return tuple(share(judge.channels[channel][row]) for channel in sweep.channels.values())

    def destroyed(sweep: Sweep) -> list[Series]:
        return [Series(f"top-{top}", over(first, sweep, k, _destroyed)) for k, top in enumerate(TOPS)]

    def accuracies(sweep: Sweep) -> list[Series]:
        row = first.channels[next(iter(sweep.channels.values()))][0]
        return [
            Series("clean", over(first, sweep, 0, lambda row: row.clean_after), row.clean_before),
            Series(
                "adversarial",
                over(first, sweep, 0, lambda row: row.adversarial_after),
                row.adversarial_before,
            ),
        ]

    def by_judge(sweep: Sweep) -> list[Series]:
        return [Series(judge.classifier, over(judge, sweep, 0, _destroyed)) for judge in judges[:JUDGES]]

    band = "with 95 % bands"
    groups = [
        FigureGroup(
            "Destruction rate against strength",
            f"Average case, {band}; lower is better for the attack.",
            drawn("sweep-destruction", "destruction rate", destroyed),
            small=True,
        ),
        FigureGroup(
            "Accuracy against strength",
            f"Share classified as the true label, top-1, {band}; dotted: before any transformation.",
            drawn("sweep-accuracy", "top-1 accuracy", accuracies),
            small=True,
        ),
    ]
    if len(judges) > 1:
        shown = f" The first {JUDGES} of {len(judges)} classifiers." * (len(judges) > JUDGES)
        groups.append(
            FigureGroup(
                "Destruction rate against strength, by classifier",
                f"Average case, top-1, {band}.{shown}",
                drawn("sweep-judges", "top-1 destruction rate", by_judge),
                small=True,
            )
        )
    return groups


def _viewpoints(measurement: Measurement, grids: Sequence[Viewpoints]) -> list[FigureGroup]:
    if not grids:
        return []
    shown: list[tuple[str, str, str, Share]] = [
        (
            "destruction",
            "Destruction rate",
            "Share of adversarial images that lost their effect, per cent.",
            _destroyed,
        ),
        (
            "survival",
            "Clean survival",
            "Share of clean images still right, per cent; where it is low, the view spoils every image.",
            lambda row: row.clean_survival,
        ),
    ]
    figures = [
        heat_map(
            f"viewpoint-{what}-{k + 1}",
            f"{title}, {grid.name}",
            caption,
            Grid(
                rows=tuple(f"{value:g}" for value in grid.rows[1]),
                columns=tuple(f"{value:g}" for value in grid.columns[1]),
                row_axis=grid.rows[0],
                column_axis=f"{grid.columns[0]}, {AXES[grid.columns[0]].unit}",
                cells=tuple(
                    tuple(
                        share(measurement.channels[channel][0])
                        if (channel := grid.channels.get((row, column)))
                        else None
                        for column in grid.columns[1]
                    )
                    for row in grid.rows[1]
                ),
            ),
        )
        for k, grid in enumerate(grids)
        for what, title, caption, share in shown
    ]
    units = ", ".join(
        f"{name} in {AXES[name].unit}" if name != "distance" else f"{name} {AXES[name].unit}"
        for name in dict.fromkeys(axis for grid in grids for axis in (grid.rows[0], grid.columns[0]))
    )
    return [FigureGroup("Viewpoints", f"Average case, top-1; {units}.", tuple(figures))]


def _transfer(measurements: Sequence[Measurement], single: Sequence[str]) -> list[FigureGroup]:
    """Return success and destruction of sources by targets, where there are several of either."""
    if len(measurements) < 2:
        return []
    cells = [cell for cell in transfer_matrix(measurements) if cell.channel in (UNTOUCHED.name, *single)]
    figures = [
        heat_map(
            f"transfer-{what}-{slug(channel)}",
            f"{title}, {common_name(measurements, channel)}",
            "",
            _by_source(chosen, share),
        )
        for channel in (UNTOUCHED.name, *([PHOTO.name] if PHOTO.name in single else []))
        if (chosen := [cell for cell in cells if cell.channel == channel])
        for what, title, share in _TRANSFER
        if share(chosen[0]) is not None
    ]
    return [
        FigureGroup(
            "Transfer",
            "Rows: made against; columns: judged by; per cent, top-1. Success counts adversarial images "
            "classified wrong, of pairs whose clean image the judge has right.",
            tuple(figures),
        )
    ]


_TRANSFER: tuple[tuple[str, str, Callable[[TransferCell], Estimate | None]], ...] = (
    ("success", "Success", lambda cell: cell.success),
    ("destruction", "Destruction rate", lambda cell: cell.destruction),
)


def _by_source(cells: Sequence[TransferCell], share: Callable[[TransferCell], Estimate | None]) -> Grid:
    found = {(cell.run, cell.target): share(cell) for cell in cells}
    runs = {cell.run: cell.source for cell in cells}
    targets = tuple(dict.fromkeys(cell.target for cell in cells))
    return Grid(
        rows=tuple(f"{run}: {source}" for run, source in runs.items()),
        columns=targets,
        row_axis="made against",
        column_axis="judged by",
        cells=tuple(tuple(found.get((run, target)) for target in targets) for run in runs),
    )


def _calibration(measurement: Measurement, channels: Channels) -> FigureGroup:
    return FigureGroup(
        "Calibration",
        "How often the first answer was right, of answers as sure as that; the dashed line would be perfect.",
        tuple(
            reliability_figure(
                f"calibration-{slug(channel)}",
                channels.names[channel],
                measurement.calibration[channel],
            )
            for channel in (UNTOUCHED.name, *channels.single)
        ),
        small=True,
    )


def _destroyed(row: Row) -> Estimate:
    return row.destruction_rate
