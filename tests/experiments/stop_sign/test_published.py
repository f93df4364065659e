"""RP2's released noise on RP2's own classifier, and what else fits under its masks."""

import pytest
import torch
from torch import nn

from physadv.classifiers import Classifier, load_classifier
from physadv.experiments.stop_sign.ceiling import climb
from physadv.experiments.stop_sign.published import (
    FOLDER,
    SPEED_LIMIT_45,
    PublishedAttack,
    PublishedError,
    around_planes,
    our_noise,
    read_published,
)


@pytest.fixture(scope="module")
def lisa(shared_data):
    return load_classifier(
        f"file:{shared_data / FOLDER / 'lisa_cnn.pt2'}", shared_data / FOLDER / "lisa_classes.txt"
    )


@pytest.mark.parametrize(("kind", "fooled", "pixels"), [("sticker", 36, 30), ("poster", 40, 844)])
def test_the_released_noise_does_what_its_authors_say(shared_data, lisa, kind, fooled, pixels):
    attack = read_published(shared_data, kind)
    answers = lisa(attack.added(attack.noise)).argmax(dim=1)
    assert int((answers == SPEED_LIMIT_45).sum()) == fooled
    assert len(attack.crops) == 40
    assert int(attack.mask.sum()) == pixels


def test_our_noise_keeps_to_the_mask_and_the_range_and_pulls_towards_the_target(shared_data, lisa):
    attack = read_published(shared_data, "poster")
    scenes = around_planes(torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    noise = our_noise(lisa, attack, scenes, steps=4, seed=0)
    low, high = float(attack.noise.min()), float(attack.noise.max())
    assert low - 1e-6 <= float(noise.min())
    assert float(noise.max()) <= high + 1e-6
    changed = attack.added(noise) - attack.added(torch.zeros_like(noise))
    assert float((changed * (1 - attack.mask)).abs().max()) == 0

    def level(crops):
        return float(lisa.probabilities(crops)[:, SPEED_LIMIT_45].mean())

    assert level(attack.added(noise)) > level(attack.crops) + 0.01


class Reddest(nn.Module):
    """Says the target the surer the more red there is."""

    def forward(self, images):
        logits = torch.zeros(len(images), SPEED_LIMIT_45 + 1)
        logits[:, SPEED_LIMIT_45] = 5 * images[:, 0].mean(dim=(1, 2))
        return logits


def test_climbing_finds_the_one_change_that_helps():
    mask = torch.zeros(32, 32)
    mask[10, 12] = 1
    noise = torch.zeros(1, 3, 32, 32)
    noise[0, 1, 0, 0], noise[0, 1, 0, 1] = -0.5, 0.5
    crops = torch.full((1, 3, 32, 32), 0.4)
    attack = PublishedAttack("sticker", ["1"], crops, mask, noise)
    classifier = Classifier(Reddest(), [str(k) for k in range(SPEED_LIMIT_45 + 1)], "reddest")
    found = climb(classifier, attack, around_planes(torch.zeros(1, 3, 8, 8)), sights=4, seed=0)
    assert found.tried == 9
    assert found.kept == 1
    assert found.sights == 4
    assert found.after >= found.before


def test_missing_files_are_named(tmp_path):
    with pytest.raises(PublishedError, match=r"RP2's files cannot be read"):
        read_published(tmp_path, "sticker")
