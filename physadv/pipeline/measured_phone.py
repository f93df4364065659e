"""The virtual phone with a profile in place of printer, colours, blur and noise: `photograph --profile`."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from physadv.phone.phones import NEVER, PhoneError, PrintSettings
from physadv.phone.presets import PhonePreset
from physadv.profiles import Profile
from physadv.profiles.channel import LEAST_HALO, OF_SD

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.phone.printing import Print
    from physadv.phone.shots import Shot

BAND = 256
"""Rows that are developed at once; a whole page of floats would need gigabytes."""


def measured_preset(preset: PhonePreset, profile: Profile) -> PhonePreset:
    """Return a preset whose pose, place and things in the way are its own, and all else as it was measured.

    Exposure and white balance vary about those of the profile's photos as they did there.

    Raises:
        PhoneError: the preset prints in another way than a target was printed.
    """
    if preset.settings != PrintSettings():
        raise PhoneError(
            f"preset {preset.name}: prints in a way of its own; a profile goes with no such preset"
        )
    spread, blur, jpeg = profile.colour_spread, profile.blur, profile.jpeg
    light, tint = OF_SD * spread.exposure, OF_SD * math.hypot(spread.red, spread.blue) / math.sqrt(2)
    sigmas = [blur.sigma_px * (1 + side * OF_SD * blur.spread) for side in (-1, 1)]
    phone = replace(
        preset.phone,
        exposure=(math.exp(-light), math.exp(light)),
        white_balance=min(tint, 1),
        warmth=NEVER,
        vignette=NEVER,
        blur=(max(0.5, sigmas[0]), max(0.5, sigmas[1])),
        defocus=NEVER,
        motion=NEVER,
        quality=preset.phone.quality if jpeg.quality is None else (jpeg.quality, jpeg.quality),
        quantisers=None,
        subsampling=jpeg.subsampling or preset.phone.subsampling,
    )
    return replace(preset, phone=phone, printer=replace(preset.printer, halftone="continuous"))


def print_as_measured(page: NDArray[np.uint8], profile: Profile) -> "Print":
    """Return a page's pixels (H, W, 3) on paper, as light that is photographed in the profile's colours."""
    import torch

    from physadv.phone.printing import Print
    from physadv.transforms.presses import light_of_levels

    looks, dots = profile.looks(), np.empty_like(page)
    for top in range(0, len(page), BAND):
        pixels = torch.from_numpy(page[top : top + BAND]).permute(2, 0, 1)[None].float() / 255
        shown = (255 * looks.apply(pixels, {})).round().byte()
        dots[top : top + BAND] = shown[0].permute(1, 2, 0).numpy()
    return Print(dots, np.tile(light_of_levels(), (3, 1)), spread=0.0)


class MeasuredSensor:
    """A sensor and all that a phone makes of its light, as in a profile: sharpening, then noise."""

    def __init__(self, shot: "Shot", profile: Profile) -> None:
        self._profile, self._noise = profile, np.random.default_rng(shot.seed)
        self._light = np.empty((shot.camera.height, shot.camera.width, 3), np.float32)

    def expose(self, top: int, light: "Tensor") -> None:
        """Take the blurred light (3, h, W) of the rows from `top` on; it may go on below the photo."""
        rows = self._light[top : top + light.shape[1]]
        rows[:] = light.permute(1, 2, 0).numpy()[: len(rows)]

    def read_out(self) -> NDArray[np.uint8]:
        """Return the photo (H, W, 3), uint8 sRGB, of all bands."""
        import cv2

        from physadv.phone.sensor import TONES, sharpen, tones

        blur, noise = self._profile.blur, self._profile.noise
        encoded = tones(contrast=0)
        photo = np.empty(self._light.shape, np.uint8)
        bands = [slice(top, top + BAND) for top in range(0, len(photo), BAND)]
        for rows in bands:
            photo[rows] = encoded[(self._light[rows].clip(0, 1) * (TONES - 1)).astype(np.uint16)]
        if blur.amount >= LEAST_HALO:
            sharpen(photo, blur.amount, blur.radius_px)
        levels = np.linspace(0, 255, len(noise.curve))
        sds = np.interp(np.arange(256), levels, noise.curve).astype(np.float32)
        taps = cv2.getGaussianKernel(2 * math.ceil(4 * noise.length_px) + 1, noise.length_px)
        for rows in bands:
            grain = self._noise.standard_normal(photo[rows].shape, np.float32)
            grain = cv2.sepFilter2D(grain, -1, taps, taps, borderType=cv2.BORDER_REFLECT) / (taps**2).sum()
            photo[rows] = (photo[rows] + sds[photo[rows]] * grain).round().clip(0, 255)
        return photo
