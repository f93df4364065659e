"""What is printed in place of a colour is photographed as that colour, as far as there is ink for it."""

import numpy as np
import pytest
from made_profile import made_profile

from physadv.profiles.precompensation import precompensation


@pytest.fixture(scope="module")
def inverse():
    return precompensation(made_profile())


def test_colours_within_reach_are_photographed_as_they_were_meant(inverse):
    """The profile shows x as 0.1 + 0.8 x, red and blue swapped."""
    meant = np.random.default_rng(0).integers(40, 216, (24, 24, 3), dtype=np.uint8)
    printed = inverse.printed(meant)
    wanted = ((meant / 255 - 0.1) / 0.8)[..., ::-1] * 255
    assert np.abs(printed - wanted).mean() < 1.5
    assert inverse.errors(meant, printed).mean() < 0.5 < 10 < inverse.errors(meant, meant).mean()


def test_a_colour_out_of_reach_gets_the_nearest_there_is(inverse):
    meant = np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8)
    printed = inverse.printed(meant)
    assert printed[0, 0].min() >= 253
    assert printed[0, 1].max() <= 2
    assert inverse.errors(meant, printed).min() > 5
