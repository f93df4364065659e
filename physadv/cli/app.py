"""The program's name, what it says of itself, and the options before a command."""

from typing import Annotated

import typer

from physadv import __version__

app = typer.Typer(
    name="physadv",
    help="Print it, photograph it, measure what survives.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
