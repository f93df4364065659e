"""A classifier as every other room sees it: pixels in, logits out, with class names; and its device."""

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import Tensor, nn

from physadv.classifiers.errors import ClassifierError
from physadv.errors import PhysadvWarning
from physadv.text import without_home

_CPU = torch.device("cpu")


class Classifier(nn.Module):
    """A frozen network seen through pixels: float RGB images in [0, 1], (B, 3, H, W) → logits (B, K).

    Args:
        network: a module that resizes and normalises inside, so that it accepts any H × W.
        labels: the K class names, in logit order.
        spec: the text `load_classifier` was given; written into manifests, without the user's home folder,
            so that a run can be repeated.
        device: where it runs.
        precision: type to compute in; below float32 by autocast, with logits in float32.
        channels_last: whether weights and images are laid out by pixel. It saves a quarter to a third of the
            time, but fails for networks that view their activations in another shape.

    Raises:
        ClassifierError: when it is called: an answer is not finite logits (B, K) of two classes or more, or
            the same images are answered differently when asked again.

    Warns:
        PhysadvWarning: its first answers are probabilities.
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
        self.labels, self.spec = tuple(labels), without_home(spec)
        self.device, self.precision = device, precision
        self._looked_at = False
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) of float images (B, 3, H, W) in [0, 1], on the classifier's device."""
        logits = self._answers(images)
        check_answers(logits, len(images), self.spec)
        if logits.shape[1] != len(self.labels):
            raise ClassifierError(f"{self.spec} has {logits.shape[1]} outputs for {len(self.labels)} labels")
        if not (self._looked_at or logits.is_meta):
            self._look_at(logits.detach(), images)
            self._looked_at = True
        return logits

    def _answers(self, images: Tensor) -> Tensor:
        images = images.contiguous(memory_format=self.layout)
        if self.precision == torch.float32:
            return self.network(images)  # type: ignore[no-any-return]
        with torch.autocast(self.device.type, self.precision):
            return self.network(images).float()  # type: ignore[no-any-return]

    @torch.no_grad()
    def _look_at(self, logits: Tensor, images: Tensor) -> None:
        """Warn of probabilities, and refuse answers that change: every number is made of them."""
        if bool((logits >= 0).all() and ((logits.double().sum(dim=1) - 1).abs() < 1e-3).all()):
            fault = "returns probabilities, not logits: gradients vanish where it is sure"
            warnings.warn(f"model '{self.spec}' {fault}", PhysadvWarning, stacklevel=4)
        with torch.random.fork_rng(devices=[]):
            again = self._answers(images)
        if not torch.allclose(again, logits, rtol=1e-3, atol=1e-3):
            fault = "answers the same images differently from call to call: no number could be repeated"
            way = "draw its noise from a torch.Generator that forward seeds, and call eval() on its dropout"
            raise ClassifierError(f"model '{self.spec}' {fault}; {way}")

    @torch.no_grad()
    def likeliest(self, images: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the first classes, int64 (B, count), and their probabilities, the likeliest first.

        Of classes with the same logit the lower index comes first. There are K at most.
        """
        logits = self.forward(images)
        order = logits.argsort(dim=1, descending=True, stable=True)[:, :count]
        return order, logits.softmax(dim=1).gather(1, order)

    def classes(self, images: Tensor) -> Tensor:
        """Return the likeliest class of every image, int64 (B,); of equal ones that of the lower index."""
        return self.likeliest(images, 1)[0][:, 0]

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
        """Give weights, modes, parts and methods back as they were, whatever the code inside did to them."""
        modules = list(self.modules())
        classes = {type(module): type(module).forward for module in modules}
        kept = [(vars(module), vars(module).copy()) for module in modules]
        parts = [part for place, _ in kept for part in place.values() if isinstance(part, dict)]
        kept += [(part, part.copy()) for part in parts]
        weights = [(w, w.detach().clone(), w.requires_grad) for w in (*self.parameters(), *self.buffers())]
        try:
            yield
        finally:
            for place, content in kept:
                place.clear()
                place.update(content)
            for made, forward in classes.items():
                if made.forward is not forward:
                    made.forward = forward
            for weight, values, grows in weights:
                weight.requires_grad_(False).copy_(values).requires_grad_(grows)

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


def probe_images(device: torch.device, side: int = 64, channels: int = 3) -> Tensor:
    """Return two images (2, channels, side, side) in [0, 1] to ask a classifier what it is; none is flat."""
    values = torch.linspace(0, 1, 2 * channels * side * side, device=device)
    return values.reshape(2, channels, side, side)


def check_answers(answers: object, images: int, spec: str) -> None:
    """Raise ClassifierError for anything but finite logits (images, K) of two classes or more."""
    if not isinstance(answers, Tensor) or not answers.is_floating_point() or answers.shape[:-1] != (images,):
        got = f"{tuple(answers.shape)}, {answers.dtype}" if isinstance(answers, Tensor) else type(answers)
        raise ClassifierError(f"model '{spec}' answers {images} images with {got}; wanted logits (B, K)")
    if answers.shape[1] < 2:
        way = "with z before a sigmoid, return torch.cat([0 * z, z], dim=1)"
        raise ClassifierError(f"model '{spec}' has {answers.shape[1]} output; wanted two or more: {way}")
    if not answers.is_meta and not bool(answers.isfinite().all()):
        raise ClassifierError(f"model '{spec}' answers with NaN or infinity; are its weights sound?")


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
