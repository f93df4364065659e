"""What training the sign network needs, from scratch or adversarially: data, one loop, weights, a count.

Data lie in a folder with `traffic/gtsrb32.npz` (32-pixel GTSRB signs) and `traffic/rp2/victims` (photos of US
stop signs). This room knows no attack: what spoils a batch is handed to the loop as a function.
"""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save
from torch import Generator, Tensor, nn

from physadv.classifiers.classifier import ClassifierError
from physadv.classifiers.signs import SIGN_LABELS, SignsNetwork
from physadv.progress import Reporter
from physadv.signs.training.augmentation import augmented

STOP = SIGN_LABELS.index("stop")
BATCH = 128
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.05

Spoil = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(images (B, 3, H, W) in [0, 1], labels (B,)) → images and labels to learn from in their place."""


class Signs(NamedTuple):
    """Sign images (N, 3, H, W), uint8 RGB, and their labels (N,), int64."""

    images: Tensor
    labels: Tensor


class Measured(NamedTuple):
    """How many images of a set a classifier got right."""

    right: int
    n: int

    def __str__(self) -> str:
        return f"{self.right} of {self.n} ({100 * self.right / self.n:.2f} %)"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn: AdamW under a one-cycle rate.

    Attributes:
        epochs: how many times every image is seen.
        peak_rate: the highest learning rate, reached after a fifth of the time.
    """

    epochs: int
    peak_rate: float


def read_training(data: Path) -> tuple[Signs, np.ndarray]:
    """Return the training signs (N, 3, 32, 32) and the track (class, number) of each, (N, 2).

    Raises:
        ClassifierError: they are not in the folder, or not readable; likewise below.
    """
    path = data / "traffic" / "gtsrb32.npz"
    images, labels, tracks = _arrays(path, "train_images", "train_labels", "train_tracks")
    return _signs(images, labels, path), tracks


def read_test(data: Path) -> Signs:
    """Return the 3,000 test signs (N, 3, 32, 32)."""
    path = data / "traffic" / "gtsrb32.npz"
    images, labels = _arrays(path, "test_images", "test_labels")
    return _signs(images, labels, path)


def read_victims(data: Path) -> Signs:
    """Return the 40 photos of US stop signs (N, 3, 256, 256) of Eykholt et al. 2018, all labelled stop."""
    folder = data / "traffic" / "rp2" / "victims"
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise ClassifierError(f"{folder}: no photos of stop signs (*.png) there")
    try:
        images = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    except OSError as error:
        raise ClassifierError(f"{folder}: a photo cannot be read ({error})") from error
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise ClassifierError(f"{folder}: photos of {len(sizes)} sizes; wanted all of one")
    return _signs(np.stack(images), np.full(len(paths), STOP), folder)


def fit(
    network: SignsNetwork,
    signs: Signs,
    schedule: Schedule,
    generator: Generator,
    reporter: Reporter,
    *,
    spoil: Spoil | None = None,
    checkpoint: Path | None = None,
) -> SignsNetwork:
    """Train the network on augmented `signs`, each batch spoiled if wanted; return it in eval mode.

    Dropout draws from torch's default generator, everything else from `generator`.

    Args:
        network: with the weights to begin from; trained in place.
        signs: those to learn from.
        schedule: how long and how fast.
        generator: of order and augmentation.
        reporter: told how far it is and the mean loss of every epoch.
        spoil: the inner attack of adversarial training.
        checkpoint: file that holds everything after each epoch; where it is there, training goes on from it
            to the same end. It is the caller's to delete.

    Raises:
        ClassifierError: there is less than one batch to learn from, or the checkpoint is damaged.
    """
    batches = len(signs.labels) // BATCH
    if not batches:
        raise ClassifierError(f"{len(signs.labels)} signs to learn from; wanted {BATCH} or more")
    optimiser = torch.optim.AdamW(network.parameters(), lr=schedule.peak_rate, weight_decay=WEIGHT_DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=schedule.peak_rate, total_steps=batches * schedule.epochs, pct_start=0.2
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=LABEL_SMOOTHING)
    parts = {"network": network, "optimiser": optimiser, "rate": rate}
    done = _restored(checkpoint, parts, generator)
    for epoch in range(done + 1, schedule.epochs + 1):
        network.train()
        total = 0.0
        order = torch.randperm(len(signs.labels), generator=generator)[: batches * BATCH]
        named = f"epoch {epoch}/{schedule.epochs}"
        for chosen in reporter.track(order.view(-1, BATCH), batches, f"{named}, batches"):
            images, labels = augmented(signs.images[chosen].float() / 255, signs.labels[chosen], generator)
            if spoil is not None:
                images, labels = spoil(images, labels)
            loss = loss_of(network(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
            total += loss.item()
        reporter.say(f"{named}: loss {total / batches:.3f}")
        if checkpoint is not None:
            _keep(checkpoint, epoch, parts, generator)
    return network.eval()


@torch.inference_mode()
def measure(network: nn.Module, signs: Signs) -> Measured:
    """Return how many of `signs` the network, or classifier, gets right."""
    right = 0
    for start in range(0, len(signs.labels), BATCH):
        logits = network(signs.images[start : start + BATCH].float() / 255)
        right += int(torch.sum(logits.argmax(dim=1) == signs.labels[start : start + BATCH]))
    return Measured(right, len(signs.labels))


def write_weights(network: nn.Module, path: Path) -> None:
    """Write the network's state as safetensors; a reader never sees half a file."""
    _write(path, save({name: tensor.contiguous() for name, tensor in network.state_dict().items()}))


def _arrays(path: Path, *names: str) -> list[np.ndarray]:
    if not path.is_file():
        raise ClassifierError(f"{path}: no such file of GTSRB signs")
    try:
        with np.load(path) as arrays:
            return [arrays[name] for name in names]
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ClassifierError(f"{path} is damaged or holds no {', '.join(names)}") from error


def _signs(images: np.ndarray, labels: np.ndarray, path: Path) -> Signs:
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise ClassifierError(f"{path}: images {images.shape}, {images.dtype}; wanted (N, H, W, 3), uint8")
    if labels.shape != images.shape[:1] or not np.isin(labels, range(len(SIGN_LABELS))).all():
        raise ClassifierError(f"{path}: labels {labels.shape}; wanted one of 0 to 42 for every image")
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return Signs(pixels, torch.from_numpy(labels.astype(np.int64)))


def _keep(checkpoint: Path, epoch: int, parts: dict[str, Any], generator: Generator) -> None:
    states = {name: part.state_dict() for name, part in parts.items()}
    streams = {"generator": generator.get_state(), "default": torch.get_rng_state()}
    content = BytesIO()
    torch.save({"epoch": epoch, **states, **streams}, content)
    _write(checkpoint, content.getvalue())


def _restored(checkpoint: Path | None, parts: dict[str, Any], generator: Generator) -> int:
    """Return how many epochs the checkpoint has behind it, 0 without one, after taking its state up."""
    if checkpoint is None or not checkpoint.exists():
        return 0
    try:
        kept = torch.load(checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(kept[name])
        generator.set_state(kept["generator"])
        torch.set_rng_state(kept["default"])
        return int(kept["epoch"])
    except (RuntimeError, UnpicklingError, LookupError, EOFError, ValueError, TypeError) as error:
        raise ClassifierError(f"{checkpoint} is damaged; delete it to begin anew") from error


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    partial.replace(path)
