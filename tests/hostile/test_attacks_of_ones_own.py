"""Attacks of the user's own, and arguments of attacks, that would do harm or mean nothing."""

from textwrap import dedent

import pytest
import torch

from physadv import attacks
from physadv.attacks import AttackError, find_recipe
from physadv.classifiers import ClassifierError, load_classifier
from physadv.transforms import identity, parse_transform

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
SOURCE = """
    import sys, torch

    def zero(classifier, images, labels, *, eps, generator):
        for weight in classifier.parameters():
            weight.data.zero_()
        return images

    def train(classifier, images, labels, *, eps, generator):
        classifier.train().requires_grad_(True)
        return images

    def replace(classifier, images, labels, *, eps, generator):
        layer = classifier.network[-1]
        layer.weight = torch.nn.Parameter(torch.zeros_like(layer.weight))
        return images

    def rebuild(classifier, images, labels, *, eps, generator):
        classifier.network = torch.nn.Linear(1, 1)
        return images

    def patch(classifier, images, labels, *, eps, generator):
        classifier.forward = lambda images: torch.zeros(len(images), 4)
        return images

    def patch_network(classifier, images, labels, *, eps, generator):
        classifier.network.forward = lambda images: torch.zeros(len(images), 4)
        return images

    def patch_class(classifier, images, labels, *, eps, generator):
        type(classifier).forward = lambda self, images: torch.zeros(len(images), 4)
        return images

    def hook(classifier, images, labels, *, eps, generator):
        classifier.network.register_forward_hook(lambda module, given, logits: logits * 0)
        return images

    def defaults(classifier, images, labels, *, eps, generator, samples=3, distribution="mine", steps=7):
        assert (samples, distribution, steps) == (3, "mine", 7)
        return images

    def given(classifier, images, labels, *, eps, generator, samples=3, distribution="mine", steps=7):
        assert (samples, steps) == (2, 5) and distribution != "mine"
        return images

    def leave(classifier, images, labels, *, eps, generator): sys.exit(0)
    def sparse(classifier, images, labels, *, eps, generator): return images.to_sparse()
    def meta(classifier, images, labels, *, eps, generator): return images.to("meta")
    get = getattr
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The current folder has a module of attacks; returns the spec of one of them."""
    module = f"hostile_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(dedent(SOURCE))
    (tmp_path / "leaves_at_once.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.chdir(tmp_path)
    return lambda function: f"python:{module}:{function}"


@pytest.mark.parametrize(
    "function", ["zero", "train", "replace", "rebuild", "patch", "patch_network", "patch_class", "hook"]
)
def test_a_classifier_is_given_back_as_it_was(own, tiny_classifier, tiny_images, function):
    before = tiny_classifier(tiny_images)
    find_recipe(own(function)).run(tiny_classifier, tiny_images, LABELS, eps=8 / 255)
    assert torch.equal(tiny_classifier(tiny_images), before)
    assert not any(module.training for module in tiny_classifier.modules())
    assert not any(weight.requires_grad for weight in tiny_classifier.parameters())


def test_defaults_of_a_function_hold_unless_options_are_given(own, tiny_classifier, tiny_images):
    usual = {"samples": 1, "distribution": identity, "steps": None}
    find_recipe(own("defaults")).run(tiny_classifier, tiny_images, LABELS, eps=8 / 255, **usual)
    find_recipe(own("defaults")).run(tiny_classifier, tiny_images, LABELS, eps=8 / 255)
    options = {"samples": 2, "distribution": parse_transform("noise=10"), "steps": 5}
    find_recipe(own("given")).run(tiny_classifier, tiny_images, LABELS, eps=8 / 255, **options)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        ("leave", "SystemExit: 0"),
        ("sparse", "of layout torch.sparse_coo; wanted a float tensor (6, 3, 8, 8), dense"),
        ("meta", "a tensor on meta"),
        ("get", "does not say its parameters"),
    ],
)
def test_what_a_function_does_wrong_is_one_line(own, tiny_classifier, tiny_images, function, line):
    with pytest.raises(AttackError) as caught:
        find_recipe(own(function)).run(tiny_classifier, tiny_images, LABELS, eps=8 / 255)
    assert line in str(caught.value)
    assert own(function) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_that_exits_is_an_error(own):
    with pytest.raises(AttackError, match="leaves_at_once:f': SystemExit: 0"):
        _ = find_recipe("python:leaves_at_once:f").run
    with pytest.raises(ClassifierError, match="leaves_at_once:f': SystemExit: 0"):
        load_classifier("python:leaves_at_once:f")
    module = own("leave").split(":")[1]
    with pytest.raises(AttackError, match=f"wanted the module's name, python:{module}:leave"):
        find_recipe(f"python:{module}.py:leave")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (None, "attack None; wanted a name"),
        ("mine:attack", "a function of your own is python:mine:attack"),
    ],
)
def test_a_name_of_no_attack_is_one_line(name, line):
    with pytest.raises(AttackError, match=line):
        find_recipe(name)


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("pgd", {"eps": 8 / 255, "step": 3}, "unknown option 'step'; nearest: steps"),
        ("cw_l2", {"eps": 8 / 255}, "this attack takes no eps; leave it out"),
        ("pgd", {"eps": 8 / 255, "area": 0.1}, "this attack takes no area; leave it out"),
        ("cw_l2", {"search": 3}, "unknown option 'search'; nearest: searches"),
        ("rp2", {"smooth": 3}, "unknown option 'smooth'; nearest: smoothness"),
        ("universal_patch", {"batch": 3}, "unknown option 'batch'"),
        ("jsma", {"callbacks": print}, "unknown option 'callbacks'; nearest: callback"),
        ("pgd", {"eps": "16"}, "eps is '16'; wanted a fraction of the pixel range"),
        ("pgd_l2", {"eps": "16"}, "eps is '16'; wanted a positive Euclidean radius"),
        ("bim", {"eps": 8 / 255, "steps": 2.0}, "steps is 2.0; wanted a whole number"),
        ("bim", {"eps": 8 / 255, "samples": None}, "samples is None; wanted a whole number"),
        ("bim", {"eps": 8 / 255, "generator": 42}, "generator is 42; wanted a torch.Generator"),
        ("eot", {"eps": 8 / 255, "distribution": "print-photo"}, "is 'print-photo'; wanted a transformation"),
        ("bim", {"eps": 8 / 255, "callback": 3}, "callback is 3; wanted a function"),
        ("bim", {"eps": 8 / 255, "resume": {}}, "resume is {}; wanted a Snapshot"),
        ("bim", {"eps": 8 / 255, "targets": 2}, "targets are a int; wanted a tensor, torch.int64 (6,)"),
        ("bim", {"eps": 8 / 255, "labels": [0] * 6}, "labels are a list; wanted a tensor"),
        ("bim", {"eps": 8 / 255, "images": None}, "images are a NoneType; wanted a float tensor"),
        (
            "bim",
            {"eps": 8 / 255, "classifier": "signs"},
            "classifier is a str; wanted one of load_classifier's",
        ),
        ("bim", {"eps": 8 / 255, "classifier": torch.nn.Flatten()}, "classifier is a Flatten; wanted"),
        ("rp2", {"mask": torch.ones(8, 8), "printability": -1.0}, "printability is -1; wanted 0 or more"),
        (
            "rp2",
            {"mask": torch.ones(8, 8), "smoothness": float("nan")},
            "smoothness is nan; wanted 0 or more",
        ),
    ],
)
def test_arguments_that_mean_nothing_are_one_line(tiny_classifier, tiny_images, name, options, line):
    function = getattr(attacks, name, None) or find_recipe(name).run
    given = {"classifier": tiny_classifier, "images": tiny_images, "labels": LABELS}
    with pytest.raises(AttackError) as caught:
        function(**given | options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"target": "stop"}, "target 'stop': wanted a class index of the classifier"),
        ({"target": 99}, "target 99: wanted a class index of the classifier"),
        ({"area": 2}, "patch area 2 to 2: wanted shares of the image"),
        ({"area": "all"}, "patch area 'all': wanted two shares"),
        ({"classifier": "signs"}, "classifier is a str; wanted a function of images"),
        ({"size": 3.5}, "size is 3.5; wanted a whole number"),
        ({"step": 3}, "unknown option 'step'; nearest: steps"),
    ],
)
def test_arguments_of_a_patch_that_mean_nothing_are_one_line(tiny_classifier, tiny_images, options, line):
    with pytest.raises(AttackError, match=line):
        attacks.patch(**{"classifier": tiny_classifier, "backgrounds": tiny_images, "target": 1} | options)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: attacks.SignedStep(float("nan")), "size is nan; wanted"),
        (lambda: attacks.NormalisedStep(0.0), "size is 0; wanted"),
        (lambda: attacks.MomentumSign(-1.0), "size is -1; wanted"),
        (lambda: attacks.LInfBall(torch.zeros(1, 3, 2, 2), 8 / 255), "wanted whole 8-bit levels, 1 to 255"),
        (lambda: attacks.LInfBall(torch.zeros(1, 3, 2, 2), 256), "eps is 256; wanted whole 8-bit levels"),
        (lambda: attacks.L2Ball(torch.zeros(1, 3, 2, 2), -3), "eps is -3; wanted a positive"),
        (lambda: attacks.circle(0), "size is 0; wanted at least 1"),
        (lambda: attacks.circle(1.5), "size is 1.5; wanted a whole number"),
        (lambda: attacks.square(-1), "size is -1; wanted at least 1"),
        (lambda: attacks.bars(0, 0), "height is 0; wanted at least 1"),
        (lambda: attacks.Placement(2.0), "patch area 2.0: wanted two shares"),
    ],
)
def test_parts_of_an_attack_that_mean_nothing_are_one_line(make, line):
    with pytest.raises(AttackError, match=line):
        make()


def test_a_module_is_no_name_of_a_classifier():
    with pytest.raises(ClassifierError, match="model is a Flatten; wanted a name"):
        load_classifier(torch.nn.Flatten())
