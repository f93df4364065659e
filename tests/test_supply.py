"""What an install brings: requirements pinned within their ranges, and no GPL codec unasked."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.licences import EXTRAS, PAGE, brought_by, distribution, libraries, required

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = {
    "required": PROJECT["project"]["dependencies"],
    **{extra: PROJECT["project"]["optional-dependencies"][extra] for extra in EXTRAS},
    **PROJECT["dependency-groups"],
}
APART = PROJECT["project"]["optional-dependencies"].keys() - set(EXTRAS)


def pins(file: str) -> dict[str, str]:
    """The versions of a file of pins, after asserting that it holds nothing else, such as an address."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found = [
        re.fullmatch(r"([\w.-]+)==([\w.]+)( ; [^:]+)?", line) for line in lines if not line.startswith("#")
    ]
    assert all(found), file
    return {canonicalize_name(match[1]): match[2] for match in found if match}


@pytest.mark.parametrize("group", GROUPS)
def test_every_requirement_is_pinned_within_its_range(group):
    constraints = pins("constraints.txt")
    for requirement in map(Requirement, GROUPS[group]):
        assert constraints[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_extras_that_stand_apart_are_pinned_where_make_installs_them():
    constraints = pins("tests/extras.txt")
    for extra in APART:
        (requirement,) = map(Requirement, PROJECT["project"]["optional-dependencies"][extra])
        assert constraints[canonicalize_name(requirement.name)] in requirement.specifier


def test_make_and_the_workflow_install_every_extra_that_fits():
    extras = f".[{','.join(EXTRAS)}]"
    assert f"--editable '{extras}'" in (ROOT / "Makefile").read_text()
    assert f"--editable '{extras}'" in (ROOT / ".github" / "workflows" / "tests.yml").read_text()


def test_a_major_version_of_what_the_package_computes_with_is_no_surprise():
    unbounded = {each.name for each in required() if "<" not in str(each.specifier)}
    assert unbounded == set()


def test_no_required_wheel_has_a_gpl_codec_and_the_page_names_the_optional_one_that_does():
    inside = {name: libraries(distribution(name)) for name in brought_by(required())}
    assert [name for name, found in inside.items() if {"libx264", "libx265"} & set(found)] == []
    assert "libde265" in inside["pi-heif"]
    assert "pillow-heif" not in inside
    pyav = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| av "))
    assert "libx264, libx265" in pyav


@pytest.mark.parametrize("name", sorted(each.name for each in required()))
def test_the_page_of_licences_has_every_requirement_in_the_pinned_version(name):
    pinned = pins("constraints.txt")[canonicalize_name(name)]
    assert f"| {canonicalize_name(name)} {pinned} |" in PAGE.read_text(encoding="utf-8")
    assert version(name)
