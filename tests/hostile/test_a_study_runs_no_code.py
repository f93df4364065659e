"""A study that somebody sends is data: none of the code it names runs unless the user names it too."""

import shutil

import pytest

EVIL = """
from pathlib import Path

Path("it_ran").touch()

from physadv.classifiers import load_classifier


def load():
    return load_classifier("signs")


def attack(classifier, images, labels, *, eps, generator):
    return images
"""
STUDY = """\
name = "theirs"

[images]
path = "labels.csv"
limit = 1

[models.net]
spec = "{model}"

[[runs]]
models = ["net"]
attacks = ["{attack}"]
eps = [16]
transforms = ["blur=1"]
"""
MODEL, ATTACK = "python:evil_study:load", "python:evil_study:attack"


@pytest.fixture
def folder(tmp_path, signs_csv, monkeypatch):
    """The current folder: images, a module with a function that runs when imported, and a package of it."""
    folder = shutil.copytree(signs_csv.parent, tmp_path / "sent")
    (folder / "evil_package").mkdir()
    for name in ("evil_study.py", "evil_package/__init__.py", "evil_package/module.py", "evil.pt2"):
        (folder / name).write_text(EVIL)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(physadv, folder):
    def run(model, attack, *options):
        (folder / "study.toml").write_text(STUDY.format(model=model, attack=attack))
        return physadv("run", "study.toml", "--quiet", *options)

    return run


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--only", "*"), ("--trust", "python:evil:other")])
@pytest.mark.parametrize(
    ("model", "attack", "code"),
    [
        (MODEL, "fast", MODEL),
        ("signs", ATTACK, ATTACK),
        ("python:evil_package.module:load", "fast", "python:evil_package.module:load"),
        ("signs", "python:evil_package.module:attack", "python:evil_package.module:attack"),
        ("file:evil.pt2", "fast", "file:evil.pt2"),
    ],
)
def test_code_that_a_study_names_does_not_run(run, folder, options, model, attack, code):
    error = run(model, attack, *options).error
    assert error == f"error: study.toml: names code to run, '{code}'; if you trust it: --trust '{code}'"
    assert not (folder / "it_ran").exists()


def test_all_that_has_to_be_trusted_is_said_at_once(run):
    assert f"if you trust them: --trust '{MODEL}' --trust '{ATTACK}'" in run(MODEL, ATTACK).error


def test_code_that_the_user_trusts_runs(run, folder):
    answer = run(MODEL, ATTACK, "--trust", MODEL, "--trust", ATTACK)
    assert (answer.code, answer.err) == (0, "")
    assert (folder / "it_ran").exists()
