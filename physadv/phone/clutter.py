"""What happens to be on a sheet in one exposure: a thumb, a pen, a shadow, a lamp's reflection."""

import math

import numpy as np

from physadv.phone.dice import Dice
from physadv.phone.paper import Paper, Points
from physadv.phone.phones import Interval, Scene
from physadv.phone.scene import Colour, Glare, Rod, Shadow

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


def thumb_over(paper: Paper, point_mm: tuple[float, float], *, radius_mm: float = 10.0) -> Rod:
    """Return a thumb whose tip is round a page point in mm and that comes from the page's nearest side."""
    width, height = paper.page_mm
    x, y = point_mm
    ways = {(-1.0, 0.0): x, (1.0, 0.0): width - x, (0.0, -1.0): y, (0.0, 1.0): height - y}
    out = np.array(min(ways, key=ways.__getitem__))
    return _thumb(paper, np.array(point_mm), out, radius_mm, SKIN[0])


def draw_rods(scene: Scene, paper: Paper, dice: Dice) -> tuple[Rod, ...]:
    """Draw a thumb and a pen, where the scene has them, on a sheet."""
    # Both are drawn whether they are there or not: what follows is then the same with and without.
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
    thumb = _thumb(paper, np.array(point), np.array([x * cos - y * sin, x * sin + y * cos]), radius, colour)
    return thumb if dice.chance(scene.thumb) else None


def _thumb(paper: Paper, point: Points, out: Points, radius: float, colour: Colour) -> Rod:
    """Return a thumb whose tip is round a page point and that goes `out`, both on the page."""
    tip, end = paper.to_table(np.stack([point, point + ARM * out]))
    return Rod((tip[0], tip[1]), (end[0], end[1]), radius, colour, nail=True)


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
