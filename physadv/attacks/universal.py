"""The patch of Brown et al. 2017 as an attack on images: one for the whole batch, put on each of them."""

import math
from functools import partial
from typing import Unpack

import torch
from torch import Tensor

from physadv.attacks.checks import check_labels, eight_bit_levels
from physadv.attacks.descent import aim, descend, random_of, refuse_goal
from physadv.attacks.errors import AttackError
from physadv.attacks.optimisers import TorchOptimiser
from physadv.attacks.options import Options
from physadv.attacks.patches import Patch, Placement, circle, paste
from physadv.classifiers import Classifier
from physadv.transforms import round_to_8_bits


def universal_patch(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    area: float = 0.1,
    **options: Unpack[Options],
) -> Tensor:
    """Return images with one round patch on all of them, each at a random place (Brown et al. 2017).

    500 steps of Adam at 0.05 of the pixel range, over places, turns of ±22.5° and the distribution.

    Args:
        classifier: the classifier to fool.
        images: float32 or float64 (B, 3, H, W) in [0, 1], whole 8-bit levels; the patch is trained on them.
        labels: int64 (B,), the true classes.
        area: share of the image that the patch covers.
        **options: see `Options`; targets must all be one class, and there can be no goal.

    Returns:
        Images of the shape and dtype of `images`, whole 8-bit levels, beside the patch those given.

    Raises:
        AttackError: an argument is out of its range, or a gradient is not finite.
    """
    refuse_goal("patch", options)
    eight_bit_levels(images)
    check_labels(labels, images, len(classifier.labels))
    objective = aim(classifier, labels, options)
    targets = options.get("targets")
    if targets is not None and bool((targets != targets[0]).any()):
        raise AttackError("one patch can reach one class only; wanted the same target for all images")
    placement = Placement((area, area))
    # Round, so the square that holds it is larger; as many texels as it has pixels.
    side = math.ceil(math.sqrt(4 / math.pi * area * images.shape[-2] * images.shape[-1]))
    patch = Patch(images, circle(side).to(images), placement, batch=len(images), in_order=True)
    random = random_of(options)
    adam = TorchOptimiser(partial(torch.optim.Adam, lr=255 * 0.05))
    values = descend(classifier, objective, patch, adam, 500, {**options, "generator": random})
    places = placement.draw(len(images), random)
    return round_to_8_bits(paste(patch.images(values), patch.alpha, images, places))
