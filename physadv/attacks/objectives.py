"""What an attack wants, as a loss to be made small."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

Objective = Callable[[Tensor], Tensor]
"""Logits (S, B, K) of S samples of B images → losses (S, B), each to be made small."""


def untargeted_cross_entropy(labels: Tensor) -> Objective:
    """Return the objective that raises the cross-entropy of the true labels, int64 (B,)."""
    return lambda logits: -_cross_entropy(logits, labels)


def targeted_cross_entropy(targets: Tensor) -> Objective:
    """Return the objective that lowers the cross-entropy of the targets, int64 (B,)."""
    return lambda logits: _cross_entropy(logits, targets)


@torch.no_grad()
def least_likely_class(classifier: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return the class the classifier thinks least likely for each clean image, int64 (B,).

    It is chosen once, before the attack (Kurakin et al. 2017, section 2.3).
    """
    return classifier(images).argmin(dim=1)


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits.movedim(-1, 1), labels.expand(logits.shape[:-1]), reduction="none")
