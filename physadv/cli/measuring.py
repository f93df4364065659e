"""What survived: destruction rates, reports, comparisons, and the observations for other programs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import Doc

from physadv.cli.app import app
from physadv.cli.options import (
    Json,
    Labels,
    Name,
    Pool,
    Quiet,
    Root,
    Seed,
    Sweeps,
    Transforms,
    takes_settings,
)
from physadv.progress import Reporter, reporter
from physadv.runs import Capture, Printout, check_runs

if TYPE_CHECKING:
    from physadv.pipeline.measurement import Measurement


@dataclass(frozen=True)
class MeasureSettings:
    """What is measured beside a run's photos, and by whom."""

    transform: Transforms = None
    sweep: Sweeps = None
    model: Annotated[
        list[str] | None,
        Doc("Judge with this (file: and python: run code); several give the transfer matrix."),
    ] = None
    source: Annotated[list[str] | None, Doc("Another run, a further row of the transfer matrix.")] = None
    labels: Labels = None
    pool: Pool = False

    def runs(self, name: str) -> list[str]:
        """Return the names of all runs that are measured."""
        return [name, *(self.source or ())]


@app.command(
    "destruction-rate",
    epilog="Example: physadv destruction-rate mine --transform blur=1 --sweep jpeg=10:95:10",
)
@takes_settings
def destruction_rate(
    name: Name,
    settings: MeasureSettings,
    fmt: Annotated[
        str | None, typer.Option("--format", help="Print csv, json, latex or parquet in place of tables.")
    ] = None,
    output: Annotated[Path | None, Doc("File for --format; standard output by default.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON in place of tables, as --format json does.")
    ] = False,
    seed: Seed = 0,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Measure how many adversarial examples were destroyed, with 95 % intervals."""
    _check(root, settings.runs(name), settings.transform, settings.sweep)
    from physadv.report.export import check_format, tables_as_text, write_tables
    from physadv.report.terminal import show_measurements

    fmt = "json" if as_json else fmt
    if fmt or output:
        fmt = check_format(fmt, output)
    progress = reporter(quiet=quiet or (fmt is not None and output is None))
    measurements = _measure(root, name, settings, seed, progress)
    if fmt and output:
        write_tables(measurements, fmt, output)
        print(f"tables: {output}")
    elif fmt:
        print(tables_as_text(measurements, fmt), end="")
    else:
        show_measurements(measurements)
        print(f"next: physadv report {name}")


def _check(root: Path, names: list[str], transforms: list[str] | None, sweeps: list[str] | None) -> None:
    """Check runs and transformations before anything slow is imported for them."""
    check_runs(root, names)
    from physadv.transforms import parse_sweep, parse_transform

    for text in transforms or ():
        parse_transform(text)
    for text in sweeps or ():
        parse_sweep(text)


def _measure(
    root: Path, name: str, settings: MeasureSettings, seed: int, progress: Reporter
) -> "list[Measurement]":
    from physadv.pipeline.measure import measure_runs

    return measure_runs(
        root,
        settings.runs(name),
        transforms=settings.transform or (),
        sweeps=settings.sweep or (),
        models=settings.model or (),
        labels=settings.labels,
        seed=seed,
        pool=settings.pool,
        reporter=progress,
    )


@app.command(epilog="Example: physadv report mine --sweep kurakin --figures pdf")
@takes_settings
def report(
    name: Name,
    settings: MeasureSettings,
    figures: Annotated[
        str | None, Doc("Also write every figure, as pdf, png or svg, to captures/NAME/figures.")
    ] = None,
    seed: Seed = 0,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Write captures/NAME/report.html, one self-contained page: figures, tables, gallery, discarded."""
    _check(root, settings.runs(name), settings.transform, settings.sweep)
    from physadv.report.run_figures import check_figure_format, write_figures
    from physadv.report.run_page import write_report

    if figures:
        check_figure_format(figures)
    progress = reporter(quiet=quiet)
    measurements = _measure(root, name, settings, seed, progress)
    capture = Capture(root, name)
    print(f"report: {write_report(Printout(root, name), capture, measurements, progress)}")
    if figures:
        print(f"{len(write_figures(capture, measurements, figures))} figures: {capture.figures}")


@app.command(epilog="Example: physadv compare fast bim --sweep kurakin --html compared.html")
@takes_settings
def compare(
    names: Annotated[list[str], typer.Argument(metavar="RUN RUN ...", help="Two runs or more.")],
    transform: Transforms = None,
    sweep: Sweeps = None,
    model: Annotated[
        str | None, Doc("Judge all with this (file: and python: run code); by default the runs' own.")
    ] = None,
    labels: Labels = None,
    pool: Pool = False,
    html: Annotated[Path | None, Doc("Also write the comparison as a page.")] = None,
    as_json: Json = False,
    seed: Seed = 0,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Put runs side by side on the images they share, with paired tests (exact McNemar, Holm)."""
    _check(root, names, transform, sweep)
    from physadv.report.compare import compare_runs
    from physadv.report.compare_page import show_comparison, write_comparison

    found = compare_runs(
        root,
        names,
        transforms=transform or (),
        sweeps=sweep or (),
        model=model,
        labels=labels,
        seed=seed,
        pool=pool,
        reporter=reporter(quiet=quiet or as_json),
    )
    if html:
        write_comparison(found, html)
    if as_json:
        print(json.dumps(found.as_json()))
        return
    show_comparison(found)
    if html:
        print(f"page: {html}")


@app.command(epilog="Example: physadv export mine --format parquet")
@takes_settings
def export(
    name: Name,
    fmt: Annotated[str, typer.Option("--format", help="Format of the file: csv, json or parquet.")] = "csv",
    output: Annotated[Path | None, Doc("The file; captures/NAME/observations.FORMAT by default.")] = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Write every observation of a run, one a line, for other programs."""
    check_runs(root, [name])
    from physadv.report.export import export_observations

    path, count = export_observations(
        Printout(root, name), Capture(root, name), fmt, output, reporter(quiet=quiet)
    )
    print(f"{count} observations: {path}")
