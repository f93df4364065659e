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
from reproductions.kurakin.photographed import write_photographed


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(prog="python -m reproductions.kurakin", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument("--only", default="*", help="only runs whose name fits this pattern")
    parser.add_argument("--root", type=Path, default=Path("studies/kurakin"), help="where the runs are kept")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of the pages")
    chosen = parser.parse_args(arguments)
    try:
        study = select_runs(read_study(STUDY, chosen.data, PROGRAMS), chosen.only)
        outcome = run_study(study, chosen.root, reporter(quiet=False))
        found = measurements(study, chosen.root, outcome)
        command = COMMAND if chosen.only == "*" else f"{COMMAND} --only '{chosen.only}'"
        pages = [
            *write_photographed(chosen.out, study, found, command),
            *write_digital(chosen.out, study, chosen.root, found, command),
        ]
    except PhysadvError as error:
        parser.error(str(error))
    print(steps_in_words(outcome.steps, "ran"))
    for page in pages:
        print(f"wrote {page}")


if __name__ == "__main__":
    main()
