"""What survived: destruction rates, reports, comparisons, and the observations for other programs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typing_extensions import Doc

from physadv.cli.options import Json, Name, Quiet, Root, Smallest, command, print_next
from physadv.pipeline.settings import Seed
from physadv.progress import reporter
from physadv.runs import Capture, Printout, check_runs


@dataclass(frozen=True)
class MeasureSettings:
    """What is measured beside a run's photos."""

    transform: Annotated[
        list[str] | None, Doc("Digital transformation NAME=VALUE; see 'physadv list transforms'.")
    ] = None
    sweep: Annotated[
        list[str] | None, Doc("NAME=START:STOP:COUNT, or a set: kurakin, viewpoint, corruptions, all.")
    ] = None
    profile: Annotated[
        list[Path] | None, Doc("Measured printer and phone, a file of 'physadv calibrate fit'.")
    ] = None
    labels: Annotated[Path | None, Doc("Text file of the classifiers' class names, one a line.")] = None
    pool: Annotated[bool, Doc("One rate over photos of all presets and cameras, not one for each.")] = False
    seed: Seed = 0

    def options(self, root: Path, names: list[str]) -> dict[str, Any]:
        """Return the arguments of `measure`; runs and transformations are checked before a slow import."""
        check_runs(root, names)
        from physadv.transforms import parse_sweep, parse_transform

        transforms, sweeps, profiles = self.transform or (), self.sweep or (), self.profile or ()
        for text in transforms:
            parse_transform(text)
        for text in sweeps:
            parse_sweep(text)
        if profiles:
            from physadv.profiles import read_profile

            for path in profiles:
                read_profile(path)
        asked = {"transforms": transforms, "sweeps": sweeps, "profiles": profiles, "labels": self.labels}
        return {**asked, "pool": self.pool, "seed": self.seed}


@dataclass(frozen=True)
class JudgeSettings(MeasureSettings):
    """What is measured, by whom, and of which further runs."""

    model: Annotated[
        list[str] | None,
        Doc("Judge with this (file: and python: run code); several give the transfer matrix."),
    ] = None
    source: Annotated[list[str] | None, Doc("Another run, a further row of the transfer matrix.")] = None


@command("destruction-rate", example="physadv destruction-rate mine --transform blur=1 --sweep jpeg=10:95:10")
def destruction_rate(
    name: Name,
    settings: JudgeSettings,
    fmt: Annotated[
        str | None, typer.Option("--format", help="Print csv, json, latex or parquet in place of tables.")
    ] = None,
    output: Annotated[Path | None, Doc("File for --format; standard output by default.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON in place of tables, as --format json does.")
    ] = False,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Measure how many adversarial examples were destroyed, with 95 % intervals."""
    names = [name, *(settings.source or ())]
    options = settings.options(root, names)
    from physadv.pipeline.measure import measure_runs
    from physadv.report.export import check_format, tables_as_text, write_tables
    from physadv.report.provenance import judge_options
    from physadv.report.terminal import show_measurements

    fmt = "json" if as_json else fmt
    if fmt or output:
        fmt = check_format(fmt, output)
    progress = reporter(quiet=quiet or (fmt is not None and output is None))
    measurements = measure_runs(root, names, models=settings.model or (), **options, reporter=progress)
    if fmt and output:
        write_tables(measurements, fmt, output)
        print(f"tables: {output}")
    elif fmt:
        print(tables_as_text(measurements, fmt), end="")
    else:
        show_measurements(measurements)
        print_next("report", name, root, *judge_options(measurements))


@command(example="physadv report mine --sweep kurakin --figures pdf")
def report(
    name: Name,
    settings: JudgeSettings,
    figures: Annotated[
        str | None, Doc("Also write every figure, as pdf, png or svg, to captures/NAME/figures.")
    ] = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Write captures/NAME/report.html, one self-contained page: figures, tables, gallery, discarded."""
    names = [name, *(settings.source or ())]
    options = settings.options(root, names)
    from physadv.pipeline.measure import measure_runs
    from physadv.report.run_figures import check_figure_format, write_figures
    from physadv.report.run_page import write_report

    if figures:
        check_figure_format(figures)
    progress = reporter(quiet=quiet)
    measurements = measure_runs(root, names, models=settings.model or (), **options, reporter=progress)
    capture = Capture(root, name)
    print(f"report: {write_report(Printout(root, name), capture, measurements, progress)}")
    if figures:
        print(f"{len(write_figures(capture, measurements, figures))} figures: {capture.figures}")


@command(example="physadv compare fast bim --sweep kurakin --html compared.html")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="RUN RUN ...", help="Two runs or more.")],
    settings: MeasureSettings,
    model: Annotated[
        str | None, Doc("Judge all with this (file: and python: run code); by default the runs' own.")
    ] = None,
    against: Annotated[
        str | None, Doc("Test the others against this run only; by default every two runs are tested.")
    ] = None,
    smallest: Smallest = 3.0,
    html: Annotated[Path | None, Doc("Also write the comparison as a page.")] = None,
    as_json: Json = False,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Put runs side by side on the images they share, with paired tests (sign flips, Holm)."""
    options = settings.options(root, names)
    from physadv.report.compare import compare_runs
    from physadv.report.compare_page import show_comparison, write_comparison

    progress = reporter(quiet=quiet or as_json)
    options |= {"against": against, "smallest": smallest / 100, "reporter": progress}
    found = compare_runs(root, names, model=model, **options)
    if html:
        write_comparison(found, html)
    if as_json:
        print(json.dumps(found.as_json()))
        return
    show_comparison(found)
    if html:
        print(f"page: {html}")


@command(example="physadv export mine --format parquet")
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
