"""Two processes of every writing command on one run at once: is anything lost, is the advice right?

    python benchmarks/two_processes.py [--quick] [--seed N] [--only COMMAND]

Every writing command (`writers.py`) is started twice on the same root: at the same moment, then once more
at a random moment of the first one's time, with a second that does not wait for a lock. Both have to end
well, or with one line that says to wait and to run the same command again. Who is told so does so; then
every file has to have the bytes, and every store the rows, that one process leaves.

Then every two commands that write one run are started at once where all has been made already: they may
wait for one another, and nothing may change. The last line is JSON: `commands` and `pairs` that were tried,
how many were told to wait, `losses`, files that differ, and `wrong_advice`, ends that are neither good nor
such a line.
"""

import argparse
import json
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

from writers import WRITERS, check_table, contents, differing, make_images, run_straight, start

WAIT = re.compile(
    r"error: .+: (another physadv is writing it; wait until it has ended and run the same command again"
    r"|in use by another physadv; wait until it has ended)\n"
)
ONE_RUN = (
    "generate",
    "print",
    "photograph",
    "crop, workers",
    "destruction-rate",
    "report",
    "compare",
    "export",
)


def try_all(folder: Path, seed: int, names: list[str], quick: bool) -> dict[str, int]:
    """Start commands twice at once, print what goes wrong, and return the counts."""
    images = make_images(folder / "images")
    straight = run_straight(folder, images, folder / "root")
    shutil.rmtree(folder / "root")
    draw, counts = random.Random(seed), Counter(losses=0, wrong_advice=0, waited=0)

    def both(
        pair: tuple[str, str], before: Path, wanted: dict[str, object], delay: float, **patches: float
    ) -> None:
        """Start two commands at once; then again whichever was told to wait."""
        root = shutil.copytree(before, folder / "root")
        first = start(WRITERS[pair[0]], root, images, said=folder / "first")
        time.sleep(delay)
        second = start(WRITERS[pair[1]], root, images, said=folder / "second", **patches)
        codes = [started.wait() for started in (first, second)]
        for name, code, said in zip(pair, codes, ("first", "second"), strict=True):
            line = (folder / said).read_text()
            counts["waited"] += code == 2 and bool(WAIT.fullmatch(line))
            if (code, line) != (0, "") and not (code == 2 and WAIT.fullmatch(line)):
                counts["wrong_advice"] += 1
                print(f"{pair}, {name}, exit code {code}: {line}", flush=True)
            if code and start(WRITERS[name], root, images, said=folder / "again").wait():
                counts["losses"] += 1
                print(f"{pair}, {name} again: {(folder / 'again').read_text()}", flush=True)
        for each in differing(contents(root), wanted):
            counts["losses"] += 1
            print(f"{pair}, {delay:.2f} s apart: {each}", flush=True)
        shutil.rmtree(root)

    for name in names:
        own = (name, name), straight.before[name], straight.after[name]
        both(*own, 0.0)
        if not quick:
            both(*own, draw.uniform(0.1, 0.9) * straight.seconds[name], WAIT_S=0.0)
    pairs = [] if quick else [pair for pair in combinations(ONE_RUN, 2) if {*pair} <= {*names}]
    if pairs:
        # Until nothing is left to do: what a later command observed is in an earlier one's export.
        settled = straight.finished.rename(folder / "root")
        for name in ONE_RUN:
            start(WRITERS[name], settled, images).wait()
        settled = settled.rename(straight.finished)
        wanted = contents(settled)
    for pair in pairs:
        longest = max(straight.seconds[name] for name in pair)
        both(pair, settled, wanted, draw.uniform(0, 0.3) * longest)
    return {**counts, "commands": len(names), "pairs": len(pairs)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every command twice at the same moment only")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--only", action="append", choices=WRITERS, help="this command; may be given again")
    options = parser.parse_args()
    check_table()
    chosen = options.only or list(WRITERS)
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(try_all(Path(temporary), options.seed, chosen, options.quick)))
