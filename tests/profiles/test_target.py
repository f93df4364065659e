"""The target has every colour it should, everywhere, and no two names have the same one."""

import numpy as np
import pytest

from physadv.profiles import ProfileError, make_target
from physadv.profiles.target import FIELD_GREYS, PICTURES, UNIT_MM, print_target
from physadv.sheets import SheetError
from physadv.sheets.pdf import page_pixels


@pytest.fixture(scope="module")
def target():
    return make_target("mine")


def test_a_cube_of_colours_is_fitted_and_others_are_held_out(target):
    fitted = {tuple(colour) for colour in target.colours[~target.held_out].tolist()}
    steps = [round(step * 255 / 8) for step in range(9)]
    assert {(r, g, b) for r in steps for g in steps for b in steps} <= fitted
    assert target.held_out.sum() == 144


def test_every_grey_is_in_every_picture_and_order_is_random(target):
    for picture in range(len(PICTURES)):
        here = target.neutral & (target.places[:, 0] == picture)
        assert len(np.unique(target.colours[here, 0])) == 8
    brightness = target.colours.mean(axis=1)
    assert abs(np.corrcoef(brightness, np.arange(len(brightness)))[0, 1]) < 0.1


def test_a_name_gives_one_target_and_another_name_another(target):
    assert make_target("mine").sheet == target.sheet
    other = make_target("yours")
    assert other.sheet.run != target.sheet.run != make_target("mine", "letter").sheet.run
    assert (other.colours != target.colours).any()
    with pytest.raises(ProfileError, match=r"name '\.\./x': use letters"):
        make_target("../x")
    with pytest.raises(SheetError, match="unknown page 'b5'"):
        make_target("mine", "b5")


def test_the_page_has_the_colours_where_the_target_says(target, tmp_path):
    print_target(tmp_path / "target.pdf", target)
    assert [path.name for path in tmp_path.iterdir()] == ["target.pdf"]
    page = page_pixels(tmp_path / "target.pdf", 0, 4)
    x, y = (target.places_mm * 4).astype(int).T
    assert np.abs(page[y, x].astype(int) - target.colours).max() <= 2
    for level, corners in target.fields_mm():
        x, y = (corners.mean(axis=0) * 4).astype(int)
        assert abs(int(page[y, x, 0]) - level) <= 1
    assert len({level for level, _ in target.fields_mm()}) == len(FIELD_GREYS)
    for contrast in (True, False):
        for ends in target.edges_mm(high_contrast=contrast):
            along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
            across = np.array([-along[1], along[0]]) * UNIT_MM / 2
            sides = [
                page[tuple((4 * (ends.mean(axis=0) + way * across)).astype(int)[::-1])][0] for way in (1, -1)
            ]
            assert abs(int(sides[0]) - int(sides[1])) > (200 if contrast else 80)
