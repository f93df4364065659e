import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from physadv.attacks import Placement, square
from physadv.classifiers import Classifier, load_classifier
from physadv.classifiers.signs import HARDENED_WEIGHTS, SIGN_LABELS, WEIGHTS, load_signs
from physadv.evaluation.intervals import proportion
from physadv.pipeline.masking_check import MaskingCheck
from physadv.signs.drawing.drawing import draw_sign
from physadv.signs.training.fitting import STOP, Measured, Signs, measure, read_test
from physadv.signs.training.harden_settings import HardenError
from physadv.signs.training.inner_attacks import (
    FAR,
    SHAPES,
    TEXELS,
    Mixture,
    NoiseAttack,
    StickerAttack,
    from_afar,
)
from physadv.signs.training.one_class import OneClass, drawn_abroad
from physadv.signs.training.universal_stickers import UniversalStickers, flat_colour, views
from physadv.transforms.geometry import apply_homography
from reproductions.hardening.__main__ import main as study_main
from reproductions.hardening.page import page
from reproductions.hardening.stop_signs import AIMS, Effort, stop_sign_shares
from reproductions.hardening.study import Extent, Findings, study
from reproductions.hardening.trials import WORST_STICKERS, Trial

NO_ENTRY = SIGN_LABELS.index("no entry")
TENTH = StickerAttack(Placement((0.1, 0.1), 45.0))


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def network():
    return load_signs().network


@pytest.fixture
def images():
    return torch.rand(8, 3, 32, 32, generator=random()), torch.arange(8)


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


def test_stickers_raise_the_loss_and_leave_the_rest_of_the_image(network, images):
    pictures, labels = images
    loss = torch.nn.functional.cross_entropy
    worn = TENTH(network, pictures, labels, random(), square)

    changed = ((worn - pictures).abs().amax(dim=1) > 1e-6).float().mean(dim=(1, 2))
    assert bool((changed > 0.08).all())
    assert bool((changed < 0.16).all())  # a tenth and the pixels its edge runs through
    assert float(worn.min()) >= 0
    assert float(worn.max()) <= 1
    assert float(loss(network(worn), labels)) > float(loss(network(pictures), labels)) + 1


def test_the_worst_of_more_places_hurts_more(network, images):
    pictures, labels = images

    def loss(places):
        attack = StickerAttack(Placement((0.1, 0.1)), places=places)
        worn = attack(network, pictures, labels, random(), square)
        return float(torch.nn.functional.cross_entropy(network(worn), labels))

    assert loss(12) > loss(1)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_shared_layouts_cover_no_more_than_asked_for(seed):
    mask, _ = UniversalStickers((0.05, 0.25)).painted(torch.rand(2, 3, 8, 8), random(seed))
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert (
        0.01 < float(mask.mean()) < 0.25 * 1.2
    )  # rectangles may lie on one another, and end on whole texels


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
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


def test_signs_of_the_class_to_protect_are_photographed_or_drawn_as_they_are_abroad():
    photos = Signs(torch.zeros(6, 3, 32, 32, dtype=torch.uint8), torch.tensor([STOP, 1, 2, 3, 4, STOP]))
    abroad = drawn_abroad("stop", 8, seed=0)
    assert abroad.labels.unique().tolist() == [STOP]

    def groups(focus, drawn, known=abroad):
        signs = OneClass(photos, STOP, focus, known, drawn, random())
        return [signs(5) for _ in range(40)]

    def seen(focus, drawn, known=abroad):
        assert all(len(labels.unique()) == 1 for _, labels in groups(focus, drawn, known))
        return {(int(labels[0]), bool(images.any())) for images, labels in groups(focus, drawn, known)}

    assert seen(1, 0) == {(STOP, False)}
    assert seen(1, 1) == {(STOP, True)}
    assert seen(1, 0.5) == {(STOP, False), (STOP, True)}
    assert {label for label, _ in seen(0, 1)} == {STOP, 1, 2, 3, 4}
    assert not any(drawn for _, drawn in seen(0, 1))
    assert seen(1, 1, None) == {(STOP, False)}
    assert drawn_abroad("yield", 8, seed=0) is None


def test_both_classifiers_know_the_sign_as_it_is_drawn_abroad():
    images = drawn_abroad("stop", 40, seed=1).images.float() / 255
    for spec in ("signs", "signs-hardened"):
        assert float((load_classifier(spec)(images).argmax(dim=1) == STOP).float().mean()) > 0.97


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
    worn = UniversalStickers((0.2, 0.2), steps=2)(network, signs, labels, lambda images: images, random())
    assert network(worn).argmax(dim=1).tolist() == [NO_ENTRY] * 4


def test_shared_stickers_are_the_same_on_every_sign_of_a_class(network):
    signs, labels = torch.full((6, 3, 32, 32), 0.3), torch.full((6,), STOP)
    worn = UniversalStickers((0.2, 0.2), steps=3)(network, signs, labels, lambda images: images, random())
    changed = ((worn - signs).abs().amax(dim=1) > 1e-3).float().mean(dim=(1, 2))
    # A sign fills four fifths of the image's width, give or take a tenth.
    assert bool((changed > 0.04).all())
    assert bool((changed < 0.3).all())
    colours = torch.stack([image[:, (image - 0.3).abs().amax(dim=0) > 0.05].mean(dim=1) for image in worn])
    assert float(colours.std(dim=0).max()) < 0.1


def test_shared_stickers_hang_on_the_sign_in_every_light(network):
    signs, labels = torch.full((6, 3, 32, 32), 0.3), torch.full((6,), STOP)
    worn, dark = (
        UniversalStickers((0.2, 0.2), steps=1)(network, signs, labels, look, random())
        for look in (lambda images: images, lambda images: images / 2)
    )
    assert float(worn.max()) > 0.5
    assert float(dark.max()) <= 0.5
    assert bool(((dark - 0.15).abs().amax(dim=1) > 1e-3).any())


@given(st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_signs_from_afar_are_all_of_one_size_that_training_may_meet(seed):
    pictures = torch.rand(3, 3, 32, 32, generator=random(seed), dtype=torch.float64)
    seen = from_afar(pictures, random(seed))
    assert seen.shape == pictures.shape
    # Enlarged from n rows, an image has n rows that tell it apart, however many pixels.
    (size,) = set(torch.linalg.matrix_rank(seen, atol=1e-9).flatten().tolist())
    assert FAR[0] <= size <= FAR[1]


def test_half_of_the_sets_of_shared_stickers_are_seen_from_afar():
    ranks = []

    class Looked(UniversalStickers):
        def __call__(self, network, images, labels, look, generator):
            ranks.append(int(torch.linalg.matrix_rank(look(images).double(), atol=1e-3).max()))
            return images

    checks = torch.rand(128, 3, 32, 32, generator=random())
    labels, stops = torch.arange(128) % 43, torch.full((128,), STOP)
    mixture = Mixture(TENTH, 0, Looked(), 1, None, sets=100)
    mixture(nn.Identity(), checks, labels, random(), lambda n: (checks[:n], stops[:n]))
    assert len(ranks) == 100
    assert 35 <= sum(rank <= FAR[1] for rank in ranks) <= 65


def test_more_steps_hide_a_class_better(network, shared_data):
    signs = read_test(shared_data)
    stops = signs.images[signs.labels == STOP][:12].float() / 255
    labels = torch.full((len(stops),), STOP)

    def loss(steps):
        attack = UniversalStickers((0.2, 0.2), steps=steps)
        worn = attack(network, stops, labels, lambda images: images, random())
        return float(torch.nn.functional.cross_entropy(network(worn), labels))

    assert loss(2) < loss(8) < loss(32)


def test_views_put_the_canvas_into_the_image():
    seen = apply_homography(
        views(torch.zeros(40, 3, 32, 32), random()), torch.tensor([[11.5, 11.5]]).double()
    )
    assert float((seen - 15.5).abs().max()) <= 0.03 * 32 + 1e-6


def test_noise_keeps_to_its_budget_in_whole_levels(network, images):
    pictures, labels = images
    levels = NoiseAttack(4)(network, pictures, labels, random()) * 255
    torch.testing.assert_close(levels, levels.round())
    assert float((levels - (pictures * 255).round()).abs().max()) == pytest.approx(4)


def test_a_batch_is_part_stickers_part_noise_and_the_rest_as_it_is(network, images):
    pictures, labels = images
    before = {name: value.clone() for name, value in network.state_dict().items()}

    mixture = Mixture(TENTH, 0.25, UniversalStickers(steps=2), 0.25, NoiseAttack(2), 0.25)
    stop = torch.full((3, 32, 32), 0.3)
    mixed, known = mixture(
        network, pictures, labels, random(), lambda n: (stop.expand(n, -1, -1, -1), torch.full((n,), STOP))
    )

    assert network.training
    network.eval()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert known.tolist() == [0, 1, STOP, STOP, 4, 5, 6, 7]
    unspoilt = torch.cat([pictures[:2], stop.expand(2, -1, -1, -1), pictures[4:]])
    furthest = (mixed - unspoilt).abs().amax(dim=(1, 2, 3))
    assert bool((furthest[:4] > 0.1).all())
    assert bool((furthest[4:6] < 2.6 / 255).all())
    assert bool((furthest[4:6] > 1 / 255).all())
    assert bool((furthest[6:] == 0).all())
    assert not mixed.requires_grad


def test_bundled_hardened_classifier_costs_little_and_halves_what_stickers_on_all_stop_signs_do(shared_data):
    test = read_test(shared_data)
    stops = test.images[test.labels == STOP][:20].float() / 255
    labels = torch.full((len(stops),), STOP)
    attack = UniversalStickers((0.2, 0.2), steps=40)
    right, fooled = {}, {}
    for spec in ("signs", "signs-hardened"):
        classifier = load_classifier(spec)
        worn = [attack(classifier.network, stops, labels, lambda images: images, random(s)) for s in range(5)]
        fooled[spec] = int((classifier(torch.cat(worn)).argmax(dim=1) != STOP).sum())
        right[spec] = measure(classifier, test).right
    assert right["signs"] - right["signs-hardened"] <= 0.03 * len(test.labels)
    assert fooled["signs"] > 0
    assert fooled["signs-hardened"] <= fooled["signs"] / 2


def test_the_worst_layout_of_several_hurts_more(network, shared_data):
    signs = read_test(shared_data)
    stops = signs.images[signs.labels == STOP][:12].float() / 255
    labels = torch.full((len(stops),), STOP)

    def loss(layouts):
        attack = UniversalStickers((0.2, 0.2), steps=1, layouts=layouts)
        worn = [attack(network, stops, labels, lambda images: images, random(seed)) for seed in range(12)]
        return float(torch.nn.functional.cross_entropy(network(torch.cat(worn)), labels.repeat(12)))

    assert loss(24) > loss(1) + 0.5


def test_card_of_the_hardened_weights_is_of_that_file():
    card = HARDENED_WEIGHTS.with_suffix(".md").read_text(encoding="utf-8")
    assert f"| file size | {HARDENED_WEIGHTS.stat().st_size:,} bytes |" in card
    assert HARDENED_WEIGHTS.stat().st_size <= 2_500_000
    assert HARDENED_WEIGHTS.read_bytes() != WEIGHTS.read_bytes()


@pytest.fixture(scope="module")
def drawn_stop_signs():
    """Six drawn signs that the bundled classifier calls stop, 64 pixels a side."""
    drawn = draw_sign("stop", 64, np.random.default_rng(0))
    pixels = torch.from_numpy(np.stack([drawn] * 6)).permute(0, 3, 1, 2)
    return Signs(pixels, torch.full((6,), STOP))


def test_shared_stickers_are_judged_on_photos_they_were_not_made_on(drawn_stop_signs):
    effort = Effort(steps=30, samples=2, draws=4)
    shares = stop_sign_shares(load_signs(), drawn_stop_signs, effort)

    assert shares["clean, not called stop"].n == 12  # three held-out photos, four views each
    assert shares["optimised, not called stop"].value > shares["random, not called stop"].value
    assert shares["optimised, called speed limit 50"].n == 12
    assert stop_sign_shares(load_signs(), drawn_stop_signs, effort) == shares


def test_a_trial_counts_what_it_turned_wrong(network, images):
    pictures, _ = images
    classifier = load_signs()
    own = classifier(pictures).argmax(dim=1)

    nothing = Trial("nothing", lambda classifier, images, labels: images)
    shuffled = Trial("other images", lambda classifier, images, labels: images.flip(0), most=4)

    assert nothing.fooled(classifier, pictures, own).value == 0
    found = shuffled.fooled(classifier, pictures, own)
    assert found.n == 4
    assert found.value == float((own[:4].flip(0) != own[:4]).float().mean())


def findings(spec, right, fooled):
    """Findings in which every share is the same."""
    share = proportion([1] * fooled + [0] * (10 - fooled), [1] * 10)
    return Findings(
        spec=spec,
        test=Measured(right, 1000),
        victims=Measured(40, 40),
        fooled={WORST_STICKERS: share, "L2 noise, radius 1": share},
        stop_signs={f"optimised, {aim}": share for aim in AIMS},
        camera={
            "auto, lab test, random, not called stop": share,
            "auto, lab test, optimised, not called stop": share,
        },
        masking=MaskingCheck(
            classifier=spec,
            eps=4,
            attacks={"one step": share},
            iterative={1: share},
            unbounded={1: share},
            wrong_before=0,
            queries=1,
            signs=[],
            verdict="no sign",
        ),
    )


def test_page_says_what_holds():
    text = page(findings("one", 990, 8), findings("other", 970, 4))
    assert "| GTSRB test images right | 990 of 1000 (99.00 %) | 970 of 1000 (97.00 %) |" in text
    assert "- **holds**: clean accuracy: 990 of 1000 (99.00 %) before, 970 of 1000 (97.00 %) after" in text
    assert "- **holds**: auto, lab test, optimised, not called stop: 80.0 % before, 40.0 % after" in text
    assert text.count("- **holds**") == 6
    worse = page(findings("one", 990, 8), findings("other", 950, 9))
    assert "- **does not hold**: clean accuracy" in worse
    assert "- **does not hold**: L2 noise, radius 1: 80.0 % before, 90.0 % after, wanted no more" in worse
    assert worse.count("- **does not hold**") == 6


def test_study_refuses_data_and_classifiers_it_cannot_use(tmp_path, capsys):
    with pytest.raises(SystemExit):
        study_main([str(tmp_path), "--quick"])
    assert "gtsrb32.npz: no such file" in capsys.readouterr().err
    with pytest.raises(HardenError, match="other classes"):
        study(Classifier(load_signs().network, ["a"], "strange"), tmp_path, Extent())
