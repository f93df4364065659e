"""Photos by a simulated device of the benchmark, with known numbers, give a profile with these numbers."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import calibration

from physadv.capture.light import to_linear, to_srgb
from physadv.cli import main
from physadv.profiles import ProfileError, fit_profile, make_target, read_profile, read_target
from physadv.profiles.even_light import even_light
from physadv.profiles.fitting import delta_e, fit_colours

NAME = "mine"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two photos from one place and one from another, of a device whose noise is that of a good phone."""
    folder = tmp_path_factory.mktemp("photos")
    device = replace(calibration.draw_device(3, "family"), shot=1e-4, read=0.002, quality=93)
    paths, shots = calibration.photographs(
        device, make_target(NAME), folder, width=1024, dots_per_mm=8, photos=3, seed=0
    )
    return device, paths, shots


@pytest.fixture(scope="module")
def readings(photos):
    return [read_target(path, NAME) for path in photos[1]]


@pytest.fixture(scope="module")
def fit(readings):
    return fit_profile(NAME, readings)


def test_held_out_colours_are_predicted_and_better_than_by_an_affine_map(fit):
    held = fit.profile.held_out
    assert held.patches == 144
    assert held.mean <= 1.2
    assert held.p95 <= 3
    assert held.mean < 0.6 * held.affine_mean
    assert held.mean == pytest.approx(delta_e(fit.measured, fit.predicted).mean())


def test_blur_and_noise_are_those_of_the_device(photos, readings, fit):
    device, _, shots = photos
    profile = fit.profile
    assert profile.blur.sigma_px == pytest.approx(np.median([shot.sigma_px for shot in shots]), rel=0.08)
    assert profile.noise.pairs == 1
    levels, sds = calibration.true_noise(device, shots[0], readings[0])
    assert calibration.predicted_noise(fit, levels) == pytest.approx(sds, rel=0.25)
    assert calibration.predicted_noise(fit, levels).mean() == pytest.approx(sds.mean(), rel=0.1)


def test_files_and_light_are_said_as_they_are(photos, fit):
    profile = fit.profile
    assert (profile.jpeg.quality, profile.jpeg.subsampling) == (93, "4:2:0")
    assert profile.simulated
    assert [each.file for each in profile.made_from] == [path.name for path in photos[1]]
    one, same, other = (each.exposure for each in profile.made_from)
    assert one == pytest.approx(same, rel=0.005)
    assert profile.colour_spread.exposure == pytest.approx(abs(np.log(one / other)) / 2**0.5, rel=0.02)


def test_photos_from_no_common_place_give_noise_that_is_marked(readings):
    assert fit_profile(NAME, [readings[0], readings[2]]).profile.noise.pairs == 0


def test_photos_that_cannot_be_fitted_are_refused_with_the_way_out(photos, readings, tmp_path):
    paths = photos[1]
    with pytest.raises(ProfileError, match=r"too few photos.*1; wanted 2"):
        fit_profile(NAME, [readings[0], readings[0]])
    with pytest.raises(ProfileError, match=r"mine|family-0.jpg.*another run.*calibrate print --name yours"):
        read_target(paths[0], "yours")
    pixels = np.asarray(Image.open(paths[0]))
    bright = to_srgb(2.5 * to_linear(pixels / 255))
    Image.fromarray((bright * 255).round().astype(np.uint8)).save(tmp_path / "bright.png")
    with pytest.raises(
        ProfileError, match=r"bright.png: \d+ of 1144 patches are overexposed .top-left \d+.*stops"
    ):
        read_target(tmp_path / "bright.png", NAME)
    gray = [
        replace(reading, levels=reading.levels.mean(axis=1, keepdims=True).repeat(3, 1))
        for reading in readings
    ]
    with pytest.raises(ProfileError, match="black-and-white print"):
        fit_profile(NAME, gray)


def test_light_across_the_page_is_taken_out_whatever_the_tone_curve():
    target = make_target(NAME)
    u, v = (2 * target.places_mm / target.sheet.page_mm - 1).T
    toned = 1.5  # a sigmoid through code values, 1 for none
    colours = 0.06 + 0.8 * target.colours / 255

    def photographed(light):
        code = to_srgb(to_linear(colours) * light[:, None])
        return code**toned / (code**toned + (1 - code) ** toned)

    codes = np.stack(
        [photographed(0.9 * np.exp(0.2 * u - 0.1 * v * v)), photographed(0.9 * np.exp(-0.15 * v))]
    )
    fair = photographed(np.full(len(u), 0.9 * np.exp(-0.05 * (v * v).mean())))
    before, after = delta_e(codes[0], fair), delta_e(even_light(target, codes, [0, 1]).colours, fair)
    assert before.mean() > 1.9
    assert after.mean() < 0.3


def test_a_map_that_is_affine_is_fitted_as_well_as_by_an_affine_map():
    target = make_target(NAME)
    noise = np.random.default_rng(0).normal(0, 0.01, target.colours.shape)
    mixed = 0.1 + 0.75 * (target.colours / 255) @ np.array(
        [[0.8, 0.1, 0.1], [0.05, 0.9, 0.05], [0, 0.2, 0.8]]
    )
    _, held, _ = fit_colours(target, (mixed + noise).clip(0, 1))
    assert held.mean <= held.affine_mean
    assert held.affine_mean < 2


def test_the_commands_print_a_target_and_write_a_profile_with_its_figure(
    photos, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["calibrate", *map(str, arguments)])
        return end.value.code, capsys.readouterr()

    code, said = run("print", "--name", NAME, "--paper", "A4")
    assert code == 0
    assert "two photos from one place" in said.out
    assert (tmp_path / "mine-target.pdf").stat().st_size > 1e5
    code, said = run("fit", *photos[1][:2], "--name", NAME, "--workers", 1)
    assert code == 0
    assert "held-out patches" in said.out
    assert "(simulated)" in said.out
    assert "photos: 2 of 2" in said.err
    assert read_profile(tmp_path / "mine.json").name == NAME
    assert "<svg" in (tmp_path / "mine.svg").read_text()[:2000]
    code, said = run("fit", photos[1][0], "--name", NAME, "--out", "one.json", "--quiet")
    assert code == 2
    assert said.err.startswith("error: too few photos")
    assert not (tmp_path / "one.json").exists()
