"""Edges and noise with known numbers, drawn without the code under test, are measured as they are."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from physadv.capture.light import to_linear, to_srgb
from physadv.profiles.edges import FitError, edge_profile, fit_edge, fit_pooled, pool_edges
from physadv.profiles.noise import measure_noise

FINE = 8


def drawn_edge(sigma, amount, radius, angle, position, low=0.25, high=0.75, noise=0.0, side=25):
    """A photo of an edge: blurred in light on pixels drawn `FINE` times finer, sharpened as a picture."""
    big = side + 40
    y, x = (np.mgrid[: big * FINE, : big * FINE] - (big * FINE - 1) / 2) / FINE
    turn = np.radians(angle)
    step = x * np.cos(turn) + y * np.sin(turn) > position
    dark, light = to_linear(np.array([low, high]))
    blurred = gaussian_filter(np.where(step, light, dark), sigma * FINE)
    photo = to_srgb(cv2.resize(blurred, (big, big), interpolation=cv2.INTER_LINEAR))
    sharp = photo + amount * (photo - gaussian_filter(photo, radius))
    sharp = sharp + np.random.default_rng(0).normal(0, noise, sharp.shape)
    return (sharp[20:-20, 20:-20] * 255).round().clip(0, 255) / 255


@pytest.mark.parametrize(
    ("sigma", "amount", "radius", "angle", "position"),
    [(0.7, 0.0, 1.0, 8.0, 0.3), (1.0, 0.5, 1.5, 97.0, -0.6), (1.5, 0.3, 2.0, 205.0, 1.2)],
)
def test_sigma_and_halo_of_a_drawn_edge_are_found(sigma, amount, radius, angle, position):
    edge = fit_edge(drawn_edge(sigma, amount, radius, angle, position))
    assert edge.sigma == pytest.approx(sigma, rel=0.02)
    assert edge.position == pytest.approx(position, abs=0.02)
    assert np.cos(np.radians(edge.angle - angle)) == pytest.approx(1, abs=1e-5)
    assert (edge.low, edge.high) == pytest.approx((0.25, 0.75), abs=0.003)
    # A wider halo makes up for a weaker one, within the rounding to 8 bits.
    assert edge.amount == pytest.approx(amount, abs=0.1)
    if amount:
        assert edge.radius == pytest.approx(radius, rel=0.2)
    assert edge.residual < 0.01


def test_an_edge_under_noise_is_found_within_five_percent():
    edge = fit_edge(drawn_edge(1.0, 0.4, 1.5, 12.0, 0.4, noise=2 / 255))
    assert edge.sigma == pytest.approx(1.0, rel=0.05)


def test_an_overshoot_is_that_of_the_drawn_profile():
    edge = fit_edge(drawn_edge(1.0, 0.5, 1.5, 8.0, 0.0))
    distance = np.linspace(-12, 12, 2401)
    encoded = to_srgb(to_linear(np.array(0.25)) + np.ptp(to_linear(np.array([0.25, 0.75]))) * ndtr(distance))
    halo = encoded + 0.5 * (encoded - gaussian_filter(encoded, 150))
    assert edge.overshoot == pytest.approx((halo[600:-600].max() - 0.75) / 0.5, abs=0.01)
    share = (halo - 0.25) / 0.5
    assert edge.rise == pytest.approx(0.01 * (np.argmax(share > 0.9) - np.argmax(share > 0.1)), abs=0.11)


def test_a_profile_that_clips_stays_in_the_range_of_a_file():
    profile = edge_profile(np.linspace(-9, 9, 91), 0.02, 0.98, 0.8, 1.5, 1.5)
    assert profile.min() == 0
    assert profile.max() == 1


@pytest.mark.parametrize("patch", [np.full((25, 25), 0.5), np.eye(25)[::-1] * 0.0 + 0.2])
def test_a_patch_without_an_edge_is_refused(patch):
    with pytest.raises(FitError, match="no edge"):
        fit_edge(patch)


@pytest.mark.parametrize(("sd", "length"), [(2.0, 0.2), (3.0, 0.6), (1.5, 1.2)])
def test_noise_on_a_slope_has_its_sd_and_its_length(sd, length):
    white = np.random.default_rng(3).normal(0, 1, (160, 160))
    spread = gaussian_filter(white, length) if length > 0.2 else white
    y, x = np.mgrid[:128, :128] / 128
    patch = 90 + 12 * x - 7 * y + 5 * x * x + spread[16:144, 16:144] * sd / spread.std()
    found = measure_noise(patch)
    assert found.sd == pytest.approx(sd, rel=0.04)
    assert found.length == pytest.approx(length, abs=0.04) if length > 0.2 else found.length < 0.33
    assert found.level == pytest.approx(patch.mean())


def test_a_field_without_noise_says_so_and_a_texture_shows_in_its_blocks():
    assert measure_noise(np.full((32, 32), 128.0)).sd == pytest.approx(0, abs=1e-9)
    y, x = np.mgrid[:32, :32]
    texture = measure_noise(128 + 8.0 * np.sin(x / 3) * np.sin(y / 3))
    assert texture.block_sd > 0.3 * texture.sd
    with pytest.raises(FitError, match="16 × 16"):
        measure_noise(np.zeros((8, 32)))


def test_the_edges_of_a_photo_together_tell_blur_from_a_tone_curve():
    tone, patches = 0.5, []
    for angle in (5.0, 95.0, 185.0, 275.0):
        code = drawn_edge(1.2, 0.0, 1.0, angle, 0.2, low=0.2, high=0.9, side=41)
        patches.append(code + tone * (code * code * (3 - 2 * code) - code))
    edges = [fit_edge(patch) for patch in patches]
    assert edges[0].sigma < 0.93 * 1.2  # the curve alone makes an edge seem sharper
    pooled = fit_pooled(*pool_edges(patches, edges))
    assert pooled.sigma == pytest.approx(1.2, rel=0.02)
    assert pooled.tone == pytest.approx(tone, abs=0.06)
    assert fit_pooled(*pool_edges(patches, edges), tone=tone).sigma == pytest.approx(1.2, rel=0.01)
