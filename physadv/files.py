"""Files that are either whole or not there."""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
_PARTIAL = re.compile(r"\.(.+)\.(\d+)\.physadv\.part")
"""Name of a temporary file: what it is to become (long names as a hash), and the process that writes it.

Nobody else calls a file so: what is called so may be deleted.
"""


@contextmanager
def replacing(path: Path, *, tidy: bool = False) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` when the block ends well.

    A block that fails, or is killed, leaves what was at `path` untouched. With `tidy` what killed processes
    left half-written of `path` is deleted first; in a run's folders `remove_partial_files` does so for all.

    Raises:
        OSError: naming `path`, where the disk is full or the temporary file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Names may have 255 bytes, and `path` may have used them all.
    short = path.name if len(path.name) < 50 else hashlib.sha256(os.fsencode(path.name)).hexdigest()
    temporary = path.with_name(f".{short}.{os.getpid()}.physadv.part")
    if tidy:
        for leftover, of, process in _partial_files(path.parent.iterdir()):
            if of == short and not _runs(process):
                leftover.unlink(missing_ok=True)
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
    """Delete what killed processes left half-written in folders and below, where it can be deleted."""
    for folder in folders:
        for leftover, *_ in _partial_files(folder.rglob(".*.physadv.part")):
            with suppress(OSError):
                leftover.unlink()


def _partial_files(paths: Iterable[Path]) -> Iterator[tuple[Path, str, int]]:
    """Yield temporary files of `replacing`, each with what it is a part of and the process that writes it."""
    for path in paths:
        if named := _PARTIAL.fullmatch(path.name):
            yield path, named[1], int(named[2])


def _runs(process: int) -> bool:
    """Return whether a process may still run, as any may where asking would be to end it: on Windows."""
    if os.name == "posix":
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass
    return True


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
