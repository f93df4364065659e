"""RP2's released noise on RP2's own classifier, and ours under its masks."""

import pytest
import torch
from torch import nn

from physadv.attacks import AttackError
from physadv.classifiers import Classifier, load_classifier
from reproductions.rp2.published import (
    FOLDER,
    SPEED_LIMIT_45,
    PublishedAttack,
    PublishedError,
    around_planes,
    noise_for_each,
    our_noise,
    read_published,
    targeted_generalised,
)


@pytest.fixture(scope="module")
def lisa(shared_data):
    return load_classifier(
        f"file:{shared_data / FOLDER / 'lisa_cnn.pt2'}", shared_data / FOLDER / "lisa_classes.txt"
    )


def test_the_released_noise_does_what_its_authors_say(shared_data, lisa):
    found = {}
    for kind in ("sticker", "poster"):
        attack = read_published(shared_data, kind)
        answers = lisa(attack.added(attack.noise)).argmax(dim=1)
        fooled = int((answers == SPEED_LIMIT_45).sum())
        found[kind] = (fooled, len(attack.crops), int(attack.mask.sum()))
    assert found == {"sticker": (36, 40, 30), "poster": (40, 40, 844)}


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


class Middling(nn.Module):
    """Says the target the surer, the nearer a picture's brightness is to the middle."""

    def forward(self, images):
        logits = torch.zeros(len(images), SPEED_LIMIT_45 + 1)
        logits[:, SPEED_LIMIT_45] = -20 * (images.mean(dim=(1, 2, 3)) - 0.5).square()
        return logits


def test_every_crop_gets_a_noise_of_its_own():
    crops = torch.zeros(2, 3, 32, 32)
    crops[1] = 1
    noise = torch.full((1, 3, 32, 32), 0.5)
    noise[..., 16:] = -0.5
    attack = PublishedAttack("sticker", ["dark", "bright"], crops, torch.ones(32, 32), noise)
    classifier = Classifier(Middling(), [str(k) for k in range(SPEED_LIMIT_45 + 1)], "middling")
    found = noise_for_each(classifier, attack, around_planes(torch.full((1, 3, 8, 8), 0.5)), steps=6, seed=0)
    assert found.shape == (2, 3, 32, 32)
    assert float(found[0].mean()) > 0.05
    assert float(found[1].mean()) < -0.05


def test_a_noise_comes_back_from_beyond_white_and_black():
    attack = PublishedAttack(
        "sticker", ["1"], torch.ones(1, 3, 4, 4), torch.ones(4, 4), torch.zeros(1, 3, 4, 4)
    )
    noise = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    attack.added(noise).sum().backward()
    assert float(attack.added(noise).detach().max()) == 1
    assert float(noise.grad.min()) == 1


def test_missing_files_are_named(tmp_path):
    with pytest.raises(PublishedError, match=r"RP2's files cannot be read"):
        read_published(tmp_path, "sticker")


def test_the_generalised_loss_lies_between_cross_entropy_and_what_is_missed():
    logits = torch.log(torch.tensor([[[0.9, 0.1], [0.25, 0.75]]]))
    targets = torch.tensor([0, 0])
    for q, wanted in ((1.0, [0.1, 0.75]), (0.5, [2 * (1 - 0.9**0.5), 1.0])):
        torch.testing.assert_close(targeted_generalised(targets, q)(logits), torch.tensor([wanted]))
    nearly = targeted_generalised(targets, 1e-3)(logits)
    torch.testing.assert_close(nearly, -torch.tensor([[0.9, 0.25]]).log(), rtol=2e-3, atol=1e-4)
    with pytest.raises(AttackError, match="q is 0; wanted above 0"):
        targeted_generalised(targets, 0.0)
