"""Objectives: what an attack wants, as a loss to minimise."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from physadv.attacks.errors import AttackError

Objective = Callable[[Tensor], Tensor]
"""Logits (S, B, K) of S samples of B images → losses (S, B), each to be made small."""


def untargeted_cross_entropy(labels: Tensor) -> Objective:
    """Return the objective that raises the cross-entropy of the true labels, int64 (B,)."""
    return lambda logits: -_cross_entropy(logits, labels)


def targeted_cross_entropy(targets: Tensor) -> Objective:
    """Return the objective that lowers the cross-entropy of the targets, int64 (B,)."""
    return lambda logits: _cross_entropy(logits, targets)


def targeted_generalised(targets: Tensor, q: float = 0.5) -> Objective:
    """Return (1 − p^q) / q of the targets' probabilities p, int64 (B,), between cross-entropy and 1 − p.

    Cross-entropy is dominated by views that fail anyway. A larger q down-weights them and brings the loss
    nearer to the share of views that miss the target (Zhang & Sabuncu 2018, eq. 6, there for labels).

    Raises:
        AttackError: q is not between 0 and 1.
    """
    if not 0 < q <= 1:
        raise AttackError(f"q is {q:g}; wanted above 0 and at most 1")
    return lambda logits: (1 - (-q * _cross_entropy(logits, targets)).exp()) / q


def untargeted_likelihood(labels: Tensor) -> Objective:
    """Return −log(1 − p_y) of the true labels, int64 (B,): the cross-entropy of any other class.

    Unlike minus the cross-entropy of the labels it is bounded below and can be weighed against another loss.
    """
    return lambda logits: logits.logsumexp(dim=-1) - _others(logits, labels).logsumexp(dim=-1)


def untargeted_margin(labels: Tensor, confidence: float = 0.0) -> Objective:
    """Return max(Z_y − max_{i≠y} Z_i, −confidence) of int64 (B,) labels: Carlini & Wagner 2017, f6."""
    return lambda logits: _lead(logits, labels).clamp_min(-confidence)


def targeted_margin(targets: Tensor, confidence: float = 0.0) -> Objective:
    """Return max(max_{i≠t} Z_i − Z_t, −confidence) of int64 (B,) targets: Carlini & Wagner 2017, f6."""
    return lambda logits: (-_lead(logits, targets)).clamp_min(-confidence)


@torch.no_grad()
def least_likely_class(classifier: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the class with the lowest logit for each clean image, int64 (B,).

    It is chosen once, before the attack (Kurakin et al. 2017, section 2.3).
    """
    return classifier(images).argmin(dim=1)


@torch.no_grad()
def runner_up_class(classifier: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """Return the likeliest class of each image that is not its label, int64 (B,)."""
    return _others(classifier(images), labels).argmax(dim=1)


def random_target(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Return a class drawn uniformly from those that are not the label, int64 (B,).

    Raises:
        AttackError: there is no other class.
    """
    if classes < 2:
        raise AttackError(f"a random target needs 2 classes or more, not {classes}")
    shift = torch.randint(1, classes, labels.shape, generator=generator, device=generator.device)
    return (labels + shift.to(labels)) % classes


def ensemble(classifiers: Sequence[Callable[[Tensor], Tensor]]) -> Callable[[Tensor], Tensor]:
    """Return one classifier that averages several of the same classes: images → log of mean probabilities.

    Cross-entropy of it is −log Σ αᵢ Jᵢ(x) with equal α, the ensemble objective of Liu et al. 2017, eq. 6.

    Raises:
        AttackError: there are no classifiers.
    """
    if not classifiers:
        raise AttackError("an ensemble needs one classifier or more")

    def answer(images: Tensor) -> Tensor:
        each = torch.stack([classifier(images).log_softmax(dim=1) for classifier in classifiers])
        return each.logsumexp(dim=0) - torch.tensor(float(len(classifiers))).log().to(images)

    return answer


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits.movedim(-1, 1), labels.expand(logits.shape[:-1]), reduction="none")


def _others(logits: Tensor, labels: Tensor) -> Tensor:
    """Return logits (…, B, K) with −∞ in the place of the labels' own."""
    return logits.masked_fill(one_hot(labels, logits.shape[-1]).bool(), -torch.inf)


def _lead(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the logit of a class minus the largest other logit, (S, B)."""
    own = logits.gather(-1, labels.expand(logits.shape[:-1]).unsqueeze(-1)).squeeze(-1)
    return own - _others(logits, labels).amax(dim=-1)
