"""One exposure: everything that a photo depends on is drawn first, so that it can be taken again."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from physadv.phone.desk import MATERIALS, Desk
from physadv.phone.paper import Paper
from physadv.phone.phones import Phone, PhoneError
from physadv.phone.placing import Dice, cut, draw_glare, draw_rods, draw_shadows, frame, lay_out
from physadv.phone.scene import Colour, Glare, Rod, Shadow
from physadv.transforms.geometry import Camera
from physadv.transforms.optics import camera_kernel

FOOTPRINT = 0.5
"""Gaussian sigma, pixels: the part of the lens's blur through which a print is seen before it is sampled."""


@dataclass(frozen=True)
class Shot:
    """One exposure: the camera's pose and everything else a photo depends on.

    Attributes:
        camera: its pose and lens; it looks at the table's origin.
        papers: the sheets on the table, later ones on top.
        rods: thumbs and pens, on top of the sheets.
        shadows: hard shadows on the table and what lies there.
        glare: a lamp's reflection, if there is one.
        desk: the table's surface.
        light_angle: direction in which the table gets darker, radians.
        elevation: of the light over the table, degrees.
        falloff: how much darker it gets over a page, fraction.
        vignette: light lost in the photo's corners, fraction.
        gains: light on the middle of the table in R, G, B.
        kernel: point-spread function, (k, k), k odd, of the blur beyond that of `FOOTPRINT`.
        read_noise: standard deviation of the noise without light, in linear light.
        shot_noise: variance of the noise per unit of light.
        grain: gaussian sigma over which the noise is spread, pixels.
        contrast: strength of the tone curve, 0 to 1.
        sharpening: strength of the unsharp mask.
        quality: of the phone's JPEG file.
        orientation: EXIF orientation of the file.
        messenger: whether the file went through a messenger.
        seed: of the sensor's noise.
    """

    camera: Camera
    papers: tuple[Paper, ...]
    rods: tuple[Rod, ...]
    shadows: tuple[Shadow, ...]
    glare: Glare | None
    desk: Desk
    light_angle: float
    elevation: float
    falloff: float
    vignette: float
    gains: tuple[float, float, float]
    kernel: Tensor
    read_noise: float
    shot_noise: float
    grain: float
    contrast: float
    sharpening: float
    quality: int
    orientation: int
    messenger: bool
    seed: int


def draw_shot(
    phone: Phone, page_mm: tuple[float, float], generator: torch.Generator, *, sheets: int = 1
) -> Shot:
    """Draw one exposure of sheets of one size that lie beside each other.

    Args:
        phone: the ranges to draw from.
        page_mm: width and height of a sheet.
        generator: the randomness.
        sheets: number of sheets, side by side; the first of `Shot.papers` is the leftmost.

    Raises:
        PhoneError: sheets < 1, or a bow that a page of this size cannot have.

    >>> from physadv.phone import PHONES
    >>> shot = draw_shot(PHONES["office"].phone, (210.0, 297.0), torch.Generator().manual_seed(0))
    >>> len(shot.papers), shot.camera.width, 93 <= shot.quality <= 97
    (1, 3024, True)
    """
    if sheets < 1:
        raise PhoneError(f"sheets {sheets}: wanted 1 or more")
    dice = Dice(generator)
    papers = lay_out(phone, page_mm, sheets, dice)
    camera = frame(phone, papers, dice)
    papers = cut(phone, papers, camera, dice)
    green = dice.between(*phone.exposure)
    warmth = dice.between(*phone.warmth)
    return Shot(
        camera=camera,
        papers=papers,
        rods=draw_rods(phone.scene, papers[-1], dice),
        shadows=draw_shadows(phone.scene, papers[0], dice),
        glare=draw_glare(phone.scene, papers[0], dice),
        desk=Desk(
            MATERIALS[dice.index(len(MATERIALS))],
            _desk_colour(dice.between(0.04, 0.4), dice.between(0, 1)),
            dice.between(0, 360),
            dice.index(2**31),
        ),
        light_angle=dice.between(0, 2 * math.pi),
        elevation=dice.between(*phone.elevation),
        falloff=dice.between(*phone.falloff),
        vignette=dice.between(*phone.vignette),
        gains=(
            green * (1 + dice.either(phone.white_balance)) * (1 + warmth),
            green,
            green * (1 + dice.either(phone.white_balance)) * (1 - warmth),
        ),
        kernel=_kernel(phone, dice),
        read_noise=dice.between(*phone.read_noise),
        shot_noise=dice.between(*phone.shot_noise),
        grain=dice.between(*phone.grain),
        contrast=dice.between(*phone.contrast),
        sharpening=dice.between(*phone.sharpening),
        quality=round(dice.between(*phone.quality)),
        orientation=phone.orientations[dice.index(len(phone.orientations))],
        messenger=dice.chance(phone.messenger),
        seed=dice.index(2**31),
    )


def _kernel(phone: Phone, dice: Dice) -> Tensor:
    sigma, radius = dice.between(*phone.blur), dice.between(*phone.defocus)
    length, angle = dice.between(*phone.motion), dice.between(0, 180)
    rest = math.sqrt(max(0.0, sigma**2 - FOOTPRINT**2))
    radii = (math.ceil(4 * sigma), math.ceil(radius), math.ceil(length / 2))
    return camera_kernel(rest, radius, length, angle, radii=radii)


def _desk_colour(lightness: float, warmth: float) -> Colour:
    """Return a desk in linear light between grey laminate (`warmth` 0) and wood (1)."""
    return (lightness, lightness * (1 - 0.45 * warmth), lightness * (1 - 0.7 * warmth))
