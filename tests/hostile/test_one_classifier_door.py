"""What answers as a classifier is checked once, whichever door it comes in by."""

import shutil
import warnings
from textwrap import dedent

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from physadv import Run
from physadv.attacks import AttackError, find_recipe, pgd
from physadv.attacks.outside import LibraryAttack
from physadv.classifiers import Classifier, ClassifierError, list_models, load_classifier
from physadv.classifiers.signs import SignsNetwork
from physadv.errors import PhysadvWarning
from physadv.pipeline.examples import predictions
from physadv.runs import Printout, RunError
from physadv.signs.stop_sign.views import Judge

MODULE = """
    import torch
    from torch import nn

    from physadv.classifiers import Classifier, load_classifier

    class Net(nn.Module):
        def __init__(self, answer):
            super().__init__()
            self.answer = answer
        def forward(self, images):
            return self.answer(images)

    def pooled(images): return 9 * images.mean(dim=(2, 3))
    def sigmoid(): return Net(lambda images: pooled(images)[:, :1].sigmoid())
    def flat(): return Net(lambda images: pooled(images)[:, 0])
    def spatial(): return Net(lambda images: images)
    def whole(): return Net(lambda images: pooled(images).argmax(dim=1))
    def one_hot(): return Net(lambda images: nn.functional.one_hot(pooled(images).argmax(dim=1), 3))
    def pair(): return Net(lambda images: (pooled(images), pooled(images)))
    def infinite(): return Net(lambda images: pooled(images) / 0)
    def grey(): return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(1, 3, 1), nn.Flatten())
    def digits(): return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))
    def fixed(): return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
    def sure(): return Net(lambda images: pooled(images).softmax(dim=1))
    def noisy(): return Net(lambda images: pooled(images) + torch.rand(len(images), 3))
    def sound(): return Net(pooled)
    def cut(): return Net(lambda images: pooled(images).detach())

    def nan():
        network = load_classifier("signs").network
        network.head[-1].weight.data[0, 0] = float("nan")
        return Classifier(network, load_classifier("signs").labels, "mine")
"""
UNUSABLE = {
    "sigmoid": "has 1 output; wanted two or more: with z before a sigmoid, return torch.cat([",
    "flat": "answers 2 images with (2,), torch.float32; wanted logits (B, K)",
    "spatial": "answers 2 images with (2, 3, 64, 64), torch.float32; wanted logits (B, K)",
    "whole": "answers 2 images with (2,), torch.int64; wanted logits (B, K)",
    "one_hot": "answers 2 images with (2, 3), torch.int64; wanted logits (B, K)",
    "pair": "answers 2 images with <class 'tuple'>; wanted logits (B, K)",
    "infinite": "answers with NaN or infinity; are its weights sound?",
    "nan": "answers with NaN or infinity; are its weights sound?",
    "noisy": "answers the same images differently from call to call: no number could be repeated; draw its",
    "grey": "it takes (2, 1, 64, 64), so it must turn RGB grey and resize inside",
    "digits": "it takes (2, 1, 28, 28), so it must turn RGB grey and resize inside",
    "fixed": "it takes (2, 3, 32, 32), so it must resize inside",
}
STUDY = """\
name = "theirs"
[images]
path = "{images}"
limit = 1
[models.net]
spec = "{spec}"
[[runs]]
models = ["net"]
attacks = ["fast"]
eps = [16]
transforms = ["blur=1"]
"""
IMAGES = torch.linspace(0, 1, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The current folder has a module of networks; returns the spec of one of them."""
    module = f"nets_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(dedent(MODULE))
    monkeypatch.chdir(tmp_path)
    return lambda function: f"python:{module}:{function}"


@pytest.fixture
def pictures(tmp_path):
    """Two folders of one picture each."""
    for folder in ("clean", "adversarial"):
        (tmp_path / folder).mkdir()
        Image.linear_gradient("L").resize((16, 16)).convert("RGB").save(tmp_path / folder / "a.png")
    return tmp_path / "clean", tmp_path / "adversarial"


DOORS = {
    "generate": lambda clean, adversarial: ["generate", clean, "--name", "theirs", "--attack", "bim"],
    "deepfool": lambda clean, adversarial: ["generate", clean, "--name", "theirs", "--attack", "deepfool"],
    "adopt": lambda clean, adversarial: ["adopt", clean, adversarial, "--name", "theirs"],
    "masking-check": lambda clean, adversarial: ["masking-check", clean],
    "stop-sign": lambda clean, adversarial: ["stop-sign", "--name", "theirs"],
    "destruction-rate": lambda clean, adversarial: ["destruction-rate", "mine", "--transform", "blur=1"],
    "report": lambda clean, adversarial: ["report", "mine", "--transform", "blur=1"],
    "compare": lambda clean, adversarial: ["compare", "mine", "theirs", "--transform", "blur=1"],
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_cannot_classify_is_not_loaded(own, kind):
    with pytest.raises(ClassifierError) as caught:
        load_classifier(own(kind))
    assert UNUSABLE[kind] in str(caught.value)
    assert own(kind) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["sigmoid", "nan", "noisy"])
@pytest.mark.parametrize("door", DOORS)
def test_no_command_takes_it(physadv, own, pictures, generated_root, copy_of, door, kind):
    if door == "deepfool":
        pytest.importorskip("foolbox")
    root = copy_of(generated_root)
    if door == "compare":
        theirs = shutil.copytree(root / "printouts" / "mine", root / "printouts" / "theirs")
        text = (theirs / "manifest.json").read_text()
        (theirs / "manifest.json").write_text(text.replace('"name": "mine"', '"name": "theirs"', 1))
    before = sorted(root.rglob("*"))
    command = [*DOORS[door](*pictures), "--model", own(kind), "--quiet"]
    error = physadv(*command, *(() if door == "masking-check" else ("--root", root))).error
    assert UNUSABLE[kind] in error
    made = [path for path in sorted(root.rglob("*")) if path not in before]
    assert [path for path in made if path.suffix not in (".sqlite", ".lock")] in (
        [],
        [root / "captures", root / "captures" / "mine"],
    )


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda images: images.mean(dim=(1, 2, 3))[:, None].sigmoid(), "has 1 output; wanted two or more"),
        (lambda images: images.mean(dim=(2, 3)) / 0, "answers with NaN or infinity"),
        (lambda images: images.mean(dim=(2, 3))[:, :2], "has 2 outputs for 3 labels"),
        (lambda images: images.mean(dim=(2, 3))[:1], r"answers 2 images with \(1, 3\)"),
        (lambda images: torch.rand(len(images), 3), "no number could be repeated; draw its noise from a"),
    ],
)
def test_a_network_in_memory_is_checked_as_it_answers(answer, line):
    """Doors of Python: called, judged, adopted, attacked; NaN may come with the second picture only."""
    network = nn.Module()
    network.forward = answer
    classifier = Classifier(network, ["a", "b", "c"], "mine")
    for ask in (
        classifier,
        classifier.probabilities,
        classifier.classes,
        lambda images: predictions(classifier, images),
        lambda images: pgd(classifier, (images * 255).round() / 255, torch.tensor([0, 1]), eps=8 / 255),
        Judge(classifier, 0).classify,
    ):
        with pytest.raises(ClassifierError, match=line):
            ask(IMAGES)


def test_what_will_disappoint_is_said_once(own):
    line = "returns probabilities, not logits: gradients vanish where it is sure"
    with pytest.warns(PhysadvWarning) as warned:
        classifier = load_classifier(own("sure"))
    assert [str(warning.message) for warning in warned] == [f"model '{own('sure')}' {line}"]
    classifier(IMAGES)  # said once: a second warning would be an error here
    with pytest.warns(PhysadvWarning, match=line):
        Classifier(classifier.network, classifier.labels, "again")(IMAGES)


@pytest.mark.parametrize("kind", ["sigmoid", "nan", "noisy"])
def test_no_study_takes_it(physadv, own, signs_csv, tmp_path, kind):
    study = tmp_path / "study.toml"
    study.write_text(STUDY.format(images=signs_csv, spec=own(kind)))
    error = physadv("run", study, "--trust", own(kind), "--quiet", "--root", tmp_path / "root").error
    assert UNUSABLE[kind] in error


@pytest.mark.parametrize("kind", ["sigmoid", "noisy"])
def test_no_notebook_takes_it(tmp_path, kind):
    network = nn.Module()
    network.forward = {
        "sigmoid": lambda images: images.mean(dim=(1, 2, 3))[:, None].sigmoid(),
        "noisy": lambda images: torch.rand(len(images), 3),
    }[kind]
    classifier = Classifier(network, ["a", "b", "c"], "mine")
    with pytest.raises(ClassifierError, match=UNUSABLE[kind].split(";")[0].split("[")[0].split("(")[0]):
        Run.create("mine", classifier, IMAGES, IMAGES, [0, 1], root=tmp_path)
    assert not (tmp_path / "printouts" / "mine" / "manifest.json").exists()


def test_an_attack_that_needs_gradients_says_so(own, physadv, pictures):
    cut = load_classifier(own("cut"))
    with pytest.raises(AttackError, match="passes no gradient back; QueryOnly, --query-only, needs none"):
        pgd(cut, torch.zeros(2, 3, 8, 8), torch.tensor([0, 1]), eps=8 / 255)
    for door in ("generate", "masking-check"):
        command = DOORS[door](*pictures)
        error = physadv(*command, "--model", own("cut"), "--quiet").error
        assert "passes no gradient back; it needs --query-only" in error


def test_equal_scores_are_ranked_by_class_everywhere():
    """The probabilities of classes 1 and 2 are the same float32, their logits are not."""
    logits = torch.full((9,), -200.0)
    logits[1], logits[2] = 64.0, 64.0 + 2**-17 * 2
    network = nn.Module()
    network.forward = lambda images: logits.expand(len(images), -1)
    classifier = Classifier(network, [str(index) for index in range(9)], "ties")
    expected = [2, 1, 0, 3, 4]
    assert classifier.classes(IMAGES).tolist() == [2, 2]
    assert classifier.likeliest(IMAGES, 5)[0].tolist() == [expected] * 2
    assert [prediction.label for prediction in predictions(classifier, IMAGES)[0]] == expected
    assert list(Judge(classifier, 0).classify(IMAGES)[0][0]) == expected


def test_an_eps_that_a_library_does_not_use_is_told(tiny_classifier, tiny_images):
    pytest.importorskip("foolbox")
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    for run in (LibraryAttack("foolbox", "L2DeepFoolAttack"), find_recipe("deepfool").run):
        with pytest.raises(AttackError, match="L2DeepFoolAttack takes no eps; leave it out"):
            run(tiny_classifier, tiny_images, labels, eps=8 / 255)


@pytest.mark.parametrize("field", ["probability", "schema_version", "name"])
def test_no_manifest_is_written_that_cannot_be_read(generated_root, copy_of, field):
    """Whatever writes a manifest, generate, adopt or print, goes through `write`."""
    path = Printout(copy_of(generated_root), "mine").manifest_path
    before, manifest = path.read_bytes(), Printout(path.parents[2], "mine").manifest()
    if field == "probability":
        digital = manifest.examples[0].digital[0].model_copy(update={"probability": float("nan")})
        example = manifest.examples[0].model_copy(update={"digital": (digital,)})
        broken = manifest.model_copy(update={"examples": (example, *manifest.examples[1:])})
    else:
        broken = manifest.model_copy(update={field: "../x" if field == "name" else 99})
    with pytest.raises(RunError, match=r"manifest\.json: "):
        broken.write(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".manifest*"))


def saved(path, content):
    torch.save(content, path)
    return f"signs@{path}"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {f"_orig_mod.{name}": tensor for name, tensor in state.items()},
        lambda state: {"module": {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}},
        lambda state: {"net": state, "optimizer": {"state": {0: {"step": torch.ones(1)}}}, "epoch": 3},
        lambda state: {"state_dict": {f"model.{name}": each for name, each in state.items()}, "ema": state},
        lambda state: {"checkpoint": {"weights": state}, "statistics": {"mean": torch.zeros(3)}},
    ],
)
def test_weights_load_as_people_save_them(tmp_path, wrap):
    signs = load_classifier("signs")
    loaded = load_classifier(saved(tmp_path / "own.pt", wrap(signs.network.state_dict())))
    assert torch.equal(loaded(IMAGES), signs(IMAGES))


def test_a_shared_prefix_of_safetensors_is_no_name(tmp_path):
    state = {f"_orig_mod.{name}": tensor for name, tensor in SignsNetwork().state_dict().items()}
    save_file(state, tmp_path / "own.safetensors")
    loaded = load_classifier(f"signs@{tmp_path}/own.safetensors").network.state_dict()
    assert all(torch.equal(loaded[name.removeprefix("_orig_mod.")], state[name]) for name in state)


def test_several_state_dicts_are_named(tmp_path):
    state = SignsNetwork().state_dict()
    with pytest.raises(ClassifierError, match=r"holds several state dicts \(a, b\); save one by itself"):
        load_classifier(saved(tmp_path / "own.pt", {"a": state, "b": state}))


FOREIGN = {
    "m.onnx": "is an ONNX model",
    "m.h5": "is a Keras model",
    "m.keras": "is a Keras model",
    "m.tflite": "is a TensorFlow Lite model",
    "scripted.pt": "is a TorchScript program",
}


@pytest.mark.parametrize("form", ["{}", "file:{}", "signs@{}", "torchvision/resnet18@{}"])
@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_file_of_torch_is_called_what_it_is(tmp_path, name, form):
    path = tmp_path / name
    if name == "scripted.pt":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.trace(nn.Flatten(), torch.zeros(1, 3, 2, 2)).save(str(path))
    else:
        path.write_bytes(b"\x08\x07model")
    with pytest.raises(ClassifierError) as caught:
        load_classifier(form.format(path))
    line = f"{path} {FOREIGN[name]}, which is not read; python:module:function names a function of yours"
    assert line in str(caught.value)


@pytest.mark.parametrize("form", ["{}", "file:{}", "signs@{}", "torchvision/squeezenet1_1@{}"])
@pytest.mark.parametrize(("mark", "place"), [(b"PK\1\2", 0), (b"PK\1\2", 6), (b"PK\5\6", 16)])
def test_a_damaged_archive_is_one_line_or_does_no_harm(tmp_path, form, mark, place):
    """torch overlooks damage where it does not look; the weights are then those that were saved."""
    path, state = tmp_path / "own.pt", SignsNetwork().state_dict()
    saved(path, state)
    content = bytearray(path.read_bytes())
    content[content.rindex(mark) + place] ^= 0xFF
    path.write_bytes(content)
    if place and form == "signs@{}":
        loaded = load_classifier(form.format(path)).network.state_dict()
        assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
        return
    with pytest.raises(ClassifierError) as caught:
        load_classifier(form.format(path))
    assert str(caught.value).startswith(f"{path} ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["signs@{}", "torchvision/resnet18@{}"])
def test_a_program_is_not_called_damaged_weights(tmp_path, form):
    path = tmp_path / "own.pt2"
    path.write_bytes(b"PK")
    with pytest.raises(ClassifierError) as caught:
        load_classifier(form.format(path))
    assert (
        str(caught.value) == f"{path} is a program, with its architecture, and no weights file: file:{path}"
    )


def test_programs_are_called_code(physadv):
    assert "code, so name only what you trust" in dict(list_models())["file:PATH"]
    for command in ("generate", "destruction-rate", "adopt", "masking-check", "compare", "stop-sign"):
        shown = " ".join(physadv(command, "--help").out.replace("│", " ").split())
        assert "file: and python: run code" in shown, command
