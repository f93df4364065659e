"""Files that are either whole or not there."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
PART = ".physadv.part"
"""Ending of temporary names, which nothing else gives to a file: what a killed process left is deleted."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` when the block ends well.

    A block that fails, or is killed, leaves what was at `path` untouched.

    Raises:
        OSError: naming `path`, where the disk is full or the temporary file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Names may have 255 bytes, and `path` may have used them all.
    short = path.name if len(path.name) < 50 else hashlib.sha256(os.fsencode(path.name)).hexdigest()
    temporary = path.with_name(f".{short}.{os.getpid()}{PART}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        # Pillow and shutil leave out the name, or give that of the file they read.
        if error.errno in FULL_DISK or error.filename in (None, str(temporary), temporary):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_partial_files(*folders: Path) -> None:
    """Delete what a killed process left half-written in folders."""
    for folder in folders:
        for leftover in folder.glob(f".*.[0-9]*{PART}"):
            leftover.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8.

    Raises:
        OSError: it cannot be read, or is no file: a pipe would be waited for without end.
        UnicodeDecodeError: it is not UTF-8.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a file", str(path))
    return path.read_text(encoding="utf-8")
