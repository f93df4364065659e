"""One table, four renderers: columns are named once; a page, a terminal, LaTeX and Markdown show them alike.

A column gives words, numbers or shares; the renderer decides how a share is written.

    >>> from physadv.evaluation.intervals import proportion
    >>> rates = {"blur": proportion([1, 1, 0, 1], [1, 1, 1, 1])}
    >>> columns = Column("channel", str), Column("destroyed", lambda name: rates[name], "interval")
    >>> print(to_markdown(Table("What survived", columns, {"": ["blur"]})))
    | channel | destroyed |
    |---|---|
    | blur | 75.0 % (19.4–99.4) |
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from physadv.evaluation.intervals import Estimate
from physadv.report.wording import interval, number, percent, with_interval
from physadv.text import printable

if TYPE_CHECKING:
    from rich.table import Table as RichTable

R = TypeVar("R")

Kind = Literal["words", "number", "share", "interval"]
CHANGE = ("before", "after")
_UNITS = {"share": " %", "interval": " % (95 %)"}


@dataclass(frozen=True)
class Cell:
    """A value that is written as it is, where an `Estimate`, a number or a word is not enough.

    Attributes:
        text: what stands in the cell.
        detail: a smaller line below it on a page, in brackets behind it elsewhere.
        weak: whether it is no value but the reason why there is none; a page greys it.
    """

    text: str
    detail: str = ""
    weak: bool = False


Value = str | int | float | Estimate | Cell | None
"""What a column gives for a row. A float is a share without an interval; None is written as "–"."""


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column, for every renderer.

    Attributes:
        heading: its heading, without a unit.
        value: row → what stands in it; with `parts`, a tuple of as many values.
        kind: "words" (left-aligned), "number", "share" (interval on a page only) or "interval" (a share whose
            interval is always shown).
        long: its heading on a page, where there is room; `heading` by default.
        parts: headings of the columns that it is made of; a `CHANGE` is one column, "62.5 → 33.3", on a
            terminal and in Markdown.
        once: whether a terminal leaves a value out that is the same as above it.
    """

    heading: str
    value: Callable[[R], Value | tuple[Value, ...]]
    kind: Kind = "words"
    long: str = ""
    parts: tuple[str, ...] = ()
    once: bool = False

    @property
    def numeric(self) -> bool:
        """Return whether it is right-aligned."""
        return self.kind != "words"

    def values(self, row: R) -> tuple[Value, ...]:
        """Return a row's values, one a part."""
        found = self.value(row)
        return found if isinstance(found, tuple) else (found,)

    def headings(self, *, unit: bool = False, join: bool = False) -> list[str]:
        """Return the headings that a renderer without headings above headings shows."""
        heading = self.heading + (_UNITS.get(self.kind, "") if unit else "")
        if not self.parts or (join and self.parts == CHANGE):
            return [heading]
        return [f"{heading} {self.parts[0]}", *self.parts[1:]]


@dataclass(frozen=True)
class Table(Generic[R]):
    """Rows in groups, and how their columns are made.

    Attributes:
        title: what it shows and in which unit: its caption on a page and in LaTeX, its title on a terminal.
        columns: from left to right.
        groups: name of a group → its rows; one group without a name where rows are not grouped.
        group_heading: heading of the groups' names where these are a column of their own.
        folded: whether a page shows it only when the reader opens it.
    """

    title: str
    columns: Sequence[Column[R]]
    groups: Mapping[str, Sequence[R]]
    group_heading: str = ""
    folded: bool = False

    @property
    def grouped(self) -> bool:
        """Return whether groups have names."""
        return any(self.groups)

    @property
    def numeric(self) -> bool:
        """Return whether there is a number in it at all."""
        return any(column.numeric for column in self.columns)

    @property
    def width(self) -> int:
        """Return how many columns a page shows, every part for itself."""
        return sum(len(column.headings()) for column in self.columns)

    def cells(self, rows: Sequence[R]) -> list[list[tuple[Column[R], Cell]]]:
        """Return what a page shows of rows: a cell for every part of every column."""
        return [[(c, _cell(value)) for c in self.columns for value in c.values(row)] for row in rows]

    def texts(self, *, signs: bool = False, join: bool = False) -> Iterator[tuple[str, list[list[str]]]]:
        """Yield every row's group and its texts, a list of one or more a column.

        Args:
            signs: whether shares have their own % sign, as where no unit stands in the heading.
            join: whether before and after are one text.
        """
        for name, rows in self.groups.items():
            for row in rows:
                yield name, [_texts(column, row, signs=signs, join=join) for column in self.columns]

    def lines(self, *, signs: bool = False, join: bool = False) -> list[list[str]]:
        """Return the headings and every row as plain text, its group first; arguments as of `texts`."""
        headings = [heading for column in self.columns for heading in column.headings(join=join)]
        rows = [
            [*[name] * self.grouped, *(text for own in texts for text in own)]
            for name, texts in self.texts(signs=signs, join=join)
        ]
        lines = [[*[self.group_heading] * self.grouped, *headings], *rows]
        return [[printable(text) for text in line] for line in lines]


def words_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table[Sequence[str]]:
    """Return a table of words, given row by row."""

    def word(place: int) -> Callable[[Sequence[str]], str]:
        return lambda row: row[place]

    return Table(title, [Column(heading, word(k)) for k, heading in enumerate(headings)], {"": rows})


def to_html(table: Table[Any], name: str = "table") -> str:
    """Return a `<table>` in a scrolling region for a page or a notebook; `name` is the id of its caption."""
    from physadv.report.page import environment

    macros = environment().get_template("parts.html.j2").module
    return str(macros.show_table(table, name))  # type: ignore[attr-defined]


def to_rich(table: Table[Any]) -> "RichTable":
    """Return a table for a terminal: words wrap, numbers do not."""
    from rich import box
    from rich.table import Table as RichTable

    shown = RichTable(
        title=printable(table.title) or None, box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0)
    )
    if table.grouped:
        shown.add_column(table.group_heading)
    for column in table.columns:
        for heading in column.headings(unit=True, join=True):
            shown.add_column(
                printable(heading), justify="right" if column.numeric else "left", no_wrap=column.numeric
            )
    group, above = None, [[""]] * len(table.columns)
    for name, texts in table.texts(join=True):
        fresh = name != group
        row = [
            [""] if column.once and not fresh and own == old else own
            for column, own, old in zip(table.columns, texts, above, strict=True)
        ]
        first = [name if fresh else ""] * table.grouped
        shown.add_row(*map(printable, (*first, *(text for own in row for text in own))))
        group, above = name, texts
    return shown


def show(table: Table[Any]) -> None:
    """Print a table: as wide as the terminal, or as it wants to be where there is none."""
    from rich.console import Console

    shown, console = to_rich(table), Console(highlight=False, markup=False)
    if not console.is_terminal:
        unbounded = console.options.update(max_width=1000)
        console.width = max(console.width, console.measure(shown, options=unbounded).maximum)
    console.print(shown)


def to_markdown(table: Table[Any]) -> str:
    """Return a Markdown table; a group's name is repeated on each of its rows, and "|" in a cell escaped."""
    rules = ["---"] * table.grouped
    for column in table.columns:
        rule = "---:" if column.kind in ("number", "share") else "---"
        rules += [rule] * len(column.headings(join=True))
    lines = [[cell.replace("|", r"\|") for cell in line] for line in table.lines(signs=True, join=True)]
    head, *body = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([head, f"|{'|'.join(rules)}|", *body])


_LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "…": r"\dots{}", "→": r"$\to$"}
    | {"×": r"$\times$", "∞": r"$\infty$", "≤": r"$\le$", "≥": r"$\ge$"}
)
_OTHER_SCRIPTS = "\u0250"
"""From this sign on letters are not Latin: pdfLaTeX has none of them."""


def to_latex(table: Table[Any]) -> str:
    """Return a table for the booktabs package; a group's name is repeated on each of its rows."""
    letters = ["l"] * table.grouped
    for column in table.columns:
        letters += ["r" if column.numeric else "l"] * len(column.headings())
    escaped = ([text.translate(_LATEX) for text in line] for line in table.lines())
    head, *body = (rf"{' & '.join(line)} \\" for line in escaped)
    above = [r"\begin{table}", rf"\caption{{{printable(table.title).translate(_LATEX)}}}"]
    above += [rf"\begin{{tabular}}{{{''.join(letters)}}}", r"\toprule", head, r"\midrule"]
    text = "\n".join([*above, *body, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])
    if max(text) < _OTHER_SCRIPTS:
        return text
    return f"% Has letters that pdfLaTeX lacks: use XeLaTeX or LuaLaTeX with a font that has them.\n{text}"


def _texts(column: Column[R], row: R, *, signs: bool, join: bool) -> list[str]:
    texts = [_text(value, column.kind, signs=signs) for value in column.values(row)]
    return [" → ".join(texts)] if join and column.parts == CHANGE else texts


def _text(value: Value, kind: Kind, *, signs: bool) -> str:
    if isinstance(value, Estimate):
        if kind != "interval":
            return percent(value) if signs else number(value)
        if signs:
            return with_interval(value)
        return value.undefined or f"{number(value)} ({interval(value)})"
    cell = _cell(value)
    if isinstance(value, float) and signs:
        return f"{cell.text} %"
    return f"{cell.text} ({cell.detail})" if cell.detail else cell.text


def _cell(value: Value) -> Cell:
    """Return what a page shows of a value."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, Estimate):
        return Cell(number(value), interval(value), weak=value.value is None)
    if isinstance(value, float):
        return Cell(f"{100 * value:.1f}")
    return Cell("–", weak=True) if value is None else Cell(str(value))
