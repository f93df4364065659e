"""From the text of `--model` to a classifier: the one door through which networks come in.

Reads weights, programs and label files; imports torchvision and timm only when a spec asks for them.
"""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from physadv.classifiers.classifier import Classifier, ClassifierError
from physadv.classifiers.downloading import download
from physadv.classifiers.placing import find_device, find_precision
from physadv.classifiers.preprocess import Preprocess
from physadv.classifiers.weight_files import fill, read_label_file, read_program, read_state_dict
from physadv.errors import PhysadvWarning, first_line, unknown_name
from physadv.importing import importable_here, own_function

_FORMS = (
    "signs",
    "signs-hardened",
    "signs@PATH",
    "torchvision/NAME",
    "timm/NAME",
    "file:PATH",
    "python:module:function",
)


def load_classifier(
    spec: str, labels: Path | None = None, *, device: str = "cpu", precision: str = "float32"
) -> Classifier:
    """Return the classifier that `spec` names, frozen and in evaluation mode.

    Args:
        spec: one of
            `signs`, the bundled classifier of traffic signs;
            `signs-hardened`, the same after adversarial training against stickers;
            `signs@PATH`, the same network with weights of your own, as `physadv harden` writes them;
            `torchvision/NAME[:WEIGHTS]`, published weights (the registered default without WEIGHTS);
            `timm/NAME`, published weights;
            `torchvision/NAME@PATH`, `timm/NAME@PATH`, that architecture and its published preprocessing with
            a state dict of your own (`torch.save` or `.safetensors`), whose head says how many classes;
            `file:PATH`, a `torch.export` program (`.pt2`) that resizes and normalises inside;
            `python:module:function`, a function without arguments that returns a module taking pixels in
            [0, 1], or a `Classifier`. It runs as it is: name only code you trust.
        labels: a text file with one class name a line, in logit order. Without it: the names published with
            the weights, ImageNet's for 1,000 outputs, else `class 0`, `class 1`, …
        device: `auto`, or as torch names them.
        precision: `float32` or `bfloat16`.

    Warns:
        PhysadvWarning: the network returns probabilities instead of logits.

    Raises:
        ClassifierError: the spec is unknown, a file is missing, damaged, does not fit or wants to run code, a
            download fails, the network does not map (B, 3, H, W) to (B, K), the labels are not K, or the
            device cannot be used.
    """
    place, dtype = find_device(device), find_precision(precision)
    network, names = _build(spec, place)
    network.eval().to(place)
    count = _outputs(network, spec, place)
    if labels is not None:
        names = _read_labels(labels, count, spec)
    elif names is None:
        names = _imagenet_labels() if count == 1000 else [f"class {index}" for index in range(count)]
    elif len(names) != count:
        raise ClassifierError(f"model '{spec}' brings {len(names)} labels for {count} outputs")
    return Classifier(
        network,
        names,
        spec,
        device=place,
        precision=dtype,
        channels_last=_takes_channels_last(network, place),
    )


def list_models() -> list[tuple[str, str]]:
    """Return (spec, description) of every classifier that can be named, and of the forms for one's own."""
    import torchvision.models as zoo

    published = []
    for name in zoo.list_models(module=zoo):
        weights = zoo.get_model_weights(name)
        others = [w.name for w in weights if w is not weights.DEFAULT]
        top1 = weights.DEFAULT.meta["_metrics"]["ImageNet-1K"]["acc@1"]
        more = f"; also :{', :'.join(others)}" if others else ""
        published.append(
            (f"torchvision/{name}", f"{weights.DEFAULT.name}, ImageNet top-1 {top1:.1f} %{more}")
        )
    return [
        ("signs", "bundled: the 43 traffic signs of GTSRB"),
        ("signs-hardened", "bundled: the same network, adversarially trained against stickers"),
        ("signs@PATH", "the same network with your weights, such as 'physadv harden' writes"),
        ("file:PATH", "a torch.export program (.pt2), preprocessing inside"),
        ("torchvision/NAME@PATH", "a torchvision architecture with your state dict"),
        ("timm/NAME", "any pretrained model of timm (optional extra); timm/NAME@PATH with your state dict"),
        ("python:module:function", "a function of yours that returns a torch module"),
        *published,
    ]


def _build(spec: str, device: torch.device) -> tuple[nn.Module, Sequence[str] | None]:
    """Return the network that takes pixels, and the class names published with it."""
    if spec in ("signs", "signs-hardened") or spec.startswith("signs@"):
        return _signs(spec)
    if spec.startswith("file:"):
        return _program(Path(spec.removeprefix("file:")).expanduser(), device), None
    if spec.startswith("python:"):
        return _python(spec)
    library, slash, rest = spec.partition("/")
    if slash and library in ("torchvision", "timm"):
        name, at, path = rest.partition("@")
        weights = Path(path).expanduser() if at else None
        return _torchvision(spec, name, weights) if library == "torchvision" else _timm(spec, name, weights)
    raise ClassifierError(unknown_name("model", spec, _near_specs(spec)))


def _near_specs(spec: str) -> list[str]:
    import torchvision.models as zoo

    own = [f"file:{spec}"] if spec.endswith(".pt2") else []
    return [*own, *_FORMS, *(f"torchvision/{name}" for name in zoo.list_models(module=zoo))]


def _signs(spec: str) -> tuple[nn.Module, Sequence[str]]:
    from physadv.classifiers.gtsrb import SIGN_LABELS
    from physadv.classifiers.signs import HARDENED_WEIGHTS, WEIGHTS, load_network

    bundled = {"signs": WEIGHTS, "signs-hardened": HARDENED_WEIGHTS}
    path = bundled.get(spec) or Path(spec.removeprefix("signs@")).expanduser()
    return load_network(path), SIGN_LABELS


def _program(path: Path, device: torch.device) -> nn.Module:
    if path.suffix != ".pt2" and path.is_file():
        raise ClassifierError(
            f"{path} is no .pt2 program; a state dict needs its architecture: torchvision/NAME@{path}"
        )
    return read_program(path, device)


def _python(spec: str) -> tuple[nn.Module, Sequence[str] | None]:
    make = own_function("model", spec, ClassifierError)
    try:
        with importable_here():
            made = make()
    except Exception as error:  # the user's own code can raise anything
        raise ClassifierError(f"model '{spec}': {type(error).__name__}: {first_line(error)}") from error
    if isinstance(made, Classifier):
        return made.network, made.labels
    if not isinstance(made, nn.Module):
        raise ClassifierError(f"model '{spec}' returned {type(made).__name__}; wanted a torch.nn.Module")
    return made, None


def _torchvision(spec: str, rest: str, path: Path | None) -> tuple[nn.Module, Sequence[str] | None]:
    import torchvision.models as zoo

    name, _, weights_name = rest.partition(":")
    known = zoo.list_models(module=zoo)
    if name not in known:
        raise ClassifierError(unknown_name("torchvision model", name, known))
    published = zoo.get_model_weights(name)
    if weights_name and weights_name not in published.__members__:
        raise ClassifierError(unknown_name(f"weights of {name}", weights_name, published.__members__))
    weights = published[weights_name] if weights_name else published.DEFAULT
    if path is None:
        network = download(spec, lambda: zoo.get_model(name, weights=weights, progress=sys.stderr.isatty()))
        labels = weights.meta["categories"]
    else:
        # Google's two were published for inputs in [-1, 1]; the flag lets them, and what was fine-tuned from
        # them, take the common normalisation, as torchvision does whenever it loads weights itself.
        google = (
            {"transform_input": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
        )
        network = _fitted(lambda **head: zoo.get_model(name, weights=None, **google, **head), path, spec)
        labels = None
    preset = weights.transforms()
    preprocess = Preprocess(
        preset.resize_size[0], (preset.crop_size[0],) * 2, preset.mean, preset.std, preset.interpolation.value
    )
    return nn.Sequential(preprocess, network), labels


def _timm(spec: str, name: str, path: Path | None) -> tuple[nn.Module, Sequence[str] | None]:
    try:
        timm: Any = import_module("timm")
    except ImportError as error:
        raise ClassifierError(f"model '{spec}' needs timm: pip install 'physadv[timm]'") from error
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise ClassifierError(unknown_name("timm model", name, timm.list_models()))
    pretrained = timm.list_pretrained(f"{architecture}.*")
    if (tag and name not in pretrained) or not (pretrained or path):
        raise ClassifierError(unknown_name("timm weights", name, pretrained or timm.list_pretrained()))
    if path is None:
        network = download(spec, lambda: timm.create_model(name, pretrained=True))
    else:
        network = _fitted(lambda **head: timm.create_model(name, pretrained=False, **head), path, spec)
    config = timm.data.resolve_model_data_config(network)
    if config["crop_mode"] == "border" or config["interpolation"] not in ("bilinear", "bicubic"):
        raise ClassifierError(
            f"model '{spec}' was published with {config['interpolation']} interpolation and "
            f"{config['crop_mode']} crop, which are not supported"
        )
    height, width = config["input_size"][1:]
    resize = int(height / config["crop_pct"]), int(width / config["crop_pct"])
    keeps_aspect = config["crop_mode"] == "center" and height == width
    preprocess = Preprocess(
        resize[0] if keeps_aspect else resize,
        (height, width),
        config["mean"],
        config["std"],
        config["interpolation"],
    )
    return nn.Sequential(preprocess, network), None


def _fitted(create: Callable[..., nn.Module], path: Path, spec: str) -> nn.Module:
    """Return the network that `create(num_classes=…)` makes, with as many classes as the file's head has."""
    state = read_state_dict(path)
    network = create()
    wanted = network.state_dict()
    head = next(reversed(wanted))  # torchvision and timm register the classifying layer last
    if head in state and state[head].ndim and state[head].shape[0] != wanted[head].shape[0]:
        network = create(num_classes=state[head].shape[0])
    fill(network, state, path, spec)
    return network


def _outputs(network: nn.Module, spec: str, device: torch.device) -> int:
    """Return K, counted by classifying two small black images."""
    try:
        with torch.no_grad():
            logits = network(torch.zeros(2, 3, 64, 64, device=device))
    except Exception as error:  # a network that is not ours can raise anything
        cause = first_line(error)
        raise ClassifierError(
            f"model '{spec}' cannot classify images (2, 3, 64, 64): {cause}; it must resize inside"
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or logits.shape[0] != 2:
        got = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ClassifierError(f"model '{spec}' answers two images with {got}; wanted logits (2, K)")
    if _are_probabilities(logits):
        warnings.warn(
            f"model '{spec}' returns probabilities, not logits: gradients vanish where it is sure",
            PhysadvWarning,
            stacklevel=3,
        )
    return int(logits.shape[1])


def _takes_channels_last(network: nn.Module, device: torch.device) -> bool:
    images = torch.zeros(2, 3, 64, 64, device=device).contiguous(memory_format=torch.channels_last)
    try:
        with torch.no_grad():
            network(images)
    except RuntimeError:  # a view of activations that are laid out otherwise
        return False
    return True


def _are_probabilities(answers: torch.Tensor) -> bool:
    """Return whether every row is of numbers from 0 to 1 that sum to 1; of one class no answer tells.

    A tensor of the device `meta` has no numbers.
    """
    if answers.is_meta:
        return False
    sums = answers.double().sum(dim=1)
    return answers.shape[1] > 1 and bool((answers >= 0).all() and ((sums - 1).abs() < 1e-3).all())


def _read_labels(path: Path, count: int, spec: str) -> list[str]:
    names = read_label_file(path)
    if len(names) != count:
        raise ClassifierError(f"{path} has {len(names)} labels; {spec} has {count} outputs")
    return names


def _imagenet_labels() -> Sequence[str]:
    from torchvision.models import MobileNet_V2_Weights

    categories: Sequence[str] = MobileNet_V2_Weights.DEFAULT.meta["categories"]
    return categories
