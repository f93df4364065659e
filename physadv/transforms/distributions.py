"""Distributions over what happens to light and pixels: ink, colour, lens, sensor, resolution, file.

Here are their ranges, checks and draws. What a draw does to images is computed by functions of tensors in
other modules, imported when a distribution is applied: reading and checking one needs no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from physadv.transforms.protocol import Parameters, TransformError
from physadv.transforms.ranges import HALF_TURN, ONE, ZERO, Range, fixed, require

if TYPE_CHECKING:
    import torch
    from torch import Tensor

DAYLIGHT = 6504.0
"""The colour temperature, kelvin, of sRGB's white: the one that changes nothing."""

_UNCORRECTED = fixed(DAYLIGHT)


@dataclass(frozen=True)
class Ink:
    """A distribution over printers, on linear light; by default one that prints what it is given.

    The spread of ink is left to `Optics`: to what sees the print it is one more blur.

    Attributes:
        white: reflectance of the paper, drawn once for all channels.
        black: reflectance of full ink, relative to white.
        dot_gain: rise of a 50 % ink coverage, as a fraction (0.05: 50 % prints as 55 %).
        crosstalk: share of each channel that every other channel takes from it.
        yellowing: how much less the paper reflects blue, as a fraction.

    Raises:
        TransformError: a range leaves 0 to 1, dot gain 0 to 0.25 or crosstalk 0 to a third.
    """

    white: Range = ONE
    black: Range = ZERO
    dot_gain: Range = ZERO
    crosstalk: Range = ZERO
    yellowing: Range = ZERO

    def __post_init__(self) -> None:
        for name in ("white", "black", "yellowing"):
            require(name, getattr(self, name), at_least=0, at_most=1)
        require("dot_gain", self.dot_gain, at_least=0, at_most=0.25)
        require("crosstalk", self.crosstalk, at_least=0, at_most=1 / 3)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw every quantity above, (n,)."""
        return _draws(self, n, generator, "white", "black", "dot_gain", "crosstalk", "yellowing")

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the reflectance (n, 3, H, W), linear light in [0, 1], of linear light in [0, 1]."""
        import torch

        from physadv.transforms.colours import ink

        white = parameters["white"]
        return ink(
            images,
            white=torch.stack([white, white, white * (1 - parameters["yellowing"])], dim=1),
            black=parameters["black"],
            dot_gain=parameters["dot_gain"],
            crosstalk=parameters["crosstalk"],
        )


@dataclass(frozen=True)
class Photometry:
    """A distribution over light and colour: one affine colour map a sample, then one curve where asked for.

    Attributes:
        brightness: added to all channels, in units of the images (0.1 is 25.5 levels).
        contrast: factor about each channel's mean (`adjust_contrast`).
        saturation: factor about the luma.
        gain: factor of all channels.
        channel_gain: factor of each channel, drawn three times a sample.
        channel_offset: added to each channel, drawn three times a sample.
        white_balance: gain less 1 of red and of blue, drawn twice a sample.
        temperature: colour temperature of the light, kelvin; 6504 changes nothing.
        gamma: exponent applied after all of the above.
        tone: strength of an S-shaped curve applied last.

    Raises:
        TransformError: a factor below 0, a gamma not above 0, a temperature outside 1667 to 25000 K, a tone
            outside 0 to 1.
    """

    brightness: Range = ZERO
    contrast: Range = ONE
    saturation: Range = ONE
    gain: Range = ONE
    channel_gain: Range = ONE
    channel_offset: Range = ZERO
    white_balance: Range = ZERO
    temperature: Range = _UNCORRECTED
    gamma: Range = ONE
    tone: Range = ZERO

    def __post_init__(self) -> None:
        for name in ("contrast", "saturation", "gain", "channel_gain"):
            require(name, getattr(self, name), at_least=0)
        require("white_balance", self.white_balance, at_least=-1)
        require("gamma", self.gamma, above=0)
        require("temperature", self.temperature, at_least=1667, at_most=25000)
        require("tone", self.tone, at_least=0, at_most=1)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw every quantity above, (n,), those of channels (n, 3), `white_balance` (n, 2)."""
        names = ("brightness", "contrast", "saturation", "gain", "temperature", "gamma", "tone")
        widths = {"channel_gain": 3, "channel_offset": 3, "white_balance": 2}
        return _draws(self, n, generator, *names) | {
            name: getattr(self, name).draw(n, generator, width) for name, width in widths.items()
        }

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, 3, H, W) in [0, 1] in that light, in [0, 1]."""
        from physadv.transforms.colours import adjust_gamma, adjust_tone, apply_colour_map

        if self != Photometry(gamma=self.gamma, tone=self.tone):
            images = apply_colour_map(images, self._maps(images, parameters))
        if not self.gamma.is_only(1):
            images = adjust_gamma(images, parameters["gamma"])
        if not self.tone.is_only(0):
            images = adjust_tone(images, parameters["tone"])
        return images

    def _maps(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the affine colour maps (n, 3, 4) of a draw on images (n, 3, H, W)."""
        import torch

        from physadv.transforms.colours import colour_map, temperature_gain

        red, blue = (1 + parameters["white_balance"]).unbind(dim=1)
        gain = torch.stack([red, torch.ones_like(red), blue], dim=1)
        gain = gain * parameters["channel_gain"] * parameters["gain"][:, None]
        if not self.temperature.is_only(DAYLIGHT):
            gain = gain * temperature_gain(parameters["temperature"])
        return colour_map(
            contrast=parameters["contrast"].to(images),
            saturation=parameters["saturation"].to(images),
            gain=gain.to(images),
            offset=(parameters["channel_offset"] + parameters["brightness"][:, None]).to(images),
            mean=None if self.contrast.is_only(1) else images.mean(dim=(2, 3)),
        )


@dataclass(frozen=True)
class Optics:
    """A lens out of focus in a hand that moves: one kernel a sample, separable when it is only gaussian.

    Attributes:
        sigma: standard deviation of the gaussian, pixels of the image.
        defocus: radius of the disc, pixels.
        motion: length of the line, pixels; its direction is drawn too.

    Raises:
        TransformError: a range goes below 0.
    """

    sigma: Range = ZERO
    defocus: Range = ZERO
    motion: Range = ZERO

    def __post_init__(self) -> None:
        for name in ("sigma", "defocus", "motion"):
            require(name, getattr(self, name), at_least=0)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `sigma`, `defocus`, `motion` and the motion's `angle` in degrees, each (n,)."""
        drawn = _draws(self, n, generator, "sigma", "defocus", "motion")
        return drawn | {"angle": (HALF_TURN if self.motion.high else ZERO).draw(n, generator)}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images (n, C, H, W) blurred, each with its own row's kernel.

        Kernels are as wide as the distribution's largest, so that a row's result does not depend on its
        neighbours.
        """
        from physadv.transforms.optics import REACH, blur, camera_kernel, gaussian_blur

        soft = math.ceil(REACH * self.sigma.high)
        if self.defocus.is_only(0) and self.motion.is_only(0):
            return gaussian_blur(images, parameters["sigma"], soft)
        names = ("sigma", "defocus", "motion", "angle")
        radii = (soft, math.ceil(self.defocus.high), math.ceil(self.motion.high / 2 + 0.5))
        kernels = camera_kernel(*(parameters[name] for name in names), radii=radii)
        excess = max(0, kernels.shape[-1] // 2 - min(images.shape[-2:]) + 1)
        if excess:
            kernels = kernels[:, excess:-excess, excess:-excess]
            kernels = kernels / kernels.sum(dim=(1, 2), keepdim=True)
        return blur(images, kernels)


@dataclass(frozen=True)
class Sensor:
    """A sensor's shot and read noise, on whatever the images hold: linear light, or its code.

    Attributes:
        read: standard deviation without light, in units of the images.
        shot: variance per unit of signal.

    Raises:
        TransformError: a range goes below 0.
    """

    read: Range = ZERO
    shot: Range = ZERO

    def __post_init__(self) -> None:
        require("read", self.read, at_least=0)
        require("shot", self.shot, at_least=0)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `read`, `shot` and the `seed` of the noise, each (n,)."""
        from physadv.transforms.noise import draw_seeds

        return _draws(self, n, generator, "read", "shot") | {"seed": draw_seeds(n, generator)}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, C, H, W) in [0, 1] with the noise of their seeds, in [0, 1]."""
        from physadv.transforms.noise import gaussian_noise, pooled_normal, sensor_noise

        noise = pooled_normal(parameters["seed"], images)
        if self.shot.is_only(0):
            return gaussian_noise(images, parameters["read"], noise)
        return sensor_noise(images, parameters["shot"], parameters["read"], noise)


@dataclass(frozen=True)
class Resolution:
    """A picture photographed with few pixels, then brought back to its size.

    Attributes:
        height: pixels that the picture covers in the photo; as many as it has, or more, change nothing.

    Raises:
        TransformError: a height below 2.
    """

    height: Range

    def __post_init__(self) -> None:
        require("height", self.height, at_least=2)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `height` (n,)."""
        return _draws(self, n, generator, "height")

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images (n, C, H, W) reduced to whole heights, each its own, and enlarged again."""
        from physadv.transforms.resampling import reduce_and_enlarge

        return reduce_and_enlarge(images, parameters["height"])


@dataclass(frozen=True)
class Jpeg:
    """A distribution over JPEG files, by the differentiable model.

    Attributes:
        quality: whole numbers from 1 to 100, libjpeg's scale; both ends are drawn.

    Raises:
        TransformError: the range leaves 1 to 100 or holds no whole number.
    """

    quality: Range

    def __post_init__(self) -> None:
        require("quality", self.quality, at_least=1, at_most=100)
        if math.ceil(self.quality.low) > math.floor(self.quality.high):
            raise TransformError(f"quality {self.quality}; wanted a whole number between")

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `quality`, whole numbers (n,), each as likely."""
        import torch

        low, high = math.ceil(self.quality.low), math.floor(self.quality.high)
        drawn = torch.randint(low, high + 1, (n,), generator=generator, device=generator.device)
        return {"quality": drawn.double()}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, 3, H, W) in [0, 1] as files hold them; see `differentiable_jpeg`."""
        from physadv.transforms.jpeg import differentiable_jpeg

        return differentiable_jpeg(images, parameters["quality"])


def _draws(distribution: object, n: int, generator: torch.Generator, *names: str) -> Parameters:
    """Return draws (n,) of the ranges of these names, in this order."""
    return {name: getattr(distribution, name).draw(n, generator) for name in names}
