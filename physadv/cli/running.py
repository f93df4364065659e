"""Run a command and exit: 0 success, 1 broken pipe or failure, 2 bad input, 130 interrupted."""

import errno
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from io import TextIOWrapper
from typing import Any

import typer

from physadv.cli.app import app
from physadv.errors import PhysadvError, PhysadvWarning, first_line, machine_fault
from physadv.text import printable

# Typer brings a click of its own and exports one of its errors only; this is the root of them all.
_USAGE_ERROR: Any = typer.BadParameter.__mro__[2]

_HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "make it writable"),
}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, TextIOWrapper):
        # A name with letters that the terminal cannot show must not end the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = partial(_show_warning, warnings.showwarning)
        code = _run(arguments)
    sys.exit(code)


def _show_warning(
    others: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any
) -> None:
    """Print a warning of this package as one line; leave others' to the function that was there before."""
    if issubclass(category, PhysadvWarning):
        print(f"warning: {printable(str(message))}", file=sys.stderr)
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
        return _fail("; ".join([str(error), *getattr(error, "__notes__", ())]), error, debug)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted: what is done is kept; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has had enough; what is left of it must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, MemoryError) as error:
        where = f"{name}: " if (name := getattr(error, "filename", None)) else ""
        hint = _HINTS.get(getattr(error, "errno", None) or 0, "mend that")
        cause = getattr(error, "strerror", None) or machine_fault(error) or error
        return _fail(f"{where}{cause}; {hint} and run the same command again to go on", error, debug)
    except _USAGE_ERROR as error:
        return _fail(f"{error.format_message().rstrip('.')}; see --help", error, debug)
    except Exception as error:  # one line whatever happens, also of libraries and of mistakes in this one
        cause = f"{type(error).__name__}: {first_line(error)}"
        _fail(f"{cause}; what is done is kept; --debug shows where it happened", error, debug)
        return 1


def _fail(message: str, error: BaseException, debug: bool) -> int:
    if debug:
        raise error
    print(f"error: {printable(' '.join(message.split()))}", file=sys.stderr)
    return 2
