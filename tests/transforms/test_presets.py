"""The published ranges, pinned: what thousands of draws span."""

import math

import pytest
import torch

from physadv.transforms import PRESETS, Warp, load_preset
from physadv.transforms.geometry import apply_homography

N = 3000
DRAWN = {
    "kurakin-digital": {
        "0.contrast": (0.7, 1.3),
        "1.brightness": (-30 / 255, 30 / 255),
        "2.sigma": (0, 2),
        "3.read": (0, 20 / 255),
        "4.quality": (30, 95),
    },
    "athalye-2d": {
        "0.scale": (0.9, 1.4),
        "0.rotation": (-22.5, 22.5),
        "0.place": (-1, 1),
        "1.brightness": (-0.05, 0.05),
        "2.read": (0, 0.1),
    },
    "athalye-physical": {
        "0.scale": (0.9, 1.4),
        "0.rotation": (-22.5, 22.5),
        "0.place": (-1, 1),
        "1.brightness": (-0.15, 0.15),
        "1.gain": (0.5, 2),
        "1.channel_offset": (-0.15, 0.15),
        "1.channel_gain": (0.7, 1.3),
        "2.read": (0, 0.1),
    },
    "brown-patch": {"rotation": (-22.5, 22.5), "scale": (0.3, 1.5), "place": (-1, 1), "background": (0, 1)},
    "rp2-sign": {
        "0.yaw": (-60, 60),
        "0.pitch": (-10, 10),
        "0.roll": (-5, 5),
        # A 30-inch sign at 5 to 40 feet.
        "0.focal": (5 / 2.5, 40 / 2.5),
        "0.crop": (0, 0.2),
        "1.0.gain": (0.5, 1.2),
        "1.0.white_balance": (-0.1, 0.1),
        # A phone's main camera sees it 512 pixels high at 5 feet; 8 are half of the least that count.
        "2.height": (8, 512),
        "3.sigma": (0, 1),
        "4.brightness": (-0.1, 0.1),
        "4.contrast": (0.8, 1.2),
        "5.read": (0, 0.02),
    },
    "graphite": {
        # OpenCV's gaussian of kernel width 7.
        "0.sigma": (0, 0.3 * ((7 - 1) * 0.5 - 1) + 0.8),
        "1.yaw": (-50, 50),
        # A 30-inch sign at 3 to 15 feet, cropped to the frame.
        "1.focal": (3 / 2.5, 15 / 2.5),
        "1.shift_x": (-0.03125, 0.03125),
        "1.shift_y": (-0.03125, 0.03125),
        "2.gamma": (1 / 3.5, 3.5),
    },
    "print-photo": {
        "0.0.printer": (0, 1),
        "0.2.gain": (0.7, 1.1),
        "0.2.white_balance": (-0.08, 0.08),
        "0.3.sigma": (0.4, 1.2),
        "0.4.read": (0.001, 0.004),
        "0.4.shot": (2e-5, 2e-4),
        "1.tone": (0, 0.3),
    },
    "print-photo-jpeg": {"0.3.sigma": (0.4, 1.2), "2.quality": (88, 96)},
}


@pytest.mark.parametrize("name", DRAWN)
def test_draws_span_the_sources_ranges(name):
    draw = load_preset(name).sample(N, torch.Generator().manual_seed(0))

    for key, (low, high) in DRAWN[name].items():
        values, reach = draw[key], 0.02 * (high - low)
        assert low - 1e-12 <= float(values.min()) <= low + reach, key
        assert high - reach <= float(values.max()) <= high + 1e-12, key


@pytest.mark.parametrize("name", [name for name in DRAWN if not name.startswith("print-photo")])
def test_what_the_source_does_not_vary_is_fixed_at_nothing(name):
    draw = load_preset(name).sample(50, torch.Generator().manual_seed(0))
    nothing = (0, 1, 1.5, 6504)

    for key, values in draw.items():
        if key not in DRAWN[name] and not key.endswith("seed"):
            assert len(values.unique()) == 1, key
            assert float(values.unique()) in nothing, key


def test_every_preset_is_pinned_here():
    assert set(DRAWN) | {"identity"} == set(PRESETS)


def test_a_crop_is_off_by_at_most_three_tenths_of_a_pixel():
    warp = load_preset("print-photo").parts[0].parts[1]
    assert isinstance(warp, Warp)
    corners = torch.tensor([(0.0, 0), (223, 0), (223, 223), (0, 223)]).double()

    homography = warp.view(warp.sample(N, torch.Generator().manual_seed(0)), 224, 224).homography
    off = (apply_homography(homography, corners) - corners).norm(dim=-1).amax(dim=1)

    assert 0.22 < float(off.max()) <= 0.3


def test_the_physical_presets_leave_a_photo_recognisable():
    """A ramp stays a ramp: print and photo pale and blur it, they do not scramble it."""
    ramp = torch.linspace(0, 1, 64).expand(8, 3, 64, 64)
    distribution = load_preset("print-photo-jpeg")

    seen = distribution.apply(ramp, distribution.sample(8, torch.Generator().manual_seed(0)))

    profile = seen.mean(dim=(1, 2))
    assert bool((profile[:, 8::8].diff(dim=1) > 0).all())
    assert float(profile[:, -4].max()) < 1
    assert float(profile[:, 2].min()) > 0.08
    assert math.isclose(float(seen.std(dim=2).mean()), 0.012, abs_tol=0.01)
