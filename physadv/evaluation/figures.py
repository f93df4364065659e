"""Plots as SVG to stand inside a page: the same data gives the same bytes, colours follow the page's.

Text stays text and takes the page's font. Colours are CSS variables with a fallback, so that one drawing is
readable in light, in dark and on paper.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import Case
from physadv.evaluation.wording import UNDEFINED, percent, rates_in_words, with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_INCHES = 4.7
SERIES_INCHES, MARGIN_INCHES = 0.21, 0.85

# Blue and vermilion of Okabe and Ito's palette, darkened until they stand out from white as text must.
INK, MUTED, GRID, FIRST, SECOND = "#1b1f24", "#59616b", "#d9dde2", "#0a5ea8", "#b4500b"
CARD = "#fefefe"
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "line",
    FIRST: "first",
    SECOND: "second",
    CARD: "page",
}
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "physadv",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.unicode_minus": False,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Figure:
    """A drawing and what it shows in words.

    Attributes:
        title: one line above it.
        caption: how to read it.
        svg: an <svg> element, for a page that holds it inline; its text is escaped.
        alt: its numbers, for those who do not see it.
    """

    title: str
    caption: str
    svg: str
    alt: str


@dataclass(frozen=True)
class _Mark:
    """One share on the line of a series; `hollow` is the state before, and the smaller of the two."""

    share: Estimate
    colour: str
    symbol: str
    hollow: bool = False


def destruction_figure(channels: Mapping[str, Sequence[Row]], case: Case) -> Figure:
    """Return destruction rates with 95 % intervals, a line of top-1 and one of top-5 per channel.

    Args:
        channels: channel's name → its table.
        case: whose rows are drawn.
    """
    drawn = {name: [row for row in rows if row.case == case] for name, rows in channels.items()}
    style = {1: (FIRST, "o"), 5: (SECOND, "D")}
    lines = {
        name: [[_Mark(row.destruction_rate, *style[row.top])] for row in rows] for name, rows in drawn.items()
    }
    said = [
        (name, ", ".join(f"top-{row.top} {with_interval(row.destruction_rate)}" for row in rows))
        for name, rows in drawn.items()
    ]
    return Figure(
        title=f"Destruction rate, {case} case",
        caption="Share of adversarial images that lost their effect, with 95 % interval; lower is better "
        "for the attack.",
        svg=_draw(lines, [("top-1", FIRST, "o"), ("top-5", SECOND, "D")], f"destruction-{case}"),
        alt=f"Destruction rate, {case} case, with 95 % interval. {rates_in_words(said)}",
    )


def accuracy_figure(channels: Mapping[str, Sequence[Row]], case: Case, top: int) -> Figure:
    """Return accuracy on clean and adversarial images before (hollow) and after (filled) every channel."""
    drawn = {
        name: next(row for row in rows if (row.case, row.top) == (case, top))
        for name, rows in channels.items()
    }
    lines = {
        name: [
            [_Mark(row.clean_before, FIRST, "o", hollow=True), _Mark(row.clean_after, FIRST, "o")],
            [
                _Mark(row.adversarial_before, SECOND, "D", hollow=True),
                _Mark(row.adversarial_after, SECOND, "D"),
            ],
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
        title=f"Accuracy before and after, top-{top}",
        caption=f"Share classified as the true label, {case} case; hollow: before, filled: after, with 95 % "
        "interval.",
        svg=_draw(lines, [("clean", FIRST, "o"), ("adversarial", SECOND, "D")], f"accuracy-{case}-top-{top}"),
        alt=f"Top-{top} accuracy, {case} case, before and after, with 95 % interval. {rates_in_words(said)}",
    )


def _draw(
    lines: Mapping[str, Sequence[Sequence[_Mark]]], legend: Sequence[tuple[str, str, str]], name: str
) -> str:
    """Return channels one below the other, each with a horizontal line per series, on an axis of 0–100 %."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for setting, value in _SETTINGS.items():
            matplotlib.rcParams[setting] = value  # type: ignore[index]
        count = sum(len(series) for series in lines.values())
        height = MARGIN_INCHES + SERIES_INCHES * (count + len(lines))
        canvas = Canvas(figsize=(WIDTH_INCHES, height), layout="constrained")
        FigureCanvasSVG(canvas)
        canvas.patch.set_visible(False)
        axes = canvas.add_subplot()
        _dress(axes)
        place, ticks = 0.0, []
        for series in lines.values():
            ticks.append(place + (len(series) - 1) / 2)
            for marks in series:
                _draw_series(axes, marks, place)
                place += 1
            place += 0.9
        axes.set_yticks(ticks, list(lines))
        axes.set_ylim(place - 0.9 - 0.2, -0.8)
        handles = [
            axes.plot([], [], symbol, color=colour, markersize=5, label=label)[0]
            for label, colour, symbol in legend
        ]
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=len(handles),
            frameon=False,
            handletextpad=0.1,
            columnspacing=1.2,
            borderaxespad=0.1,
        )
        written = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas.savefig(written, format="svg", metadata=nothing, transparent=True)
    return _inline(written.getvalue(), name)


def _dress(axes: "Axes") -> None:
    axes.set_xlim(-2, 102)
    axes.set_xticks(range(0, 101, 25), ["0", "25", "50", "75", "100 %"])
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=6)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_series(axes: "Axes", marks: Sequence[_Mark], place: float) -> None:
    values = [mark.share.value for mark in marks]
    if len(values) == 2 and None not in values:
        ends = [100 * value for value in values if value is not None]
        axes.plot(ends, [place, place], color=marks[0].colour, linewidth=0.9, linestyle=(0, (1, 2)))
    for mark in marks:
        share = mark.share
        if share.value is None or share.low is None or share.high is None:
            if not mark.hollow:
                axes.text(1, place, UNDEFINED, color=MUTED, va="center", style="italic", fontsize=8)
            continue
        if not mark.hollow:
            bounds = [100 * share.low, 100 * share.high]
            axes.plot(bounds, [place, place], color=mark.colour, linewidth=1.8, solid_capstyle="butt")
        axes.plot(
            100 * share.value,
            place,
            mark.symbol,
            color=mark.colour,
            markersize=4.5 if mark.symbol == "D" else 5.5,
            markerfacecolor=CARD if mark.hollow else mark.colour,
            markeredgewidth=1.2,
            clip_on=False,
            zorder=3 if mark.hollow else 4,
        )


def _inline(document: str, name: str) -> str:
    """Return a document's drawing as one <svg> element whose ids, colours and font fit a page with others."""
    box = re.search(r'viewBox="[^"]*"', document)
    if box is None:
        raise ValueError("the drawing has no viewBox")
    body = document[document.index(">", box.end()) + 1 :].strip()
    # The style element would reach past the drawing, over the whole page.
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    body = body.replace("'DejaVu Sans'", "system-ui, sans-serif")
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable}, {colour})")
    return f'<svg {box.group()} aria-hidden="true" focusable="false">\n{body}'
