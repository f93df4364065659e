"""The parts that pages are made of: headlines, tables, figures and facts, and how a page is written.

A page is one self-contained HTML file for a screen of any width, a reader or a printer; it asks for nothing
from any network. All text in it is escaped, but for the drawings, which `figures` makes and escapes.
"""

import base64
import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from PIL import Image

from physadv.report.figures import Figure

if TYPE_CHECKING:
    from jinja2 import Environment

SIDE_PX, LOSSLESS_SIDE_PX = 200, 96
PICTURE_QUALITY = 80


@dataclass(frozen=True)
class Notice:
    """What must be known before any number is read; `plain` where it is no caution."""

    title: str
    text: str
    plain: bool = False


@dataclass(frozen=True)
class Headline:
    """One number in large type, its interval and n, and what it says; `weak` where it is no number."""

    name: str
    value: str
    detail: str
    words: str
    weak: bool = False


@dataclass(frozen=True)
class Cell:
    """One place of a table; `detail` stands under it, smaller; `weak` marks what is no number."""

    text: str
    detail: str = ""
    weak: bool = False


@dataclass(frozen=True)
class Column:
    """A column's heading, and whether numbers stand in it."""

    name: str
    numeric: bool = True


@dataclass(frozen=True)
class ColumnGroup:
    """Neighbouring columns under one heading; without a name each stands for itself."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class RowGroup:
    """Rows under one heading; the first cell of each row is that row's heading."""

    name: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table; its caption says what it shows and in which unit. A `folded` one is opened by the reader."""

    caption: str
    columns: tuple[ColumnGroup, ...]
    groups: tuple[RowGroup, ...]
    folded: bool = False

    @property
    def each_column(self) -> tuple[Column, ...]:
        """Return the columns from left to right."""
        return tuple(column for group in self.columns for column in group.columns)

    @property
    def grouped(self) -> bool:
        """Return whether some columns stand under a common heading."""
        return any(group.name for group in self.columns)

    @property
    def numeric(self) -> bool:
        """Return whether there are numbers in it at all."""
        return any(column.numeric for column in self.each_column)


@dataclass(frozen=True)
class FigureGroup:
    """Figures of one kind under one heading, empty where they need none; `small` ones are multiples."""

    title: str
    note: str
    figures: tuple[Figure, ...]
    small: bool = False


@dataclass(frozen=True)
class Picture:
    """One picture of a pair.

    Attributes:
        title: what it is, "clean" or "adversarial photo".
        src: a data URI; empty where there is no picture, and `answer` then says why.
        size_px: of what `src` holds.
        alt: its text alternative.
        answer: the classifier's first answer on it, or what else is to be said.
        probability: of that answer, as written.
        right: whether the answer is the true label; None where nothing was asked.
    """

    title: str
    src: str
    size_px: tuple[int, int]
    alt: str
    answer: str
    probability: str = ""
    right: bool | None = None


@dataclass(frozen=True)
class GalleryRow:
    """One pair: its name, its true label, what happened to it, and its pictures."""

    pair: str
    label: str
    fate: str
    notes: tuple[str, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class GalleryGroup:
    """Pairs to which the same happened; `tone` sets their colour, `total` counts those not shown too."""

    name: str
    words: str
    tone: Literal["survived", "mixed", "destroyed", "other"]
    total: int
    rows: tuple[GalleryRow, ...]


@dataclass(frozen=True)
class Facts:
    """Names and values of one kind, such as the attack's parameters."""

    name: str
    items: tuple[tuple[str, str], ...]


def render_page(template: str, page: object) -> str:
    """Return the page that a template of `pages/` makes; the same `page` gives the same text.

    Args:
        template: its file name.
        page: what the template shows, by name: a mapping or an object with attributes.
    """
    return environment().get_template(template).render(page=page)


@cache
def environment() -> "Environment":
    """Return the templates of `pages/`; what they show is escaped, and a missing name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("physadv.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def slug(text: str) -> str:
    """Return a text as it may stand in the name of a file or in an id: ASCII letters, digits and hyphens."""
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in text)


def data_uri(image: Image.Image, quality: int = PICTURE_QUALITY) -> tuple[str, tuple[int, int]]:
    """Return an image as a data URI, at most `SIDE_PX` wide and high, and its size in pixels.

    Args:
        image: any picture; images of at most `LOSSLESS_SIDE_PX` become PNG, larger ones JPEG.
        quality: of the JPEG, 1 to 95.
    """
    reduced = image.copy()
    reduced.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    if max(reduced.size) <= LOSSLESS_SIDE_PX:
        kind = "png"
        reduced.save(written, "PNG", optimize=True)
    else:
        kind = "jpeg"
        reduced.save(written, "JPEG", quality=quality, subsampling=0, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(written.getvalue()).decode()}", reduced.size
