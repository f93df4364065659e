"""Distributions over what happens to light and pixels: print, colour, lens, sensor, resolution, file.

Here are their ranges, checks and draws. What a draw does to images is computed by functions of tensors in
other modules, imported when a distribution is applied: reading and checking one needs no torch. A range that
leaves what its attribute allows raises TransformError, whose line names the attribute and its bound.
"""

# ruff: noqa: RUF009 - `within` makes a field

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from physadv.errors import unknown_name
from physadv.transforms.presses import PRESSES, colour_tables
from physadv.transforms.protocol import HALF_TURN, Drawn, Parameters, Range, TransformError, fixed, within

if TYPE_CHECKING:
    import torch
    from torch import Tensor

DAYLIGHT = 6504.0
"""The colour temperature, kelvin, of sRGB's white: the one that changes nothing."""


@dataclass(frozen=True)
class Press(Drawn):
    """Printing presses that were measured, on sRGB images: one is drawn for each sample, each as likely.

    Attributes:
        printers: names of `presses.PRESSES`; a name given twice is twice as likely.
    """

    printers: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.printers:
            raise TransformError(f"no printers; wanted one or more of {', '.join(PRESSES)}")
        for name in self.printers:
            if name not in PRESSES:
                raise TransformError(unknown_name("measured printer", name, PRESSES))

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `printer`, the places (n,) of names in `printers`."""
        import torch

        return {
            "printer": torch.randint(len(self.printers), (n,), generator=generator, device=generator.device)
        }

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return sRGB images (n, 3, H, W) in [0, 1] as they look on paper, in sRGB, in [0, 1]."""
        from physadv.transforms.colours import linear_to_srgb

        return linear_to_srgb(self.light(images, parameters))

    def light(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the linear light that sRGB images (n, 3, H, W) in [0, 1] reflect on paper."""
        from physadv.transforms.colours import look_up

        roots = look_up(images, colour_tables(self.printers), parameters["printer"])
        return roots.square()


@dataclass(frozen=True)
class Photometry(Drawn):
    """A distribution over light and colour: one affine colour map a sample, then one curve where asked for.

    Attributes:
        brightness: added to all channels, in units of the images (0.1 is 25.5 levels).
        contrast: factor about each channel's mean (`adjust_contrast`), 0 or more.
        saturation: factor about the luma, 0 or more.
        gain: factor of all channels, 0 or more.
        temperature: colour temperature of the light, 1667 to 25000 kelvin; 6504 changes nothing.
        gamma: exponent applied after all changes but the tone curve, above 0.
        tone: strength of an S-shaped curve applied last, 0 to 1.
        channel_gain: factor of each channel, 0 or more, drawn three times a sample.
        channel_offset: added to each channel, drawn three times a sample.
        white_balance: gain less 1 of red and of blue, -1 or more, drawn twice a sample.
    """

    brightness: Range = within(default=0)
    contrast: Range = within(0, default=1)
    saturation: Range = within(0, default=1)
    gain: Range = within(0, default=1)
    temperature: Range = within(1667, 25000, default=DAYLIGHT)
    gamma: Range = within(above=0, default=1)
    tone: Range = within(0, 1, default=0)
    channel_gain: Range = within(0, width=3, default=1)
    channel_offset: Range = within(width=3, default=0)
    white_balance: Range = within(-1, width=2, default=0)

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, 3, H, W) in [0, 1] in that light, in [0, 1]."""
        from physadv.transforms.colours import adjust_gamma, adjust_tone, apply_colour_maps, colour_maps

        if self != Photometry(gamma=self.gamma, tone=self.tone):
            mean = None if self.contrast.is_only(1) else images.mean(dim=(2, 3))
            images = apply_colour_maps(images, colour_maps(parameters, mean, like=images))
        if not self.gamma.is_only(1):
            images = adjust_gamma(images, parameters["gamma"])
        if not self.tone.is_only(0):
            images = adjust_tone(images, parameters["tone"])
        return images


@dataclass(frozen=True)
class Optics(Drawn):
    """A lens out of focus in a hand that moves: one kernel a sample, separable when it is only gaussian.

    Attributes:
        sigma: standard deviation of the gaussian, pixels of the image, 0 or more.
        defocus: radius of the disc, pixels, 0 or more.
        motion: length of the line, pixels, 0 or more; its direction is drawn too.
    """

    sigma: Range = within(0, default=0)
    defocus: Range = within(0, default=0)
    motion: Range = within(0, default=0)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `sigma`, `defocus`, `motion` and the motion's `angle` in degrees, each (n,)."""
        direction = HALF_TURN if self.motion.high else fixed(0)
        return super().sample(n, generator) | {"angle": direction.draw(n, generator)}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images (n, C, H, W) blurred, each with its own row's kernel.

        Kernels are as wide as the distribution's largest, so that a row's result does not depend on its
        neighbours.
        """
        from physadv.transforms.optics import REACH, blur, camera_kernel, gaussian_blur

        soft = math.ceil(REACH * self.sigma.high)
        if self.defocus.is_only(0) and self.motion.is_only(0):
            return gaussian_blur(images, parameters["sigma"], soft)
        radii = (soft, math.ceil(self.defocus.high), math.ceil(self.motion.high / 2 + 0.5))
        kernels = camera_kernel(**parameters, radii=radii)
        excess = max(0, kernels.shape[-1] // 2 - min(images.shape[-2:]) + 1)
        if excess:
            kernels = kernels[:, excess:-excess, excess:-excess]
            kernels = kernels / kernels.sum(dim=(1, 2), keepdim=True)
        return blur(images, kernels)


@dataclass(frozen=True)
class Sensor(Drawn):
    """A sensor's shot and read noise, on whatever the images hold: linear light, or its code.

    Attributes:
        read: standard deviation without light, in units of the images, 0 or more.
        shot: variance per unit of signal, 0 or more.
    """

    read: Range = within(0, default=0)
    shot: Range = within(0, default=0)

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `read`, `shot` and the `seed` of the noise, each (n,)."""
        from physadv.transforms.camera import draw_seeds

        return super().sample(n, generator) | {"seed": draw_seeds(n, generator)}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, C, H, W) in [0, 1] with the noise of their seeds, in [0, 1]."""
        from physadv.transforms.camera import gaussian_noise, pooled_normal, sensor_noise

        noise = pooled_normal(parameters["seed"], images)
        if self.shot.is_only(0):
            return gaussian_noise(images, parameters["read"], noise)
        return sensor_noise(images, parameters["shot"], parameters["read"], noise)


@dataclass(frozen=True)
class Resolution(Drawn):
    """A picture photographed with few pixels, then brought back to its size.

    Attributes:
        height: pixels that the picture covers in the photo, 2 or more; its own number changes nothing.
    """

    height: Range = within(at_least=2)

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images (n, C, H, W) reduced to whole heights, each its own, and enlarged again."""
        from physadv.transforms.resampling import reduce_and_enlarge

        return reduce_and_enlarge(images, parameters["height"])


@dataclass(frozen=True)
class Jpeg(Drawn):
    """A distribution over JPEG files, by the differentiable model.

    Attributes:
        quality: one whole number or more from 1 to 100, libjpeg's scale; both ends are drawn.
    """

    quality: Range = within(at_least=1, at_most=100)

    def __post_init__(self) -> None:
        super().__post_init__()
        if math.ceil(self.quality.low) > math.floor(self.quality.high):
            raise TransformError(f"quality {self.quality}; wanted a whole number between")

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw `quality`, whole numbers (n,), each as likely."""
        import torch

        low, high = math.ceil(self.quality.low), math.floor(self.quality.high)
        whole = torch.randint(low, high + 1, (n,), generator=generator, device=generator.device)
        return {"quality": whole.double()}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, 3, H, W) in [0, 1] as files hold them; see `differentiable_jpeg`."""
        from physadv.transforms.jpeg import differentiable_jpeg

        return differentiable_jpeg(images, parameters["quality"])
