"""Reliability diagrams: how often a classifier is right when it is so sure (Guo et al. 2017)."""

from collections.abc import Mapping

from physadv.evaluation.calibration import Reliability
from physadv.evaluation.outcomes import Kind
from physadv.report.figures.drawing import (
    GRID,
    MUTED,
    SMALL,
    STYLES,
    Figure,
    blank,
    canvas_of,
    margins,
    show_legend,
)
from physadv.report.wording import UNDEFINED, rates_in_words, with_interval

HEIGHT = 3.3


def reliability_figure(name: str, title: str, kinds: Mapping[Kind, Reliability]) -> Figure:
    """Return accuracy against mean confidence, a mark with its 95 % interval for every bin that has answers.

    Args:
        name: of the figure.
        title: where the answers were given: "photo".
        kinds: kind of example → its reliability.
    """
    with blank(SMALL, HEIGHT) as axes:
        margins(axes, 0.58, 0.12, 0.47, 0.28)
        axes.set_xlim(-3, 103)
        axes.set_ylim(-3, 103)
        ticks = range(0, 101, 25)
        axes.set_xticks(ticks, ["0", "25", "50", "75", "100 %"])
        axes.set_yticks(ticks, ["0", "25", "50", "75", "100 %"])
        axes.tick_params(length=0, pad=5)
        axes.tick_params(axis="y", labelcolor=MUTED)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_xlabel("mean confidence")
        axes.set_ylabel("share right")
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for found, style in zip(kinds.values(), STYLES, strict=False):
            filled = [within for within in found.bins if within.confidence is not None]
            at = [100 * (within.confidence or 0) for within in filled]
            for x, within in zip(at, filled, strict=True):
                low, high = within.accuracy.low, within.accuracy.high
                if low is not None and high is not None:
                    axes.plot([x, x], [100 * low, 100 * high], color=style.colour, linewidth=1.2, alpha=0.7)
            axes.plot(
                at,
                [100 * (within.accuracy.value or 0) for within in filled],
                f"{style.symbol}-",
                color=style.colour,
                markersize=5,
                linewidth=0.9,
                clip_on=False,
            )
        show_legend(axes, list(zip(kinds, STYLES, strict=False)), len(kinds))
        canvas = canvas_of(axes)
    caption = (
        f"Expected calibration error: {', '.join(f'{kind} {_ece(found)}' for kind, found in kinds.items())}."
    )
    said = [
        (
            f"{kind}, confidence {100 * within.low:.0f} to {100 * within.high:.0f} %",
            f"right {with_interval(within.accuracy)}, n = {within.accuracy.n}",
        )
        for kind, found in kinds.items()
        for within in found.bins
        if within.confidence is not None
    ]
    alt = f"Reliability diagram, {title}. {caption} {rates_in_words(said)}"
    return Figure(name, title, caption, alt, canvas)


def _ece(found: Reliability) -> str:
    return UNDEFINED if found.ece is None else f"{100 * found.ece:.1f} %"
