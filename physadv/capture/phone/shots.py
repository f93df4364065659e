"""One exposure: everything a photo depends on is drawn first, so that the photo can be taken again."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from physadv.capture.phone.desk import MATERIALS, Desk
from physadv.capture.phone.paper import FLAT, Bend, Paper, Points
from physadv.capture.phone.phones import Phone, Range
from physadv.capture.phone.scene import Colour, Glare, Rod, Shadow
from physadv.capture.reading import CaptureError
from physadv.transforms.geometry import Camera
from physadv.transforms.kernels import combine_kernels, disc_kernel, gaussian_kernel, motion_kernel

SKIN: tuple[Colour, ...] = ((0.62, 0.38, 0.27), (0.45, 0.25, 0.16), (0.22, 0.11, 0.07))
INKS: tuple[Colour, ...] = ((0.02, 0.02, 0.03), (0.02, 0.05, 0.3), (0.4, 0.02, 0.02))
THUMB_RADIUS: Range = (8.0, 11.0)
"""Half the breadth of adult thumbs, mm."""

PEN_RADIUS, PEN_LENGTH = 4.5, 140.0
ARM = 500.0

FOOTPRINT = 0.5
"""Gaussian sigma, pixels: the part of the lens's blur through which a print is seen before it is sampled."""

BAR_WIDTH: Range = (15.0, 70.0)
"""Shadows of window bars, arms and phones, mm; the sun's fades over half a degree, 1 to 12 mm."""

PENUMBRA: Range = (1.0, 12.0)
WIDE = 3000.0


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


class _Dice:
    """Draws from one generator."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def between(self, low: float, high: float) -> float:
        unit = torch.rand((), generator=self.generator, dtype=torch.float64)
        return low + (high - low) * float(unit)

    def either(self, limit: float) -> float:
        return self.between(-limit, limit)

    def chance(self, probability: float) -> bool:
        return self.between(0, 1) < probability

    def index(self, count: int) -> int:
        return int(torch.randint(count, (), generator=self.generator))


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
        CaptureError: sheets < 1, or a range of the phone that cannot be, such as a bow no page can have.
    """
    if sheets < 1:
        raise CaptureError(f"sheets {sheets}: wanted 1 or more")
    dice = _Dice(generator)
    papers = _lay_out(phone, page_mm, sheets, dice)
    camera = _frame(phone, papers, dice)
    papers = _cut(phone, papers, camera, dice)
    green = dice.between(*phone.exposure)
    warmth = dice.between(*phone.warmth)
    return Shot(
        camera=camera,
        papers=papers,
        rods=_rods(phone, papers[-1], dice),
        shadows=_shadows(phone, papers[0], dice),
        glare=_glare(phone, papers[0], dice),
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


def draw_bend(bow_mm: float, waves: float, generator: torch.Generator) -> Bend:
    """Return a bend of a bow, mm, that turns it up or down.

    Args:
        bow_mm: 0 or more.
        waves: 0 gives an arc along or across the page; else waves up to this amplitude are added and it
            slopes in any direction.
        generator: the randomness.
    """
    return _bend(bow_mm, waves, _Dice(generator))


def thumb_over(paper: Paper, point_mm: tuple[float, float], *, radius_mm: float = 10.0, skin: int = 0) -> Rod:
    """Return a thumb on a page point in mm, that comes from the page's nearest side."""
    width, height = paper.page_mm
    x, y = point_mm
    ways = {(-1, 0): x, (1, 0): width - x, (0, -1): y, (0, 1): height - y}
    out = np.array(min(ways, key=ways.__getitem__), dtype=np.float64)
    return _thumb(paper, np.array(point_mm), out, radius_mm, SKIN[skin])


def _thumb(paper: Paper, point: Points, out: Points, radius: float, colour: Colour) -> Rod:
    """Return a thumb whose tip covers a page point and that goes `out`, both on the page."""
    tip, end = paper.to_table(np.stack([point, point + ARM * out]))
    return Rod((tip[0], tip[1]), (end[0], end[1]), radius, colour, nail=True)


def _lay_out(phone: Phone, page_mm: tuple[float, float], sheets: int, dice: _Dice) -> tuple[Paper, ...]:
    """Lay sheets beside each other, left to right before the whole is turned."""
    turn = phone.turns[dice.index(len(phone.turns))]
    if sheets > 1:
        # The phone is turned so that the row lies along its longer side.
        turn = (90, 270)[dice.index(2)]
    middle = (sheets - 1) / 2
    papers = []
    for number in range(sheets):
        loose = sheets > 1
        place = (number - middle) * (page_mm[0] + dice.between(15, 30)), dice.either(10.0 * loose)
        angle = math.radians(turn)
        centre = (
            place[0] * math.cos(angle) - place[1] * math.sin(angle),
            place[0] * math.sin(angle) + place[1] * math.cos(angle),
        )
        bow = dice.between(*phone.scene.bow)
        bend = _bend(bow, phone.scene.waves, dice) if bow else FLAT
        papers.append(Paper(page_mm, centre, turn + dice.either(3.0 * loose), bend))
    return tuple(papers)


def _bend(bow_mm: float, waves: float, dice: _Dice) -> Bend:
    bow = bow_mm if dice.chance(0.5) else -bow_mm
    if not waves:
        return Bend(bow, direction=(90.0, 0.0)[dice.index(2)])
    # Each wave of half the length slopes twice as much for its height.
    drawn = tuple((dice.between(0, waves) / k, dice.between(0, 2 * math.pi)) for k in (1, 2))
    return Bend(bow, direction=dice.between(0, 180), waves=drawn)


def _frame(phone: Phone, papers: tuple[Paper, ...], dice: _Dice) -> Camera:
    """Return the camera at the distance from which the papers take `fill` of the frame."""
    fill = dice.between(*phone.fill)
    values = {
        "yaw": dice.either(phone.tilt),
        "pitch": dice.either(phone.tilt),
        "roll": dice.either(phone.roll),
        "a1": dice.either(phone.lens),
        "a2": dice.either(phone.lens),
        "focal": phone.focal,
    }
    outline = torch.from_numpy(np.concatenate([paper.surface(_outline(paper.page_mm)) for paper in papers]))
    half = torch.tensor([phone.width / 2, phone.height / 2], dtype=torch.float64)

    def at(distance: float) -> Camera:
        tensors = {name: torch.tensor([value], dtype=torch.float64) for name, value in values.items()}
        there = torch.tensor([distance], dtype=torch.float64)
        return Camera(width=phone.width, height=phone.height, distance=there, **tensors)

    extent = float(outline.abs().max())
    near, far = 1.2 * extent, 40 * extent
    for _ in range(40):
        middle = (near + far) / 2
        camera = at(middle)
        reach = float(((camera.project(outline)[0] - camera.centre).abs() / half).max())
        near, far = (middle, far) if reach > fill else (near, middle)
    return at(far)


def _outline(page_mm: tuple[float, float]) -> Points:
    steps = np.linspace(0, 1, 9)
    ends = np.concatenate([np.stack([steps, 0 * steps + side], axis=1) for side in (0, 1)])
    return np.concatenate([ends, ends[:, ::-1]]) * page_mm


def _cut(phone: Phone, papers: tuple[Paper, ...], camera: Camera, dice: _Dice) -> tuple[Paper, ...]:
    """Move a single sheet so far that one border of the photo cuts it."""
    share, side = dice.between(*phone.scene.cut), dice.index(4)
    if not dice.chance(phone.scene.partial) or len(papers) > 1:
        return papers
    (paper,) = papers
    border = torch.tensor([(0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0)], dtype=torch.float64)[side]
    size = torch.tensor([camera.width - 1, camera.height - 1], dtype=torch.float64)
    seen_border = camera.unproject((border * size)[None])[0, 0].numpy()
    outwards = seen_border / np.linalg.norm(seen_border)
    flat = paper.to_table(_outline(paper.page_mm)) @ outwards
    move = np.linalg.norm(seen_border) - flat.max() + share * np.ptp(flat)
    x, y = paper.centre_mm + outwards * move
    return (Paper(paper.page_mm, (float(x), float(y)), paper.turn, paper.bend),)


def _rods(phone: Phone, paper: Paper, dice: _Dice) -> tuple[Rod, ...]:
    rods = []
    width, height = paper.page_mm
    side, place = dice.index(4), dice.between(0.05, 0.95)
    reach, lean = dice.between(*phone.scene.thumb_reach), math.radians(dice.either(35))
    radius, colour = dice.between(*THUMB_RADIUS), SKIN[dice.index(len(SKIN))]
    if dice.chance(phone.scene.thumb):
        # A thumb's tip is `radius` beyond its point.
        inside = reach - radius
        point, out = {
            0: ((inside, place * height), (-1.0, 0.0)),
            1: ((width - inside, place * height), (1.0, 0.0)),
            2: ((place * width, inside), (0.0, -1.0)),
            3: ((place * width, height - inside), (0.0, 1.0)),
        }[side]
        cos, sin = math.cos(lean), math.sin(lean)
        leaning = np.array([out[0] * cos - out[1] * sin, out[0] * sin + out[1] * cos])
        rods.append(_thumb(paper, np.array(point), leaning, radius, colour))
    middle, angle = (dice.between(0, width), dice.between(0, height)), dice.between(0, 2 * math.pi)
    ink = INKS[dice.index(len(INKS))]
    if dice.chance(phone.scene.pen):
        half = PEN_LENGTH / 2 * np.array([math.cos(angle), math.sin(angle)])
        tip, end = paper.to_table(np.array(middle) + np.stack([-half, half]))
        rods.append(Rod((tip[0], tip[1]), (end[0], end[1]), PEN_RADIUS, ink))
    return tuple(rods)


def _shadows(phone: Phone, paper: Paper, dice: _Dice) -> tuple[Shadow, ...]:
    """Draw a window bar's shadow, or one of everything on one side of a line."""
    edge, angle, bar = _place(paper, dice), dice.between(0, 360), dice.chance(0.5)
    width, penumbra = dice.between(*BAR_WIDTH) if bar else WIDE, dice.between(*PENUMBRA)
    depth = dice.between(*phone.scene.shadow_depth)
    if not dice.chance(phone.scene.shadow):
        return ()
    x = edge[0] + width / 2 * math.cos(math.radians(angle))
    y = edge[1] + width / 2 * math.sin(math.radians(angle))
    return (Shadow((x, y), angle, width, penumbra, depth),)


def _glare(phone: Phone, paper: Paper, dice: _Dice) -> Glare | None:
    middle, angle = _place(paper, dice), dice.between(0, 180)
    radius = (dice.between(12, 40), dice.between(8, 25))
    light = dice.between(*phone.scene.glare_light)
    return Glare(middle, radius, angle, light) if dice.chance(phone.scene.glare) else None


def _place(paper: Paper, dice: _Dice) -> tuple[float, float]:
    """Draw a point of the page, on the table."""
    point = np.array([[dice.between(0, side) for side in paper.page_mm]])
    x, y = paper.to_table(point)[0]
    return float(x), float(y)


def _kernel(phone: Phone, dice: _Dice) -> Tensor:
    sigma, radius = dice.between(*phone.blur), dice.between(*phone.defocus)
    length, angle = dice.between(*phone.motion), dice.between(0, 180)

    def odd(reach: float) -> int:
        return 2 * math.ceil(reach) + 1

    return combine_kernels(
        gaussian_kernel(math.sqrt(max(0.0, sigma**2 - FOOTPRINT**2)), odd(4 * sigma)),
        disc_kernel(radius, odd(radius)),
        motion_kernel(length, angle, odd(length / 2)),
    )


def _desk_colour(lightness: float, warmth: float) -> Colour:
    """Return a desk in linear light between grey laminate (`warmth` 0) and wood (1)."""
    return (lightness, lightness * (1 - 0.45 * warmth), lightness * (1 - 0.7 * warmth))
