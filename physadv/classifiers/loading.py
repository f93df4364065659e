"""From the text of `--model` to a classifier."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

import torch
from torch import nn

from physadv.classifiers.classifier import Classifier, check_answers, find_device, probe_images
from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.libraries import timm_network, torchvision_network
from physadv.classifiers.signs import HARDENED_WEIGHTS, WEIGHTS, load_network
from physadv.classifiers.specs import SIGN_LABELS, Spec, check_spec, read_label_file
from physadv.classifiers.weight_files import read_program
from physadv.errors import first_line
from physadv.importing import OWN_ERRORS, importable_here, own_function


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
            `file:PATH`, a `torch.export` program (`.pt2`) that resizes and normalises inside. It is code:
            open only what you trust;
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
            download fails, the network does not map (B, 3, H, W) to finite logits (B, K) of two classes or
            more, answers at random, the labels are not K, or the device cannot be used.

    >>> classifier = load_classifier("signs")
    >>> classifier(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 43])
    >>> classifier.labels[14]
    'stop'
    """
    checked = check_spec(spec, labels, precision)
    place = find_device(device)
    network, names = _build(checked, place)
    network.eval().to(place)
    count = _outputs(network, spec, place)
    if labels is not None:
        names = read_label_file(labels)
        if len(names) != count:
            raise ClassifierError(f"{labels} has {len(names)} labels; {spec} has {count} outputs")
    elif names is None and count == 1000:
        from torchvision.models import MobileNet_V2_Weights

        names = MobileNet_V2_Weights.DEFAULT.meta["categories"]
    elif names is None:
        names = [f"class {index}" for index in range(count)]
    dtype, channels_last = getattr(torch, precision), _takes_channels_last(network, place)
    classifier = Classifier(network, names, spec, device=place, precision=dtype, channels_last=channels_last)
    classifier.classes(probe_images(place))
    return classifier


def _build(spec: Spec, device: torch.device) -> tuple[nn.Module, Sequence[str] | None]:
    """Return the network that takes pixels, and the class names published with it."""
    if spec.kind == "signs":
        bundled = HARDENED_WEIGHTS if spec.text == "signs-hardened" else WEIGHTS
        return load_network(spec.path or bundled), SIGN_LABELS
    if spec.kind == "torchvision":
        return torchvision_network(spec)
    if spec.kind == "timm":
        return timm_network(spec), None
    if spec.path is not None:
        return read_program(spec.path, device), None
    return _python(spec.text)


def _python(spec: str) -> tuple[nn.Module, Sequence[str] | None]:
    make = own_function("model", spec, ClassifierError)
    try:
        with importable_here():
            made = make()
    except OWN_ERRORS as error:
        raise ClassifierError(f"model '{spec}': {type(error).__name__}: {first_line(error)}") from error
    if isinstance(made, Classifier):
        return made.network, made.labels
    if not isinstance(made, nn.Module):
        raise ClassifierError(f"model '{spec}' returned {type(made).__name__}; wanted a torch.nn.Module")
    return made, None


def _outputs(network: nn.Module, spec: str, device: torch.device) -> int:
    """Return K, counted by classifying two small images."""
    try:
        with torch.no_grad():
            logits = network(probe_images(device))
    except OWN_ERRORS as error:
        cause = f"{first_line(error)}; {_way_out(network, device)}"
        raise ClassifierError(f"model '{spec}' cannot classify images (2, 3, 64, 64): {cause}") from error
    check_answers(logits, 2, spec)
    return int(logits.shape[1])


@torch.no_grad()
def _way_out(network: nn.Module, device: torch.device) -> str:
    """Return in words what a network that fails on the first images does take, and what follows."""
    for channels, side in product((3, 1), (64, 28, 32, 96, 224, 299)):
        with suppress(*OWN_ERRORS):
            network(probe_images(device, side, channels))
            inside = "resize inside" if channels == 3 else "turn RGB grey and resize inside"
            return f"it takes (2, {channels}, {side}, {side}), so it must {inside}"
    return "wanted RGB in [0, 1] of any size"


def _takes_channels_last(network: nn.Module, device: torch.device) -> bool:
    images = probe_images(device).contiguous(memory_format=torch.channels_last)
    try:
        with torch.no_grad():
            network(images)
    except RuntimeError:  # a view of activations that are laid out otherwise
        return False
    return True
