"""A store that somebody sends is data: what it holds is checked when it is read, and nothing in it runs."""

import sqlite3
from contextlib import closing

import pytest
from torch import nn

from physadv.classifiers import Classifier, ClassifierError, load_classifier
from physadv.pipeline.measure import measure
from physadv.runs import Capture, Printout

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT"


@pytest.fixture
def edited(copy_of, cropped_root, physadv):
    """A copy of the run whose store a script has changed."""

    def edited(script):
        root = copy_of(cropped_root)
        assert physadv("destruction-rate", "mine", "--quiet", "--root", root).code == 0
        with closing(sqlite3.connect(root / "captures" / "mine" / "observations.sqlite")) as connection:
            connection.executescript(script)
        return root

    return edited


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (f"DROP TABLE photos; CREATE VIEW photos AS {ENDLESS} 1 AS name FROM c", "the view 'photos'"),
        ("CREATE TRIGGER t AFTER INSERT ON crops BEGIN DELETE FROM photos; END", "the trigger 't'"),
        ("UPDATE photos SET status = 'perfect'", "PhotoRow 'sheet-001-shot-1.jpg': "),
        ("UPDATE photos SET delta_e = '[[['", "PhotoRow 'sheet-001-shot-1.jpg': "),
        (f"UPDATE photos SET delta_e = '{'[' * 50_000}'", "delta_e is no list"),
        ("UPDATE crops SET corners_px = '{}'", "CropRow 'sheet-001-shot-1.jpg': "),
        ("UPDATE observations SET example = 'another' WHERE example = '0001-clean'", "answers on 'another'"),
        ("UPDATE observations SET photo = 'another' WHERE channel = 'photo'", "which is no example or crop"),
        ("UPDATE observations SET probabilities = '[null]'", "that are no probabilities"),
        ("UPDATE observations SET probabilities = '[-2]'", "that are no probabilities"),
        ("UPDATE observations SET probabilities = '[-0.01]'", "that are no probabilities"),
        ("UPDATE observations SET probabilities = '[1.5]'", "that are no probabilities"),
        ("UPDATE observations SET labels = '[]'", "that are no probabilities"),
    ],
)
@pytest.mark.parametrize("command", ["destruction-rate", "report"])
def test_what_cannot_be_is_one_line(physadv, edited, script, cause, command):
    root = edited(script)
    error = physadv(command, "mine", "--quiet", "--root", root).error
    assert "observations.sqlite: not a usable observation store (" in error
    assert cause in error


def test_an_answer_that_no_classifier_gave_is_in_no_gallery(physadv, edited):
    root = edited("UPDATE observations SET labels = '[99, 1, 2, 3, 4]' WHERE channel = 'photo'")
    error = physadv("report", "mine", "--quiet", "--root", root).error
    assert "that are none of the classifier's" in error


@pytest.mark.parametrize("command", ["crop", "destruction-rate", "report", "export"])
def test_a_version_that_never_was_is_one_line(physadv, edited, command):
    root = edited("PRAGMA user_version = -7")
    error = physadv(command, "mine", "--root", root).error
    assert "observations.sqlite: not a usable observation store (it has the version -7)" in error


def test_an_answer_on_another_example_is_not_exported(physadv, edited):
    root = edited("UPDATE observations SET example = 'another' WHERE example = '0001-clean'")
    error = physadv("export", "mine", "--format", "csv", "--root", root).error
    assert "not a usable observation store (answers on 'another'" in error


@pytest.mark.parametrize(
    "options", [(), ("--transform", "nonsense=1"), ("--transform", "blur=1", "--model", "signs@gone.pt")]
)
def test_what_is_refused_leaves_no_empty_store(physadv, printed_root, copy_of, options):
    root = copy_of(printed_root)
    assert physadv("destruction-rate", "mine", *options, "--quiet", "--root", root).error
    assert not (root / "captures" / "mine" / "observations.sqlite").exists()


def test_a_classifier_that_fails_when_asked_leaves_no_empty_store(printed_root, copy_of):
    network = nn.Module()
    network.forward = lambda images: images.mean(dim=(2, 3)) / 0
    root = copy_of(printed_root)
    printout, capture = Printout(root, "mine"), Capture(root, "mine")
    bad = Classifier(network, [str(index) for index in range(43)], "mine")
    bad.labels = load_classifier("signs").labels
    with pytest.raises(ClassifierError):
        measure(printout, capture, transforms=["blur=1"], models=[bad])
    assert not capture.store_path.exists()
    with capture.store() as store, pytest.raises(RuntimeError):
        raise RuntimeError
    assert capture.store_path.exists()
    assert store.path == capture.store_path


def test_a_seed_that_no_store_holds_is_one_line(physadv, cropped_root, copy_of):
    root = copy_of(cropped_root)
    options = ["--transform", "blur=1", "--seed", 2**64, "--quiet", "--root", root]
    error = physadv("destruction-rate", "mine", *options).error
    assert "observations.sqlite: a number is too large to store; give a seed below 2^63" in error
