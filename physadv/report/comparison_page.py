"""The page that puts runs side by side: what it says, in order."""

from dataclasses import dataclass
from typing import Any

from physadv.report.page import Facts, FigureGroup, Notice, render_page
from physadv.report.table import Table


@dataclass(frozen=True)
class ComparisonData:
    """Everything the page says, in the order in which it says it.

    Attributes:
        title: the runs' names.
        summary: who judged, and how many pairs are shared, one item each.
        notice: what must be known before any number is read.
        figures: plots, in groups.
        tables: rates side by side.
        tests_note: how the paired tests were made; `tests` are their tables.
        parameters: what each run was made with.
        commands: what remakes it, one line each; `commands_note` what they cannot say.
    """

    title: str
    summary: tuple[str, ...]
    notice: Notice
    figures: tuple[FigureGroup, ...]
    tables: tuple[Table[Any], ...]
    tests_note: str
    tests: tuple[Table[Any], ...]
    parameters: tuple[Facts, ...]
    commands: tuple[str, ...]
    commands_note: str


def render_comparison(data: ComparisonData) -> str:
    """Return the page; the same data gives the same text."""
    return render_page("compare.html.j2", data)
