"""A camera: linear light becomes the pixels of a file; noise is drawn from stored seeds and can be replayed.

The virtual phone, the lab test, the drive-by test and the EOT presets share these functions: what an attack
is optimised over and what it is tested with differ in their parameters only.
"""

from functools import lru_cache

import torch
from torch import Tensor

from physadv.transforms.colours import adjust_tone, linear_to_srgb, per_image, with_slope

_SEEDS = 2**62
_POOL = 2**22


def develop(
    light: Tensor, *, shot: Tensor, read: Tensor, noise: Tensor, tone: Tensor | None = None
) -> Tensor:
    """Return sRGB images (B, 3, H, W) in [0, 1] of linear light: sensor noise, clipping, sRGB, tone curve.

    Args:
        light: (B, 3, H, W), 0 or more; 1 is where the sensor clips.
        shot: (B,) variance of the noise per unit of light.
        read: (B,) standard deviation of the noise without light.
        noise: standard normal, of the light's shape.
        tone: (B,) strength of an S-shaped tone curve in [0, 1]; plain sRGB without it.

    >>> import torch
    >>> light, none = torch.full((1, 3, 1, 1), 0.2), torch.zeros(1)
    >>> image = develop(light, shot=none, read=none, noise=torch.randn(1, 3, 1, 1))
    >>> (image * 255).round().flatten().tolist()
    [124.0, 124.0, 124.0]
    """
    images = linear_to_srgb(sensor_noise(light, shot, read, noise))
    return images if tone is None else adjust_tone(images, tone)


def gaussian_noise(images: Tensor, sd: Tensor, noise: Tensor) -> Tensor:
    """Return images in [0, 1] with gaussian noise added, clipped; differentiable in all arguments.

    Args:
        images: float (B, C, H, W) in [0, 1].
        sd: (B,), in units of the images (10 8-bit levels are 10/255).
        noise: standard normal, of the images' shape.
    """
    return (images + per_image(sd, images) * noise).clamp(0, 1)


def sensor_noise(images: Tensor, shot: Tensor, read: Tensor, noise: Tensor) -> Tensor:
    """Return images in [0, 1] with a sensor's noise, of variance shot · signal + read² (Foi et al. 2008).

    Clipped, and differentiable in the images.

    Args:
        images: float (B, C, H, W), the signal, in [0, 1].
        shot: (B,) variance per unit of signal.
        read: (B,) standard deviation without light.
        noise: standard normal, of the images' shape.
    """
    with torch.no_grad():
        floor = per_image(read.square(), images)
        sd = torch.addcmul(floor, images.clamp_min(0), per_image(shot, images)).sqrt_()
        noisy = slope = torch.addcmul(images, noise, sd)
        if images.requires_grad:
            slope = (noise * per_image(shot / 2, images)).div_(sd.clamp_min_(1e-6)).add_(1)
    return with_slope(images, noisy, slope).clamp(0, 1)


def draw_seeds(n: int, generator: torch.Generator) -> Tensor:
    """Return n independent seeds, int64 (n,), each of which stands for one image's noise."""
    return torch.randint(_SEEDS, (n,), generator=generator, device=generator.device)


def standard_normal(seeds: Tensor, like: Tensor) -> Tensor:
    """Return standard normal noise of the shape, dtype and device of `like`, one seed (B,) an image.

    It is drawn on the CPU, so that a seed means the same noise on every device.
    """
    generators = (torch.Generator().manual_seed(seed) for seed in seeds.tolist())
    rows = [torch.randn(like.shape[1:], generator=each, dtype=like.dtype) for each in generators]
    return torch.stack(rows).to(like.device)


def pooled_normal(seeds: Tensor, like: Tensor) -> Tensor:
    """Return standard normal noise of the shape, dtype and device of `like`, one seed (B,) an image.

    Every image takes the stretch of one fixed pool of noise that its seed points at: a copy instead of a
    draw, the same on every device, for optimisation, where fresh noise costs more than it is worth. Two
    images' stretches may overlap, displaced; `standard_normal` gives independent noise.
    """
    count = like[0].numel()
    size = max(_POOL, 1 << (4 * count - 1).bit_length())
    pool = _noise_pool(size, like.device)
    rows = [pool[start : start + count] for start in (seeds % (size - count)).tolist()]
    return torch.stack(rows).to(like.dtype).reshape(like.shape)


@lru_cache(maxsize=4)
def _noise_pool(size: int, device: torch.device) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(0)).to(device)
