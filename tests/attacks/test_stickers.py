"""Stickers on a surface seen in perspective, and the attacks that use patches and stickers."""

import cv2
import numpy as np
import pytest
import torch

from physadv.attacks import (
    AttackError,
    LInfBall,
    Patch,
    Placement,
    Stickers,
    bars,
    circle,
    rp2,
    universal_patch,
)
from physadv.classifiers import load_classifier
from physadv.pipeline.examples import to_tensor
from physadv.signs.drawing.drawing import draw_demo_set

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
SIZE = (40, 48)
TILTED = torch.tensor(
    [
        [(0.9, 0.1, 6.0), (-0.05, 0.8, 9.0), (0.001, -0.002, 1.0)],
        [(0.5, -0.2, 20.0), (0.1, 0.6, 4.0), (-0.002, 0.001, 1.0)],
    ],
    dtype=torch.float64,
)


def black(count=2, size=(60, 70)) -> torch.Tensor:
    return torch.zeros(count, 3, *size)


def smooth_surface() -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(float(SIZE[0])), torch.arange(float(SIZE[1])), indexing="ij")
    return torch.stack([128 + 90 * (x / 9).sin(), 128 + 90 * (y / 7).cos(), 100 + x + y])[None].round()


def shown(stickers: Stickers, values: torch.Tensor, samples: int = 1) -> torch.Tensor:
    return stickers.render(values, stickers.draw(samples * stickers.batch, torch.Generator()), samples)


def test_the_surface_is_seen_as_opencv_warps_it():
    surface = smooth_surface()
    magnified = torch.diag(torch.tensor([1.4, 1.4, 1.0], dtype=torch.float64)) @ TILTED
    photos = shown(Stickers(black(), torch.ones(SIZE), magnified), surface)
    for photo, homography in zip(photos, magnified, strict=True):
        picture = (surface[0] / 255).permute(1, 2, 0).numpy()
        wanted = cv2.warpPerspective(picture, homography.numpy(), (70, 60), flags=cv2.INTER_LINEAR)
        inside = cv2.warpPerspective(np.ones(SIZE, np.float32), homography.numpy(), (70, 60)) > 0.999
        assert inside.mean() > 0.1
        # OpenCV reads at thirty-seconds of a pixel.
        np.testing.assert_allclose(photo.permute(1, 2, 0).numpy()[inside], wanted[inside], atol=0.02)


def test_beside_the_mask_the_photo_is_untouched_to_the_bit():
    photos = torch.rand(2, 3, 60, 70, generator=torch.Generator().manual_seed(0))
    alpha = torch.zeros(SIZE)
    alpha[10:20, 12:30] = 1
    seen = shown(Stickers(photos, alpha, TILTED), smooth_surface())
    for photo, changed, homography in zip(photos, seen, TILTED, strict=True):
        covered = cv2.warpPerspective(alpha.numpy(), homography.numpy(), (70, 60))
        near = cv2.dilate(covered, np.ones((7, 7))) > 0
        assert torch.equal(photo[:, ~near], changed[:, ~near])
        assert not torch.equal(photo, changed)


def test_a_surface_that_shrinks_is_averaged_not_sampled():
    """A fine chequerboard at a quarter of its size is grey."""
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    board = (255.0 * ((x + y) % 2)).expand(1, 3, 64, 64)
    quarter = torch.tensor([[(0.25, 0, 2.125), (0, 0.25, 2.125), (0, 0, 1)]], dtype=torch.float64)
    seen = shown(Stickers(black(1, (20, 20)), torch.ones(64, 64), quarter), board)
    torch.testing.assert_close(seen[0, :, 6:14, 6:14], torch.full((3, 8, 8), 0.5), atol=0.02, rtol=0)


def test_beyond_the_horizon_there_is_no_surface():
    """A plane that runs away: its pixels beyond the horizon would show what is behind the camera."""
    receding = torch.tensor([[(1.0, 0, 0), (0, 0.2, 10.0), (0, 0.05, 1.0)]], dtype=torch.float64)
    horizon = 0.2 / 0.05
    seen = shown(Stickers(black(1), torch.ones(SIZE), receding), torch.full((1, 3, *SIZE), 255.0))
    below = seen[0, 0, : int(horizon)]
    assert float(below.max()) == 0
    assert float(seen.max()) > 0.9


def test_one_set_is_shared_by_all_photos_or_each_has_its_own():
    generator = torch.Generator().manual_seed(0)
    one = Stickers(black(), torch.ones(SIZE), TILTED)
    own = Stickers(black(), torch.ones(SIZE), TILTED, shared=False)
    assert one.start(generator).shape == (1, 3, *SIZE)
    assert own.start(generator).shape == (2, 3, *SIZE)
    assert shown(one, one.start(generator), samples=3).shape == (6, 3, 60, 70)
    values = torch.cat([torch.zeros(1, 3, *SIZE), torch.full((1, 3, *SIZE), 255.0)])
    first, second = shown(own, values)
    assert float(first.max()) == 0
    assert float(second.max()) == pytest.approx(1, abs=1e-5)


def test_a_disguise_keeps_values_near_its_picture():
    disguise = LInfBall(smooth_surface(), 12)
    stickers = Stickers(black(), torch.ones(SIZE), TILTED, disguise=disguise)
    assert torch.equal(stickers.start(torch.Generator()), smooth_surface())
    far = stickers.project(torch.full((1, 3, *SIZE), 255.0))
    assert float((far - smooth_surface()).abs().max()) <= 12
    patch = Patch(
        black(1), circle(16), Placement((0.1, 0.1)), 1, disguise=LInfBall(torch.full((1, 3, 16, 16), 9.0), 3)
    )
    assert float(patch.start(torch.Generator()).mean()) == 9
    assert patch.project(torch.full((1, 3, 16, 16), 200.0)).unique().tolist() == [12]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"alpha": torch.zeros(SIZE)}, "sticker mask of shape (40, 48) from 0 to 0"),
        ({"alpha": torch.full(SIZE, 2.0)}, "sticker mask of shape (40, 48) from 2 to 2"),
        ({"alpha": torch.ones(1, *SIZE)}, "sticker mask of shape (1, 40, 48)"),
        ({"homography": TILTED[:1]}, "homographies of shape (1, 3, 3) for 2 photos; wanted (2, 3, 3)"),
        ({"homography": TILTED * float("nan")}, "wanted (2, 3, 3), finite"),
        (
            {"homography": torch.stack([TILTED[0], torch.tensor([(1.0, 0, 900), (0, 1, 0), (0, 0, 1)])])},
            "the sticker mask falls outside photo 1 of 2",
        ),
        ({"disguise": LInfBall(torch.zeros(1, 3, 5, 5), 3)}, "disguise of shape (1, 3, 5, 5); wanted"),
        ({"homography": torch.zeros(2, 3, 3)}, "homography of photo 0 cannot be inverted"),
    ],
)
def test_impossible_stickers_are_one_line(change, line):
    arguments = {"photos": black(), "alpha": torch.ones(SIZE), "homography": TILTED, **change}
    with pytest.raises(AttackError) as caught:
        Stickers(**arguments)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bars_cover_a_tenth():
    assert float(bars(100, 80).mean()) == pytest.approx(0.1)


@pytest.fixture(scope="module")
def signs():
    classifier = load_classifier("signs")
    drawn = draw_demo_set(3, size=32, seed=0)
    labels = torch.tensor([classifier.label_index(label) for label, _ in drawn])
    return classifier, to_tensor([pixels for _, pixels in drawn]), labels


def test_stickers_fool_the_sign_classifier_and_leave_the_rest_of_the_sign(signs):
    classifier, images, labels = signs
    adversarial = rp2(classifier, images, labels, steps=60)
    assert bool((classifier(adversarial).argmax(dim=1) != labels).all())
    beside = bars(32, 32) == 0
    assert torch.equal(adversarial[..., beside], images[..., beside])
    torch.testing.assert_close(adversarial * 255, (adversarial * 255).round(), atol=1e-4, rtol=0)


def test_one_set_of_stickers_fools_in_photos_of_one_sign_and_bytes_repeat(signs):
    classifier, images, labels = signs
    photos = images[:1].repeat(2, 1, 1, 1)
    views = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    views[1, 0, 2] = 1.0
    options = {"mask": bars(32, 32), "homography": views, "shared": True, "steps": 40}
    adversarial = rp2(classifier, photos, labels[:1].repeat(2), **options)
    assert bool((classifier(adversarial).argmax(dim=1) != labels[0]).all())
    torch.testing.assert_close(adversarial[0, :, 7, 9:20], adversarial[1, :, 7, 10:21], atol=1e-6, rtol=0)
    assert torch.equal(adversarial, rp2(classifier, photos, labels[:1].repeat(2), **options))


def test_printable_stickers_are_more_printable_and_smooth_ones_smoother(tiny_classifier, tiny_images):
    def roughness(weight):
        adversarial = rp2(
            tiny_classifier, tiny_images, LABELS, mask=torch.ones(8, 8), steps=30, smoothness=weight
        )
        return float((adversarial[..., 1:] - adversarial[..., :-1]).abs().mean())

    assert roughness(30.0) < roughness(0.0)


def test_one_patch_fools_on_every_sign(signs):
    classifier, images, labels = signs
    adversarial = universal_patch(classifier, images, labels, area=0.25, steps=60, samples=2)
    assert bool((classifier(adversarial).argmax(dim=1) != labels).all())
    changed = (adversarial != images).any(dim=1).float().mean(dim=(1, 2))
    assert bool((changed > 0.2).all())
    assert bool((changed < 0.33).all())
    torch.testing.assert_close(adversarial * 255, (adversarial * 255).round(), atol=1e-4, rtol=0)


def test_a_patch_repeats_under_its_seed_and_its_places_do_not_under_another(tiny_classifier, tiny_images):
    def attack(seed):
        options = {"steps": 2, "generator": torch.Generator().manual_seed(seed)}
        return universal_patch(tiny_classifier, tiny_images, LABELS, **options)

    assert torch.equal(attack(0), attack(0))
    assert not torch.equal(attack(0), attack(1))


@pytest.mark.parametrize(
    ("attack", "change", "line"),
    [
        (universal_patch, {"area": 0.0}, "patch area 0"),
        (universal_patch, {"targets": (LABELS + 1) % 4}, "wanted the same target for all images"),
        (universal_patch, {"goal": lambda pictures: LABELS > 0}, "patch cannot stop image by image"),
        (universal_patch, {"steps": 0}, "steps is 0"),
        (rp2, {"goal": lambda pictures: LABELS > 0}, "rp2 cannot stop image by image"),
        (rp2, {"mask": torch.zeros(8, 8)}, "sticker mask"),
        (rp2, {"labels": LABELS + 1}, "label 4 is outside"),
    ],
)
def test_bad_arguments_are_one_line(tiny_classifier, tiny_images, attack, change, line):
    arguments = {"labels": LABELS, **change}
    with pytest.raises(AttackError, match=line):
        attack(tiny_classifier, tiny_images, **arguments)


def test_backgrounds_in_order_must_be_the_batch():
    with pytest.raises(AttackError, match="batch 3: wanted all 2 backgrounds in order"):
        Patch(black(2), circle(8), Placement((0.1, 0.1)), batch=3, in_order=True)
    with pytest.raises(AttackError, match="disguise of shape"):
        Patch(black(2), circle(8), Placement((0.1, 0.1)), 2, disguise=LInfBall(torch.zeros(1, 3, 4, 4), 3))
