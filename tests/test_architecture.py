"""The order of the house, read from the imports; `docs/house.py` has the rules."""

import tomllib
from pathlib import Path

import pytest

from docs.house import FLOORS, LIBRARY, arrows, picture, violations

ROOT = Path(__file__).parents[1]


def test_the_house_stands_as_it_should():
    assert violations(ROOT) == []


def test_no_two_rooms_import_each_other_and_no_circle_closes():
    below = {}
    for source, target in arrows(ROOT):
        below.setdefault(source, set()).add(target)

    def reached(room: str, seen: frozenset[str] = frozenset()) -> set[str]:
        further = below.get(room, set()) - seen
        return further.union(*(reached(each, seen | further) for each in further))

    assert [room for room in below if room in reached(room)] == []


@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("attacks/new.py", "from physadv.runs import Printout", "library room attacks imports runs"),
        ("attacks/new.py", "import physadv.runs.store", "attacks imports runs, which is not below it"),
        (
            "pipeline/new.py",
            "from physadv.report import page",
            "pipeline imports report, which",
        ),
        ("signs/training/new.py", "from physadv.signs import stop_sign", "which is not below it"),
        ("transforms/new.py", "def late():\n    from physadv.attacks import eot", "which is not below it"),
        ("report/new.py", "import sqlite3", "sqlite3 is for runs alone"),
        ("report/new.py", "QUERY = 'SELECT a\\nFROM b'", "SQL is for runs alone"),
        (
            "capture/new.py",
            "from concurrent.futures import ProcessPoolExecutor",
            "is for parallel alone",
        ),
        ("cli/new.py", "import reproductions.rp2", "the package imports reproductions"),
        ("capture/new.py", "from . import codes", "a relative import hides"),
        ("capture/new.py", "x = 1\n" * 301, "over 300 lines"),
        ("attic/new.py", "from physadv.errors import PhysadvError", "attic stands on no floor"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, file, line, rule):
    for room in ("runs", "report", "attacks", "signs/stop_sign"):
        (tmp_path / "physadv" / room).mkdir(parents=True)
    planted = tmp_path / "physadv" / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(f"{line}\n", encoding="utf-8")
    found = violations(tmp_path)
    assert any(rule in each and file in each for each in found), found


def test_every_room_stands_on_one_floor():
    rooms = [room for floor in FLOORS for room in floor]
    assert len(rooms) == len(set(rooms))
    assert {"attacks", "capture", "evaluation"} <= LIBRARY
    assert not {"runs", "cli", "signs.stop_sign"} & LIBRARY


def test_the_picture_is_drawn_from_the_imports():
    assert (ROOT / "docs" / "house.svg").read_text(encoding="utf-8") == picture(ROOT)


def test_the_wheel_holds_the_package_and_no_reproduction():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["physadv"]}
