"""One command for the whole study: run what is not yet done, then write its pages."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from physadv.errors import PhysadvError
from physadv.progress import reporter
from physadv.study.file import read_study, select_runs
from physadv.study.runner import measurements, run_study, steps_in_words
from reproductions.kurakin import COMMAND, PROGRAMS, STUDY
from reproductions.kurakin.digital import write_digital
from reproductions.kurakin.photographed import photograph_rows, write_photographed
from reproductions.kurakin.rows import Settings

PARTS = ("digital", "photographed")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(prog="python -m reproductions.kurakin", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument("--part", choices=PARTS, help="only this part; both by default")
    parser.add_argument("--only", default="*", help="only digital runs whose name fits this pattern")
    parser.add_argument("--net", default="mobilenet_v2", help="photographed: of imagenet/nets, without .pt2")
    parser.add_argument("--size", type=int, default=224, help="photographed: pixels a side")
    parser.add_argument("--pairs", type=int, help="photographed: so many images; all by default")
    parser.add_argument("--workers", type=int, help="processes for photos and crops")
    parser.add_argument("--root", type=Path, default=Path("studies/kurakin"), help="where the runs are kept")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of the pages")
    chosen = parser.parse_args(arguments)
    progress, pages = reporter(quiet=False), []
    try:
        if chosen.part != "photographed":
            study = select_runs(read_study(STUDY, chosen.data, PROGRAMS), chosen.only)
            outcome = run_study(study, chosen.root, progress)
            print(steps_in_words(outcome.steps, "ran"))
            found = measurements(study, chosen.root, outcome)
            command = COMMAND if chosen.only == "*" else f"{COMMAND} --only '{chosen.only}'"
            pages += write_digital(chosen.out, study, chosen.root, found, command)
        if chosen.part != "digital":
            settings = Settings(
                images=chosen.data / "imagenet/labels.csv",
                root=chosen.root / f"photographed-{chosen.net}-{chosen.pairs or 'all'}",
                model=f"file:{chosen.data / 'imagenet/nets' / chosen.net}.pt2",
                size=chosen.size,
                pairs=chosen.pairs,
                workers=chosen.workers,
            )
            pages += write_photographed(chosen.out, settings, photograph_rows(settings, progress))
    except PhysadvError as error:
        parser.error(str(error))
    for page in pages:
        print(f"wrote {page}")


if __name__ == "__main__":
    main()
