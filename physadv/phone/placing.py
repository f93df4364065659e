"""Where sheets lie on the table and how they are bent, and where the camera is held to see them."""

import math
from contextlib import suppress

import numpy as np
import torch

from physadv.phone.dice import Dice
from physadv.phone.errors import PhoneError
from physadv.phone.paper import FLAT, Bend, Paper, Points
from physadv.phone.phones import Phone
from physadv.transforms.geometry import Camera

BENDS_TRIED = 20
"""Of the steepest bows that a preset draws, about one in twenty bends is more than a page can have."""


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
