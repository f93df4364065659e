"""Files that are either whole or not there."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from physadv.errors import MachineError

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
WAIT_S = 10.0
"""How long a process waits for another that writes the same files, seconds."""


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Keep other processes from writing a folder in this block; the lock is a hidden file beside it.

    The block may be entered again by the thread that is in it. A process that ends, however it ends, lets go.
    Where not even a lock can be written there is nothing to keep others from.

    Raises:
        MachineError: another process is writing, and was not done after `WAIT_S`.
    """
    from filelock import FileLock, Timeout

    with ExitStack() as stack:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder.parent / f".{folder.name}.lock", is_singleton=True)
            stack.enter_context(lock.acquire(WAIT_S, poll_interval=0.1))
        except Timeout as error:
            advice = "wait until it has ended and run the same command again"
            raise MachineError(f"{folder}: another physadv is writing it; {advice}") from error
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
        yield


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` when the block ends well.

    A block that fails, or is killed, leaves what was at `path` untouched.

    Raises:
        OSError: naming `path`, where the disk is full or the temporary file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
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
        for leftover in folder.glob(".*.part"):
            leftover.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
