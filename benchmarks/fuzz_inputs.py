"""Hostile and damaged input: what of it runs, leaves its folder, breaks a command, is lost or hangs.

`python benchmarks/fuzz_inputs.py` makes a small run, then 2,400 inputs, each a sound one with a thing wrong:
pictures, lists of them, manifests, stores, studies, presets, checkpoints, weights, names. Each goes through a
command in this process. `--quick` tries an eighth of them.

Counted: `code_executed` (a planted function, pickle or script came to run, or a page holds a script),
`written_outside` (a file beside the run's folder changed), `tracebacks` (any end but exit code 0, or 2 with a
line), `silent_losses` (a file of the user's is gone or changed, or a picture was neither used nor named), and
`hangs` (more than `LIMIT_S`). A published name is never asked for: nothing is downloaded.
"""

import argparse
import faulthandler
import io
import json
import os
import pickle
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from physadv.cli import main as physadv
from physadv.report.table import show, words_table
from physadv.signs.drawing.drawing import draw_demo_set

LIMIT_S = 60
FAULTS = ("code_executed", "written_outside", "tracebacks", "silent_losses", "hangs")
EVIL = "from pathlib import Path\nPath({canary!r}).touch()\ndef load(*_, **__): ...\n"
SCRIPT = "<script>alert(1)</script>"
TEXTS = (
    *(
        "",
        " ",
        ".",
        "..",
        "-",
        "--help",
        "../../../outside/note.txt",
        "../outside",
        "/etc/passwd",
        "~/note.txt",
    ),
    *(
        "clean/../../../../outside/new.png",
        "a" * 101,
        "a" * 5000,
        "\0",
        "a\0b",
        "a\nb",
        "\r\n",
        "\t",
        "\x1b[2J",
    ),
    *(
        SCRIPT,
        '" onload="alert(1)',
        "'--><svg onload=alert(1)>",
        "[/red]",
        "[link=file:///x]y[/link]",
        "{0}{x}",
    ),
    *(
        "{{ 7*7 }}",
        "%s%n",
        "$(touch CANARY)",
        "`touch CANARY`",
        "; touch CANARY",
        "=cmd|' /C calc'!A0",
        "\u202egnp",
    ),
    *(
        "\ufeff",
        "\ud800",
        "é",
        "停止",
        "😀",
        "CON",
        "nul",
        "C:\\x",
        "\\\\host\\share",
        "blur=1",
        "blur=nan",
        "jpeg=-1",
    ),
    *(
        "signs@in/evil.pt",
        "signs@../outside/note.txt",
        "torchvision/resnet18@in/evil.pt",
        "signs@/dev/zero",
        "1e999",
    ),
)
CODE = ("python:evil_canary:load", "python:evil_package.part:load", "file:in/evil.pt2", "file:evil_canary.py")
NUMBERS = (
    -1,
    0,
    1,
    2**31,
    2**63,
    -(2**63),
    10**400,
    1e308,
    -0.0,
    float("nan"),
    float("inf"),
    0.5,
    True,
    False,
)
DEEP = "[" * 100_000


class Hang(BaseException):
    """A command took longer than `LIMIT_S`."""


class Evil:
    """An object whose unpickling makes a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.canary), "w")


@dataclass
class Arena:
    """The folders of the test: `work` is the current one, `outside` and `home` must stay as they are."""

    folder: Path
    draw: random.Random
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.work, self.base = self.folder / "work", self.folder / "base"
        self.root, self.inputs = self.work / "root", self.work / "in"
        self.canary = self.folder / "canary"
        for folder in (
            self.folder / "outside",
            self.folder / "home",
            self.work / "evil_package",
            self.inputs,
        ):
            folder.mkdir(parents=True)
        for folder in ("outside", "home"):
            (self.folder / folder / "note.txt").write_text("mine")
        for name in ("evil_canary.py", "evil_package/__init__.py", "evil_package/part.py"):
            (self.work / name).write_text(EVIL.format(canary=str(self.canary)))
        self.evil_files()

    def evil_files(self) -> None:
        """Write weights and a program that run code when they are unpickled without care."""
        (self.inputs / "evil.pt").write_bytes(self.pickled())
        with zipfile.ZipFile(self.inputs / "evil.pt2", "w") as archive:
            for name in ("evil/data/weights/model.pt", "evil/data/sample_inputs/model.pt", "evil/data.pkl"):
                archive.writestr(name, self.pickled())

    def pickled(self) -> bytes:
        """Return a pickle that makes the canary."""
        return pickle.dumps({"state_dict": Evil(self.canary)})

    def fresh(self) -> Path:
        """Return the run's root as it was made."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.base, self.root)
        return self.root

    def surroundings(self) -> dict[str, object]:
        """Return every file beside the run and the inputs, with what shows a change."""
        found: dict[str, object] = {}
        for path in sorted(self.folder.rglob("*")):
            inside = path.is_relative_to(self.root) or path.is_relative_to(self.inputs)
            if not inside and not path.is_relative_to(self.base) and "__pycache__" not in path.parts:
                state = path.lstat()
                found[str(path)] = (state.st_size, state.st_mtime_ns) if path.is_file() else "folder"
        return found

    def run(self, kind: str, what: str, *words: object, kept: Callable[[str], str] | None = None) -> None:
        """Run a command on one input and note what it did wrong.

        `kept` gets all that was said, and returns what was lost without a word, or nothing.
        """
        command = [str(word) for word in words]
        before = self.surroundings()
        code, said, fault = _answer(command)
        self.seen[kind, "tried"] += 1
        self.seen[kind, "accepted" if code == 0 else "refused"] += not fault
        shown = f"{what}: {' '.join(command)}"[:200].encode("unicode_escape").decode()
        if fault:
            self.note(kind, "hangs" if fault == "hang" else "tracebacks", f"{shown}\n    {fault}")
        if self.canary.exists():
            self.note(kind, "code_executed", shown)
            self.canary.unlink()
        for page in self.root.rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            if SCRIPT in text or "<svg onload" in text or ' onload="alert' in text:
                self.note(kind, "code_executed", f"{shown}: a script in {page.name}")
        if self.surroundings() != before:
            changed = {*self.surroundings().items()} ^ {*before.items()}
            self.note(kind, "written_outside", f"{shown}: {sorted(name for name, _ in changed)[:3]}")
        if kept and not fault and (lost := kept(said)):
            self.note(kind, "silent_losses", f"{shown}: {lost}\n    {said[-300:]!r}")

    def note(self, kind: str, fault: str, what: str) -> None:
        """Note a fault."""
        self.seen[kind, fault] += 1
        self.faults.append((fault, kind, what))


def _answer(command: list[str]) -> tuple[int | None, str, str]:
    """Return a command's exit code, all that it said, and what went wrong with it, if anything did."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors) for errors in ("strict", "backslashreplace"))
    code, fault = None, ""
    streams = sys.stdout, sys.stderr
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    faulthandler.dump_traceback_later(5 * LIMIT_S, exit=True, file=sys.__stderr__)
    try:
        sys.stdout, sys.stderr = out, err
        physadv(command)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else None
    except Hang:
        fault = "hang"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        own = [each for each in traceback.extract_tb(error.__traceback__) if "/physadv/" in each.filename][-1]
        fault = f"{type(error).__name__}: {str(error)[:200]!r} in {own.name} ({own.filename}:{own.lineno}), "
        fault += f"from {where.name}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        sys.stdout, sys.stderr = streams
    out.flush(), err.flush()
    errors = err.buffer.getvalue().decode("utf-8", "replace")
    lines = [line for line in errors.split("\n") if line.startswith("error: ")]
    if not fault and (code not in (0, 2) or "Traceback" in errors or (code == 2 and not lines)):
        fault = f"exit {code}, {errors[-300:]!r}"
    return code, out.buffer.getvalue().decode("utf-8", "replace") + errors, fault


@contextmanager
def arena(seed: int) -> Iterator[Arena]:
    """Give the folders with a run of three pairs in them, photographed by the virtual phone and cropped."""
    with tempfile.TemporaryDirectory() as name:
        made = Arena(Path(name).resolve(), random.Random(seed))
        signs = made.base / "signs"
        signs.mkdir(parents=True)
        rows = ["path,label"]
        for number, (label, pixels) in enumerate(draw_demo_set(3, size=64, seed=0)):
            Image.fromarray(pixels).save(signs / f"{number}.png")
            rows.append(f'{number}.png,"{label}"')
        (signs / "labels.csv").write_text("\n".join(rows))
        os.environ["MPLCONFIGDIR"] = str(made.inputs)
        home, os.environ["HOME"] = os.environ.get("HOME", ""), str(made.folder / "home")
        signal.signal(signal.SIGALRM, _hang)
        with chdir(made.work):
            made.fresh()
            for words in (
                ("generate", "root/signs/labels.csv", "--name", "mine", "--attack", "fast"),
                ("print", "mine"),
                ("photograph", "mine", "--simulate", "--shots", "1", "--workers", "1"),
                ("crop", "mine", "--workers", "1"),
                ("destruction-rate", "mine", "--transform", "blur=1"),
            ):
                code, said, _ = _answer([*words, "--root", "root", "--quiet"])
                if code != 0:
                    raise SystemExit(f"the run could not be made: {said}")
            shutil.rmtree(made.base)
            shutil.copytree(made.root, made.base)
            yield made
        os.environ["HOME"] = home


def _hang(*_: object) -> None:
    raise Hang


def bytes_damaged(draw: random.Random, data: bytes) -> tuple[str, bytes]:
    """Return what was done to some bytes, and the bytes."""
    place, what = (
        draw.randrange(len(data) or 1),
        draw.choice(("cut", "bit", "zeros", "twice", "text", "empty")),
    )
    match what:
        case "cut":
            return what, data[:place]
        case "bit":
            changed = bytearray(data)
            for _ in range(draw.choice((1, 8, 64))):
                changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            return what, bytes(changed)
        case "zeros":
            return what, data[:place] + bytes(64) + data[place + 64 :]
        case "twice":
            return what, data[:place] + data
        case "text":
            return what, draw.choice(TEXTS).encode("utf-8", "surrogatepass") * 3
    return what, b""


def value(draw: random.Random) -> Any:
    """Return a value that nobody expects."""
    return draw.choice(
        (draw.choice(TEXTS), draw.choice(CODE), draw.choice(NUMBERS), None, [], {}, [[]], {"a": 1})
    )


def changed_somewhere(draw: random.Random, whole: Any) -> str:
    """Change one value somewhere in nested lists and dicts, or drop it; return where."""
    where, place = [], whole
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw.choice(keys)
        where.append(str(key))
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner) or draw.random() < 0.1:
            break
        place = inner
    if draw.random() < 0.1:
        del place[key]
    elif isinstance(inner, str) and draw.random() < 0.4:
        place[key] = draw.choice((*TEXTS, *CODE))
    else:
        place[key] = value(draw)
    return ".".join(where)


def fuzz_manifests(arena: Arena) -> None:
    """A manifest with one value changed, or damaged as a file."""
    draw, path = arena.draw, arena.fresh() / "printouts" / "mine" / "manifest.json"
    if draw.random() < 0.8:
        manifest = json.loads(path.read_text())
        what = changed_somewhere(draw, manifest)
        if draw.random() < 0.3 and isinstance(manifest.get("classifier"), dict):
            manifest["classifier"]["spec"] = draw.choice(CODE)
        path.write_text(json.dumps(manifest))
    elif draw.random() < 0.3:
        what = "deep"
        path.write_text(draw.choice((DEEP, '{"schema_version": ' + DEEP, '{"seed": ' + "9" * 5000 + "}")))
    else:
        what, data = bytes_damaged(draw, path.read_bytes())
        path.write_bytes(data)
    arena.run("manifest", what, *_measuring(draw), kept=_files_kept(arena))


def fuzz_stores(arena: Arena) -> None:
    """A store with one value changed, other tables, or damaged as a file."""
    draw, path = arena.draw, arena.fresh() / "captures" / "mine" / "observations.sqlite"
    way = draw.random()
    if way < 0.75:
        with closing(sqlite3.connect(path)) as connection, connection:
            table = draw.choice(("photos", "crops", "observations"))
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            what = f"{table}.{draw.choice(columns)}"
            new = draw.choice(
                (draw.choice(TEXTS), draw.choice((-1, 10**10, 0.5, 1e308)), b"\xff", DEEP, "[]", "[null]")
            )
            new = draw.choice((new, '["a"]', "[[1]]", "[NaN]", "[99]", "{}", "[-1, -2]", None))
            new = new.encode("utf-8", "replace").decode() if isinstance(new, str) else new
            try:
                connection.execute(f"UPDATE OR REPLACE {what.replace('.', ' SET ')} = ?", (new,))
            except sqlite3.Error:
                connection.execute(f"DELETE FROM {table}")
    elif way < 0.87:
        what = draw.choice(("view", "trigger", "dropped", "version", "column"))
        endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT"
        names = "name, sha256, run, status"
        script = {
            "view": f"DROP TABLE photos; CREATE VIEW photos AS {endless} {names} FROM c;",
            "trigger": "CREATE TRIGGER t AFTER INSERT ON observations BEGIN DELETE FROM photos; END;",
            "dropped": f"DROP TABLE {draw.choice(('photos', 'crops', 'observations'))};",
            "version": f"PRAGMA user_version = {draw.choice((0, 1, 2, 3, 99, -1))};",
            "column": "ALTER TABLE photos RENAME COLUMN camera TO kamera;",
        }[what]
        if what == "view":
            script = script.replace(names, "1 AS name, 1 AS sha256, 1 AS run, 1 AS status")
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
    else:
        what, data = bytes_damaged(draw, path.read_bytes())
        path.write_bytes(data)
    arena.run("store", what, *_measuring(draw), kept=_files_kept(arena))


def _measuring(draw: random.Random) -> tuple[str, ...]:
    return draw.choice(
        (
            ("destruction-rate", "mine", "--root", "root"),
            ("destruction-rate", "mine", "--root", "root", "--transform", "noise=5", "--json"),
            ("report", "mine", "--root", "root", "--quiet"),
            ("report", "mine", "--root", "root", "--transform", "jpeg=50", "--quiet"),
            ("export", "mine", "--root", "root", "--format", "csv"),
            ("crop", "mine", "--root", "root", "--workers", "1", "--quiet"),
            ("print", "mine", "--root", "root"),
            ("photograph", "mine", "--root", "root"),
        )
    )


def _files_kept(arena: Arena) -> Callable[[str], str]:
    """Return what says which of the user's files a command removed or changed."""
    folders = ("printouts/mine/clean", "printouts/mine/adversarial", "captures/mine/photos", "signs")
    before = {path: path.read_bytes() for name in folders for path in (arena.root / name).iterdir()}

    def lost(_: str) -> str:
        gone = [path.name for path, data in before.items() if not path.exists() or path.read_bytes() != data]
        return f"{', '.join(gone)} changed" if gone else ""

    return lost


def _generate_new(arena: Arena, images: Path) -> tuple[str | Path, ...]:
    """Remove the run "new", and return the words of the command that makes it of images."""
    shutil.rmtree(arena.root / "printouts" / "new", ignore_errors=True)
    return ("generate", images, "--name", "new", "--attack", "fast", "--root", "root", "--quiet")


def fuzz_pictures(arena: Arena) -> None:
    """A folder of two sound pictures and one that is not."""
    draw, folder = arena.draw, _emptied(arena.inputs / "pictures")
    for number in (0, 1):
        shutil.copyfile(arena.base / "signs" / f"{number}.png", folder / f"sound{number}.png")
    suffix = draw.choice(("png", "jpg", "bmp", "gif", "tif", "webp", "ppm", "JPEG"))
    written = io.BytesIO()
    with Image.open(folder / "sound0.png") as picture:
        mode = draw.choice(("RGB", "L", "RGBA", "P", "CMYK", "1", "I;16", "LA", "F"))
        try:
            kind = {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
            changed = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
            changed.save(
                written, kind, exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
            )
        except (OSError, ValueError, KeyError, TypeError):
            written = io.BytesIO()
            picture.save(written, "PNG")
    what, data = mode, written.getvalue()
    if draw.random() < 0.7:
        what, data = bytes_damaged(draw, data)
    if draw.random() < 0.1:
        what, data = "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(CANARY) (w) file\n"
    if draw.random() < 0.05:
        what, data = "wide", _png(65500, 1)
    odd = folder / f"odd.{suffix}"
    odd.write_bytes(data)
    if draw.random() < 0.7:
        words = (*_generate_new(arena, folder), "--size", "64")
        arena.run("picture", what, *words, kept=lambda said: _left_out(arena, said, folder))
    else:
        photos = _emptied(arena.root / "captures" / "mine" / "photos")
        copy = shutil.copyfile(odd, photos / odd.name)
        words = ("crop", "mine", "--root", "root", "--workers", "1", "--quiet")
        arena.run(
            "photo", what, *words, kept=lambda said: "" if copy.name in said else f"{copy.name} not named"
        )


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _png(width: int, height: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height)).save(written, "PNG")
    return written.getvalue()


def _left_out(arena: Arena, said: str, folder: Path) -> str:
    """Return the pictures of a folder that are neither in the run that was made of it nor named."""
    path = arena.root / "printouts" / "new" / "manifest.json"
    used = {e["source"] for e in json.loads(path.read_text())["examples"]} if path.exists() else set()
    if not path.exists():
        return "" if "error: " in said else "no run and no error"
    lost = [each.name for each in folder.iterdir() if each.name not in used and each.name not in said]
    return ", ".join(lost)


def fuzz_lists(arena: Arena) -> None:
    """A CSV file of images with one field changed, or damaged as a file."""
    draw, folder = arena.draw, _emptied(arena.inputs / "list")
    for number in range(3):
        shutil.copyfile(arena.base / "signs" / f"{number}.png", folder / f"{number}.png")
    lines = (arena.base / "signs" / "labels.csv").read_text().split("\n")
    number = draw.randrange(len(lines))
    fields = lines[number].split(",", 1)
    place = draw.randrange(2)
    fields[place] = draw.choice((*TEXTS, "9" * 5000, "-1", "99", "1.5", "0.png", "1.png", '"', '"""', ",,,"))
    what, lines[number] = f"line {number}, field {place}", ",".join(fields)
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if draw.random() < 0.3:
        what, data = bytes_damaged(draw, data)
    (folder / "labels.csv").write_bytes(data)
    arena.run("list", what, *_generate_new(arena, folder / "labels.csv"))


STUDY: dict[str, Any] = {
    "name": "fuzz",
    "seed": 0,
    "images": {"path": "signs/labels.csv", "limit": 1},
    "models": {"net": {"spec": "signs", "size": 64}},
    "runs": [{"models": ["net"], "attacks": ["fast"], "eps": [16], "transforms": ["blur=1"], "sweeps": []}],
}


def fuzz_studies(arena: Arena) -> None:
    """A study with one value changed, or damaged as a file."""
    draw, path = arena.draw, arena.inputs / "study.toml"
    study = json.loads(json.dumps(STUDY))
    what = changed_somewhere(draw, study)
    data = _toml(study).encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        what, data = bytes_damaged(draw, data)
    elif draw.random() < 0.05:
        what, data = "deep", f"name = {DEEP}".encode()
    path.write_bytes(data)
    words = ("run", path, "--data", arena.base, "--root", "root", "--quiet")
    shutil.rmtree(arena.root / "studies", ignore_errors=True)
    for made in (arena.root / "printouts").glob("fuzz*"):
        shutil.rmtree(made)
    arena.run("study", what, *words, *draw.choice((("--dry-run",), ())), kept=_files_kept(arena))


def _toml(table: dict[str, Any]) -> str:
    """Return a table as TOML, what TOML does not know as text."""
    return "\n".join(f"{json.dumps(str(key))} = {_toml_value(each)}" for key, each in table.items())


def _toml_value(each: Any) -> str:
    if isinstance(each, dict):
        return (
            "{" + ", ".join(f"{json.dumps(str(key))} = {_toml_value(own)}" for key, own in each.items()) + "}"
        )
    if isinstance(each, list):
        return "[" + ", ".join(map(_toml_value, each)) + "]"
    if isinstance(each, float):
        return str(each)
    return json.dumps("none" if each is None else each, ensure_ascii=False)


def fuzz_presets(arena: Arena) -> None:
    """An EOT preset or a phone with a value changed, or damaged as a file."""
    draw, path = arena.draw, arena.inputs / "own.toml"
    rooms = Path(sys.modules["physadv"].__file__ or "").parent
    phone = draw.random() < 0.5
    source = draw.choice(
        sorted((rooms / ("phone" if phone else "transforms") / "preset_files").glob("*.toml"))
    )
    lines = source.read_text(encoding="utf-8").split("\n")
    numbered = [number for number, line in enumerate(lines) if "=" in line]
    number = draw.choice(numbered)
    key = lines[number].partition("=")[0]
    lines[number] = f"{key}= {_toml_value(value(draw))}"
    what, data = f"{source.stem}, {key.strip()}", "\n".join(lines).encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        what, data = bytes_damaged(draw, data)
    path.write_bytes(data)
    study = json.loads(json.dumps(STUDY))
    if phone:
        study["runs"][0]["photographs"] = {"phone": "own.toml"}
    else:
        study["runs"][0] |= {"presets": ["own.toml"], "attacks": ["eot"], "steps": 1, "samples": 1}
    study["images"]["path"] = str(arena.base / "signs" / "labels.csv")
    (arena.inputs / "study.toml").write_text(_toml(study))
    arena.run("preset", what, "run", arena.inputs / "study.toml", "--root", "root", "--dry-run")


def fuzz_weights(arena: Arena) -> None:
    """Weights, programs and arrays: pickles that run code, states of other networks, damaged files."""
    draw = arena.draw
    state = {"a": torch.zeros(2), "b": torch.full((3,), float("nan"))}
    made = {
        "evil": arena.pickled(),
        "evil list": pickle.dumps([Evil(arena.canary)]),
        "state": _saved(state),
        "nested": _saved({"model": {"model": {"state_dict": state}}}),
        "evil in zip": _saved_evil(arena),
        "list": _saved([1, "a", None]),
        "array": _array(np.zeros((2, 3, 8, 8), np.float32)),
        "objects": _array(np.array([Evil(arena.canary)], object)),
        "program": (arena.inputs / "evil.pt2").read_bytes(),
    }
    what = draw.choice(tuple(made))
    data = made[what]
    if draw.random() < 0.5:
        how, data = bytes_damaged(draw, data)
        what = f"{what}, {how}"
    suffix = draw.choice((".pt", ".pth", ".safetensors", ".npy", ".npz", ".pt2", ".onnx", ".h5", ".pkl"))
    path = arena.inputs / f"weights{suffix}"
    path.write_bytes(data)
    shutil.rmtree(arena.root / "printouts" / "new", ignore_errors=True)
    to = ("--name", "new", "--root", "root", "--quiet")
    signs = "root/signs/labels.csv"
    words: tuple[object, ...] = draw.choice(
        (
            ("generate", signs, *to, "--model", f"signs@{path}"),
            ("generate", signs, *to, "--model", f"file:{path}"),
            ("generate", signs, *to, "--model", f"torchvision/squeezenet1_1@{path}"),
            ("generate", signs, *to, "--labels", path),
            ("adopt", path, path, *to),
            ("destruction-rate", "mine", "--root", "root", "--model", f"signs@{path}"),
        )
    )
    arena.run("weights", what, *words)
    path.unlink()


def _saved(state: Any) -> bytes:
    written = io.BytesIO()
    torch.save(state, written)
    return written.getvalue()


def _saved_evil(arena: Arena) -> bytes:
    """Return an archive as torch.save writes it, whose pickle runs code."""
    source, target = zipfile.ZipFile(io.BytesIO(_saved({"a": torch.zeros(1)}))), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, arena.pickled() if name.endswith(".pkl") else source.read(name))
    return target.getvalue()


def _array(array: Any) -> bytes:
    written = io.BytesIO()
    np.save(written, array, allow_pickle=True)
    return written.getvalue()


def fuzz_checkpoints(arena: Arena) -> None:
    """What an unfinished `generate` or a study left behind, changed before the same command goes on."""
    draw, new = arena.draw, arena.root / "printouts" / "new"
    words = ("generate", "root/signs/labels.csv", "--name", "new", "--root", "root", "--quiet")
    own = ("--attack", "bim", "--steps", "3", "--checkpoint", "0", "--batch", "1")
    unfinished = _unfinished(arena, [*words, *own])
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(unfinished, new)
    target = draw.choice(sorted(path for path in (new / ".progress").iterdir()))
    data = target.read_bytes()
    way = draw.random()
    if target.suffix == ".json" and way < 0.6:
        record = json.loads(data)
        what = changed_somewhere(draw, record)
        target.write_text(json.dumps(record))
    elif target.suffix == ".pt" and way < 0.4:
        what = "evil"
        target.write_bytes(
            draw.choice((arena.pickled(), _saved_evil(arena), _saved({"step": SCRIPT}), _saved(None)))
        )
    else:
        what, data = bytes_damaged(draw, data)
        target.write_bytes(data)
    arena.run("checkpoint", f"{target.name}, {what}", *words, *own)


def _unfinished(arena: Arena, words: list[str]) -> Path:
    """Return the folder of a run that was stopped in its second batch, made once."""
    kept = arena.base / "unfinished"
    if not kept.exists():
        from physadv.pipeline import generate

        finish, calls = generate.write_pair, 0

        def stop(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise KeyboardInterrupt
            return finish(*arguments, **options)

        generate.write_pair = stop
        try:
            _answer(words)
        finally:
            generate.write_pair = finish
        shutil.copytree(arena.root / "printouts" / "new", kept)
    return kept


def fuzz_names(arena: Arena) -> None:
    """What is typed: names of runs, folders, transformations, classifiers, attacks and classes."""
    draw = arena.draw
    text = draw.choice((*TEXTS, "\udcff", "9" * 5000, "torchvision/", "timm/x", "foolbox:eval", "foolbox:"))
    text = draw.choice((text, text, f"{text}=1", f"blur={text}", f"{text}:{text}", f"mine{text}"))
    signs = "root/signs/labels.csv"
    generate = ("generate", signs, "--root", "root", "--quiet")
    place, words = draw.choice(
        (
            ("--name", (*generate, "--attack", "fast", "--name", text)),
            ("images", ("generate", text, "--name", "new", "--root", "root")),
            *((option, (*generate, "--name", "new", option, text)) for option in _OPTIONS),
            *(
                ("run", (command, text, "--root", "root"))
                for command in ("print", "report", "photograph", "crop")
            ),
            ("photo", ("crop", "mine", text, "--root", "root", "--workers", "1", "--quiet")),
            ("--transform", ("destruction-rate", "mine", "--root", "root", "--transform", text)),
            ("--sweep", ("destruction-rate", "mine", "--root", "root", "--sweep", text)),
            ("--source", ("destruction-rate", "mine", "--root", "root", "--source", text)),
            ("--page", ("print", "mine", "--root", "root", "--page", text)),
            ("--preset", ("photograph", "mine", "--root", "root", "--simulate", "--preset", text)),
            ("list", ("list", text)),
            ("study", ("run", text, "--dry-run")),
            ("masking", ("masking-check", signs, "--model", text)),
        )
    )
    if text.startswith("--help"):
        return
    arena.run("name", place, *words)
    for made in (arena.root / "printouts").iterdir():
        if made.is_dir() and made.name != "mine":
            shutil.rmtree(made)


_OPTIONS = ("--model", "--attack", "--transforms", "--target", "--labels", "--device", "--precision", "--eps")

KINDS: dict[str, tuple[Callable[[Arena], None], int]] = {
    "manifests": (fuzz_manifests, 500),
    "stores": (fuzz_stores, 400),
    "pictures and photos": (fuzz_pictures, 400),
    "lists": (fuzz_lists, 200),
    "studies": (fuzz_studies, 250),
    "presets": (fuzz_presets, 100),
    "weights": (fuzz_weights, 200),
    "checkpoints": (fuzz_checkpoints, 100),
    "names": (fuzz_names, 250),
}


def main() -> None:
    """Try all inputs, print a table and every fault, and the counts as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="an eighth of the inputs")
    parser.add_argument("--seed", type=int, default=0, help="seed of the inputs")
    parser.add_argument("--only", choices=KINDS, help="one kind of input")
    chosen = parser.parse_args()
    with arena(chosen.seed) as made:
        for name, (fuzz, tries) in KINDS.items():
            if chosen.only in (None, name):
                made.fresh()
                for _ in range(tries // 8 if chosen.quick else tries):
                    fuzz(made)
    for fault, kind, what in made.faults:
        print(f"{fault}: {kind}: {what}", file=sys.stderr)
    headings = ("tried", "accepted", "refused", *FAULTS)
    kinds = dict.fromkeys(kind for kind, _ in made.seen)
    rows = [(kind, *(str(made.seen[kind, heading]) for heading in headings)) for kind in kinds]
    show(words_table("Hostile and damaged inputs", ("input", *headings), rows))
    total = {heading: sum(made.seen[kind, heading] for kind in kinds) for heading in ("tried", *FAULTS)}
    print(json.dumps({"inputs": total.pop("tried"), **total}))


if __name__ == "__main__":
    main()
