"""Shares against the strength of a transformation, with their 95 % bands."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from physadv.evaluation.intervals import Estimate
from physadv.report.figures.drawing import (
    GRID,
    MUTED,
    SMALL,
    STYLES,
    Figure,
    blank,
    canvas_of,
    legend_columns,
    margins,
    show_legend,
)
from physadv.report.wording import UNDEFINED, percent, rates_in_words, with_interval

HEIGHT = 2.35
LEGEND_LETTERS = 34


@dataclass(frozen=True)
class Series:
    """One line: its name, a share at every strength, and the share before any of them, if it matters."""

    label: str
    shares: tuple[Estimate, ...]
    before: Estimate | None = None


def curve(
    name: str, title: str, unit: str, strengths: Sequence[float], series: Sequence[Series], what: str
) -> Figure:
    """Return at most six series over the strengths of one kind of transformation, each with its 95 % band.

    Args:
        name: of the figure.
        title: the kind of transformation.
        unit: of its strengths.
        strengths: rising.
        series: as many shares each as there are strengths; undefined ones leave a gap.
        what: what is shown, for the text alternative: "destruction rate".
    """
    ordered = sorted(strengths)
    styles = list(zip(series, STYLES, strict=False))
    columns = legend_columns([line.label for line, _ in styles], LEGEND_LETTERS)
    legend_lines = -(-len(styles) // columns)
    with blank(SMALL, HEIGHT + 0.17 * (legend_lines - 1)) as axes:
        margins(axes, 0.52, 0.12, 0.47, 0.08 + 0.2 * legend_lines)
        reach = ordered[-1] - ordered[0] or 1
        axes.set_xlim(ordered[0] - 0.03 * reach, ordered[-1] + 0.03 * reach)
        axes.set_ylim(-3, 103)
        axes.set_yticks(range(0, 101, 25), ["0", "25", "50", "75", "100 %"])
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.tick_params(length=0, pad=5)
        axes.tick_params(axis="y", labelcolor=MUTED)
        axes.locator_params(axis="x", nbins=6, steps=[1, 2, 2.5, 5, 10])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel(unit)
        for line, style in styles:
            found = sorted(zip(strengths, line.shares, strict=True), key=lambda pair: pair[0])
            if line.before is not None and line.before.value is not None:
                axes.axhline(100 * line.before.value, color=style.colour, linewidth=1, linestyle=(0, (1, 2)))
            for defined, part in groupby(found, key=lambda pair: pair[1].value is not None):
                if defined:
                    at, shares = zip(*part, strict=True)
                    low, value, high = (
                        [100 * (getattr(share, bound) or 0) for share in shares]
                        for bound in ("low", "value", "high")
                    )
                    axes.fill_between(at, low, high, color=style.colour, alpha=0.16, linewidth=0)
                    axes.plot(
                        at, value, f"{style.symbol}-", color=style.colour, markersize=3.5, linewidth=1.4
                    )
        if all(share.value is None for line in series for share in line.shares):
            axes.text(ordered[0], 50, UNDEFINED, color=MUTED, style="italic")
        show_legend(axes, [(line.label, style) for line, style in styles], columns)
        canvas = canvas_of(axes)
    said = [
        (f"{strength:g}", ", ".join(f"{line.label} {with_interval(line.shares[k])}" for line, _ in styles))
        for k, strength in enumerate(strengths)
    ]
    before = "".join(
        f" Before, {line.label}: {percent(line.before)}." for line, _ in styles if line.before is not None
    )
    alt = f"{title}, {unit}: {what} with 95 % interval. {rates_in_words(said)}{before}"
    return Figure(name, title, "", alt, canvas)
