"""Studies from the command line: what has not changed is not run again."""

import csv
import json
import shutil

import pytest
from PIL import Image

from physadv.pipeline import measure as measuring
from physadv.runs import Printout
from physadv.runs.manifest import read_manifest

STUDY = """\
name = "small"

[images]
path = "labels.csv"

[models.bundled]
spec = "signs"

[[runs]]
models = ["bundled"]
attacks = ["fast"]
eps = [16, 8]
transforms = ["blur=1"]
"""
PHOTOGRAPHED = STUDY.replace('"fast"', '"bim"').replace(
    'eps = [16, 8]\ntransforms = ["blur=1"]', 'photographs = { source = "real" }'
)
FIRST, SECOND, BIM = "small-bundled-fast-16", "small-bundled-fast-8", "small-bundled-bim-16"


@pytest.fixture
def data(tmp_path, signs_csv):
    return shutil.copytree(signs_csv.parent, tmp_path / "data")


@pytest.fixture
def run(physadv, data, tmp_path):
    """Runs a study of the text and returns what was said, its lines."""

    def run(text=STUDY, *options):
        (data / "study.toml").write_text(text)
        answer = physadv("run", data / "study.toml", "--root", tmp_path / "root", "--quiet", *options)
        assert (answer.code, answer.err) == (0, "")
        return answer.out.splitlines()

    return run


@pytest.fixture
def refused(physadv, data, tmp_path):
    def refused(text, *options):
        (data / "study.toml").write_text(text)
        return physadv("run", data / "study.toml", "--root", tmp_path / "root", "--quiet", *options).error

    return refused


def test_a_dry_run_lists_what_would_be_run_and_changes_nothing(run, tmp_path):
    assert run(STUDY, "--dry-run") == [
        f"{FIRST}: would run generate, measure",
        f"{SECOND}: would run generate, measure",
        "0 of 4 steps unchanged",
    ]
    assert not (tmp_path / "root").exists()


def test_a_second_run_does_nothing(run, tmp_path, contents):
    folder = tmp_path / "root" / "studies" / "small"
    tables = [f"tables: {folder / 'tables.csv'}", f"tables: {folder / 'tables.json'}"]
    first = [f"{FIRST}: ran generate, measure", f"{SECOND}: ran generate, measure", "0 of 4 steps unchanged"]
    assert run() == [*first, *tables]
    before = contents(tmp_path / "root")
    assert run(STUDY, "--dry-run") == ["4 of 4 steps unchanged"]
    assert run() == ["4 of 4 steps unchanged", *tables]
    assert contents(tmp_path / "root") == before


def test_the_tables_have_every_run(run, tmp_path):
    run()
    folder = tmp_path / "root" / "studies" / "small"
    with (folder / "tables.csv").open() as file:
        assert {row["run"] for row in csv.DictReader(file)} == {FIRST, SECOND}
    assert [found["run"] for found in json.loads((folder / "tables.json").read_text())["measurements"]] == [
        FIRST,
        SECOND,
    ]


def test_another_eps_runs_only_that(run, tmp_path, contents):
    run()
    kept = contents(tmp_path / "root" / "printouts" / SECOND)
    changed = run(STUDY.replace("[16, 8]", "[4, 8]"))
    assert changed[:2] == ["small-bundled-fast-4: ran generate, measure", "2 of 4 steps unchanged"]
    assert contents(tmp_path / "root" / "printouts" / SECOND) == kept


def test_another_transformation_is_only_measured(run):
    run()
    changed = run(STUDY.replace("blur=1", "blur=2"))
    assert changed[:3] == [f"{FIRST}: ran measure", f"{SECOND}: ran measure", "2 of 4 steps unchanged"]


def test_a_changed_image_makes_runs_anew(run, data, tmp_path):
    run()
    Image.new("RGB", (64, 64), "teal").save(data / "3.png")
    assert run(STUDY, "--dry-run")[-1] == "0 of 4 steps unchanged"
    run()
    manifest = read_manifest(tmp_path / "root" / "printouts" / FIRST / "manifest.json")
    assert Printout(tmp_path / "root", FIRST).pixels(manifest.examples[6])[0, 0].tolist() == [0, 128, 128]


def test_what_was_deleted_is_made_again(run, tmp_path, contents):
    run()
    before = contents(tmp_path / "root")
    shutil.rmtree(tmp_path / "root" / "printouts" / FIRST)
    assert run()[:2] == [f"{FIRST}: ran generate", "3 of 4 steps unchanged"]
    assert contents(tmp_path / "root") == before


def test_part_of_a_study_can_be_chosen(run, refused):
    assert run(STUDY, "--only", "*-8") == [f"{SECOND}: ran generate, measure", "0 of 2 steps unchanged"]
    assert refused(STUDY, "--only", "*-9") == (
        f"error: only '*-9': fits none of 2 runs; the first is {FIRST}"
    )


def test_a_killed_study_goes_on_where_it_was(run, physadv, data, tmp_path, monkeypatch):
    (data / "study.toml").write_text(STUDY)

    def killed(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(measuring, "load_judge", killed)
        assert physadv("run", data / "study.toml", "--root", tmp_path / "root").code == 130
    assert run()[:3] == [
        f"{FIRST}: ran measure",
        f"{SECOND}: ran generate, measure",
        "1 of 4 steps unchanged",
    ]


def test_a_fault_of_a_stage_names_the_run(refused):
    text = STUDY.replace("eps = [16, 8]", 'targets = ["Stop singn"]')
    name = "small-bundled-fast-16-Stop-singn"
    assert refused(text).startswith(f"error: {name}: label 'Stop singn' is no class of signs")


def test_damaged_records_are_one_line(run, refused, tmp_path):
    run()
    records = tmp_path / "root" / "studies" / "small" / "steps.json"
    records.write_text("{")
    assert refused(STUDY).startswith(f"error: {records} is damaged; delete it to begin anew")


def test_a_study_of_real_photographs_waits_for_them_and_goes_on(run, refused, tmp_path, photographed_root):
    waits = f"{BIM}: waits for photographs; see 'physadv photograph {BIM}'"
    assert run(PHOTOGRAPHED) == [f"{BIM}: ran generate, print", waits, "0 of 4 steps unchanged"]
    assert run(PHOTOGRAPHED) == [waits, "2 of 4 steps unchanged"]
    photos = tmp_path / "root" / "captures" / BIM / "photos"
    shutil.copytree(photographed_root / "captures" / "mine" / "photos", photos)
    assert run(PHOTOGRAPHED)[:2] == [f"{BIM}: ran crop, measure", "2 of 4 steps unchanged"]
    assert run(PHOTOGRAPHED)[0] == "4 of 4 steps unchanged"
    limited = PHOTOGRAPHED.replace("labels.csv", 'labels.csv"\nlimit = 2 # "')
    assert refused(limited) == (
        f"error: {photos}: holds photographs of sheets that the study has changed since, as "
        f"sheet-001-shot-1.jpg; move {photos.parent} away or name the study anew"
    )


def test_simulated_photographs_are_as_many_as_the_study_says(run, tmp_path, photographed_root):
    simulated = PHOTOGRAPHED.replace("real", "simulated")
    capture = shutil.copytree(photographed_root / "captures" / "mine", tmp_path / "root" / "captures" / BIM)
    for folder, suffix in (("photos", "jpg"), ("truth", "json")):
        first = capture / folder / f"sheet-001-shot-1.{suffix}"
        shutil.copy(first, first.with_name(f"sheet-001-shot-2.{suffix}"))
    assert run(simulated)[0] == f"{BIM}: ran generate, print, photograph, crop, measure"
    assert [path.name for path in (capture / "photos").iterdir()] == ["sheet-001-shot-1.jpg"]
    assert run(simulated)[0] == "5 of 5 steps unchanged"
    (capture / "photos" / "sheet-001-shot-1.jpg").rename(tmp_path / "taken.jpg")
    assert run(simulated, "--dry-run")[0] == f"{BIM}: would run photograph, crop, measure"
