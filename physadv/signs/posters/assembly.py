"""A whole sign on as many pages as it needs, after a sketch of how they go together."""

from itertools import pairwise

from physadv.sheets.pdf import BOLD
from physadv.signs.posters.paper_signs import Cutout, PaperSign
from physadv.signs.posters.posters import EDGE, FOOT, LEFT, Label, PosterPage, Stroke, box_outline
from physadv.signs.posters.tiles import CUT_WIDTH, Grid, plan_grid, plan_tiles

STEP_PITCH = 5.5


def plan_poster(sign: PaperSign, name: str, *, page: str, overlap_mm: float) -> list[PosterPage]:
    """Return the pages of a whole sign, row by row, after a sketch if they are several.

    Args:
        sign: to show.
        name: what a person calls it.
        page: a name of `PAGES`.
        overlap_mm: of neighbouring pages.

    Raises:
        SheetError: unknown page, or an impossible overlap.
    """
    plate = sign.plate()
    grid = plan_grid(plate, page=page, overlap_mm=overlap_mm)
    pages = plan_tiles(plate, name, grid)
    return [_sketch(plate, name, grid), *pages] if len(pages) > 1 else pages


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


def _sketch(plate: Cutout, name: str, grid: Grid) -> PosterPage:
    """Return the page that shows what every page becomes part of."""
    page_mm, area = grid.page_mm, grid.size_mm
    steps = [
        "Print every page at 100 % (actual size), not fit to page; the bar at its foot must be 100 mm long.",
        "Each page says its row and column, as numbered above.",
        *assembly_steps(rows=grid.rows > 1, columns=grid.columns > 1),
    ]
    top = EDGE + 14
    room = (page_mm[0] - 2 * LEFT - 10, page_mm[1] - top - FOOT - STEP_PITCH * len(steps) - 8)
    scale = min(most / side for most, side in zip(room, area, strict=True))
    left = (page_mm[0] - scale * area[0]) / 2
    columns, rows = (
        [0.0, *(k * step + grid.seam_mm for k in range(1, count)), side]
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
        page_mm=page_mm,
        heading=f"{name}: how its {grid.pages} pages go together",
        cutouts=(plate.at(left + scale * CUT_WIDTH, top + scale * CUT_WIDTH, scale),),
        pale=True,
        strokes=tuple(Stroke(box_outline(box), 0.2, 0.3, closed=True) for box in shown.values()),
        labels=(
            Label(LEFT, EDGE + 6, f"{name}: rows 1 to {grid.rows}, columns 1 to {grid.columns}", 13, BOLD),
            *(
                Label(x + w / 2, y + h / 2 + points / 8, place, points, BOLD).centred()
                for place, (x, y, w, h) in shown.items()
            ),
            *(Label(LEFT, text_y + STEP_PITCH * k, step, 9) for k, step in enumerate(steps)),
        ),
    )
