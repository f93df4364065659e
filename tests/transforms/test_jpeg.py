import kornia
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from physadv.transforms import Jpeg, Range
from physadv.transforms.jpeg import differentiable_jpeg, pillow_jpeg
from physadv.transforms.optics import gaussian_blur


def natural_images(n: int, height: int, width: int) -> Tensor:
    """Pictures whose spectrum falls as a photograph's does, with edges: sums of blurred noise, and discs."""
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros(n, 3, height, width)
    for sigma in (0.7, 2.0, 6.0, 16.0):
        layer = gaussian_blur(torch.randn(n, 3, height, width, generator=generator), torch.full((n,), sigma))
        total += layer / layer.std() * sigma**0.5
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    for row in range(n):
        cx, cy = torch.rand(2, generator=generator) * torch.tensor([width, height])
        disc = ((x - cx).square() + (y - cy).square() < 400).float()
        total[row] += disc * 4 * torch.randn(3, 1, 1, generator=generator)
    images = (0.5 + 0.2 * total / total.std()).clamp(0, 1)
    return (images * 255).round() / 255


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 95])
def test_the_model_is_within_a_level_or_so_of_libjpeg(quality):
    images = natural_images(6, 112, 96)
    qualities = torch.full((6,), float(quality))

    true, model = pillow_jpeg(images, qualities), differentiable_jpeg(images, qualities)

    changed = 255 * float((true - images).square().mean().sqrt())
    error = 255 * float((model - true).square().mean().sqrt())
    assert error < 1.3
    assert error < 0.6 * changed


@pytest.mark.parametrize("quality", [30, 95])
def test_the_model_is_near_libjpeg_on_photographs(photographs, data_if_any, quality):
    more = sorted((data_if_any / "imagenet" / "images").glob("*.png"))[:6] if data_if_any else []
    files = [*photographs, *more]
    pixels = [np.array(Image.open(file).convert("RGB").resize((224, 224))) for file in files]
    images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) / 255
    qualities = torch.full((len(images),), float(quality))

    difference = differentiable_jpeg(images, qualities) - pillow_jpeg(images, qualities)

    assert 255 * float(difference.square().mean().sqrt()) < 1.3


def test_every_image_has_its_own_quality_and_any_size():
    images = natural_images(2, 37, 51)

    both = differentiable_jpeg(images, torch.tensor([40.0, 90.0]))

    for row, quality in enumerate((40.0, 90.0)):
        alone = differentiable_jpeg(images[row : row + 1], torch.tensor([quality]))
        torch.testing.assert_close(both[row : row + 1], alone)
        true = pillow_jpeg(images[row : row + 1], torch.tensor([quality]))
        assert 255 * float((alone - true).square().mean().sqrt()) < 1.5


def test_the_gradient_is_that_of_the_codec_without_rounding():
    """Luma passes; chroma is averaged 2×2 and interpolated, by the library's own colour conversion."""

    def without_rounding(pixels: Tensor) -> Tensor:
        ycc = kornia.color.rgb_to_ycbcr(pixels)
        small = F.interpolate(ycc[:, 1:], scale_factor=0.5, mode="area")
        chroma = F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
        return kornia.color.ycbcr_to_rgb(torch.cat([ycc[:, :1], chroma], dim=1))

    images = (natural_images(2, 32, 48) * 0.3 + 0.35).double()
    weights = torch.randn(images.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    first, second = images.clone().requires_grad_(), images.clone().requires_grad_()

    differentiable_jpeg(first, torch.tensor([50.0, 90.0])).mul(weights).sum().backward()
    without_rounding(second).mul(weights).sum().backward()

    # The library's conversion rounds its constants to three digits.
    torch.testing.assert_close(first.grad, second.grad, atol=5e-3, rtol=0)


def test_a_flat_grey_is_kept():
    flat = torch.full((1, 3, 16, 16), 100 / 255)

    torch.testing.assert_close(differentiable_jpeg(flat, torch.tensor([50.0])), flat, atol=1.01 / 255, rtol=0)


def test_qualities_are_whole_and_both_ends_are_drawn():
    drawn = Jpeg(quality=Range(88, 91)).sample(400, torch.Generator().manual_seed(0))["quality"]

    assert sorted(set(drawn.tolist())) == [88, 89, 90, 91]
