"""What is drawn for one exposure: how sheets lie, where the camera is held, what lies or falls on them."""

import math
from contextlib import suppress

import numpy as np
import torch

from physadv.phone.paper import FLAT, Bend, Paper, Points
from physadv.phone.phones import Interval, Phone, PhoneError, Scene
from physadv.phone.scene import Colour, Glare, Rod, Shadow
from physadv.transforms.geometry import Camera

BENDS_TRIED = 20
"""Of the steepest bows that a preset draws, about one in twenty bends is more than a page can have."""

SKIN: tuple[Colour, ...] = ((0.62, 0.38, 0.27), (0.45, 0.25, 0.16), (0.22, 0.11, 0.07))
INKS: tuple[Colour, ...] = ((0.02, 0.02, 0.03), (0.02, 0.05, 0.3), (0.4, 0.02, 0.02))
THUMB_RADIUS: Interval = (8.0, 11.0)
"""Half the breadth of adult thumbs, mm."""

THUMB_LEAN = 35.0
ARM, PEN_LENGTH, PEN_RADIUS = 500.0, 140.0, 4.5

BAR_WIDTH: Interval = (15.0, 70.0)
"""Of the shadows of window bars, arms and phones, mm."""

PENUMBRA: Interval = (1.0, 12.0)
"""The sun, half a degree wide, shines past an edge from 0.1 to 1.4 m away, mm."""

WIDE = 3000.0
GLARE_LENGTH: Interval = (12.0, 40.0)
GLARE_WIDTH: Interval = (8.0, 25.0)


class Dice:
    """Draws from one generator, one number at a time."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def between(self, low: float, high: float) -> float:
        """Return a number drawn uniformly."""
        unit = torch.rand((), generator=self.generator, dtype=torch.float64)
        return low + (high - low) * float(unit)

    def either(self, limit: float) -> float:
        """Return a number of either sign up to `limit`."""
        return self.between(-limit, limit)

    def chance(self, probability: float) -> bool:
        """Return whether something of this probability happens."""
        return self.between(0, 1) < probability

    def index(self, count: int) -> int:
        """Return one of 0 to count - 1."""
        return int(torch.randint(count, (), generator=self.generator))


def lay_out(phone: Phone, page_mm: tuple[float, float], sheets: int, dice: Dice) -> tuple[Paper, ...]:
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
        bend = draw_bend(page_mm, bow, phone.scene.waves, dice) if bow else FLAT
        papers.append(Paper(page_mm, centre, turn + dice.either(3.0 * loose), bend))
    return tuple(papers)


def draw_bend(page_mm: tuple[float, float], bow_mm: float, waves: float, dice: Dice) -> Bend:
    """Draw a bend up or down that a page can have.

    Args:
        page_mm: width and height of the page.
        bow_mm: height of the bend, 0 or more.
        waves: 0 gives an arc along or across the page; else waves up to this amplitude are added and it
            slopes in any direction.
        dice: the randomness.

    Raises:
        PhoneError: the page can hardly have such a bow.
    """
    for _ in range(BENDS_TRIED - 1):
        bend = _any_bend(bow_mm, waves, dice)
        with suppress(PhoneError):
            return Paper(page_mm, bend=bend).bend
    return Paper(page_mm, bend=_any_bend(bow_mm, waves, dice)).bend


def _any_bend(bow_mm: float, waves: float, dice: Dice) -> Bend:
    bow = bow_mm if dice.chance(0.5) else -bow_mm
    if not waves:
        return Bend(bow, direction=(90.0, 0.0)[dice.index(2)])
    # Each wave of half the length slopes twice as much for its height.
    drawn = tuple((dice.between(0, waves) / k, dice.between(0, 2 * math.pi)) for k in (1, 2))
    return Bend(bow, direction=dice.between(0, 180), waves=drawn)


def frame(phone: Phone, papers: tuple[Paper, ...], dice: Dice) -> Camera:
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


def cut(phone: Phone, papers: tuple[Paper, ...], camera: Camera, dice: Dice) -> tuple[Paper, ...]:
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


def draw_rods(scene: Scene, paper: Paper, dice: Dice) -> tuple[Rod, ...]:
    """Draw a thumb and a pen, where the scene has them, on a sheet."""
    # Draw both whether they are there or not: what follows is then the same with and without.
    thumb, pen = _draw_thumb(scene, paper, dice), _draw_pen(scene, paper, dice)
    return tuple(rod for rod in (thumb, pen) if rod)


def draw_shadows(scene: Scene, paper: Paper, dice: Dice) -> tuple[Shadow, ...]:
    """Draw a window bar's shadow on a sheet, or one of everything on one side of a line."""
    edge, angle, bar = _place(paper, dice), dice.between(0, 360), dice.chance(0.5)
    width, penumbra = dice.between(*BAR_WIDTH) if bar else WIDE, dice.between(*PENUMBRA)
    depth = dice.between(*scene.shadow_depth)
    if not dice.chance(scene.shadow):
        return ()
    x = edge[0] + width / 2 * math.cos(math.radians(angle))
    y = edge[1] + width / 2 * math.sin(math.radians(angle))
    return (Shadow((x, y), angle, width, penumbra, depth),)


def draw_glare(scene: Scene, paper: Paper, dice: Dice) -> Glare | None:
    """Draw a lamp's reflection in a sheet."""
    middle, angle = _place(paper, dice), dice.between(0, 180)
    radius = (dice.between(*GLARE_LENGTH), dice.between(*GLARE_WIDTH))
    light = dice.between(*scene.glare_light)
    return Glare(middle, radius, angle, light) if dice.chance(scene.glare) else None


def _draw_thumb(scene: Scene, paper: Paper, dice: Dice) -> Rod | None:
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
    thumb = Rod((tip[0], tip[1]), (end[0], end[1]), radius, colour, nail=True)
    return thumb if dice.chance(scene.thumb) else None


def _draw_pen(scene: Scene, paper: Paper, dice: Dice) -> Rod | None:
    x, y = _place(paper, dice)
    angle, ink = dice.between(0, 2 * math.pi), INKS[dice.index(len(INKS))]
    dx, dy = PEN_LENGTH / 2 * math.cos(angle), PEN_LENGTH / 2 * math.sin(angle)
    pen = Rod((x - dx, y - dy), (x + dx, y + dy), PEN_RADIUS, ink)
    return pen if dice.chance(scene.pen) else None


def _place(paper: Paper, dice: Dice) -> tuple[float, float]:
    """Draw a point of the page, on the table."""
    point = np.array([[dice.between(0, side) for side in paper.page_mm]])
    x, y = paper.to_table(point)[0]
    return float(x), float(y)
