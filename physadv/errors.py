"""The root of every error that the user can fix.

Each room raises a subclass of its own; the command line turns any of them into one line and exit code 2.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path


class PhysadvError(Exception):
    """Bad input: the message names the file or argument, the value got and the value wanted, in one line."""


class PhysadvWarning(UserWarning):
    """Something that works but will disappoint, in one line; the command line shows it on standard error."""


class MachineError(PhysadvError):
    """The machine could not do it now, for want of memory, permission or a package: no fact about data."""


_MACHINE = {errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO}
_MACHINE |= {errno.EMFILE, errno.ENFILE, errno.EBUSY, errno.ENOENT}
_NO_MEMORY = ("out of memory", "not enough memory", "insufficient memory", "can't allocate memory")


def machine_fault(error: BaseException) -> str | None:
    """Return in words what the machine lacks, None where an error says something of the data."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY):
        return "not enough memory"
    if isinstance(error, OSError) and error.errno in _MACHINE:
        return os.strerror(error.errno)
    return str(error) if isinstance(error, MachineError) else None


@contextmanager
def reading(path: Path, refuse: Callable[[Exception], PhysadvError]) -> Iterator[None]:
    """Raise `refuse(error)` where a file's content makes a library raise, which may raise anything.

    What the machine lacks is a MachineError that names the file; errors of this package stay as they are.
    """
    try:
        yield
    except MachineError:
        raise
    except Exception as error:
        if fault := machine_fault(error):
            machine = MachineError(f"{path}: {fault}")
            machine.add_note("mend that and run the same command again")
            raise machine from error
        if isinstance(error, PhysadvError):
            raise
        raise refuse(error) from error


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the line that says `name` is no known `kind`, with the nearest names there are."""
    spelt = {each.lower(): each for each in sorted(known)}
    close = get_close_matches(name.lower(), spelt, n=3, cutoff=0.4)
    near = [spelt[each] for each in close] or list(spelt.values())
    return f"unknown {kind} '{name}'; nearest: {', '.join(near[:8])}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its type where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
