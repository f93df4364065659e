from copy import deepcopy
from functools import partial

import pytest
import torch

from physadv.attacks import (
    AttackError,
    LInfBall,
    MomentumSign,
    NormalisedStep,
    SignedStep,
    TorchOptimiser,
    optimise,
    targeted_cross_entropy,
    untargeted_cross_entropy,
)
from physadv.attacks.loop import expected_loss
from physadv.attacks.optimisers import EachImage, cooling_adam
from physadv.transforms import compose, identity, parse_transform

NOISY = compose(parse_transform("noise=20"), parse_transform("brightness=5"))
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


@pytest.fixture
def ball(tiny_images):
    return LInfBall((tiny_images * 255).round(), eps=8)


def gradient_of(classifier, ball, **options):
    return expected_loss(
        classifier,
        untargeted_cross_entropy(LABELS),
        ball,
        options.pop("distribution", NOISY),
        ball.levels,
        generator=torch.Generator().manual_seed(0),
        **options,
    )


def test_expectation_is_of_the_loss_not_the_loss_of_the_mean_logits(tiny_classifier, ball, tiny_images):
    draw = NOISY.sample(5 * 6, torch.Generator().manual_seed(0))

    losses, _ = gradient_of(tiny_classifier, ball, samples=5)

    logits = tiny_classifier(NOISY.apply(tiny_images.repeat(5, 1, 1, 1), draw))
    by_hand = torch.nn.functional.cross_entropy(logits, LABELS.repeat(5), reduction="none")
    torch.testing.assert_close(losses, -by_hand.reshape(5, 6).mean(dim=0))


@pytest.mark.parametrize("chunk", [1, 3, 7, 50])
def test_chunks_change_neither_draws_nor_gradient(tiny_classifier, ball, chunk):
    losses, gradient = gradient_of(tiny_classifier, ball, samples=7)
    chunked_losses, chunked_gradient = gradient_of(tiny_classifier, ball, samples=7, chunk=chunk)

    torch.testing.assert_close(chunked_losses, losses)
    torch.testing.assert_close(chunked_gradient, gradient, rtol=1e-4, atol=1e-8)


def test_gradient_of_an_image_does_not_depend_on_its_batch(tiny_classifier, ball):
    _, together = gradient_of(tiny_classifier, ball, samples=1, distribution=identity)
    _, alone = expected_loss(
        tiny_classifier,
        untargeted_cross_entropy(LABELS[4:]),
        LInfBall(ball.levels[4:], 8),
        identity,
        ball.levels[4:],
        samples=1,
        generator=torch.Generator(),
    )

    torch.testing.assert_close(together[4:], alone)


def test_targeted_and_untargeted_are_opposite(tiny_classifier, ball):
    _, up = gradient_of(tiny_classifier, ball, samples=2)
    _, down = expected_loss(
        tiny_classifier,
        targeted_cross_entropy(LABELS),
        ball,
        NOISY,
        ball.levels,
        samples=2,
        generator=torch.Generator().manual_seed(0),
    )

    torch.testing.assert_close(up, -down)


def test_callback_sees_every_step_and_falling_losses(tiny_classifier, ball):
    seen = []

    optimise(
        tiny_classifier,
        untargeted_cross_entropy(LABELS),
        ball,
        identity,
        SignedStep(1),
        steps=6,
        samples=1,
        generator=torch.Generator(),
        callback=lambda step, losses: seen.append((step, losses.mean().item())),
    )

    assert [step for step, _ in seen] == list(range(6))
    assert seen[-1][1] < seen[0][1]


def test_gradients_flow_under_no_grad_too(tiny_classifier, ball):
    with torch.no_grad():
        _, gradient = gradient_of(tiny_classifier, ball, samples=1)

    assert gradient.abs().max() > 0


def test_nan_gradient_stops_the_attack(ball):
    with pytest.raises(AttackError, match=r"gradient is not finite .* at step 1 of 3"):
        optimise(
            lambda images: images.flatten(1)[:, :4] * float("nan"),
            untargeted_cross_entropy(LABELS),
            ball,
            identity,
            SignedStep(1),
            steps=3,
            samples=1,
            generator=torch.Generator(),
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: SignedStep(1),
        lambda: NormalisedStep(3.0),
        lambda: MomentumSign(1, decay=0.9),
        lambda: TorchOptimiser(partial(torch.optim.Adam, lr=2.0)),
        lambda: TorchOptimiser(partial(torch.optim.LBFGS, lr=10.0, max_iter=1)),
        lambda: EachImage(lambda: TorchOptimiser(partial(torch.optim.Adam, lr=2.0))),
        lambda: cooling_adam(rate=3.0, steps=7),
    ],
)
@pytest.mark.parametrize("interrupted", [0, 4])
def test_loop_taken_up_again_ends_where_it_would_have(tiny_classifier, ball, make, interrupted):
    def run(generator, **watched):
        return optimise(
            tiny_classifier,
            untargeted_cross_entropy(LABELS),
            ball,
            NOISY,
            make(),
            steps=7,
            samples=2,
            generator=generator,
            **watched,
        )

    kept = []
    whole = run(torch.Generator().manual_seed(0), keep=lambda snapshot: kept.append(deepcopy(snapshot)))
    resumed = run(torch.Generator().manual_seed(99), resume=kept[interrupted])

    assert [snapshot.step for snapshot in kept] == list(range(7))
    assert torch.equal(resumed, whole)


def test_images_that_met_the_goal_stay_so_after_an_interruption(tiny_classifier, ball):
    first_two = torch.tensor([True, True, False, False, False, False])
    kept = []

    def run(**watched):
        return optimise(
            tiny_classifier,
            untargeted_cross_entropy(LABELS),
            ball,
            identity,
            SignedStep(1),
            steps=6,
            samples=1,
            generator=torch.Generator(),
            goal=lambda pictures: first_two,
            check_every=2,
            **watched,
        )

    whole = run(keep=lambda snapshot: kept.append(deepcopy(snapshot)))
    resumed = run(resume=kept[5])

    assert kept[5].done.tolist() == first_two.tolist()
    assert torch.equal(kept[3].values[:2], whole[:2])
    assert torch.equal(resumed, whole)
