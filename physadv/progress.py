"""What long work says while it runs: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from physadv.text import printable

Item = TypeVar("Item")


class Reporter(Protocol):
    """Where a step says how far it is; never standard output, which belongs to results."""

    def track(self, items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
        """Yield the items, showing how many of `total` are done."""
        yield from items

    def say(self, line: str) -> None:
        """Show one line."""


class Silent(Reporter):
    """Says nothing."""

    def say(self, line: str) -> None:
        """Drop the line."""


class Lines:
    """Plain lines on standard error: at the start, every ten seconds, and at the end."""

    interval_s = 10.0

    def track(self, items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
        """Yield the items, printing a line now and then."""
        started = last = time.monotonic()
        done = 0
        for item in items:
            yield item
            done += 1
            now = time.monotonic()
            if now - last >= self.interval_s:
                self.say(f"{what}: {done} of {total}")
                last = now
        self.say(f"{what}: {done} of {total} in {time.monotonic() - started:.0f} s")

    def say(self, line: str) -> None:
        """Print the line."""
        print(printable(line), file=sys.stderr, flush=True)


class Bars:
    """Progress bars on a terminal's standard error."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)

    def track(self, items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
        """Yield the items under a bar."""
        from rich.progress import track

        yield from track(items, description=what, total=total, console=self._console)

    def say(self, line: str) -> None:
        """Print the line above any bar."""
        self._console.print(printable(line), markup=False, highlight=False)


silent = Silent()


def reporter(*, quiet: bool) -> Reporter:
    """Return the reporter that suits standard error."""
    if quiet:
        return silent
    return Bars() if sys.stderr.isatty() else Lines()
