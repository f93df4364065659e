"""Light becomes pixels by one function; its noise and its clipping are a sensor's."""

import torch

from physadv.transforms.camera import develop


def test_what_is_brighter_than_white_clips_to_white_with_its_noise():
    light = torch.full((1, 3, 64, 64), 1.5)
    noise = torch.randn(light.shape, generator=torch.Generator().manual_seed(0))
    one = torch.tensor([0.001])
    image = develop(light, shot=one, read=one, noise=noise, tone=torch.tensor([0.3]))
    assert ((image - 1).abs() < 1e-6).all()


def test_noise_in_linear_light_is_shot_noise_and_read_noise():
    light = torch.full((1, 3, 200, 200), 0.5)
    noise = torch.randn(light.shape, generator=torch.Generator().manual_seed(1))
    image = develop(light, shot=torch.tensor([2e-4]), read=torch.tensor([0.003]), noise=noise)
    slope_of_srgb = 1.055 / 2.4 * 0.5 ** (1 / 2.4 - 1)
    assert torch.isclose(image.std() / slope_of_srgb, torch.tensor((2e-4 * 0.5 + 0.003**2) ** 0.5), rtol=0.02)


def test_the_tone_curve_keeps_black_middle_grey_and_white_and_darkens_shadows():
    light = torch.tensor([0.0, 0.05, 0.21404114, 1.0]).reshape(1, 1, 1, 4).expand(1, 3, 1, 4)
    none = torch.zeros(1)
    plain = develop(light, shot=none, read=none, noise=torch.zeros(light.shape))
    toned = develop(light, shot=none, read=none, noise=torch.zeros(light.shape), tone=torch.tensor([0.5]))
    assert torch.allclose(plain[..., [0, 2, 3]], toned[..., [0, 2, 3]], atol=1e-5)
    assert toned[0, 0, 0, 1] < plain[0, 0, 0, 1]
