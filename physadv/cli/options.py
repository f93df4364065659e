"""Arguments and options that several commands take, each worded once, and commands made of settings."""

import inspect
import shlex
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typing_extensions import Doc

from physadv.cli.app import app
from physadv.text import printable

Command = Callable[..., None]

Root = Annotated[Path, typer.Option(help="Folder in which printouts/ and captures/ are.")]
Name = Annotated[str, typer.Argument(help="The run's name, as given to 'generate --name'.")]
NewName = Annotated[str, typer.Option("--name", help="Name of the run.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes; all cores by default.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Smallest = Annotated[float, Doc("Smallest difference of interest, points; settle it beforehand.")]

_EMPTY = inspect.Parameter.empty


def print_next(step: str, name: str, root: Path, *options: str) -> None:
    """Print the command that comes next, with options as they are typed; it runs as it stands."""
    where = [] if root == Path() else [f"--root {shlex.quote(str(root))}"]
    print(printable(" ".join([f"next: physadv {step} {name}", *options, *where])))


def command(name: str | None = None, *, example: str, of: typer.Typer = app) -> Callable[[Command], Command]:
    """Return what makes a function a command, called as the function by default; `example` ends its help."""
    return lambda function: of.command(name, epilog=f"Example: {example}")(takes_settings(function))


def takes_settings(command: Command) -> Command:
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
        for parameter in declared.get(name, [_parameter(name, hints[name], given.default)])
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
        parameters=list(shown.values())
    )
    return with_options


def _parameters(settings: Any, own: set[str]) -> list[inspect.Parameter]:
    hints = get_type_hints(settings, include_extras=True)
    return [
        _parameter(field.name, hints[field.name], _EMPTY if field.default is MISSING else field.default)
        for field in fields(settings)
        if field.name not in own and _text(hints[field.name])
    ]


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    """Return a parameter of the command line; the text of a `Doc` becomes its help."""
    if (text := _text(hint)) is not None:
        # Named, a flag has no --no-flag beside it.
        option = typer.Option(f"--{name.replace('_', '-')}", help=text)
        hint = Annotated[hint.__origin__, typer.Argument(help=text) if default is _EMPTY else option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _text(hint: Any) -> str | None:
    return next((m.documentation for m in getattr(hint, "__metadata__", ()) if isinstance(m, Doc)), None)
