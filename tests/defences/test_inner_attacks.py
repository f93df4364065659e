import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from physadv.attacks.patches import Placement, square
from physadv.classifiers.specs import SIGN_LABELS
from physadv.defences import NoiseAttack, StickerAttack, UniversalStickers
from physadv.defences.inner_attacks import SHAPES, TEXELS
from physadv.defences.universal_stickers import flat_colour, poses
from physadv.signs.drawing.drawing import draw_sign
from physadv.signs.training.data import STOP, read_test
from physadv.transforms.geometry import apply_homography

NO_ENTRY = SIGN_LABELS.index("no entry")
TENTH = StickerAttack(Placement((0.1, 0.1), 45.0), shapes=(square,))


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", SHAPES, ids=["square", "disc", "bars"])
def test_sticker_views_cover_the_share_asked_for_inside_the_frame(shape):
    alpha = shape(TEXELS)
    views = StickerAttack(Placement((0.05, 0.05), 45.0)).views(50, alpha, (32, 32), random())

    # A similarity of determinant s² makes s² pixels of a texel.
    covered = torch.linalg.det(views) * float(alpha.sum())
    torch.testing.assert_close(covered, torch.full_like(covered, 0.05 * 32 * 32))
    places = alpha.nonzero().flip(1).double()
    seen = apply_homography(views, places)
    assert bool(((seen >= -0.5) & (seen <= 31.5)).all())


def test_stickers_raise_the_loss_and_leave_the_rest_of_the_image(signs_network, noise_signs):
    network, (pictures, labels) = signs_network, noise_signs
    loss = torch.nn.functional.cross_entropy
    worn = TENTH(network, pictures, labels, random())

    changed = ((worn - pictures).abs().amax(dim=1) > 1e-6).float().mean(dim=(1, 2))
    assert bool((changed > 0.08).all())
    assert bool((changed < 0.16).all())  # a tenth and the pixels its edge runs through
    assert float(worn.min()) >= 0
    assert float(worn.max()) <= 1
    assert float(loss(network(worn), labels)) > float(loss(network(pictures), labels)) + 1


def test_the_worst_of_more_places_hurts_more(signs_network, noise_signs):
    network, (pictures, labels) = signs_network, noise_signs

    def loss(places):
        attack = StickerAttack(Placement((0.1, 0.1)), places=places, shapes=(square,))
        worn = attack(network, pictures, labels, random())
        return float(torch.nn.functional.cross_entropy(network(worn), labels))

    assert loss(12) > loss(1)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_shared_layouts_cover_no_more_than_asked_for(seed):
    mask, _ = UniversalStickers((0.05, 0.25)).painted(torch.rand(2, 3, 8, 8), random(seed))
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert (
        0.01 < float(mask.mean()) < 0.25 * 1.2
    )  # rectangles may lie on one another, and end on whole texels


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_stickers_start_in_a_colour_of_the_sign_or_its_pure_hue(seed):
    dull_red = torch.tensor([0.5, 0.1, 0.1])
    colour = flat_colour(dull_red[:, None, None].expand(2, 3, 32, 32), random(seed))
    assert colour.tolist() in (dull_red.tolist(), [1.0, 0.0, 0.0])


def test_pieces_start_in_one_colour_or_each_in_its_own():
    pictures = torch.rand(4, 3, 32, 32, generator=random())
    attack, counts = UniversalStickers((0.2, 0.2)), []
    for seed in range(40):
        alpha, paint = attack.painted(pictures, random(seed))
        counts.append(len(paint[0][:, alpha > 0].unique(dim=1).T))
    assert set(counts) == {1, 2, 3, 4}
    assert counts.count(1) > 10


class RedOver(nn.Module):
    """Says stop until more than 40 % of a picture is red, and tells nobody how near that is."""

    def forward(self, images):
        red = (images[:, 0] - images[:, 1:].amax(dim=1)).clamp_min(0).mean(dim=(1, 2))
        logits = torch.zeros(len(images), 43)
        logits[:, STOP], logits[:, NO_ENTRY] = 1, 200 * (red - 0.4).clamp_min(0)
        return logits


def test_what_paint_in_the_signs_own_colours_does_is_found_where_no_gradient_leads():
    signs = torch.tensor([0.5, 0.05, 0.1])[:, None, None].expand(4, 3, 32, 32).clone()
    signs[:, :, 13:19, 6:26] = 0.9
    labels, network = torch.full((4,), STOP), RedOver()
    assert network(signs).argmax(dim=1).tolist() == [STOP] * 4
    worn = UniversalStickers((0.2, 0.2), steps=2)(network, signs, labels, random())
    assert network(worn).argmax(dim=1).tolist() == [NO_ENTRY] * 4


def test_shared_stickers_are_the_same_on_every_sign_of_a_class(signs_network):
    signs, labels = torch.full((6, 3, 32, 32), 0.3), torch.full((6,), STOP)
    worn = UniversalStickers((0.2, 0.2), steps=3)(signs_network, signs, labels, random())
    changed = ((worn - signs).abs().amax(dim=1) > 1e-3).float().mean(dim=(1, 2))
    # A sign fills four fifths of the image's width, give or take a tenth.
    assert bool((changed > 0.04).all())
    assert bool((changed < 0.3).all())
    colours = torch.stack([image[:, (image - 0.3).abs().amax(dim=0) > 0.05].mean(dim=1) for image in worn])
    assert float(colours.std(dim=0).max()) < 0.1


def test_shared_stickers_hang_on_the_sign_in_every_light(signs_network):
    signs, labels = torch.full((6, 3, 32, 32), 0.3), torch.full((6,), STOP)
    worn, dark = (
        UniversalStickers((0.2, 0.2), steps=1)(signs_network, signs, labels, random(), look)
        for look in (lambda images: images, lambda images: images / 2)
    )
    assert float(worn.max()) > 0.5
    assert float(dark.max()) <= 0.5
    assert bool(((dark - 0.15).abs().amax(dim=1) > 1e-3).any())


def test_views_put_the_canvas_into_the_image():
    seen = apply_homography(
        poses(torch.zeros(40, 3, 32, 32), 0.8, random()), torch.tensor([[11.5, 11.5]]).double()
    )
    assert float((seen - 15.5).abs().max()) <= 0.03 * 32 + 1e-6


def test_noise_keeps_to_its_budget_in_whole_levels(signs_network, noise_signs):
    network, (pictures, labels) = signs_network, noise_signs
    levels = NoiseAttack(4)(network, pictures, labels, random()) * 255
    torch.testing.assert_close(levels, levels.round())
    assert float((levels - (pictures * 255).round()).abs().max()) == pytest.approx(4)


@pytest.fixture
def stops(data_if_any):
    """Twelve stop signs (12, 3, 32, 32): photos of GTSRB where the data are there, else drawn ones."""
    if data_if_any:
        signs = read_test(data_if_any)
        return signs.images[signs.labels == STOP][:12].float() / 255
    drawn = [draw_sign("stop", 32, np.random.default_rng(seed)) for seed in range(12)]
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float() / 255


def test_more_steps_hide_a_class_better(signs_network, stops):
    labels = torch.full((len(stops),), STOP)

    def loss(steps):
        attack = UniversalStickers((0.2, 0.2), steps=steps)
        worn = attack(signs_network, stops, labels, random())
        return float(torch.nn.functional.cross_entropy(signs_network(worn), labels))

    assert loss(2) < loss(8) < loss(32)


def test_the_worst_layout_of_several_hurts_more(signs_network, stops):
    labels = torch.full((len(stops),), STOP)

    def loss(layouts):
        attack = UniversalStickers((0.2, 0.2), steps=1, layouts=layouts)
        worn = [attack(signs_network, stops, labels, random(seed)) for seed in range(12)]
        return float(torch.nn.functional.cross_entropy(signs_network(torch.cat(worn)), labels.repeat(12)))

    assert loss(24) > loss(1) + 0.5
