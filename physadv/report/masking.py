"""A masking check for people: its table on a terminal, and its curve of accuracy against steps as a file."""

from pathlib import Path
from typing import TYPE_CHECKING

from physadv.errors import PhysadvError
from physadv.evaluation.intervals import Estimate
from physadv.files import replacing
from physadv.report.drawing import FORMATS, GRID, MUTED, STYLES, Figure, blank
from physadv.report.figures import draw_band, shares_upwards
from physadv.report.table import Column, Table, show
from physadv.report.wording import of_interest, plural

if TYPE_CHECKING:
    from physadv.pipeline.masking_check import MaskingCheck

DASHES = (":", "--", "-.")
Share = tuple[str, Estimate]
SHARES = (
    Column[Share]("steps or starts", lambda line: line[0], "number"),
    Column[Share]("right", lambda line: line[1], "interval"),
    Column[Share]("n", lambda line: line[1].n, "number"),
)
"""Columns of one attack: steps along the gradient or random starts, if any, and the accuracy after them."""


class PlotError(PhysadvError):
    """A plot cannot be written as asked."""


def show_masking(check: "MaskingCheck") -> None:
    """Print accuracies under every attack, the symptoms of masking, and the verdict."""
    shares: dict[str, list[Share]] = {name: [("", share)] for name, share in check.attacks.items()}
    for name, curve in check.curves.items():
        shares[name] = [(str(steps), share) for steps, share in curve.items()]
    title = f"{check.classifier}, eps {check.eps}: accuracy under attack"
    show(Table(title, SHARES, shares, "attack"))
    print(f"answers only: {check.queries} queries an image")
    if check.wrong_before:
        print(f"left out: {plural(check.wrong_before, 'image')} wrong before any attack")
    print(f"symptoms, differences {of_interest(check.smallest)}:")
    for symptom in check.signs:
        print(f"{'SEEN' if symptom.seen else 'not seen'}: {symptom.name} ({symptom.said})")
    print(f"verdict: {check.verdict}")


def check_plot(path: Path) -> None:
    """Check, before anything is measured, that a plot can be written under this name.

    Raises:
        PlotError: the suffix names no format.
    """
    if path.suffix[1:] not in FORMATS:
        raise PlotError(f"{path}: wanted a name that ends in .{', .'.join(FORMATS)}")


def write_masking_plot(path: Path, check: "MaskingCheck") -> None:
    """Draw a check's accuracies in per cent with 95 % bands; the same numbers give the same bytes.

    The file is written whole or not at all; its suffix names one of `FORMATS`.
    """
    title = f"{check.classifier}: accuracy under attack, {check.attacks['one step'].n} images"
    with blank(5.2, 3.4) as (canvas, axes):
        shares_upwards(axes)
        axes.grid(color=GRID, linewidth=0.8)
        for curve, style in zip(check.curves.values(), STYLES, strict=False):
            draw_band(axes, list(curve.items()), style)
        for share, dashes in zip(check.attacks.values(), DASHES, strict=False):
            axes.axhline(100 * (share.value or 0), color=MUTED, linestyle=dashes, linewidth=1.2)
        axes.set_xscale("log")
        steps = sorted({step for curve in check.curves.values() for step in curve})
        axes.set_xticks(steps, [str(step) for step in steps])
        axes.minorticks_off()
        axes.set_xlabel("steps along the gradient, or random starts")
        axes.set_ylabel("accuracy")
        axes.set_title(title, fontsize=9, loc="left")
        names = [*check.curves, *check.attacks]
        canvas.legend(axes.lines, names, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    with replacing(path, tidy=True) as temporary:
        Figure("masking-check", title, "", "", canvas).write(temporary, path.suffix[1:])
