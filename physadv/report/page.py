"""The parts that pages are made of: headlines, tables, figures and facts, and how a page is written.

A page is one self-contained HTML file for a screen of any width, a reader or a printer; it asks for nothing
from any network. All text in it is escaped, but for the drawings, which `figures` makes and escapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from physadv.report.figures import Figure


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


def render_page(template: str, data: object) -> str:
    """Return the page that a template of `pages/` makes of `data`; the same data gives the same text."""
    environment = Environment(
        loader=PackageLoader("physadv.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(page=data)


def word_table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of words."""
    headings = tuple(Column(name, numeric=False) for name in columns)
    return Table(
        caption, (ColumnGroup("", headings),), (RowGroup("", tuple(tuple(map(Cell, row)) for row in rows)),)
    )
