"""Sweeps from the command line: one pass, any number of classifiers, and on after a kill."""

import json
import shutil
import sqlite3

import pytest

from physadv.pipeline import observing
from physadv.pipeline.measure import measure
from physadv.runs import Capture, Printout
from physadv.transforms.digital import FixedTransform

MODULE = """
import torch
from torch import nn
from physadv.classifiers import Classifier
from physadv.classifiers.specs import SIGN_LABELS

def chance(seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 43))
    return Classifier(network, SIGN_LABELS, "")

def one():
    return chance(1)

def never_right():
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 43))
    nn.init.zeros_(network[-1].weight)
    network[-1].bias.data = -torch.arange(43.0)
    return Classifier(network, SIGN_LABELS, "")
"""
ONE, NEVER = "python:sweep_models:one", "python:sweep_models:never_right"


@pytest.fixture
def models(tmp_path, monkeypatch):
    (tmp_path / "sweep_models.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def root(generated_root, copy_of):
    return copy_of(generated_root)


@pytest.fixture
def measured(physadv):
    def measure(root, *options):
        answer = physadv("destruction-rate", "mine", "--json", "--root", root, *options)
        assert (answer.code, answer.err) == (0, "")
        return json.loads(answer.out)

    return measure


def stored(root):
    connection = sqlite3.connect(root / "captures" / "mine" / "observations.sqlite")
    rows = connection.execute("SELECT * FROM observations").fetchall()
    connection.close()
    return rows


def test_a_sweep_is_its_transformations_one_by_one(measured, root, tmp_path):
    alone = shutil.copytree(root, tmp_path / "alone")
    swept = measured(root, "--sweep", "blur=1:3:2", "--sweep", "noise=10:40:2", "--transform", "blur=3")
    by_one = ("blur=3", "blur=1", "noise=10", "noise=40")
    assert list(swept["channels"]) == list(by_one)
    for channel in by_one:
        assert measured(alone, "--transform", channel)["channels"][channel] == swept["channels"][channel]
    assert stored(alone) == stored(root)


def test_each_transformation_is_applied_once_for_all_classifiers(root, models, monkeypatch):
    applied, read = [], []
    apply, pixels = FixedTransform.apply, Printout.pixels
    monkeypatch.setattr(
        FixedTransform, "apply", lambda self, *given: applied.append(str(self)) or apply(self, *given)
    )
    monkeypatch.setattr(Printout, "pixels", lambda self, e: read.append(e.id) or pixels(self, e))
    found = measure(
        Printout(root, "mine"), Capture(root, "mine"), sweeps=["blur=1:3:3"], models=["signs", ONE]
    )
    assert [measurement.classifier for measurement in found] == ["signs", ONE]
    assert applied == ["blur=1", "blur=2", "blur=3"]
    assert len(read) == len(set(read)) == 10


def test_a_killed_sweep_goes_on_where_it_was(measured, root, tmp_path, models, monkeypatch):
    monkeypatch.setattr(observing, "BATCH", 4)
    whole = shutil.copytree(root, tmp_path / "whole")
    asked = ("--sweep", "noise=10:40:3", "--model", "signs", "--model", ONE)
    expected = measured(whole, *asked)
    apply, left = FixedTransform.apply, iter(range(5))

    def killed(self, *given):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return apply(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(FixedTransform, "apply", killed)
        with pytest.raises(KeyboardInterrupt):
            measure(
                Printout(root, "mine"), Capture(root, "mine"), sweeps=["noise=10:40:3"], models=["signs", ONE]
            )
    # Untouched files of two batches, and three and two transformed ones, by two classifiers.
    assert len(stored(root)) == 2 * (8 + 3 * 4 + 2 * 4)
    applied = []
    monkeypatch.setattr(
        FixedTransform, "apply", lambda self, i, p: applied.append(len(i)) or apply(self, i, p)
    )
    assert measured(root, *asked) == expected
    assert applied == [4, 2, 2, 2]
    assert sorted(stored(root)) == sorted(stored(whole))
    assert measured(root, *asked) == expected
    assert applied == [4, 2, 2, 2]


def test_a_classifier_that_comes_later_is_asked_alone(root, models, monkeypatch):
    printout, capture = Printout(root, "mine"), Capture(root, "mine")
    (first,) = measure(printout, capture, sweeps=["blur=1:2:2"])
    before = {row[:6]: row for row in stored(root)}
    again, other = measure(printout, capture, sweeps=["blur=1:2:2"], models=["signs", ONE])
    assert again.channels == first.channels
    after = {row[:6]: row for row in stored(root)}
    assert len(after) == 2 * len(before)
    assert before.items() <= after.items()
    assert other.identity != first.identity


def test_no_pairs_left_is_one_clear_line_and_no_number(physadv, measured, root, models):
    asked = ("--sweep", "blur=1:2:2", "--model", NEVER)
    answer = physadv("destruction-rate", "mine", "--quiet", "--root", root, *asked)
    assert answer.code == 0
    (line,) = (
        line for line in answer.out.splitlines() if line.startswith("top-1: destruction rate undefined")
    )
    assert line.endswith("no pairs left of 5 pairs (5 clean image wrong before): blur=1, blur=2")
    assert "nan" not in answer.out.lower()
    for row in measured(root, *asked)["channels"]["blur=1"]["rows"]:
        if row["top"] == 1:
            assert row["destruction_rate"]["value"] is None
            assert row["destruction_rate"]["undefined"] == "no pairs left"
            assert row["clean_survival"]["value"] is None


def test_several_classifiers_and_runs_give_the_transfer_matrix(physadv, measured, root, models, signs_csv):
    physadv("generate", signs_csv, "--name", "other", "--model", ONE, "--quiet", "--root", root)
    asked = ("--sweep", "blur=1:2:2", "--source", "other", "--model", "signs", "--model", ONE)
    given = measured(root, *asked)
    cells = {(c["run"], c["target"], c["channel"]): c for c in given["transfer"]}
    assert set(cells) == {
        (run, target, channel)
        for run in ("mine", "other")
        for target in ("signs", ONE)
        for channel in ("none", "blur=1", "blur=2")
    }
    assert {key for key, cell in cells.items() if cell["white_box"]} == {
        key for key in cells if key[:2] in (("mine", "signs"), ("other", ONE))
    }
    tables = {(m["run"], m["classifier"]): m["channels"] for m in given["measurements"]}
    for (run, target, channel), cell in cells.items():
        if channel != "none":
            row = tables[run, target][channel]["rows"][0]
            assert cell["destruction"] == row["destruction_rate"]
            assert cell["success"] == row["success_after"]
        else:
            assert cell["success"] == tables[run, target]["blur=1"]["rows"][0]["success_before"]
            assert cell["destruction"] is None
    printed = physadv("destruction-rate", "mine", "--quiet", "--root", root, *asked).out
    assert "transfer, top-1" in printed
    assert "mine (made against signs)" in printed
    assert f"other (made against {ONE})" in printed
    assert f"by 2: judged by {ONE}" in printed


def test_calibration_compares_the_files_with_every_channel(measured, root):
    calibration = measured(root, "--transform", "blur=2")["calibration"]
    assert list(calibration) == ["none", "blur=2"]
    for kinds in calibration.values():
        for kind in ("clean", "adversarial"):
            found = kinds[kind]
            assert sum(within["accuracy"]["n"] for within in found["bins"]) == found["accuracy"]["n"] == 5
            assert 0 <= found["ece"] <= 1
    manifest = Printout(root, "mine").manifest()
    sure = [example.digital[0].probability for example in manifest.examples if example.kind == "clean"]
    assert calibration["none"]["clean"]["confidence"]["value"] == pytest.approx(sum(sure) / 5, abs=1e-5)


def test_a_pose_that_puts_the_picture_behind_the_camera_is_refused_before_anything_is_read(physadv, root):
    error = physadv("destruction-rate", "mine", "--sweep", "viewpoint=distance:0.1:1:3", "--root", root).error
    assert "distance is out of range" in error
    assert not (root / "captures").exists()


def test_memory_of_a_batch_is_let_go(root, monkeypatch):
    """Only one batch's images are alive at a time."""
    import weakref

    monkeypatch.setattr(observing, "BATCH", 2)
    made: list[weakref.ref] = []
    to_tensor = observing.to_tensor

    def noted(pixels):
        assert sum(ref() is not None for ref in made) <= 1
        images = to_tensor(pixels)
        made.append(weakref.ref(images))
        return images

    monkeypatch.setattr(observing, "to_tensor", noted)
    measure(Printout(root, "mine"), Capture(root, "mine"), sweeps=["blur=1:2:2"])
    assert len(made) == 5
