"""The nearest pictures that fool: against the exact distance to a linear boundary."""

import pytest
import torch
from torch import nn

from physadv.attacks import AttackError, cw_l2, lbfgs
from physadv.attacks.objectives import runner_up_class
from physadv.classifiers import Classifier

ATTACKS = pytest.mark.parametrize("attack", [cw_l2, lbfgs])
SHORT = {cw_l2: {"steps": 60, "searches": 7}, lbfgs: {}}


@pytest.fixture
def linear() -> Classifier:
    """A linear classifier of two classes."""
    layer = nn.Linear(3 * 6 * 6, 2, dtype=torch.float64)
    nn.init.normal_(layer.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    nn.init.zeros_(layer.bias)
    return Classifier(nn.Sequential(nn.Flatten(), layer), ["no", "yes"], "linear")


@pytest.fixture
def images() -> torch.Tensor:
    """Four 8-bit images far from black and white, so that the box does not matter."""
    random = torch.Generator().manual_seed(1)
    return torch.randint(60, 196, (4, 3, 6, 6), generator=random).double() / 255


@ATTACKS
def test_the_distance_is_that_to_a_linear_boundary(linear, images, attack):
    """The exact least distance is |z_0 - z_1| / |w_0 - w_1|; rounding to 8 bits costs a little more."""
    logits = linear(images)
    labels = logits.argmax(dim=1)
    weight = linear.network[1].weight
    exact = (logits[:, 0] - logits[:, 1]).abs() / (weight[0] - weight[1]).norm()

    adversarial = attack(linear, images, labels, **SHORT[attack])

    assert bool((linear(adversarial).argmax(dim=1) != labels).all())
    distance = (adversarial - images).flatten(1).norm(dim=1)
    assert bool((distance >= exact).all())
    assert bool((distance <= 1.1 * exact + 2 / 255).all())


@ATTACKS
def test_pictures_are_8_bit_and_the_same_for_the_same_seed(tiny_classifier, tiny_images, attack):
    labels = tiny_classifier(tiny_images).argmax(dim=1)
    options = {"steps": 20, "searches": 4}
    adversarial = attack(tiny_classifier, tiny_images, labels, **options)
    assert adversarial.dtype == tiny_images.dtype
    torch.testing.assert_close(adversarial * 255, (adversarial * 255).round(), atol=1e-4, rtol=0)
    assert float(adversarial.min()) >= 0
    assert float(adversarial.max()) <= 1
    assert torch.equal(adversarial, attack(tiny_classifier, tiny_images, labels, **options))


@ATTACKS
def test_targets_are_reached(linear, images, attack):
    labels = linear(images).argmax(dim=1)
    adversarial = attack(linear, images, labels, targets=1 - labels, **SHORT[attack])
    assert torch.equal(linear(adversarial).argmax(dim=1), 1 - labels)


def test_confidence_keeps_the_logits_apart(linear, images):
    labels = linear(images).argmax(dim=1)
    logits = linear(cw_l2(linear, images, labels, confidence=0.5, **SHORT[cw_l2]))
    lead = logits.gather(1, 1 - labels[:, None]) - logits.gather(1, labels[:, None])
    assert bool((lead > 0.5).all())
    assert bool((lead < 0.7).all())
    with pytest.raises(AttackError, match="confidence is -1"):
        cw_l2(linear, images, labels, confidence=-1.0)


@ATTACKS
def test_what_cannot_be_fooled_leaves_the_last_picture_tried(images, attack):
    """One class is always a hundred logits ahead."""
    stubborn = nn.Linear(3 * 6 * 6, 2, dtype=torch.float64)
    nn.init.ones_(stubborn.weight)
    with torch.no_grad():
        stubborn.bias.copy_(torch.tensor([100.0, 0.0]))
    classifier = Classifier(nn.Sequential(nn.Flatten(), stubborn), ["no", "yes"], "stubborn")
    adversarial = attack(classifier, images, torch.zeros(4, dtype=torch.int64), steps=2, searches=2)
    torch.testing.assert_close(adversarial * 255, (adversarial * 255).round())


@ATTACKS
def test_an_image_does_not_depend_on_its_batch(linear, images, attack):
    labels = linear(images).argmax(dim=1)
    options = {"steps": 20, "searches": 4}
    together = attack(linear, images, labels, **options)
    assert torch.equal(together[2:], attack(linear, images[2:], labels[2:], **options))


def test_the_runner_up_is_the_likeliest_class_but_the_label():
    logits = torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    runner_up = runner_up_class(lambda images: logits, torch.zeros(2, 3, 1, 1), torch.tensor([0, 2]))
    assert runner_up.tolist() == [2, 0]


@ATTACKS
@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"searches": 0}, "searches is 0; wanted at least 1"),
        ({"steps": 0}, "steps is 0; wanted at least 1"),
        ({"labels": torch.tensor([0, 1, 2, 0])}, "label 2 is outside the 2 classes"),
        ({"images": torch.full((4, 3, 6, 6), 0.1234)}, "images are not 8-bit"),
        ({"targets": torch.zeros(4, dtype=torch.int64)}, "target 0 is the image's own label"),
    ],
)
def test_bad_arguments_are_one_line(linear, images, attack, change, line):
    arguments = {"images": images, "labels": torch.zeros(4, dtype=torch.int64), **change}
    with pytest.raises(AttackError, match=line):
        attack(linear, **arguments)
