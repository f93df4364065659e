"""Runs are published: no file in them, and nothing that is exported, names the user's home folder."""

import json
import shutil

import pytest
from safetensors.torch import save_file

from physadv.classifiers.signs import SignsNetwork
from physadv.pipeline.made_by import MadeBy
from physadv.pipeline.photograph import read_record
from physadv.runs import Capture, Printout
from physadv.signs.stop_sign import make
from physadv.signs.stop_sign.settings import StopSignSettings
from physadv.text import without_home

PHONE = 'base = "office"\n[phone]\nwidth = 1512\nheight = 2016\nfocal = 1512\n'


@pytest.fixture(params=["project", ".", "/"])
def home(request, tmp_path, monkeypatch, signs_csv):
    """Jane's home folder, with all that she brings; the current folder is in it, is it, or is outside."""
    home = tmp_path / "home" / "jane"
    shutil.copytree(signs_csv.parent, home / "images")
    (home / "project").mkdir()
    save_file(SignsNetwork().state_dict(), home / "own.safetensors")
    (home / "phone.toml").write_text(PHONE)
    (home / "blur.toml").write_text('base = "camera"\n')
    (home / "names.txt").write_text("\n".join(f"class {index}" for index in range(43)))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / request.param if request.param != "/" else tmp_path)
    return home


@pytest.mark.filterwarnings("ignore::physadv.errors.PhysadvWarning")
def test_no_file_of_a_run_and_no_export_names_it(home, physadv, contents):
    root, model = home / "project", f"signs@{home}/own.safetensors"
    given = ["--model", model, "--labels", home / "names.txt"]
    commands = [
        ("generate", home / "images", "--name", "mine", *given, "--attack", "fast", "--limit", 1),
        ("print", "mine"),
        ("photograph", "mine", "--simulate", "--shots", 1, "--workers", 1, "--preset", home / "phone.toml"),
        ("crop", "mine", "--workers", 1),
        ("destruction-rate", "mine", "--transform", "blur=1", "--output", root / "rates.csv"),
        ("destruction-rate", "mine", "--transform", "blur=1", *given, "--output", root / "rates.json"),
        ("report", "mine", "--transform", "blur=1"),
        ("export", "mine", "--format", "csv"),
        ("adopt", home / "images", home / "images", "--name", "theirs", *given),
    ]
    for command in commands:
        answer = physadv(*command, "--quiet", "--root", root)
        assert answer.code == 0, answer.err
    again = physadv(*commands[0], "--root", root)
    assert "complete, nothing to do" in again.out + again.err
    files = contents(root)
    assert {"rates.csv", "rates.json", "captures/mine/report.html"} < files.keys()
    assert [name for name, content in files.items() if b"jane" in content] == []
    classifiers = {row.classifier for row in _answers(root)}
    assert len(classifiers) == 1


def _answers(root):
    with Capture(root, "mine").store() as store:
        return list(store.all_observations(Printout(root, "mine").manifest().code))


def test_a_record_of_stickers_does_not_name_it(home):
    (home / "signs").mkdir()
    settings = StopSignSettings(
        victims=home / "signs", model=f"signs@{home}/own.safetensors", labels=home / "names.txt"
    )
    asked = make._as_json(settings)
    assert "jane" not in json.dumps(asked)
    assert asked["model"].endswith("own.safetensors")


def test_an_old_record_of_a_photo_with_the_path_of_its_preset_is_still_known(
    home, physadv, photographed_root
):
    root = shutil.copytree(photographed_root, home / "root")
    photo = root / "captures" / "mine" / "photos" / "sheet-001-shot-1.jpg"
    path = root / "captures" / "mine" / "truth" / "sheet-001-shot-1.json"
    made_by = MadeBy.of(str(home / "phone.toml"), 0)
    fields = json.loads(path.read_text()) | {"preset": str(home / "phone.toml"), "ranges": made_by.ranges}
    path.write_text(json.dumps(fields))
    assert read_record(Capture(root, "mine"), photo).made_by == made_by
    assert made_by.condition.startswith("phone.toml#")


@pytest.mark.filterwarnings("ignore::physadv.errors.PhysadvWarning")
def test_the_same_command_goes_on_from_any_folder(home, physadv, monkeypatch):
    given = ("--name", "mine", "--model", f"signs@{home}/own.safetensors", "--root", home / "project")
    command = ("generate", home / "images", *given, "--attack", "fast", "--limit", 1)
    assert physadv(*command, "--quiet").code == 0
    monkeypatch.chdir(home / "images")
    again = physadv(*command)
    assert "complete, nothing to do" in again.out + again.err
    assert physadv("destruction-rate", "mine", *given[-2:], "--transform", "blur=1").code == 0


def test_a_home_folder_that_is_a_link_has_two_names(home, tmp_path, monkeypatch):
    (tmp_path / "jane").symlink_to(home)
    monkeypatch.setenv("HOME", str(tmp_path / "jane"))
    for path in (home, tmp_path / "jane"):
        assert without_home(f"signs@{path}/own.safetensors") == "signs@~/own.safetensors"


def test_paths_of_others_stay(home):
    beside = f"{home}thony/x {home.parent}/x /data{home}/x"
    assert without_home(beside) == beside
