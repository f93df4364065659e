"""A classifier as every other room sees it: pixels in, logits out, with class names; and its device."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import Tensor, nn

from physadv.classifiers.errors import ClassifierError

_CPU = torch.device("cpu")


class Classifier(nn.Module):
    """A frozen network seen through pixels: float RGB images in [0, 1], (B, 3, H, W) → logits (B, K).

    Args:
        network: a module that resizes and normalises inside, so that it accepts any H × W.
        labels: the K class names, in logit order.
        spec: the text `load_classifier` was given; written into manifests so that a run can be repeated.
        device: where it runs.
        precision: type to compute in; below float32 by autocast, with logits in float32.
        channels_last: whether weights and images are laid out by pixel. It saves a quarter to a third of the
            time, but fails for networks that view their activations in another shape.
    """

    def __init__(
        self,
        network: nn.Module,
        labels: Sequence[str],
        spec: str,
        *,
        device: torch.device = _CPU,
        precision: torch.dtype = torch.float32,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(device).to(memory_format=self.layout)
        self.labels, self.spec = tuple(labels), spec
        self.device, self.precision = device, precision
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) of float images (B, 3, H, W) in [0, 1], on the classifier's device."""
        images = images.contiguous(memory_format=self.layout)
        if self.precision == torch.float32:
            logits: Tensor = self.network(images)
            return logits
        with torch.autocast(self.device.type, self.precision):
            return self.network(images).float()  # type: ignore[no-any-return]

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Return class probabilities (B, K) of float images (B, 3, H, W) in [0, 1]."""
        return self.forward(images).softmax(dim=1)

    @cached_property
    def identity(self) -> str:
        """Return the spec and a hash of names and values of all weights: a file may have changed since."""
        digest = hashlib.sha256()
        for name, tensor in self.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return f"{self.spec} {digest.hexdigest()[:16]}"

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Give weights and modes back as they were, whatever the code inside did to them."""
        kept = {name: (weight.detach().clone(), weight.requires_grad) for name, weight in self._weights()}
        modes = [(module, module.training) for module in self.modules()]
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training
            for name, weight in self._weights():
                values, grows = kept[name]
                weight.requires_grad_(False).copy_(values).requires_grad_(grows)

    def _weights(self) -> list[tuple[str, Tensor]]:
        return [*self.named_parameters(), *self.named_buffers()]

    def label_index(self, label: str) -> int:
        """Return the index of a label given as an index or as one of the class names.

        A name may be one of several joined by commas, as ImageNet's are ("tench, Tinca tinca").

        Raises:
            ClassifierError: the label is neither, or the name is shared by several classes.
        """
        text = label.strip()
        if re.fullmatch(r"[-+]?[0-9]+", text):
            # Python refuses to read thousands of digits.
            if len(text) < 20 and 0 <= int(text) < len(self.labels):
                return int(text)
            raise ClassifierError(
                f"label {text:.20} is outside the {len(self.labels)} classes of {self.spec}"
            )
        wanted, names = text.casefold(), [name.casefold() for name in self.labels]
        found = [k for k, name in enumerate(names) if name == wanted]
        if not found:
            found = [k for k, name in enumerate(names) if wanted in map(str.strip, name.split(","))]
        if len(found) != 1:
            cause = "is no class" if not found else f"names {len(found)} classes (give the index)"
            raise ClassifierError(f"label '{text}' {cause} of {self.spec}")
        return found[0]


def check_classifier(given: object) -> None:
    """Raise ClassifierError for anything but a Classifier, such as a spec or a network of torch."""
    if not isinstance(given, Classifier):
        shown = repr(given) if isinstance(given, str) else type(given).__name__
        ways = "physadv.load_classifier(spec) or classifiers.Classifier(network, labels, spec)"
        raise ClassifierError(f"classifier {shown}: wanted a Classifier, from {ways}")


def find_device(name: str) -> torch.device:
    """Return the device called `name` (`cpu`, `cuda`, `cuda:1`, `mps`, …); `auto` takes the best available.

    A device that torch does not know, or that is not there, raises ClassifierError.
    """
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if name == "auto":
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # an unbuilt backend asserts
        usable = ["auto", "cpu", *([accelerator.type] if accelerator else [])]
        raise ClassifierError(f"device '{name}' cannot be used here; wanted {', '.join(usable)}") from error
    return device
