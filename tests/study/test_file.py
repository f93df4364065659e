"""What a study's file asks for, and the one line that each fault in it gets."""

from pathlib import Path

import pytest

from physadv.study.file import StudyError, read_study
from reproductions.kurakin import PROGRAMS
from reproductions.kurakin import STUDY as KURAKIN

STUDY = """\
name = "small"
seed = 3

[images]
path = "labels.csv"
limit = 4

[models.bundled]
spec = "signs"
size = 64

[[runs]]
models = ["bundled"]
attacks = ["fast", "least-likely"]
eps = [16, 8]
sweeps = ["blur=1:2:2"]

[[runs]]
name = "aimed"
models = ["bundled"]
attacks = ["pgd"]
presets = ["print-photo"]
targets = ["Stop sign", "random"]
samples = 2
prefilter = true
photographs = { source = "simulated", phone = "office", shots = 2 }
"""


@pytest.fixture
def written(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\n")

    def write(text):
        path = tmp_path / "study.toml"
        path.write_text(text)
        return path

    return write


def test_a_run_is_made_of_every_combination(written):
    study = read_study(written(STUDY))
    assert study.name == "small"
    assert [run.name for run in study.runs] == [
        "small-bundled-fast-16",
        "small-bundled-fast-8",
        "small-bundled-least-likely-16",
        "small-bundled-least-likely-8",
        "small-aimed-bundled-pgd-16-print-photo-Stop-sign-prefiltered",
        "small-aimed-bundled-pgd-16-print-photo-random-prefiltered",
    ]


def test_a_run_has_the_settings_of_its_tables(written, tmp_path):
    _, second, *_, last = read_study(written(STUDY)).runs
    assert (second.settings.attack, second.settings.eps, second.settings.size) == ("fast", 8, 64)
    assert (second.settings.limit, second.settings.seed) == (4, 3)
    assert second.settings.images == tmp_path / "labels.csv"
    assert second.sweeps == ("blur=1:2:2",)
    assert second.photographs is None
    assert (last.settings.eps, last.settings.transforms, last.settings.samples) == (None, "print-photo", 2)
    assert (last.settings.target, last.settings.prefilter) == ("random", True)
    assert (last.photographs.shots, last.photographs.page) == (2, "a4")


def test_paths_are_relative_to_the_data(written, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "labels.csv").touch()
    (data / "net.pt2").touch()
    text = STUDY.replace('spec = "signs"', 'spec = "file:net.pt2"')
    run = read_study(written(text), data, ["file:net.pt2"]).runs[0]
    assert run.settings.model == f"file:{data / 'net.pt2'}"
    assert run.settings.images == data / "labels.csv"


def test_the_packaged_study_has_every_image_and_three_classifiers(shared_data):
    study = read_study(KURAKIN, shared_data, PROGRAMS)
    assert all(run.settings.limit is None for run in study.runs)
    assert len({run.model for run in study.runs if run.sweeps}) == 3


@pytest.mark.parametrize(
    ("good", "bad", "line"),
    [
        ('name = "small"', 'name = "small', "not a TOML file in UTF-8 (Illegal character '\\n' (at line 1"),
        ('name = "small"\n', "", "no name; wanted one"),
        ('name = "small"', 'name = "../small"', "name: run name '../small': use letters"),
        ("seed = 3", "sed = 3", "unknown key 'sed'; nearest: seed"),
        ("seed = 3", 'seed = "three"', "seed: 'three'; wanted a valid integer"),
        ("limit = 4", "limit = 0", "images, limit: 0; wanted greater than or equal to 1"),
        ("limit = 4", "limits = 4", "images: unknown key 'limits'; nearest: limit"),
        ("labels.csv", "table.csv", "images, path: 'table.csv': not found in "),
        ("size = 64", "sizes = 64", "models bundled: unknown key 'sizes'; nearest: size"),
        ('spec = "signs"', "", "models bundled: no spec; wanted one"),
        ('"signs"', '"file:net.pt2"', "models bundled, spec: 'net.pt2': not found in "),
        ("[models.bundled]", '[models."a b"]', "models a b: run name 'a b': use letters"),
        (
            'models = ["bundled"]',
            'models = ["bundle"]',
            "runs 1, models: unknown model 'bundle'; nearest: bun",
        ),
        ('models = ["bundled"]', "models = []", "runs 1, models: []; wanted at least 1 item"),
        ('"fast"', '"fats"', "runs 1, attacks: unknown attack 'fats'; nearest: fast"),
        ("attacks = [", "attack = [", "runs 1: no attacks; wanted one"),
        ("[16, 8]", '[16, "a lot"]', "runs 1, eps 2: 'a lot'; wanted a valid integer"),
        ("[16, 8]", "[16, 256]", "runs 1: eps 256: wanted a whole number of 8-bit levels from 1 to 255"),
        ("[16, 8]", "16", "runs 1, eps: 16; wanted a valid list"),
        ("[16, 8]", "[8, 8]", "runs 1, name: makes 'small-bundled-fast-8' as runs 1 does; wanted another"),
        ("[16, 8]", '[16]\ntargets = ["random"]', "runs 1: target 'random': least-likely chooses its own"),
        ("blur=1:2:2", "blurr=1:2:2", "runs 1, sweeps: unknown sweep 'blurr'; nearest: blur"),
        (
            'sweeps = ["blur=1:2:2"]',
            'transforms = ["jpeg=0"]',
            "runs 1, transforms: transform 'jpeg=0' is out",
        ),
        (
            'sweeps = ["blur=1:2:2"]',
            "",
            "runs 1: nothing to measure; wanted photographs, sweeps or transforms",
        ),
        ("print-photo", "print-foto", "runs 2: unknown preset 'print-foto'; nearest: print-photo"),
        ("print-photo", "own.toml", "runs 2: "),
        ("samples = 2", "samples = 0", "runs 2: samples 0: wanted 1 or more"),
        ("samples = 2", "area = 0.1", "runs 2: area 0.1: pgd takes no area; leave it out"),
        (
            '"simulated"',
            '"polaroid"',
            "runs 2, photographs, source: 'polaroid'; wanted 'simulated' or 'real'",
        ),
        ('"office"', '"offices"', "runs 2, photographs, phone: unknown preset 'offices'; nearest: office"),
        (
            '"office"',
            '"office", printer = "office-lasr"',
            "runs 2, photographs, printer: unknown printer 'office-lasr'; nearest: office-laser",
        ),
        ("shots = 2", "shotz = 2", "runs 2, photographs: unknown key 'shotz'; nearest: shots"),
        ("shots = 2", 'page = "a5"', "runs 2, photographs, page: unknown page 'a5'; nearest: a4"),
    ],
)
def test_a_fault_is_one_line_that_names_file_table_and_key(written, good, bad, line):
    assert good in STUDY
    path = written(STUDY.replace(good, bad, 1))
    with pytest.raises(StudyError) as fault:
        read_study(path)
    assert str(fault.value).startswith(f"{path}: {line}")
    assert "\n" not in str(fault.value)


def test_a_study_that_is_not_there_is_one_line(physadv):
    assert physadv("run", "nowhere.toml").error == "error: nowhere.toml: No such file or directory"


def test_a_study_that_is_not_text_is_one_line(physadv, tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert physadv("run", path).error.startswith(f"error: {path}: not a TOML file in UTF-8")


def test_a_folder_is_no_study(physadv, tmp_path):
    assert physadv("run", tmp_path).error == f"error: {Path(tmp_path)}: not a file"
