"""From light to the photo's file: noise, mosaic, denoising, tones, sharpening, JPEG."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from physadv.phone import Phone, Shot, draw_shot, encode_jpeg, sensor
from physadv.phone.presets import load_device
from physadv.phone.sensor import BLACK, WHITE, Sensor
from physadv.phone.shots import READ_LEVEL, READ_SLOPE, READ_SPREAD

PLAIN = replace(Phone(), width=160, height=130, focal=160.0, denoising=(0.0, 0.0), contrast=(0.0, 0.0))
QUIET = replace(PLAIN, shot_noise=(0.0, 0.0))


def shoot(phone: Phone, seed: int = 0, **changes: object) -> Shot:
    return replace(draw_shot(phone, (210.0, 297.0), torch.Generator().manual_seed(seed)), **changes)


def photo_of(light: torch.Tensor, shot: Shot) -> NDArray[np.uint8]:
    """Return the photo of linear light (3, 130, 160)."""
    exposed = Sensor(shot)
    for top in range(0, 130, 64):
        exposed.expose(top, light[:, top : top + 64])
    return exposed.read_out()


def even(*colour: float) -> torch.Tensor:
    return torch.tensor(colour)[:, None, None].expand(3, 130, 160)


def step(dark: float, light: float) -> torch.Tensor:
    columns = torch.where(torch.arange(160) < 80, dark, light)
    return columns.expand(3, 130, 160)


def codes_of(*colour: float) -> NDArray[np.float64]:
    light = np.array(colour)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("colour", [(0.5, 0.5, 0.5), (0.6, 0.2, 0.1), (0.05, 0.3, 0.5)])
def test_a_colour_comes_back_from_the_camera_as_it_was_whatever_the_camera(colour) -> None:
    for seed in range(3):
        photo = photo_of(even(*colour), shoot(QUIET, seed))
        assert np.abs(photo - codes_of(*colour)).max() <= 1


def test_what_is_brighter_than_white_is_white() -> None:
    assert (photo_of(even(1.5, 1.5, 1.5), shoot(QUIET)) == 255).all()


def test_the_mosaic_is_as_noisy_as_the_shot_says() -> None:
    shot = shoot(PLAIN, shot_noise=0.001, read_noise=0.02, headroom=0.8, balance=(2.0, 1.0, 1.6))
    exposed = Sensor(shot)
    exposed.expose(0, even(0.5, 0.5, 0.5))
    mosaic = (exposed.mosaic.astype(float) - BLACK) / (WHITE - BLACK)
    for sites, gain in ((mosaic[::2, ::2], 2.0), (mosaic[::2, 1::2], 1.0), (mosaic[1::2, 1::2], 1.6)):
        assert sites.mean() == pytest.approx(0.5, rel=0.01)
        raw = 0.5 * 0.8 / gain
        assert sites.std() * 0.8 / gain == pytest.approx(math.sqrt(0.001 * raw + 0.02**2), rel=0.05)


def test_read_noise_follows_shot_noise_as_published() -> None:
    phone = replace(PLAIN, shot_noise=(1e-4, 0.012))
    shots = [shoot(phone, seed) for seed in range(150)]
    logs = np.log([shot.shot_noise for shot in shots])
    assert np.percentile(logs, 50) == pytest.approx(np.log([1e-4, 0.012]).mean(), abs=0.5)
    rest = 2 * np.log([shot.read_noise for shot in shots]) - READ_SLOPE * logs - READ_LEVEL
    assert rest.mean() == pytest.approx(0, abs=0.1)
    assert rest.std() == pytest.approx(READ_SPREAD, rel=0.2)
    own = replace(phone, read_noise=(0.01, 0.01))
    assert shoot(own).read_noise == 0.01


def test_denoising_takes_noise_and_keeps_edges() -> None:
    noisy = replace(PLAIN, shot_noise=(0.002, 0.002), grain=(1.5, 1.5))
    light = step(0.05, 0.6)
    plain, denoised = (
        photo_of(light, shoot(noisy, denoising=strength)).astype(float) for strength in (0.0, 3.0)
    )
    flat = (slice(20, 110), slice(100, 150))
    assert denoised[flat].mean(axis=2).std() < 0.7 * plain[flat].mean(axis=2).std()
    rows = denoised.mean(axis=(0, 2))
    assert rows[82] - rows[77] > 0.85 * (rows[100] - rows[60])


def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    shot = shoot(PLAIN, denoising=2.0, local_tone=0.3, sharpening=1.0)
    light = step(0.05, 0.6)
    whole = photo_of(light, shot)
    monkeypatch.setattr(sensor, "BAND", 32)
    np.testing.assert_array_equal(photo_of(light, shot), whole)


def test_sharpening_leaves_a_halo_as_wide_as_the_phones() -> None:
    for halo in (1.0, 3.0):
        row = photo_of(step(0.1, 0.4), shoot(QUIET, sharpening=1.0, halo=halo))[65, :, 1].astype(float)
        beyond = row[80:] - row[140]
        assert beyond.max() > 5
        assert int((beyond > 1).sum()) == pytest.approx(2 * halo, abs=1.5)


def test_local_tone_mapping_evens_out_regions_and_keeps_their_detail() -> None:
    light = step(0.05, 0.5).clone()
    light[:, ::2] *= 1.3
    plain, mapped = (photo_of(light, shoot(QUIET, local_tone=strength)) for strength in (0.0, 0.3))
    dark, bright = (slice(20, 110), slice(10, 60), 1), (slice(20, 110), slice(100, 150), 1)
    assert mapped[dark].mean() > plain[dark].mean() + 5
    assert mapped[bright].mean() < plain[bright].mean() - 5
    assert mapped[dark].std() > plain[dark].std()


def test_the_tone_curve_is_the_published_one_at_full_strength() -> None:
    photo = photo_of(even(0.1, 0.1, 0.1), shoot(QUIET, contrast=1.0))
    code = codes_of(0.1)[0] / 255
    assert photo[65, 80, 1] == pytest.approx(255 * (3 * code**2 - 2 * code**3), abs=1)


def test_a_file_has_the_phones_own_tables_and_subsampling() -> None:
    pixels = np.zeros((130, 160, 3), np.uint8)
    tables = load_device("like-iphone-6").phone["quantisers"]
    for form, ratio in (("4:2:0", (2, 2)), ("4:4:4", (1, 1))):
        shot = shoot(PLAIN, quantisers=tables, subsampling=form, orientation=1)
        with Image.open(io.BytesIO(encode_jpeg(pixels, shot))) as image:
            assert [tuple(table) for _, table in sorted(image.quantization.items())] == list(tables)
            assert tuple(image.layer[0][1:3]) == ratio
