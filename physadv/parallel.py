"""The one seam behind which work is spread: a pure function mapped over independent items.

Local worker processes stand behind it today; a cluster can stand behind the same signature.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from physadv.errors import PhysadvError

Item = TypeVar("Item")
Result = TypeVar("Result")


class WorkerError(PhysadvError):
    """A worker process died while it worked, or fewer than one was asked for."""


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_items(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int | None = None
) -> Iterator[Result]:
    """Yield `function(item)` in the order of the items, computed by worker processes.

    Args:
        function: importable by name (a module-level function, or a `functools.partial` of one).
        items: picklable.
        workers: processes; the usable cores by default, one runs in this process.

    Raises:
        WorkerError: workers < 1, or the system ended a worker, as it does where memory runs out.
    """
    if workers is not None and workers < 1:
        raise WorkerError(f"workers {workers}: wanted 1 or more")
    workers = min(workers or usable_cores(), len(items))
    if workers <= 1:
        yield from map(function, items)
        return
    # Spawned, not forked: torch's and OpenCV's thread pools do not survive a fork.
    context = multiprocessing.get_context("spawn")
    threads = max(1, usable_cores() // workers)
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=(threads,)) as pool:
        try:
            yield from _windowed(pool, function, items, 2 * workers)
        except BrokenProcessPool as error:
            raise WorkerError(
                f"a worker process was ended; if memory ran out, take fewer than {workers} --workers"
            ) from error
        except Exception:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        except BaseException:
            # After Ctrl-C nobody waits for what is under way; files are whole or not there.
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise


def _windowed(
    pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item], window: int
) -> Iterator[Result]:
    """Keep at most `window` items under way, so that results never pile up in memory."""
    pending: list[Future[Result]] = []
    for item in items:
        with _interrupts_held():
            pending.append(pool.submit(function, item))
        if len(pending) >= window:
            yield pending.pop(0).result()
    for future in pending:
        yield future.result()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; a process started meanwhile never gets it, so that this one alone answers for all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker(threads: int) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_threads(threads)


def _end_with_parent() -> None:
    """End this process when its parent is killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _limit_threads(threads: int) -> None:
    """Limit torch and OpenCV, which read the environment when they are imported and not again."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENCV_FOR_THREADS_NUM"] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(threads)
