"""Scenes of RP2's 40 photos: where the sign stood, told by eye from what is behind it (`scenes.csv`).

Photos of one scene share plate, place and light, and are no independent ones. Where it was in doubt whether
two photos show one place they are in one scene. Nothing in the photos tells the plates apart: it may be one
plate throughout, so that scenes vary in place and light, not in the plate.
"""

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from physadv.errors import PhysadvError
from physadv.signs.stop_sign.plate import SignPhoto

SCENES = Path(__file__).with_name("scenes.csv")


class SceneError(PhysadvError):
    """A photo belongs to no scene."""


def scene_of(sign: str) -> str:
    """Return the scene of a photo, or of its crop, from its name without suffix.

    Raises:
        SceneError: it is none of the 40 photos.
    """
    try:
        return _scenes()[sign]
    except KeyError:
        raise SceneError(f"{sign}: in no scene of {SCENES}; give it one there") from None


def scene_or_own(sign: str) -> str:
    """Return the scene of a photo; a sign that is none of the 40, such as a drawn one, is one of its own."""
    return _scenes().get(sign, sign)


def held_out_scenes(photos: Sequence[SignPhoto]) -> tuple[list[SignPhoto], list[SignPhoto]]:
    """Return the signs to attack and those to judge by, each scene on one side as a whole.

    Scenes come in the order of their first photo; each goes to the side that has fewer photos by then.

    Raises:
        SceneError: a photo belongs to no scene, or all belong to one.
    """
    sides: tuple[list[SignPhoto], list[SignPhoto]] = ([], [])
    scenes: dict[str, list[SignPhoto]] = {}
    for photo in photos:
        scenes.setdefault(scene_of(photo.name), []).append(photo)
    if len(scenes) < 2:
        raise SceneError(f"all photos belong to one scene ({', '.join(scenes)}); wanted two or more")
    for own in scenes.values():
        min(sides, key=len).extend(own)
    return sides


def one_a_scene(signs: Sequence[str], turn: int) -> list[str]:
    """Return one sign of every scene, the next one at each turn; 0 gives the first ones."""
    scenes: dict[str, list[str]] = {}
    for sign in signs:
        scenes.setdefault(scene_of(sign), []).append(sign)
    return [own[turn % len(own)] for own in scenes.values()]


@cache
def _scenes() -> dict[str, str]:
    with SCENES.open(newline="", encoding="utf-8") as file:
        return {Path(row["path"]).stem: row["scene"] for row in csv.DictReader(file)}
