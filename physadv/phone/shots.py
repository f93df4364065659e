"""One exposure: everything a photo depends on is drawn first, so that the photo can be taken again."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from physadv.phone.clutter import draw_glare, draw_rods, draw_shadows
from physadv.phone.desk import MATERIALS, Desk
from physadv.phone.dice import Dice
from physadv.phone.errors import PhoneError
from physadv.phone.paper import Paper
from physadv.phone.phones import Phone
from physadv.phone.placing import cut, frame, lay_out
from physadv.phone.scene import Colour, Glare, Rod, Shadow
from physadv.transforms.geometry import Camera
from physadv.transforms.kernels import camera_kernel

FOOTPRINT = 0.5
"""Gaussian sigma, pixels: the part of the lens's blur through which a print is seen before it is sampled."""


@dataclass(frozen=True)
class Shot:
    """One exposure: the camera's pose and everything else a photo depends on.

    Attributes:
        camera: looking at the table, whose origin it aims at.
        papers: the sheets on the table, later ones on top.
        rods: thumbs and pens, on top of the sheets.
        light_angle: in which the table gets darker, radians; by `falloff` over a page.
        elevation: of the light, degrees.
        gains: light on the middle of the table in R, G, B.
        kernel: point-spread function, (k, k), k odd, of the blur beyond that of `FOOTPRINT`.
        messenger: whether the file went through one.
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
        phone: what is drawn from.
        page_mm: width and height of a sheet.
        generator: the randomness.
        sheets: how many there are; those of `Shot.papers` are in this order.

    Raises:
        PhoneError: sheets < 1, or a range of the phone that cannot be, such as a bow no page can have.
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
