"""Processes killed at random moments: does the same command, run again, end in the same files?

    python benchmarks/kill.py [--quick] [--kills N] [--seed N]

Every writing command of the loop is killed (SIGKILL) at a random moment of its usual duration and run again.
Then every file below the root has to have the bytes, and every store the rows, that a run without a kill
leaves. The last line is JSON: `kills`, how many of them met a running process, and `differences`, files that
differ or commands that failed.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

from PIL import Image

from physadv.cli import main
from physadv.signs.drawing.drawing import draw_demo_set

# One process imports everything once, and each command runs in a fork of it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        f"physadv.pipeline.{step}"
        for step in ("attack_batch", "generate", "adopt", "print_sheets", "crop_file")
    ]
    + ["physadv.pipeline.measure", "physadv.report.run_page", "physadv.phone.photo", "physadv.phone.shots"]
)


def commands(images: Path) -> dict[str, tuple[object, ...]]:
    """Return name → arguments of every command, in the order in which they build on one another."""
    shots = ("--shots", 1, "--workers", 1)
    generate = ("generate", images, "--name", "mine", "--attack", "fast", "--batch", 1)
    return {
        "generate": generate,
        "adopt": ("adopt", images, images, "--name", "theirs", "--made-by", "nobody"),
        "print": ("print", "mine", "--preview"),
        "photograph": ("photograph", "mine", "--simulate", *shots),
        "crop": ("crop", "mine", "--overlay", "--workers", 1),
        "destruction-rate": ("destruction-rate", "mine", "--transform", "blur=1"),
        "report": ("report", "mine"),
    }


def start(root: Path, arguments: tuple[object, ...]) -> BaseProcess:
    """Start a command below a root."""
    words = [*map(str, arguments), "--quiet", "--root", str(root)]
    process = FORKS.Process(target=_run, args=(words,))
    process.start()
    return process


def _run(words: list[str]) -> None:
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    main(words)


def contents(root: Path) -> dict[str, object]:
    """Return every file below a root with its bytes, stores with their rows; locks are left out."""
    found: dict[str, object] = {}
    for path in root.rglob("*"):
        if path.is_file() and path.suffix != ".lock":
            rows = path.suffix == ".sqlite"
            found[str(path.relative_to(root))] = list(_rows(path)) if rows else path.read_bytes()
    return found


def _rows(path: Path) -> Iterator[object]:
    connection = sqlite3.connect(path)
    for table in ("photos", "crops", "observations"):
        yield sorted(map(repr, connection.execute(f"SELECT * FROM {table}")))
    connection.close()


def kill_all(folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Kill commands in turn, run them again, print what differs, and return the counts."""
    images, straight = folder / "images", folder / "straight"
    images.mkdir()
    for index, (_, pixels) in enumerate(draw_demo_set(4, size=64, seed=0)):
        Image.fromarray(pixels).save(images / f"{index}.png")
    straight.mkdir()
    steps = commands(images)
    seconds, wanted = {}, {}
    for name, arguments in steps.items():
        shutil.copytree(straight, folder / name)
        began = time.monotonic()
        process = start(straight, arguments)
        process.join()
        if process.exitcode:
            raise SystemExit(f"{name}: exit code {process.exitcode}")
        seconds[name], wanted[name] = time.monotonic() - began, contents(straight)
    draw = random.Random(seed)
    counts = {"kills": 0, "differences": 0}
    for number in range(kills):
        name = list(steps)[number % len(steps)]
        root = shutil.copytree(folder / name, folder / "killed")
        process = start(root, steps[name])
        process.join(draw.uniform(0, seconds[name]))
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        counts["kills"] += process.exitcode == -signal.SIGKILL
        process = start(root, steps[name])
        process.join()
        found = contents(root)
        names = found.keys() | wanted[name].keys()
        differ = sorted(each for each in names if found.get(each) != wanted[name].get(each))
        if process.exitcode:
            differ.append(f"exit code {process.exitcode}")
        for each in differ:
            print(f"kill {number + 1}, {name}: {each}", flush=True)
        counts["differences"] += len(differ)
        shutil.rmtree(root)
    print(f"{'command':<18} {'seconds':>7}")
    for name, duration in seconds.items():
        print(f"{name:<18} {duration:>7.2f}")
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one kill of each command")
    parser.add_argument("--kills", type=int, default=126, help="how many processes to kill")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(kill_all(Path(temporary), 7 if options.quick else options.kills, options.seed)))
