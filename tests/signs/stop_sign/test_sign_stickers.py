import pytest
import torch

from physadv.attacks.lit_stickers import MARGIN, SharedStickers, stickered, white_light
from physadv.attacks.stickers import random_stickers
from physadv.randomness import generator
from physadv.signs.stop_sign import FACE_SIDE, StopSignError
from physadv.signs.stop_sign.masks import load_mask
from physadv.signs.stop_sign.optimise import SIDE, find_vulnerable, optimise_stickers, palette_colours
from physadv.signs.stop_sign.plate import outline
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM, StopSignSettings
from physadv.signs.stop_sign.sign_photos import drawn_sign_photos, rectified
from physadv.signs.stop_sign.views import Judge, treat

BLACK_AND_WHITE = palette_colours("bw")
SIGNS = drawn_sign_photos(3, seed=7)


def settings(**changes):
    given = {"transforms": "identity", "steps": 4, "batch": 4, "printability": 0.0, "smoothness": 0.0}
    return StopSignSettings(**{**given, **changes})


@pytest.fixture(scope="module")
def signs():
    from physadv.classifiers import load_classifier

    return Judge(load_classifier("signs"), label=14, target=1)


class TestSharedStickers:
    def variable(self, **changes):
        given = {
            "scenes": rectified(SIGNS, 20, MARGIN),
            "mask": torch.zeros(20, 20).index_fill(0, torch.arange(5, 15), 1.0),
            "plate": outline(20),
            "light": torch.ones(3, 3),
            "backgrounds": torch.zeros(1, 3, 24, 24),
            "batch": 2,
        }
        return SharedStickers(**{**given, **changes})

    def test_one_set_is_shown_on_every_sign(self):
        variable = self.variable()
        seen = variable.render(
            torch.full((1, 3, 20, 20), 255.0),
            {"sign": torch.tensor([0, 2]), "behind": torch.tensor([0, 1])},
            1,
        )
        assert seen.shape == (2, 3, 24, 24)
        assert torch.allclose(seen[:, :, 7:17, 2:22], torch.tensor(1.0), atol=1e-4)

    def test_the_scene_is_the_signs_own_or_another(self):
        variable = self.variable()
        drawn = {"sign": torch.tensor([1, 1]), "behind": torch.tensor([0, 1])}
        own, other = variable.render(torch.zeros(1, 3, 20, 20), drawn, 1)
        assert torch.equal(own[:, 0], variable.scenes[1, :, 0])
        assert float(other[:, 0].abs().max()) == 0
        assert torch.equal(own[:, 5, 8:16], other[:, 5, 8:16])

    def test_only_the_palette_is_shown_and_gradients_pass_it(self):
        variable = self.variable(palette=BLACK_AND_WHITE)
        values = torch.linspace(0, 255, 1200).reshape(1, 3, 20, 20).requires_grad_()
        shown = variable.images(values)
        assert len((shown.detach()[0].flatten(1).T * 255).round().unique(dim=0)) == 2
        shown.sum().backward()
        assert float(values.grad.mean()) == pytest.approx(1 / 255)


class TestLight:
    def test_a_sign_in_the_shade_is_as_dark_as_its_white(self):
        faces = rectified(SIGNS[:1])
        plate = outline()
        light = white_light(torch.cat([faces, faces * 0.5]), plate)
        assert bool((light[1] < 0.3 * light[0]).all())

    def test_stickers_hang_in_the_signs_light(self):
        faces = torch.zeros(1, 3, 4, 4)
        mask = torch.eye(4)
        seen = stickered(faces, torch.ones(1, 3, 4, 4), mask, torch.tensor([[0.2140, 1.0, 0.0]]))
        assert seen[0, :, 0, 0].tolist() == pytest.approx([0.5, 1, 0], abs=1e-3)
        assert float(seen[0, :, 0, 1].max()) == 0


class TestOptimise:
    def test_makes_the_target_likelier_on_signs_it_has_not_seen(self, signs):
        mask = load_mask("poster")
        made = optimise_stickers(signs, SIGNS[:2], mask, settings(steps=12))
        assert made.shape == (1, 3, FACE_SIDE, FACE_SIDE)
        faces = treat(signs, SIGNS[2:], made, mask, seed=0, random_seed=0).faces
        probability = {
            name: float(signs.classifier.probabilities(each)[0, 1]) for name, each in faces.items()
        }
        assert probability[OPTIMISED] > 0.5 > probability[RANDOM]
        assert probability[CLEAN] < 0.01

    def test_the_same_seed_makes_the_same(self, signs):
        one, other = (
            optimise_stickers(signs, SIGNS, load_mask("two-bars"), settings(seed=seed)) for seed in (3, 3)
        )
        assert torch.equal(one, other)

    @pytest.mark.parametrize("palette", ["3", "bw"])
    def test_flat_colours_are_flat(self, signs, palette):
        mask = load_mask("two-bars")
        made = optimise_stickers(signs, SIGNS, mask, settings(palette=palette))
        colours = (made[0, :, mask > 0.5].T * 255).round().unique(dim=0)
        assert len(colours) <= (3 if palette == "3" else 2)

    def test_finds_rectangles_of_the_area_that_was_asked(self, signs):
        mask = find_vulnerable(signs, SIGNS, settings(steps=2, rectangles=2, area=0.1))
        assert float(mask.mean()) == pytest.approx(0.1 * float(outline().mean()), rel=0.05)

    @pytest.mark.parametrize(
        ("classes", "line"),
        [
            ((14, 14), "target 14 is the signs' own class"),
            ((14, 43), "target 43; wanted a class from 0 to 42"),
            ((-1, 1), "label -1; wanted"),
        ],
    )
    def test_refuses_classes_that_cannot_be(self, signs, classes, line):
        with pytest.raises(StopSignError, match=line):
            Judge(signs.classifier, *classes)

    def test_refuses_no_steps(self):
        with pytest.raises(StopSignError, match="steps is 0; wanted at least 1"):
            settings(steps=0)

    def test_knows_the_scores(self):
        assert settings(nps="minimum").nps == "minimum"
        with pytest.raises(StopSignError, match="unknown non-printability score 'max'"):
            settings(nps="max")


class TestRandomStickers:
    def test_have_the_same_colours_in_other_places(self):
        made = torch.rand(1, 3, FACE_SIDE, FACE_SIDE, generator=torch.Generator().manual_seed(0))
        mask = load_mask("two-bars")
        shuffled = random_stickers(made, mask, generator(0, "random stickers", 0))
        covered = mask > 0.5
        assert set(shuffled[0, 0, covered].tolist()) <= set(made[0, 0].flatten().tolist())
        assert float((shuffled != made)[..., covered].float().mean()) > 0.8
        assert shuffled[..., covered].mean() == pytest.approx(float(made[..., covered].mean()), abs=0.02)

    def test_every_draw_is_another(self):
        made = torch.rand(1, 3, FACE_SIDE, FACE_SIDE)
        mask = load_mask("camouflage")
        draws = [generator(0, "random stickers", draw) for draw in (0, 1)]
        assert not torch.equal(*(random_stickers(made, mask, draw) for draw in draws))

    def test_side_is_finer_than_sign_classifiers_look(self):
        assert SIDE >= 2 * 32
