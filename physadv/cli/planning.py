"""Around a run: whole studies, how many pairs to print, whether gradients mislead, and what can be named."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import Doc

from physadv.cli.options import Json, Quiet, Root, command
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


@command(example="physadv plan --rate 0.1 --halfwidth 0.05 --qualifying 0.8")
def plan(
    rate: Annotated[float, typer.Option(help="The rate expected, 0 to 1.")],
    halfwidth: Annotated[float, typer.Option(help="Half the width wanted of its 95 % interval.")],
    qualifying: Annotated[
        float, Doc("Share of pairs expected to count: clean right, adversarial wrong, seen.")
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Say how many pairs to print for a rate as sharp as wanted."""
    from physadv.evaluation.intervals import plan_pairs
    from physadv.report.wording import sample_size_in_words

    wanted = plan_pairs(rate, halfwidth, qualifying)
    if as_json:
        print(json.dumps(asdict(wanted)))
    else:
        print(sample_size_in_words(wanted))


@command(
    "masking-check",
    example="physadv masking-check photos/ --model torchvision/resnet18 --limit 20 --plot curve.svg",
)
def masking_check(
    settings: MaskingSettings,
    plot: Annotated[Path | None, Doc("Draw the curve: a .svg, .png or .pdf file.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say whether a classifier's gradients mislead, so that its accuracy under attack means nothing."""
    from physadv.pipeline.masking_check import masking_check as run
    from physadv.report.masking import check_plot, show_masking, write_masking_plot

    if plot:
        check_plot(plot)
    check = run(settings, reporter(quiet=quiet or as_json))
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
    what: Annotated[str, Doc("models, attacks, transforms, presets, phones or sweeps.")],
) -> None:
    """List what can be named on the command line."""
    from physadv.cli.listing import show_list

    show_list(what)
