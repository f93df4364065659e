"""The sensor and what the phone makes of it: light becomes an 8-bit photo."""

import math

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.phone.shots import Shot
from physadv.transforms.camera import develop

SHARPENING_SIGMA = 1.5


class Sensor:
    """A shot's sensor, exposed band by band from the top and read out once."""

    def __init__(self, shot: Shot) -> None:
        self.shot = shot
        self._generator = torch.Generator().manual_seed(shot.seed)
        self._photo = np.empty((shot.camera.height, shot.camera.width, 3), np.uint8)

    def expose(self, top: int, light: Tensor) -> None:
        """Take the blurred light (3, h, W) of the rows from `top` on; rows below the photo are left out."""
        image = _developed(light, self.shot, self._generator)[:, : self.shot.camera.height - top]
        self._photo[top : top + image.shape[1]] = image.permute(1, 2, 0).numpy()

    def read_out(self) -> NDArray[np.uint8]:
        """Return the photo (H, W, 3), uint8 sRGB, of all bands."""
        photo, sharpening = self._photo, self.shot.sharpening
        if sharpening:
            soft = cv2.GaussianBlur(photo, (0, 0), SHARPENING_SIGMA)
            cv2.addWeighted(photo, 1 + sharpening, soft, -sharpening, 0, dst=photo)
        return photo


def _developed(light: Tensor, shot: Shot, generator: torch.Generator) -> Tensor:
    """Return the phone's 8-bit sRGB image (3, h, w) of linear light, its noise spread by `grain`."""
    noise = torch.randn(light.shape, generator=generator).numpy()
    taps = cv2.getGaussianKernel(2 * math.ceil(3 * shot.grain) + 1, shot.grain)
    spread = np.stack([cv2.sepFilter2D(channel, -1, taps, taps) for channel in noise])
    spread_noise = torch.from_numpy(spread)[None] / float((taps**2).sum())
    of_light, read, tone = torch.tensor([[shot.shot_noise], [shot.read_noise], [shot.contrast]])
    image = develop(light[None], shot=of_light, read=read, noise=spread_noise, tone=tone)
    return (image[0] * 255).round().clamp(0, 255).to(torch.uint8)
