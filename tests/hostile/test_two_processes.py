"""Two processes on one run at once: nothing is lost, and the second one is told to wait."""

import os
import shutil
import subprocess
import sys
import threading

import pytest

from physadv import locking
from physadv.cli import app
from physadv.errors import MachineError
from physadv.locking import one_writer
from physadv.study.file import read_study
from physadv.study.runner import run_study, write_study_tables

COMMANDS = {
    "generate": ("generate", "SIGNS", "--name", "mine"),
    "adopt": ("adopt", "CLEAN", "ADVERSARIAL", "--name", "mine"),
    "print": ("print", "mine"),
    "photograph": ("photograph", "mine", "--simulate", "--shots", 1, "--workers", 1),
    "crop": ("crop", "mine", "--workers", 1),
    "destruction-rate": ("destruction-rate", "mine", "--transform", "blur=1"),
    "report": ("report", "mine"),
    "compare": ("compare", "mine", "other", "--transform", "blur=1", "--html", "ROOT/compared.html"),
    "export": ("export", "mine"),
    "stop-sign": ("stop-sign", "--name", "mine", "--quick"),
    "demo": ("demo",),
    "run": ("run", "STUDY"),
    "harden": ("harden", "--data", "DATA", "--out", "ROOT/mine.safetensors"),
}
PLACES = {"demo": "printouts/fast", "run": "studies/small", "harden": "mine.safetensors"}
"""What a command locks, where that is not the run that it is given."""
WITHOUT_A_LOCK = {"plan", "list", "masking-check"}
"""Commands that write nothing, or one picture as a whole."""
STUDY = """\
name = "small"
images = { path = "labels.csv", limit = 1 }
models = { bundled = { spec = "signs" } }
runs = [{ models = ["bundled"], attacks = ["fast"], eps = [16], transforms = ["blur=1"] }]
"""
WAIT = "another physadv is writing it; wait until it has ended and run the same command again"


class Holder(threading.Thread):
    """Another writer of a place: a lock belongs to a thread as it does to a process."""

    def __init__(self, place):
        super().__init__()
        self.place, self.held, self.done = place, threading.Event(), threading.Event()

    def run(self):
        with one_writer(self.place):
            self.held.set()
            self.done.wait()

    def __enter__(self):
        self.start()
        self.held.wait()
        return self

    def __exit__(self, *_fault):
        self.done.set()
        self.join()


@pytest.fixture
def study(signs_csv, tmp_path):
    """The file of a study of one pair."""
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace("labels.csv", str(signs_csv)))
    return path


def test_the_table_has_every_command():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert names == COMMANDS.keys() | WITHOUT_A_LOCK


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_being_written_is_left_alone(
    physadv, cropped_root, copy_of, contents, monkeypatch, signs_csv, study, tmp_path, name
):
    root = copy_of(cropped_root)
    shutil.copytree(root / "printouts" / "mine", root / "printouts" / "other")
    data = tmp_path / "data" / "traffic" / "gtsrb32.npz"
    data.parent.mkdir(parents=True)
    data.touch()
    before = contents(root)
    monkeypatch.setattr(locking, "WAIT_S", 0.01)
    with Holder(root / PLACES.get(name, "printouts/mine")):
        folder = root / "printouts" / "mine"
        given = {"SIGNS": signs_csv, "CLEAN": folder / "clean", "ADVERSARIAL": folder / "adversarial"}
        given |= {"STUDY": study, "DATA": tmp_path / "data"}
        words = [given.get(word, str(word).replace("ROOT", str(root))) for word in COMMANDS[name]]
        error = physadv(*words, "--quiet", *([] if name == "harden" else ["--root", root])).error
    assert WAIT in error
    assert "away" not in error
    assert "delete" not in error
    after = contents(root)
    assert {path: after.get(path) for path in before} == before
    made = {path for path in after.keys() - before.keys() if not path.endswith(".lock")}
    assert all(path.startswith("signs/") for path in made if name == "demo")
    assert name == "demo" or not made


def test_the_tables_of_a_study_wait_for_its_steps(study, tmp_path, monkeypatch):
    chosen = read_study(study)
    outcome = run_study(chosen, tmp_path)
    monkeypatch.setattr(locking, "WAIT_S", 0.01)
    with Holder(tmp_path / "studies" / "small"), pytest.raises(MachineError, match=WAIT):
        write_study_tables(chosen, tmp_path, outcome)


LEFT = {
    "destruction-rate": "printouts/mine/clean/.a.png.1.physadv.part",
    "report": "captures/mine/.report.html.1.physadv.part",
    "export": "captures/mine/.observations.csv.1.physadv.part",
}


@pytest.mark.parametrize("name", LEFT)
def test_what_a_killed_process_left_half_written_goes(physadv, cropped_root, copy_of, name):
    root = copy_of(cropped_root)
    physadv("destruction-rate", "mine", "--quiet", "--root", root)
    (root / LEFT[name]).touch()
    assert physadv(*COMMANDS[name], "--quiet", "--root", root).code == 0
    assert not list(root.rglob("*.part"))


def test_a_lock_may_be_entered_again_and_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "WAIT_S", 0.01)
    with one_writer(tmp_path / "mine"), one_writer(tmp_path / "mine"), one_writer(tmp_path / "other"):
        pass
    with one_writer(tmp_path / "mine"):
        pass


def test_a_killed_process_lets_go(tmp_path, monkeypatch):
    code = (
        "import sys, time; from pathlib import Path; from physadv.locking import one_writer\n"
        "with one_writer(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    monkeypatch.setattr(locking, "WAIT_S", 0.01)
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "mine"], stdout=subprocess.PIPE, env=os.environ
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(MachineError, match="another physadv is writing it"),
            one_writer(tmp_path / "mine"),
        ):
            pass
        other.kill()
        other.wait()
    with one_writer(tmp_path / "mine"):
        pass
