"""Imports by name: a package's names when they are first used, a user's function."""

import sys

import pytest

from physadv.errors import PhysadvError
from physadv.importing import lazy_names, own_function

INIT = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from lazy_package.dear import price
"""


def test_a_name_is_imported_when_it_is_first_used(tmp_path, monkeypatch):
    folder = tmp_path / "lazy_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(INIT)
    (folder / "dear.py").write_text("price = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    package = __import__("lazy_package")
    get, names = lazy_names("lazy_package")
    assert "price" in names()
    assert "lazy_package.dear" not in sys.modules
    assert get("price") == package.price == 7
    with pytest.raises(AttributeError, match="no attribute 'worth'"):
        get("worth")


def test_a_function_of_the_current_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "found_here.py").write_text("def seven():\n    return 7\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert own_function("attack", "python:found_here:seven", PhysadvError)() == 7
    assert sys.path == before


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("python:one", "attack 'python:one': wanted python:module:function"),
        (
            "python:not_there:f",
            "attack 'python:not_there:f': ModuleNotFoundError: No module named 'not_there'",
        ),
        ("python:json:f", "attack 'python:json:f': AttributeError: module 'json' has no attribute 'f'"),
    ],
)
def test_what_cannot_be_imported_is_one_line(spec, line):
    with pytest.raises(PhysadvError) as caught:
        own_function("attack", spec, PhysadvError)
    assert str(caught.value) == line
