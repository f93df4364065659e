"""The loop from a notebook: cells as a reader would paste them, and what `Run.create` refuses."""

from pathlib import Path

import numpy as np
import pytest
import torch

import physadv
from physadv import Run
from physadv.errors import PhysadvError, PhysadvWarning

OF_THE_DESIGN = """
import physadv
from physadv import attacks

classifier = physadv.load_classifier("signs")
images, labels = physadv.samples(classifier, 16)
adversarial = attacks.eot(classifier, images, labels, eps=16 / 255)        # EOT by default, over print-photo
run = physadv.Run.create("mine", classifier, images, adversarial, labels)  # yours, or any library's
run.print(); run.photograph("hand-held"); run.crop()
run.measure(transforms=["jpeg=50"])                                         # shows as the report's table
"""

WITH_FOOLBOX = """
import foolbox
import physadv

classifier = physadv.load_classifier("signs")
images, labels = physadv.samples(classifier, 3)
model = foolbox.PyTorchModel(classifier, bounds=(0, 1))
attack = foolbox.attacks.LinfBasicIterativeAttack()
_, adversarial, fooled = attack(model, images, labels, epsilons=8 / 255)

run = physadv.Run.create("theirs", classifier, images, adversarial, labels, made_by="foolbox BIM")
run.print()
run.photograph("office", shots=1)
run.crop()
run.measure()
"""


def run_cell(source):
    """Run a cell of a notebook; return its names and what its last line would show."""
    lines = source.rstrip().splitlines()
    names = {}
    exec("\n".join(lines[:-1]), names)
    return names, eval(lines[-1], names)


@pytest.fixture(scope="module")
def signs():
    return physadv.load_classifier("signs")


@pytest.fixture(scope="module")
def four(signs):
    return physadv.samples(signs, 4)


@pytest.mark.long
@pytest.mark.usefixtures("few_steps")
def test_the_notebook_of_the_design_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, shown = run_cell(OF_THE_DESIGN)
    html = shown._repr_html_()
    assert all(text in html for text in ("<table", "photo (simulated)", "jpeg=50", "Destruction rate"))
    assert "destroyed %" in repr(shown)
    (measurement,) = shown.measurements
    assert measurement.classifier == "signs"
    assert measurement.options.models == ()
    assert len(list(names["run"].photos.iterdir())) == 2 * len(names["run"].manifest.sheets)


# foolbox asks scipy for a name that scipy is about to remove.
@pytest.mark.filterwarnings("ignore:Please import `gaussian_filter`:DeprecationWarning")
def test_a_foolbox_attack_goes_round_the_loop_and_on_from_the_command_line(tmp_path, monkeypatch, physadv):
    monkeypatch.chdir(tmp_path)
    names, shown = run_cell(WITH_FOOLBOX)
    attack = names["run"].manifest.attack
    assert (attack.name, attack.eps, attack.budget) == ("foolbox BIM", None, "L-inf 8 measured")
    assert "rounded to 8 bits by up to" in repr(names["run"])
    assert "photo" in shown.measurements[0].channels

    assert "foolbox BIM, L-inf 8 measured" in physadv("destruction-rate", "theirs", "-q").out
    report = physadv("report", "theirs", "-q")
    assert report.code == 0
    page = (tmp_path / "captures" / "theirs" / "report.html").read_text(encoding="utf-8")
    assert "physadv.Run.create(&#34;theirs&#34;, classifier, clean, adversarial, labels)" in page
    assert physadv("export", "theirs", "-q").code == 0
    physadv("generate", "printouts/theirs/clean", "--name", "other", "--attack", "fast", "-q")
    compared = physadv("compare", "theirs", "other", "--transform", "jpeg=50", "-q")
    assert "3 shared pairs" in compared.out
    assert compared.code == 0


def test_samples_of_a_sign_classifier_are_drawn_signs_with_their_labels(signs, four):
    images, labels = four
    assert images.shape == (4, 3, 96, 96)
    assert torch.equal((images * 255).round() / 255, images)
    assert (signs(images).argmax(dim=1) == labels).float().mean() >= 0.75
    assert not torch.equal(images, physadv.samples(signs, 4, seed=1)[0])
    with pytest.raises(PhysadvError, match="n 0"):
        physadv.samples(signs, 0)


def test_samples_of_another_classifier_are_photos_labelled_by_itself(tiny_classifier):
    images, labels = physadv.samples(tiny_classifier, 8)
    assert images.shape == (8, 3, 224, 224)
    assert torch.equal(tiny_classifier(images).argmax(dim=1), labels)
    assert len({image.sum().item() for image in images}) == 8


def test_whole_levels_survive_to_the_files_bit_by_bit(tmp_path, signs, four):
    images, labels = four
    adversarial = (images + 5 / 255).clamp(0, 1)
    run = Run.create("mine", signs, images, adversarial, labels, root=tmp_path)
    manifest = run.manifest
    assert manifest.attack.parameters["rounded_by"] == 0
    assert manifest.attack.parameters["measured_linf"] == 5
    assert manifest.selection.labels == "given"
    for place, pair in enumerate(manifest.pairs()):
        for example, image in zip(pair, (images[place], adversarial[place]), strict=True):
            pixels = torch.from_numpy(run.printout.pixels(example).copy()).permute(2, 0, 1)
            assert torch.equal(pixels, (image * 255).round().to(torch.uint8))
            assert example.digital[0].label == int(signs(image[None]).argmax())
            assert example.label == int(labels[place])
    assert repr(run) == f"Run 'mine': 4 pairs, own, L-inf 5 measured, in {tmp_path}/printouts/mine"


def test_l2_is_measured_in_8_bit_levels(tmp_path, signs, four):
    images, _ = four
    adversarial = images.clone()
    adversarial[1, 0, 0, 0] = (images[1, 0, 0, 0] - 30 / 255).abs()
    adversarial[1, 0, 0, 1] = (images[1, 0, 0, 1] - 40 / 255).abs()
    run = Run.create("mine", signs, images, adversarial, root=tmp_path)
    moved = (adversarial[1, 0, 0, :2] - images[1, 0, 0, :2]) * 255
    assert run.manifest.attack.parameters["measured_l2"] == pytest.approx(float(moved.norm()), abs=0.01)
    assert run.manifest.selection.labels == "predicted"


@pytest.mark.parametrize(
    "convert",
    [
        lambda images: (images * 255).round().to(torch.uint8),
        lambda images: images.numpy().transpose(0, 2, 3, 1),
        lambda images: images.numpy(),
        lambda images: [
            (image * 255).round().astype(np.uint8) for image in images.numpy().transpose(0, 2, 3, 1)
        ],
        lambda images: images.double().requires_grad_(),
    ],
)
def test_tensors_arrays_and_lists_make_the_same_run(tmp_path, signs, four, convert):
    images, labels = four
    tensors = Run.create("mine", signs, images, images.flip(3), labels, root=tmp_path / "a")
    others = Run.create(
        "mine", signs, convert(images), convert(images.flip(3)), labels.tolist(), root=tmp_path / "b"
    )
    assert others.manifest == tensors.manifest


def test_pairs_may_differ_in_size_and_need_not_be_square(tmp_path, signs):
    sizes = [(40, 40), (40, 40), (30, 60)]
    images = [np.full((*size, 3), 100 + k, np.uint8) for k, size in enumerate(sizes)]
    run = Run.create("mine", signs, images, [image + 1 for image in images], ["stop", 1, 2], root=tmp_path)
    assert [clean.size_px for clean, _ in run.manifest.pairs()] == [(40, 40), (40, 40), (60, 30)]
    run.print()
    assert len(run.manifest.sheets) == 1


def test_the_same_images_are_adopted_once_and_others_refused(tmp_path, signs, four):
    images, labels = four
    first = Run.create("mine", signs, images, images.flip(3), labels, root=tmp_path).manifest
    assert Run.create("mine", signs, images, images.flip(3), labels, root=tmp_path).manifest == first
    with pytest.raises(PhysadvError, match="holds a run with other settings"):
        Run.create("mine", signs, images, images.flip(2), labels, root=tmp_path)
    assert Run.open("mine", root=tmp_path).manifest == first
    with pytest.raises(PhysadvError, match="not found"):
        Run.open("yours", root=tmp_path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda a: a * 255, "adversarial, image 0: values from .* wanted 0 to 1"),
        (lambda a: a - 0.1, "values from -0.1 to"),
        (lambda a: torch.where(a > 0.5, torch.nan, a), "adversarial, image 0: values that are not finite"),
        (lambda a: a[:3], "4 clean and 3 adversarial images; wanted pairs"),
        (lambda a: a[:0], "adversarial: no images"),
        (lambda a: a[0], r"adversarial: shape \(3, 96, 96\); wanted"),
        (lambda a: a[:, :1], "wanted three channels"),
        (lambda a: a[:, :, :48], "0001: clean is 96 × 96 pixels and adversarial 96 × 48; wanted one size"),
        (lambda a: (a * 255).long(), "int64 values; wanted float"),
    ],
)
def test_images_that_cannot_be_pairs_are_refused_by_name(tmp_path, signs, four, change, line):
    images, labels = four
    images = images.clone()
    images[:, :, 0, 0], images[:, :, 0, 1] = 0, 1
    with pytest.raises(PhysadvError, match=line):
        Run.create("mine", signs, images, change(images.clone()), labels, root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"labels": [1, 2]}, "labels: 2 for 4 pairs"),
        ({"labels": [1, 2, 3, 43]}, "label 43 is outside the 43 classes"),
        ({"targets": "stpo"}, "targets: label 'stpo' is no class"),
        ({"labels": 14}, "labels: 14; wanted indices or names, one a pair"),
        ({"labels": "stop"}, "labels: 'stop'; wanted indices or names, one a pair"),
        ({"labels": [1.0, 2.0, 3.0, 4.0]}, "labels: 1.0; wanted indices or names"),
        ({"labels": [True] * 4}, "labels: True; wanted indices or names"),
        ({"labels": torch.eye(4)}, "labels: .1.0, .*; wanted indices or names"),
        ({"labels": torch.eye(4).to_sparse()}, "labels: a sparse, quantized or meta tensor"),
        ({"targets": torch.tensor(3.5)}, "targets: tensor.3.5000.; wanted indices or names"),
        ({"clean": None}, "clean: NoneType; wanted a tensor"),
        ({"clean": Path("clean.npy")}, "clean: PosixPath; wanted a tensor"),
        ({"clean": [3]}, "clean, image 0: int; wanted a tensor"),
        ({"adversarial": torch.zeros(4, 3, 96, 96, device="meta")}, "adversarial: a sparse, quantized or"),
        ({"classifier": "signs"}, "classifier 'signs': wanted a Classifier, from physadv.load_classifier"),
        ({"classifier": torch.nn.Identity()}, "classifier Identity: wanted a Classifier"),
        ({"name": None}, "run name 'None': use letters"),
        ({"made_by": None}, "made_by None: wanted the name of the attack"),
        ({"made_by": " "}, "made_by ' ': wanted the name of the attack"),
    ],
)
def test_what_makes_no_run_is_refused_in_one_line(tmp_path, signs, four, given, line):
    plain = {"name": "mine", "classifier": signs, "clean": four[0], "adversarial": four[0].flip(3)}
    with pytest.raises(PhysadvError, match=line) as caught:
        Run.create(**plain | given, root=tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "given", "line"),
    [
        ("measure", {"transforms": "jpeg=50"}, "transforms 'jpeg=50': wanted a list"),
        ("measure", {"sweeps": "kurakin"}, "sweeps 'kurakin': wanted a list"),
        ("measure", {"models": "signs"}, "models 'signs': wanted a list"),
        ("measure", {"models": torch.nn.Identity()}, "models Identity..: wanted a list"),
        ("measure", {"models": [torch.nn.Identity()]}, "classifier Identity: wanted a Classifier"),
        ("measure", {}, "no crops to measure; .* or give transforms or sweeps"),
        ("photograph", {"workers": 0}, "workers 0: wanted 1 or more"),
        ("photograph", {"preset": Path("absent.toml")}, "absent.toml: No such file"),
    ],
)
def test_a_step_s_bad_argument_is_one_line(tmp_path, signs, four, method, given, line):
    run = Run.create("mine", signs, four[0], four[0].flip(3), root=tmp_path)
    run.print()
    with pytest.raises(PhysadvError, match=line):
        getattr(run, method)(**given)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: physadv.samples("signs", 2), "classifier 'signs': wanted a Classifier"),
        (lambda: physadv.load_classifier(torch.nn.Identity()), "model is a Identity; wanted a name"),
        (lambda: Run.open("absent"), "or Run.create in Python"),
    ],
)
def test_the_three_names_refuse_other_things_in_one_line(call, line):
    with pytest.raises(physadv.PhysadvError, match=line):
        call()


def test_the_package_offers_its_names_and_rooms_and_nothing_else():
    assert {"Run", "PhysadvError", "errors", "runs", "signs"} <= {*dir(physadv)}
    assert not {"Any", "TYPE_CHECKING", "_NAMES"} & {*dir(physadv)}
    assert all(getattr(physadv, name) is not None for name in dir(physadv))


def test_images_that_nothing_attacked_are_adopted_with_a_warning(tmp_path, signs, four):
    with pytest.warns(PhysadvWarning, match="mine: every adversarial image is its clean image"):
        Run.create("mine", signs, four[0], four[0], root=tmp_path)


@pytest.mark.parametrize("target", ["stop", 14, np.int64(14), torch.tensor(14)])
def test_one_target_is_every_pair_s(tmp_path, signs, four, target):
    run = Run.create("mine", signs, four[0], four[0].flip(3), targets=target, root=tmp_path)
    assert {adversarial.target for _, adversarial in run.manifest.pairs()} == {14}


def test_a_classifier_of_one_s_own_judges_its_run(tmp_path, tiny_classifier, tiny_images):
    run = Run.create("mine", tiny_classifier, tiny_images, tiny_images.flip(3), root=tmp_path)
    (measurement,) = run.measure(["jpeg=50"]).measurements
    assert measurement.classifier == "tiny"
    assert measurement.options.models == ()
