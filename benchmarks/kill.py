"""Processes killed at random moments: does the same command, run again, end in the same files?

    python benchmarks/kill.py [--least N] [--most N] [--seed N] [--only COMMAND]

Every writing command (`writers.py`) is killed with SIGKILL and run again. Half of the kills come at a random
moment of the command's usual duration, spread evenly over it, half before a random one of its steps on files:
those take a small part of the time and are where something can be left half done. Then every file below the
root has to have the bytes, and every store the rows, that a run without a kill leaves. The last line is JSON:
`kills`, how many of them met a running process, and `differences`, files that differ or commands that failed.
"""

import argparse
import json
import random
import shutil
import signal
import tempfile
from pathlib import Path

from writers import WRITERS, Straight, check_table, contents, differing, make_images, run_straight, start

SECONDS = 40.0
"""Time for the kills of one command, roughly, within the bounds of their number."""


def kill_all(folder: Path, least: int, most: int, seed: int, names: list[str]) -> dict[str, int]:
    """Kill commands in turn, run them again, print what differs, and return the counts."""
    images = make_images(folder / "images")
    straight = run_straight(folder, images, folder / "root")
    shutil.rmtree(folder / "root")
    draw = random.Random(seed)
    met, differences = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for name in names:
        each = min(most, max(least, round(SECONDS / straight.seconds[name])))
        for number in range(each):
            root = shutil.copytree(straight.before[name], folder / "root")
            met[name] += _kill(name, root, images, straight, draw, number, each)
            code = start(WRITERS[name], root, images, said=folder / "said").wait()
            differ = differing(contents(root), straight.after[name])
            if code:
                differ.append(f"exit code {code}: {(folder / 'said').read_text().strip()}")
            for line in differ:
                print(f"{name}, kill {number + 1}: {line}", flush=True)
            differences[name] += len(differ)
            shutil.rmtree(root)
    print(f"{'command':<18} {'seconds':>7} {'steps':>6} {'kills':>6} {'differences':>12}")
    for name in names:
        numbers = f"{straight.seconds[name]:>7.2f} {straight.steps[name]:>6} {met[name]:>6}"
        print(f"{name:<18} {numbers} {differences[name]:>12}")
    return {"kills": sum(met.values()), "differences": sum(differences.values()), "commands": len(names)}


def _kill(
    name: str, root: Path, images: Path, straight: Straight, draw: random.Random, number: int, each: int
) -> bool:
    """Start a command and kill it; return whether it was running."""
    if number % 2:
        started = start(WRITERS[name], root, images, kill_at=draw.randint(1, straight.steps[name]))
    else:
        started = start(WRITERS[name], root, images)
        started.kill_after((number + 2 * draw.random()) / (each + each % 2) * straight.seconds[name])
    return started.wait() == -signal.SIGKILL


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--least", type=int, default=4, help="kills of a slow command that are tried")
    parser.add_argument("--most", type=int, default=14, help="kills of a fast command that are tried")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--only", action="append", choices=WRITERS, help="this command; may be given again")
    options = parser.parse_args()
    check_table()
    chosen = options.only or list(WRITERS)
    bounds = options.least, options.most
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(kill_all(Path(temporary), *bounds, options.seed, chosen)))
