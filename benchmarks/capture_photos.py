"""Photos for `capture.py`: the conditions, the sheets, and the virtual phone's photos of them. Simulated."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from capture_sheets import Printed, load_benchmark
from numpy.typing import NDArray

from physadv.parallel import map_items
from physadv.phone import (
    PHONES,
    Phone,
    Print,
    PrintSettings,
    Scene,
    draw_shot,
    encode_jpeg,
    page_to_photo,
    print_page,
    take_photo,
    wholly_visible,
)
from physadv.phone.paper import Paper
from physadv.phone.scene import ARM, SKIN, Rod
from physadv.randomness import generator
from physadv.sheets import Sheet, page_pixels
from physadv.sheets.layout import box_corners

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Condition:
    """One row of the table.

    Attributes:
        name: name of the row, with which its JSON keys begin.
        phone: the phone that takes the photos.
        settings: the settings of the printer.
        together: number of sheets in one photo; with 1, the phone decides whether a neighbour is in it too.
        thumb: whether a thumb covers the code in one of the sheet's four corners.
        photos: number of photos; 13 of one sheet have 208 cells.
    """

    name: str
    phone: Phone
    settings: PrintSettings = field(default_factory=PrintSettings)
    together: int = 1
    thumb: bool = False
    photos: int = 13


OFFICE = PHONES["office"].phone
PRINT_SETTINGS = {
    "fit to page, 97 %": PrintSettings(scale=0.97),
    "fit to page, 94 %": PrintSettings(scale=0.94),
    "margins cropped at 5 mm": PrintSettings(margin_mm=5.0),
    "black and white": PrintSettings(monochrome=True),
    "150 dpi draft": PrintSettings(dpi=150.0, ink=0.75),
}
"""The ways people print. That a draft puts down three quarters of the ink is this project's assumption."""


def curled(bow: float) -> Phone:
    return replace(OFFICE, scene=Scene(bow=(bow, bow), waves=0.3))


CONDITIONS: tuple[Condition, ...] = (
    *(Condition(preset.name, preset.phone) for preset in PHONES.values() if preset.name != "hostile"),
    Condition("hostile", PHONES["hostile"].phone, photos=26),
    Condition("curl 10 mm", curled(10.0)),
    Condition("curl 25 mm", curled(25.0)),
    Condition("corner covered", OFFICE, thumb=True),
    Condition("two sheets", OFFICE, together=2, photos=7),
    Condition("messenger", replace(OFFICE, messenger=1.0)),
    *(Condition(f"print: {name}", OFFICE, settings) for name, settings in PRINT_SETTINGS.items()),
)


@dataclass(frozen=True)
class TrueCell:
    """The true corners (4, 2) of a cell's picture in the upright photo, and whether all of it is visible."""

    corners_px: Points
    visible: bool


@dataclass(frozen=True)
class TakenPhoto:
    """A photo's file, and the true place of each example in it."""

    path: Path
    truth: dict[str, TrueCell]


def photograph(
    conditions: Sequence[Condition], folder: Path, seed: int, workers: int | None
) -> Iterator[tuple[Condition, list[TakenPhoto]]]:
    """Yield the photos of every condition; photos that are already in `folder` are kept."""
    taken = map_items(partial(_take_all, folder, seed), conditions, workers=workers)
    yield from zip(conditions, taken, strict=True)


def _take_all(folder: Path, seed: int, condition: Condition) -> list[TakenPhoto]:
    printed = load_benchmark(folder)

    @cache
    def on_paper(index: int) -> Print:
        page = page_pixels(printed.pdf, index)
        return print_page(page, printed.sheets[index].page_mm, condition.settings)

    return [_take(printed, condition, folder, seed, number, on_paper) for number in range(condition.photos)]


def _take(
    printed: Printed,
    condition: Condition,
    folder: Path,
    seed: int,
    number: int,
    on_paper: Callable[[int], Print],
) -> TakenPhoto:
    # The ranges are part of the name: a photo of other ranges is another photo.
    ranges = hashlib.sha256(repr((replace(condition, photos=1), seed)).encode()).hexdigest()[:8]
    stem = "".join(letter if letter.isalnum() else "-" for letter in condition.name)
    path = folder / f"{stem}-{ranges}-{number + 1:02d}.jpg"
    notes = path.with_suffix(".json")
    if not (path.exists() and notes.exists()):
        stream = generator(seed, "capture benchmark", condition.name, number)
        together = max(condition.together, 1 + (number % 10 < 10 * condition.phone.scene.neighbour))
        sheets = [printed.sheets[(number + place) % len(printed.sheets)] for place in range(together)]
        page_mm = sheets[0].page_mm
        shot = draw_shot(condition.phone, page_mm, stream, sheets=together)
        if condition.thumb:
            covered = condition.settings.on_paper(np.array([_corner_code(sheets[0], number)]), page_mm)[0]
            shot = replace(shot, rods=(_thumb_over(shot.papers[0], covered),))
        path.write_bytes(encode_jpeg(take_photo([on_paper(sheet.index) for sheet in sheets], shot), shot))
        truth = {}
        for place, sheet in enumerate(sheets):
            for cell in sheet.cells:
                corners = condition.settings.on_paper(box_corners(cell.box_mm), page_mm)
                box = (*corners[0], *(corners[2] - corners[0]))
                seen = page_to_photo(shot, corners, place)
                truth[cell.example] = [seen.tolist(), wholly_visible(shot, box, place)]
        notes.write_text(json.dumps(truth))
    return TakenPhoto(
        path,
        {
            example: TrueCell(np.array(corners), visible)
            for example, (corners, visible) in json.loads(notes.read_text()).items()
        },
    )


def _thumb_over(paper: Paper, point_mm: Points) -> Rod:
    """Return a thumb from the nearest side of the page, its tip round a page point (2,) in mm."""
    (width, height), (x, y) = paper.page_mm, point_mm
    ways = {(-1, 0): x, (1, 0): width - x, (0, -1): y, (0, 1): height - y}
    out = np.array(min(ways, key=ways.__getitem__))
    tip, end = paper.to_table(np.stack([point_mm, point_mm + ARM * out]))
    return Rod((tip[0], tip[1]), (end[0], end[1]), 10.0, SKIN[0], nail=True)


def _corner_code(sheet: Sheet, number: int) -> tuple[float, float]:
    """Return the middle of the outermost code in one of a sheet's four corners, in turn, mm."""
    direction = ((1, 1), (-1, 1), (-1, -1), (1, -1))[number % 4]
    middles = [mark.centre_mm for mark in sheet.marks if mark.kind == "code"]
    return min(middles, key=lambda middle: middle[0] * direction[0] + middle[1] * direction[1])
