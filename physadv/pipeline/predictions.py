"""Pixels as a classifier takes them, and its answers as a manifest records them; torch is imported on use."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from physadv.runs import Prediction

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.classifiers import Classifier

TOP = 5
"""Answers kept of every image."""


def predictions(classifier: "Classifier", probabilities: "Tensor") -> list[tuple[Prediction, ...]]:
    """Return the top five of every row of class probabilities (B, K)."""
    top = probabilities.topk(min(TOP, probabilities.shape[1]), dim=1)
    return [
        tuple(
            Prediction(label=label, name=classifier.labels[label], probability=round(probability, 6))
            for label, probability in zip(labels, values, strict=True)
        )
        for labels, values in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


def to_tensor(pixels: Sequence[NDArray[np.uint8]]) -> "Tensor":
    """Return images (H, W, 3) uint8 of one size as a float batch (B, 3, H, W) in [0, 1]."""
    import torch

    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
