"""Plots: shares with their intervals → drawings for a page or for files. Plain numbers in, no files read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from textwrap import fill
from typing import TYPE_CHECKING, Any

from physadv.evaluation.calibration import Reliability
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import Case, Kind
from physadv.report import drawing
from physadv.report.wording import UNDEFINED, percent, rates_in_words, with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

CHANNEL_LETTERS, ROW_LETTERS = 20, 16
WIDE_LEGEND, SMALL_LEGEND = 40, 34
"""Letters that a line of a legend has room for."""
LETTER_INCHES = 0.078
STRONGEST = 0.5
"""Opacity at 100 %: the numbers must stand out from it in light and in dark."""
PER_CENT = range(0, 101, 25), ["0", "25", "50", "75", "100 %"]
DOTTED = (0, (1, 2))

Line = tuple[Estimate, Estimate | None]
"""A share, and what it was before, drawn hollow."""


@dataclass(frozen=True)
class Series:
    """One line: its name, a share at every strength, and the share before any of them, if it matters."""

    label: str
    shares: tuple[Estimate, ...]
    before: Estimate | None = None


def side_by_side_figure(
    name: str, title: str, caption: str, channels: Mapping[str, Mapping[str, Estimate]]
) -> drawing.Figure:
    """Return channels, each with at most six shares with their 95 % intervals, one below the other.

    Args:
        name: of the figure.
        title: one line above it.
        caption: how to read it.
        channels: channel's name → series → share; every channel has the same series.
    """
    series = list(zip(next(iter(channels.values())), drawing.STYLES, strict=False))
    lines: dict[str, list[Line]] = {
        channel: [(shares[label], None) for label, _ in series] for channel, shares in channels.items()
    }
    said = [
        (channel, ", ".join(f"{label} {with_interval(shares[label])}" for label, _ in series))
        for channel, shares in channels.items()
    ]
    alt = f"{title}, with 95 % interval. {rates_in_words(said)}"
    return drawing.Figure(name, title, caption, alt, _one_below_the_other(lines, series))


def accuracy_figure(channels: Mapping[str, Sequence[Row]], case: Case, top: int) -> drawing.Figure:
    """Return accuracy on clean and adversarial images before (hollow) and after (filled) every channel."""
    lines: dict[str, list[Line]] = {}
    said = []
    for name, rows in channels.items():
        row = next(row for row in rows if (row.case, row.top) == (case, top))
        lines[name] = [(row.clean_after, row.clean_before), (row.adversarial_after, row.adversarial_before)]
        clean = f"clean {percent(row.clean_before)} to {with_interval(row.clean_after)}"
        adversarial = f"{percent(row.adversarial_before)} to {with_interval(row.adversarial_after)}"
        said.append((name, f"{clean}, adversarial {adversarial}"))
    return drawing.Figure(
        name=f"accuracy-{case}-top-{top}",
        title=f"Accuracy before and after, top-{top}",
        caption=f"Share classified as the true label, {case} case; hollow: before, filled: after, with 95 % "
        "interval.",
        alt=f"Top-{top} accuracy, {case} case, before and after, with 95 % interval. {rates_in_words(said)}",
        canvas=_one_below_the_other(lines, list(zip(("clean", "adversarial"), drawing.STYLES, strict=False))),
    )


def curve(
    name: str, title: str, unit: str, strengths: Sequence[float], series: Sequence[Series], what: str
) -> drawing.Figure:
    """Return at most six series over the strengths of one kind of transformation, each with its 95 % band.

    The strengths rise; each series has as many shares, of which undefined ones leave a gap. `what` is shown,
    such as "destruction rate": it is for the text alternative.
    """
    ordered = sorted(strengths)
    styles = list(zip(series, drawing.STYLES, strict=False))
    columns, legend_lines = drawing.legend_shape([line.label for line, _ in styles], SMALL_LEGEND)
    margins = (0.52, 0.12, 0.47, 0.08 + 0.2 * legend_lines)
    with drawing.blank(drawing.SMALL, 2.35 + 0.17 * (legend_lines - 1), margins) as (canvas, axes):
        reach = ordered[-1] - ordered[0] or 1
        axes.set_xlim(ordered[0] - 0.03 * reach, ordered[-1] + 0.03 * reach)
        shares_upwards(axes)
        axes.grid(axis="y", color=drawing.GRID, linewidth=0.8)
        axes.locator_params(axis="x", nbins=6, steps=[1, 2, 2.5, 5, 10])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel(unit)
        for line, style in styles:
            if line.before is not None and line.before.value is not None:
                axes.axhline(100 * line.before.value, color=style.colour, linewidth=1, linestyle=DOTTED)
            found = sorted(zip(strengths, line.shares, strict=True), key=lambda pair: pair[0])
            for defined, part in groupby(found, key=lambda pair: pair[1].value is not None):
                if defined:
                    draw_band(axes, list(part), style)
        if all(share.value is None for line in series for share in line.shares):
            axes.text(ordered[0], 50, UNDEFINED, color=drawing.MUTED, style="italic")
        drawing.show_legend(axes, [(line.label, style) for line, style in styles], columns)
    said = [
        (f"{strength:g}", ", ".join(f"{line.label} {with_interval(line.shares[k])}" for line, _ in styles))
        for k, strength in enumerate(strengths)
    ]
    before = "".join(
        f" Before, {line.label}: {percent(line.before)}." for line, _ in styles if line.before is not None
    )
    alt = f"{title}, {unit}: {what} with 95 % interval. {rates_in_words(said)}{before}"
    return drawing.Figure(name, title, "", alt, canvas)


def heat_map(
    name: str,
    title: str,
    caption: str,
    rows: tuple[str, Sequence[str]],
    columns: tuple[str, Sequence[str]],
    shares: Mapping[tuple[str, str], Estimate | None],
) -> drawing.Figure:
    """Return a grid of shares in whole per cent: stronger is more.

    Rows and columns are what they are, with the unit, and their labels from the top and from the left. A
    share is missing where nothing was measured.
    """
    from matplotlib.patches import Rectangle

    down = [fill(label, ROW_LETTERS, break_long_words=True) for label in rows[1]]
    lines = max(label.count("\n") + 1 for label in down)
    left = 0.42 + LETTER_INCHES * max(len(line) for label in down for line in label.split("\n"))
    room = int((drawing.WIDE - left - 0.08) / len(columns[1]) / LETTER_INCHES)
    across = [fill(label, max(3, room)) for label in columns[1]]
    bottom = 0.42 + 0.15 * max(label.count("\n") + 1 for label in across)
    row_inches = max(0.34, 0.16 * lines + 0.1)
    height = row_inches * len(down)
    with drawing.blank(drawing.WIDE, bottom + 0.06 + height, (left, 0.08, bottom, 0.06)) as (canvas, axes):
        axes.set_xlim(0, len(across))
        axes.set_ylim(len(down), 0)
        axes.set_xticks([k + 0.5 for k in range(len(across))], across, color=drawing.MUTED)
        axes.set_yticks([k + 0.5 for k in range(len(down))], down, color=drawing.MUTED)
        axes.tick_params(length=0, pad=4)
        axes.set_xlabel(columns[0])
        if LETTER_INCHES * len(rows[0]) < height:
            axes.set_ylabel(rows[0])
        for y, row in enumerate(rows[1]):
            for x, column in enumerate(columns[1]):
                share = shares.get((row, column))
                value = share.value if share else None
                shade = STRONGEST * (value or 0)
                axes.add_patch(
                    Rectangle((x, y), 1, 1, facecolor=drawing.STYLES[0].colour, alpha=shade, linewidth=0)
                )
                axes.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=drawing.CARD, linewidth=1.5))
                text, colour = ("–", drawing.MUTED) if value is None else (f"{100 * value:.0f}", drawing.INK)
                axes.text(x + 0.5, y + 0.5, text, color=colour, ha="center", va="center")

    def in_words(row: str, column: str) -> str:
        share = shares.get((row, column))
        return f"{column} {with_interval(share) if share else 'not measured'}"

    said = [(row, ", ".join(in_words(row, column) for column in columns[1])) for row in rows[1]]
    alt = f"{title}, rows: {rows[0]}, columns: {columns[0]}. {rates_in_words(said)}"
    return drawing.Figure(name, title, caption, alt, canvas)


def reliability_figure(name: str, title: str, kinds: Mapping[Kind, Reliability]) -> drawing.Figure:
    """Return how often a classifier is right when it is so sure, with 95 % intervals (Guo et al. 2017).

    Args:
        name: of the figure.
        title: where the answers were given: "photo".
        kinds: kind of example → its reliability.
    """
    errors, said = [], []
    with drawing.blank(drawing.SMALL, 3.3, (0.58, 0.12, 0.47, 0.28)) as (canvas, axes):
        axes.set_xlim(-3, 103)
        axes.set_xticks(*PER_CENT)
        shares_upwards(axes)
        axes.grid(color=drawing.GRID, linewidth=0.8)
        axes.set_xlabel("mean confidence")
        axes.set_ylabel("share right")
        axes.plot([0, 100], [0, 100], color=drawing.MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for (kind, found), style in zip(kinds.items(), drawing.STYLES, strict=False):
            errors.append(f"{kind} {UNDEFINED if found.ece is None else f'{100 * found.ece:.1f} %'}")
            at, right = [], []
            for within in found.bins:
                if within.confidence is None:
                    continue
                at.append(100 * within.confidence)
                right.append(100 * (within.accuracy.value or 0))
                low, high = within.accuracy.low, within.accuracy.high
                if low is not None and high is not None:
                    bounds = [100 * low, 100 * high]
                    axes.plot([at[-1]] * 2, bounds, color=style.colour, linewidth=1.2, alpha=0.7)
                sure = f"{kind}, confidence {100 * within.low:.0f} to {100 * within.high:.0f} %"
                said.append((sure, f"right {with_interval(within.accuracy)}, n = {within.accuracy.n}"))
            marks = f"{style.symbol}-"
            axes.plot(at, right, marks, color=style.colour, markersize=5, linewidth=0.9, clip_on=False)
        drawing.show_legend(axes, list(zip(kinds, drawing.STYLES, strict=False)), len(kinds))
    caption = f"Expected calibration error: {', '.join(errors)}."
    return drawing.Figure(
        name, title, caption, f"Reliability diagram, {title}. {caption} {rates_in_words(said)}", canvas
    )


def _one_below_the_other(
    lines: Mapping[str, Sequence[Line]], series: Sequence[tuple[str, drawing.Style]]
) -> "Canvas":
    """Return channels one below the other, each with a horizontal line per series, on an axis of 0–100 %."""
    count = sum(map(len, lines.values()))
    columns, legend_lines = drawing.legend_shape([label for label, _ in series], WIDE_LEGEND)
    height = 0.85 + 0.21 * (count + len(lines)) + 0.17 * (legend_lines - 1)
    with drawing.blank(drawing.WIDE, height) as (canvas, axes):
        axes.set_xlim(-2, 102)
        axes.set_xticks(*PER_CENT)
        axes.grid(axis="x", color=drawing.GRID, linewidth=0.8)
        axes.tick_params(length=0, pad=6)
        place, ticks = 0.0, []
        for drawn in lines.values():
            ticks.append(place + (len(drawn) - 1) / 2)
            for line, (_, style) in zip(drawn, series, strict=True):
                _draw_line(axes, line, style, place)
                place += 1
            place += 0.9
        labels = [
            fill(name, CHANNEL_LETTERS, break_long_words=False, break_on_hyphens=False) for name in lines
        ]
        axes.set_yticks(ticks, labels)
        axes.set_ylim(place - 0.9 - 0.2, -0.8)
        drawing.show_legend(axes, series, columns)
    return canvas


def shares_upwards(axes: "Axes") -> None:
    """Give axes a scale of 0 to 100 % upwards."""
    axes.set_ylim(-3, 103)
    axes.set_yticks(*PER_CENT)
    axes.tick_params(length=0, pad=5)
    axes.tick_params(axis="y", labelcolor=drawing.MUTED)


def _draw_line(axes: "Axes", line: Line, style: drawing.Style, place: float) -> None:
    share, before = line
    size, colour = (4.5 if style.symbol == "D" else 5.5), style.colour
    mark: dict[str, Any] = {"color": colour, "markersize": size, "markeredgewidth": 1.2, "clip_on": False}
    if before is not None and before.value is not None:
        if share.value is not None:
            ends = [100 * before.value, 100 * share.value]
            axes.plot(ends, [place, place], color=colour, linewidth=0.9, linestyle=DOTTED)
        axes.plot(100 * before.value, place, style.symbol, markerfacecolor=drawing.CARD, zorder=3, **mark)
    if share.value is None or share.low is None or share.high is None:
        axes.text(1, place, UNDEFINED, color=drawing.MUTED, va="center", style="italic", fontsize=8)
        return
    bounds = [100 * share.low, 100 * share.high]
    axes.plot(bounds, [place, place], color=colour, linewidth=1.8, solid_capstyle="butt")
    axes.plot(100 * share.value, place, style.symbol, markerfacecolor=colour, zorder=4, **mark)


def draw_band(axes: "Axes", found: Sequence[tuple[float, Estimate]], style: drawing.Style) -> None:
    """Draw shares, all defined, at rising strengths: their line in a band that is their 95 % intervals."""
    at = [strength for strength, _ in found]
    low, value, high = (
        [100 * (getattr(share, bound) or 0) for _, share in found] for bound in ("low", "value", "high")
    )
    axes.fill_between(at, low, high, color=style.colour, alpha=0.16, linewidth=0)
    axes.plot(at, value, f"{style.symbol}-", color=style.colour, markersize=3.5, linewidth=1.4)
