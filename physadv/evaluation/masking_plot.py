"""The curve of a masking check as a file: accuracy against steps, with the other attacks beside it."""

from collections.abc import Mapping
from pathlib import Path

from physadv.errors import PhysadvError
from physadv.evaluation.figures.drawing import GRID, INK, MUTED, STYLES
from physadv.evaluation.intervals import Estimate

FORMATS = (".svg", ".png", ".pdf")


class PlotError(PhysadvError):
    """A plot cannot be written as asked."""


def check_plot(path: Path) -> None:
    """Check, before anything is measured, that a plot can be written under this name.

    Raises:
        PlotError: the suffix names no format.
    """
    if path.suffix not in FORMATS:
        raise PlotError(f"{path}: wanted a name that ends in {', '.join(FORMATS)}")


def write_masking_plot(
    path: Path,
    suffix: str,
    title: str,
    curves: Mapping[str, Mapping[int, Estimate]],
    attacks: Mapping[str, Estimate],
) -> None:
    """Draw accuracies in per cent with 95 % bands; the same numbers give the same bytes.

    Args:
        path: the file.
        suffix: one of `FORMATS`.
        title: one line above it.
        curves: at most two by name, steps → accuracy.
        attacks: name → accuracy of those that have no steps, drawn as level lines.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "physadv", "font.size": 9}):
        canvas = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = canvas.add_subplot()
        for (name, curve), style in zip(curves.items(), STYLES, strict=False):
            steps = list(curve)
            values = [100 * (share.value or 0) for share in curve.values()]
            axes.plot(steps, values, "o-", color=style.colour, label=name)
            low = [100 * (share.low or 0) for share in curve.values()]
            high = [100 * (share.high or 0) for share in curve.values()]
            axes.fill_between(steps, low, high, color=style.colour, alpha=0.15, linewidth=0)
        for (name, share), dashes in zip(attacks.items(), (":", "--", "-."), strict=False):
            axes.axhline(100 * (share.value or 0), color=MUTED, linestyle=dashes, linewidth=1.2, label=name)
        axes.set_xscale("log")
        steps = sorted({step for curve in curves.values() for step in curve})
        axes.set_xticks(steps, [str(step) for step in steps])
        axes.minorticks_off()
        axes.set_ylim(-3, 103)
        axes.set_xlabel("steps along the gradient")
        axes.set_ylabel("accuracy, %")
        axes.set_title(title, color=INK, fontsize=9, loc="left")
        axes.grid(color=GRID, linewidth=0.8)
        canvas.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
        for spine in axes.spines.values():
            spine.set_visible(False)
        date = {"CreationDate": None} if suffix == ".pdf" else {"Date": None}
        canvas.savefig(path, format=suffix[1:], metadata=None if suffix == ".png" else date, dpi=160)
