import pytest
import torch

from physadv.transforms import Optics, Range, fixed
from physadv.transforms.camera import pooled_normal, sensor_noise
from physadv.transforms.optics import (
    blur,
    combine_kernels,
    disc_kernel,
    gaussian_blur,
    gaussian_kernel,
    motion_kernel,
)

NUMBERS = torch.tensor([0.0, 0.7, 2.3], dtype=torch.float64)
ANGLES = torch.tensor([0.0, 30.0, 117.0], dtype=torch.float64)


def every_kernel(numbers: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    return combine_kernels(
        gaussian_kernel(numbers, 11), disc_kernel(numbers, 7), motion_kernel(numbers, angles, 7)
    )


def test_a_batch_of_kernels_is_each_of_its_rows():
    together = every_kernel(NUMBERS, ANGLES)

    assert together.shape == (3, 23, 23)
    torch.testing.assert_close(together.sum(dim=(1, 2)), torch.ones(3, dtype=torch.float64))
    for row, (number, angle) in enumerate(zip(NUMBERS, ANGLES, strict=True)):
        alone = combine_kernels(
            gaussian_kernel(float(number), 11),
            disc_kernel(float(number), 7),
            motion_kernel(float(number), float(angle), 7),
        )
        torch.testing.assert_close(together[row].float(), alone, atol=1e-6, rtol=0)


def test_one_combined_kernel_is_one_blur_after_another():
    images = torch.rand(3, 3, 60, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    disc, motion = disc_kernel(NUMBERS, 7), motion_kernel(NUMBERS, ANGLES, 7)

    once = blur(images, combine_kernels(disc, motion))
    twice = blur(blur(images, disc), motion)

    inside = (..., slice(8, -8), slice(8, -8))
    torch.testing.assert_close(once[inside], twice[inside])


def test_motion_goes_the_way_its_angle_says():
    impulse = torch.zeros(1, 3, 21, 21)
    impulse[..., 10, 10] = 1
    # x to the right and y down, so that 45 degrees is towards the lower right.
    moved = blur(impulse, motion_kernel(torch.tensor([9.0]), torch.tensor([45.0]), 11))[0, 0]

    assert float(moved[13, 13]) > 0.05
    assert float(moved[7, 13]) == 0


@pytest.mark.parametrize(
    "optics",
    [Optics(sigma=fixed(1.2)), Optics(sigma=fixed(0.8), defocus=fixed(2), motion=fixed(3))],
    ids=["gaussian", "all"],
)
def test_a_flat_image_stays_flat_and_light_is_kept(optics):
    flat = torch.full((2, 3, 9, 7), 0.3)
    impulse = torch.zeros(2, 3, 41, 41)
    impulse[..., 20, 20] = 1
    draw = optics.sample(2, torch.Generator().manual_seed(0))

    torch.testing.assert_close(optics.apply(flat, draw), flat)
    torch.testing.assert_close(optics.apply(impulse, draw).sum(dim=(2, 3)), torch.ones(2, 3))


def test_blurs_of_x_and_y_are_their_own():
    impulse = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    impulse[..., 20, 20] = 1

    spread = gaussian_blur(impulse, torch.tensor([[0.0, 2.0]]))

    assert torch.equal(spread[0, 0, :, 20].sum(), spread.sum())
    position = torch.arange(41.0, dtype=torch.float64) - 20
    assert float((spread[0, 0, :, 20] * position.square()).sum().sqrt()) == pytest.approx(2, rel=2e-3)


def test_sensor_noise_has_the_variance_of_its_light():
    grey = torch.tensor([0.25, 0.75]).reshape(2, 1, 1, 1).expand(2, 3, 100, 100)
    noise = pooled_normal(torch.tensor([3, 4]), grey)

    noisy = sensor_noise(grey, shot=torch.full((2,), 4e-4), read=torch.full((2,), 0.01), noise=noise)

    expected = (torch.tensor([0.25, 0.75]) * 4e-4 + 1e-4).sqrt()
    torch.testing.assert_close((noisy - grey).std(dim=(1, 2, 3)), expected, rtol=0.03, atol=0)


def test_pooled_noise_is_normal_and_a_seeds_own():
    like = torch.zeros(2, 3, 128, 128, dtype=torch.float64)
    seeds = torch.tensor([5, 2**61 + 17])

    together, alone = pooled_normal(seeds, like), pooled_normal(seeds[1:], like[:1])

    assert torch.equal(together[1:], alone)
    assert together.dtype == torch.float64
    assert abs(float(together.mean())) < 0.01
    assert float(together.std()) == pytest.approx(1, abs=0.01)
    assert float((together**4).mean()) == pytest.approx(3, abs=0.15)
    assert abs(float((together[0] * together[1]).mean())) < 0.02


def test_the_widest_kernel_fits_a_small_image():
    optics = Optics(sigma=Range(0, 3), defocus=Range(0, 4), motion=Range(0, 9))
    tiny = torch.full((3, 3, 6, 5), 0.5)

    seen = optics.apply(tiny, optics.sample(3, torch.Generator().manual_seed(0)))

    torch.testing.assert_close(seen, tiny)
