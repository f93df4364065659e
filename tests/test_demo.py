"""The demo, tiny: attacks on the same signs, one table and one page."""

import re

import pytest

from physadv import demo, parallel
from physadv.attacks.recipes import RECIPES
from physadv.runs import Printout

ATTACKS = ("eot", "patch")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder for a demo of two attacks, two signs and two steps."""
    few = {name: demo.ATTACKS[name] | {"steps": 2} for name in ATTACKS}
    few["patch"]["batch"] = 2
    monkeypatch.setattr(demo, "ATTACKS", few)
    monkeypatch.setattr(demo, "SIGNS", 2)
    monkeypatch.setattr(parallel, "usable_cores", lambda: 1)
    return tmp_path / "demo"


def test_budgets_are_equal_and_those_of_the_recipes():
    budgets = {name: options["eps"] for name, options in demo.ATTACKS.items() if "eps" in options}
    assert budgets == dict.fromkeys(["fast", "bim", "least-likely", "eot"], 16)
    assert all(RECIPES[name].eps == eps for name, eps in budgets.items())
    assert demo.ATTACKS["patch"]["area"] == RECIPES["patch"].area
    assert not any("steps" in options for options in demo.ATTACKS.values())
    assert demo.SIGNS >= 40


def test_attacks_on_the_same_signs_stand_in_one_table_and_on_one_page(physadv, root):
    answer = physadv("demo", "--quiet", "--root", root)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].startswith("2 shared pairs, judged by signs, top-1: photo (simulated)")
    for name in ATTACKS:
        budget = "10 % of the area" if name == "patch" else "eps 16"
        (row,) = [line for line in lines if line.startswith(f" {name} ({budget})")]
        assert re.search(r"\d+\.\d \(\d+\.\d–\d+\.\d\)", row)
    assert lines[-1] == f"page: {root / 'demo.html'}"
    page = (root / "demo.html").read_text(encoding="utf-8")
    assert "Simulated photographs:" in page
    # The clean sign and both adversarial ones, each as a file and as a crop of a photo.
    assert page.count("<img ") == 6
    assert page.count('<span class="what">photo (simulated)</span>') == 3
    manifests = [Printout(root, name).manifest() for name in ATTACKS]
    first, second = ([clean.sha256 for clean, _ in manifest.pairs()] for manifest in manifests)
    assert first == second
    # A second start finds everything done.
    photos = {path: path.stat().st_mtime_ns for path in root.glob("captures/*/photos/*")}
    assert len(photos) == 2
    assert physadv("demo", "--quiet", "--root", root).out == answer.out
    assert {path: path.stat().st_mtime_ns for path in photos} == photos


def test_a_folder_with_files_of_another_is_left_alone(physadv, root):
    labels = root / "signs" / "labels.csv"
    labels.parent.mkdir(parents=True)
    labels.write_text("mine")
    answer = physadv("demo", "--quiet", "--root", root)
    assert answer.code == 2
    assert f"{labels}: was not written by this demo" in answer.err
    assert [path for path in root.rglob("*") if path.is_file()] == [labels]
    assert labels.read_text() == "mine"
