"""Balls, momentum, margins and the expectation, on a small classifier."""

from functools import partial

import pytest
import torch
from torch.nn.functional import one_hot

from physadv.attacks import (
    AttackError,
    L2Ball,
    MomentumSign,
    NormalisedStep,
    TorchOptimiser,
    ensemble,
    eot,
    fast,
    optimise,
    pgd_l2,
    random_target,
    targeted_margin,
    total_variation,
    untargeted_cross_entropy,
    untargeted_margin,
)
from physadv.attacks.optimisers import cooling_adam, spanning_adam
from physadv.attacks.variables import LInfBall
from physadv.transforms import compose, identity, parse_transform

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
NOISY = compose(parse_transform("noise=40"), parse_transform("blur=0.7"))


@pytest.mark.parametrize("eps", [0.5, 1.0, 3.7])
def test_an_l2_attack_stays_in_its_ball_after_rounding(tiny_classifier, tiny_images, eps):
    adversarial = pgd_l2(tiny_classifier, tiny_images, LABELS, eps=eps)
    distance = (adversarial - tiny_images).flatten(1).norm(dim=1)
    assert float(distance.max()) <= eps + 1e-6
    assert float(distance.min()) > 0
    levels = adversarial * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)


def test_projection_to_an_l2_ball_is_the_nearest_point_of_it():
    ball = L2Ball(torch.full((2, 3, 4, 4), 100.0), eps=10.0)
    near, far = torch.full((3, 4, 4), 100.5), torch.full((3, 4, 4), 104.0)
    projected = ball.project(torch.stack([near, far]))
    torch.testing.assert_close(projected[0], near)
    assert float((projected[1] - 100).norm()) == pytest.approx(10, rel=1e-5)
    torch.testing.assert_close(projected[1], torch.full((3, 4, 4), 100 + 10 / 48**0.5))


def test_an_l2_step_has_its_length_and_no_gradient_moves_nothing():
    values, gradient = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    gradient[0] = 7.0
    moved = NormalisedStep(2.5)(values, gradient)
    assert float(moved[0].norm()) == pytest.approx(2.5, rel=1e-5)
    assert float(moved[1].norm()) == 0.0


def test_momentum_goes_on_where_the_gradient_turned_slightly():
    step = MomentumSign(1.0, decay=1.0)
    strong = torch.ones(1, 3, 2, 2)
    values = step(torch.zeros(1, 3, 2, 2), strong)
    weak = torch.where(torch.arange(4).reshape(2, 2) == 0, -0.1, 1.0).expand(1, 3, 2, 2)
    assert bool((step(values, weak) == -2).all())


def test_torch_optimisers_step_the_values():
    """Adam's first step is its learning rate against the sign of the gradient (Kingma & Ba 2015)."""
    adam = TorchOptimiser(partial(torch.optim.Adam, lr=0.5))
    gradient = torch.tensor([[[[3.0, -0.2]]]])
    torch.testing.assert_close(adam(torch.zeros(1, 1, 1, 2), gradient), torch.tensor([[[[-0.5, 0.5]]]]))
    newton = TorchOptimiser(partial(torch.optim.LBFGS, lr=1.0, max_iter=1))
    values = torch.full((1, 1, 1, 2), 5.0)
    for _ in range(12):
        values = newton(values, 2 * (values - 1))
    torch.testing.assert_close(values, torch.ones(1, 1, 1, 2), atol=1e-3, rtol=0)


def test_a_cooling_adam_begins_at_its_rate_and_comes_to_rest():
    """Under a steady gradient every step is the rate, and half a cosine over T steps sums to (T + 1) / 2."""
    step, values, gradient = cooling_adam(0.5, steps=20), torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)
    way = [values]
    for _ in range(20):
        way.append(step(way[-1], gradient))
    moves = -torch.cat(way).flatten().diff()
    assert float(moves[0]) == pytest.approx(0.5)
    assert float(moves[-1]) < 0.01
    assert float(moves.sum()) == pytest.approx(0.5 * 21 / 2, rel=1e-5)


@pytest.mark.parametrize("steps", [2, 12, 100])
def test_a_spanning_adam_goes_from_mid_grey_to_the_end_and_hardly_further(steps):
    step, values = spanning_adam(steps), torch.full((1, 1, 1, 1), 128.0)
    for _ in range(steps):
        values = step(values, torch.ones(1, 1, 1, 1))
    assert -128 / steps - 0.01 < float(values) < 0.01


def test_margins_by_hand():
    logits = torch.tensor([[[3.0, 1.0, -2.0], [0.0, 4.0, 1.0]]])
    labels = torch.tensor([0, 2])
    torch.testing.assert_close(untargeted_margin(labels, 10)(logits), torch.tensor([[2.0, -3.0]]))
    torch.testing.assert_close(targeted_margin(labels, 10)(logits), torch.tensor([[-2.0, 3.0]]))
    torch.testing.assert_close(untargeted_margin(labels)(logits), torch.tensor([[2.0, 0.0]]))


def test_an_ensemble_answers_with_mean_probabilities():
    certain, unsure = torch.tensor([[9.0, 0, 0]]), torch.tensor([[0.0, 0, 0]])
    both = ensemble([lambda images: certain, lambda images: unsure])
    mean = (certain.softmax(1) + unsure.softmax(1)) / 2
    torch.testing.assert_close(both(torch.zeros(1, 3, 2, 2)).softmax(1), mean)
    with pytest.raises(AttackError, match="one classifier or more"):
        ensemble([])


def test_random_targets_are_every_other_class_and_never_the_label():
    labels = torch.arange(4).repeat_interleave(500)
    targets = random_target(labels, 4, torch.Generator().manual_seed(0))
    assert not bool((targets == labels).any())
    counts = one_hot(targets, 4).reshape(4, 500, 4).sum(dim=1)
    assert int(counts[~torch.eye(4, dtype=torch.bool)].min()) > 120
    with pytest.raises(AttackError, match="2 classes or more"):
        random_target(torch.zeros(3, dtype=torch.int64), 1, torch.Generator())


def expected_correct(classifier, images, labels):
    """Mean probability of the true label over fresh noisy views."""
    views = images.repeat(200, 1, 1, 1)
    seen = NOISY.apply(views, NOISY.sample(len(views), torch.Generator().manual_seed(99)))
    return float(classifier(seen).softmax(1).gather(1, labels.repeat(200)[:, None]).mean())


def test_eot_beats_the_attack_on_bare_pixels_under_its_transformations(tiny_classifier, tiny_images):
    options = {"distribution": NOISY, "samples": 8, "steps": 30}
    robust = eot(tiny_classifier, tiny_images, LABELS, eps=8 / 255, **options)
    once = fast(tiny_classifier, tiny_images, LABELS, eps=8 / 255)
    assert float(((robust - tiny_images) * 255).abs().max().round()) <= 8
    assert expected_correct(tiny_classifier, robust, LABELS) < expected_correct(tiny_classifier, once, LABELS)


def test_eot_gives_the_same_bytes_for_the_same_seed(tiny_classifier, tiny_images):
    def run(seed):
        generator = torch.Generator().manual_seed(seed)
        options = {"distribution": NOISY, "samples": 3, "steps": 5, "generator": generator}
        return eot(tiny_classifier, tiny_images, LABELS, eps=8 / 255, **options)

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_targets_are_reached_for(tiny_classifier, tiny_images):
    targets = (LABELS + 1) % 4
    before = tiny_classifier(tiny_images).softmax(1).gather(1, targets[:, None])
    adversarial = eot(tiny_classifier, tiny_images, LABELS, eps=16 / 255, steps=10, targets=targets)
    after = tiny_classifier(adversarial).softmax(1).gather(1, targets[:, None])
    assert bool((after > before).all())


@pytest.mark.parametrize(
    ("targets", "line"),
    [
        (LABELS, "target 0 is the image's own label"),
        (LABELS + 4, "outside the 4 classes"),
        (LABELS[:2], "wanted torch.int64"),
        (LABELS.float(), "wanted torch.int64"),
    ],
)
def test_impossible_targets_are_refused(tiny_classifier, tiny_images, targets, line):
    with pytest.raises(AttackError, match=line):
        eot(tiny_classifier, tiny_images, LABELS, eps=8 / 255, targets=targets)


def test_images_that_meet_the_goal_are_left_alone(tiny_classifier, tiny_images):
    asked = []

    def goal(images):
        asked.append(images)
        return torch.arange(6) < 3

    stopped = optimise(
        tiny_classifier,
        untargeted_cross_entropy(LABELS),
        LInfBall((tiny_images * 255).round(), 8),
        identity,
        lambda values, gradient: values + 1,
        samples=1,
        generator=torch.Generator(),
        steps=9,
        goal=goal,
        check_every=4,
    )
    assert len(asked) == 2
    moved = stopped - (tiny_images * 255).round()
    assert float(moved[:3].max()) <= 4
    assert float(moved[3:].max()) == 8


def test_a_penalty_of_the_values_joins_the_loss(tiny_classifier, tiny_images):
    def smoothness(weight):
        values = optimise(
            tiny_classifier,
            untargeted_cross_entropy(LABELS),
            LInfBall((tiny_images * 255).round(), 32),
            identity,
            lambda values, gradient: values - 2 * gradient.sign(),
            steps=20,
            samples=1,
            generator=torch.Generator(),
            penalty=lambda values: weight * total_variation(values / 255),
        )
        return float(total_variation(values / 255).mean())

    assert smoothness(1e3) < smoothness(0.0)
