"""The shared data where it is present, and a classifier and images of the smallest size."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from physadv.classifiers import Classifier


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(os.environ.get("PHYSADV_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the shared data (set PHYSADV_DATA)")
    return folder


@pytest.fixture
def tiny_classifier() -> Classifier:
    """A seeded convolutional net of four classes, smooth, so that a step along its gradient pays."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.Softplus(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(128, 4),
        )
    return Classifier(network.eval(), ["a", "b", "c", "d"], "tiny")


@pytest.fixture
def tiny_images() -> torch.Tensor:
    """Six 8-bit images (6, 3, 8, 8) in [0, 1], black and white included."""
    levels = torch.randint(0, 256, (6, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    levels[0], levels[1] = 0, 255
    return levels.float() / 255
