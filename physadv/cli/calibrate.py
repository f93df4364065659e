"""A printer and a phone of one's own: measured, and held against photos."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import Doc

from physadv.cli.app import app
from physadv.cli.options import Json, Name, Quiet, Root, Workers, command
from physadv.parallel import map_items
from physadv.pipeline.settings import ClassNames, Seed, profile_record
from physadv.profiles.errors import ProfileError
from physadv.progress import reporter
from physadv.runs import Capture, Printout, check_runs

calibrate = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Measure a printer and a phone, and say how well that predicts photos.",
    epilog="Example: physadv calibrate compare mine --profile office.json",
)
app.add_typer(calibrate, name="calibrate")


TargetName = Annotated[
    str, typer.Option("--name", help="Name of the target; those of other names are not mixed up with it.")
]


@command("print", example="physadv calibrate print --name office --paper letter", of=calibrate)
def print_command(
    name: TargetName,
    paper: Annotated[str, Doc("Paper size: a4, a3 or letter.")] = "a4",
    out: Annotated[Path | None, Doc("File to write; NAME-target.pdf by default.")] = None,
) -> None:
    """Make the target that a printer and a phone are measured with."""
    from physadv.profiles.target import INSTRUCTIONS, make_target, print_target

    path = out or Path(f"{name}-target.pdf")
    print_target(path, make_target(name, paper.lower()))
    print(INSTRUCTIONS.format(path=path, name=name), end="")


@command("fit", example="physadv calibrate fit ~/Pictures/IMG_*.jpg --name office", of=calibrate)
def fit(
    photos: Annotated[list[Path], typer.Argument(help="Photos of the printed target, two from one place.")],
    name: TargetName,
    out: Annotated[
        Path | None, Doc("Profile to write; NAME.json by default. Its figure is beside it, as SVG.")
    ] = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Measure a printer and a phone from photos of the target; a figure shows how well the profile fits."""
    path = out or Path(f"{name}.json")
    if path.suffix.lower() == ".svg":
        raise ProfileError(f"{path}: a profile is JSON, and its figure would replace it; take another name")
    from physadv.profiles import draw_fit, fit_profile, read_target, write_profile
    from physadv.profiles.profile import in_words

    progress = reporter(quiet=quiet)
    read = partial(read_target, name=name)
    readings = list(progress.track(map_items(read, photos, workers=workers), len(photos), "photos"))
    found = fit_profile(name, readings)
    write_profile(path, found.profile)
    draw_fit(path.with_suffix(".svg"), found, readings)
    for line in in_words(found.profile):
        print(line)
    print(f"profile: {path}; figure: {path.with_suffix('.svg')}")


@command("compare", example="physadv calibrate compare mine --profile office.json", of=calibrate)
def compare(
    name: Name,
    profile: Annotated[
        Path, typer.Option(help="Measured printer and phone, a file of 'physadv calibrate fit'.")
    ],
    model: Annotated[
        str | None, Doc("Judge with this (file: and python: run code); by default the run's own.")
    ] = None,
    labels: ClassNames = None,
    draws: Annotated[int, Doc("Draws of the profile for every example.")] = 32,
    seed: Seed = 0,
    as_json: Json = False,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Say how well a profile predicted, pair by pair, what the photos of a run showed."""
    check_runs(root, [name])
    profile_record(profile)
    from physadv.pipeline.predicting import compare_profile
    from physadv.report.predicting import prediction_as_json, show_prediction

    check = compare_profile(
        Printout(root, name),
        Capture(root, name),
        profile,
        model=model,
        labels=labels,
        draws=draws,
        seed=seed,
        reporter=reporter(quiet=quiet or as_json),
    )
    if as_json:
        print(json.dumps(prediction_as_json(check)))
    else:
        show_prediction(check)
