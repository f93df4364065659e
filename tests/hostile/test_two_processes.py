"""Two processes on one run at once: nothing is lost, and the second one is told to wait."""

import os
import subprocess
import sys
import threading

import pytest

from physadv import locking
from physadv.errors import MachineError
from physadv.locking import one_writer
from physadv.runs import Printout

COMMANDS = {
    "generate": ("generate", "SIGNS", "--name", "mine"),
    "adopt": ("adopt", "CLEAN", "ADVERSARIAL", "--name", "mine"),
    "print": ("print", "mine"),
    "photograph": ("photograph", "mine", "--simulate", "--shots", 1, "--workers", 1),
    "crop": ("crop", "mine", "--workers", 1),
    "destruction-rate": ("destruction-rate", "mine", "--transform", "blur=1"),
    "report": ("report", "mine"),
    "stop-sign": ("stop-sign", "--name", "mine", "--quick"),
}


class Holder(threading.Thread):
    """Another writer of a run: a lock belongs to a thread as it does to a process."""

    def __init__(self, printout):
        super().__init__()
        self.printout, self.held, self.done = printout, threading.Event(), threading.Event()

    def run(self):
        with self.printout.alone():
            self.held.set()
            self.done.wait()

    def __enter__(self):
        self.start()
        self.held.wait()
        return self

    def __exit__(self, *_fault):
        self.done.set()
        self.join()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_run_that_is_being_written_is_left_alone(
    physadv, cropped_root, copy_of, contents, monkeypatch, signs_csv, command
):
    root = copy_of(cropped_root)
    before = contents(root)
    monkeypatch.setattr(locking, "WAIT_S", 0.01)
    with Holder(Printout(root, "mine")):
        folder = root / "printouts" / "mine"
        given = {"SIGNS": signs_csv, "CLEAN": folder / "clean", "ADVERSARIAL": folder / "adversarial"}
        command = [given.get(word, word) for word in command]
        error = physadv(*command, "--quiet", "--root", root).error
    assert "another physadv is writing it; wait until it has ended and run the same command again" in error
    assert "away" not in error
    assert "delete" not in error
    assert contents(root) == before


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
