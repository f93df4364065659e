"""Measured presses: what littlecms prints through their profiles, and the table that stands for it in EOT."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, features
from skimage.color import deltaE_ciede2000, rgb2lab, xyz2lab

from physadv.errors import MachineError
from physadv.phone import Printer
from physadv.phone.printing import print_dots
from physadv.transforms import Press, TransformError, in_linear_light, load_preset, presses
from physadv.transforms.colours import linear_to_srgb, look_up
from physadv.transforms.presses import PRESSES, colour_tables, printed_light

MEAN, MOST, WORST = 0.25, 0.6, 3.0  # ΔE2000 of the table from littlecms: mean, 95th percentile, maximum
SRGB_TO_XYZ_D50 = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)


def random_colours(count: int = 20000) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count // 100, 100, 3), dtype=np.uint8)


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels / 255).permute(2, 0, 1)[None]


@pytest.mark.parametrize(
    ("press", "white", "black", "red"),
    [
        ("offset-coated", 94.9, 8.6, (48.6, 65, 49)),
        ("offset-uncoated", 94.9, 25.5, (55.7, 50, 30)),
    ],
)
def test_white_black_and_red_have_the_lab_of_the_paper_that_the_profile_says(press, white, black, red):
    asked = np.array([[(255, 255, 255), (0, 0, 0), (255, 0, 0)]], np.uint8)
    lab = xyz2lab(printed_light(asked, press)[0] @ SRGB_TO_XYZ_D50.T, illuminant="D50")
    assert lab[0, 0] == pytest.approx(white, abs=0.2)
    assert lab[1, 0] == pytest.approx(black, abs=0.4)
    np.testing.assert_allclose(lab[2], red, atol=1.2)


def test_the_profiles_perceptual_intent_is_their_relative_colorimetric_one():
    pixels = Image.fromarray(random_colours(2000))
    for press in PRESSES.values():
        profile = ImageCms.getOpenProfile(str(presses._FOLDER / press.file))
        inks = [
            ImageCms.applyTransform(
                pixels,
                ImageCms.buildTransform(ImageCms.createProfile("sRGB"), profile, "RGB", "CMYK", intent),
            )
            for intent in (ImageCms.Intent.PERCEPTUAL, ImageCms.Intent.RELATIVE_COLORIMETRIC)
        ]
        np.testing.assert_array_equal(*inks)


@pytest.mark.parametrize("press", PRESSES)
def test_the_table_prints_random_colours_as_littlecms_does(press):
    pixels = random_colours()
    paper = Press((press,))
    table = paper.apply(tensor(pixels), paper.sample(1, torch.Generator()))[0].permute(1, 2, 0).numpy()
    exact = linear_to_srgb(torch.from_numpy(printed_light(pixels, press))).numpy()
    errors = deltaE_ciede2000(rgb2lab(exact), rgb2lab(table))
    assert errors.mean() < MEAN
    assert np.percentile(errors, 95) < MOST
    assert errors.max() < WORST


def test_black_point_compensation_keeps_dark_greys_apart_on_uncoated_paper():
    greys = np.repeat(np.array([10, 30, 50], np.uint8), 3).reshape(1, 3, 3)
    flat, apart = (
        linear_to_srgb(torch.from_numpy(printed_light(greys, name)))[0, :, 1] * 255
        for name in ("offset-uncoated", "offset-uncoated-bpc")
    )
    assert flat.max() - flat.min() < 1.1
    assert (apart.diff() > 1.9).all()


def test_a_table_has_its_gradient():
    images = torch.rand(2, 3, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tables, which = colour_tables(("offset-coated", "offset-uncoated")), torch.tensor([1, 0])
    assert torch.autograd.gradcheck(lambda x: look_up(x, tables, which), images.requires_grad_())


def test_every_sample_has_a_press_of_its_own_and_keeps_it_when_replayed():
    press = Press(("offset-coated", "offset-uncoated"))
    draw = press.sample(40, torch.Generator().manual_seed(0))
    black = press.apply(torch.zeros(40, 3, 2, 2), draw).mean(dim=(1, 2, 3))
    assert 10 < (draw["printer"] == 0).sum() < 30
    assert (black[draw["printer"] == 0] < 0.11).all()
    assert (black[draw["printer"] == 1] > 0.22).all()


def test_the_virtual_printer_and_eot_print_alike():
    pixels = random_colours(2000)
    light = print_dots(pixels, Printer("offset-coated", spread_mm=1e-4), 20).reflectance()
    press = Press(("offset-coated",))
    draw = press.sample(1, torch.Generator())
    paper = press.apply(tensor(pixels), draw)
    assert (linear_to_srgb(light) - paper).abs().mean() < 0.003
    torch.testing.assert_close(
        in_linear_light(press).apply(tensor(pixels), {"0.printer": draw["printer"]}), paper
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ('"offset-coted"', "unknown measured printer 'offset-coted'; nearest: offset-coated"),
        ("[]", "no printers; wanted one or more of offset-coated"),
        ("[3]", "printers: [3]; wanted a name or a list of names"),
    ],
)
def test_a_file_that_names_no_press_is_one_line(tmp_path, given, line):
    file = tmp_path / "mine.toml"
    file.write_text(f'[[transform]]\nkind = "press"\nprinters = {given}\n')
    with pytest.raises(TransformError) as caught:
        load_preset(str(file))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pillow_without_littlecms_is_one_line(monkeypatch):
    monkeypatch.setattr(features, "check", lambda feature: feature != "littlecms2")
    presses._transforms.cache_clear()
    with pytest.raises(MachineError, match="printer 'offset-coated': Pillow was built without littlecms"):
        printed_light(np.zeros((1, 1, 3), np.uint8), "offset-coated")
