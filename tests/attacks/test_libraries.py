"""Attacks of foolbox and torchattacks: 8-bit, within the budget, aimed where they can be."""

import sys
import warnings
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from physadv.attacks import AttackError, find_recipe
from physadv.attacks.outside import LibraryAttack
from physadv.attacks.recipes import LIBRARIES
from physadv.classifiers import Classifier
from physadv.runs import Printout
from physadv.transforms import parse_transform

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
needs = {
    "foolbox": pytest.mark.skipif(find_spec("foolbox") is None, reason="needs foolbox"),
    "torchattacks": pytest.mark.extras("torchattacks"),
}


def attack_of(name, *row):
    return pytest.param(name, *row, marks=needs[name.partition(":")[0]])


def run(name, classifier, images, labels=LABELS, eps=None, **options):
    recipe = find_recipe(name)
    return recipe.run(classifier, images, labels, **recipe.budget(eps, None), **options)


def levels(images):
    return (images * 255).round()


@pytest.mark.parametrize(
    "name", [attack_of("foolbox:LinfPGD"), attack_of("torchattacks:PGD"), attack_of("torchattacks:PIFGSM")]
)
def test_an_l_inf_budget_holds_in_exact_integers(tiny_classifier, tiny_images, name):
    assert (find_recipe(name).norm, find_recipe(name).eps) == ("L∞", 16)
    adversarial = run(name, tiny_classifier, tiny_images, eps=5)
    assert torch.equal(adversarial, levels(adversarial) / 255)
    assert float((levels(adversarial) - levels(tiny_images)).abs().max()) == 5
    loss = nn.functional.cross_entropy
    assert loss(tiny_classifier(adversarial), LABELS) > loss(tiny_classifier(tiny_images), LABELS)


@pytest.mark.parametrize("name", [attack_of("foolbox:L2PGD"), attack_of("torchattacks:PGDL2")])
def test_an_l2_budget_holds_after_rounding(tiny_classifier, tiny_images, name):
    assert (find_recipe(name).norm, find_recipe(name).eps) == ("L2", 765)
    adversarial = run(name, tiny_classifier, tiny_images, eps=200)
    distance = (levels(adversarial) - levels(tiny_images)).flatten(1).norm(dim=1)
    assert 0 < float(distance.max()) <= 200


@needs["torchattacks"]
def test_images_may_lie_in_memory_as_files_are_read(tiny_classifier, tiny_images):
    as_read = tiny_images.contiguous(memory_format=torch.channels_last)
    adversarial = run("torchattacks:PGDL2", tiny_classifier, as_read)
    torch.testing.assert_close(adversarial, run("torchattacks:PGDL2", tiny_classifier, tiny_images))


@needs["foolbox"]
def test_an_l1_budget_holds_after_rounding(tiny_classifier, tiny_images):
    adversarial = run("foolbox:L1PGD", tiny_classifier, tiny_images, eps=300)
    distance = (levels(adversarial) - levels(tiny_images)).abs().flatten(1).sum(dim=1)
    assert 0 < float(distance.max()) <= 300


@pytest.mark.parametrize(
    "name",
    [attack_of("foolbox:L2DeepFoolAttack"), attack_of("torchattacks:DeepFool")],
)
def test_attacks_that_seek_the_nearest_take_no_eps(tiny_classifier, tiny_images, name):
    assert find_recipe(name).eps is None
    with pytest.raises(AttackError, match=r"eps 8: .* takes no eps"):
        run(name, tiny_classifier, tiny_images, eps=8)
    labels = tiny_classifier(tiny_images).argmax(dim=1)
    adversarial = run(name, tiny_classifier, tiny_images, labels)
    assert torch.equal(adversarial, levels(adversarial) / 255)
    assert not torch.equal(adversarial, tiny_images)


@needs["foolbox"]
def test_deepfool_finds_the_distance_to_a_linear_boundary():
    """Of a linear classifier the first linearisation is exact (Moosavi-Dezfooli et al. 2016, section 2)."""
    layer = nn.Linear(108, 2)
    nn.init.normal_(layer.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    nn.init.zeros_(layer.bias)
    classifier = Classifier(nn.Sequential(nn.Flatten(), layer), ["no", "yes"], "linear")
    images = torch.randint(60, 196, (4, 3, 6, 6), generator=torch.Generator().manual_seed(1)) / 255
    logits = classifier(images)
    exact = (logits[:, 0] - logits[:, 1]).abs() / (layer.weight[0] - layer.weight[1]).norm()
    adversarial = run("deepfool", classifier, images, logits.argmax(dim=1))
    distance = (adversarial - images).flatten(1).norm(dim=1)
    torch.testing.assert_close(distance, exact, rtol=0.05, atol=2 / 255)


@needs["torchattacks"]
def test_jsma_changes_few_values_to_the_full_towards_its_target(tiny_classifier, tiny_images):
    labels = tiny_classifier(tiny_images).argmax(dim=1)
    targets = (labels + 1) % 4
    adversarial = run("jsma", tiny_classifier, tiny_images, labels, targets=targets)
    changed = (adversarial != tiny_images).flatten(1).float().mean(dim=1)
    assert 0 < float(changed.max()) <= 0.11
    assert set(adversarial[adversarial != tiny_images].tolist()) <= {0.0, 1.0}
    untargeted = run("jsma", tiny_classifier, tiny_images, labels)
    assert not torch.equal(untargeted, tiny_images)


@pytest.mark.parametrize("name", [attack_of("foolbox:LinfPGD"), attack_of("torchattacks:PGD")])
def test_targets_become_likelier(tiny_classifier, tiny_images, name):
    targets = (LABELS + 1) % 4
    adversarial = run(name, tiny_classifier, tiny_images, targets=targets)
    before, after = (
        tiny_classifier(images).softmax(1).gather(1, targets[:, None])
        for images in (tiny_images, adversarial)
    )
    assert bool((after > before).all())


@pytest.mark.parametrize(
    "name",
    [attack_of("foolbox:L2DeepFoolAttack"), attack_of("foolbox:FGSM"), attack_of("torchattacks:DeepFool")],
)
def test_an_attack_that_cannot_be_aimed_says_so(tiny_classifier, tiny_images, name):
    with pytest.raises(AttackError) as caught:
        run(name, tiny_classifier, tiny_images, targets=(LABELS + 1) % 4)
    assert str(caught.value) == f"{name} cannot be aimed at a target; leave it out"


@pytest.mark.parametrize(
    "name", [attack_of("foolbox:LinfPGD"), attack_of("torchattacks:PGD"), attack_of("torchattacks:Pixle")]
)
def test_what_libraries_draw_follows_the_seed_and_nothing_else_does(tiny_classifier, tiny_images, name):
    def attack(seed):
        return run(name, tiny_classifier, tiny_images, generator=torch.Generator().manual_seed(seed))

    state, legacy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - theirs
    assert torch.equal(attack(0), attack(0))
    assert not torch.equal(attack(0), attack(1))
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(np.random.get_state()[1], legacy)  # noqa: NPY002


@pytest.mark.parametrize("name", [attack_of("foolbox:LinfPGD"), attack_of("torchattacks:PGD")])
def test_steps_are_theirs_or_those_given(tiny_classifier, tiny_images, name):
    one, usual = (run(name, tiny_classifier, tiny_images, steps=steps) for steps in (1, None))
    assert not torch.equal(one, usual)


@needs["torchattacks"]
def test_the_classifier_stays_as_it_was_and_nothing_is_said(tiny_classifier, tiny_images, capsys):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        run("torchattacks:CW", tiny_classifier, tiny_images, steps=2)
    assert not any(module.training for module in tiny_classifier.modules())
    assert warned == []
    assert capsys.readouterr() == ("", "")


def test_a_missing_library_stops_a_run_before_it_begins(physadv, signs_csv, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "foolbox", None)
    answer = physadv("generate", signs_csv, "--name", "mine", "--attack", "deepfool", "--root", tmp_path)
    assert answer.error == "error: this attack needs foolbox: pip install 'physadv[foolbox]'"
    assert list(tmp_path.iterdir()) == []


@needs["foolbox"]
def test_a_borrowed_attack_makes_a_run_and_its_report(physadv, signs_csv, tmp_path):
    options = ("--attack", "foolbox:L2DeepFoolAttack", "--limit", 1, "--size", 32, "--root", tmp_path)
    assert physadv("generate", signs_csv, "--name", "mine", *options).code == 0
    manifest = Printout(tmp_path, "mine").manifest()
    assert (manifest.attack.name, manifest.attack.eps) == ("foolbox:L2DeepFoolAttack", None)
    assert manifest.versions["foolbox"] == version("foolbox")
    assert physadv("report", "mine", "--transform", "blur=1", "--quiet", "--root", tmp_path).code == 0
    page = (tmp_path / "captures" / "mine" / "report.html").read_text()
    assert "foolbox:L2DeepFoolAttack, no eps" in page
    assert "--attack foolbox:L2DeepFoolAttack --size 32 --limit 1 --seed 0" in page


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param(
            "foolbox:linfpdg", "unknown foolbox attack 'linfpdg'; nearest: LinfPGD", marks=needs["foolbox"]
        ),
        pytest.param(
            "torchattacks:PDG", "unknown torchattacks attack 'PDG'; nearest: PGD", marks=needs["torchattacks"]
        ),
        ("foolbx:LinfPGD", "unknown attack 'foolbx:LinfPGD'; nearest: foolbox:CLASS"),
    ],
)
def test_unknown_classes_name_the_nearest(name, line):
    with pytest.raises(AttackError) as caught:
        find_recipe(name)
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_absent_library_says_what_to_install(monkeypatch, tiny_classifier, tiny_images, library):
    monkeypatch.setitem(sys.modules, library, None)
    line = f"this attack needs {library}: pip install 'physadv\\[{library}\\]'"
    with pytest.raises(AttackError, match=line):
        find_recipe(f"{library}:PGD")
    with pytest.raises(AttackError, match=line):
        LibraryAttack(library, "PGD")(tiny_classifier, tiny_images, LABELS, eps=8 / 255)


@pytest.mark.parametrize(
    ("name", "change", "line"),
    [
        attack_of(
            "foolbox:LinfPGD", {"distribution": parse_transform("noise=4")}, "knows no transformations"
        ),
        attack_of("foolbox:LinfPGD", {"goal": lambda pictures: LABELS > 0}, "foolbox:LinfPGD takes no goal"),
        attack_of("foolbox:FGSM", {"steps": 3}, "foolbox:FGSM takes no steps"),
        attack_of("foolbox:LinfPGD", {"steps": 0}, "steps is 0"),
        attack_of("foolbox:LinfPGD", {"targets": LABELS}, "target 0 is the image's own label"),
        attack_of("torchattacks:FGSM", {"steps": 3}, "torchattacks:FGSM takes no steps"),
        attack_of("torchattacks:PGD", {"labels": LABELS + 1}, "label 4 is outside"),
        attack_of("torchattacks:LGV", {}, "torchattacks:LGV: TypeError"),
        attack_of("foolbox:PointwiseAttack", {"steps": 3}, "takes no steps"),
    ],
)
def test_what_they_cannot_do_is_one_line(tiny_classifier, tiny_images, name, change, line):
    with pytest.raises(AttackError) as caught:
        run(name, tiny_classifier, tiny_images, **change)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
