"""Around a run: whole studies, how many pairs to print, whether gradients mislead, and what can be named."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

from typing_extensions import Doc

from physadv.cli.options import Json, Quiet, Root, Smallest, command
from physadv.errors import PhysadvError
from physadv.pipeline.settings import MaskingSettings
from physadv.progress import reporter
from physadv.runs import Capture, Printout, check_runs


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
    rate: Annotated[float | None, Doc("The rate expected, 0 to 1.")] = None,
    run: Annotated[
        str | None,
        Doc("A run already measured: what is not given here is as it was there, rate and ICC too."),
    ] = None,
    halfwidth: Annotated[float | None, Doc("Half the width wanted of its 95 % interval.")] = None,
    pairs: Annotated[int | None, Doc("Pairs that you can print, in place of a half width.")] = None,
    qualifying: Annotated[
        float | None, Doc("Share of pairs expected to count: clean right, adversarial wrong, seen; or 1.")
    ] = None,
    photos: Annotated[int | None, Doc("Photos of every sheet by each device, 1 by default.")] = None,
    devices: Annotated[int | None, Doc("Phones or cameras, 1 by default.")] = None,
    per_sheet: Annotated[
        int | None, Doc("Pairs on a sheet; 8, as are on an A4 one of the default size, by default.")
    ] = None,
    icc_pair: Annotated[
        float | None, Doc("How alike two views of a pair are: intraclass correlation, 0.5 by default.")
    ] = None,
    icc_photo: Annotated[
        float | None, Doc("How alike two pairs in one photo are: intraclass correlation, 0.05 by default.")
    ] = None,
    icc_device: Annotated[
        float, Doc("How alike two pairs seen by one device are; 0 for a rate of these devices only.")
    ] = 0.0,
    as_json: Json = False,
    root: Root = Path(),
) -> None:
    """Say how many pairs to print for a rate as sharp as wanted, and what would sharpen it most."""
    from physadv.evaluation.planning import Correlations, Design, plan_pairs
    from physadv.report.planning import show_plan

    both, neither = None not in (halfwidth, pairs), halfwidth is pairs is None
    if both or (neither and run is None):
        raise PhysadvError("wanted either --halfwidth or --pairs")
    if run is None and rate is None:
        raise PhysadvError("wanted --rate, or --run with a run that was measured")

    def given(**options: float | None) -> dict[str, Any]:
        return {name: value for name, value in options.items() if value is not None}

    known: dict[str, Any] = {"design": Design(1), "icc": Correlations()}
    if run is not None:
        check_runs(root, [run])
        from physadv.pipeline.planned import measured_design

        known = measured_design(Printout(root, run), Capture(root, run))
    known |= given(rate=rate, qualifying=qualifying, halfwidth=halfwidth)
    more = given(pairs=pairs, photos=photos, devices=devices, per_sheet=per_sheet)
    known["design"] = replace(known["design"], **more)
    known["icc"] = replace(known["icc"], **given(pair=icc_pair, photo=icc_photo, device=icc_device))
    found = plan_pairs(**known)
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
