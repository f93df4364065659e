import math

import pytest
import torch

from physadv.attacks import AttackError, Placement, circle, paste, patch, square, total_variation

WHITE = torch.ones(1, 3, 32, 32)


def drawn(area, angle=0.0, place=(0.5, 0.5), n=1):
    return {
        "area": torch.full((n,), area),
        "angle": torch.full((n,), angle),
        "place": torch.tensor([place] * n),
    }


@pytest.mark.parametrize("shape", [circle, square])
@pytest.mark.parametrize("angle", [0.0, 0.3])
@pytest.mark.parametrize("area", [0.03, 0.1, 0.3])
def test_a_patch_covers_the_area_asked_for(shape, angle, area):
    image = paste(WHITE, shape(32), torch.zeros(1, 3, 100, 140), drawn(area, angle))
    assert float(image[:, 0].mean()) == pytest.approx(area, rel=0.04)


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 1.0), (0.2, 0.9)])
def test_a_patch_stays_wholly_inside(place):
    image = paste(WHITE, square(32), torch.zeros(1, 3, 90, 90), drawn(0.1, 0.35, place))
    assert float(image.mean()) == pytest.approx(0.1, rel=0.05)
    if place == (0.0, 0.0):
        rows = image[0, 0].amax(dim=1)
        assert float(rows[:2].max()) > 0.1
        assert float(rows[60:].max()) == 0


def test_outside_the_mask_the_image_is_untouched_and_inside_it_is_the_patch():
    background = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    shown = paste(torch.full((1, 3, 16, 16), 0.25), circle(16), background, drawn(0.1, n=2))
    assert torch.equal(shown[:, :, :10], background[:, :, :10])
    torch.testing.assert_close(shown[:, :, 30:34, 30:34], torch.full((2, 3, 4, 4), 0.25))


def test_a_quarter_turn_turns_the_picture():
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    turned = paste(picture, square(32), torch.zeros(1, 3, 32, 32), drawn(1.0, math.pi / 2))
    torch.testing.assert_close(turned, torch.rot90(picture, -1, (2, 3)), atol=1e-4, rtol=0)


def test_a_patch_finer_than_pixels_is_shown_as_its_mean_not_aliased():
    checkers = (torch.arange(240)[:, None] + torch.arange(240)) % 2 * torch.ones(1, 3, 240, 240)
    shown = paste(checkers, square(240), torch.zeros(3, 3, 100, 100), drawn(0.16, 0.2, n=3))
    torch.testing.assert_close(shown[..., 40:60, 40:60], torch.full((3, 3, 20, 20), 0.5), atol=0.02, rtol=0)


@pytest.mark.parametrize("shape", [circle, square])
@pytest.mark.parametrize("area", [0.03, 0.1, 0.3])
def test_without_a_size_a_patch_has_a_texel_for_every_pixel(tiny_classifier, shape, area):
    made = patch(tiny_classifier, torch.zeros(1, 3, 60, 80), 1, area=area, shape=shape, steps=1, batch=1)
    covered = float(shape(made.shape[-1]).sum()) / (60 * 80)
    assert covered == pytest.approx(area, rel=0.15)


def test_placements_fill_their_ranges():
    draws = Placement((0.02, 0.2), rotation=22.5).draw(4000, torch.Generator().manual_seed(0))
    assert 0.02 <= float(draws["area"].min()) < 0.022
    assert 0.198 < float(draws["area"].max()) <= 0.2
    degrees = draws["angle"].rad2deg()
    assert -22.5 <= float(degrees.min()) < -22
    assert 22 < float(degrees.max()) <= 22.5
    assert 0 <= float(draws["place"].min()) < 0.01
    assert 0.99 < float(draws["place"].max()) <= 1


def test_a_patch_reaches_its_target_better_than_noise_and_repeats_under_its_seed(tiny_classifier):
    backgrounds = torch.rand(12, 3, 24, 24, generator=torch.Generator().manual_seed(2))

    def make():
        generator = torch.Generator().manual_seed(3)
        return patch(
            tiny_classifier, backgrounds, 2, area=0.3, size=12, steps=60, batch=6, generator=generator
        )

    found = make()
    assert found.shape == (3, 12, 12)
    torch.testing.assert_close(found * 255, (found * 255).round(), atol=1e-4, rtol=0)
    assert torch.equal(found, make())
    places = Placement((0.3, 0.3)).draw(12, torch.Generator().manual_seed(4))
    noise = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(5))
    reached, by_chance = (
        tiny_classifier(paste(picture, circle(12), backgrounds, places)).softmax(1)[:, 2].mean()
        for picture in (found[None], noise)
    )
    assert reached > by_chance + 0.01


def test_a_smooth_patch_is_smoother(tiny_classifier):
    backgrounds = torch.rand(6, 3, 24, 24, generator=torch.Generator().manual_seed(2))

    def variation(weight):
        found = patch(
            tiny_classifier,
            backgrounds,
            1,
            area=0.3,
            size=12,
            steps=40,
            batch=6,
            penalties=[lambda levels: weight * total_variation(levels / 255)],
        )
        return float(total_variation(found[None]))

    assert variation(50.0) < 0.5 * variation(0.0)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"area": 0.0}, "patch area 0 to 0"),
        ({"area": (0.3, 0.1)}, "patch area 0.3 to 0.1"),
        ({"area": 1.5}, "patch area 1.5"),
        ({"rotation": 200}, "patch rotation 200"),
        ({"target": -1}, "target -1"),
        ({"steps": 0}, "steps is 0"),
        ({"shape": lambda size: torch.zeros(size, size)}, "is empty"),
        ({"shape": lambda size: torch.zeros(size, size), "size": None}, "is empty"),
    ],
)
def test_impossible_patches_are_refused(tiny_classifier, change, line):
    arguments = {"target": 1, "size": 8, "steps": 1, **change}
    with pytest.raises(AttackError, match=line):
        patch(tiny_classifier, torch.zeros(2, 3, 16, 16), **arguments)
