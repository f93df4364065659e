"""Weights and programs from files, read without running code that is pickled in them."""

import logging
import pickle
import warnings
import zipfile
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.export.passes import move_to_device_pass

from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.specs import existing_file
from physadv.errors import reading
from physadv.files import replacing

State = dict[str, Tensor]


def read_state_dict(path: Path, known: Container[str]) -> dict[str, Tensor]:
    """Return the tensors of a `.safetensors` file or of a state dict written by `torch.save`.

    The state dict may be anywhere in a dict, under any name. `known` are the names of the network's tensors:
    a prefix that all names share, such as `module.` of DataParallel or `_orig_mod.` of `torch.compile`, is
    removed where what follows is known.

    Raises:
        ClassifierError: the file is missing, damaged, holds no state dict or several, or is a pickle that
            would run code, which `weights_only=True` prevents.
    """
    existing_file(path, "weights file")
    if path.suffix == ".safetensors":
        fault = f"{path} is damaged or no safetensors file"
        with reading(path, lambda error: ClassifierError(f"{fault} ({error})")):
            return _without_prefix(load_file(path), known)
    found = dict(_state_dicts(_unpickle_tensors(path), known))
    fitting = {name: state for name, state in found.items() if any(map(known.__contains__, state))} or found
    if not fitting:
        raise ClassifierError(f"{path} holds no state dict (names → tensors)")
    usual: str | None = next(
        (name for name in ("state_dict", "model_state_dict", "model") if name in fitting), None
    )
    if usual is None and len(fitting) > 1:
        raise ClassifierError(f"{path} holds several state dicts ({', '.join(fitting)}); save one by itself")
    return fitting[usual or next(iter(fitting))]


def _state_dicts(content: Any, known: Container[str], place: str = "") -> Iterator[tuple[str, State]]:
    """Yield the place and the tensors of every state dict in a checkpoint."""
    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        return
    if content and all(isinstance(item, Tensor) for item in content.values()):
        yield place, _without_prefix(content, known)
        return
    for name, item in content.items():
        yield from _state_dicts(item, known, f"{place}.{name}" if place else name)


def _without_prefix(state: Mapping[str, Tensor], known: Container[str]) -> dict[str, Tensor]:
    """Return a state dict without the parts that begin all its names, if it then has one that is known."""
    named = dict(state)
    while not any(name in known for name in named):
        if len({name.partition(".")[0] for name in named}) != 1 or not all("." in name for name in named):
            return dict(state)
        named = {name.partition(".")[2]: tensor for name, tensor in named.items()}
    return named


def write_state_dict(network: nn.Module, path: Path) -> None:
    """Write a network's state dict as safetensors; the file appears whole or not at all."""
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with replacing(path, tidy=True) as temporary:
        temporary.write_bytes(save(state))


def _unpickle_tensors(path: Path) -> Any:
    def refuse(error: Exception) -> ClassifierError:
        fault = "is damaged or no weights file"
        if isinstance(error, pickle.UnpicklingError) and "Unsupported" in str(error):
            fault = "is a pickle that wants to run code and was refused; "
            fault += "re-save it as safetensors or as a plain state dict"
        return ClassifierError(f"{path} {fault}")

    # torch warns of unusual pickle protocols and TorchScript archives; both are refused.
    with reading(path, refuse), warnings.catch_warnings(action="ignore"):
        return torch.load(path, map_location="cpu", weights_only=True)


def fill(network: nn.Module, state: Mapping[str, Tensor], path: Path, spec: str) -> None:
    """Load the state dict read from `path`, or raise ClassifierError, which names the tensors that misfit."""
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in wanted]
    misshapen = [
        f"{name} is {tuple(state[name].shape)}, wanted {tuple(wanted[name].shape)}"
        for name in wanted
        if name in state and state[name].shape != wanted[name].shape
    ]
    faults = [
        f"{len(names)} {kind} ({', '.join(names[:2])}{', …' if len(names) > 2 else ''})"
        for kind, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
        if names
    ]
    if faults:
        raise ClassifierError(f"{path} does not fit {spec}: {'; '.join(faults)}")
    network.load_state_dict(state, strict=False)


class Program(nn.Module):
    """A `torch.export` program as a module without a training mode."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, images: Tensor) -> Tensor:
        """Return the program's output, logits (B, K), for float images (B, 3, H, W) in [0, 1]."""
        logits: Tensor = self.graph(images)
        return logits

    def train(self, mode: bool = True) -> "Program":
        """Do nothing: an exported graph keeps the mode it was traced in, and raises when told to switch."""
        return self


def read_program(path: Path, device: torch.device) -> Program:
    """Return the `torch.export` program of a `.pt2` file, on a device.

    `torch.export.load` unpickles sample inputs, weights and custom objects unguarded, and runs compiled code.
    Here it gets only the graph and plain tensors: sample inputs are dropped unread, and an archive with
    pickled or compiled parts is refused. The graph itself is trusted: torch evaluates its shape expressions
    and calls the operators it names. Open `.pt2` files only from people whose code you would run. A file that
    is missing, damaged or no such program raises ClassifierError too.
    """
    existing_file(path, "torch.export program")
    fault = f"{path} is damaged or no torch.export program (.pt2)"
    with reading(path, lambda _error: ClassifierError(fault)), _silent_export():
        archive = _plain_archive(path)
        # The graph names the device it was traced on wherever it makes a tensor.
        return Program(move_to_device_pass(torch.export.load(archive), device).module())


def _plain_archive(path: Path) -> BytesIO:
    """Return a copy of the archive without sample inputs, so that torch reads the bytes that were checked."""
    copy = BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            member, content = name.partition("/")[2], source.read(name)
            if member.startswith("data/sample_inputs/"):
                content = b""
            elif _wants_code(member, content):
                raise ClassifierError(
                    f"{path} holds pickled or compiled parts ({member}) and was refused; "
                    "export the network again with plain tensors only"
                )
            target.writestr(name, content)
    copy.seek(0)
    return copy


def _wants_code(member: str, content: bytes) -> bool:
    if member.endswith("_config.json"):
        try:
            return any(item.get("use_pickle") for item in loads(content)["config"].values())
        except (JSONDecodeError, UnicodeDecodeError, LookupError, AttributeError, TypeError):
            return True
    if member.startswith(("data/weights/weight_", "data/constants/tensor_")):
        return False
    return member.startswith("data/") or member.endswith((".pt", ".so", ".pkl"))


@contextmanager
def _silent_export() -> Iterator[None]:
    """Keep torch.export from logging a traceback for a file that the caller reports in one line."""
    logger = logging.getLogger("torch.export")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
