"""Something larger than a page on several pages that overlap.

Neighbours meet at a seam in the middle of their overlap. A saddle mark stands on either end of it, beside the
picture, on both pages: cut along the seam, the upper page's half marks complete those of the page below.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from physadv.sheets.layout import CLEARANCE, CODE, SADDLE, BoxMm, SheetError, page_size, rounded_box, snap
from physadv.sheets.pdf import SIGNS
from physadv.signs.posters.paper_signs import Cutout
from physadv.signs.posters.posters import EDGE, Label, PosterPage, Stroke

OVERLAP_MM = 10.0
TICK = 1.0
BAND = CLEARANCE + SADDLE + TICK
"""What a window needs around it for its marks."""
FOOT_GAP = 1.5
CUT_WIDTH = 1.0
"""Of the line to cut along, which must not be lost where it is the outermost thing there is."""


@dataclass(frozen=True)
class Grid:
    """Pages that show windows of one size.

    Attributes:
        page_mm: width and height of a page.
        rows: how many pages stand below each other.
        columns: how many pages stand beside each other.
        window_mm: width and height of what a page shows.
        corner_mm: where its top-left corner is on the page.
        overlap_mm: how much of it a neighbour shows as well.
    """

    page_mm: tuple[float, float]
    rows: int
    columns: int
    window_mm: tuple[float, float]
    corner_mm: tuple[float, float]
    overlap_mm: float

    @property
    def pages(self) -> int:
        """Return how many pages there are."""
        return self.rows * self.columns

    @property
    def step_mm(self) -> tuple[float, float]:
        """Return how far neighbours are apart."""
        width, height = self.window_mm
        return (width - self.overlap_mm, height - self.overlap_mm)

    @property
    def size_mm(self) -> tuple[float, float]:
        """Return the width and height of what all pages show together."""
        width, height = self.window_mm
        step_x, step_y = self.step_mm
        return ((self.columns - 1) * step_x + width, (self.rows - 1) * step_y + height)

    @property
    def seam_mm(self) -> float:
        """Return how far a seam is from the left, or top, of the window it belongs to."""
        return snap(self.overlap_mm / 2)


def plan_grid(cutout: Cutout, *, page: str, overlap_mm: float = OVERLAP_MM) -> Grid:
    """Return the fewest pages, all upright or all on their side, that show something and the line around it.

    Args:
        cutout: what to show.
        page: a name of `PAGES`.
        overlap_mm: how much of it two neighbours show.

    Raises:
        SheetError: unknown page, or an overlap that leaves no flap to glue or no room for a picture.
    """
    size = page_size(page)
    most = min(_room(size)) / 2
    if not SADDLE <= overlap_mm <= most:
        wanted = f"{page} pages take {SADDLE:g} to {most:.0f} mm"
        raise SheetError(f"an overlap of {overlap_mm:g} mm cannot be glued; {wanted}")
    width, height = (side + 2 * CUT_WIDTH for side in cutout.bounds[2:])
    upright, on_its_side = (_grid(width, height, page_mm, snap(overlap_mm)) for page_mm in (size, size[::-1]))
    return upright if upright.pages <= on_its_side.pages else on_its_side


def plan_tiles(cutout: Cutout, name: str, grid: Grid) -> list[PosterPage]:
    """Return the pages of something of any size, row by row.

    Args:
        cutout: what to show.
        name: what a person calls it.
        grid: from `plan_grid` for it.
    """
    return [
        _tile(cutout, name, grid, row, column) for row in range(grid.rows) for column in range(grid.columns)
    ]


def _room(page_mm: tuple[float, float]) -> tuple[float, float]:
    width, height = page_mm
    return (width - 2 * (EDGE + BAND), height - 2 * (EDGE + BAND) - FOOT_GAP - CODE)


def _grid(width: float, height: float, page_mm: tuple[float, float], overlap: float) -> Grid:
    room = _room(page_mm)
    columns, rows = (
        max(1, ceil((length - overlap) / (most - overlap) - 1e-9))
        for length, most in zip((width, height), room, strict=True)
    )
    # All windows are alike: as large as the pages need to be, on a grid whose halves are on the sheets' own.
    window = tuple(
        round(ceil(10 * ((length + (count - 1) * overlap) / count - 1e-9)) / 10, 4)
        for length, count in ((width, columns), (height, rows))
    )
    corner = tuple(EDGE + BAND + snap((most - side) / 2) for most, side in zip(room, window, strict=True))
    return Grid(page_mm, rows, columns, (window[0], window[1]), (corner[0], corner[1]), overlap)


def _tile(cutout: Cutout, name: str, grid: Grid, row: int, column: int) -> PosterPage:
    (left, top), (step_x, step_y), (width, height) = grid.corner_mm, grid.step_mm, grid.window_mm
    ends_x, ends_y = ((start - BAND, start + side + BAND) for start, side in ((left, width), (top, height)))
    place = f"row {row + 1} of {grid.rows}, column {column + 1} of {grid.columns}"
    # A page is cut at its left and upper seam, to lie on its neighbours there; at the others it lies below.
    cut, below = [], []
    if column > 0:
        cut.append(_Seam(left + grid.seam_mm, *ends_y, upright=True))
    if row > 0:
        cut.append(_Seam(top + grid.seam_mm, *ends_x, upright=False))
    if column < grid.columns - 1:
        below.append(_Seam(left + step_x + grid.seam_mm, *ends_y, upright=True))
    if row < grid.rows - 1:
        below.append(_Seam(top + step_y + grid.seam_mm, *ends_x, upright=False))
    return PosterPage(
        page_mm=grid.page_mm,
        heading=f"{name}: {place}" if grid.pages > 1 else name,
        cutouts=(cutout.at(left + CUT_WIDTH - column * step_x, top + CUT_WIDTH - row * step_y),),
        window=rounded_box(left, top, width, height),
        strokes=tuple(tick for seam in (*cut, *below) for tick in seam.ticks()),
        labels=tuple(seam.scissors() for seam in cut),
        saddles=tuple(box for seam in (*cut, *below) for box in seam.saddles()),
    )


@dataclass(frozen=True)
class _Seam:
    """Where two pages meet: `at` on one axis; its marks are at its ends, `first` and `last` on the other."""

    at: float
    first: float
    last: float
    upright: bool

    def saddles(self) -> list[BoxMm]:
        return [
            rounded_box(x - SADDLE / 2, y - SADDLE / 2, SADDLE, SADDLE)
            for x, y in self._points(self.first + TICK + SADDLE / 2, self.last - TICK - SADDLE / 2)
        ]

    def ticks(self) -> list[Stroke]:
        return [
            Stroke(np.array(self._points(start, start + TICK)), gray=0)
            for start in (
                self.first,
                self.first + TICK + SADDLE,
                self.last - TICK - SADDLE - CLEARANCE,
                self.last - TICK,
            )
        ]

    def scissors(self) -> Label:
        x, y = (self.at + 3, self.first + 4) if self.upright else (self.first + TICK, self.at + 5.5)
        return Label(x, y, "✂", 9, SIGNS)

    def _points(self, *across: float) -> list[tuple[float, float]]:
        return [(self.at, place) if self.upright else (place, self.at) for place in across]
