"""Arguments checked before an attack begins, each fault in one line."""

import torch
from torch import Tensor

from physadv.attacks.errors import AttackError
from physadv.classifiers import Classifier

_TOLERANCE = 1e-3
"""In 8-bit levels: far above the rounding of k/255 in float32, far below a level."""


def eight_bit_levels(images: Tensor) -> Tensor:
    """Return float images (B, 3, H, W) in [0, 1] as whole levels from 0 to 255, in the same dtype.

    Raises:
        AttackError: the shape, dtype or range is another, or a value is no multiple of 1/255.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[0] == 0:
        raise AttackError(f"images have shape {tuple(images.shape)}; wanted (B, 3, H, W)")
    if images.dtype not in (torch.float32, torch.float64):
        raise AttackError(f"images are {images.dtype}; wanted float32 or float64 in [0, 1]")
    levels = (images * 255).round()
    if not bool(((levels >= 0) & (levels <= 255)).all()):  # so written, NaN fails too
        raise AttackError(
            f"images range from {float(images.min()):g} to {float(images.max()):g}; wanted [0, 1]"
        )
    if float((images * 255 - levels).abs().max()) > _TOLERANCE:
        raise AttackError("images are not 8-bit: wanted multiples of 1/255, as read from a file")
    return levels


def checked_levels(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Return images as `eight_bit_levels` does, or raise AttackError: they or their labels do not fit."""
    levels = eight_bit_levels(images)
    _check_classes("label", labels, len(images), classifier)
    return levels


def check_targets(classifier: Classifier, targets: Tensor, labels: Tensor) -> None:
    """Raise AttackError if targets are not int64 (B,), from 0 to classes − 1, or one is its image's label."""
    _check_classes("target", targets, len(labels), classifier)
    same = targets[targets == labels]
    if len(same):
        raise AttackError(f"target {int(same[0])} is the image's own label")


def _check_classes(kind: str, values: Tensor, batch: int, classifier: Classifier) -> None:
    if values.dtype != torch.int64 or tuple(values.shape) != (batch,):
        raise AttackError(f"{kind}s are {values.dtype} {tuple(values.shape)}; wanted torch.int64 ({batch},)")
    classes = len(classifier.labels)
    outside = values[(values < 0) | (values >= classes)]
    if len(outside):
        raise AttackError(f"{kind} {int(outside[0])} is outside the {classes} classes of the classifier")


def whole_eps(eps: float) -> int:
    """Return eps, 1/255, 2/255, … or 255/255, in whole 8-bit levels, or raise AttackError."""
    if not 0 < eps <= 1:
        raise AttackError(f"eps is {eps:g}; wanted a fraction of the pixel range such as 16/255, at most 1")
    levels = round(eps * 255)
    if levels < 1 or abs(eps * 255 - levels) > _TOLERANCE:
        raise AttackError(f"eps is {eps * 255:g} 8-bit levels; wanted a whole number of them, 1 to 255")
    return levels


@torch.enable_grad()
def check_differentiable(classifier: Classifier) -> None:
    """Raise AttackError if a classifier passes no gradient back, be it right or wrong, on one grey image."""
    grey = torch.full((1, 3, 64, 64), 0.5, device=classifier.device, requires_grad=True)
    try:
        passes = classifier(grey).requires_grad
    except RuntimeError:  # such as numpy's refusal of a tensor with a gradient
        passes = False
    if not passes:
        raise AttackError(f"model '{classifier.spec}' passes no gradient back; it needs --query-only")


def check_count(name: str, value: int) -> int:
    """Return a number of steps or samples, or raise AttackError: it is less than 1."""
    if value < 1:
        raise AttackError(f"{name} is {value}; wanted at least 1")
    return value
