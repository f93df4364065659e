"""Shares with 95 % intervals on horizontal lines: channels one below the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import Case
from physadv.report.figures.drawing import (
    CARD,
    FIRST,
    GRID,
    MUTED,
    SECOND,
    STYLES,
    WIDE,
    Figure,
    Style,
    blank,
    canvas_of,
    legend_columns,
    show_legend,
)
from physadv.report.wording import UNDEFINED, percent, rates_in_words, with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

SERIES_INCHES, MARGIN_INCHES = 0.21, 0.85
LABEL_LETTERS, LEGEND_LETTERS = 20, 40


@dataclass(frozen=True)
class _Mark:
    """One share on the line of a series; `hollow` is the state before, and the smaller of the two."""

    share: Estimate
    style: Style
    hollow: bool = False


def destruction_figure(channels: Mapping[str, Sequence[Row]], case: Case) -> Figure:
    """Return destruction rates with 95 % intervals, a line of top-1 and one of top-5 per channel.

    Args:
        channels: channel's name → its table.
        case: whose rows are drawn.
    """
    shares = {
        name: {f"top-{row.top}": row.destruction_rate for row in rows if row.case == case}
        for name, rows in channels.items()
    }
    return side_by_side_figure(
        f"destruction-{case}",
        f"Destruction rate, {case} case",
        "Share of adversarial images that lost their effect, with 95 % interval; lower is better for the "
        "attack.",
        shares,
    )


def side_by_side_figure(
    name: str, title: str, caption: str, channels: Mapping[str, Mapping[str, Estimate]]
) -> Figure:
    """Return channels, each with at most six shares with their 95 % intervals, one below the other.

    Args:
        name: of the figure.
        title: one line above it.
        caption: how to read it.
        channels: channel's name → series → share; every channel has the same series.
    """
    series = list(zip(next(iter(channels.values())), STYLES, strict=False))
    lines = {
        channel: [[_Mark(shares[label], style)] for label, style in series]
        for channel, shares in channels.items()
    }
    said = [
        (channel, ", ".join(f"{label} {with_interval(shares[label])}" for label, _ in series))
        for channel, shares in channels.items()
    ]
    return Figure(
        name, title, caption, f"{title}, with 95 % interval. {rates_in_words(said)}", _draw(lines, series)
    )


def accuracy_figure(channels: Mapping[str, Sequence[Row]], case: Case, top: int) -> Figure:
    """Return accuracy on clean and adversarial images before (hollow) and after (filled) every channel."""
    drawn = {
        name: next(row for row in rows if (row.case, row.top) == (case, top))
        for name, rows in channels.items()
    }
    lines = {
        name: [
            [_Mark(row.clean_before, FIRST, hollow=True), _Mark(row.clean_after, FIRST)],
            [_Mark(row.adversarial_before, SECOND, hollow=True), _Mark(row.adversarial_after, SECOND)],
        ]
        for name, row in drawn.items()
    }
    said = [
        (
            name,
            f"clean {percent(row.clean_before)} to {with_interval(row.clean_after)}, adversarial "
            f"{percent(row.adversarial_before)} to {with_interval(row.adversarial_after)}",
        )
        for name, row in drawn.items()
    ]
    return Figure(
        name=f"accuracy-{case}-top-{top}",
        title=f"Accuracy before and after, top-{top}",
        caption=f"Share classified as the true label, {case} case; hollow: before, filled: after, with 95 % "
        "interval.",
        alt=f"Top-{top} accuracy, {case} case, before and after, with 95 % interval. {rates_in_words(said)}",
        canvas=_draw(lines, [("clean", FIRST), ("adversarial", SECOND)]),
    )


def _draw(lines: Mapping[str, Sequence[Sequence[_Mark]]], series: Sequence[tuple[str, Style]]) -> "Canvas":
    """Return channels one below the other, each with a horizontal line per series, on an axis of 0–100 %."""
    count = sum(len(marks) for marks in lines.values())
    columns = legend_columns([label for label, _ in series], LEGEND_LETTERS)
    legend_lines = -(-len(series) // columns)
    height = MARGIN_INCHES + SERIES_INCHES * (count + len(lines)) + 0.17 * (legend_lines - 1)
    with blank(WIDE, height) as axes:
        canvas = canvas_of(axes)
        canvas.set_layout_engine("constrained")
        _dress(axes)
        place, ticks = 0.0, []
        for drawn in lines.values():
            ticks.append(place + (len(drawn) - 1) / 2)
            for marks in drawn:
                _draw_series(axes, marks, place)
                place += 1
            place += 0.9
        labels = [fill(name, LABEL_LETTERS, break_long_words=False, break_on_hyphens=False) for name in lines]
        axes.set_yticks(ticks, labels)
        axes.set_ylim(place - 0.9 - 0.2, -0.8)
        show_legend(axes, series, columns)
    return canvas


def _dress(axes: "Axes") -> None:
    axes.set_xlim(-2, 102)
    axes.set_xticks(range(0, 101, 25), ["0", "25", "50", "75", "100 %"])
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.tick_params(length=0, pad=6)


def _draw_series(axes: "Axes", marks: Sequence[_Mark], place: float) -> None:
    values = [mark.share.value for mark in marks]
    if len(values) == 2 and None not in values:
        ends = [100 * value for value in values if value is not None]
        axes.plot(ends, [place, place], color=marks[0].style.colour, linewidth=0.9, linestyle=(0, (1, 2)))
    for mark in marks:
        share = mark.share
        if share.value is None or share.low is None or share.high is None:
            if not mark.hollow:
                axes.text(1, place, UNDEFINED, color=MUTED, va="center", style="italic", fontsize=8)
            continue
        if not mark.hollow:
            bounds = [100 * share.low, 100 * share.high]
            axes.plot(bounds, [place, place], color=mark.style.colour, linewidth=1.8, solid_capstyle="butt")
        axes.plot(
            100 * share.value,
            place,
            mark.style.symbol,
            color=mark.style.colour,
            markersize=4.5 if mark.style.symbol == "D" else 5.5,
            markerfacecolor=CARD if mark.hollow else mark.style.colour,
            markeredgewidth=1.2,
            clip_on=False,
            zorder=3 if mark.hollow else 4,
        )
