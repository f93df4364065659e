"""The page of the stop-sign study, recounted from answers that are made up here."""

import gzip
import json
import math
import shutil
from pathlib import Path

import pytest

from physadv.keeping import Kept
from physadv.signs.stop_sign.cells import CELLS
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM
from reproductions.kept_rows import dataclasses_in
from reproductions.rp2.counting import NOISES, PUBLISHED, SAME_MEAN, SAME_RANGE, WORN, Counts
from reproductions.rp2.page import recount, store
from reproductions.rp2.scenes import scene_of
from reproductions.rp2.sights import AS_FILES, DRIVE, FOUND, GRAPHITE, LAB, Sight, SightsError, read_sights
from reproductions.rp2.study import Row, main

ONE_A_SCENE = ("1", "6", "9", "18", "21", "22", "25", "27", "28", "31", "39")
PUBLISHED_MADE = {
    "label": "stop",
    "target": "limit",
    "range": {noise: [-0.5, 0.5] for noise in NOISES},
    "mean": dict.fromkeys(NOISES, 0.25),
    "change": dict.fromkeys(NOISES, 0.125),
}
SIDE = {"attacked": ["1", "18"], "judged": ["6", "9"], "area_of_the_sign": 0.19, "printability": {}}


def told(part, test, treatment, reaches):
    """Sights of every scene and seed in two cells or on two frames; `reaches(sign)` says success."""
    places = {AS_FILES: ("",), LAB: [cell.name for cell in CELLS[:2]]}.get(test, ("approach 1", "approach 2"))
    return [
        Sight(part, seed, test, sign, place, 0, 10.0, treatment, "limit" if reaches(sign) else "stop")
        for seed in (0, 1, 2)
        for sign in ONE_A_SCENE
        for place in places
    ]


def study():
    made = [{"part": "sticker", "seed": seed, **PUBLISHED_MADE} for seed in (0, 1, 2)]
    held = {"part": "LISA-CNN, auto", "label": "stop", "target": "limit", "sides": [SIDE, SIDE]}
    made += [{**held, "seed": seed} for seed in (0, 1, 2)]
    reached = {CLEAN: (), RANDOM: (), PUBLISHED: ("1",), SAME_RANGE: ONE_A_SCENE, SAME_MEAN: ("1",)}
    reached[OPTIMISED] = ONE_A_SCENE
    sights = []
    for part, treatments, tests in (
        ("sticker", NOISES, (AS_FILES, LAB, DRIVE)),
        ("LISA-CNN, auto", WORN, (LAB, DRIVE, FOUND, GRAPHITE)),
    ):
        for test in tests:
            for treatment in treatments:
                sights += told(part, test, treatment, reached[treatment].__contains__)
    return made, sights


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    store(folder, *study(), "the command")
    recount(folder)
    return folder


@pytest.fixture
def results(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "results"))


def test_rows_are_read_again_as_they_were(tmp_path):
    made, sights = study()
    row = Row(made[0], sights[:5])
    kept = Kept(tmp_path / "row.pt", classes=sorted(dataclasses_in(Row), key=repr))
    kept.save(row)
    assert kept.load() == row


def test_every_row_every_figure_and_what_no_longer_holds_are_on_the_page(results):
    page = (results / "stop-sign.md").read_text()
    flat = " ".join(page.split())
    figures = [f"stop-sign-LISA-CNN-auto-{test}.svg" for test in ("lab", "drive-by")]
    assert sorted(path.name for path in results.iterdir()) == sorted(
        ["stop-sign.md", "stop-sign.json", "stop-sign-sights.csv.gz", *figures]
    )
    assert all(f"]({name})" in page for name in figures)
    assert "| sticker | ours, same range | -0.50 to 0.50 | 0.250 | 0.125 | 100.0 % (" in page
    gone, held = page.split("These still hold:")[0], page.split("These still hold:")[1].split("## How")[0]
    assert "sticker, lab test, ours against the published noise: was “no difference shown”" in gone
    assert "is “better”" in gone
    assert "sticker, drive-by, ours against the published noise: was “better” (44.4 against 43.2 %)" in held
    assert "LISA-CNN, auto, lab test: was “reached” (92.5 % of 85 %), is “not decided”" in gone
    assert "Not made again: LISA-CNN, poster, LISA-CNN, two-bars" in flat
    assert "There are 11." in flat
    assert "6 comparisons with the published noise, 4 with random stickers" in flat


def test_clusters_are_scenes_and_one_family_is_corrected_together(results):
    numbers = json.loads((results / "stop-sign.json").read_text())
    (lab,) = (
        each
        for each in numbers["published"]
        if (each["test"], each["treatment"]) == (LAB, PUBLISHED) and each["part"] == "sticker"
    )
    assert lab["targeted"]["n"] == 3 * 11 * 2
    assert lab["targeted"]["scenes"] == 11
    assert lab["targeted"]["seeds"] == pytest.approx([1 / 11] * 3)
    tests = numbers["against_published"]
    assert len(tests) == 6
    ours = [each for each in tests if each["first"] == SAME_RANGE]
    # Of 11 scenes 10 differ, all one way: 2 of 2¹⁰ sign patterns are as extreme.
    assert [each["p"] for each in ours] == pytest.approx([2 / 2**10] * 3)
    assert [each["holm"] for each in ours] == pytest.approx([6 * 2 / 2**10] * 3)
    assert {each["verdict"] for each in ours} == {f"{SAME_RANGE} higher"}


def test_more_sights_of_the_same_scenes_show_nothing_more():
    made, sights = study()
    few, many = (Counts(made, own) for own in (sights, [*sights, *(again(each) for each in sights)]))
    for one, other in zip(few.against_published, many.against_published, strict=True):
        assert other.found.difference.n == 2 * one.found.difference.n
        assert other.found.p == one.found.p
        assert other.found.difference.pairs == 11


def again(sight):
    return Sight(**{**vars(sight), "view": sight.view + 1})


def test_the_page_is_recounted_from_its_stored_answers_alone(results, capsys):
    before = {path.name: path.read_bytes() for path in results.iterdir()}
    for name in before:
        if name.endswith((".md", ".svg")):
            (results / name).unlink()
    main(["--recount", "--out", str(results)])
    assert "wrote" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in results.iterdir()} == before


def test_another_answer_makes_another_page(results):
    page, stored = results / "stop-sign.md", results / "stop-sign-sights.csv.gz"
    before = page.read_text()
    text = gzip.decompress(stored.read_bytes()).decode()
    row = 'sticker,0,lab test,6,"5 ft, 0°",0,10.0,published,'
    assert text.count(f"{row}stop\n") == 1
    stored.write_bytes(gzip.compress(text.replace(f"{row}stop", f"{row}limit").encode()))
    recount(results)
    assert "; 9.1 to 13.6 |" not in before
    assert "; 9.1 to 13.6 |" in page.read_text()


def test_missing_or_damaged_answers_are_refused_in_one_line(tmp_path, results, capsys):
    stored = results / "stop-sign-sights.csv.gz"
    assert all(math.isfinite(sight.distance_m) and scene_of(sight.sign) for sight in read_sights(stored))
    stored.write_bytes(b"no gzip")
    with pytest.raises(SightsError, match=r"stop-sign-sights.csv.gz: no stored answers to recount"):
        recount(results)
    for arguments, said in (
        (["--recount", "--out", str(tmp_path / "empty")], "stop-sign.json: No such file"),
        ([], "which DATA"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err
