"""The target that a printer and a phone are measured with: one sheet of colours, grey fields and edges.

It is a sheet as any other, of two pairs of pictures, so that photos of it are found and rectified as any are.
Its saddles and codes show how a lens bends what is straight.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Pixels, Points
from physadv.files import replacing
from physadv.profiles.errors import ProfileError
from physadv.randomness import derive_seed
from physadv.sheets.codes import RUN_CHARACTERS, digest36
from physadv.sheets.layout import GREYS, PAGES, PrintItem, Sheet, page_size, plan_sheets
from physadv.sheets.pdf import write_pdf

INSTRUCTIONS = """\
Target: {path}

1. Print it in colour at 100 % on the paper you print examples on, with the settings you use for them.
2. Lay it flat in the light you photograph examples in. White paper must not be burnt out.
3. Take two photos from one place without moving the phone: lean it on something, use the timer.
   Their difference is the noise. It fills the frame, and all of it is sharp and visible.
4. Take three or more photos from other places, as you photograph examples.
5. Run: physadv calibrate fit PHOTO ... --name {name}
"""

PICTURES = ("top-left", "top-right", "bottom-left", "bottom-right")
SIDE_MM, UNITS = 84.0, 20
UNIT_MM = SIDE_MM / UNITS
PRINTED_PX, SEEN_PX = 84, 7
"""Pixels of a unit where it is printed, for straight edges, and where it is cut out of a photo."""
LEVELS_OF_COLOUR, HELD_OUT = 9, 144
FIELD, FIELDS_AT = 5, ((0, 0), (15, 15))
"""Units along a grey field, and where the two of a picture begin."""
FIELD_GREYS = (30, 62, 94, 126, 158, 190, 222, 255)
BLOCK, BLOCK_AT = 8, 6
"""Units along the block of a slanted square, and where it begins."""
SQUARE_UNITS, SLANT = 5.0, 5.0
"""Side of the square, and how far it is turned, degrees: steep edges cross every pixel's phase."""
SQUARE_GREYS = ((0, 255), (90, 175), (90, 175), (0, 255))
"""Greys of each picture's square and of the block around it. High contrast shows the tone curve, which hardly
bends what middle greys show of blur and sharpening.
"""


@dataclass(frozen=True)
class Target:
    """A target: where what is on its page.

    Attributes:
        name: which the user gave it; targets of other names have other codes and another order.
        page: name of its paper size.
        sheet: its layout.
        colours: sRGB (N, 3) of its N patches, uint8.
        places: picture, row and column (N, 3) of its patches.
        held_out: which patches (N,) no colour is fitted to.
    """

    name: str
    page: str
    sheet: Sheet
    colours: Pixels
    places: NDArray[np.int_]
    held_out: NDArray[np.bool_]

    @property
    def neutral(self) -> NDArray[np.bool_]:
        """Return which patches (N,) are greys that are printed in many places of the page."""
        grey = (self.colours == self.colours[:, :1]).all(axis=1) & ~self.held_out
        return np.asarray(grey & np.isin(self.colours[:, 0], GREYS))

    @property
    def places_mm(self) -> Points:
        """Return the middles (N, 2) of the patches on the page, mm."""
        corners = np.array([cell.box_mm[:2] for cell in self.sheet.cells])
        middles: Points = corners[self.places[:, 0]] + (self.places[:, :0:-1] + 0.5) * UNIT_MM
        return middles

    def fields_mm(self) -> list[tuple[int, Points]]:
        """Return level and corners (4, 2), mm, of every grey field."""
        square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * FIELD
        return [
            (FIELD_GREYS[2 * cell + number], self._on_page(cell, square + np.array((column, row))))
            for cell in range(len(PICTURES))
            for number, (row, column) in enumerate(FIELDS_AT)
        ]

    def edges_mm(self, *, high_contrast: bool) -> list[Points]:
        """Return the ends (2, 2), mm, of the edges of the slanted squares of either contrast."""
        cells = [cell for cell, (dark, _) in enumerate(SQUARE_GREYS) if (dark == 0) is high_contrast]
        sides = [self._on_page(cell, _slanted()) for cell in cells]
        return [corners[[start, (start + 1) % 4]] for corners in sides for start in range(4)]

    def _on_page(self, cell: int, units: Points) -> Points:
        return np.asarray(self.sheet.cells[cell].box_mm[:2]) + units * UNIT_MM

    @cached_property
    def seen(self) -> dict[str, Pixels]:
        """Return each picture by its name, (140, 140, 3), as it is cut out of a photo."""
        side = UNITS * SEEN_PX
        return {
            name: np.asarray(cv2.resize(self.picture(name), (side, side), interpolation=cv2.INTER_AREA))
            for name in PICTURES
        }

    def picture(self, name: str) -> Pixels:
        """Return a picture as it is printed, (1680, 1680, 3), uint8 sRGB."""
        cell = PICTURES.index(name)
        units = np.full((UNITS, UNITS, 3), 255, np.uint8)
        inside = self.places[:, 0] == cell
        units[self.places[inside, 1], self.places[inside, 2]] = self.colours[inside]
        for number, (row, column) in enumerate(FIELDS_AT):
            units[row : row + FIELD, column : column + FIELD] = FIELD_GREYS[2 * cell + number]
        inner, outer = SQUARE_GREYS[cell]
        units[BLOCK_AT : BLOCK_AT + BLOCK, BLOCK_AT : BLOCK_AT + BLOCK] = outer
        pixels = units.repeat(PRINTED_PX, axis=0).repeat(PRINTED_PX, axis=1)
        # OpenCV's coordinates are of pixel centres; 8 bits of them are fractions.
        corners = ((_slanted() * PRINTED_PX - 0.5) * 256).round().astype(np.int32)
        return np.asarray(cv2.fillConvexPoly(pixels, corners, (inner,) * 3, cv2.LINE_AA, shift=8))


def _slanted() -> Points:
    """Return the corners (4, 2) of a picture's slanted square, units."""
    middle = BLOCK_AT + BLOCK / 2
    return np.asarray(cv2.boxPoints(((middle, middle), (SQUARE_UNITS, SQUARE_UNITS), SLANT)), np.float64)


@lru_cache(maxsize=8)
def make_target(name: str, page: str = "a4") -> Target:
    """Return the target of a name on a paper size; the same name gives the same target.

    Raises:
        ProfileError: a name that could not be a file's.
        SheetError: no such paper size.

    >>> target = make_target("office")
    >>> len(target.colours), int(target.neutral.sum()), target.sheet.cells[0].box_mm
    (1144, 273, (15.0, 28.0, 84.0, 84.0))
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", name, re.ASCII):
        raise ProfileError(f"name '{name}': use letters, digits, '.', '_' and '-', not beginning with a sign")
    page_size(page)
    items = [PrintItem(each, UNITS, UNITS) for each in PICTURES]
    run = digest36(f"target/{name}/{page}", RUN_CHARACTERS)
    (sheet,) = plan_sheets([(items[0], items[1]), (items[2], items[3])], run=run, page=page, image_mm=SIDE_MM)
    free = np.ones((len(PICTURES), UNITS, UNITS), bool)
    for row, column in FIELDS_AT:
        free[:, row : row + FIELD, column : column + FIELD] = False
    free[:, BLOCK_AT : BLOCK_AT + BLOCK, BLOCK_AT : BLOCK_AT + BLOCK] = False
    places = np.argwhere(free)
    rng = np.random.default_rng(derive_seed(0, "target", name))
    steps = np.linspace(0, 255, LEVELS_OF_COLOUR).round()
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    fresh = rng.integers(0, 256, (HELD_OUT, 3))
    greys = np.resize(GREYS, len(places) - len(cube) - len(fresh))[:, None].repeat(3, axis=1)
    # Greys are spread evenly over the page, in random order; so, between them, is all else.
    at_greys = np.linspace(0, len(places) - 1, len(greys)).round().astype(int)
    between = np.setdiff1d(np.arange(len(places)), at_greys)
    order = rng.permutation(between)
    colours, held_out = np.empty((len(places), 3), np.uint8), np.zeros(len(places), bool)
    colours[at_greys] = rng.permutation(greys)
    colours[order] = np.concatenate([cube, fresh])
    held_out[order[len(cube) :]] = True
    return Target(name, page, sheet, colours, places, held_out)


def every_page(name: str) -> dict[str, Target]:
    """Return the targets of a name by the code that their sheets carry, one for each paper size."""
    targets = [make_target(name, page) for page in PAGES]
    return {target.sheet.code: target for target in targets}


def print_target(path: Path, target: Target) -> None:
    """Write a target's page as PDF, to be printed at 100 %."""
    with replacing(path) as temporary:
        write_pdf(
            temporary,
            [target.sheet],
            picture=target.picture,
            caption=lambda example: (example, "physadv calibrate"),
            title=f"target {target.name}",
        )
