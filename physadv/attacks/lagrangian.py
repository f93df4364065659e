"""Expectation over Transformation without a ball: how far a picture may go is weighed against the loss."""

from collections.abc import Callable
from functools import partial
from typing import Unpack

import torch
from torch import Tensor

from physadv.attacks.checks import check_labels, eight_bit_levels
from physadv.attacks.descent import aim, descend
from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import untargeted_likelihood
from physadv.attacks.optimisers import TorchOptimiser
from physadv.attacks.options import Options
from physadv.attacks.penalties import lab_distance
from physadv.attacks.variables import LInfBall
from physadv.classifiers import Classifier


def eot_lagrangian(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    weight: float = 0.1,
    **options: Unpack[Options],
) -> Tensor:
    """Minimise expected loss + λ · expected LAB distance over transformations (Athalye et al. 2018, eq. 3).

    100 steps of Adam at 2 levels, in the box [0, 255]. The loss is −log p of the targets or, without any, of
    all classes but the label. The distance is between the transformed adversarial
    and the clean image under the same transformation, root mean square per pixel (`lab_distance`).

    Args:
        classifier: the classifier to fool.
        images: float32 or float64 (B, 3, H, W) in [0, 1], whole 8-bit levels.
        labels: int64 (B,), the true classes.
        weight: λ, cross-entropy that a distance of 1 ΔE is worth. The paper tries several per image.
        **options: see `Options`; give a distribution and some 8 samples.

    Returns:
        Adversarial images of the shape and dtype of `images`, whole 8-bit levels.

    Raises:
        AttackError: an argument is out of its range, or a gradient is not finite.
    """
    if not weight >= 0:
        raise AttackError(f"weight is {weight:g}; wanted 0 or more")
    box = LInfBall(eight_bit_levels(images), 255)
    check_labels(labels, images, len(classifier.labels))

    def distance(seen: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.no_grad():
            clean = view(images.repeat(len(seen) // len(images), 1, 1, 1))
        return weight * lab_distance(seen, clean)

    adam = TorchOptimiser(partial(torch.optim.Adam, lr=2.0))
    objective = aim(classifier, labels, options, away=untargeted_likelihood)
    return box.whole(descend(classifier, objective, box, adam, 100, options, view_penalty=distance)) / 255
