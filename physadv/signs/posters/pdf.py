"""A sign as a PDF at true size: a miniature on one page, a poster on many, or its stickers alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from physadv.errors import unknown_name
from physadv.sheets.layout import Sheet, SheetError
from physadv.sheets.pdf import Ink, new_canvas, save_canvas
from physadv.signs.posters.assembly import plan_poster
from physadv.signs.posters.miniature import plan_miniature
from physadv.signs.posters.paper_signs import Cutout, PaperSign
from physadv.signs.posters.posters import PosterPage, check_bar, check_bar_ticks, foot_labels
from physadv.signs.posters.sticker_sheets import plan_stickers
from physadv.signs.posters.tiles import OVERLAP_MM

Part = Literal["miniature", "poster", "stickers"]
PARTS: tuple[Part, ...] = get_args(Part)
CUT_LINE, CUT_GRAY = 0.2, 0.35
PALENESS = 0.65


def write_sign_pdf(
    path: Path,
    sign: PaperSign,
    parts: Sequence[Part],
    *,
    run: str,
    title: str,
    notice: str = "",
    example: str = "sign",
    page: str = "a4",
    overlap_mm: float = OVERLAP_MM,
    first_sheet: int = 0,
) -> list[Sheet]:
    """Write pages of a sign to one PDF at true size; the same input gives the same bytes.

    Args:
        path: the file to write.
        sign: with its stickers on, of the size it is to have on paper.
        parts: "miniature", the whole sign on one page that capture reads; "poster", the whole sign on as many
            pages as it needs; "stickers", those of the sign's mask with a template. In any order.
        run: the run's code of six base-36 characters, in every QR code.
        title: the run's name, on every page.
        notice: printed on every page outside of the cut lines, as `TRUE_SIZE_NOTICE`.
        example: id of the sign's face, which names its crops.
        page: a name of `PAGES`.
        overlap_mm: of neighbouring pages.
        first_sheet: number in the QR code of the first page, so that all PDFs of one run can be told apart.

    Returns:
        The sheets that `capture` finds in photos: one for each miniature.

    Raises:
        SheetError: no part, an unknown one, an unknown page, a sign too large for one page, a sign without
            stickers, or an impossible overlap.
    """
    if not parts:
        raise SheetError(f"there is no part of the sign to print; take some of {', '.join(PARTS)}")
    pages = [
        planned
        for part in parts
        for planned in _plan(part, sign, example=example, page=page, overlap_mm=overlap_mm)
    ]
    sheets = [planned.sheet(run, first_sheet + k) for k, planned in enumerate(pages)]
    canvas = new_canvas(path, title)
    for number, (planned, sheet) in enumerate(zip(pages, sheets, strict=True), start=1):
        place = f"page {number} of {len(pages)}   {sheet.code}   print at 100 %, not fit to page"
        _draw(Ink(canvas, planned.page_mm), planned, sheet, (planned.heading, f"{title}   {place}", notice))
    save_canvas(canvas, path)
    return [sheet for sheet in sheets if sheet.cells]


def _plan(part: str, sign: PaperSign, *, example: str, page: str, overlap_mm: float) -> list[PosterPage]:
    if part == "miniature":
        return [plan_miniature(sign, example=example, page=page)]
    if part == "poster":
        return plan_poster(sign, example, page=page, overlap_mm=overlap_mm)
    if part == "stickers":
        return plan_stickers(sign, page=page, overlap_mm=overlap_mm)
    raise SheetError(unknown_name("part of a sign", part, PARTS))


def _draw(ink: Ink, page: PosterPage, sheet: Sheet, foot: tuple[str, str, str]) -> None:
    if page.window:
        ink.open_window(page.window)
    for cutout in page.cutouts:
        _draw_cutout(ink, cutout)
        if page.pale:
            ink.veil(cutout.bounds, PALENESS)
    if page.window:
        ink.close_window()
    for stroke in page.strokes:
        ink.lines(
            [stroke.points], width=stroke.width, gray=stroke.gray, dash=stroke.dash, closed=stroke.closed
        )
    for patch in page.patches:
        ink.fill([patch.box_mm], patch.rgb)
    for mark in sheet.marks:
        ink.mark(mark)
    ink.fill([check_bar(page.page_mm), *check_bar_ticks(page.page_mm)])
    for label in (*page.labels, *foot_labels(page.page_mm, foot)):
        ink.text(label.x, label.y, label.text, label.points, label.font)
    ink.done()


def _draw_cutout(ink: Ink, cutout: Cutout) -> None:
    """Draw a picture over the inner half of its cut line, so that the line takes nothing from it."""
    ink.lines(cutout.edges, width=2 * CUT_LINE, gray=CUT_GRAY, closed=True)
    ink.picture(cutout.box_mm, cutout.image, cutout.edges)
