import kornia
import pytest
import torch

from physadv.phone import PHONES
from physadv.phone.printers import named_printer
from physadv.transforms import Photometry, Press, Range, fixed, load_preset, round_to_8_bits
from physadv.transforms.colours import (
    adjust_gamma,
    adjust_tone,
    linear_to_srgb,
    look_up,
    srgb_to_linear,
    temperature_gain,
    tetrahedra,
)

IMAGES = torch.rand(4, 3, 9, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def seen(photometry: Photometry, images: torch.Tensor = IMAGES) -> torch.Tensor:
    return photometry.apply(images, photometry.sample(len(images), torch.Generator().manual_seed(0)))


def test_linear_light_is_the_standards_within_a_hundredth_of_a_level():
    torch.testing.assert_close(
        srgb_to_linear(IMAGES), kornia.color.rgb_to_linear_rgb(IMAGES), atol=4e-5, rtol=0
    )
    torch.testing.assert_close(
        linear_to_srgb(IMAGES), kornia.color.linear_rgb_to_rgb(IMAGES), atol=4e-5, rtol=0
    )


@pytest.mark.parametrize("function", [srgb_to_linear, linear_to_srgb])
def test_linear_light_has_its_gradient_in_the_straight_part_too(function):
    levels = torch.linspace(0.0001, 1, 60, dtype=torch.float64).requires_grad_()

    assert torch.autograd.gradcheck(function, levels)


def test_there_and_back_gives_the_level_back():
    torch.testing.assert_close(linear_to_srgb(srgb_to_linear(IMAGES)), IMAGES, atol=1e-7, rtol=0)


def test_brightness_contrast_gain_and_saturation_do_what_they_say():
    grey = IMAGES * 0.3 + 0.3

    torch.testing.assert_close(seen(Photometry(brightness=fixed(0.1)), grey), grey + 0.1)
    torch.testing.assert_close(seen(Photometry(gain=fixed(1.2)), grey), grey * 1.2)
    stretched = seen(Photometry(contrast=fixed(1.5)), grey)
    torch.testing.assert_close(stretched.mean(dim=(2, 3)), grey.mean(dim=(2, 3)))
    torch.testing.assert_close(stretched.std(dim=(2, 3)), 1.5 * grey.std(dim=(2, 3)))
    pale = seen(Photometry(saturation=fixed(0)), grey)
    luma = torch.einsum("c,bchw->bhw", torch.tensor([0.299, 0.587, 0.114]).double(), grey)
    torch.testing.assert_close(pale, luma[:, None].expand_as(grey))


def test_one_map_is_what_one_after_another_gives():
    grey = IMAGES * 0.2 + 0.4
    steps = [
        Photometry(contrast=fixed(1.2)),
        Photometry(saturation=fixed(0.7)),
        Photometry(gain=fixed(0.9), temperature=fixed(5000)),
        Photometry(brightness=fixed(0.05)),
    ]
    together = Photometry(
        contrast=fixed(1.2),
        saturation=fixed(0.7),
        gain=fixed(0.9),
        temperature=fixed(5000),
        brightness=fixed(0.05),
    )

    one_by_one = grey
    for step in steps:
        one_by_one = seen(step, one_by_one)

    torch.testing.assert_close(seen(together, grey), one_by_one)


def test_white_balance_leaves_green_alone():
    balanced = seen(Photometry(white_balance=Range(0.05, 0.08)), IMAGES * 0.5)

    torch.testing.assert_close(balanced[:, 1], IMAGES[:, 1] * 0.5)
    ratio = (balanced / (IMAGES * 0.5))[:, ::2, 0, 0]
    assert bool(((ratio > 1.05 - 1e-9) & (ratio < 1.08 + 1e-9)).all())


def test_a_lamp_is_as_warm_as_illuminant_a():
    # CIE A, 2856 K, against a black body of 6504 K (x 0.3134, y 0.3236), in linear sRGB.
    def linear(x: float, y: float) -> torch.Tensor:
        xyz = torch.tensor([[[x / y]], [[1.0]], [[(1 - x - y) / y]]], dtype=torch.float64)
        rgb = kornia.color.xyz_to_rgb(xyz[None])[0, :, 0, 0]
        return rgb / rgb[1]

    expected = linear(0.4476, 0.4074) / linear(0.3134, 0.3236)

    gains = temperature_gain(torch.tensor([2856.0, 6504.0], dtype=torch.float64))

    torch.testing.assert_close(gains[0].pow(2.2), expected, rtol=0.03, atol=0.01)
    torch.testing.assert_close(gains[1], torch.ones(3, dtype=torch.float64))


def test_gamma_is_a_power_and_its_inverse_undoes_it():
    gamma = torch.tensor([0.5, 1.0, 2.2, 3.5], dtype=torch.float64)
    bright = IMAGES.clamp_min(0.2)

    curved = adjust_gamma(bright, gamma)

    torch.testing.assert_close(curved, bright ** gamma[:, None, None, None])
    torch.testing.assert_close(adjust_gamma(curved, 1 / gamma), bright)


def test_the_tone_curve_is_smoothstep_at_full_strength():
    full = adjust_tone(IMAGES, torch.ones(4))

    torch.testing.assert_close(full, 3 * IMAGES**2 - 2 * IMAGES**3)


def test_a_table_is_exact_at_its_nodes_and_on_planes_and_keeps_to_each_images_own():
    coarse = torch.rand(2, 3, 3, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    blue, green, red = torch.meshgrid(*[torch.linspace(0, 1, 3).double()] * 3, indexing="ij")
    nodes = torch.stack([red, green, blue]).reshape(1, 3, 1, 27).expand(2, -1, -1, -1)

    read = look_up(nodes, tetrahedra(coarse), torch.tensor([1, 0]))

    torch.testing.assert_close(read, coarse.flip(0).reshape(2, 3, 1, 27))
    plane = torch.stack([red + 2 * green, green - blue, 3 * blue + 1])
    seen = look_up(IMAGES, tetrahedra(plane[None]))
    r, g, b = IMAGES.unbind(dim=1)
    torch.testing.assert_close(seen, torch.stack([r + 2 * g, g - b, 3 * b + 1], dim=1))


def test_a_colour_that_is_no_number_stays_none_in_a_table():
    images = torch.full((1, 3, 1, 1), float("nan"))

    assert look_up(images, tetrahedra(torch.rand(1, 3, 3, 3, 3))).isnan().all()


def test_print_photo_prints_before_it_photographs_and_by_no_printer_that_a_preset_of_the_phone_has():
    light, _ = load_preset("print-photo").parts
    press, *_ = light.parts

    assert isinstance(press, Press)
    assert press.printers == ("offset-coated-bpc", "offset-uncoated-bpc")
    used = {preset.printer for preset in PHONES.values()}
    assert not used & {named_printer(name) for name in press.printers}


def test_rounding_to_8_bits_passes_the_gradient_straight():
    levels = torch.tensor([-0.1, 0.0, 0.4 / 255, 0.6 / 255, 0.5, 1.0, 1.2], requires_grad=True)

    rounded = round_to_8_bits(levels)
    rounded.sum().backward()

    torch.testing.assert_close(rounded * 255, torch.tensor([0.0, 0, 0, 1, 128, 255, 255]))
    assert torch.equal(levels.grad, torch.ones(7))
