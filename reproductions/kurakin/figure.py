"""The paper's figure of artificial transformations: destruction rate against strength, a line an attack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from physadv.evaluation.intervals import Estimate
from physadv.files import replacing

PANEL_INCHES = (2.1, 1.9)
# Of Okabe and Ito's palette, darkened until they stand out from white as text must.
_STYLES = (("#0a5ea8", "o"), ("#b4500b", "D"), ("#00734f", "s"))
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "physadv",
    "font.family": ["sans-serif"],
    "font.size": 8,
    "axes.unicode_minus": False,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Panel:
    """One kind of transformation: its unit, its strengths, rising, and a rate at each, attack by attack."""

    title: str
    unit: str
    strengths: tuple[float, ...]
    rates: Mapping[str, tuple[Estimate, ...]]


def draw(path: Path, rows: Mapping[str, Sequence[Panel]]) -> None:
    """Write panels in named rows as an SVG file on white; the same data gives the same bytes."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    columns = max(map(len, rows.values()))
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for setting, value in _SETTINGS.items():
            matplotlib.rcParams[setting] = value  # type: ignore[index]
        width, height = PANEL_INCHES
        figure = Figure(figsize=(width * columns, height * len(rows) + 0.3), layout="constrained")
        FigureCanvasSVG(figure)
        grid = figure.subplots(len(rows), columns, sharey=True, squeeze=False)
        for axes, (name, panels) in zip(grid, rows.items(), strict=True):
            axes[0].set_ylabel(f"destroyed %, {name}")
            for place, panel in zip(axes, panels, strict=False):
                _draw_panel(place, panel)
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
        with replacing(path) as temporary:
            nothing = dict.fromkeys(("Date", "Creator"))
            figure.savefig(temporary, format="svg", metadata=nothing, facecolor="white")


def _draw_panel(axes: Any, panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=8)
    axes.set_xlabel(panel.unit)
    axes.set_ylim(-2, 102)
    axes.grid(axis="y", color="#d9dde2", linewidth=0.6)
    for (attack, rates), (colour, symbol) in zip(panel.rates.items(), _STYLES, strict=False):
        defined = [
            (x, rate) for x, rate in zip(panel.strengths, rates, strict=True) if rate.value is not None
        ]
        at = [x for x, _ in defined]
        low, value, high = (
            [100 * getattr(rate, bound) for _, rate in defined] for bound in ("low", "value", "high")
        )
        axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(at, value, f"{symbol}-", color=colour, markersize=3, linewidth=1.2, label=attack)
