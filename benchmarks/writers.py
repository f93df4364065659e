"""Every command that writes, with the smallest settings it takes, and real processes that run it.

What may be killed, or started twice, at any moment: `kill.py` and `two_processes.py` try it.
"""

import csv
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from physadv import parallel
from physadv.cli import app, main
from physadv.phone.presets import PHONES
from physadv.sheets import pdf
from physadv.signs.drawing.drawing import draw_demo_set
from physadv.signs.stop_sign.cells import Cell

# One process imports everything once, and each command runs in a fork of it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *(f"physadv.pipeline.{name}" for name in ("attack_batch", "generate", "adopt_files", "print_sheets")),
        *(f"physadv.pipeline.{name}" for name in ("crop_file", "measure", "masking_check")),
        *(f"physadv.report.{name}" for name in ("run_page", "run_figures", "compare_page", "masking")),
        *("physadv.phone.photo", "physadv.phone.shots", "physadv.study.runner", "physadv.demo"),
        *("physadv.signs.training.harden", "physadv.signs.stop_sign.judge", "physadv.signs.stop_sign.print"),
    ]
)

READERS = {"plan", "list"}
"""Commands that write nothing."""

FEWER: dict[str, list[tuple[str, str, Any]]] = {
    "demo": [
        ("physadv.demo", "SIGNS", 2),
        ("physadv.demo", "ATTACKS", {"fast": {"eps": 16}, "eot": {"eps": 16, "steps": 2, "samples": 1}}),
    ],
    "harden": [("physadv.signs.training.harden", "DRAWN", 2)],
    "stop-sign": [
        ("physadv.signs.stop_sign.lab", "CELLS", (Cell(5, 0), Cell(10, 0))),
        ("physadv.signs.stop_sign.drive_by", "START_M", 8.0),
        ("physadv.signs.stop_sign.page", "CELLS_SHOWN", (Cell(5, 0),)),
        ("physadv.signs.stop_sign.page", "DISTANCES_SHOWN", ()),
    ],
}
"""What a command has no option for and would take long: module, constant, and its value here."""
CAMERA_PX = (1200, 1600)
"""Width and height of the virtual phone's photos here: a sixth of the pixels."""
PAPER_DOTS_PER_MM = 8
"""Resolution of the virtual printer here, in place of 20."""

STUDY = """\
name = "small"
[images]
path = "labels.csv"
limit = 2
[models.bundled]
spec = "signs"
[[runs]]
models = ["bundled"]
attacks = ["fast"]
eps = [16, 8]
transforms = ["blur=1"]
photographs = { source = "simulated", shots = 1 }
"""


@dataclass(frozen=True)
class Writer:
    """A command by its words; `{root}` and `{images}` in them stand for the folders."""

    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """Return the name of the command."""
        return self.words[0]


def _writer(text: str) -> Writer:
    return Writer(tuple(text.split()))


WRITERS = {
    "generate": _writer("generate {images}/labels.csv --name mine --attack bim --steps 3 --batch 1"),
    "adopt": _writer("adopt {images}/clean {images}/darker --name theirs --made-by nobody"),
    "print": _writer("print mine --preview"),
    "photograph": _writer("photograph mine --simulate --shots 1 --workers 1"),
    "crop": _writer("crop mine {images}/IMG_1.jpg --overlay --workers 1"),
    "crop, workers": _writer("crop mine {images}/IMG_1.jpg --colour corrected --workers 2"),
    "destruction-rate": _writer("destruction-rate mine --sweep blur=1:3:3 --output {root}/rates.csv"),
    "report": _writer("report mine --transform blur=1 --figures svg"),
    "export": _writer("export mine --format csv"),
    "export, elsewhere": _writer("export mine --format json --output {root}/answers.json"),
    "compare": _writer("compare mine theirs --transform noise=5 --html {root}/compared.html"),
    "masking-check": _writer(
        "masking-check {images}/clean --limit 1 --steps 2 --query-steps 2 --population 2 --noise 2 "
        "--plot {root}/curve.svg"
    ),
    "run": _writer("run {images}/study.toml"),
    "stop-sign": _writer("stop-sign --name sign --quick --steps 2 --mask two-bars"),
    "harden": _writer(
        "harden --data {images}/data --epochs 2 --steps 1 --shared 0 --out {root}/mine.safetensors"
    ),
    "demo": _writer("demo"),
}
"""Name → every writing command, in the order in which they build on one another."""
_ROOTLESS = {"masking-check", "harden"}


def check_table() -> None:
    """End the program where a command is neither in the table nor known to write nothing."""
    named = {command.name or command.callback.__name__ for command in app.registered_commands}
    missing = named - READERS - {writer.command for writer in WRITERS.values()}
    if missing:
        raise SystemExit(f"neither in WRITERS nor in READERS: {', '.join(sorted(missing))}")


def start(
    writer: Writer, root: Path, images: Path, *, said: Path | None = None, kill_at: int = 0, **patches: Any
) -> "Started":
    """Start a command below a root.

    Args:
        writer: the command.
        root: its root.
        images: folder of `make_images`.
        said: file for what it says on standard error.
        kill_at: which of its steps on files it is killed before; 0 for none.
        patches: constants of `physadv.locking` that differ.
    """
    words = [word.format(root=root, images=images) for word in writer.words]
    words += ["--quiet"] if writer.command in _ROOTLESS else ["--quiet", "--root", str(root)]
    steps = FORKS.Value("i", 0)
    process = FORKS.Process(target=_run, args=(words, str(said or os.devnull), steps, kill_at, root, patches))
    process.start()
    return Started(process, steps)


@dataclass(frozen=True)
class Started:
    """A process that runs a command, and a count of its steps on files so far."""

    process: BaseProcess
    _steps: Any

    @property
    def steps(self) -> int:
        """Return how many files below the root were opened for writing, renamed, deleted, or folders made."""
        return int(self._steps.value)

    def wait(self) -> int:
        """Wait for the end and return the exit code, negative the number of a signal."""
        self.process.join()
        return self.process.exitcode or 0

    def kill_after(self, seconds: float) -> None:
        """Kill the process after some seconds, if it has not ended before."""
        self.process.join(seconds)
        if self.process.is_alive():
            os.kill(self.process.pid or 0, signal.SIGKILL)


def _run(
    words: list[str], said: str, steps: Any, kill_at: int, root: Path, patches: Mapping[str, Any]
) -> None:
    from importlib import import_module

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    for module, name, value in FEWER.get(words[0], []):
        setattr(import_module(module), name, value)
    for name, value in patches.items():
        setattr(import_module("physadv.locking"), name, value)
    office, (width, height) = PHONES["office"], CAMERA_PX
    PHONES["office"] = replace(office, phone=replace(office.phone, width=width, height=height))
    pdf.page_pixels = partial(pdf.page_pixels, dots_per_mm=PAPER_DOTS_PER_MM)
    # No workers unless they are asked for: each would import everything anew.
    parallel.usable_cores = lambda: 1
    own, below = os.getpid(), str(root)

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir") or os.getpid() != own:
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        if not isinstance(arguments[0], int) and os.fsdecode(arguments[0]).startswith(below):
            steps.value += 1
            if steps.value == kill_at:
                os.kill(own, signal.SIGKILL)

    sys.addaudithook(count)
    main(words)


def make_images(folder: Path) -> Path:
    """Fill a folder with what the commands read: signs, labels, a study, a photo, data to learn from."""
    for name in ("clean", "darker"):
        (folder / name).mkdir(parents=True)
    rows = []
    for index, (label, pixels) in enumerate(draw_demo_set(4, size=64, seed=0)):
        for place, picture in ((".", pixels), ("clean", pixels), ("darker", pixels // 2)):
            Image.fromarray(picture).save(folder / place / f"{index}.png")
        rows.append((f"{index}.png", label))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    (folder / "study.toml").write_text(STUDY)
    data = folder / "data" / "traffic"
    (data / "rp2" / "victims").mkdir(parents=True)
    draws = np.random.default_rng(0)
    noise, labels = draws.integers(0, 256, (130, 32, 32, 3), dtype=np.uint8), draws.integers(0, 43, 130)
    Image.fromarray(noise[0]).save(data / "rp2" / "victims" / "a.png")
    learnt = {"train_images": noise, "train_labels": labels, "train_tracks": np.zeros((130, 2), np.int64)}
    np.savez(data / "gtsrb32.npz", **learnt, test_images=noise[:10], test_labels=labels[:10])
    _take_photo(folder)
    return folder


def _take_photo(folder: Path) -> None:
    """Have the virtual phone take the photo that is given to `crop`: of another seed than the run's own."""
    root = folder / "elsewhere"
    for name in ("generate", "print", "photograph"):
        words = WRITERS[name].words + (("--seed", "1") if name == "photograph" else ())
        if code := start(Writer(words), root, folder).wait():
            raise SystemExit(f"{name}: exit code {code}")
    (photo,) = (root / "captures" / "mine" / "photos").iterdir()
    shutil.copy(photo, folder / "IMG_1.jpg")
    shutil.rmtree(root)


@dataclass(frozen=True)
class Straight:
    """What every command leaves that nothing disturbs.

    Attributes:
        before: root as it is before each command, a folder.
        after: content of the root after each command.
        seconds: how long each took.
        steps: how many steps on files each took.
        finished: root after the last command, a folder.
    """

    before: dict[str, Path]
    after: dict[str, dict[str, object]]
    seconds: dict[str, float]
    steps: dict[str, int]
    finished: Path


def run_straight(folder: Path, images: Path, root: Path) -> Straight:
    """Run all commands one after another below `root`; copies of it before each go to `folder`."""
    root.mkdir()
    made = Straight({}, {}, {}, {}, folder / "finished")
    for name, writer in WRITERS.items():
        made.before[name] = shutil.copytree(root, folder / name)
        began = time.monotonic()
        started = start(writer, root, images, said=folder / "said")
        code = started.wait()
        made.seconds[name] = time.monotonic() - began
        if code:
            raise SystemExit(f"{name}: exit code {code}: {(folder / 'said').read_text()}")
        made.after[name], made.steps[name] = contents(root), started.steps
    shutil.copytree(root, made.finished)
    return made


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


def differing(found: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    """Return the names of files that two roots do not have alike."""
    return sorted(
        f"{name} ({'left over' if name not in wanted else 'lost' if name not in found else 'other content'})"
        for name in found.keys() | wanted.keys()
        if found.get(name) != wanted.get(name)
    )
