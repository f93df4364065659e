"""The measurements of phone files: places are chosen by rules, and a preset is judged by ranges."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import channel_page
import phone_files as study

from physadv.capture.light import to_srgb


def drawn_photo():
    """A gray field with noise of 2 levels, a turned square, and a texture that is no noise."""
    y, x = np.mgrid[:256, :384] - np.array([100.0, 100.0])[:, None, None]
    turned = np.maximum(np.abs(x * 0.98 + y * 0.2), np.abs(y * 0.98 - x * 0.2)) < 55
    light = gaussian_filter(np.where(turned, 0.05, 0.4), 1.2)
    waves = 0.2 * np.sin(x / 4) * np.sin(y / 4) * (x > 200)
    noise = np.random.default_rng(0).normal(0, 2, (256, 384, 3))
    return ((to_srgb(light) + waves)[..., None] * 255 + noise).round().clip(0, 255).astype(np.uint8)


def test_edges_and_flat_fields_are_found_without_being_pointed_at():
    row = study.noise(drawn_photo())
    green = [each["G"]["sd"] for each in row["noise"]]
    assert len(green) >= 20
    assert np.median(green) == pytest.approx(2, rel=0.05)
    assert len(row["spectrum"]) == study.FLAT // 2
    found = [edge for edge, _ in study.edges(drawn_photo())]
    assert len(found) >= 5
    assert np.median([edge.sigma for edge in found]) == pytest.approx(1.2, rel=0.05)


def test_tables_and_subsampling_are_those_of_the_file():
    buffer = io.BytesIO()
    Image.fromarray(drawn_photo()).save(buffer, "JPEG", quality=91, subsampling="4:2:2")
    row = study.measured(buffer.getvalue())
    assert row["subsampling"] == "4:2:2"
    assert study.nearest_quality(row["tables"][0]) == (91, True)
    assert study.nearest_quality([*row["tables"][0][:-1], 250])[1] is False


def with_edges(*sigmas):
    return {"edges": [{"sigma": sigma} for sigma in sigmas], "noise": [], "tables": []}


def test_a_preset_is_outside_only_where_no_photo_lies_among_the_files():
    sigma = next(each for each in study.QUANTITIES if each.name.startswith("edge, sigma"))
    real = {"a": with_edges(*[1.0] * 12), "b": with_edges(*[2.0] * 12), "too few": with_edges(9.0)}
    verdict = {
        name: study.beside(sigma, real, [with_edges(*[one] * 12) for one in shots])[2]
        for name, shots in {"in": (1.5,), "part": (1.5, 3.0), "out": (0.5, 3.0)}.items()
    }
    assert verdict["in"] == "inside"
    assert verdict["part"] == "partly outside (1 above)"
    assert verdict["out"] == "outside (1 below, 1 above)"
    one = {"a": real["a"]}
    assert study.beside(sigma, one, [with_edges(*[1.5] * 12)])[2] == "one file only (0 below it, 1 above)"
    assert study.beside(sigma, {}, [with_edges(1.0)])[2] == "not compared"


def test_every_published_figure_has_its_source_and_says_what_it_is():
    rows = study.published()
    assert {row["kind"] for row in rows} == {"published"}
    assert all(row["unit"] and "1811.11127" in row["source"] for row in rows)


def test_the_page_on_the_channel_has_every_number_with_its_kind():
    numbers = [*channel_page.of_phones(), *channel_page.of_presets(), *channel_page.of_printers()]
    assert {number.kind for number in (*numbers, *channel_page.CONSTANTS)} == set(channel_page.KINDS)
    values = {(number.of, number.name): number.value for number in numbers}
    assert values["like-jolla", "quality"] == "85"
    assert values["night", "glare_light"] == "0.2, 0.8"
    # A situation's own quality stands with it, the phone's with the phone.
    assert values["hostile", "quality"] == "60, 92"
    assert ("night", "quality") not in values
    for name in channel_page.CHANNELS:
        counts = channel_page.channel(name)
        assert counts["measured"] >= 6
        assert 0.5 < counts["assumed"] / sum(counts.values()) < 0.8
