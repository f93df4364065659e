"""The sensor and what the phone makes of it: light becomes an 8-bit photo.

In order, in linear light: into the camera's colours, shot and read noise and the Bayer mosaic, white balance
and clipping, demosaicking, denoising, back from the camera's colours, local tone mapping; then sRGB, the tone
curve and an unsharp mask, whose halo is as a phone's. Noise, gains, colours and tone curve are those of
Brooks et al. 2019, "Unprocessing Images for Learned Raw Denoising"; the other stages are models of this
project's. The shot's seed gives the noise.
"""

import math
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.phone.shots import Shot
from physadv.transforms.camera import develop

Plane = NDArray[np.float32]

CAMERAS = {
    "Huawei Nexus 6P": ((1.0234, -0.2969, -0.2266), (-0.5625, 1.6328, -0.0469), (-0.0703, 0.2188, 0.6406)),
    "Sony A7R": ((0.4913, -0.0541, -0.0202), (-0.6130, 1.3513, 0.2906), (-0.1564, 0.2151, 0.7183)),
    "Olympus E-M10": ((0.8380, -0.2630, -0.0639), (-0.2887, 1.0725, 0.2496), (-0.0627, 0.1427, 0.5438)),
    "Sony RX100 IV": ((0.6596, -0.2079, -0.0562), (-0.4782, 1.3016, 0.1933), (-0.0970, 0.1581, 0.5181)),
}
"""Colour matrices of the cameras of Brooks et al. 2019, XYZ to camera; a phone's is a mixture of them."""
RGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
MOSAIC = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2))
"""The Bayer mosaic, RGGB: row and column of a block of two by two, and the channel that is seen there."""
LUMA = ((0.25, 0.5, 0.25),)
"""Brightness as a block of the mosaic has it."""
BLACK, WHITE = 4096, 61440
"""Codes in 16 bits of no light and of white; noise goes below the one, nothing above the other."""
BAND, OVERLAP = 256, 32
TONES = 2**14
COARSE, AROUND, EDGE = 16, 5, 0.25
"""Local tone mapping: pixels a side of a region, regions around it, and log2 of light that is an edge."""


class Sensor:
    """A shot's sensor, exposed band by band from the top and read out once.

    Attributes:
        shot: the exposure.
        mosaic: what it has seen, (H, W), uint16 codes from `BLACK` to `WHITE` after the white balance.
    """

    def __init__(self, shot: Shot) -> None:
        self.shot = shot
        self._noise = np.random.default_rng(shot.seed)
        self.mosaic = np.empty((shot.camera.height, shot.camera.width), np.uint16)
        self._colours = camera_colours(shot.mixture)

    def expose(self, top: int, light: Tensor) -> None:
        """Take the blurred light (3, h, W) of the rows from `top`, an even one, on; it may go on below."""
        shot = self.shot
        raw = self.mosaic[top : top + light.shape[1]]
        seen = light.numpy()[:, : len(raw)]
        for row, column, channel in MOSAIC:
            gain = shot.balance[channel] / shot.headroom
            red, green, blue = seen[:, row::2, column::2]
            of_red, of_green, of_blue = (float(share) / gain for share in self._colours[channel])
            signal = of_red * red + of_green * green + of_blue * blue
            sd = np.sqrt(shot.shot_noise * np.maximum(signal, 0) + shot.read_noise**2)
            signal += sd * self._noise.standard_normal(signal.shape, np.float32)
            codes = BLACK + (WHITE - BLACK) * gain * signal
            raw[row::2, column::2] = np.clip(codes, 0, WHITE)

    def read_out(self) -> NDArray[np.uint8]:
        """Return the photo (H, W, 3), uint8 sRGB, of all bands."""
        shot, height = self.shot, len(self.mosaic)
        photo = np.empty((*self.mosaic.shape, 3), np.uint8)
        table = tones(shot.contrast)
        exposure = local_exposure(self.mosaic, shot.local_tone) if shot.local_tone else None
        for top in range(0, height, BAND):
            first = max(0, top - OVERLAP)
            light = self._rendered(self.mosaic[first : top + BAND + OVERLAP])[top - first :][:BAND]
            if exposure is not None:
                light *= exposure[top : top + BAND, :, None]
            light *= TONES - 1
            photo[top : top + BAND] = table[np.clip(light, 0, TONES - 1, out=light).astype(np.uint16)]
        if shot.sharpening:
            sharpen(photo, shot.sharpening, shot.halo)
        return photo

    def _rendered(self, raw: NDArray[np.uint16]) -> Plane:
        """Return the denoised light (h, W, 3), linear sRGB, of rows of the mosaic, the first an even one."""
        shot = self.shot
        colours = cv2.cvtColor(raw, cv2.COLOR_BayerRGGB2RGB_EA).astype(np.float32)
        colours -= BLACK
        colours *= 1 / (WHITE - BLACK)
        brightness = self._denoised(cv2.transform(colours, np.array(LUMA)))
        half = (math.ceil(raw.shape[1] / 2), math.ceil(raw.shape[0] / 2))
        coarse = cv2.resize(colours, half, interpolation=cv2.INTER_AREA)
        coarse -= cv2.transform(coarse, np.array(LUMA))[..., None]
        coarse = cv2.GaussianBlur(coarse, (0, 0), shot.colour_grain)
        coarse = cv2.transform(coarse, np.linalg.inv(self._colours))
        light: Plane = cv2.resize(coarse, raw.shape[::-1], interpolation=cv2.INTER_LINEAR)
        # The matrices keep white white: what has no colour goes through them as it is.
        light += brightness[..., None]
        return light

    def _denoised(self, brightness: Plane) -> Plane:
        """Return brightness (h, W) of which detail within the noise is averaged away and edges are kept."""
        shot = self.shot
        if not shot.denoising:
            return brightness
        soft = cv2.GaussianBlur(brightness, (0, 0), shot.grain)
        detail = brightness - soft
        power = np.square(detail)
        threshold = np.maximum(soft, 0)
        threshold *= shot.denoising**2 * shot.shot_noise / shot.headroom
        threshold += (shot.denoising * shot.read_noise / shot.headroom) ** 2 + 1e-12
        threshold += power
        power /= threshold
        detail *= power
        denoised: Plane = soft + detail
        return denoised


def camera_colours(mixture: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the matrix (3, 3) that takes linear sRGB to the balanced colours of a mixture of `CAMERAS`.

    >>> camera_colours((1.0, 0.0, 0.0, 0.0)).sum(axis=1).round(6)
    array([1., 1., 1.])
    """
    matrix = np.tensordot(mixture, list(CAMERAS.values()), axes=1) @ np.array(RGB_TO_XYZ)
    balanced: NDArray[np.float64] = matrix / matrix.sum(axis=1, keepdims=True)
    return balanced


def local_exposure(raw: NDArray[np.uint16], strength: float) -> Plane:
    """Return the gain (H, W) of every pixel: what the light around it is below or above the photo's.

    The light of a region of `COARSE` pixels is that of its surroundings, less what lies beyond an edge
    (guided filter, He et al. 2010), to the power of `strength`.
    """
    size = (math.ceil(raw.shape[1] / COARSE), math.ceil(raw.shape[0] / COARSE))
    light = cv2.resize(raw, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    stops = np.log2(np.maximum((light - BLACK) / (WHITE - BLACK), 2.0**-8))

    def around(plane: Any) -> Any:
        return cv2.blur(plane, (2 * AROUND + 1,) * 2, borderType=cv2.BORDER_REPLICATE)

    mean = around(stops)
    variance = around(stops * stops) - mean * mean
    slope = variance / (variance + EDGE**2)
    base = around(slope) * stops + around(mean - slope * mean)
    gain: Plane = np.exp2(strength * (base.mean() - base)).astype(np.float32)
    everywhere: Plane = cv2.resize(gain, raw.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return everywhere


def sharpen(photo: NDArray[np.uint8], amount: float, sigma: float) -> None:
    """Sharpen a photo (H, W, 3) in place by an unsharp mask of a gaussian `sigma`, pixels."""
    soft = cv2.GaussianBlur(photo, (0, 0), sigma)
    cv2.addWeighted(photo, 1 + amount, soft, -amount, 0, dst=photo)


def tones(contrast: float) -> NDArray[np.uint8]:
    """Return the 8-bit code of each of `TONES` values of linear light from 0 to 1."""
    light = torch.linspace(0, 1, TONES).reshape(1, 1, 1, -1)
    none = torch.zeros(1)
    code = develop(light, shot=none, read=none, noise=torch.zeros_like(light), tone=torch.tensor([contrast]))
    table: NDArray[np.uint8] = (code.flatten() * 255).round().to(torch.uint8).numpy()
    return table
