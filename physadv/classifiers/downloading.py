"""Published weights, fetched by the library that publishes them, never running what a pickle brings along."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn

from physadv.classifiers.errors import ClassifierError
from physadv.errors import first_line

_FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def download(spec: str, create: Callable[[], nn.Module]) -> nn.Module:
    """Return the network that `create` makes with published weights, fetched or from the library's cache.

    Raises:
        ClassifierError: they cannot be fetched, or want to run code.
    """
    try:
        with _weights_only():
            return create()
    except Exception as error:  # urllib, huggingface_hub and a broken cache each raise their own
        cause = first_line(error)
        raise ClassifierError(
            f"cannot download the weights of {spec} ({cause}); without a network give a file: {spec}@PATH"
        ) from error


@contextmanager
def _weights_only() -> Iterator[None]:
    """Hold every `torch.load` to plain tensors: torchvision's own unpickles whatever lies in its cache."""
    forced = os.environ.get(_FORCE)
    os.environ[_FORCE] = "1"
    try:
        yield
    finally:
        if forced is None:
            del os.environ[_FORCE]
        else:
            os.environ[_FORCE] = forced
