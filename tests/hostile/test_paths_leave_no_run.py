"""A run is data that may come from a stranger: no path in it leads out of its folders."""

import json
import shutil
import sqlite3

import pytest

from physadv import Run
from physadv.runs import Capture, Printout, RunError

OUTSIDE = "../../../../outside"


def edit(root, change):
    """Change the manifest of the run 'mine' by hand."""
    path = root / "printouts" / "mine" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", f"{OUTSIDE}/y"),
        ("id", "/y"),
        ("id", ".y"),
        ("id", "y\\z"),
        ("id", ""),
        ("pair", OUTSIDE),
        ("path", f"{OUTSIDE}.png"),
        ("path", "/etc/passwd"),
        ("path", "clean/../../y.png"),
        ("path", "C:/y.png"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        *(
            "print mine",
            "crop mine",
            "destruction-rate mine",
            "report mine",
            "export mine",
            "photograph mine",
        ),
        *("photograph mine --simulate", "compare mine mine2", "generate SIGNS --name mine --attack fast"),
        "notebook",
    ],
)
def test_a_name_or_path_that_would_leave_the_run_is_named_and_nothing_is_written(
    physadv, cropped_root, copy_of, contents, signs_csv, command, key, value
):
    root = copy_of(cropped_root)
    shutil.copytree(root / "printouts" / "mine", root / "printouts" / "mine2")

    def change(manifest):
        example = manifest["examples"][0]
        for cell in (cell for sheet in manifest["sheets"] for cell in sheet["cells"]):
            if key == "id" and cell["example"] == example["id"]:
                cell["example"] = value
        example[key] = value

    edit(root, change)
    before = contents(root.parent)
    if command == "notebook":
        with pytest.raises(RunError, match=rf"manifest\.json: examples\.0\.{key}: "):
            Run.open("mine", root=root)
    else:
        words = [signs_csv if word == "SIGNS" else word for word in command.split()]
        quiet = [] if command == "photograph mine" else ["--quiet"]
        error = physadv(*words, *quiet, "--root", root).error
        assert f"manifest.json: examples.0.{key}: " in error
    assert contents(root.parent) == before


def test_a_run_called_by_a_path_is_refused(physadv, cropped_root, copy_of):
    root = copy_of(cropped_root)
    edit(root, lambda manifest: manifest.update(name="../mine"))
    assert "manifest.json: name: " in physadv("print", "mine", "--root", root).error


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda manifest: manifest["sheets"][0].update(code=""), "sheet 1 has the code ''"),
        (lambda manifest: manifest["attack"].update(eps=0), "attack.eps: "),
    ],
)
def test_a_value_that_no_run_has_is_named(physadv, cropped_root, copy_of, change, fault):
    root = copy_of(cropped_root)
    edit(root, change)
    assert fault in physadv("report", "mine", "--quiet", "--root", root).error


def test_an_example_behind_a_link_is_not_read(physadv, cropped_root, copy_of, tmp_path):
    root = copy_of(cropped_root)
    folder = root / "printouts" / "mine" / "clean"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    error = physadv("destruction-rate", "mine", "--transform", "blur=1", "--root", root).error
    assert "leads out of" in error


@pytest.mark.parametrize("command", ["destruction-rate", "crop", "report"])
def test_a_crop_outside_the_capture_is_not_read(physadv, cropped_root, copy_of, command):
    root = copy_of(cropped_root)
    store = root / "captures" / "mine" / "observations.sqlite"
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE crops SET path = ? WHERE path IS NOT NULL", (f"{OUTSIDE}.png",))
        connection.execute("DELETE FROM observations")
    connection.close()
    assert f"'{OUTSIDE}.png' leads out of" in physadv(command, "mine", "--quiet", "--root", root).error


@pytest.mark.parametrize("command", ["destruction-rate", "report"])
def test_a_crop_that_was_exchanged_is_named_and_cut_again(physadv, cropped_root, copy_of, command):
    root = copy_of(cropped_root)
    first, second, *_ = sorted((root / "captures" / "mine" / "crops").iterdir())
    sound = first.read_bytes()
    first.write_bytes(second.read_bytes())
    error = physadv(command, "mine", "--quiet", "--root", root).error
    assert f"{first}: not the crop that was cut; run 'physadv crop mine' again" in error
    assert physadv("crop", "mine", "--quiet", "--root", root).code == 0
    assert first.read_bytes() == sound
    assert physadv(command, "mine", "--quiet", "--root", root).code == 0


@pytest.mark.parametrize(
    "place",
    [
        *("captures/mine/observations.sqlite", "captures/mine/photos", "captures/mine/overlays"),
        *("captures/mine/truth", "captures/mine/figures", "printouts/mine/adversarial"),
        "printouts/mine/.progress",
    ],
)
def test_nothing_is_read_or_written_through_a_link(tmp_path, place):
    link = tmp_path / place
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path)
    with pytest.raises(RunError, match=f"'{link.name}' leads out of"):
        (Capture if place.startswith("captures") else Printout)(tmp_path, "mine")


def test_crops_are_not_written_through_a_link(physadv, cropped_root, copy_of, tmp_path):
    root = copy_of(cropped_root)
    crops = root / "captures" / "mine" / "crops"
    crops.rename(root / "captures" / "mine" / "old")
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "holiday.png").write_bytes(b"mine")
    crops.symlink_to(other)
    assert "'crops' leads out of" in physadv("crop", "mine", "--root", root).error
    assert [path.name for path in other.iterdir()] == ["holiday.png"]
