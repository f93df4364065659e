"""Something larger than a page on several pages that overlap, and a whole sign after a sketch of its pages.

Neighbours meet at a seam in the middle of their overlap. A saddle mark stands on either end of it, beside the
picture, on both pages: cut along the seam, the upper page's half marks complete those of the page below.
"""

from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil

import numpy as np

from physadv.sheets.fonts import BOLD, SIGNS
from physadv.sheets.layout import CLEARANCE, CODE, SADDLE, BoxMm, box_corners, page_size, rounded_box, snap
from physadv.signs.posters.paper_signs import Cutout, PaperSign
from physadv.signs.posters.posters import EDGE, FOOT, LEFT, Label, PosterPage, Stroke

OVERLAP_MM = 10.0
"""How much of a window a neighbour shows as well."""
SEAM_MM = OVERLAP_MM / 2
"""From the left, or top, of a window to the seam it belongs to."""
TICK = 1.0
BAND = CLEARANCE + SADDLE + TICK
"""What a window needs around it for its marks."""
FOOT_GAP = 1.5
CUT_WIDTH = 1.0
"""Of the line to cut along, which must not be lost where it is the outermost thing there is."""
STEP_PITCH = 5.5


@dataclass(frozen=True)
class Grid:
    """Pages that show windows of one size.

    Attributes:
        page_mm: width and height of a page.
        rows: how many pages stand below each other.
        columns: how many pages stand beside each other.
        window_mm: width and height of what a page shows.
        corner_mm: where its top-left corner is on the page.
    """

    page_mm: tuple[float, float]
    rows: int
    columns: int
    window_mm: tuple[float, float]
    corner_mm: tuple[float, float]

    @property
    def pages(self) -> int:
        """Return how many pages there are."""
        return self.rows * self.columns

    @property
    def step_mm(self) -> tuple[float, float]:
        """Return how far neighbours are apart."""
        width, height = self.window_mm
        return (width - OVERLAP_MM, height - OVERLAP_MM)


def plan_poster(sign: PaperSign, name: str, page: str) -> list[PosterPage]:
    """Return the pages of a whole sign, row by row, after a sketch if they are several.

    Raises:
        SheetError: unknown page.
    """
    plate = sign.plate()
    grid = plan_grid(plate, page)
    pages = plan_tiles(plate, name, grid)
    return [_sketch(plate, name, grid), *pages] if len(pages) > 1 else pages


def plan_grid(cutout: Cutout, page: str) -> Grid:
    """Return the fewest pages, all upright or all on their side, that show something and the line around it.

    Raises:
        SheetError: unknown page.
    """
    size = page_size(page)
    width, height = (side + 2 * CUT_WIDTH for side in cutout.bounds[2:])
    upright, on_its_side = (_grid(width, height, page_mm) for page_mm in (size, size[::-1]))
    return upright if upright.pages <= on_its_side.pages else on_its_side


def plan_tiles(cutout: Cutout, name: str, grid: Grid) -> list[PosterPage]:
    """Return the pages of something of any size, row by row, on the grid that `plan_grid` has for it."""
    return [_tile(cutout, name, grid, *place) for place in product(range(grid.rows), range(grid.columns))]


def assembly_steps(*, rows: bool, columns: bool) -> list[str]:
    """Return how to join pages, in words, where there are several `rows` or `columns` of them."""
    steps = []
    if columns:
        steps += [
            "Cut each page at its left seam (scissors), from mark to mark through their middles; lay it on",
            "the page to its left so that the half marks become whole again, and glue: these are the rows.",
        ]
    if rows:
        steps.append("Cut each row at its upper seam, lay it on the row above in the same way, and glue.")
    return [*steps, "Cut along the outline."]


def _grid(width: float, height: float, page_mm: tuple[float, float]) -> Grid:
    room = (page_mm[0] - 2 * (EDGE + BAND), page_mm[1] - 2 * (EDGE + BAND) - FOOT_GAP - CODE)
    columns, rows = (
        max(1, ceil((length - OVERLAP_MM) / (most - OVERLAP_MM) - 1e-9))
        for length, most in zip((width, height), room, strict=True)
    )
    # All windows are alike: as large as the pages need to be, on a grid whose halves are on the sheets' own.
    window = tuple(
        round(ceil(10 * ((length + (count - 1) * OVERLAP_MM) / count - 1e-9)) / 10, 4)
        for length, count in ((width, columns), (height, rows))
    )
    corner = tuple(EDGE + BAND + snap((most - side) / 2) for most, side in zip(room, window, strict=True))
    return Grid(page_mm, rows, columns, (window[0], window[1]), (corner[0], corner[1]))


def _sketch(plate: Cutout, name: str, grid: Grid) -> PosterPage:
    """Return the page that shows what every page becomes part of."""
    steps = [
        "Print every page at 100 % (actual size), not fit to page; the bar at its foot must be 100 mm long.",
        "Each page says its row and column, as numbered above.",
        *assembly_steps(rows=grid.rows > 1, columns=grid.columns > 1),
    ]
    (width, height), (window_x, window_y), (step_x, step_y) = grid.page_mm, grid.window_mm, grid.step_mm
    area = ((grid.columns - 1) * step_x + window_x, (grid.rows - 1) * step_y + window_y)
    top = EDGE + 14
    room_y = height - top - FOOT - STEP_PITCH * len(steps) - 8
    scale = min((width - 2 * LEFT - 10) / area[0], room_y / area[1])
    left = (width - scale * area[0]) / 2
    columns, rows = (
        [0.0, *(k * step + SEAM_MM for k in range(1, count)), side]
        for count, step, side in zip((grid.columns, grid.rows), grid.step_mm, area, strict=True)
    )
    shown = {
        f"{row}-{column}": (left + scale * x0, top + scale * y0, scale * (x1 - x0), scale * (y1 - y0))
        for row, (y0, y1) in enumerate(pairwise(rows), start=1)
        for column, (x0, x1) in enumerate(pairwise(columns), start=1)
    }
    points = min(12.0, scale * min(grid.step_mm))
    text_y = top + scale * area[1] + 10
    return PosterPage(
        page_mm=grid.page_mm,
        heading=f"{name}: how its {grid.pages} pages go together",
        cutouts=(plate.at(left + scale * CUT_WIDTH, top + scale * CUT_WIDTH, scale),),
        pale=True,
        strokes=tuple(Stroke(box_corners(box), 0.2, 0.3, closed=True) for box in shown.values()),
        labels=(
            Label(LEFT, EDGE + 6, f"{name}: rows 1 to {grid.rows}, columns 1 to {grid.columns}", 13, BOLD),
            *(
                Label(x + w / 2, y + h / 2 + points / 8, place, points, BOLD).centred()
                for place, (x, y, w, h) in shown.items()
            ),
            *(Label(LEFT, text_y + STEP_PITCH * k, step, 9) for k, step in enumerate(steps)),
        ),
    )


def _tile(cutout: Cutout, name: str, grid: Grid, row: int, column: int) -> PosterPage:
    (left, top), (step_x, step_y), (width, height) = grid.corner_mm, grid.step_mm, grid.window_mm
    ends_x, ends_y = ((start - BAND, start + side + BAND) for start, side in ((left, width), (top, height)))
    place = f"row {row + 1} of {grid.rows}, column {column + 1} of {grid.columns}"
    # A page is cut at its left and upper seam, to lie on its neighbours there; at the others it lies below.
    x, y = left + SEAM_MM, top + SEAM_MM
    seams, scissors = [], []
    if column > 0:
        seams.append(_seam(x, *ends_y, upright=True))
        scissors.append(Label(x + 3, ends_y[0] + 4, "✂", 9, SIGNS))
    if row > 0:
        seams.append(_seam(y, *ends_x, upright=False))
        scissors.append(Label(ends_x[0] + TICK, y + 5.5, "✂", 9, SIGNS))
    if column < grid.columns - 1:
        seams.append(_seam(x + step_x, *ends_y, upright=True))
    if row < grid.rows - 1:
        seams.append(_seam(y + step_y, *ends_x, upright=False))
    return PosterPage(
        page_mm=grid.page_mm,
        heading=f"{name}: {place}" if grid.pages > 1 else name,
        cutouts=(cutout.at(left + CUT_WIDTH - column * step_x, top + CUT_WIDTH - row * step_y),),
        window=rounded_box(left, top, width, height),
        strokes=tuple(tick for ticks, _ in seams for tick in ticks),
        labels=tuple(scissors),
        saddles=tuple(box for _, boxes in seams for box in boxes),
    )


def _seam(at: float, first: float, last: float, *, upright: bool) -> tuple[list[Stroke], list[BoxMm]]:
    """Return ticks and saddles of a seam that is `at` on one axis, from `first` to `last` on the other."""

    def points(*along: float) -> list[tuple[float, float]]:
        return [(at, place) if upright else (place, at) for place in along]

    starts = (first, first + TICK + SADDLE, last - TICK - SADDLE - CLEARANCE, last - TICK)
    ticks = [Stroke(np.array(points(start, start + TICK)), gray=0) for start in starts]
    middles = points(first + TICK + SADDLE / 2, last - TICK - SADDLE / 2)
    return ticks, [rounded_box(x - SADDLE / 2, y - SADDLE / 2, SADDLE, SADDLE) for x, y in middles]
