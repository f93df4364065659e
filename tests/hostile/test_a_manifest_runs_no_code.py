"""A run that somebody sends is data: measuring it runs none of its sender's code unless the user names it."""

import json
import shlex
import shutil
import sys

import pytest

from physadv import Run
from physadv.runs import RunError

EVIL = """
from pathlib import Path

from physadv.classifiers import load_classifier

Path("it_ran").touch()


def load():
    return load_classifier("signs")
"""
SPEC = "python:evil:load"
COMMANDS = [
    ("destruction-rate", "mine", "--transform", "blur=1"),
    ("destruction-rate", "mine", "--source", "theirs", "--transform", "blur=1"),
    ("report", "mine", "--transform", "blur=1"),
    ("compare", "mine", "theirs", "--transform", "blur=1"),
]


@pytest.fixture
def root(cropped_root, copy_of, monkeypatch):
    """Two runs whose manifests name a function in the current folder as their classifier."""
    root = copy_of(cropped_root)
    shutil.copytree(root / "printouts" / "mine", root / "printouts" / "theirs")
    for name in ("mine", "theirs"):
        path = root / "printouts" / name / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["name"], manifest["classifier"]["spec"] = name, SPEC
        path.write_text(json.dumps(manifest))
    (root / "evil.py").write_text(EVIL)
    sys.modules.pop("evil", None)
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("command", COMMANDS)
def test_code_that_a_manifest_names_does_not_run(physadv, root, command):
    error = physadv(*command, "--quiet").error
    assert f"was made against '{SPEC}', which is code; if you trust it, name it: --model '{SPEC}'" in error
    assert not (root / "it_ran").exists()


def test_the_command_that_comes_next_names_the_code_and_runs_as_it_stands(physadv, root, monkeypatch):
    monkeypatch.chdir(root.parent)
    monkeypatch.syspath_prepend(root)
    answer = physadv("crop", "mine", "--workers", 1, "--root", root.name, "--quiet")
    for step in ("destruction-rate", "report"):
        *_, last = answer.out.splitlines()
        assert last == f"next: physadv {step} mine --model {SPEC} --root {root.name}"
        answer = physadv(*shlex.split(last)[2:], "--quiet")
        assert (answer.code, answer.err) == (0, "")
    assert f"physadv report mine --model {SPEC}" in (root / "captures/mine/report.html").read_text()


@pytest.mark.parametrize(
    "command",
    [
        ("print", "mine"),
        ("photograph", "mine"),
        ("photograph", "mine", "--simulate", "--shots", 1, "--workers", 1),
        ("crop", "mine", "--workers", 1),
        ("export", "mine"),
    ],
)
def test_commands_that_ask_no_classifier_load_none(physadv, root, command):
    physadv(*command, "--quiet")
    assert not (root / "it_ran").exists()


def test_a_notebook_loads_none_that_it_was_not_given(root):
    with pytest.raises(RunError, match=f"was made against '{SPEC}', which is code; if you trust it, name it"):
        Run.open("mine").measure(["blur=1"])
    assert not (root / "it_ran").exists()


@pytest.mark.parametrize("spec", ["file:evil.pt2", "python:evil:load"])
def test_a_program_is_code_too(physadv, root, spec):
    path = root / "printouts" / "mine" / "manifest.json"
    path.write_text(path.read_text().replace(SPEC, spec))
    assert f"--model '{spec}'" in physadv("destruction-rate", "mine", "--transform", "blur=1", "-q").error


def test_code_that_the_user_names_runs_and_the_page_names_it_too(physadv, root):
    answer = physadv("report", "mine", "--transform", "blur=1", "--model", SPEC, "--quiet")
    assert answer.code == 0
    assert (root / "it_ran").exists()
    page = (root / "captures" / "mine" / "report.html").read_text()
    assert f"--model {SPEC}" in page
