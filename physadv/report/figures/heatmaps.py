"""Shares on a grid, of viewpoints or of sources and targets: stronger is more and has its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from physadv.evaluation.intervals import Estimate
from physadv.report.figures.drawing import (
    CARD,
    FIRST,
    INK,
    MUTED,
    WIDE,
    Figure,
    blank,
    canvas_of,
    margins,
)
from physadv.report.wording import rates_in_words, with_interval

ROW_INCHES, LETTER_INCHES = 0.34, 0.078
STRONGEST = 0.5
"""Opacity at 100 %: the numbers must stand out from it in light and in dark."""


@dataclass(frozen=True)
class Grid:
    """Shares by row and column; None where nothing was measured.

    Attributes:
        rows: label of each row.
        columns: label of each column.
        row_axis: what the rows are, with the unit.
        column_axis: what the columns are, with the unit.
        cells: as many rows as `rows`, each as long as `columns`.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_axis: str
    column_axis: str
    cells: tuple[tuple[Estimate | None, ...], ...]


def heat_map(name: str, title: str, caption: str, grid: Grid) -> Figure:
    """Return a grid of shares in whole per cent, the first row on top."""
    from matplotlib.patches import Rectangle

    rows = [fill(label, 16, break_long_words=True) for label in grid.rows]
    lines = max(label.count("\n") + 1 for label in rows)
    wide = max(len(line) for label in rows for line in label.split("\n"))
    left = 0.42 + LETTER_INCHES * wide
    column_inches = (WIDE - left - 0.08) / len(grid.columns)
    columns = [fill(label, max(3, int(column_inches / LETTER_INCHES))) for label in grid.columns]
    heads = max(label.count("\n") + 1 for label in columns)
    row_inches = max(ROW_INCHES, 0.16 * lines + 0.1)
    bottom = 0.42 + 0.15 * heads
    with blank(WIDE, bottom + 0.06 + row_inches * len(rows)) as axes:
        margins(axes, left, 0.08, bottom, 0.06)
        axes.set_xlim(0, len(columns))
        axes.set_ylim(len(rows), 0)
        axes.set_xticks([k + 0.5 for k in range(len(columns))], columns, color=MUTED)
        axes.set_yticks([k + 0.5 for k in range(len(rows))], rows, color=MUTED)
        axes.tick_params(length=0, pad=4)
        axes.set_xlabel(grid.column_axis)
        if LETTER_INCHES * len(grid.row_axis) < row_inches * len(rows):
            axes.set_ylabel(grid.row_axis)
        for y, cells in enumerate(grid.cells):
            for x, share in enumerate(cells):
                value = share.value if share else None
                shade = STRONGEST * (value or 0)
                axes.add_patch(Rectangle((x, y), 1, 1, facecolor=FIRST.colour, alpha=shade, linewidth=0))
                axes.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=CARD, linewidth=1.5))
                axes.text(
                    x + 0.5,
                    y + 0.5,
                    "–" if value is None else f"{100 * value:.0f}",
                    color=MUTED if value is None else INK,
                    ha="center",
                    va="center",
                )
        canvas = canvas_of(axes)
    said = [
        (row, _row_in_words(grid.columns, cells)) for row, cells in zip(grid.rows, grid.cells, strict=True)
    ]
    alt = f"{title}, rows: {grid.row_axis}, columns: {grid.column_axis}. {rates_in_words(said)}"
    return Figure(name, title, caption, alt, canvas)


def _row_in_words(columns: Sequence[str], cells: Sequence[Estimate | None]) -> str:
    return ", ".join(
        f"{column} {with_interval(share) if share else 'not measured'}"
        for column, share in zip(columns, cells, strict=True)
    )
