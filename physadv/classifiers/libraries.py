"""Networks of torchvision and timm, with published weights or a state dict, preprocessing inside."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from physadv.classifiers.downloading import download
from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.preprocess import Preprocess
from physadv.classifiers.specs import Spec
from physadv.classifiers.weight_files import fill, read_state_dict
from physadv.errors import unknown_name


def torchvision_network(spec: Spec) -> tuple[nn.Module, Sequence[str] | None]:
    """Return a torchvision network that takes pixels, and the class names published with its weights.

    Raises:
        ClassifierError: the download fails, or the file does not fit the architecture.
    """
    import torchvision.models as zoo

    weights = zoo.get_model_weights(spec.name)[spec.weights]
    labels: Sequence[str] | None = None
    if spec.path is None:
        network = download(
            spec.text, lambda: zoo.get_model(spec.name, weights=weights, progress=sys.stderr.isatty())
        )
        labels = weights.meta["categories"]
    else:
        # Google's two were published for inputs in [-1, 1]; the flag lets them, and what was fine-tuned from
        # them, take the common normalisation, as torchvision does whenever it loads weights itself.
        google = spec.name in ("googlenet", "inception_v3")
        own = {"transform_input": True, "init_weights": False} if google else {}
        network = _fitted(
            lambda **head: zoo.get_model(spec.name, weights=None, **own, **head), spec.path, spec.text
        )
    preset = weights.transforms()
    preprocess = Preprocess(
        preset.resize_size[0], (preset.crop_size[0],) * 2, preset.mean, preset.std, preset.interpolation.value
    )
    return nn.Sequential(preprocess, network), labels


def timm_network(spec: Spec) -> nn.Module:
    """Return a timm network that takes pixels.

    Raises:
        ClassifierError: timm publishes no such weights or preprocessing of another kind, the download fails,
            or the file does not fit the architecture.
    """
    timm: Any = import_module("timm")
    architecture, _, tag = spec.name.partition(".")
    pretrained = timm.list_pretrained(f"{architecture}.*")
    if (tag and spec.name not in pretrained) or not (pretrained or spec.path):
        raise ClassifierError(unknown_name("timm weights", spec.name, pretrained or timm.list_pretrained()))
    if spec.path is None:
        network = download(spec.text, lambda: timm.create_model(spec.name, pretrained=True))
    else:
        network = _fitted(
            lambda **head: timm.create_model(spec.name, pretrained=False, **head), spec.path, spec.text
        )
    config = timm.data.resolve_model_data_config(network)
    if config["crop_mode"] == "border" or config["interpolation"] not in ("bilinear", "bicubic"):
        raise ClassifierError(
            f"model '{spec.text}' was published with {config['interpolation']} interpolation and "
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
    return nn.Sequential(preprocess, network)


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
