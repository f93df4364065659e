"""A camera: linear light becomes the pixels of a file, after the lens and before compression.

The virtual phone, the lab test and the drive-by test all develop with this module, which is made of the same
functions as the EOT presets: what an attack is optimised over and what it is tested with differ in their
parameters only.
"""

from torch import Tensor

from physadv.transforms.colours import adjust_tone, linear_to_srgb
from physadv.transforms.noise import sensor_noise


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
