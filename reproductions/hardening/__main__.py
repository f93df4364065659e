"""One command that attacks a classifier and its hardened self in every way, and writes the page."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from physadv.errors import PhysadvError
from physadv.files import replacing
from physadv.parallel import map_items
from physadv.progress import reporter
from physadv.signs.stop_sign.settings import StudySize
from reproductions.hardening.page import COMMAND, page
from reproductions.hardening.study import HardeningSize, study_of

QUICK = HardeningSize(
    every=100,
    queried=5,
    query_steps=5,
    sticker_steps=60,
    draws=2,
    camera=StudySize(shots=1, every=30),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(prog="python -m reproductions.hardening", description=__doc__)
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="folder with traffic/gtsrb32.npz and traffic/rp2/victims"
    )
    parser.add_argument("--before", default="signs", help="classifier to compare with")
    parser.add_argument("--after", default="signs-hardened", help="hardened classifier, such as signs@PATH")
    parser.add_argument("--out", type=Path, default=Path("docs/results/hardened.md"), help="the page")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    parser.add_argument("--quick", action="store_true", help="a small part of the work, with wide intervals")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else HardeningSize()
    try:
        specs = (chosen.before, chosen.after)
        found = map_items(partial(study_of, data=chosen.data, size=size), specs, workers=chosen.workers)
        before, after = reporter(quiet=False).track(found, len(specs), "classifiers attacked in every way")
    except PhysadvError as error:
        parser.error(str(error))
    command = f"{COMMAND} --quick" if chosen.quick else COMMAND
    with replacing(chosen.out) as temporary:
        temporary.write_text(page(before, after, command), encoding="utf-8")
    print(f"wrote {chosen.out}")


if __name__ == "__main__":
    main()
