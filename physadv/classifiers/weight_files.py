"""Weights and programs from files, read without running code that is pickled in them."""

import logging
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.export.passes import move_to_device_pass

from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.specs import existing_file
from physadv.files import replacing


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a `.safetensors` file or of a state dict written by `torch.save`.

    The state dict may be wrapped in a dict under `state_dict`, `model_state_dict` or `model`. The prefix
    `module.` of DataParallel is removed from the names.

    Raises:
        ClassifierError: the file is missing, damaged, holds no state dict, or is a pickle that would run
            code, which `weights_only=True` prevents.
    """
    existing_file(path, "weights file")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise ClassifierError(f"{path} is damaged or no safetensors file ({error})") from error
    content = _unpickle_tensors(path)
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(item, Tensor) for item in content.values()):
        raise ClassifierError(f"{path} holds no state dict (names → tensors)")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def write_state_dict(network: nn.Module, path: Path) -> None:
    """Write a network's state dict as safetensors; the file appears whole or not at all."""
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(state))


def _unpickle_tensors(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # torch warns of unusual pickle protocols and TorchScript archives; both end in an error below.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, OSError) as error:
        fault = "is damaged or no weights file"
        if isinstance(error, pickle.UnpicklingError) and "Unsupported" in str(error):
            fault = "is a pickle that wants to run code and was refused; "
            fault += "re-save it as safetensors or as a plain state dict"
        raise ClassifierError(f"{path} {fault}") from error


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
    try:
        archive = _plain_archive(path)
        with _silent_export():
            # The graph names the device it was traced on wherever it makes a tensor.
            return Program(move_to_device_pass(torch.export.load(archive), device).module())
    except ClassifierError:
        raise
    except Exception as error:  # the deserialiser of a damaged program can raise anything
        raise ClassifierError(f"{path} is damaged or no torch.export program (.pt2)") from error


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
