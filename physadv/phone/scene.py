"""What is around and on a sheet: the desk, thumbs, pens, hard shadows, a lamp's reflection, and their draws.

All are as flat as the table, in its millimetres. On a plain desk sheets would be too easy to find.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.phone.paper import Paper
from physadv.phone.phones import Interval, Scene
from physadv.transforms.geometry import sample_plane

Colour = tuple[float, float, float]
Material = Literal["wood", "laminate", "cloth"]
MATERIALS: tuple[Material, ...] = get_args(Material)
TILE_MM = 300.0
TILE_DOTS = 2048
THREADS = 400  # of cloth along a side of the tile, 0.75 mm apart
SKIN: tuple[Colour, ...] = ((0.62, 0.38, 0.27), (0.45, 0.25, 0.16), (0.22, 0.11, 0.07))
INKS: tuple[Colour, ...] = ((0.02, 0.02, 0.03), (0.02, 0.05, 0.3), (0.4, 0.02, 0.02))
THUMB_RADIUS: Interval = (8.0, 11.0)  # half the breadth of adult thumbs, mm
THUMB_LEAN = 35.0
ARM, PEN_LENGTH, PEN_RADIUS = 500.0, 140.0, 4.5
BAR_WIDTH: Interval = (15.0, 70.0)  # of the shadows of window bars, arms and phones, mm
PENUMBRA: Interval = (1.0, 12.0)  # mm: the sun, half a degree wide, past an edge 0.1 to 1.4 m away
WIDE = 3000.0
GLARE_LENGTH: Interval = (12.0, 40.0)
GLARE_WIDTH: Interval = (8.0, 25.0)


class Dice:
    """Draws from one generator, one number at a time."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def between(self, low: float, high: float) -> float:
        """Return a number drawn uniformly."""
        return low + (high - low) * float(torch.rand((), generator=self.generator, dtype=torch.float64))

    def ratio(self, low: float, high: float) -> float:
        """Return a number drawn log-uniformly; uniformly where `low` is 0."""
        return math.exp(self.between(math.log(low), math.log(high))) if low else self.between(low, high)

    def normal(self) -> float:
        """Return a standard normal number."""
        return float(torch.randn((), generator=self.generator, dtype=torch.float64))

    def either(self, limit: float) -> float:
        """Return a number of either sign up to `limit`."""
        return self.between(-limit, limit)

    def chance(self, probability: float) -> bool:
        """Return whether something of this probability happens."""
        return self.between(0, 1) < probability

    def index(self, count: int) -> int:
        """Return one of 0 to count - 1."""
        return int(torch.randint(count, (), generator=self.generator))


@dataclass(frozen=True)
class Desk:
    """The surface of a table."""

    material: Material
    colour: Colour  # mean colour, R, G, B in linear light
    turn: float  # direction of the grain, degrees
    seed: int  # of the noise that the surface is made of


def draw_desk(dice: Dice) -> Desk:
    """Draw a desk of a colour between grey laminate's and wood's."""
    material = MATERIALS[dice.index(len(MATERIALS))]
    lightness, warmth = dice.between(0.04, 0.4), dice.between(0, 1)
    colour = (lightness, lightness * (1 - 0.45 * warmth), lightness * (1 - 0.7 * warmth))
    return Desk(material, colour, dice.between(0, 360), dice.index(2**31))


def weave(desk: Desk) -> Tensor:
    """Return a `TILE_MM` wide tile (1, 1, h, w) of how light the desk is, relative to its colour.

    Row and column 0 are repeated last.
    """
    rng = np.random.default_rng(desk.seed)
    if desk.material == "wood":
        rings = (7 * _noise(rng, stretch=14, falloff=1.8)).sin()
        pattern = 0.16 * rings + 0.14 * _noise(rng, stretch=40, falloff=0.7)
    elif desk.material == "laminate":
        pattern = 0.09 * _noise(rng, stretch=1, falloff=0.3) + 0.05 * _noise(rng, stretch=1, falloff=1.4)
    else:
        threads = (2 * math.pi * torch.arange(TILE_DOTS) * THREADS / TILE_DOTS).sin()
        pattern = 0.15 * threads[:, None] * threads + 0.1 * _noise(rng, stretch=4, falloff=0.6)
        pattern = pattern + 0.06 * _noise(rng, stretch=1, falloff=1.6)
    return F.pad(pattern.exp_()[None, None], (0, 1, 0, 1), mode="circular")


def _noise(rng: np.random.Generator, stretch: float, falloff: float) -> Tensor:
    """Return periodic 1/f^falloff noise of mean 0 and variance 1, `stretch` times longer along x than y."""
    y = torch.fft.fftfreq(TILE_DOTS)[:, None] * TILE_DOTS
    x = torch.fft.rfftfreq(TILE_DOTS) * TILE_DOTS * stretch
    power = y.square() + x.square()
    power[0, 0] = torch.inf
    real, imaginary = (torch.from_numpy(rng.standard_normal(power.shape)).float() for _ in range(2))
    white = torch.complex(real, imaginary).mul_(power.pow_(-falloff / 2))
    noise: Tensor = torch.fft.irfft2(white, s=(TILE_DOTS, TILE_DOTS))
    return noise.div_(noise.std(correction=0))


def look_at(tile: Tensor, desk: Desk, plane: Tensor) -> Tensor:
    """Return the reflectance (1, 3, H, W) of an endless desk of tiles at table points (1, H, W, 2) in mm."""
    turn = torch.tensor(desk.turn).deg2rad()
    rotation = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()]).reshape(2, 2)
    place = (plane @ rotation).remainder(TILE_MM) + 0.5 * TILE_MM / TILE_DOTS
    extent = TILE_MM * (TILE_DOTS + 1) / TILE_DOTS
    light = sample_plane(tile, place, (extent, extent)) * torch.tensor(desk.colour)[:, None, None]
    return light.clamp_max_(1)


@dataclass(frozen=True)
class Rod:
    """A thumb or a pen: a line between two points of the table, mm, round across."""

    tip: tuple[float, float]
    end: tuple[float, float]
    radius: float  # half the thickness, mm
    colour: Colour  # R, G, B in full light, linear
    nail: bool = False  # at the tip, as a thumb has

    def distance(self, plane: Tensor) -> Tensor:
        """Return the distance (...), mm, of table points (..., 2) from its outline, negative inside."""
        along, across = self._axes(plane)
        beyond = along - along.clamp(0, math.dist(self.tip, self.end))
        return (beyond.square() + across.square()).sqrt() - self.radius

    def paint(self, plane: Tensor) -> Tensor:
        """Return its linear light (..., 3) at table points (..., 2) inside its outline."""
        along, across = self._axes(plane)
        round_off = 1 - (across / self.radius).square().clamp(0, 1)
        # Light falls from one side of a round thing.
        shade = (0.35 + 0.65 * round_off.sqrt()) * (1 + 0.25 * (across / self.radius).clamp(-1, 1))
        painted = shade[..., None] * torch.tensor(self.colour)
        if self.nail:
            nail = ((along / self.radius - 0.1) / 0.75).square() + (across / self.radius / 0.62).square()
            lift = ((1 - nail) * 8).clamp(0, 1)[..., None]
            painted = torch.lerp(painted, painted * 1.15 + 0.06, lift)
        return painted

    def _axes(self, plane: Tensor) -> tuple[Tensor, Tensor]:
        length = math.dist(self.tip, self.end)
        x, y = ((b - a) / length for a, b in zip(self.tip, self.end, strict=True))
        return _axes(plane, self.tip, x, y)


def draw_rods(scene: Scene, paper: Paper, dice: Dice) -> tuple[Rod, ...]:
    """Draw a thumb and a pen, where the scene has them, on a sheet."""
    # Draw both whether they are there or not: what follows is then the same with and without.
    thumb = _thumb(scene, paper, dice), dice.chance(scene.thumb)
    pen = _pen(paper, dice), dice.chance(scene.pen)
    return tuple(rod for rod, there in (thumb, pen) if there)


def _thumb(scene: Scene, paper: Paper, dice: Dice) -> Rod:
    width, height = paper.page_mm
    side, place = dice.index(4), dice.between(0.05, 0.95)
    reach, lean = dice.between(*scene.thumb_reach), math.radians(dice.either(THUMB_LEAN))
    radius, colour = dice.between(*THUMB_RADIUS), SKIN[dice.index(len(SKIN))]
    inside = reach - radius
    point, (x, y) = (
        ((inside, place * height), (-1, 0)),
        ((width - inside, place * height), (1, 0)),
        ((place * width, inside), (0, -1)),
        ((place * width, height - inside), (0, 1)),
    )[side]
    cos, sin = math.cos(lean), math.sin(lean)
    out = np.array([x * cos - y * sin, x * sin + y * cos])
    tip, end = paper.to_table(np.stack([np.array(point), np.array(point) + ARM * out]))
    return Rod((tip[0], tip[1]), (end[0], end[1]), radius, colour, nail=True)


def _pen(paper: Paper, dice: Dice) -> Rod:
    x, y = _place(paper, dice)
    angle, ink = dice.between(0, 2 * math.pi), INKS[dice.index(len(INKS))]
    dx, dy = PEN_LENGTH / 2 * math.cos(angle), PEN_LENGTH / 2 * math.sin(angle)
    return Rod((x - dx, y - dy), (x + dx, y + dy), PEN_RADIUS, ink)


@dataclass(frozen=True)
class Shadow:
    """A hard shadow: a strip on the table, as a window bar's, or of half of it, as an arm's."""

    middle: tuple[float, float]  # a point on the strip's middle line, mm
    angle: float  # direction in which the light changes, degrees from x to y; the strip runs across it
    width: float  # of the strip, mm
    penumbra: float  # width over which each side fades, mm
    depth: float  # share of the light that the shadow takes

    def light(self, plane: Tensor) -> Tensor:
        """Return the share of the light left at table points (..., 2)."""
        turn = math.radians(self.angle)
        across, _ = _axes(plane, self.middle, math.cos(turn), math.sin(turn))
        inside = ((self.width / 2 - across.abs()) / self.penumbra + 0.5).clamp(0, 1)
        return 1 - self.depth * inside.square() * (3 - 2 * inside)


def draw_shadows(scene: Scene, paper: Paper, dice: Dice) -> tuple[Shadow, ...]:
    """Draw a window bar's shadow on a sheet, or one of everything on one side of a line."""
    edge, angle, bar = _place(paper, dice), dice.between(0, 360), dice.chance(0.5)
    width, penumbra = dice.between(*BAR_WIDTH) if bar else WIDE, dice.between(*PENUMBRA)
    depth = dice.between(*scene.shadow_depth)
    x = edge[0] + width / 2 * math.cos(math.radians(angle))
    y = edge[1] + width / 2 * math.sin(math.radians(angle))
    shadow = Shadow((x, y), angle, width, penumbra, depth)
    return (shadow,) if dice.chance(scene.shadow) else ()


@dataclass(frozen=True)
class Glare:
    """A lamp seen in the paper's gloss: light added around a point of the table."""

    middle: tuple[float, float]  # of the reflection, on the table, mm
    radius: tuple[float, float]  # where half of `light` is left, mm, along `angle` and across it
    angle: float  # direction of the first radius, degrees from x to y
    light: float  # added in the middle, 1 clips by itself

    def added(self, plane: Tensor) -> Tensor:
        """Return the light added at table points (..., 2)."""
        turn = math.radians(self.angle)
        along, across = _axes(plane, self.middle, math.cos(turn), math.sin(turn))
        distance = (along / self.radius[0]).square() + (across / self.radius[1]).square()
        return self.light * torch.exp2(-distance)


def draw_glare(scene: Scene, paper: Paper, dice: Dice) -> Glare | None:
    """Draw a lamp's reflection in a sheet."""
    middle, angle = _place(paper, dice), dice.between(0, 180)
    radius = (dice.between(*GLARE_LENGTH), dice.between(*GLARE_WIDTH))
    glare = Glare(middle, radius, angle, dice.between(*scene.glare_light))
    return glare if dice.chance(scene.glare) else None


def _place(paper: Paper, dice: Dice) -> tuple[float, float]:
    """Draw a point of the page, on the table."""
    x, y = paper.to_table(np.array([[dice.between(0, side) for side in paper.page_mm]]))[0]
    return float(x), float(y)


def _axes(plane: Tensor, origin: tuple[float, float], x: float, y: float) -> tuple[Tensor, Tensor]:
    """Return how far table points (..., 2) are from `origin` along the unit vector (x, y), and across it."""
    dx, dy = plane[..., 0] - origin[0], plane[..., 1] - origin[1]
    return dx * x + dy * y, dy * x - dx * y
