"""One command that attacks a classifier and its hardened self in every way, and writes the page."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from physadv.errors import PhysadvError
from physadv.files import replacing
from physadv.progress import reporter
from reproductions.hardening.page import COMMAND, figures, page
from reproductions.hardening.study import HardeningSize, Unit, rows_of, tasks_of
from reproductions.kept_rows import kept_rows

QUICK = HardeningSize(every=300, steps=5, restarts=2, queried=3, query_steps=2, shared_steps=16, draws=2)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study from the command line; stopped, the same command goes on where it was."""
    parser = argparse.ArgumentParser(prog="python -m reproductions.hardening", description=__doc__)
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="folder with traffic/gtsrb32.npz and traffic/rp2/victims"
    )
    parser.add_argument("--before", default="signs", help="classifier to compare with")
    parser.add_argument("--after", default="signs-hardened", help="hardened classifier, such as signs@PATH")
    parser.add_argument("--out", type=Path, default=Path("docs/results/hardened.md"), help="the page")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    parser.add_argument("--quick", action="store_true", help="a small part of the work, with wide intervals")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else HardeningSize()
    specs, tasks = (chosen.before, chosen.after), tasks_of(size)
    units = [Unit(chosen.data, size, spec, task) for task in tasks for spec in specs]
    unfinished = chosen.out.with_name(f".{chosen.out.stem}")
    try:
        rows = kept_rows(rows_of, units, unfinished, workers=chosen.workers)
        found = list(reporter(quiet=chosen.quiet).track(rows, len(units), "parts of the study"))
    except PhysadvError as error:
        parser.error(str(error))
    before, after = (
        {unit.task: row for unit, row in zip(units, found, strict=True) if unit.spec == spec}
        for spec in specs
    )
    studies = (before, after)
    command = f"{COMMAND}{' --quick' * chosen.quick}"
    for figure in figures(specs, studies, size):
        with replacing(chosen.out.with_name(f"{figure.name}.svg")) as temporary:
            figure.write(temporary, "svg")
    with replacing(chosen.out) as temporary:
        temporary.write_text(page(specs, studies, size, command), encoding="utf-8")
    print(f"wrote {chosen.out}")
    shutil.rmtree(unfinished)


if __name__ == "__main__":
    main()
