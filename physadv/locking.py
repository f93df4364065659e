"""One process at a time writes a folder or a file; another waits a little and then says so."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from physadv.errors import MachineError

WAIT_S = 10.0
"""How long a process waits for another that writes the same files, seconds."""


@contextmanager
def one_writer(place: Path) -> Iterator[None]:
    """Keep other processes from writing a folder or file in this block; the lock is a hidden file beside it.

    The block may be entered again by the thread that is in it. A process that ends, however it ends, lets go.
    Where not even a lock can be written there is nothing to keep others from.

    Raises:
        MachineError: another process is writing, and was not done after `WAIT_S`.
    """
    from filelock import FileLock, Timeout

    with ExitStack() as stack:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(place.parent / f".{place.name}.lock", is_singleton=True)
            stack.enter_context(lock.acquire(WAIT_S, poll_interval=0.1))
        except Timeout as error:
            advice = "wait until it has ended and run the same command again"
            raise MachineError(f"{place}: another physadv is writing it; {advice}") from error
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
        yield
