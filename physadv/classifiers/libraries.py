"""Networks of torchvision and timm, with published weights or a state dict, preprocessing inside."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.specs import Spec
from physadv.classifiers.weight_files import fill, read_state_dict
from physadv.errors import first_line, unknown_name

_WEIGHTS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


class Preprocess(nn.Module):
    """Resize with antialiasing, crop the centre, normalise: what torchvision and timm publish with weights.

    Within one 8-bit level of the Pillow pipeline the weights were evaluated with, and differentiable.
    `resize` is the short side in pixels, aspect kept, or (height, width) exactly; `crop` is (height, width);
    `mean` and `std` are those of [0, 1] pixels, per channel; `interpolation` is "bilinear" or "bicubic".
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        resize: int | tuple[int, int],
        crop: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        interpolation: str = "bilinear",
    ) -> None:
        super().__init__()
        self.resize, self.crop, self.interpolation = resize, crop, interpolation
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the normalised crops (B, 3, *crop) of float images (B, 3, H, W) in [0, 1]."""
        height, width = images.shape[-2:]
        size, short = self.resize, min(height, width)
        if isinstance(size, int):
            size = size * height // short, size * width // short
        if size != (height, width):
            images = interpolate(images, size, mode=self.interpolation, antialias=True, align_corners=False)
            images = images.clamp(0, 1)  # bicubic overshoots where Pillow's 8 bits saturate
        # Rounded half to even, as torchvision does.
        top, left = round((size[0] - self.crop[0]) / 2), round((size[1] - self.crop[1]) / 2)
        images = images[..., top : top + self.crop[0], left : left + self.crop[1]]
        return (images - self.mean) / self.std


def torchvision_network(spec: Spec) -> tuple[nn.Module, Sequence[str] | None]:
    """Return a torchvision network that takes pixels, and the class names published with its weights."""
    import torchvision.models as zoo

    weights = zoo.get_model_weights(spec.name)[spec.weights]
    labels: Sequence[str] | None = None
    if spec.path is None:
        progress = sys.stderr.isatty()
        network = download(spec.text, lambda: zoo.get_model(spec.name, weights=weights, progress=progress))
        labels = weights.meta["categories"]
    else:
        # Google's two were published for inputs in [-1, 1]; the flag lets them, and what was fine-tuned from
        # them, take the common normalisation, as torchvision does whenever it loads weights itself.
        google = spec.name in ("googlenet", "inception_v3")
        own = {"transform_input": True, "init_weights": False} if google else {}
        create = partial(zoo.get_model, spec.name, weights=None, **own)
        network = _fitted(create, spec.path, spec.text)
    preset = weights.transforms()
    crop, mode = (preset.crop_size[0],) * 2, preset.interpolation.value
    return nn.Sequential(
        Preprocess(preset.resize_size[0], crop, preset.mean, preset.std, mode), network
    ), labels


def timm_network(spec: Spec) -> nn.Module:
    """Return a timm network that takes pixels; weights timm does not publish raise ClassifierError."""
    timm: Any = import_module("timm")
    architecture, _, tag = spec.name.partition(".")
    pretrained = timm.list_pretrained(f"{architecture}.*")
    if (tag and spec.name not in pretrained) or not (pretrained or spec.path):
        raise ClassifierError(unknown_name("timm weights", spec.name, pretrained or timm.list_pretrained()))
    if spec.path is None:
        network = download(spec.text, lambda: timm.create_model(spec.name, pretrained=True))
    else:
        network = _fitted(partial(timm.create_model, spec.name, pretrained=False), spec.path, spec.text)
    config = timm.data.resolve_model_data_config(network)
    interpolation, mode = config["interpolation"], config["crop_mode"]
    if mode == "border" or interpolation not in ("bilinear", "bicubic"):
        raise ClassifierError(
            f"model '{spec.text}' was published with {interpolation} interpolation and "
            f"{mode} crop, which are not supported"
        )
    height, width = config["input_size"][1:]
    resize = int(height / config["crop_pct"]), int(width / config["crop_pct"])
    size = resize[0] if mode == "center" and height == width else resize
    preprocess = Preprocess(size, (height, width), config["mean"], config["std"], interpolation)
    return nn.Sequential(preprocess, network)


def download(spec: str, create: Callable[[], nn.Module]) -> nn.Module:
    """Return the network that `create` makes with published weights, fetched or from the library's cache.

    Weights that cannot be fetched, or want to run code, raise ClassifierError.
    """
    try:
        with _weights_only():
            return create()
    except Exception as error:  # urllib, huggingface_hub and a broken cache each raise their own
        raise ClassifierError(
            f"cannot download the weights of {spec} ({first_line(error)}); "
            f"without a network give a file: {spec}@PATH"
        ) from error


@contextmanager
def _weights_only() -> Iterator[None]:
    """Hold every `torch.load` to plain tensors: torchvision's own unpickles whatever lies in its cache."""
    before = os.environ.get(_WEIGHTS_ONLY)
    os.environ[_WEIGHTS_ONLY] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WEIGHTS_ONLY]
        else:
            os.environ[_WEIGHTS_ONLY] = before


def _fitted(create: Callable[..., nn.Module], path: Path, spec: str) -> nn.Module:
    """Return the network that `create(num_classes=…)` makes, with as many classes as the file's head has."""
    network = create()
    wanted = network.state_dict()
    state = read_state_dict(path, wanted)
    head = next(reversed(wanted))  # torchvision and timm register the classifying layer last
    if head in state and state[head].ndim and state[head].shape[0] != wanted[head].shape[0]:
        network = create(num_classes=state[head].shape[0])
    fill(network, state, path, spec)
    return network
