"""The layout of a page: where pairs, codes and marks are, in millimetres from its top-left corner.

A cell is a picture inside a square frame with a 2×2 saddle mark in each corner, and its own QR code and
caption below. Between picture and marks is its bleed: without it, the white of the paper would blur into the
outermost pixels, in photos only. Every position is a multiple of 0.05 mm, so that all edges fall on the
raster of 508 dpi.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from physadv.errors import PhysadvError, unknown_name
from physadv.sheets.codes import Code, format_code, sheet_code

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PointMm = tuple[float, float]
BoxMm = tuple[float, float, float, float]
"""x, y, width and height in mm; (x, y) is the top-left corner, measured from the page's."""

PAGES: dict[str, PointMm] = {"a4": (210.0, 297.0), "a3": (297.0, 420.0), "letter": (215.9, 279.4)}
IMAGE, SADDLE, CODE = 36.0, 4.0, 12.6
MARGIN, HEADER, STRIP = 10.0, 5.0, 6.0
CLEARANCE, GAP, QUIET, STRIP_GAP = 1.0, 2.0, 2.5, 2.0
BAR_MM, BAR_THICKNESS, BAR_BOTTOM = 100.0, 0.8, 6.5
BLEED = CLEARANCE
"""How far the pixels at a picture's edge go on around it, mm: as far as its marks leave room."""

GREYS = (0, 36, 73, 109, 146, 182, 219, 255)
PRIMARIES = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0))
MUTED = ((194, 150, 130), (87, 108, 67), (98, 122, 157), (214, 126, 44))
PATCH_COLOURS = (*((grey, grey, grey) for grey in GREYS), *PRIMARIES, *MUTED)
COLOURLESS = 0.1
"""Share of their chroma in a photo up to which the patches are called grey; the dullest of inks keep half."""


class SheetError(PhysadvError):
    """A sheet cannot be laid out, or its PDF cannot be written or read."""


class Cell(BaseModel, frozen=True, extra="forbid"):
    """The place of one example on a page.

    Attributes:
        example: id of the example.
        box_mm: the box of its picture.
    """

    example: str
    box_mm: BoxMm


class Mark(BaseModel, frozen=True, extra="forbid"):
    """A printed fiducial.

    Attributes:
        kind: a 2×2 "saddle", of which the centre is located, or a QR "code", of which the corners are.
        cell: number of the cell that it belongs to.
        box_mm: the box that it fills.
        payload: the text of a code; None for a saddle.
    """

    kind: Literal["saddle", "code"]
    cell: int
    box_mm: BoxMm
    payload: str | None = None

    @property
    def centre_mm(self) -> PointMm:
        """Return its middle, mm."""
        return box_centre(self.box_mm)


class Patch(BaseModel, frozen=True, extra="forbid"):
    """One field of a grey and colour bar.

    Attributes:
        rgb: its colour, 8-bit sRGB.
        box_mm: the box that it fills.
    """

    rgb: tuple[int, int, int]
    box_mm: BoxMm


class Sheet(BaseModel, frozen=True, extra="forbid"):
    """One page.

    Attributes:
        index: number of the page in the run, from 0.
        code: the beginning of all QR codes on the page.
        page_mm: width and height of the paper.
        cells: the places of examples; a cell's number is its position here.
        marks: the fiducials of all cells.
        patches: the fields of both grey and colour bars.
    """

    index: int
    code: str
    page_mm: PointMm
    cells: tuple[Cell, ...]
    marks: tuple[Mark, ...]
    patches: tuple[Patch, ...]

    @property
    def run(self) -> str:
        """Return the run's code of six characters, which every QR code on the page contains."""
        return self.code.split("-")[1]

    @property
    def codes(self) -> dict[str, Mark]:
        """Return the QR codes on the page by their texts."""
        return {mark.payload: mark for mark in self.marks if mark.payload}


@dataclass(frozen=True)
class PrintItem:
    """An example to be placed.

    Attributes:
        example: id of the example.
        width_px: width of its image, pixels.
        height_px: height of its image, pixels.
    """

    example: str
    width_px: int
    height_px: int


def box_centre(box: BoxMm) -> PointMm:
    """Return the middle of a box."""
    x, y, w, h = box
    return (x + w / 2, y + h / 2)


def box_corners(box: BoxMm) -> "NDArray[np.float64]":
    """Return the corners (4, 2) of a box: top-left, top-right, bottom-right, bottom-left."""
    import numpy as np

    x, y, w, h = box
    return np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], dtype=np.float64)


def page_size(page: str) -> PointMm:
    """Return the width and height in mm of a paper size; a SheetError where `PAGES` has no such name."""
    if page not in PAGES:
        raise SheetError(unknown_name("page", page, PAGES))
    return PAGES[page]


def plan_sheets(
    pairs: Sequence[tuple[PrintItem, PrintItem]], *, run: str, page: str = "a4", image_mm: float = IMAGE
) -> list[Sheet]:
    """Lay out pairs on pages, clean left of adversarial or above it, as many to a page as fit.

    Args:
        pairs: the clean and the adversarial example of each source image.
        run: the run's code of six base-36 characters, which tells its sheets from those of other runs.
        page: name of the paper size, one of `PAGES`.
        image_mm: side of the square into which a picture is fitted, mm.

    Raises:
        SheetError: unknown page, or pictures that are too small or too large for it.

    >>> pair = (PrintItem("0-clean", 224, 224), PrintItem("0-adversarial", 224, 224))
    >>> (sheet,) = plan_sheets([pair], run="MYRUN1")
    >>> sheet.code, sheet.cells[0].box_mm, len(sheet.marks)
    ('P1-MYRUN1-000', (15.0, 28.0, 36.0, 36.0), 10)
    """
    page_mm = page_size(page)
    if not 10 <= image_mm < inf:
        raise SheetError(f"pictures of {image_mm:g} mm cannot be printed with marks; take 10 mm or more")
    frame = snap(image_mm) + 2 * (SADDLE + CLEARANCE)
    origins = _origins(page_mm, frame)
    if not origins:
        raise SheetError(f"a pair of {image_mm:g} mm pictures does not fit on {page}; take a smaller size")
    items = [item for pair in pairs for item in pair]
    groups = [items[start : start + len(origins)] for start in range(0, len(items), len(origins))]
    return [_sheet(run, index, group, origins, page_mm, frame) for index, group in enumerate(groups)]


def snap(length_mm: float) -> float:
    """Return a length rounded to 0.05 mm."""
    return round(length_mm * 20) / 20


def _origins(page_mm: PointMm, frame: float) -> list[PointMm]:
    """Return the frame origins of the cells of all pairs that fit.

    The two of a pair stand side by side, or one above the other where the page is too narrow for that.
    """
    width, height = page_mm
    room = width - 2 * MARGIN + GAP
    columns = 2 * int(room // (2 * (frame + GAP))) or int(room // (frame + GAP))
    top = MARGIN + HEADER + STRIP + STRIP_GAP
    pitch = frame + 2 * QUIET + CODE
    rows = int((height - MARGIN - STRIP - STRIP_GAP - top) // pitch)
    if columns == 1:
        rows -= rows % 2
    left = snap((width - columns * (frame + GAP) + GAP) / 2)
    across = [left + column * (frame + GAP) for column in range(columns)]
    return [(x, top + row * pitch) for row in range(rows) for x in across]


def _sheet(
    run: str,
    index: int,
    items: Sequence[PrintItem],
    places: Sequence[PointMm],
    page_mm: PointMm,
    frame: float,
) -> Sheet:
    cells: list[Cell] = []
    marks: list[Mark] = []
    for number, (item, (x, y)) in enumerate(zip(items, places, strict=False)):
        scale = (frame - 2 * (SADDLE + CLEARANCE)) / max(item.width_px, item.height_px)
        w, h = snap(item.width_px * scale), snap(item.height_px * scale)
        box = rounded_box(x + snap((frame - w) / 2), y + snap((frame - h) / 2), w, h)
        cells.append(Cell(example=item.example, box_mm=box))
        marks += [Mark(kind="saddle", cell=number, box_mm=box) for box in corner_saddles(x, y, frame)]
        # Codes stand near the page's edges, so that they span as much of it as possible.
        code_x = x if x + frame / 2 < page_mm[0] / 2 else x + frame - CODE
        box, text = rounded_box(code_x, y + frame + QUIET, CODE, CODE), format_code(Code(run, index, number))
        marks.append(Mark(kind="code", cell=number, box_mm=box, payload=text))
    bars = colour_bars(page_mm[0], (MARGIN + HEADER, page_mm[1] - MARGIN - STRIP))
    code = sheet_code(run, index)
    return Sheet(
        index=index, code=code, page_mm=page_mm, cells=tuple(cells), marks=tuple(marks), patches=bars
    )


def rounded_box(x: float, y: float, w: float, h: float) -> BoxMm:
    """Return a box without the rounding errors of binary fractions."""
    return (round(x, 4), round(y, 4), round(w, 4), round(h, 4))


def corner_saddles(x: float, y: float, frame: float) -> tuple[BoxMm, ...]:
    """Return the saddles in the corners of a square frame, clockwise from (x, y), its top-left corner."""
    far = frame - SADDLE
    offsets = ((0.0, 0.0), (far, 0.0), (far, far), (0.0, far))
    return tuple(rounded_box(x + dx, y + dy, SADDLE, SADDLE) for dx, dy in offsets)


def scale_bar(left: float, bottom: float) -> BoxMm:
    """Return the box of a bar of 100 mm: a ruler shows on it whether a page was printed at its true size."""
    return rounded_box(left, bottom - BAR_THICKNESS, BAR_MM, BAR_THICKNESS)


def sheet_bar(page_mm: PointMm) -> BoxMm:
    """Return the box of the 100 mm bar in the lower margin of a sheet of pairs."""
    return scale_bar(MARGIN, page_mm[1] - BAR_BOTTOM)


def colour_bars(page_width: float, tops: Sequence[float]) -> tuple[Patch, ...]:
    """Return a grey and colour bar at each of `tops`. There are two, since light falls off across a page."""
    width = snap((page_width - 2 * MARGIN) / len(PATCH_COLOURS) - 0.5)
    return tuple(
        Patch(rgb=rgb, box_mm=rounded_box(MARGIN + k * (width + 0.5), snap(top), width, STRIP))
        for top in tops
        for k, rgb in enumerate(PATCH_COLOURS)
    )
