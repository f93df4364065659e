import numpy as np
import pytest
import torch
from PIL import Image

from physadv.signs.stop_sign import FACE_SIDE, StopSignError
from physadv.signs.stop_sign.masks import area_share, load_mask, rectangles, vulnerable_rectangles
from physadv.signs.stop_sign.plate import outline
from physadv.signs.stop_sign.settings import MASKS, StopSignSettings


class TestLoadMask:
    @pytest.mark.parametrize("name", MASKS)
    def test_masks_lie_on_the_sign(self, name):
        mask = load_mask(name)
        assert mask.shape == (FACE_SIDE, FACE_SIDE)
        assert bool((mask <= outline() + 1e-6).all())

    def test_areas_are_what_geometry_says(self):
        assert area_share(load_mask("poster")) == pytest.approx(1, abs=0.01)
        assert area_share(load_mask("octagon")) == pytest.approx(0.95**2, abs=0.005)
        plate = 2 * 2**0.5 - 2
        assert area_share(load_mask("two-bars")) == pytest.approx(2 * 0.44 * 0.186 / plate, rel=0.01)

    @pytest.mark.parametrize("name", ["two-bars", "graffiti", "camouflage"])
    def test_stickers_cover_a_fifth_at_most(self, name):
        assert 0.05 < area_share(load_mask(name)) <= 0.2

    def test_takes_a_picture(self, tmp_path):
        levels = np.zeros((64, 64), np.uint8)
        levels[16:32, 24:40] = 255
        Image.fromarray(levels).save(tmp_path / "mine.png")
        assert float(load_mask(str(tmp_path / "mine.png")).mean()) == pytest.approx(1 / 16, rel=0.02)

    def test_refuses_masks_in_one_line(self, tmp_path):
        with pytest.raises(StopSignError, match="unknown mask 'two-bar'; nearest: two-bars"):
            load_mask("two-bar")
        with pytest.raises(StopSignError, match=r"none\.png: cannot be read as a picture of a mask"):
            load_mask(str(tmp_path / "none.png"))
        levels = np.zeros((64, 64), np.uint8)
        Image.fromarray(levels).save(tmp_path / "mine.png")
        with pytest.raises(StopSignError, match="is empty; wanted white"):
            load_mask(str(tmp_path / "mine.png"))
        levels[:8, :8] = 255
        Image.fromarray(levels).save(tmp_path / "mine.png")
        with pytest.raises(StopSignError, match="is off the sign"):
            load_mask(str(tmp_path / "mine.png"))


class TestRectangles:
    def test_edges_between_pixels_are_covered_in_part(self):
        mask = rectangles(((0.0, 0.0, 0.3, 0.5),), side=4)
        assert mask[0].tolist() == pytest.approx([1, 0.2, 0, 0], abs=1e-6)


class TestVulnerableRectangles:
    def test_goes_where_the_weight_is(self):
        weight = torch.zeros(64, 64)
        weight[20:30, 30:40] = 1
        weight[40:50, 12:22] = 2
        mask = vulnerable_rectangles(weight, 2, 2 * 100 / float(outline(64).sum()))
        assert torch.equal(mask, (weight > 0).float())

    def test_covers_what_was_asked_and_never_twice(self):
        weight = torch.rand(128, 128, generator=torch.Generator().manual_seed(0))
        mask = vulnerable_rectangles(weight, 3, 0.15)
        assert area_share(mask) == pytest.approx(0.15, rel=0.03)

    def test_refuses_what_has_no_room(self):
        with pytest.raises(StopSignError, match="no room for rectangle 1 of 1 over 1 of the sign"):
            vulnerable_rectangles(torch.ones(32, 32), 1, 1.0)
        with pytest.raises(StopSignError, match=r"0 rectangles over 0\.2 of the sign"):
            StopSignSettings(rectangles=0, area=0.2)
