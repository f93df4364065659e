"""A whole sign on one page, between saddles and codes, so that photos of it are read as any sheet's."""

from physadv.sheets.layout import (
    CLEARANCE,
    SADDLE,
    STRIP,
    Cell,
    SheetError,
    colour_bars,
    corner_saddles,
    page_size,
    rounded_box,
    snap,
)
from physadv.signs.posters.paper_signs import PaperSign
from physadv.signs.posters.posters import EDGE, FOOT, LEFT, PosterPage

MINIATURE_CODE = 18.9
"""Side of its QR codes: modules of 0.9 mm, to be read from further away than a sheet's."""
CODE_GAP = 4.0
"""Around them: their quiet zone is four modules."""


def plan_miniature(sign: PaperSign, *, example: str, page: str) -> PosterPage:
    """Return the page of a whole sign.

    Args:
        sign: to show.
        example: id of its face, by which a crop is named.
        page: a name of `PAGES`.

    Raises:
        SheetError: unknown page, or one that is too small.
    """
    page_mm = page_size(page)
    width, height = page_mm
    rim = 2 * (SADDLE + CLEARANCE)
    top = EDGE + 4 + STRIP + CODE_GAP
    bottom = height - FOOT - STRIP - CODE_GAP
    most = min(width - 2 * LEFT, bottom - top - 2 * (MINIATURE_CODE + CODE_GAP)) - rim
    if sign.size_mm > most:
        raise SheetError(
            f"a miniature of {sign.size_mm:g} mm does not fit on {page}, which holds {most:.0f} mm; "
            "take a smaller size, or the poster on several pages"
        )
    side = snap(sign.size_mm)
    frame = side + rim
    block = frame + 2 * (MINIATURE_CODE + CODE_GAP)
    x, y = snap((width - frame) / 2), snap((top + bottom - block) / 2) + MINIATURE_CODE + CODE_GAP
    box = rounded_box(x + rim / 2, y + rim / 2, side, side)
    # A very small sign leaves its codes no room side by side: they stand further out.
    spread = max(frame, 2 * MINIATURE_CODE + CODE_GAP)
    code_x = snap((width - spread) / 2)
    plate, scale = sign.plate(), side / sign.size_mm
    left, upper, _, _ = plate.bounds
    return PosterPage(
        page_mm=page_mm,
        heading=f"{example}: miniature, {sign.size_mm:g} mm",
        cutouts=(plate.at(box[0] + scale * left, box[1] + scale * upper, scale),),
        saddles=corner_saddles(x, y, frame),
        codes=tuple(
            rounded_box(corner_x, corner_y, MINIATURE_CODE, MINIATURE_CODE)
            for corner_y in (y - CODE_GAP - MINIATURE_CODE, y + frame + CODE_GAP)
            for corner_x in (code_x, code_x + spread - MINIATURE_CODE)
        ),
        cell=Cell(example=example, box_mm=box),
        patches=colour_bars(width, (EDGE + 4, bottom + CODE_GAP)),
    )
