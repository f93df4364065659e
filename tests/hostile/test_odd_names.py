"""Names and files as the world has them: each costs itself only, and no failure is more than a line."""

import csv
import errno
import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from physadv import files
from physadv.cli import running
from physadv.errors import PhysadvError
from physadv.keeping import Kept
from physadv.progress import Lines
from physadv.report.export import _write_csv
from physadv.report.page import environment
from physadv.report.table import show, to_html, to_latex, to_markdown, words_table
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.settings import find_class, parse_palette
from physadv.text import csv_cell, printable, without_home
from physadv.transforms.protocol import TransformError
from physadv.transforms.sweeps import parse_sweep

BIDI = "stop\u202egnp.exe"
ESCAPE = "\x1b[2Jgone"
DIGITS = "9" * 5000
NOT_UTF8 = os.fsdecode(b"caf\xe9.png")


def only_line(answer):
    """The one line of a failed command, of bad input or not."""
    assert answer.code in (1, 2)
    (line,) = answer.err.splitlines()
    assert line.startswith("error: ")
    assert "Traceback" not in answer.out + answer.err
    return line


def picture(path, size=(64, 64)):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)).save(path)
    return path


def asked(name, *options):
    """The fewest arguments with which examples are made."""
    return "generate", name, "--name", "mine", "--attack", "fast", "--eps", "8", *options


# The outermost catch


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RecursionError("maximum recursion depth exceeded"), "RecursionError: maximum recursion depth"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"), "surrogates not allowed"),
        (ValueError("several\nlines\x1b[2J"), "ValueError: several;"),
        (KeyError(), "KeyError"),
        (NotImplementedError("Cannot copy out of meta tensor; no data!"), "Cannot copy out of meta tensor"),
    ],
)
def test_whatever_a_command_raises_is_one_line(physadv, monkeypatch, tmp_path, error, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(running.typer.main, "get_command", fail)
    answer = physadv("list", "phones")
    assert answer.code == 1
    assert said in only_line(answer)
    assert "--debug" in answer.err
    with pytest.raises(type(error)):
        running.main(["list", "phones", "--debug"])


@pytest.mark.parametrize("command", ["generate", "masking-check"])
def test_a_device_that_holds_no_numbers_is_one_line(physadv, signs_csv, tmp_path, command):
    where = ["--name", "mine", "--root", tmp_path] if command == "generate" else []
    only_line(physadv(command, signs_csv, "--device", "meta", "--quiet", *where))


# Deep brackets and endless digits

DEEP = {"json": '{"a":' + "[" * 100_000, "toml": "a = " + "[" * 100_000}
LONG = {"json": f'{{"seed": {DIGITS}}}', "toml": f"a = {DIGITS}"}


@pytest.mark.parametrize("text", [DEEP, LONG], ids=["deep", "digits"])
def test_a_manifest_nested_or_counted_without_end_is_named(physadv, generated_root, copy_of, text):
    root = copy_of(generated_root)
    (root / "printouts/mine/manifest.json").write_text(text["json"])
    assert "manifest.json: not a JSON file" in physadv("print", "mine", "--root", root).error


@pytest.mark.parametrize("text", [DEEP, LONG], ids=["deep", "digits"])
def test_a_study_nested_or_counted_without_end_is_named(physadv, tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text["toml"])
    assert f"{path}: not a TOML file" in physadv("run", path).error


@pytest.mark.parametrize("text", [DEEP, LONG], ids=["deep", "digits"])
def test_a_preset_nested_or_counted_without_end_is_named(physadv, photographed_root, tmp_path, text):
    path = tmp_path / "phone.toml"
    path.write_text(text["toml"])
    given = "photograph", "mine", "--simulate", "--preset", path, "--root", photographed_root
    assert f"{path}: not a TOML file" in physadv(*given).error


def test_a_label_of_thousands_of_digits_is_outside_the_classes(physadv, tmp_path, tiny_classifier):
    picture(tmp_path / "a.png")
    (tmp_path / "a.csv").write_text(f"path,label\na.png,{DIGITS}\n")
    line = physadv(*asked(tmp_path / "a.csv", "--root", tmp_path, "--quiet")).error
    assert "a.csv: line 2: label 999" in line
    assert len(line) < 400
    with pytest.raises(PhysadvError, match="is outside"):
        tiny_classifier.label_index(f"-{DIGITS}")
    with pytest.raises(StopSignError, match="unknown class"):
        find_class(["a", "b"], DIGITS)
    with pytest.raises(StopSignError, match="palette '999"):
        parse_palette(DIGITS)
    with pytest.raises(TransformError, match="count '999"):
        parse_sweep(f"blur=0:1:{DIGITS}")


# Pipes, folders and links where a file belongs


@pytest.fixture
def pipe(tmp_path):
    """A pipe that nobody writes to: opening it would wait without end."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs named pipes")
    os.mkfifo(tmp_path / "pipe.toml")
    return tmp_path / "pipe.toml"


def test_nobody_waits_for_a_pipe(physadv, photographed_root, copy_of, pipe, tmp_path):
    root = copy_of(photographed_root)
    assert "not a file" in physadv("run", pipe).error
    assert "not a file" in physadv("photograph", "mine", "--simulate", "--preset", pipe, "--root", root).error
    assert "no such photo" in physadv("crop", "mine", pipe, "--root", root).error
    assert "not a folder" in physadv(*asked(pipe, "--root", tmp_path)).error
    for option in ("--labels", "--transforms"):
        only_line(physadv(*asked(photographed_root, option, pipe, "--root", tmp_path)))
    only_line(physadv("generate", tmp_path, "--name", "n", "--model", f"signs@{pipe}"))
    os.mkfifo(tmp_path / "a.npy")
    only_line(physadv("adopt", tmp_path / "a.npy", tmp_path / "a.npy", "--name", "n", "--root", tmp_path))
    manifest = root / "printouts/mine/manifest.json"
    manifest.unlink()
    os.mkfifo(manifest)
    only_line(physadv("print", "mine", "--root", root))
    with pytest.raises(PhysadvError, match="damaged"):
        Kept(pipe.rename(tmp_path / "a.json")).load()


@pytest.mark.filterwarnings("always::physadv.errors.PhysadvWarning")
def test_photos_that_are_no_files_cost_themselves_only(physadv, photographed_root, copy_of, tmp_path):
    root = copy_of(photographed_root)
    photos = root / "captures/mine/photos"
    (photos / "folder.jpg").mkdir()
    (photos / "nowhere.jpg").symlink_to(photos / "not-there.jpg")
    (photos / "circle.jpg").symlink_to(photos / "circle.jpg")
    if hasattr(os, "mkfifo"):
        os.mkfifo(photos / "pipe.jpg")
    answer = physadv("crop", "mine", "--quiet", "--root", root, "--workers", 1)
    assert "10 of 10 cells" in answer.out
    assert answer.code in (0, 2)


# Names that are no UTF-8, or as long as names can be


def test_a_source_whose_name_is_not_utf8_or_very_long_is_attacked(physadv, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    long = f"{'n' * 240}.png"
    for name in (NOT_UTF8, long, "stop\x1b[2J\u202e.png"):
        picture(pictures / name)
    answer = physadv(*asked(pictures, "--root", tmp_path, "--quiet"))
    assert answer.code == 0, answer.err
    manifest = json.loads((tmp_path / "printouts/mine/manifest.json").read_text(encoding="utf-8"))
    sources = {example["source"] for example in manifest["examples"]}
    assert sources == {r"caf\xe9.png", long, r"stop\x1b[2J\u202e.png"}


@pytest.mark.parametrize("name", [os.fsdecode(b"ph\xe9to.jpg"), f"{'n' * 240}.jpg", "a\x1b[2J\u202e.jpg"])
def test_a_photo_whose_name_is_odd_costs_at_most_itself(physadv, photographed_root, copy_of, name):
    root = copy_of(photographed_root)
    photos = root / "captures/mine/photos"
    (sound,) = photos.iterdir()
    with Image.open(sound) as image:
        image.resize((image.width // 2, image.height // 2)).save(photos / name)
    answer = physadv("crop", "mine", "--quiet", "--root", root, "--workers", 1, "--overlay")
    assert "0 of " in answer.out
    assert " cells cropped" in answer.out
    assert "\x1b" not in answer.out + answer.err
    assert "\u202e" not in answer.out + answer.err
    again = physadv("crop", "mine", "--quiet", "--root", root, "--workers", 1, "--overlay")
    assert (again.code, again.out) == (answer.code, answer.out)


def test_a_file_is_replaced_whatever_the_length_of_its_name(tmp_path):
    for name in ("n" * 255, "é" * 127):
        with files.replacing(tmp_path / name) as temporary:
            temporary.write_text("whole")
        assert (tmp_path / name).read_text() == "whole"


@pytest.mark.parametrize("size", [(65500, 1), (1, 65500)])
def test_a_picture_that_is_a_line_is_used_or_named(physadv, tmp_path, size):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    picture(pictures / "line.png", size)
    answer = physadv(*asked(pictures, "--root", tmp_path, "--quiet"))
    assert answer.code == 0 or "line.png" in only_line(answer)
    if not answer.code:
        answer = physadv("print", "mine", "--root", tmp_path, "--quiet")
        assert answer.code == 0 or only_line(answer)


# A disk that fills


def test_a_disk_that_fills_in_a_checkpoint_is_said_and_the_last_one_kept(tmp_path, monkeypatch):
    kept = Kept(tmp_path / "work.pt")
    kept.save({"step": 1})

    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space") as raised:
            kept.save({"step": 2})
    assert raised.value.filename == str(kept.path)
    assert kept.load() == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["work.pt"]


def test_a_disk_that_fills_in_a_checkpoint_is_one_line(physadv, monkeypatch, tmp_path, signs_csv):
    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    answer = physadv(*asked(signs_csv, "--root", tmp_path, "--quiet"))
    if answer.code:
        assert "free some space" in only_line(answer)


# What is shown of names


def test_signs_that_hide_or_rearrange_are_escaped_and_letters_are_not():
    assert printable(BIDI) == r"stop\u202egnp.exe"
    assert printable(ESCAPE) == r"\x1b[2Jgone"
    assert printable("a\nb\tc") == r"a\nb\tc"
    assert printable("a\nb\tc", keep="\n") == "a\nb\\tc"
    assert printable(NOT_UTF8) == r"caf\xe9.png"
    assert printable("\ud800") == r"\ud800"
    for text in ("停止", "стоп", "قف", "עצור", "รถ", "می‌خواهم", "πλ", "🛑", "naïve – “x”"):
        assert printable(text) == text


@pytest.mark.parametrize("name", [BIDI, ESCAPE, NOT_UTF8])
def test_no_renderer_of_a_table_lets_such_signs_through(name, capsys):
    table = words_table(name, [name], [[name]])
    show(table)
    for text in (capsys.readouterr().out, to_html(table), to_latex(table), to_markdown(table)):
        assert not set("\u202e\x1b\udce9") & set(text)


def test_no_page_lets_such_signs_through():
    page = environment().from_string('<p title="{{ name }}">{{ name }}</p>{{ drawn | safe }}')
    assert page.render(name=f"<{ESCAPE}{BIDI}\n{NOT_UTF8}>", drawn="<b>\n</b>") == (
        '<p title="&lt;\\x1b[2Jgonestop\\u202egnp.exe\ncaf\\xe9.png&gt;">'
        "&lt;\\x1b[2Jgonestop\\u202egnp.exe\ncaf\\xe9.png&gt;</p><b>\n</b>"
    )


def test_no_page_names_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/jane"))
    page = environment().from_string("{{ command }}")
    command = "physadv generate /home/jane/x --model file:/home/jane/a.pt2 /home/janet/y /data/home/jane"
    shown = "physadv generate ~/x --model file:~/a.pt2 /home/janet/y /data/home/jane"
    assert page.render(command=command) == shown
    assert without_home("/home/jane") == "~"


def test_no_line_of_progress_lets_such_signs_through(capsys):
    Lines().say(f"{BIDI}{ESCAPE}")
    assert capsys.readouterr().err == "stop\\u202egnp.exe\\x1b[2Jgone\n"


def test_a_terminal_without_the_letters_shows_their_numbers(monkeypatch):
    written = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", written)
    with pytest.raises(SystemExit) as ended:
        running.main(["list", "sweeps"])
    assert ended.value.code == 0


# Cells that a spreadsheet would run


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+cmd|'/c calc'!A0", "@SUM(A1)", "＝1"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(text):
    assert csv_cell(text) == f"'{text}"


def test_other_cells_stay_as_they_are():
    for value in (-0.5, 3, None, True, "stop", "a=b", "", "停止"):
        assert csv_cell(value) is value or csv_cell(value) == value
    assert csv_cell("\t=1+1") == r"\t=1+1"
    assert csv_cell("\r=1+1") == r"\r=1+1"


def test_written_tables_are_defused_and_their_numbers_are_numbers():
    written = io.StringIO()
    _write_csv(written, [{"=name": "=HYPERLINK(1)", "value": -0.25, "none": None}])
    rows = list(csv.reader(io.StringIO(written.getvalue())))
    assert rows[1] == ["'=HYPERLINK(1)", "-0.25", ""]
