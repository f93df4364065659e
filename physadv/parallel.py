"""The one seam behind which work is spread: a pure function mapped over independent items.

Local worker processes stand behind it today; a cluster can stand behind the same signature.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


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
    """
    workers = min(workers or usable_cores(), len(items))
    if workers <= 1:
        yield from map(function, items)
        return
    # Spawned, not forked: torch's and OpenCV's thread pools do not survive a fork.
    context = multiprocessing.get_context("spawn")
    threads = max(1, usable_cores() // workers)
    with ProcessPoolExecutor(workers, context, initializer=_limit_threads, initargs=(threads,)) as pool:
        try:
            yield from _windowed(pool, function, items, 2 * workers)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _windowed(
    pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item], window: int
) -> Iterator[Result]:
    """Keep at most `window` items under way, so that results never pile up in memory."""
    pending = []
    for item in items:
        pending.append(pool.submit(function, item))
        if len(pending) >= window:
            yield pending.pop(0).result()
    for future in pending:
        yield future.result()


def _limit_threads(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import cv2
    import torch

    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
