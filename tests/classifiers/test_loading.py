import csv
import json
import pickle
import socket
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.models as zoo
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from physadv.classifiers import ClassifierError, list_models, load_classifier
from physadv.errors import PhysadvWarning

IMAGES = torch.rand(2, 3, 40, 56, generator=torch.Generator().manual_seed(0))


class Payload:
    """Pickles to a call that leaves a file behind: what a hostile checkpoint would do."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


class TinyNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 5, 3)
        self.register_buffer("mean", torch.full((3, 1, 1), 0.5))

    def forward(self, images):
        return self.convolution(images - self.mean).mean(dim=(2, 3))


def refusal(spec: str, labels: Path | None = None) -> str:
    with pytest.raises(ClassifierError) as caught:
        load_classifier(spec, labels)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, TinyNetwork]:
    torch.manual_seed(0)
    network = TinyNetwork().eval()
    shape = {0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    program = torch.export.export(network, (torch.rand(2, 3, 32, 48),), dynamic_shapes=(shape,))
    path = tmp_path_factory.mktemp("exported") / "tiny.pt2"
    torch.export.save(program, path)
    return path, network


def rewritten(source: Path, target: Path, suffix: str, change) -> Path:
    """Copy an archive with the content of the members that end in `suffix` changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith(suffix) else content)
    return target


def test_exported_program_answers_as_the_network_it_came_from(exported):
    path, network = exported

    classifier = load_classifier(f"file:{path}")

    torch.testing.assert_close(classifier(IMAGES), network(IMAGES))
    assert classifier.labels == ("class 0", "class 1", "class 2", "class 3", "class 4")
    assert classifier.spec == f"file:{path}"
    assert not any(parameter.requires_grad for parameter in classifier.parameters())


def test_exported_program_is_differentiable_by_pixels(exported):
    classifier = load_classifier(f"file:{exported[0]}").eval()
    images = IMAGES.clone().requires_grad_()

    classifier(images).square().sum().backward()

    assert images.grad.abs().max() > 0


def test_hostile_sample_inputs_of_a_program_do_not_run(exported, tmp_path):
    hostile = BytesIO()
    torch.save(((Payload(tmp_path / "ran"),), {}), hostile)
    path = rewritten(exported[0], tmp_path / "x.pt2", "sample_inputs/model.pt", lambda _: hostile.getvalue())

    load_classifier(f"file:{path}")

    assert not (tmp_path / "ran").exists()


def test_program_with_pickled_weights_is_refused_unread(exported, tmp_path):
    hostile = BytesIO()
    torch.save(Payload(tmp_path / "ran"), hostile)

    def pickled(content):
        config = json.loads(content)
        for item in config["config"].values():
            item["use_pickle"] = True
        return json.dumps(config).encode()

    path = rewritten(exported[0], tmp_path / "half.pt2", "weight_0", lambda _: hostile.getvalue())
    path = rewritten(path, tmp_path / "x.pt2", "weights_config.json", pickled)

    assert "holds pickled or compiled parts" in refusal(f"file:{path}")
    assert not (tmp_path / "ran").exists()


def test_program_with_compiled_code_is_refused(exported, tmp_path):
    path = rewritten(exported[0], tmp_path / "x.pt2", "none", None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("tiny/data/aotinductor/model/wrapper.so", b"\x7fELF")

    assert "compiled parts (data/aotinductor/model/wrapper.so)" in refusal(f"file:{path}")


def test_hostile_pickle_is_refused_and_does_not_run(tmp_path):
    by_torch, by_pickle = tmp_path / "torch.pt", tmp_path / "plain.pkl"
    torch.save({"fc.weight": Payload(tmp_path / "ran")}, by_torch)
    by_pickle.write_bytes(pickle.dumps({"fc.weight": Payload(tmp_path / "ran")}))

    for path in (by_torch, by_pickle):
        line = refusal(f"torchvision/resnet18@{path}")
        assert str(path) in line
        assert "re-save it as safetensors or as a plain state dict" in line
    assert not (tmp_path / "ran").exists()


def test_hostile_pickle_in_the_download_cache_does_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(Payload(tmp_path / "ran"), cache / Path(zoo.ResNet18_Weights.DEFAULT.url).name)

    refusal("torchvision/resnet18")

    assert not (tmp_path / "ran").exists()


def test_failed_download_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*_, **__):
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)

    line = refusal("torchvision/mobilenet_v3_small")

    assert line.startswith("cannot download the weights of torchvision/mobilenet_v3_small")
    assert "torchvision/mobilenet_v3_small@PATH" in line


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_state_dict_fills_the_architecture_and_says_the_classes(suffix, tmp_path):
    torch.manual_seed(0)
    network = zoo.mobilenet_v3_small(num_classes=7).eval()
    path = tmp_path / f"own{suffix}"
    if suffix == ".pt":
        wrapped = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
        torch.save({"state_dict": wrapped, "epoch": 3}, path)
    else:
        save_file(network.state_dict(), path)

    classifier = load_classifier(f"torchvision/mobilenet_v3_small@{path}")

    preprocess = zoo.MobileNet_V3_Small_Weights.DEFAULT.transforms()
    torch.testing.assert_close(classifier(IMAGES), network(preprocess(IMAGES)), rtol=1e-3, atol=1e-4)
    assert len(classifier.labels) == 7


def test_thousand_outputs_are_imagenets(tmp_path):
    torch.save(zoo.squeezenet1_1().state_dict(), tmp_path / "own.pt")

    classifier = load_classifier(f"torchvision/squeezenet1_1@{tmp_path / 'own.pt'}")

    assert classifier.label_index("tench") == 0
    assert classifier.label_index("toilet tissue") == 999


def test_published_preprocessing_is_the_pillow_pipelines_within_a_level(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (37, 50, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((500, 373), Image.Resampling.BICUBIC)
    weights = zoo.MobileNet_V3_Small_Weights.DEFAULT.transforms()
    torch.save(zoo.mobilenet_v3_small(num_classes=2).state_dict(), tmp_path / "own.pt")

    classifier = load_classifier(f"torchvision/mobilenet_v3_small@{tmp_path / 'own.pt'}")

    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255
    ours = classifier.network[0](pixels)[0]
    levels_apart = (ours - weights(picture)).abs() * torch.tensor(weights.std).reshape(3, 1, 1) * 255
    assert ours.shape == (3, 224, 224)
    assert levels_apart.max() < 1.5


def test_preprocessing_has_the_gradient_of_its_pixels(tmp_path):
    torch.save(zoo.mobilenet_v3_small(num_classes=2).state_dict(), tmp_path / "own.pt")
    preprocess = load_classifier(f"torchvision/mobilenet_v3_small@{tmp_path / 'own.pt'}").network[0]
    preprocess.resize, preprocess.crop = 6, (5, 5)
    pixels = 0.2 + 0.6 * torch.rand(1, 3, 8, 9, dtype=torch.float64)

    assert torch.autograd.gradcheck(preprocess, pixels.requires_grad_())


def test_timm_architecture_with_own_weights(tmp_path):
    timm = pytest.importorskip("timm")
    network = timm.create_model("test_resnet", num_classes=6).eval()
    save_file(network.state_dict(), tmp_path / "own.safetensors")

    classifier = load_classifier(f"timm/test_resnet@{tmp_path / 'own.safetensors'}")

    config = timm.data.resolve_model_data_config(network)
    pixels = torch.rand(2, 3, *config["input_size"][1:])
    preprocess = classifier.network[0]
    normalised = (pixels - preprocess.mean) / preprocess.std
    assert (preprocess.crop, len(classifier.labels)) == (config["input_size"][1:], 6)
    torch.testing.assert_close(preprocess.mean.flatten(), torch.tensor(config["mean"]))
    torch.testing.assert_close(classifier.network[1](normalised), network(normalised))


def test_timm_missing_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)

    assert "pip install 'physadv[timm]'" in refusal("timm/resnet18")


def test_probabilities_instead_of_logits_are_warned_of_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "sure_nets.py").write_text(
        "from torch import nn\n"
        "def sure():\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Softmax(dim=1))\n"
        "def log():\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LogSoftmax(dim=1))\n"
    )
    monkeypatch.chdir(tmp_path)

    with pytest.warns(PhysadvWarning) as warned:
        load_classifier("python:sure_nets:sure")
    load_classifier("python:sure_nets:log")  # as good as logits

    (line,) = [str(warning.message) for warning in warned]
    assert line == (
        "model 'python:sure_nets:sure' returns probabilities, not logits: gradients vanish where it is sure"
    )


def test_python_function_of_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "own_nets.py").write_text(
        "from torch import nn\n"
        "from physadv.classifiers import Classifier\n"
        "def network():\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
        "def classifier():\n"
        "    return Classifier(network(), ['red', 'green', 'blue'], 'own')\n"
        "def mislabelled():\n"
        "    return Classifier(network(), ['red'], 'own')\n"
        "def unpooled():\n"
        "    return nn.Flatten(2)\n"
        "def failing():\n"
        "    raise ValueError('no such file')\n"
        "def nothing():\n"
        "    return None\n"
    )
    monkeypatch.chdir(tmp_path)

    network = load_classifier("python:own_nets:network")
    named = load_classifier("python:own_nets:classifier")

    torch.testing.assert_close(network(IMAGES), IMAGES.mean(dim=(2, 3)))
    assert network.labels == ("class 0", "class 1", "class 2")
    assert (named.labels, named.spec) == (("red", "green", "blue"), "python:own_nets:classifier")
    assert "ValueError: no such file" in refusal("python:own_nets:failing")
    assert "returned NoneType; wanted a torch.nn.Module" in refusal("python:own_nets:nothing")
    assert "has 3 outputs for 1 labels" in refusal("python:own_nets:mislabelled")
    assert "answers 2 images with (2, 3, 4096), torch.float32; wanted logits (B, K)" in refusal(
        "python:own_nets:unpooled"
    )
    assert "wanted python:module:function" in refusal("python:own_nets")
    assert str(tmp_path) not in sys.path


def test_labels_come_from_the_file_given(exported, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("apple\nbanana\ncherry\nfig, ficus\npähr\n\n", encoding="utf-8")

    classifier = load_classifier(f"file:{exported[0]}", names)

    assert classifier.labels == ("apple", "banana", "cherry", "fig, ficus", "pähr")


def test_label_file_that_does_not_fit_is_refused(exported, tmp_path):
    spec = f"file:{exported[0]}"
    three, binary = tmp_path / "three.txt", tmp_path / "binary.txt"
    three.write_text("a\nb\nc\n")
    binary.write_bytes(b"\xff\xfe\x00")

    assert f"{three} has 3 labels; {spec} has 5 outputs" in refusal(spec, three)
    assert f"{binary} is no UTF-8 text" in refusal(spec, binary)
    assert f"{tmp_path / 'none.txt'}: no such label file" in refusal(spec, tmp_path / "none.txt")
    assert f"{tmp_path} is no file" in refusal(spec, tmp_path)


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("resnet18", "unknown model 'resnet18'; nearest: torchvision/resnet18"),
        ("net.pt2", "unknown model 'net.pt2'; nearest: file:net.pt2"),
        ("torchvison/resnet18", "unknown model 'torchvison/resnet18'; nearest: torchvision/resnet18"),
        ("torchvision/resnt18", "unknown torchvision model 'resnt18'; nearest: resnet18"),
        ("torchvision/resnet18:V1", "unknown weights of resnet18 'V1'; nearest: "),
    ],
)
def test_unknown_names_come_with_the_nearest(spec, line):
    assert line in refusal(spec)


def test_unknown_timm_names_come_with_the_nearest():
    pytest.importorskip("timm")

    assert "unknown timm model 'resnt18'; nearest: resnet18" in refusal("timm/resnt18")
    assert "unknown timm weights 'resnet18.a9_in1k'; nearest: resnet18.a" in refusal("timm/resnet18.a9_in1k")


def test_damaged_and_missing_files_are_one_line(exported, tmp_path):
    whole = exported[0].read_bytes()
    (tmp_path / "cut.pt2").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.pt2").write_text("hello")
    rewritten(exported[0], tmp_path / "graph.pt2", "models/model.json", lambda content: content[:99])
    torch.save({"a": torch.zeros(1000)}, tmp_path / "whole.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:900])
    (tmp_path / "empty.pt").touch()
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello, this is no safetensors file")
    torch.save([1, 2], tmp_path / "list.pt")

    for name in ("cut.pt2", "text.pt2", "graph.pt2"):
        assert f"{name} is damaged or no torch.export program" in refusal(f"file:{tmp_path / name}")
    for name in ("cut.pt", "empty.pt", "text.pt", "text.safetensors"):
        assert f"{name} is damaged or no" in refusal(f"torchvision/resnet18@{tmp_path / name}")
    assert "list.pt holds no state dict" in refusal(f"torchvision/resnet18@{tmp_path / 'list.pt'}")
    assert "none.pt: no such weights file" in refusal(f"torchvision/resnet18@{tmp_path / 'none.pt'}")
    assert "none.pt2: no such torch.export program" in refusal(f"file:{tmp_path / 'none.pt2'}")
    assert f"{tmp_path} is no file" in refusal(f"file:{tmp_path}")
    assert "torchvision/NAME@" in refusal(f"file:{tmp_path / 'whole.pt'}")


def test_state_dict_of_another_network_is_refused(tmp_path):
    state = zoo.mobilenet_v3_small(num_classes=7).state_dict()
    state["features.0.0.weight"] = torch.zeros(4, 3, 3, 3)
    state["extra"] = torch.zeros(1)
    del state["classifier.0.bias"]
    torch.save(state, tmp_path / "own.pt")

    line = refusal(f"torchvision/mobilenet_v3_small@{tmp_path / 'own.pt'}")

    assert "1 missing (classifier.0.bias)" in line
    assert "1 unexpected (extra)" in line
    assert "1 of another shape (features.0.0.weight is (4, 3, 3, 3), wanted (16, 3, 3, 3))" in line


def test_list_models_names_specs_that_load_knows():
    models = dict(list_models())

    assert {"signs", "file:PATH", "torchvision/resnet18", "torchvision/mobilenet_v2"} <= models.keys()
    assert "IMAGENET1K_V2" in models["torchvision/mobilenet_v2"]
    assert ":IMAGENET1K_V1" in models["torchvision/mobilenet_v2"]


def test_real_classifier_reaches_its_published_accuracy(shared_data):
    with (shared_data / "imagenet" / "labels.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))[::2]

    classifier = load_classifier(
        f"file:{shared_data / 'imagenet' / 'nets' / 'mobilenet_v1_025_128.pt2'}",
        shared_data / "imagenet" / "classes.txt",
    )

    right = 0
    for first in range(0, len(rows), 20):
        batch = rows[first : first + 20]
        pixels = [
            np.array(Image.open(shared_data / "imagenet" / row["path"]).convert("RGB")) for row in batch
        ]
        images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) / 255
        answers = classifier.probabilities(images).argmax(dim=1).tolist()
        right += sum(answer == int(row["label"]) for answer, row in zip(answers, batch, strict=True))
    assert classifier.label_index("goldfish") == 1
    assert right / len(rows) == pytest.approx(0.477, abs=0.12)


@pytest.mark.parametrize("spec", ["signs", "exported", "torchvision"])
def test_classifier_is_placed_whole_on_its_device(exported, tmp_path, spec):
    if spec == "torchvision":
        torch.save(zoo.squeezenet1_1(weights=None).state_dict(), tmp_path / "weights.pt")
    specs = {
        "exported": f"file:{exported[0]}",
        "torchvision": f"torchvision/squeezenet1_1@{tmp_path}/weights.pt",
    }

    classifier = load_classifier(specs.get(spec, spec), device="meta")

    assert {tensor.device.type for tensor in classifier.state_dict().values()} == {"meta"}
    assert classifier(IMAGES.to("meta")).device.type == "meta"


def test_auto_is_the_cpu_where_there_is_no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)

    assert load_classifier("signs", device="auto").device.type == "cpu"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"device": "gpu"}, "device 'gpu' cannot be used here; wanted auto, cpu"),
        ({"device": "cuda:99"}, "device 'cuda:99' cannot be used here; wanted auto, cpu"),
        ({"precision": "bfloat"}, "unknown precision 'bfloat'; nearest: bfloat16, float32"),
    ],
)
def test_device_and_precision_that_are_not_there(options, line):
    with pytest.raises(ClassifierError, match=line):
        load_classifier("signs", **options)


def test_bfloat16_answers_in_float32_near_the_full_precision_logits():
    full, reduced = load_classifier("signs"), load_classifier("signs", precision="bfloat16")

    logits = reduced(IMAGES)

    assert logits.dtype == torch.float32
    assert not torch.equal(logits, full(IMAGES))
    torch.testing.assert_close(logits, full(IMAGES), rtol=0.05, atol=0.1)


def test_channels_last_is_left_out_for_a_network_that_views_its_activations(monkeypatch, tmp_path):
    (tmp_path / "views.py").write_text(
        "from torch import nn\n"
        "class Views(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv, self.pool = nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(2)\n"
        "    def forward(self, images):\n"
        "        maps = self.pool(self.conv(images))\n"
        "        return maps.view(maps.shape[0], -1)\n"
    )
    monkeypatch.chdir(tmp_path)

    classifier = load_classifier("python:views:Views")

    assert classifier.layout == torch.contiguous_format
    assert classifier(IMAGES).shape == (2, 16)
    assert load_classifier("signs").layout == torch.channels_last
