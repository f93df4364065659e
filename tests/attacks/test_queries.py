"""Gradients of classifiers that only answer, against pencil and paper and against autograd."""

import numpy as np
import pytest
import torch
from torch import nn

from physadv.attacks import (
    NES,
    AttackError,
    FiniteDifferences,
    LInfBall,
    QueryOnly,
    SignedStep,
    bim,
    optimise,
    pgd,
    untargeted_cross_entropy,
)
from physadv.attacks.loop import expected_loss
from physadv.attacks.running import check_differentiable
from physadv.classifiers import Classifier
from physadv.transforms import compose, identity, parse_transform

NOISY = compose(parse_transform("noise=20"), parse_transform("brightness=5"))
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


class Linear(nn.Module):
    """Two logits of mean red and mean green, worked out in numpy: nothing flows back."""

    def forward(self, images):
        pixels = images.cpu().numpy()
        return torch.from_numpy(np.stack([pixels[:, k].mean(axis=(1, 2)) * 10 for k in (0, 1)], axis=1))


@pytest.fixture
def numpy_classifier():
    return Classifier(Linear(), ["red", "green"], "numpy")


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def gradient(classifier, images, labels=LABELS, **options):
    ball = LInfBall((images * 255).round(), 8)
    options = {"distribution": identity, "samples": 1, "generator": stream(), **options}
    distribution = options.pop("distribution")
    objective = untargeted_cross_entropy(labels)
    return expected_loss(classifier, objective, ball, distribution, ball.levels, **options)


def test_finite_differences_are_the_gradient_and_cost_two_queries_a_value(tiny_classifier, tiny_images):
    """Black and white pictures, at the ends of the range, included."""
    asked = QueryOnly(tiny_classifier, FiniteDifferences(sigma=1e-3), stream())
    losses, estimated = gradient(asked, tiny_images)
    exact_losses, exact = gradient(tiny_classifier, tiny_images)

    torch.testing.assert_close(losses, exact_losses)
    torch.testing.assert_close(estimated, exact, rtol=0.02, atol=0.02 * float(exact.abs().max()))
    assert asked.queries == 6 * (1 + 2 * 3 * 8 * 8)


def test_finite_differences_of_a_linear_classifier_by_hand(numpy_classifier):
    """d log p_red / d red pixel = 10/N (1 − p_red), of a grey picture p_red = ½, N = 16 pixels."""
    grey = torch.full((1, 3, 4, 4), 128 / 255)
    asked = QueryOnly(numpy_classifier, FiniteDifferences(sigma=1e-2), stream())
    _, estimated = gradient(asked, grey, torch.tensor([0]))
    wanted = torch.tensor([10 / 16 / 2, -10 / 16 / 2, 0.0]) / 255
    torch.testing.assert_close(estimated[0].mean(dim=(1, 2)), wanted, rtol=1e-3, atol=1e-7)


def test_nes_approaches_the_gradient_as_the_root_of_its_population(tiny_classifier, tiny_images):
    """Of n gaussian directions in d dimensions the cosine with a gradient is about √(n / (n + d))."""
    images, labels = tiny_images[2:], LABELS[2:]
    exact = gradient(tiny_classifier, images, labels)[1].flatten(1)
    for directions in (48, 960):
        asked = QueryOnly(tiny_classifier, NES(2 * directions, sigma=0.01), stream())
        estimated = gradient(asked, images, labels)[1].flatten(1)
        cosine = float(torch.cosine_similarity(estimated, exact).mean())
        assert cosine == pytest.approx((directions / (directions + 192)) ** 0.5, abs=0.08)
        assert asked.queries == 4 * (1 + 2 * directions)


def test_an_estimate_has_the_gradients_length_on_average(tiny_classifier, tiny_images):
    """NES is unbiased: along the gradient it has the gradient's own length."""
    images, labels = tiny_images[2:], LABELS[2:]
    exact = gradient(tiny_classifier, images, labels)[1].flatten(1)
    estimated = gradient(QueryOnly(tiny_classifier, NES(2000, 0.01), stream()), images, labels)[1]
    along = (estimated.flatten(1) * exact).sum(dim=1) / exact.square().sum(dim=1)
    assert float(along.mean()) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("chunk", [1, 2, 4])
def test_chunks_change_neither_draws_nor_directions(tiny_classifier, tiny_images, chunk):
    def estimated(size):
        random = stream()
        asked = QueryOnly(tiny_classifier, NES(10), random)
        return gradient(asked, tiny_images, distribution=NOISY, samples=4, generator=random, chunk=size)

    for part, whole in zip(estimated(chunk), estimated(4), strict=True):
        torch.testing.assert_close(part, whole, rtol=1e-3, atol=1e-6)


def test_an_attack_on_answers_alone_succeeds_within_its_budget(numpy_classifier):
    """A linear classifier falls to the first useful direction; what is changed is red down, green up."""
    levels = torch.full((1, 3, 8, 8), 128.0)
    levels[:, 0] += 4
    images, labels = levels / 255, torch.tensor([0])
    asked = QueryOnly(numpy_classifier, NES(), stream())
    adversarial = bim(asked, images, labels, eps=8 / 255)

    assert int(numpy_classifier(images).argmax()) == 0
    assert int(numpy_classifier(adversarial).argmax()) == 1
    assert asked.queries == 10 * 51
    moved = (adversarial - images) * 255
    assert float(moved.abs().max().round()) <= 8
    assert float(moved[:, 0].mean()) < 0 < float(moved[:, 1].mean())


def test_a_seed_gives_the_same_picture_and_another_a_different_one(tiny_classifier, tiny_images):
    def made(seed):
        random = stream(seed)
        asked = QueryOnly(tiny_classifier, NES(4), random)
        return pgd(asked, tiny_images, LABELS, eps=8 / 255, steps=3, generator=random)

    assert torch.equal(made(0), made(0))
    assert not torch.equal(made(0), made(1))


def test_an_interrupted_loop_asks_on_along_the_same_directions(tiny_classifier, tiny_images):
    def run(**watched):
        random = stream()
        ball = LInfBall((tiny_images * 255).round(), 8)
        asked = QueryOnly(tiny_classifier, NES(4), random)
        objective, rule = untargeted_cross_entropy(LABELS), SignedStep(1)
        common = {"steps": 5, "samples": 1, "generator": random}
        return optimise(asked, objective, ball, identity, rule, **common, **watched)

    kept = []
    whole = run(keep=kept.append)
    assert torch.equal(run(resume=kept[3]), whole)


def test_a_classifier_without_gradients_is_named(numpy_classifier, tiny_classifier):
    check_differentiable(tiny_classifier)
    check_differentiable(QueryOnly(numpy_classifier, NES(2), stream()))
    with pytest.raises(AttackError, match="model 'numpy' passes no gradient back; it needs --query-only"):
        check_differentiable(numpy_classifier)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: NES(population=51), "population 51: wanted an even number of queries, 2 or more"),
        (lambda: NES(population=0), "population 0"),
        (lambda: NES(sigma=0), "sigma is 0; wanted a fraction of the pixel range"),
        (lambda: NES(sigma=float("nan")), "sigma is nan"),
        (lambda: FiniteDifferences(sigma=0.5), "sigma is 0.5"),
    ],
)
def test_bad_directions_are_one_line(make, line):
    with pytest.raises(AttackError, match=line):
        make()
