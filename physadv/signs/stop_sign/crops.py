"""From pictures with a sign somewhere to answers: find it, cut it out, classify all crops together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.classifiers import Classifier
from physadv.signs.stop_sign.rendering import Box, classify, crop, widened
from physadv.signs.stop_sign.sign import Answer

Frame = NDArray[np.uint8]
"""RGB (H, W, 3)."""
Finder = Callable[[Frame], Sequence[NDArray[np.float64]]]
"""Returns the corners (N, 2) of each sign in a frame, the best first."""

MARGIN = 0.1
"""Around a sign that was found, as a share of its box: about what GTSRB's boxes leave."""


@dataclass(frozen=True)
class Sight:
    """A crop to be asked about, None where no sign was found, and what of its answer is known before."""

    treatment: str
    victim: str
    place: str
    distance_m: float
    angle_deg: float
    crop: Tensor | None


def answered(classifier: Classifier, sights: Sequence[Sight], label: int, target: int | None) -> list[Answer]:
    """Return a classifier's answer on every sight, in their order."""
    crops = [sight.crop for sight in sights if sight.crop is not None]
    found = iter(classify(classifier, torch.stack(crops)) if crops else [])
    return [
        Answer(
            sight.treatment,
            sight.victim,
            sight.place,
            sight.distance_m,
            sight.angle_deg,
            label,
            target,
            *((None, 0.0) if sight.crop is None else next(found)),
        )
        for sight in sights
    ]


def boxes_in(frame: Frame, find: Finder) -> list[Box]:
    """Return the boxes around the signs that are found in a frame, the best first."""
    boxes = []
    for corners in find(frame):
        (left, top), (right, bottom) = corners.min(axis=0) + 0.5, corners.max(axis=0) + 0.5
        boxes.append((float(left), float(top), float(right), float(bottom)))
    return boxes


def cut_out(frame: Frame, box: Box, margin: float) -> Tensor:
    """Return the crop of a frame around a box with a margin; see `crop`."""
    return crop(torch.from_numpy(frame).permute(2, 0, 1).float() / 255, widened(box, margin))
