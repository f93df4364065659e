"""Around a run: whole studies, how many pairs to print, whether gradients mislead, and what can be named."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import Doc

from physadv.cli.options import Json, Quiet, Root, Smallest, command
from physadv.errors import PhysadvError
from physadv.pipeline.settings import MaskingSettings
from physadv.progress import reporter


@command(example="physadv run study.toml --data ../data --dry-run")
def run(
    study: Annotated[Path, Doc("TOML file: images, models, attacks, sweeps, photographs.")],
    data: Annotated[
        Path | None, Doc("Folder that the file's paths are relative to; its own by default.")
    ] = None,
    only: Annotated[str | None, Doc("Only runs whose name fits this pattern, such as '*-bim-16'.")] = None,
    trust: Annotated[
        list[str] | None,
        Doc("Code named in the file that may run, as written there: python:module:function or file:PATH."),
    ] = None,
    dry_run: Annotated[bool, Doc("List what would be run.")] = False,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Run a whole study; steps whose inputs have not changed are skipped."""
    from physadv.study.file import read_study, select_runs

    chosen = read_study(study, data, trust or ())
    if only is not None:
        chosen = select_runs(chosen, only)
    from physadv.study.runner import list_steps, run_study, steps_in_words, write_study_tables

    if dry_run:
        print(steps_in_words(list_steps(chosen, root), "would run"))
        return
    outcome = run_study(chosen, root, reporter(quiet=quiet))
    print(steps_in_words(outcome.steps, "ran"))
    if only is None:
        for path in write_study_tables(chosen, root, outcome):
            print(f"tables: {path}")


@command(example="physadv plan --rate 0.1 --halfwidth 0.05 --qualifying 0.8 --photos 4")
def plan(
    rate: Annotated[float, typer.Option(help="The rate expected, 0 to 1.")],
    halfwidth: Annotated[float | None, Doc("Half the width wanted of its 95 % interval.")] = None,
    pairs: Annotated[int | None, Doc("Pairs that you can print, in place of a half width.")] = None,
    qualifying: Annotated[
        float, Doc("Share of pairs expected to count: clean right, adversarial wrong, seen.")
    ] = 1.0,
    photos: Annotated[int, Doc("Photos of every sheet by each device.")] = 1,
    devices: Annotated[int, Doc("Phones or cameras.")] = 1,
    per_sheet: Annotated[int, Doc("Pairs on a sheet; 8 are on an A4 one of the default size.")] = 8,
    icc_pair: Annotated[float, Doc("How alike two views of a pair are: intraclass correlation.")] = 0.5,
    icc_photo: Annotated[float, Doc("How alike two pairs in one photo are: intraclass correlation.")] = 0.05,
    icc_device: Annotated[
        float, Doc("How alike two pairs seen by one device are; 0 for a rate of these devices only.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Say how many pairs to print for a rate as sharp as wanted, and what would sharpen it most."""
    from physadv.evaluation.planning import Correlations, Design, plan_pairs
    from physadv.report.planning import show_plan

    if (halfwidth is None) == (pairs is None):
        raise PhysadvError("wanted either --halfwidth or --pairs")
    design = Design(1 if pairs is None else pairs, photos, devices, per_sheet)
    found = plan_pairs(rate, halfwidth, qualifying, design, Correlations(icc_pair, icc_photo, icc_device))
    if as_json:
        print(json.dumps(asdict(found)))
    else:
        show_plan(found)


@command(
    "masking-check",
    example="physadv masking-check photos/ --model torchvision/resnet18 --limit 20 --plot curve.svg",
)
def masking_check(
    settings: MaskingSettings,
    smallest: Smallest = 3.0,
    plot: Annotated[Path | None, Doc("Draw the curve: a .svg, .png or .pdf file.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say whether a classifier's gradients mislead, so that its accuracy under attack means nothing."""
    from physadv.pipeline.masking_check import masking_check as run
    from physadv.report.masking import check_plot, show_masking, write_masking_plot

    if plot:
        check_plot(plot)
    check = run(replace(settings, smallest=smallest / 100), reporter(quiet=quiet or as_json))
    if plot:
        write_masking_plot(plot, check)
    if as_json:
        print(json.dumps(asdict(check)))
        return
    show_masking(check)
    if plot:
        print(f"plot: {plot}")


@command("list", example="physadv list attacks")
def list_command(
    what: Annotated[str, Doc("models, attacks, transforms, presets, phones, printers, channels or sweeps.")],
) -> None:
    """List what can be named on the command line."""
    from physadv.cli.listing import show_list

    show_list(what)
