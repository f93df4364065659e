"""Pages that are more than sheets of cells: what they show, and the foot that every one of them has.

The foot says what the page is: a QR code, a bar of 100 mm to check the printer with, and a notice.
"""

from dataclasses import dataclass, replace

from physadv.sheets.codes import Code, format_code, sheet_code
from physadv.sheets.fonts import BOLD, FONT, fitted, text_width
from physadv.sheets.layout import CODE, QUIET, BoxMm, Cell, Mark, Patch, Sheet, rounded_box, scale_bar
from physadv.sheets.pdf import Polygon
from physadv.signs.posters.paper_signs import Cutout

EDGE = 6.0
"""Nothing is printed nearer to the paper's edge: few printers reach it."""
LEFT = 10.0
FOOT = QUIET + CODE + EDGE


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line through points (k, 2)."""

    points: Polygon
    width: float = 0.1
    gray: float = 0.4
    dash: tuple[float, ...] = ()
    closed: bool = False


@dataclass(frozen=True)
class Label:
    """A text whose baseline begins at (x, y)."""

    x: float
    y: float
    text: str
    points: float = 8.0
    font: str = FONT

    def centred(self) -> "Label":
        """Return it with its middle where it began."""
        return replace(self, x=self.x - text_width(self.text, self.points, self.font) / 2)


@dataclass(frozen=True, eq=False)
class PosterPage:
    """What one page shows, beside its foot; it gets its number when the pages are put together.

    Attributes:
        page_mm: width and height.
        heading: says what the page is.
        cutouts: placed on the page, each with a line to cut along.
        window: nothing of the cutouts shows outside of it.
        pale: the cutouts are only to be recognised, not used.
        strokes: lines drawn over the cutouts.
        labels: words drawn over the cutouts.
        saddles: boxes of its saddle marks.
        codes: boxes of QR codes beside the one in its foot.
        cell: the picture that capture may read from a photo of the page, between the saddles.
        patches: of its colour bars.
    """

    page_mm: tuple[float, float]
    heading: str
    cutouts: tuple[Cutout, ...] = ()
    window: BoxMm | None = None
    pale: bool = False
    strokes: tuple[Stroke, ...] = ()
    labels: tuple[Label, ...] = ()
    saddles: tuple[BoxMm, ...] = ()
    codes: tuple[BoxMm, ...] = ()
    cell: Cell | None = None
    patches: tuple[Patch, ...] = ()

    def sheet(self, run: str, index: int) -> Sheet:
        """Return the page as a sheet of a run (six base-36 characters): its marks, codes and cell."""
        marks = [Mark(kind="saddle", cell=0, box_mm=box) for box in self.saddles]
        marks += [
            Mark(kind="code", cell=0, box_mm=box, payload=format_code(Code(run, index, number)))
            for number, box in enumerate((foot_code(self.page_mm), *self.codes))
        ]
        return Sheet(
            index=index,
            code=sheet_code(run, index),
            page_mm=self.page_mm,
            cells=(self.cell,) if self.cell else (),
            marks=tuple(marks),
            patches=self.patches,
        )


def foot_code(page_mm: tuple[float, float]) -> BoxMm:
    """Return the box of the QR code in a page's foot."""
    return rounded_box(LEFT, page_mm[1] - EDGE - CODE, CODE, CODE)


def check_bar(page_mm: tuple[float, float]) -> BoxMm:
    """Return the box of the bar, 100 mm long, that shows whether a page was printed at its true size."""
    x, y, w, h = foot_code(page_mm)
    return scale_bar(x + w + 3.5, y + h)


def foot_labels(page_mm: tuple[float, float], lines: tuple[str, str, str]) -> list[Label]:
    """Return the three lines beside a page's code, cut to what fits."""
    x = check_bar(page_mm)[0]
    _, top, _, _ = foot_code(page_mm)
    styles = ((2.5, 8.5, BOLD), (5.6, 6.5, FONT), (9.0, 7.0, BOLD))
    return [
        Label(x, top + down, fitted(text, page_mm[0] - x - LEFT, points, font), points, font)
        for text, (down, points, font) in zip(lines, styles, strict=True)
    ]
