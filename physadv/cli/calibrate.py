"""A printer and a phone of one's own: measured, and held against photos."""

import json
from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import Doc

from physadv.cli.app import app
from physadv.cli.options import Json, Name, Quiet, Root, command
from physadv.pipeline.settings import ClassNames, Seed, profile_record
from physadv.progress import reporter
from physadv.runs import Capture, Printout, check_runs

calibrate = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Measure a printer and a phone, and say how well that predicts photos.",
    epilog="Example: physadv calibrate compare mine --profile office.json",
)
app.add_typer(calibrate, name="calibrate")


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
