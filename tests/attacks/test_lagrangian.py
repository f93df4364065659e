"""A distance in expectation over transformed copies, weighed against the expected loss."""

import pytest
import torch

from physadv.attacks import AttackError, LInfBall, eot_lagrangian, lab_distance, untargeted_cross_entropy
from physadv.attacks.loop import expected_loss
from physadv.attacks.objectives import untargeted_likelihood
from physadv.transforms import compose, parse_transform

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
NOISY = compose(parse_transform("noise=40"), parse_transform("blur=0.7"))


def losses_of(classifier, images, values, view_penalty, **options):
    ball = LInfBall((images * 255).round(), 255)
    generator = torch.Generator().manual_seed(0)
    return expected_loss(
        classifier,
        untargeted_cross_entropy(LABELS),
        ball,
        NOISY,
        values,
        generator=generator,
        view_penalty=view_penalty,
        **options,
    )


def test_a_view_penalty_compares_under_the_same_draw(tiny_classifier, tiny_images):
    """Clean images, transformed twice by one draw, are at no distance from themselves."""
    seen_distances = []

    def penalty(seen, view):
        seen_distances.append(lab_distance(seen.detach(), view(tiny_images.repeat(2, 1, 1, 1))))
        return seen.mean((1, 2, 3))

    losses_of(tiny_classifier, tiny_images, (tiny_images * 255).round(), penalty, samples=4, chunk=2)
    assert [len(distance) for distance in seen_distances] == [12, 12]
    assert float(torch.cat(seen_distances).max()) < 1e-4


def test_the_penalty_of_views_is_added_in_expectation(tiny_classifier, tiny_images):
    values = (tiny_images * 255).round()
    bare, _ = losses_of(tiny_classifier, tiny_images, values, None, samples=4)
    more, _ = losses_of(
        tiny_classifier, tiny_images, values, lambda seen, view: seen.mean((1, 2, 3)), samples=4
    )
    draw = NOISY.sample(24, torch.Generator().manual_seed(0))
    mean = NOISY.apply(tiny_images.repeat(4, 1, 1, 1), draw).mean((1, 2, 3)).reshape(4, 6).mean(dim=0)
    torch.testing.assert_close(more - bare, mean, rtol=1e-4, atol=1e-5)


def test_the_likelihood_of_any_other_class_by_hand():
    logits = torch.tensor([[[2.0, 0.0, 1.0]]])
    own = logits.softmax(dim=-1)[..., 0]
    torch.testing.assert_close(untargeted_likelihood(torch.tensor([0]))(logits), -(1 - own).log())


def test_more_weight_is_less_distance(tiny_classifier, tiny_images):
    def distance(weight):
        options = {"distribution": NOISY, "samples": 2, "steps": 25, "weight": weight}
        adversarial = eot_lagrangian(tiny_classifier, tiny_images, LABELS, **options)
        torch.testing.assert_close(adversarial * 255, (adversarial * 255).round(), atol=1e-4, rtol=0)
        return float(lab_distance(adversarial, tiny_images).mean())

    assert distance(1.0) < 0.5 * distance(0.0)


def test_targets_become_likelier_under_transformations_and_bytes_repeat(tiny_classifier, tiny_images):
    targets = (LABELS + 1) % 4
    options = {"distribution": NOISY, "samples": 2, "steps": 20, "weight": 0.01, "targets": targets}
    adversarial = eot_lagrangian(tiny_classifier, tiny_images, LABELS, **options)
    draw = NOISY.sample(6, torch.Generator().manual_seed(9))
    before, after = (
        tiny_classifier(NOISY.apply(images, draw)).softmax(1).gather(1, targets[:, None])
        for images in (tiny_images, adversarial)
    )
    assert bool((after > before).all())
    assert torch.equal(adversarial, eot_lagrangian(tiny_classifier, tiny_images, LABELS, **options))


@pytest.mark.parametrize("weight", [-0.1, float("nan")])
def test_a_weight_below_nothing_is_refused(tiny_classifier, tiny_images, weight):
    with pytest.raises(AttackError, match="weight is"):
        eot_lagrangian(tiny_classifier, tiny_images, LABELS, weight=weight)
