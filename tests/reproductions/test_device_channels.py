"""The three channels of the band can be had; a device becomes an EOT distribution with its own numbers."""

from dataclasses import replace

import pytest
import torch

from physadv.phone import load_phone_preset
from physadv.phone.presets import CHANNELS
from reproductions import frozen
from reproductions.cells import load_way
from reproductions.devices.distribution import as_distribution


def test_channels_are_named_by_printers_phones_and_presets_that_there_are(physadv):
    assert list(CHANNELS) == ["mild", "medium", "harsh"]
    loaded = {name: load_way(way) for name, way in CHANNELS.items()}
    assert [preset.device for preset in loaded.values()] == [phone for _, phone, _ in CHANNELS.values()]
    assert loaded["mild"].printer.press == "offset-coated"
    assert loaded["harsh"].phone.exposure == load_phone_preset("night").phone.exposure
    listed = physadv("list", "channels").out
    assert all(word in listed for way in CHANNELS.values() for word in way)


def parts(distribution):
    """The parts of a distribution by kind, those in linear light among them."""
    linear, tone = distribution.parts
    return {type(part).__name__.lower(): part for part in linear.parts} | {"tone": tone}


def test_blur_and_noise_of_the_photo_become_those_of_the_pictures_pixels():
    preset = load_phone_preset("office")
    phone = replace(preset.phone, blur=(1.0, 1.0), defocus=(0.0, 2.0), fill=(1.0, 1.0))
    sharp = replace(preset, phone=phone, printer=replace(preset.printer, spread_mm=1e-6))
    per_mm = min(phone.width / 210, phone.height / 297)
    optics = parts(as_distribution([sharp], pixel_mm=2 / per_mm))["optics"]
    assert (optics.sigma.low, optics.sigma.high) == pytest.approx((0.5, 0.5))
    assert optics.defocus.high == pytest.approx(1.0)
    near, far = (parts(as_distribution([sharp], pixel_mm=mm))["sensor"] for mm in (0.3, 0.1))
    assert near.shot.high < far.shot.high
    assert near.read.high < far.read.high


def test_several_devices_give_the_presses_of_all_and_the_widest_ranges():
    mild, harsh = (load_way(CHANNELS[name]) for name in ("mild", "harsh"))
    both = parts(as_distribution([mild, harsh], pixel_mm=0.16))
    alone = [parts(as_distribution([preset], pixel_mm=0.16)) for preset in (mild, harsh)]
    assert both["press"].printers == (mild.printer.press, harsh.printer.press)
    for kind, name in (("optics", "sigma"), ("sensor", "read"), ("photometry", "gain"), ("tone", "tone")):
        ranges = [getattr(own[kind], name) for own in alone]
        whole = getattr(both[kind], name)
        assert whole.low == min(each.low for each in ranges)
        assert whole.high == max(each.high for each in ranges)


def test_a_distribution_of_devices_can_be_optimised_over():
    eot = as_distribution([load_way(way) for way in CHANNELS.values()], pixel_mm=0.16)
    images = torch.full((3, 3, 16, 16), 0.5, requires_grad=True)
    seen = eot.apply(images, eot.sample(3, torch.Generator().manual_seed(0)))
    seen.sum().backward()
    assert images.grad.abs().min() > 0
    assert 0 <= seen.min() <= seen.max() <= 1


def test_the_frozen_numbers_are_looked_for_where_they_are():
    assert all((frozen.ROOT / place).exists() for place in frozen.NUMBERS)
    assert set(frozen.frozen_commit()) <= set("0123456789abcdef") or frozen.frozen_commit() == "unknown"
