"""The profile's file keeps what was measured and refuses what was not; what it draws is what it says."""

import json

import pytest
import torch
from made_profile import made_profile

from physadv.profiles import ProfileError, read_profile, write_profile
from physadv.transforms.colours import srgb_to_linear


@pytest.fixture
def profile():
    return made_profile()


@pytest.fixture
def file(tmp_path, profile):
    write_profile(tmp_path / "made.json", profile)
    return tmp_path / "made.json"


def test_a_file_gives_the_profile_back_and_a_person_can_read_it(file, profile):
    assert read_profile(file) == profile
    lines = file.read_text().splitlines()
    assert sum(line.count(",") >= 2 and line.strip().startswith("[") for line in lines) >= 17**3
    assert json.loads(file.read_text())["blur"]["sigma_px"] == 1.2
    before = file.read_bytes()
    write_profile(file, read_profile(file))
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('"sigma_px": 1.2', '"sigma_px": 0.6'), "changed since it was measured"),
        (lambda text: text.replace('"format_version": 1', '"format_version": 2'), "format 2.*reads format 1"),
        (lambda text: text[:500], "not a profile"),
        (lambda text: "[]", "no format_version"),
    ],
)
def test_a_file_that_is_not_as_measured_is_refused_with_the_way_out(file, change, said):
    file.write_text(change(file.read_text()))
    with pytest.raises(ProfileError, match=f"made.json: .*{said}.*calibrate fit"):
        read_profile(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ProfileError, match=r"gone\.json: No such file"):
        read_profile(tmp_path / "gone.json")


def test_colours_are_those_of_the_table(profile):
    asked = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 3, 1, 1)
    seen = profile.looks().apply(asked, {})
    assert seen.flatten().tolist() == pytest.approx([0.9, 0.5, 0.1], abs=1e-4)


def test_a_flat_image_keeps_its_colour_and_gets_the_light_and_noise_that_were_measured():
    # A crop of 224 pixels on 22.4 mm has the photo's own pixels: nothing is averaged.
    profile = made_profile(noise={"length_px": 0.2, "curve": [2.0 + node / 8 for node in range(17)]})
    eot = profile.distribution(image_px=224, image_mm=22.4)
    gray = torch.full((400, 3, 24, 24), 0.5)
    seen = eot.apply(gray, eot.sample(400, torch.Generator().manual_seed(0)))
    light = srgb_to_linear(seen)
    means = light[:, 1].mean(dim=(1, 2))
    level = float(srgb_to_linear(torch.tensor(0.5)))
    assert float(means.mean()) == pytest.approx(level, rel=0.01)
    assert float(means.std()) / level == pytest.approx(0.05, rel=0.1)
    tint = (light[:, 0] / light[:, 1]).mean(dim=(1, 2)).std()
    assert float(tint) == pytest.approx(0.02, rel=0.15)
    noise = (seen - seen.mean(dim=(2, 3), keepdim=True)).std()
    assert float(noise) * 255 == pytest.approx(3.0, rel=0.03)


def test_the_coarser_the_image_on_paper_the_less_noise_and_blur_it_sees():
    fine, coarse = (made_profile().distribution(image_px=px, image_mm=22.4) for px in (224, 56))
    step = torch.zeros(64, 3, 32, 32)
    step[..., 16:] = 1
    rises = {}
    for name, eot in {"fine": fine, "coarse": coarse}.items():
        seen = eot.apply(step, eot.sample(64, torch.Generator().manual_seed(0)))
        rises[name] = float((seen.diff(dim=-1).mean(dim=(0, 1, 2)) > 0.02).sum())
    assert rises["coarse"] < rises["fine"]


def test_a_sharpened_phone_overshoots_and_gradients_flow():
    eot = made_profile(blur={"amount": 0.8, "radius_px": 2.5}, noise={"curve": [0.0] * 17}).distribution(
        image_mm=22.4
    )
    step = torch.full((1, 3, 32, 32), 0.3)
    step[..., 16:] = 0.7
    step.requires_grad_()
    seen = eot.apply(step, eot.sample(1, torch.Generator().manual_seed(0)))
    row = seen.detach()[0, 1, 16]
    assert float(row.max() - row[-2]) > 0.02
    seen.mean().backward()
    assert float(step.grad.abs().sum()) > 0


def test_sides_of_nothing_are_refused(profile):
    with pytest.raises(ProfileError, match="0 pixels"):
        profile.distribution(image_px=0)
