"""The lab test's table from real photos, each in a folder or under a name that tells its cell."""

import re
from pathlib import Path

from physadv.capture.reading import ENDINGS, FORMATS, CaptureError, read_photo
from physadv.classifiers import Classifier
from physadv.progress import Reporter, silent
from physadv.signs.stop_sign.crops import MARGIN, Finder, Sight, answered, boxes_in, cut_out
from physadv.signs.stop_sign.lab import CELLS, Cell
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.rendering import LEAST_PX, SightError
from physadv.signs.stop_sign.sign import Answer

PHOTOS = frozenset(ending for form in FORMATS for ending in ENDINGS[form])
_CELL = re.compile(r"(?<!\d)(\d+) ?(?:ft|feet|foot)(?:[ ,_-]*(\d+) ?(?:deg|°)?)?", re.IGNORECASE)


def photo_test(
    classifier: Classifier,
    folder: Path,
    *,
    treatment: str,
    victim: str,
    label: int,
    target: int | None,
    find: Finder = find_signs,
    margin: float = MARGIN,
    reporter: Reporter = silent,
) -> list[Answer]:
    """Return what a classifier says of the sign in every photo below a folder.

    Args:
        classifier: sees crops (B, 3, CROP_SIDE, CROP_SIDE).
        folder: photos whose own name or whose folder's tells the cell: `5ft_15deg/IMG_1.jpg`, `10ft-30.jpg`.
        treatment: what the sign wears in all of them; `victim` is its name.
        victim: see `treatment`.
        label: its true class.
        target: of the attack, if it has one.
        find: finds the sign in a photo.
        margin: around the sign when it is cropped, as a share of its box.
        reporter: told of every photo.

    Returns:
        One answer a photo, cell by cell; without an answer where no sign was found.

    Raises:
        SightError: the folder has no photo, one cannot be read or tells no cell, or none shows a sign.
    """
    photos = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in PHOTOS and not path.name.startswith(".")
    )
    if not photos:
        raise SightError(f"{folder}: no photos; wanted some as 5ft_15deg/IMG_1.jpg or 10ft-30.jpg")
    cells = {path: cell_of(path.relative_to(folder)) for path in photos}
    photos.sort(key=lambda path: CELLS.index(cells[path]))
    sights = []
    for path in reporter.track(photos, len(photos), f"photos of {treatment}"):
        try:
            frame = read_photo(path).rgb
        except (CaptureError, OSError) as error:
            raise SightError(f"{path}: {error}") from error
        boxes, cell = boxes_in(frame, find), cells[path]
        cut = cut_out(frame, boxes[0], margin) if boxes else None
        sights.append(Sight(treatment, victim, cell.name, cell.distance_m, cell.angle, cut))
    if all(sight.crop is None for sight in sights):
        raise SightError(
            f"{folder}: no sign in any of {len(photos)} photos; "
            f"wanted a red octagon at least {LEAST_PX:.0f} pixels high"
        )
    return answered(classifier, sights, label, target)


def cell_of(path: Path) -> Cell:
    """Return the cell that a photo's name tells or, where it tells none, its nearest folder's.

    A distance alone is head-on.

    Raises:
        SightError: nothing in the path tells a cell, or it is not one of the 15.
    """
    for part in (path.stem, *reversed(path.parent.parts)):
        if told := _CELL.search(part):
            cell = Cell(int(told[1]), int(told[2] or 0))
            if cell not in CELLS:
                raise SightError(
                    f"{path}: {cell.name} is no cell of the lab test; "
                    f"wanted one of {'; '.join(known.name for known in CELLS)}"
                )
            return cell
    raise SightError(f"{path}: tells no cell; wanted a distance and an angle, as in 5ft_15deg or 10ft-30")
