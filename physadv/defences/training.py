"""The training loop (shuffle, augment, attack the batch, take a step) and the accuracy it leads to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Generator, Tensor, nn

from physadv.defences.inner_attacks import InnerAttack
from physadv.errors import PhysadvError
from physadv.keeping import Kept
from physadv.progress import Reporter, silent

Network = TypeVar("Network", bound=nn.Module)

Augment = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]
"""(images (B, 3, H, W) in [0, 1], labels (B,), generator) → augmented images and their labels."""


class DefenceError(PhysadvError):
    """A network cannot be trained as asked."""


class Measured(NamedTuple):
    """How many images of a set a classifier gets right."""

    right: int
    n: int

    def __str__(self) -> str:
        return f"{self.right} of {self.n} ({100 * self.right / self.n:.2f} %)"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn: AdamW (Loshchilov and Hutter 2019) under a one-cycle rate (Smith 2018).

    Attributes:
        epochs: how many times every image is seen.
        peak_rate: the highest learning rate, reached after a fifth of the time.
        batch: images in a batch; those left over at the end of an epoch are not seen in it.
        weight_decay: weight decay of AdamW.
        label_smoothing: share of the probability that the cross-entropy's target gives to all classes alike.
    """

    epochs: int
    peak_rate: float
    batch: int = 128
    weight_decay: float = 0.05
    label_smoothing: float = 0.05


def train(
    network: Network,
    images: Tensor,
    labels: Tensor,
    schedule: Schedule,
    generator: Generator,
    *,
    augment: Augment | None = None,
    attack: InnerAttack | None = None,
    kept: Kept | None = None,
    reporter: Reporter = silent,
) -> Network:
    """Train a network on augmented images, each batch attacked first if wanted; return it in evaluation mode.

    Adversarial training (Madry et al. 2018, arXiv:1706.06083, eq. 2.1): the inner attack raises the loss, the
    step on the weights lowers it again. The same arguments and seeds give the same weights. Dropout draws
    from torch's default generator, everything else from `generator`.

    Args:
        network: images (B, 3, H, W) in [0, 1] → logits (B, K); trained in place from the weights it has.
        images: (N, 3, H, W), uint8 levels or float in [0, 1].
        labels: int64 (N,), the true classes.
        schedule: how long and how fast.
        generator: source of the order of the images and of the draws of `augment` and `attack`.
        augment: changes every batch at random before it is attacked.
        attack: the inner attack, such as a `Mixture`. The network is in evaluation mode while it is attacked,
            so that its running statistics come from the batches it learns from only.
        kept: where the state is kept after every epoch. If there is one already, training continues from it
            to the same weights. The caller deletes it.
        reporter: shows the progress, and the mean loss of every epoch.

    Raises:
        DefenceError: there are fewer images than one batch.
        KeptError: the state that was kept is damaged.

    >>> from physadv.defences import NoiseAttack
    >>> random, labels, schedule = torch.manual_seed(0), torch.arange(64) % 2, Schedule(20, 0.05, batch=32)
    >>> images = torch.rand(64, 3, 8, 8) / 2 + labels.view(-1, 1, 1, 1) / 2
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
    >>> network = train(network, images, labels, schedule, random, attack=NoiseAttack(eps=4, steps=2))
    >>> print(measure(network, images, labels))
    64 of 64 (100.00 %)
    """
    batches = len(labels) // schedule.batch
    if not batches:
        raise DefenceError(f"{len(labels)} images to learn from; wanted {schedule.batch} or more")
    peak, steps = schedule.peak_rate, batches * schedule.epochs
    optimiser = torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=schedule.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=peak, total_steps=steps, pct_start=0.2)
    loss_of = nn.CrossEntropyLoss(label_smoothing=schedule.label_smoothing)
    parts: dict[str, Any] = {"network": network, "optimiser": optimiser, "rate": rate}
    done = _resumed(kept, parts, generator) if kept else 0
    for epoch in range(done + 1, schedule.epochs + 1):
        network.train()
        total = 0.0
        order = torch.randperm(len(labels), generator=generator)[: batches * schedule.batch]
        name = f"epoch {epoch}/{schedule.epochs}"
        for chosen in reporter.track(order.view(-1, schedule.batch), batches, f"{name}, batches"):
            batch, classes = _unit(images[chosen]), labels[chosen]
            if augment is not None:
                batch, classes = augment(batch, classes, generator)
            if attack is not None:
                batch, classes = attacked(network, attack, batch, classes, generator)
            loss = loss_of(network(batch), classes)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
            total += loss.item()
        reporter.say(f"{name}: loss {total / batches:.3f}")
        if kept:
            states = {part: value.state_dict() for part, value in parts.items()}
            streams = {"generator": generator.get_state(), "default": torch.get_rng_state()}
            kept.save({"epoch": epoch, **states, **streams})
    return network.eval()


def attacked(
    network: nn.Module, attack: InnerAttack, images: Tensor, labels: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Return images and labels to learn from after an inner attack, and the network in training mode.

    The attack may freeze the network, as a `Classifier` does; what was to be trained still is afterwards.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    network.eval()
    found = attack(network, images, labels, generator)
    network.train()
    for parameter in trained:
        parameter.requires_grad_(True)
    images, labels = found if isinstance(found, tuple) else (found, labels)
    return images.detach(), labels


@torch.inference_mode()
def measure(network: nn.Module, images: Tensor, labels: Tensor, *, batch: int = 128) -> Measured:
    """Return how many images a network in evaluation mode, or a classifier, gets right.

    The network maps images (B, 3, H, W) in [0, 1] to logits (B, K). Images are (N, 3, H, W), uint8 levels or
    float in [0, 1], labels int64 (N,), the true classes; `batch` images are classified at once.

    >>> measure(nn.Flatten(), torch.eye(3).view(3, 3, 1, 1), torch.tensor([0, 1, 1]))
    Measured(right=2, n=3)
    """
    right = 0
    for start in range(0, len(labels), batch):
        logits = network(_unit(images[start : start + batch]))
        right += int((logits.argmax(dim=1) == labels[start : start + batch]).sum())
    return Measured(right, len(labels))


def _unit(images: Tensor) -> Tensor:
    """Return uint8 images as float in [0, 1]; others as they are."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def _resumed(kept: Kept, parts: dict[str, Any], generator: Generator) -> int:
    """Return the number of epochs done, 0 where nothing is kept, after restoring the state."""
    state = kept.load()
    if state is None:
        return 0
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        generator.set_state(state["generator"])
        torch.set_rng_state(state["default"])
        return int(state["epoch"])
    except (RuntimeError, LookupError, ValueError, TypeError) as error:
        raise kept.damaged() from error
