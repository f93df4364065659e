"""Attacks on classifiers that only answer, by the command line."""

import pytest

from physadv.pipeline.measure import measure
from physadv.report.provenance import commands
from physadv.runs import Capture, Printout

NUMPY_MODEL = """
import numpy as np
import torch


class Linear(torch.nn.Module):
    def forward(self, images):
        means = np.stack([images.numpy()[:, k].mean(axis=(1, 2)) * 10 for k in (0, 1)], axis=1)
        return torch.from_numpy(means)


def make():
    return Linear()
"""


@pytest.fixture
def numpy_model(tmp_path, monkeypatch):
    """A spec of a classifier that numpy works out, in the current folder."""
    (tmp_path / "only_answers.py").write_text(NUMPY_MODEL)
    monkeypatch.chdir(tmp_path)
    return "python:only_answers:make"


@pytest.fixture
def generate(physadv, signs_csv, tmp_path):
    def run(*options):
        fixed = ("--name", "mine", "--size", 32, "--limit", 2, "--root", tmp_path, "--quiet")
        return physadv("generate", signs_csv, *fixed, *options)

    return run


def test_a_classifier_that_numpy_works_out_is_less_sure_of_every_image(
    physadv, signs_folder, numpy_model, tmp_path
):
    fixed = ("--name", "mine", "--size", 32, "--limit", 2, "--root", tmp_path, "--quiet")
    images = signs_folder
    assert physadv("generate", images, *fixed, "--model", numpy_model, "--query-only").code == 0
    for clean, adversarial in Printout(tmp_path, "mine").manifest().pairs():
        sure = {seen.label: seen.probability for seen in adversarial.digital}
        assert sure[clean.label] < clean.digital[0].probability - 0.01


def test_a_classifier_without_gradients_is_one_line(physadv, signs_folder, numpy_model, tmp_path):
    images = signs_folder
    answer = physadv("generate", images, "--name", "mine", "--model", numpy_model, "--root", tmp_path, "-q")
    assert f"model '{numpy_model}' passes no gradient back; it needs --query-only" in answer.error


def test_queries_are_counted_and_told(generate, tmp_path):
    """Two steps of two samples: each sample one answer for its loss and ten for its gradient."""
    options = ("--query-only", "--estimate", "nes=10", "--attack", "eot", "--samples", 2, "--steps", 2)
    answer = generate(*options)
    assert "queries: 88, 44.0 an image" in answer.out
    recorded = Printout(tmp_path, "mine").manifest().attack.parameters
    assert (recorded["estimate"], recorded["sigma"]) == ("nes=10", 0.255)
    assert (recorded["queries_asked"], recorded["queries_per_image"]) == (88, 44)


def test_a_budget_pays_for_as_many_steps_as_it_can(generate, tmp_path):
    answer = generate("--query-only", "--estimate", "nes=10", "--queries", 40, "--sigma", 2)
    assert "queries: 66, 33.0 an image" in answer.out
    assert Printout(tmp_path, "mine").manifest().attack.parameters["sigma"] == 2


def test_the_command_that_remakes_it_asks_alike(generate, physadv, tmp_path):
    assert generate("--query-only", "--estimate", "nes=4", "--queries", 5).code == 0
    measured = measure(Printout(tmp_path, "mine"), Capture(tmp_path, "mine"), transforms=["blur=1"])
    command = commands(measured)[0]
    assert all(option in command for option in ("--query-only", "--estimate nes=4", "--queries 5"))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--queries", 100), "sigma and queries are of estimated gradients: wanted --query-only with them"),
        (("--sigma", 1), "wanted --query-only with them"),
        (("--estimate", "nes"), "estimate 'nes': wanted --query-only with it"),
        (("--query-only", "--queries", 50), "queries 50: one step takes 51; wanted as many or more"),
        (("--query-only", "--queries", 0), "queries 0: one step takes 51"),
        (("--query-only", "--queries", 99, "--steps", 2), "queries 99 and steps 2: wanted one of them"),
        (("--query-only", "--queries", 99, "--attack", "cw-l2"), "queries 99: cw-l2 does not ask a fixed"),
        (("--query-only", "--estimate", "nse"), "nes"),
        (("--query-only", "--estimate", "nes=7"), "population 7: wanted an even number of queries"),
        (("--query-only", "--estimate", "nes=-2"), "nes=POPULATION"),
        (("--query-only", "--sigma", 0), "sigma is 0; wanted a fraction of the pixel range"),
        (("--query-only", "--sigma", 200), "above 0 and below 0.5"),
    ],
)
def test_bad_queries_are_one_line(generate, tmp_path, options, line):
    assert line in generate(*options).error
    assert not (tmp_path / "printouts" / "mine" / "manifest.json").exists()
