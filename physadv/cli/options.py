"""Arguments and options that several commands take, each worded once."""

from pathlib import Path
from typing import Annotated

import typer

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
