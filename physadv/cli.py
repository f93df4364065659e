"""The command line: parse, call one function, print. No logic lives here.

Results go to standard output, progress and errors to standard error. Bad input is one line and exit code 2.
"""

import errno
import json
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from physadv import __version__
from physadv.errors import PhysadvError, PhysadvWarning

if TYPE_CHECKING:
    from physadv.stages.crop import CropResult

app = typer.Typer(
    name="physadv",
    help="Print it, photograph it, measure what survives.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Root = Annotated[Path, typer.Option(help="Folder in which printouts/ and captures/ are.")]
Name = Annotated[str, typer.Argument(help="The run's name, as given to 'generate --name'.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes; all cores by default.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Transforms = Annotated[
    list[str] | None,
    typer.Option("--transform", help="Digital transformation NAME=VALUE; see 'physadv list transforms'."),
]
Sweeps = Annotated[
    list[str] | None,
    typer.Option("--sweep", help="NAME=START:STOP:COUNT, or a set: kurakin, viewpoint, corruptions, all."),
]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="Judge with this classifier; several give the transfer matrix."),
]
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="Another run, a further row of the transfer matrix.")
]
Labels = Annotated[Path | None, typer.Option("--labels", help="The classifiers' class names.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"physadv {__version__}")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Print it, photograph it, measure what survives."""


@app.command(epilog="Example: physadv demo --root my-demo")
def demo(
    root: Root = Path("demo"),
    quiet: Quiet = False,
) -> None:
    """Run the whole loop on drawn traffic signs and the bundled classifier; photos are simulated."""
    from physadv.experiments.demo import run_demo
    from physadv.progress import reporter
    from physadv.stages.show import show_table

    measurement, report = run_demo(root, reporter(quiet=quiet))
    show_table(measurement)
    print(f"\nreport: {report}")


@app.command(
    epilog="Example: physadv generate photos/ --name mine --model torchvision/resnet50 --attack bim --eps 16"
)
def generate(
    images: Annotated[Path, typer.Argument(help="Folder, CSV (path,label) or tree with one folder a class.")],
    name: Annotated[str, typer.Option(help="Name of the run.")],
    model: Annotated[str, typer.Option(help="Classifier; see 'physadv list models'.")] = "signs",
    labels: Annotated[Path | None, typer.Option(help="Text file of class names, one a line.")] = None,
    attack: Annotated[
        str, typer.Option(help="Attack, or foolbox:CLASS, torchattacks:CLASS; see 'physadv list attacks'.")
    ] = "bim",
    eps: Annotated[int | None, typer.Option(help="Budget in 8-bit levels; the attack's own default.")] = None,
    area: Annotated[
        float | None, typer.Option(help="Share of the picture that a patch covers; likewise.")
    ] = None,
    transforms: Annotated[
        str | None, typer.Option(help="EOT preset or TOML file; the attack's own by default.")
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(help="Transformations drawn per image and step; likewise."),
    ] = None,
    target: Annotated[
        str, typer.Option(help="Class to reach: none, random, least-likely, or a label.")
    ] = "none",
    steps: Annotated[int | None, typer.Option(help="Steps in place of the published number.")] = None,
    size: Annotated[int, typer.Option(help="Reduce images to this many pixels a side.")] = 299,
    limit: Annotated[int | None, typer.Option(help="How many pairs to make; all by default.")] = None,
    prefilter: Annotated[
        bool, typer.Option("--prefilter", help="Keep only pairs right before, wrong after, both p >= 0.8.")
    ] = False,
    batch: Annotated[int, typer.Option(help="Images attacked at once.")] = 16,
    goal: Annotated[
        float | None,
        typer.Option(help="Leave an image alone when this share of its transformed views succeeds, 0 to 1."),
    ] = None,
    query_only: Annotated[
        bool, typer.Option("--query-only", help="Take answers only and estimate gradients from them.")
    ] = False,
    estimate: Annotated[
        str | None, typer.Option(help="How: nes (as nes=50), nes=POPULATION, or finite-differences.")
    ] = None,
    sigma: Annotated[
        float | None, typer.Option(help="How far it looks, 8-bit levels; the published distance by default.")
    ] = None,
    queries: Annotated[
        int | None, typer.Option(help="Steps for this many answers an image, in place of --steps.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps: where the classifier runs.")] = "auto",
    precision: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
    checkpoint: Annotated[float, typer.Option(help="Seconds between records of a batch's attack.")] = 60.0,
    seed: Seed = 0,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Make clean and adversarial examples. Run the same command again to go on after an interruption."""
    from physadv.progress import reporter
    from physadv.runs import Printout
    from physadv.stages.generate import GenerateSettings
    from physadv.stages.generate import generate as run

    settings = GenerateSettings(
        images=images,
        model=model,
        labels=labels,
        attack=attack,
        eps=eps,
        area=area,
        transforms=transforms,
        samples=samples,
        target=target,
        steps=steps,
        size=size,
        limit=limit,
        prefilter=prefilter,
        seed=seed,
        batch=batch,
        goal=goal,
        query_only=query_only,
        estimate=estimate,
        sigma=sigma,
        queries=queries,
        device=device,
        precision=precision,
        checkpoint=checkpoint,
    )
    printout = Printout(root, name)
    manifest = run(printout, settings, reporter(quiet=quiet))
    pairs = manifest.pairs()
    right = sum(clean.digital[0].label == clean.label for clean, _ in pairs)
    fooled = sum(adversarial.digital[0].label != adversarial.label for _, adversarial in pairs)
    kind = "prefiltered pairs" if prefilter else "pairs"
    labelled = " (labels are the classifier's own: none were given)" * (
        manifest.selection.labels == "predicted"
    )
    print(f"{len(pairs)} {kind} of {manifest.selection.candidates} candidates in {printout.folder}{labelled}")
    print(f"digital: {right} clean right, {fooled} adversarial wrong, of {len(pairs)}")
    asked = manifest.attack.parameters
    if query_only:
        print(f"queries: {asked['queries_asked']}, {asked['queries_per_image']} an image")
    held_out = [adversarial.held_out.success for _, adversarial in pairs if adversarial.held_out]
    if held_out:
        print(f"held-out transformations: {100 * sum(held_out) / len(held_out):.1f} % reach the goal")
    print(f"next: physadv print {name}")


@app.command("print", epilog="Example: physadv print mine --page letter --preview")
def print_command(
    name: Name,
    page: Annotated[str, typer.Option(help="a4 or letter.")] = "a4",
    image_mm: Annotated[float, typer.Option(help="Side of a picture on paper, mm.")] = 36.0,
    preview: Annotated[bool, typer.Option("--preview", help="Also write each page as PNG.")] = False,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Lay the examples out on QR-tagged sheets: printouts/NAME/sheets.pdf."""
    from physadv.progress import reporter
    from physadv.runs import Printout
    from physadv.stages.print_sheets import print_sheets

    printout = Printout(root, name)
    manifest = print_sheets(
        printout, page=page, image_mm=image_mm, preview=preview, reporter=reporter(quiet=quiet)
    )
    print(f"{len(manifest.sheets)} sheets in {printout.pdf}; print at 100 %")
    print(f"next: physadv photograph {name}")


@app.command(epilog="Example: physadv photograph mine --simulate --preset hand-held --shots 3")
def photograph(
    name: Name,
    simulate: Annotated[bool, typer.Option("--simulate", help="Use the virtual printer and phone.")] = False,
    preset: Annotated[
        str, typer.Option(help="How the virtual phone is used; see 'physadv list phones'.")
    ] = "office",
    shots: Annotated[int, typer.Option(help="Simulated photos of each sheet.")] = 2,
    seed: Seed = 0,
    workers: Workers = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Say how to photograph the sheets, or photograph them with the virtual phone."""
    from physadv.progress import reporter
    from physadv.runs import Capture, Printout
    from physadv.stages.photograph import instructions, photograph_simulated

    printout, capture = Printout(root, name), Capture(root, name)
    if not simulate:
        print(instructions(printout, capture), end="")
        return
    photos = photograph_simulated(
        printout,
        capture,
        preset=preset,
        shots=shots,
        seed=seed,
        workers=workers,
        reporter=reporter(quiet=quiet),
    )
    print(f"{len(photos)} simulated photos in {capture.photos}")
    print(f"next: physadv crop {name}")


@app.command(epilog="Example: physadv crop mine ~/Pictures/IMG_*.jpg")
def crop(
    name: Name,
    photos: Annotated[
        list[Path] | None, typer.Argument(help="Photos and videos to add to captures/NAME/photos.")
    ] = None,
    colour: Annotated[
        Literal["photographed", "corrected"],
        typer.Option(help="Of the crops: as photographed, or corrected by the sheet's grey and colour bars."),
    ] = "photographed",
    overlay: Annotated[
        bool,
        typer.Option("--overlay", help="Also draw into each photo what was found: captures/NAME/overlays."),
    ] = False,
    workers: Workers = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Cut every cell out of every photo. A photo that cannot be used is named, and makes the exit code 2."""
    from physadv.progress import reporter
    from physadv.runs import Capture, Printout
    from physadv.stages.crop import crop as run

    capture = Capture(root, name)
    result = run(
        Printout(root, name),
        capture,
        photos or (),
        colour=colour,
        overlay=overlay,
        workers=workers,
        reporter=reporter(quiet=quiet),
    )
    _show_crops(result, capture.crops)
    if overlay:
        print(f"overlays: {capture.overlays}")
    print(f"next: physadv destruction-rate {name}")
    if result.refused_photos:
        raise typer.Exit(2)


def _show_crops(result: "CropResult", folder: Path) -> None:
    cells, refused = len(result.crops), len(result.refused_cells)
    used = len(result.photos) - len(result.refused_photos)
    print(
        f"{cells - refused} of {cells} cells cropped from {used} of {len(result.photos)} photos in {folder}"
    )
    if result.colours:
        print(f"colours {result.colours}")
    for cell in result.refused_cells:
        print(f"{cell.photo}: {cell.example}: {cell.reason}")
    for photo in result.refused_photos:
        print(f"error: {photo.name}: {photo.reason}", file=sys.stderr)


@app.command(
    "destruction-rate",
    epilog="Example: physadv destruction-rate mine --transform blur=1 --sweep jpeg=10:95:10",
)
def destruction_rate(
    name: Name,
    transform: Transforms = None,
    sweep: Sweeps = None,
    model: Models = None,
    source: Sources = None,
    labels: Labels = None,
    form: Annotated[
        str | None, typer.Option("--format", help="csv, json, latex or parquet in place of tables.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="File for --format; standard output by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    seed: Seed = 0,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Measure how many adversarial examples were destroyed, with 95 % intervals."""
    from physadv.progress import reporter
    from physadv.stages.export import check_format, tables_as_text, write_tables
    from physadv.stages.measure import measure_runs
    from physadv.stages.show import show_measurements

    form = "json" if as_json else form
    if form or output:
        form = check_format(form, output)
    measurements = measure_runs(
        root,
        [name, *(source or ())],
        transforms=transform or (),
        sweeps=sweep or (),
        models=model or (),
        labels=labels,
        seed=seed,
        reporter=reporter(quiet=quiet or (form is not None and output is None)),
    )
    if form and output:
        write_tables(measurements, form, output)
        print(f"tables: {output}")
    elif form:
        print(tables_as_text(measurements, form), end="")
    else:
        show_measurements(measurements)
        print(f"next: physadv report {name}")


@app.command(epilog="Example: physadv run study.toml --data ../data --dry-run")
def run(
    study: Annotated[Path, typer.Argument(help="TOML file: images, models, attacks, sweeps, photographs.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder that the file's paths are relative to; its own by default.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Only runs whose name fits this pattern, such as '*-bim-16'.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be run.")] = False,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Run a whole study; steps whose inputs have not changed are skipped."""
    from physadv.experiments.studies import choose, in_words, plan_study, run_study, write_study_tables
    from physadv.experiments.study_file import read_study
    from physadv.progress import reporter

    chosen = read_study(study, data)
    if only is not None:
        chosen = choose(chosen, only)
    if dry_run:
        print(in_words(plan_study(chosen, root), "would run"))
        return
    outcome = run_study(chosen, root, reporter(quiet=quiet))
    print(in_words(outcome.steps, "ran"))
    if only is None:
        for path in write_study_tables(chosen, root, outcome):
            print(f"tables: {path}")


@app.command(epilog="Example: physadv plan --rate 0.1 --halfwidth 0.05 --qualifying 0.8")
def plan(
    rate: Annotated[float, typer.Option(help="The rate expected, 0 to 1.")],
    halfwidth: Annotated[float, typer.Option(help="Half the width wanted of its 95 % interval.")],
    qualifying: Annotated[
        float, typer.Option(help="Share of pairs expected to count: clean right, adversarial wrong, seen.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Say how many pairs to print for a rate as sharp as wanted."""
    from dataclasses import asdict

    from physadv.evaluation.planning import plan_pairs
    from physadv.stages.show import show_plan

    wanted = plan_pairs(rate, halfwidth, qualifying)
    if as_json:
        print(json.dumps(asdict(wanted)))
    else:
        show_plan(wanted)


@app.command(
    "masking-check",
    epilog="Example: physadv masking-check photos/ --model torchvision/resnet18 --limit 20 --plot curve.svg",
)
def masking_check(
    images: Annotated[Path, typer.Argument(help="Folder, CSV (path,label) or tree with one folder a class.")],
    model: Annotated[str, typer.Option(help="Classifier; see 'physadv list models'.")] = "signs",
    labels: Annotated[Path | None, typer.Option(help="Text file of class names, one a line.")] = None,
    eps: Annotated[int, typer.Option(help="Budget in 8-bit levels.")] = 16,
    steps: Annotated[int, typer.Option(help="Of the attacks by gradients.")] = 100,
    query_steps: Annotated[int, typer.Option(help="Of the attack that takes answers only.")] = 50,
    population: Annotated[int, typer.Option(help="Queries for each of its gradients.")] = 50,
    sigma: Annotated[float, typer.Option(help="How far it looks, 8-bit levels.")] = 2.55,
    noise: Annotated[int, typer.Option(help="Random pictures tried on each image.")] = 100,
    size: Annotated[int, typer.Option(help="Reduce images to this many pixels a side.")] = 299,
    limit: Annotated[int | None, typer.Option(help="How many images; all by default.")] = None,
    batch: Annotated[int, typer.Option(help="Images attacked at once.")] = 16,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps: where the classifier runs.")] = "auto",
    plot: Annotated[Path | None, typer.Option(help="Draw the curve: a .svg, .png or .pdf file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Say whether a classifier's gradients mislead, so that its accuracy under attack means nothing."""
    from physadv.evaluation.masking_plot import check_plot
    from physadv.progress import reporter
    from physadv.stages.masking import MaskingSettings
    from physadv.stages.masking import masking_check as run
    from physadv.stages.show import show_masking

    if plot:
        check_plot(plot)
    settings = MaskingSettings(
        images=images,
        model=model,
        labels=labels,
        eps=eps,
        steps=steps,
        query_steps=query_steps,
        population=population,
        sigma=sigma,
        noise=noise,
        size=size,
        limit=limit,
        seed=seed,
        batch=batch,
        device=device,
    )
    check = run(settings, reporter(quiet=quiet or as_json))
    if plot:
        check.write_plot(plot)
    if as_json:
        print(json.dumps(check.as_json()))
        return
    show_masking(check)
    if plot:
        print(f"plot: {plot}")


@app.command(epilog="Example: physadv export mine --format parquet")
def export(
    name: Name,
    form: Annotated[str, typer.Option("--format", help="csv, json or parquet.")] = "csv",
    output: Annotated[
        Path | None, typer.Option(help="The file; captures/NAME/observations.FORMAT by default.")
    ] = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Write every observation of a run, one a line, for other programs."""
    from physadv.progress import reporter
    from physadv.runs import Capture, Printout
    from physadv.stages.export import export_observations

    path, count = export_observations(
        Printout(root, name), Capture(root, name), form, output, reporter(quiet=quiet)
    )
    print(f"{count} observations: {path}")


@app.command(epilog="Example: physadv report mine --sweep kurakin --figures pdf")
def report(
    name: Name,
    transform: Transforms = None,
    sweep: Sweeps = None,
    model: Models = None,
    source: Sources = None,
    labels: Labels = None,
    figures: Annotated[
        str | None, typer.Option(help="pdf, png or svg: also write every figure to captures/NAME/figures.")
    ] = None,
    seed: Seed = 0,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Write captures/NAME/report.html, one self-contained page: figures, tables, gallery, discarded."""
    from physadv.progress import reporter
    from physadv.runs import Capture, Printout
    from physadv.stages.measure import measure_runs
    from physadv.stages.report import write_report
    from physadv.stages.report_figures import check_figure_format, write_figures

    if figures:
        check_figure_format(figures)
    told = reporter(quiet=quiet)
    measurements = measure_runs(
        root,
        [name, *(source or ())],
        transforms=transform or (),
        sweeps=sweep or (),
        models=model or (),
        labels=labels,
        seed=seed,
        reporter=told,
    )
    capture = Capture(root, name)
    print(f"report: {write_report(Printout(root, name), capture, measurements, told)}")
    if figures:
        written = write_figures(capture, measurements, figures)
        print(f"{len(written)} figures: {capture.figures}")


@app.command(epilog="Example: physadv compare fast bim --sweep kurakin --html compared.html")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="RUN RUN ...", help="Two runs or more.")],
    transform: Transforms = None,
    sweep: Sweeps = None,
    model: Annotated[
        str | None, typer.Option(help="Judge all with this classifier; by default the runs' own.")
    ] = None,
    labels: Labels = None,
    html: Annotated[Path | None, typer.Option(help="Also write the comparison as a page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    seed: Seed = 0,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Put runs side by side on the images they share, with paired tests (exact McNemar, Holm)."""
    from physadv.progress import reporter
    from physadv.stages.compare import compare_runs
    from physadv.stages.compare_page import show_comparison, write_comparison

    found = compare_runs(
        root,
        names,
        transforms=transform or (),
        sweeps=sweep or (),
        model=model,
        labels=labels,
        seed=seed,
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


@app.command("list", epilog="Example: physadv list attacks")
def list_command(
    what: Annotated[str, typer.Argument(help="models, attacks, transforms, presets, phones or sweeps.")],
) -> None:
    """List what can be named on the command line."""
    from physadv.stages.show import show_list

    show_list(what)


# Typer brings a click of its own and exports one of its errors only; this is the root of them all.
_USAGE_ERROR: Any = typer.BadParameter.__mro__[2]

_HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "make it writable"),
}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 well, 2 bad input, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    with warnings.catch_warnings():
        warnings.showwarning = partial(_show_warning, warnings.showwarning)
        code = _run(arguments)
    sys.exit(code)


def _show_warning(
    others: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any
) -> None:
    """Print a warning of this package as one line; leave others' to the function that was there before."""
    if issubclass(category, PhysadvWarning):
        print(f"warning: {message}", file=sys.stderr)
    else:
        others(message, category, *where)


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        # Not `app(...)`, which answers Ctrl-C and a closed pipe in its own way and with other exit codes.
        command: Any = typer.main.get_command(app)
        with command.make_context("physadv", arguments or ["--help"]) as context:
            command.invoke(context)
        sys.stdout.flush()
        return 0
    except typer.Exit as error:
        return error.exit_code
    except PhysadvError as error:
        return _fail(str(error), error, debug)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted: what is done is kept; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has had enough; what is left of it must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = _HINTS.get(error.errno or 0, "mend that")
        cause = error.strerror or error
        return _fail(f"{where}{cause}; {hint} and run the same command again to go on", error, debug)
    except _USAGE_ERROR as error:
        return _fail(f"{error.format_message().rstrip('.')}; see --help", error, debug)


def _fail(message: str, error: BaseException, debug: bool) -> int:
    if debug:
        raise error
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
