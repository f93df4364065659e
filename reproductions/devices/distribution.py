"""A printer and a phone as an attack can be optimised over them: their numbers as an EOT distribution."""

from collections.abc import Sequence
from math import exp, hypot, log, pi, sqrt

from physadv.phone.phones import Interval
from physadv.phone.presets import PhonePreset
from physadv.phone.shots import READ_LEVEL, READ_SLOPE
from physadv.sheets.layout import PAGES
from physadv.transforms import Optics, Photometry, Press, Sensor, Transformation, Warp, compose
from physadv.transforms.protocol import Range, in_linear_light, plus_minus

_PAPER = 0.85
"""Light that bare paper reflects."""
_ASIDE = 0.5
"""Share of the light's falloff, and of the lens's, that a picture away from the middle of the page meets."""


def as_distribution(presets: Sequence[PhonePreset], pixel_mm: float) -> Transformation:
    """Return the EOT distribution of a picture printed, photographed and cropped as presets do.

    One of their presses is drawn for every sample; every other number is drawn from the least to the greatest
    that any of the presets has. Blur and noise of the photo become those of the picture's pixels, which are
    `pixel_mm` wide on A4 paper. It knows nothing of halftone dots, bent paper, thumbs and glare, of the
    mosaic and what becomes of it, of local tone mapping, sharpening and the phone's file.

    >>> import torch
    >>> from physadv.phone import load_phone_preset
    >>> eot = as_distribution([load_phone_preset("office")], pixel_mm=0.16)
    >>> eot.apply(torch.rand(2, 3, 16, 16), eot.sample(2, torch.Generator().manual_seed(0))).shape
    torch.Size([2, 3, 16, 16])
    """
    numbers = [_numbers(preset, pixel_mm) for preset in presets]

    def over(*names: str) -> dict[str, Range]:
        found = {name: [each[name] for each in numbers] for name in names}
        return {name: Range(min(found[name])[0], max(high for _, high in found[name])) for name in names}

    off = plus_minus(0.0005)
    return compose(
        in_linear_light(
            Press(tuple(preset.printer.press for preset in presets)),
            Warp(rotation=plus_minus(0.03), scale=Range(0.9995, 1.0005), shift_x=off, shift_y=off),
            Photometry(**over("brightness", "gain", "white_balance")),
            Optics(**over("sigma", "defocus", "motion")),
            Sensor(**over("read", "shot")),
        ),
        Photometry(**over("tone")),
    )


def _numbers(preset: PhonePreset, pixel_mm: float) -> dict[str, Interval]:
    """Return the ranges of one preset by the names of the transformations' attributes."""
    phone, pale = preset.phone, 1 - preset.printer.ink
    width, height = PAGES["a4"]
    per_mm = min(phone.width / width, phone.height / height) * (phone.fill[0] + phone.fill[1]) / 2
    pixels, spread = pixel_mm * per_mm, preset.printer.spread_mm / pixel_mm
    darker = 1 - _ASIDE * (phone.falloff[1] + phone.vignette[1])
    # Warm light moves red and blue apart.
    cast = (1 + phone.white_balance) * (1 + max(map(abs, phone.warmth))) - 1
    # The mean white balance makes noise stronger; denoising and the mean over a picture's pixel, weaker.
    gain = (phone.red_gain[1] + 1 + phone.blue_gain[1]) / (3 * phone.headroom[0])
    reach = hypot(phone.grain[0] if phone.denoising[1] else 0.0, pixels / sqrt(12))
    left = min(1.0, 1 / (2 * sqrt(pi) * reach))
    joint = [exp((READ_SLOPE * log(shot) + READ_LEVEL) / 2) if shot else 0.0 for shot in phone.shot_noise]
    read = phone.read_noise or (joint[0], joint[1])
    return {
        "brightness": (0.0, pale * _PAPER),
        "gain": (
            (1 - pale) * phone.exposure[0] * darker,
            phone.exposure[1] * (1 + _ASIDE * phone.falloff[1]),
        ),
        "white_balance": (-cast, cast),
        "sigma": (hypot(phone.blur[0] / pixels, spread), hypot(phone.blur[1] / pixels, spread)),
        "defocus": (phone.defocus[0] / pixels, phone.defocus[1] / pixels),
        "motion": (phone.motion[0] / pixels, phone.motion[1] / pixels),
        "read": (read[0] * gain * left, read[1] * gain * left),
        "shot": (phone.shot_noise[0] * gain * left**2, phone.shot_noise[1] * gain * left**2),
        "tone": phone.contrast,
    }
