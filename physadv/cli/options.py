"""Arguments and options that several commands take, each worded once, and commands made of settings."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typing_extensions import Doc

Root = Annotated[Path, typer.Option(help="Folder in which printouts/ and captures/ are.")]
Name = Annotated[str, typer.Argument(help="The run's name, as given to 'generate --name'.")]
NewName = Annotated[str, typer.Option("--name", help="Name of the run.")]
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
Labels = Annotated[
    Path | None, typer.Option("--labels", help="Text file of the classifiers' class names, one a line.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that its settings declare.

    A parameter whose type is a dataclass stands for a parameter of the command line for each field with a
    `Doc`, which is its help: an argument for a field without a default, an option otherwise. A field that is
    also a parameter of the command is left to it.
    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    own = {name for name in hints if name != "return" and not is_dataclass(hints[name])}
    declared = {name: _parameters(hint, own) for name, hint in hints.items() if is_dataclass(hint)}
    shown = {
        parameter.name: parameter
        for name, given in signature.parameters.items()
        for parameter in declared.get(name, [given.replace(annotation=hints[name])])
    }

    @wraps(command)
    def with_options(**given: Any) -> None:
        settings = {
            name: hints[name](**{p.name: given[p.name] for p in parameters})
            for name, parameters in declared.items()
        }
        command(**settings, **{name: given[name] for name in signature.parameters if name in own})

    with_options.__annotations__ = {name: parameter.annotation for name, parameter in shown.items()}
    with_options.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in shown.values()]
    )
    return with_options


def _parameters(settings: Any, own: set[str]) -> list[inspect.Parameter]:
    hints = get_type_hints(settings, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=Annotated[hints[field.name].__origin__, _shown(field, doc)],
        )
        for field in fields(settings)
        if field.name not in own
        for doc in getattr(hints[field.name], "__metadata__", ())
        if isinstance(doc, Doc)
    ]


def _shown(field: "Field[Any]", doc: Doc) -> Any:
    if field.default is MISSING:
        return typer.Argument(help=doc.documentation)
    name = f"--{field.name.replace('_', '-')}"
    # Named, a flag has no --no-flag beside it.
    return typer.Option(name, help=doc.documentation)
