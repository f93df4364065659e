"""The report: plain records → one self-contained HTML page, for a screen of any width, a reader or a printer.

The page asks for nothing from any network. Everything written into it is escaped, but for the drawings, which
`figures` makes and escapes itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from jinja2 import Environment, StrictUndefined

from physadv.evaluation.destruction import Row
from physadv.evaluation.figures import Figure
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.wording import (
    UNDEFINED,
    destruction_in_words,
    interval,
    number,
    percent,
    trials,
    with_interval,
)


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
    """A table; its caption says what it shows and in which unit."""

    caption: str
    columns: tuple[ColumnGroup, ...]
    groups: tuple[RowGroup, ...]

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


@dataclass(frozen=True)
class ReportData:
    """Everything the page says, in the order in which it says it.

    Attributes:
        title: the run's name.
        summary: attack, budget, number of pairs and classifier, one item each.
        notice: where the photos come from.
        headlines: the few numbers most readers come for; `headlines_note` a line below them.
        figures: plots.
        tables: the numbers behind them.
        gallery_note: what the pictures are and how many pairs are not shown.
        gallery: pairs and their crops.
        discarded_note: how much was discarded, in words; `discarded` lists it with reasons.
        parameters: everything the run was made with.
        commands: what remakes it, one line each, and `commands_note` what they cannot say.
        limits: what the rate does and does not say.
    """

    title: str
    summary: tuple[str, ...]
    notice: Notice
    headlines: tuple[Headline, ...]
    headlines_note: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    gallery_note: str
    gallery: tuple[GalleryGroup, ...]
    discarded_note: str
    discarded: tuple[Table, ...]
    parameters: tuple[Facts, ...]
    commands: tuple[str, ...]
    commands_note: str
    limits: str


def render(data: ReportData) -> str:
    """Return the page; the same data gives the same text."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = files("physadv.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(report=data)


def rate_headlines(rows: Sequence[Row], through: str) -> tuple[Headline, ...]:
    """Return the destruction rates of a table's average case and, against misreading, its clean accuracy.

    Args:
        rows: one channel's table.
        through: what was done to the images, as in "were printed and photographed".
    """
    average = [row for row in rows if row.case == "average"]
    first = average[0]
    rates = [
        Headline(
            name=f"Destruction rate, top-{row.top}",
            value=percent(row.destruction_rate),
            detail=_detail(row.destruction_rate),
            words=destruction_in_words(row, through),
            weak=row.destruction_rate.value is None,
        )
        for row in average
    ]
    clean = Headline(
        name=f"Clean accuracy after, top-{first.top}",
        value=percent(first.clean_after),
        detail=_detail(first.clean_after),
        words=f"It was {percent(first.clean_before)} before. Where it falls far, the channel spoilt the "
        "images, and a destruction rate says little about the attack.",
        weak=first.clean_after.value is None,
    )
    return (*rates, clean)


def _detail(share: Estimate) -> str:
    if share.value is None:
        return trials(share)
    return f"95 % interval {interval(share)} · {trials(share)}"


def prefiltered_in_words(rows: Sequence[Row]) -> str:
    """Return the prefiltered case's rates of one channel in a sentence."""
    rates = [row for row in rows if row.case == "prefiltered"]
    if all(row.destruction_rate.value is None for row in rates):
        return "Prefiltered case: undefined, no pair qualifies."
    said = ", ".join(f"top-{row.top} {with_interval(row.destruction_rate)}" for row in rates)
    return f"Prefiltered case: {said}, {trials(rates[0].destruction_rate)}."


def rate_table(channels: Mapping[str, Sequence[Row]]) -> Table:
    """Return every channel's rows: destruction rate with interval, n, and the accuracies beside it."""
    before_after = (Column("before"), Column("after"))
    return Table(
        caption="Destruction rate and accuracy in per cent, 95 % intervals below them.",
        columns=(
            ColumnGroup("", (Column("Case", numeric=False),)),
            ColumnGroup("Destruction rate", (Column("rate"), Column("n"), Column("pairs"))),
            ColumnGroup("Clean accuracy", before_after),
            ColumnGroup("Adversarial accuracy", before_after),
        ),
        groups=tuple(
            RowGroup(name, tuple(_rate_cells(row) for row in rows)) for name, rows in channels.items()
        ),
    )


def _rate_cells(row: Row) -> tuple[Cell, ...]:
    rate = row.destruction_rate
    accuracies = (row.clean_before, row.clean_after, row.adversarial_before, row.adversarial_after)
    return (
        Cell(f"{row.case}, top-{row.top}"),
        _share_cell(rate),
        Cell(str(rate.n)),
        Cell(str(rate.pairs)),
        *map(_share_cell, accuracies),
    )


def _share_cell(share: Estimate) -> Cell:
    text = number(share)
    return Cell(text, interval(share), weak=text == UNDEFINED)
