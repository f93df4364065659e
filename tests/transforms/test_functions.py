import numpy as np
import pytest
import torch
from PIL import Image

from physadv.transforms.camera import gaussian_noise, standard_normal
from physadv.transforms.colours import adjust_brightness, adjust_contrast
from physadv.transforms.jpeg import pillow_jpeg
from physadv.transforms.optics import gaussian_blur

MID_GREYS = (
    torch.rand(2, 3, 7, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.4 + 0.3
)
NOISE = torch.randn(2, 3, 7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(
    ("function", "values"),
    [
        (adjust_brightness, [0.1, -0.2]),
        (adjust_contrast, [0.5, 1.3]),
        (gaussian_blur, [0.8, 1.4]),
        (lambda images, sd: gaussian_noise(images, sd, NOISE), [0.02, 0.05]),
    ],
)
def test_gradcheck_by_images_and_parameters(function, values):
    images = MID_GREYS.clone().requires_grad_()
    parameters = torch.tensor(values, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(function, (images, parameters))


def test_brightness_adds_its_own_shift_to_each_image_and_clips():
    images = torch.tensor([0.2, 0.9]).reshape(2, 1, 1, 1).expand(2, 3, 2, 2)

    brighter = adjust_brightness(images, torch.tensor([0.3, 0.3]))

    torch.testing.assert_close(brighter[0], torch.full((3, 2, 2), 0.5))
    torch.testing.assert_close(brighter[1], torch.ones(3, 2, 2))


def test_contrast_keeps_each_channels_mean_and_scales_its_deviation():
    stretched = adjust_contrast(MID_GREYS, torch.tensor([0.5, 1.4]))

    torch.testing.assert_close(stretched.mean(dim=(2, 3)), MID_GREYS.mean(dim=(2, 3)))
    torch.testing.assert_close(
        stretched.std(dim=(2, 3)),
        MID_GREYS.std(dim=(2, 3)) * torch.tensor([[0.5], [1.4]], dtype=torch.float64),
    )


def test_blurred_impulse_has_the_sigma_asked_for_and_keeps_its_light():
    sigmas = torch.tensor([0.8, 1.5, 3.0, 5.0])
    impulse = torch.zeros(4, 3, 81, 81)
    impulse[:, :, 40, 40] = 1

    spread = gaussian_blur(impulse, sigmas)

    position = torch.arange(81.0) - 40
    light = spread.sum(dim=(2, 3))
    for axis in (2, 3):
        profile = spread.sum(dim=axis)
        measured = (profile * position.square()).sum(dim=-1).sqrt()
        torch.testing.assert_close(measured, sigmas[:, None].expand(4, 3), rtol=2e-3, atol=0)
    torch.testing.assert_close(light, torch.ones(4, 3))


def test_blur_of_sigma_zero_changes_nothing_beside_a_blurred_neighbour():
    blurred = gaussian_blur(MID_GREYS, torch.tensor([0.0, 2.0]))

    assert torch.equal(blurred[0], MID_GREYS[0])
    assert not torch.allclose(blurred[1], MID_GREYS[1])


def test_blur_wider_than_the_image_leaves_a_flat_image_flat():
    flat = torch.full((1, 3, 5, 9), 0.25)

    torch.testing.assert_close(gaussian_blur(flat, torch.tensor([20.0])), flat)


def test_noise_of_a_seed_is_the_same_whatever_stands_beside_it():
    like = torch.zeros(3, 3, 16, 16)

    together = standard_normal(torch.tensor([5, 6, 7]), like)
    alone = standard_normal(torch.tensor([6]), like[:1])

    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])


def test_noise_has_the_deviation_asked_for():
    grey = torch.full((2, 3, 64, 64), 0.5)

    noisy = gaussian_noise(grey, torch.tensor([0.02, 0.1]), standard_normal(torch.tensor([1, 2]), grey))

    torch.testing.assert_close(
        (noisy - grey).std(dim=(1, 2, 3)), torch.tensor([0.02, 0.1]), rtol=0.03, atol=0
    )


def test_jpeg_is_what_a_pillow_file_holds(tmp_path):
    levels = torch.randint(
        0, 256, (2, 3, 24, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(3)
    )
    qualities = [35, 90]

    coded = pillow_jpeg(levels.float() / 255, torch.tensor(qualities))

    for image, quality, got in zip(levels, qualities, coded, strict=True):
        file = tmp_path / f"{quality}.jpg"
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, quality=quality, subsampling=2)
        with Image.open(file) as decoded:
            expected = np.array(decoded)
        assert np.array_equal((got * 255).round().byte().permute(1, 2, 0).numpy(), expected)
