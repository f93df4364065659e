"""What unfinished work and files of settings hold is data: damage and code in them are one line."""

import pickle

import pytest
import torch

from physadv.keeping import Kept, KeptError
from physadv.phone import PhoneError
from physadv.phone.presets import load_phone_preset
from physadv.pipeline.attack_batch import Checkpoint
from physadv.study.file import StudyError, read_study

DEEP = "[" * 100_000


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_checkpoint_runs_no_code(tmp_path):
    (tmp_path / "work.pt").write_bytes(pickle.dumps({"step": Evil(tmp_path / "it_ran")}))
    with pytest.raises(KeptError, match="is damaged; delete it to begin anew"):
        Kept(tmp_path / "work.pt").load()
    assert not (tmp_path / "it_ran").exists()


@pytest.mark.parametrize("damaged", ["", "{}", "[", '{"candidates": "many"}'])
def test_a_damaged_record_of_a_batch_is_one_line(physadv, generated_root, copy_of, signs_csv, damaged):
    root = copy_of(generated_root)
    words = ("generate", signs_csv, "--name", "mine", "--attack", "fast", "--root", root / "new", "--quiet")
    assert physadv(*words, "--limit", 1).code == 0
    folder = root / "new" / "printouts" / "mine"
    (folder / "manifest.json").unlink()
    (folder / ".progress").mkdir()
    (folder / ".progress" / "000000.json").write_text(damaged)
    assert "000000.json is damaged; delete it to begin anew" in physadv(*words, "--limit", 1).error


@pytest.mark.parametrize("kept", [{}, [], torch.zeros(2), {"queries": 0, "step": 1}])
def test_a_checkpoint_of_something_else_is_one_line(tmp_path, kept):
    torch.save(kept, tmp_path / "000000.pt")
    with pytest.raises(KeptError, match=r"000000\.pt is damaged; delete it to begin anew"):
        Checkpoint(tmp_path / "000000.pt", 0).read(None, torch.device("cpu"))


def test_a_damaged_mark_of_unfinished_work_is_another_run_s(physadv, signs_csv, tmp_path):
    folder = tmp_path / "printouts" / "mine" / ".progress"
    folder.mkdir(parents=True)
    (folder / "fingerprint").write_bytes(b"\xeb" * 64)
    words = ("generate", signs_csv, "--name", "mine", "--attack", "fast", "--limit", 1, "--root", tmp_path)
    assert "an unfinished run with other settings" in physadv(*words, "--quiet").error


@pytest.mark.parametrize("text", [DEEP, '{"seed": ' + DEEP, '{"seed": ' + "9" * 5000 + "}"])
def test_a_manifest_that_no_parser_ends_is_one_line(physadv, generated_root, copy_of, text):
    root = copy_of(generated_root)
    (root / "printouts" / "mine" / "manifest.json").write_text(text)
    assert "manifest.json: not a JSON file" in physadv("print", "mine", "--root", root).error


@pytest.mark.parametrize("text", [f"name = {DEEP}", "seed = " + "9" * 5000])
def test_a_study_that_no_parser_ends_is_one_line(tmp_path, text):
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(StudyError, match=r"study\.toml: not a TOML file in UTF-8"):
        read_study(tmp_path / "study.toml")


def test_a_number_that_no_float_holds_is_one_line(tmp_path):
    (tmp_path / "own.toml").write_text(f'base = "office"\n[phone]\ntilt = {10**400}\n')
    with pytest.raises(PhoneError, match="phone, tilt: int too large"):
        load_phone_preset(str(tmp_path / "own.toml"))
