import pytest
import torch
from torch import nn

from physadv.defences import DefenceError, Mixture, NoiseAttack, Schedule, measure, train
from physadv.keeping import Kept, KeptError

SCHEDULE = Schedule(epochs=4, peak_rate=0.02, batch=32)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def new_network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))


@pytest.fixture(scope="module")
def data():
    """Dark and bright images, told apart by their mean with a margin of 20 levels and no more."""
    labels = torch.arange(80) % 2
    noise = torch.rand(80, 3, 8, 8, generator=random()) - 0.5
    means = 0.5 + (2 * labels - 1).view(-1, 1, 1, 1) * (10 / 255)
    images = means + 0.6 * (noise - noise.mean(dim=(1, 2, 3), keepdim=True))
    return (images.clamp(0, 1) * 255).round().byte(), labels


def weights(network):
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def test_levels_and_shares_of_one_are_the_same_images(data):
    images, labels = data
    levels = train(new_network(), images, labels, SCHEDULE, random())
    floats = train(new_network(), images.float() / 255, labels, SCHEDULE, random())
    assert torch.equal(weights(levels), weights(floats))
    assert measure(levels, images, labels) == measure(levels, images.float() / 255, labels)


def test_the_same_seed_gives_the_same_weights_and_another_other_ones(data):
    first, again, other = (train(new_network(), *data, SCHEDULE, random(seed)) for seed in (0, 0, 1))
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))
    assert not first.training


def test_training_against_noise_withstands_it_better(data):
    """Every L∞ attack on a linear classifier is worth eps times the L1 norm of its weights, no more."""
    images, labels = data
    schedule, attack = Schedule(epochs=40, peak_rate=0.05, batch=32), NoiseAttack(eps=6, steps=4)
    right = []
    for defence in (None, attack):
        network = train(new_network(), images, labels, schedule, random(), attack=defence)
        with torch.no_grad():
            logits = network(images.float() / 255)
            margins = (logits[:, 1] - logits[:, 0]) * (2 * labels - 1)
            worst = 6 / 255 * (network[1].weight[1] - network[1].weight[0]).abs().sum()
            right.append(int((margins > worst).sum()))
    assert right[1] >= right[0] + 10


def test_an_attack_meets_the_network_in_evaluation_mode_and_augmented_images(data):
    seen = []

    def attack(network, images, labels, generator):
        seen.append((network.training, float(images.max())))
        return images

    def darker(images, labels, generator):
        return images / 2, labels

    train(new_network(), *data, SCHEDULE, random(), augment=darker, attack=attack)
    assert len(seen) == 2 * 4
    assert all(not training and brightest <= 0.5 for training, brightest in seen)


def test_a_mixture_may_put_other_images_and_labels_in_place(data):
    images, labels = torch.zeros(8, 3, 2, 2), torch.zeros(8, dtype=torch.int64)

    def other(network, images, labels, generator):
        return images + 1, labels + 1

    mixed, classes = Mixture([(other, 0.25), (other, 0), (Mixture([(other, 0.5)]), 0.5)])(
        nn.Identity(), images, labels, random()
    )
    assert classes.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert mixed.amax(dim=(1, 2, 3)).tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_stopped_training_continues_to_the_same_weights(data, tmp_path):
    def interrupt(network, images, labels, generator):
        if kept.load() is not None and kept.load()["epoch"] == 2:
            raise KeyboardInterrupt
        return images

    kept = Kept(tmp_path / "state")
    with pytest.raises(KeyboardInterrupt):
        train(new_network(), *data, SCHEDULE, random(), attack=interrupt, kept=kept)
    resumed = train(new_network(), *data, SCHEDULE, random(9), kept=kept)
    whole = train(new_network(), *data, SCHEDULE, random())
    assert torch.equal(weights(resumed), weights(whole))


def test_a_state_of_another_network_is_named(data, tmp_path):
    kept = Kept(tmp_path / "state")
    kept.save({"epoch": 1, "network": {}})
    with pytest.raises(KeptError, match="state is damaged; delete it"):
        train(new_network(), *data, SCHEDULE, random(), kept=kept)


def test_less_than_a_batch_is_refused(data):
    with pytest.raises(DefenceError, match="20 images to learn from; wanted 32 or more"):
        train(new_network(), data[0][:20], data[1][:20], SCHEDULE, random())


def test_an_attack_that_freezes_the_network_does_not_stop_the_training(data):
    def frozen(network, images, labels, generator):
        network.requires_grad_(False)
        return images

    network = train(new_network(), *data, SCHEDULE, random(), attack=frozen)
    assert torch.equal(weights(network), weights(train(new_network(), *data, SCHEDULE, random())))
