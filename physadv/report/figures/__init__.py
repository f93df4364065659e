"""Plots: shares with their intervals → drawings for a page or for files. Plain numbers in, no files read."""

from physadv.report.figures.curves import Series, curve
from physadv.report.figures.drawing import FORMATS, Figure
from physadv.report.figures.heatmaps import Grid, heat_map
from physadv.report.figures.lines import accuracy_figure, destruction_figure, side_by_side_figure
from physadv.report.figures.reliability import reliability_figure

__all__ = [
    "FORMATS",
    "Figure",
    "Grid",
    "Series",
    "accuracy_figure",
    "curve",
    "destruction_figure",
    "heat_map",
    "reliability_figure",
    "side_by_side_figure",
]
