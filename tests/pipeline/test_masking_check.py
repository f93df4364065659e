"""The masking check on a classifier whose gradients lead, and on the same one with its gradients masked."""

import json
import shutil
from pathlib import Path

import pytest

MODELS = """
from torch import nn

from physadv.classifiers import load_classifier


class Masked(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.signs, self.before, self.after = load_classifier("signs").network, before, after

    def forward(self, images):
        return self.after(self.signs(self.before(images)))


def quantised():
    return Masked(lambda images: (images * 7).round() / 7, lambda logits: logits)


def saturated():
    return Masked(lambda images: images, lambda logits: 1e4 * logits)


def numpy_only():
    return Masked(lambda images: images, lambda logits: logits.detach())
"""
QUICK = ("--size", 32, "--limit", 6, "--steps", 10, "--query-steps", 1, "--population", 2, "--noise", 2)


@pytest.fixture
def check(physadv, signs_folder, tmp_path, monkeypatch):
    """Runs the command on six of seven pictures without labels, in a folder that has the masked models."""
    (tmp_path / "masked.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    for copy, picture in enumerate((sorted(signs_folder.glob("*.png"))[:3] * 3)[:7]):
        (tmp_path / "images").mkdir(exist_ok=True)
        shutil.copy(picture, tmp_path / "images" / f"{copy}.png")
    return lambda *options: physadv("masking-check", "images", *QUICK, "--quiet", *options)


def test_gradients_of_the_bundled_classifier_do_not_mislead(check, tmp_path):
    answer = check("--limit", 7, "--json", "--plot", "curve.svg")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert found["verdict"].startswith("no sign")
    assert [share["n"] for share in found["attacks"].values()] == [7, 7, 7]
    assert list(found["iterative"]) == ["1", "2", "5", "10"]
    starts = found["restarts"]
    assert list(starts) == ["1", "2", "5"]
    assert starts["1"] == found["iterative"]["10"]
    assert starts["1"]["value"] >= starts["2"]["value"] >= starts["5"]["value"]
    assert found["unbounded"]["10"]["value"] == 0
    assert found["queries"] == 3
    assert "<svg" in (tmp_path / "curve.svg").read_text()


@pytest.mark.parametrize("model", ["quantised", "saturated"])
def test_masked_gradients_are_flagged(check, model):
    out = check("--model", f"python:masked:{model}").out
    assert "SEEN: without a bound not every image breaks (6 of 6 images still right)" in out
    assert "SEEN: more steps do not help (10 steps raised the loss of 0 of 6 images left)" in out
    assert "verdict: gradients mislead" in out


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--model", "python:masked:numpy_only"), "passes no gradient back"),
        (("--steps", 0), "steps 0: wanted 1 or more"),
        (("--query-steps", 0), "query_steps 0"),
        (("--restarts", 0), "restarts 0: wanted 1 or more"),
        (("--noise", -1), "noise -1"),
        (("--limit", 0), "limit 0"),
        (("--batch", 0), "batch 0"),
        (("--size", 0), "size 0"),
        (("--eps", 0), "eps 0: wanted a whole number of 8-bit levels"),
        (("--population", 3), "population 3: wanted an even number"),
        (("--sigma", 0), "sigma is 0"),
        (("--smallest", 100), "smallest difference 100 points: wanted 0 or more, below 100"),
        (("--plot", "curve.bmp"), "curve.bmp: wanted a name that ends in .pdf, .png, .svg"),
    ],
)
def test_bad_input_is_one_line(check, options, line):
    assert line in check(*options).error


def test_without_an_image_that_is_right_there_is_nothing_to_check(physadv, signs_csv, tmp_path):
    (tmp_path / "wrong.csv").write_text(f"path,label\n{signs_csv.parent / '0.png'},no vehicles\n")
    answer = physadv("masking-check", tmp_path / "wrong.csv", "--quiet")
    assert "wrong.csv: signs gets none of 1 images right" in answer.error


def test_six_images_are_too_few_for_a_verdict(check):
    out = check("--limit", 6, "--smallest", 5).out
    assert "verdict: too few to say: 6 images, at least 7" in out
    assert "symptoms, differences of interest from 5 points on:" in out


def test_an_image_has_failed_once_any_start_broke_it():
    import numpy as np
    import torch

    from physadv.pipeline.masking_attacks import _Batch
    from physadv.pipeline.settings import MaskingSettings

    settings = MaskingSettings(Path(), "signs", steps=4, restarts=6)
    batch = _Batch(None, torch.zeros(5, 3, 8, 8), torch.arange(5), settings, 0)  # type: ignore[arg-type]
    breaks = {0: [], 1: [2], 2: [], 3: [0, 4], 4: [1], 5: []}
    asked = []

    def by_gradients(self, ball, restart=0):
        asked.append(self.labels.tolist())
        return {4: np.array([label not in breaks[restart] for label in self.labels.tolist()])}, None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Batch, "by_gradients", by_gradients)
        curve = batch.by_restarts(np.ones(5, bool))
    assert {starts: np.flatnonzero(right).tolist() for starts, right in curve.items()} == {
        1: [0, 1, 2, 3, 4],
        2: [0, 1, 3, 4],
        5: [3],
        6: [3],
    }
    assert asked == [[0, 1, 2, 3, 4], [0, 1, 3, 4], [0, 1, 3, 4], [1, 3], [3]]
