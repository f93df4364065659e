"""RP2's released noise on RP2's own classifier, and ours under its masks."""

import pytest
import torch

from physadv.attacks import AttackError
from physadv.classifiers import load_classifier
from reproductions.rp2.published import (
    FOLDER,
    SPEED_LIMIT_45,
    NoiseOnCrops,
    PublishedAttack,
    PublishedError,
    around_planes,
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


@pytest.mark.parametrize("same_mean", [False, True])
@pytest.mark.parametrize("kind", ["sticker", "poster"])
def test_our_noise_is_no_larger_than_the_published_one_and_pulls_towards_the_target(
    shared_data, lisa, kind, same_mean
):
    attack = read_published(shared_data, kind)
    scenes = around_planes(torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    noise = our_noise(lisa, attack, scenes, steps=4, seed=0, same_mean=same_mean)
    low, high = attack.range(attack.noise)
    assert low - 1e-6 <= float(noise.min())
    assert float(noise.max()) <= high + 1e-6
    if same_mean:
        assert attack.mean(noise) <= attack.mean(attack.noise) + 1e-6
    changed = attack.added(noise) - attack.added(torch.zeros_like(noise))
    assert float((changed * (1 - attack.mask)).abs().max()) == 0

    def level(crops):
        return float(lisa.probabilities(crops)[:, SPEED_LIMIT_45].mean())

    assert level(attack.added(noise)) > level(attack.crops)


def test_range_and_mean_count_what_lies_inside_the_mask_only():
    mask = torch.zeros(32, 32)
    mask[:2, :2] = 1
    noise = torch.full((1, 3, 32, 32), -0.9)
    noise[..., :2, :2] = torch.tensor([[0.1, -0.3], [0.2, 0.2]])
    attack = PublishedAttack("sticker", ["1"], torch.full((1, 3, 32, 32), 0.5), mask, noise)
    assert attack.range(noise) == pytest.approx((-0.3, 0.2))
    assert attack.mean(noise) == pytest.approx(0.2)
    bounded, scaled = (
        NoiseOnCrops(attack, torch.zeros(1, 3, 8, 8), 1, same_mean).project(torch.full_like(noise, 255.0))
        for same_mean in (False, True)
    )
    assert float(bounded.max()) == pytest.approx(255 * 0.2)
    assert attack.mean(scaled) == pytest.approx(255 * 0.2)
    assert not torch.equal(our_start(attack, 0), our_start(attack, 1))


def our_start(attack, seed):
    variable = NoiseOnCrops(attack, torch.zeros(1, 3, 8, 8), 1, same_mean=False)
    return variable.start(torch.Generator().manual_seed(seed))


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
