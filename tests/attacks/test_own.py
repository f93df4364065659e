"""Attacks of the user's own: found by name, called by one convention, checked, recorded and judged."""

import hashlib
from textwrap import dedent

import pytest
import torch

from physadv.attacks import AttackError, find_recipe
from physadv.runs import Printout
from physadv.transforms import parse_transform

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
SOURCE = """
    import torch

    def brighter(classifier, images, labels, *, eps, generator):
        assert labels.dtype == torch.int64
        images += 0.88 * eps
        return images.clamp(0, 1)

    def noise(classifier, images, labels, *, eps, generator):
        return (images + eps * (2 * torch.rand(images.shape) - 1)).clamp(0, 1)

    def survivor(classifier, images, labels, *, eps, generator, distribution, samples=1):
        draw = distribution.sample(samples * len(images), generator)
        assert len(distribution.apply(images.repeat(samples, 1, 1, 1), draw)) == samples * len(images)
        return images

    def silent(classifier, images, labels, *, eps, generator): return None
    def small(classifier, images, labels, *, eps, generator): return images[..., 1:]
    def whole(classifier, images, labels, *, eps, generator): return (images * 255).byte()
    def endless(classifier, images, labels, *, eps, generator): return images / 0
    def levels(classifier, images, labels, *, eps, generator): return 0.5 + images * 254
    def strong(classifier, images, labels, *, eps, generator): return 1 - images
    def broken(classifier, images, labels, *, eps, generator): raise ValueError("no idea")
    seven = 7
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The current folder has a module of attacks; returns the spec of one of them."""
    text = dedent(SOURCE)
    module = f"own_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    return lambda function: f"python:{module}:{function}"


def test_the_result_is_rounded_within_eps_and_the_images_given_are_not_touched(
    own, tiny_classifier, tiny_images
):
    before = tiny_images.clone()
    adversarial = find_recipe(own("brighter")).run(tiny_classifier, tiny_images, LABELS, eps=5 / 255)
    assert torch.equal(tiny_images, before)
    wanted = (before * 255 + 4).round().clamp(max=255)
    assert torch.equal((adversarial * 255).round(), wanted)


def test_a_seed_repeats_even_what_is_drawn_without_the_generator(own, tiny_classifier, tiny_images):
    def attack(seed):
        generator = torch.Generator().manual_seed(seed)
        recipe = find_recipe(own("noise"))
        return recipe.run(tiny_classifier, tiny_images, LABELS, eps=8 / 255, generator=generator)

    assert torch.equal(attack(0), attack(0))
    assert not torch.equal(attack(0), attack(1))


def test_options_reach_a_function_that_has_parameters_for_them(own, tiny_classifier, tiny_images):
    options = {"distribution": parse_transform("noise=10"), "samples": 3, "eps": 8 / 255}
    run = find_recipe(own("survivor")).run
    assert torch.equal(run(tiny_classifier, tiny_images, LABELS, **options), tiny_images)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        ("silent", "returned NoneType; wanted a float tensor (6, 3, 8, 8)"),
        ("small", "returned torch.float32 (6, 3, 8, 7); wanted a float tensor (6, 3, 8, 8)"),
        ("whole", "returned torch.uint8 (6, 3, 8, 8); wanted a float tensor"),
        ("endless", "returned values that are not finite"),
        ("levels", "returned values from 0.5 to 254.5; wanted [0, 1]"),
        ("strong", "returned a change of 255.0 8-bit levels; wanted eps, 8, at most"),
        ("broken", "ValueError: no idea"),
        ("seven", "is a int; wanted a function"),
        ("eight", "has no attribute 'eight'"),
    ],
)
def test_what_is_wrong_with_a_function_is_one_line(own, tiny_classifier, tiny_images, function, line):
    with pytest.raises(AttackError) as caught:
        find_recipe(own(function)).run(tiny_classifier, tiny_images, LABELS, eps=8 / 255)
    assert line in str(caught.value)
    assert own(function) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"targets": (LABELS + 1) % 4},
        {"steps": 3},
        {"samples": 2},
        {"distribution": parse_transform("noise=10")},
        {"goal": lambda pictures: LABELS > 0},
    ],
)
def test_options_that_it_cannot_take_are_refused(own, tiny_classifier, tiny_images, options):
    (name,) = options
    with pytest.raises(AttackError, match=rf"brighter' takes no {name}; leave it out"):
        find_recipe(own("brighter")).run(tiny_classifier, tiny_images, LABELS, eps=8 / 255, **options)


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("python:mine", "wanted python:module:function"),
        ("python:not_there:attack", "no module not_there here or among the installed packages"),
        ("python:not.there:attack", "No module named 'not'"),
    ],
)
def test_a_module_that_is_not_there_is_one_line(spec, line):
    with pytest.raises(AttackError) as caught:
        find_recipe(spec)
    assert line in str(caught.value)


def test_a_run_by_an_attack_of_ones_own_is_recorded_and_judged(physadv, own, signs_csv, tmp_path):
    made = ("generate", signs_csv, "--limit", 2, "--eps", 7, "--quiet", "--root", tmp_path)
    assert physadv(*made, "--name", "mine", "--attack", own("brighter")).code == 0
    attack = Printout(tmp_path, "mine").manifest().attack
    source = next(tmp_path.glob("own_*.py")).read_bytes()
    assert (attack.name, attack.eps) == (own("brighter"), 7)
    assert attack.parameters["source_sha256"] == hashlib.sha256(source).hexdigest()
    assert physadv("destruction-rate", "mine", "--transform", "jpeg=50", "--root", tmp_path).code == 0
    assert physadv(*made, "--name", "mine", "--attack", own("brighter")).code == 0
    file = next(tmp_path.glob("own_*.py"))
    file.write_text(f"{file.read_text()}# another file now\n")
    changed = physadv(*made, "--name", "mine", "--attack", own("brighter"))
    assert "holds a run with other settings" in changed.error

    refused = physadv(*made, "--name", "aimed", "--attack", own("brighter"), "--target", "yield")
    assert "takes no targets; leave it out" in refused.error
    assert own("broken") in physadv(*made, "--name", "broken", "--attack", own("broken")).error
    assert "takes no area" in physadv(*made, "--name", "area", "--attack", own("noise"), "--area", 0.1).error
    lines = physadv("list", "attacks").out
    assert "python:module:function" in lines
