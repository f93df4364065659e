"""What may happen to a 32-pixel sign between road, printer and camera, drawn at random for training."""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

ROTATION = 14.0
"""Largest rotation, degrees."""
ZOOM = (0.78, 1.38)
"""From a sign with a wide margin to one that is cut a little by the frame."""

_TRIANGLES = (11, 13, *range(18, 32))
_MIRROR = {label: label for label in (11, 12, 13, 15, 17, 18, 22, 26, 35)}
_MIRROR |= {19: 20, 20: 19, 33: 34, 34: 33, 36: 37, 37: 36, 38: 39, 39: 38}


def augmented(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return each sign once more under a random pose, background, light, lens and compression.

    Images are float RGB (B, 3, S, S) in [0, 1], S a multiple of 8; a mirrored sign may change class.
    """
    images, labels = _mirrored(images, labels, generator)
    return viewed(images, labels, generator), labels


def viewed(images: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Return each sign as `augmented` does but never mirrored; gradients reach the images."""
    images = _posed(images, labels, generator)
    images = _lit(images, generator)
    images = _refocused(images, generator)
    images = _compressed(images, generator)
    return images.clamp(0, 1)


def _uniform(low: float, high: float, batch: int, generator: Generator) -> Tensor:
    return (low + (high - low) * torch.rand(batch, generator=generator)).view(-1, 1, 1, 1)


def _applies(probability: float, batch: int, generator: Generator) -> Tensor:
    return (torch.rand(batch, generator=generator) < probability).float().view(-1, 1, 1, 1)


def _mirrored(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    partner = torch.tensor([_MIRROR.get(int(label), -1) for label in labels])
    flip = (partner >= 0) & (torch.rand(len(labels), generator=generator) < 0.5)
    return torch.where(flip.view(-1, 1, 1, 1), images.flip(3), images), torch.where(flip, partner, labels)


def _posed(images: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Warp by one homography per sign; put new ground where the frame, or often the sign, ends."""
    batch, _, side, _ = images.shape
    grid = _homography_grid(batch, side, generator)
    warped = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    outside = (grid.abs().amax(dim=3) > 1).float().unsqueeze(1) * _applies(0.6, batch, generator)
    # Triangles reach further into the corners of their box than discs, octagons and diamonds do.
    reach = torch.isin(labels, torch.tensor(_TRIANGLES)).float().view(-1, 1, 1, 1) * 0.25 + 0.9
    radius = reach + _uniform(0, 0.35, batch, generator)
    beyond = ((grid.norm(dim=3).unsqueeze(1) - radius) / 0.08).clamp(0, 1) * _applies(0.5, batch, generator)
    return torch.lerp(warped, _ground(batch, side, generator), torch.maximum(outside, beyond))


def _homography_grid(batch: int, side: int, generator: Generator) -> Tensor:
    """Return where in the source, in [-1, 1], each output pixel looks: (B, S, S, 2)."""

    def draw(low: float, high: float) -> Tensor:
        return _uniform(low, high, batch, generator).view(-1)

    angle = draw(-ROTATION, ROTATION) * (math.pi / 180)
    zoom = torch.exp(draw(math.log(ZOOM[0]), math.log(ZOOM[1])))
    stretch = torch.exp(draw(-0.12, 0.12))
    shear, shift_x, shift_y = draw(-0.12, 0.12), draw(-0.12, 0.12), draw(-0.12, 0.12)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    rows = [
        [cos * stretch, shear - sin, shift_x],
        [sin, cos / stretch, shift_y],
        [draw(-0.15, 0.15), draw(-0.15, 0.15), torch.ones(batch)],
    ]
    homography = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    ticks = (torch.arange(side) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], dim=2).view(1, -1, 3) @ homography.transpose(1, 2)
    return (points[..., :2] / points[..., 2:]).view(batch, side, side, 2)


def _ground(batch: int, side: int, generator: Generator) -> Tensor:
    """Return smooth random colour fields (B, 3, S, S), from black through textured to white."""
    blotches = torch.rand(batch, 3, 5, 5, generator=generator) - 0.5
    fine = torch.rand(batch, 1, side // 2, side // 2, generator=generator) - 0.5
    size = (side, side)
    field = F.interpolate(blotches, size=size, mode="bilinear", align_corners=False)
    field = field * _uniform(0, 0.8, batch, generator) + _uniform(-0.1, 1.1, batch, generator)
    field = field + 0.2 * (torch.rand(batch, 3, 1, 1, generator=generator) - 0.5)
    texture = F.interpolate(fine, size=size, mode="bilinear", align_corners=False)
    return (field + texture * _uniform(0, 0.4, batch, generator)).clamp(0, 1)


def _lit(images: Tensor, generator: Generator) -> Tensor:
    """Change exposure, gamma, saturation, colour temperature, shading, veil: weather, ink and sensor."""
    batch, _, side, _ = images.shape
    grey = images.mean(dim=1, keepdim=True)
    images = torch.lerp(grey, images, _uniform(0.3, 1.5, batch, generator)).clamp(0, 1)
    images = images ** torch.exp(_uniform(-0.5, 0.5, batch, generator))
    ticks = torch.linspace(-1, 1, side)
    slope_x, slope_y = _uniform(-0.35, 0.35, batch, generator), _uniform(-0.35, 0.35, batch, generator)
    shading = 1 + slope_x * ticks.view(1, 1, 1, -1) + slope_y * ticks.view(1, 1, -1, 1)
    tint = 1 + 0.4 * (torch.rand(batch, 3, 1, 1, generator=generator) - 0.5)
    gain = torch.exp(_uniform(-1.0, 0.9, batch, generator))
    images = (images * shading * tint * gain).clamp(0, 1)
    veil = _uniform(0, 0.4, batch, generator) * _applies(0.4, batch, generator)
    return images * (1 - veil) + veil * torch.rand(batch, 3, 1, 1, generator=generator)


def _refocused(images: Tensor, generator: Generator) -> Tensor:
    """Blur or sharpen each image along each axis, then add noise in proportion to its contrast."""
    batch, channels, _, _ = images.shape
    offsets = torch.arange(-3, 4).view(1, 1, 1, -1)
    blurred = images
    for axis in (2, 3):
        sigma = _uniform(0.3, 1.5, batch, generator)
        kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
        kernel = (kernel / kernel.sum(dim=3, keepdim=True)).repeat_interleave(channels, dim=0)
        padding = (0, 0, 3, 3) if axis == 2 else (3, 3, 0, 0)
        flat = F.pad(blurred, padding, mode="replicate").flatten(0, 1).unsqueeze(0)
        kernel = kernel.transpose(2, 3) if axis == 2 else kernel
        blurred = F.conv2d(flat, kernel, groups=batch * channels).view_as(images)
    amount = _uniform(-0.7, 1.0, batch, generator) * _applies(0.6, batch, generator)
    images = torch.lerp(images, blurred, amount)
    spread = images.std(dim=(1, 2, 3), keepdim=True) * _uniform(0, 0.35, batch, generator)
    noise = torch.randn(images.shape, generator=generator)
    return images + noise * spread * _applies(0.6, batch, generator)


def _compressed(images: Tensor, generator: Generator) -> Tensor:
    """Round each image's 8 × 8 block DCT to steps that are coarser at high frequencies, as JPEG does."""
    batch, _, side, _ = images.shape
    k = torch.arange(8)
    cosine = torch.cos(math.pi / 8 * (k.view(1, -1) + 0.5) * k.view(-1, 1)) / 2
    cosine[0] /= math.sqrt(2)
    blocks = torch.kron(torch.eye(side // 8), cosine)
    frequency = k.repeat(side // 8)
    weight = 0.3 + (frequency.view(-1, 1) + frequency.view(1, -1)) / 14
    contrast = images.std(dim=(1, 2, 3), keepdim=True) + 1 / 255
    step = weight * contrast * _uniform(0.05, 1.0, batch, generator)
    rounded = (blocks @ images @ blocks.T / step).round() * step
    return torch.lerp(images, blocks.T @ rounded @ blocks, _applies(0.3, batch, generator))
