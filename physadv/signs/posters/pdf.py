"""A sign as a PDF at true size: a miniature on one page, a poster on many, or its stickers alone."""

from collections.abc import Sequence
from pathlib import Path

from physadv.sheets import layout
from physadv.sheets.pdf import Ink, new_canvas, save_canvas
from physadv.signs.posters.paper_signs import PaperSign
from physadv.signs.posters.posters import EDGE, FOOT, LEFT, PosterPage, check_bar, foot_labels

CUT_LINE, CUT_GRAY = 0.2, 0.35
PALENESS = 0.65
MINIATURE_CODE = 18.9
"""Side of a miniature's QR codes: modules of 0.9 mm, to be read from further away than a sheet's."""
CODE_GAP = 4.0
"""Around them: their quiet zone is four modules."""


def write_pages(
    path: Path, pages: Sequence[PosterPage], *, run: str, title: str, notice: str = "", first_sheet: int = 0
) -> list[layout.Sheet]:
    """Write pages to one PDF at true size; the same input gives the same bytes.

    `run` is the run's code of six base-36 characters, in every QR code, and `first_sheet` the number in that
    of the first page, so that all PDFs of one run can be told apart. The title is on every page, the notice
    too, outside of the cut lines.

    Returns:
        The sheets that `capture` finds in photos: one for each miniature.
    """
    sheets = [planned.sheet(run, first_sheet + k) for k, planned in enumerate(pages)]
    canvas = new_canvas(path, title)
    for number, (planned, sheet) in enumerate(zip(pages, sheets, strict=True), start=1):
        place = f"page {number} of {len(pages)}   {sheet.code}   print at 100 %, not fit to page"
        _draw(Ink(canvas, planned.page_mm), planned, sheet, (planned.heading, f"{title}   {place}", notice))
    save_canvas(canvas, path)
    return [sheet for sheet in sheets if sheet.cells]


def plan_miniature(sign: PaperSign, example: str, page: str) -> PosterPage:
    """Return the page of a whole sign between saddles and codes, so that capture reads it as `example`.

    Raises:
        SheetError: unknown page, or one that is too small.
    """
    page_mm = layout.page_size(page)
    width, height = page_mm
    rim = 2 * (layout.SADDLE + layout.CLEARANCE)
    top = EDGE + 4 + layout.STRIP + CODE_GAP
    bottom = height - FOOT - layout.STRIP - CODE_GAP
    most = min(width - 2 * LEFT, bottom - top - 2 * (MINIATURE_CODE + CODE_GAP)) - rim
    if sign.size_mm > most:
        raise layout.SheetError(
            f"a miniature of {sign.size_mm:g} mm does not fit on {page}, which holds {most:.0f} mm; "
            "take a smaller size, or the poster on several pages"
        )
    side = layout.snap(sign.size_mm)
    frame = side + rim
    block = frame + 2 * (MINIATURE_CODE + CODE_GAP)
    x = layout.snap((width - frame) / 2)
    y = layout.snap((top + bottom - block) / 2) + MINIATURE_CODE + CODE_GAP
    box = layout.rounded_box(x + rim / 2, y + rim / 2, side, side)
    # A very small sign leaves its codes no room side by side: they stand further out.
    spread = max(frame, 2 * MINIATURE_CODE + CODE_GAP)
    code_x = layout.snap((width - spread) / 2)
    plate, scale = sign.plate(), side / sign.size_mm
    left, upper, _, _ = plate.bounds
    return PosterPage(
        page_mm=page_mm,
        heading=f"{example}: miniature, {sign.size_mm:g} mm",
        cutouts=(plate.at(box[0] + scale * left, box[1] + scale * upper, scale),),
        saddles=layout.corner_saddles(x, y, frame),
        codes=tuple(
            layout.rounded_box(corner_x, corner_y, MINIATURE_CODE, MINIATURE_CODE)
            for corner_y in (y - CODE_GAP - MINIATURE_CODE, y + frame + CODE_GAP)
            for corner_x in (code_x, code_x + spread - MINIATURE_CODE)
        ),
        cell=layout.Cell(example=example, box_mm=box),
        patches=layout.colour_bars(width, (EDGE + 4, bottom + CODE_GAP)),
    )


def _draw(ink: Ink, page: PosterPage, sheet: layout.Sheet, foot: tuple[str, str, str]) -> None:
    if page.window:
        ink.open_window(page.window)
    for cutout in page.cutouts:
        # A picture lies over the inner half of its cut line, so that the line takes nothing from it.
        ink.lines(cutout.edges, width=2 * CUT_LINE, gray=CUT_GRAY, closed=True)
        ink.picture(cutout.box_mm, cutout.image, cutout.edges)
        if page.pale:
            ink.veil(cutout.bounds, PALENESS)
    if page.window:
        ink.close_window()
    for line in page.strokes:
        ink.lines([line.points], width=line.width, gray=line.gray, dash=line.dash, closed=line.closed)
    for patch in page.patches:
        ink.fill([patch.box_mm], patch.rgb)
    for mark in sheet.marks:
        ink.mark(mark)
    ink.scale_bar(check_bar(page.page_mm))
    for label in (*page.labels, *foot_labels(page.page_mm, foot)):
        ink.text(label.x, label.y, label.text, label.points, label.font)
    ink.done()
