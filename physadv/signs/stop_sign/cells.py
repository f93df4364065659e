"""The 15 places of the lab test, and which of them a photo's name tells; imports no torch."""

import re
from dataclasses import dataclass
from pathlib import Path

from physadv.pictures.listing import PICTURE_ENDINGS, say_left_out
from physadv.signs.stop_sign import StopSignError

FOOT_M = 0.3048
_NAMED = re.compile(r"(?<!\d)(\d+) ?(?:ft|feet|foot)(?:[ ,_-]*(\d+) ?(?:deg|°)?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """A distance in feet and an angle off the sign's normal in degrees."""

    feet: int
    angle: int

    @property
    def name(self) -> str:
        """Return it as the tables write it."""
        return f"{self.feet} ft, {self.angle}°"

    @property
    def distance_m(self) -> float:
        """Return the distance in metres."""
        return self.feet * FOOT_M


_ANGLES = {5: (0, 15, 30, 45, 60), 10: (0, 15, 30), 15: (0, 15), 20: (0, 15), 25: (0,), 30: (0,), 40: (0,)}
CELLS: tuple[Cell, ...] = tuple(Cell(feet, angle) for feet, angles in _ANGLES.items() for angle in angles)
"""The 15 distances and angles of tables 2 and 5 of Eykholt et al. 2018."""


def cell_of(path: Path) -> Cell:
    """Return the cell that a photo's name tells or, where it tells none, its nearest folder's.

    A distance alone is head-on.

    Raises:
        StopSignError: nothing in the path tells a cell, or it is not one of the 15.
    """
    for part in (path.stem, *reversed(path.parent.parts)):
        if found := _NAMED.search(part):
            cell = Cell(int(found[1]), int(found[2] or 0))
            if cell not in CELLS:
                raise StopSignError(
                    f"{path}: {cell.name} is no cell of the lab test; "
                    f"wanted one of {'; '.join(known.name for known in CELLS)}"
                )
            return cell
    raise StopSignError(f"{path}: tells no cell; wanted a distance and an angle, as in 5ft_15deg or 10ft-30")


def photos_by_cell(folder: Path) -> dict[Path, Cell]:
    """Return every photo below a folder and its cell, in the order of the cells.

    Raises:
        StopSignError: there is no photo, or one tells no cell.
    """
    photos: list[Path] = []
    if folder.is_dir():
        shown = sorted(path for path in folder.rglob("[!.]*") if not path.is_dir())
        photos = [path for path in shown if path.suffix.lower() in PICTURE_ENDINGS]
    if not photos:
        raise StopSignError(f"{folder}: no photos; wanted some as 5ft_15deg/IMG_1.jpg or 10ft-30.jpg")
    say_left_out(folder, shown, {*photos}, "photos")
    cells = {path: cell_of(path.relative_to(folder)) for path in photos}
    return {path: cells[path] for path in sorted(photos, key=lambda path: CELLS.index(cells[path]))}
