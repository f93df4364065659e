"""A camera: linear light becomes the pixels of a file; noise is drawn from stored seeds and can be replayed.

What an attack is optimised over and what it is tested with differ in their parameters only.
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

    `light` is (B, 3, H, W), 0 or more; 1 is where the sensor clips. `shot`, `read` and `noise` are those of
    `sensor_noise`, `tone` the strength (B,) of `adjust_tone`; plain sRGB without it. Optimisation has no more
    of a camera than this: what a virtual phone does besides, in its own colours, with mosaic, demosaicking,
    denoising, local tone mapping and sharpening (`physadv.phone.sensor`), is left out of it.
    """
    images = linear_to_srgb(sensor_noise(light, shot, read, noise))
    return images if tone is None else adjust_tone(images, tone)


def gaussian_noise(images: Tensor, sd: Tensor, noise: Tensor) -> Tensor:
    """Return images (B, C, H, W) in [0, 1] with gaussian noise added, clipped; all arguments take gradients.

    `sd` (B,) is in units of the images (10 levels are 10/255); `noise` is standard normal, of their shape.
    """
    return (images + per_image(sd, images) * noise).clamp(0, 1)


def sensor_noise(images: Tensor, shot: Tensor, read: Tensor, noise: Tensor) -> Tensor:
    """Return images (B, C, H, W) in [0, 1] with a sensor's noise, clipped; differentiable in the images.

    Its variance is shot · signal + read² (Foi et al. 2008), `shot` and `read` (B,); `noise` is standard
    normal, of the images' shape.
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
    """Return noise as `standard_normal` does, but every image's is a stretch of one fixed pool.

    Its seed points at the stretch: a copy instead of a draw, for optimisation, where fresh noise costs more
    than it is worth. Two images' stretches may overlap, displaced.
    """
    count = like[0].numel()
    size = max(_POOL, 1 << (4 * count - 1).bit_length())
    pool = _noise_pool(size, like.device)
    rows = [pool[start : start + count] for start in (seeds % (size - count)).tolist()]
    return torch.stack(rows).to(like.dtype).reshape(like.shape)


@lru_cache(maxsize=4)
def _noise_pool(size: int, device: torch.device) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(0)).to(device)
