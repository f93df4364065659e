"""How well a profile describes what it was fitted to: colours, an edge and the noise, in one figure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from physadv.files import replacing
from physadv.profiles.fitting import Fit, delta_e
from physadv.profiles.reading import Reading

SHOWN = 2000
"""Pixels of an edge that are drawn: more would only make the file large."""


def draw_fit(path: Path, fit: Fit, readings: Sequence[Reading]) -> None:
    """Draw held-out patches, the edges of the first photo that shows any, and the noise of all fields."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    profile = fit.profile
    with rc_context({"svg.hashsalt": "physadv"}):
        figure = Figure(figsize=(12, 4), layout="constrained")
        FigureCanvasSVG(figure)
        colours, edge, noise = figure.subplots(1, 3)
        errors = delta_e(fit.measured, fit.predicted)
        for channel, name in enumerate(("red", "green", "blue")):
            colours.scatter(
                255 * fit.predicted[:, channel],
                255 * fit.measured[:, channel],
                s=14,
                c=fit.measured,
                edgecolors=name,
                linewidths=0.6,
            )
        colours.plot([0, 255], [0, 255], color="grey", linewidth=0.8)
        colours.set(
            xlim=(0, 255),
            ylim=(0, 255),
            xlabel="predicted, 8-bit levels of R, G and B",
            ylabel="photographed",
            title=f"{len(errors)} held-out patches: ΔE2000 {errors.mean():.2f} mean, "
            f"{np.percentile(errors, 95):.2f} 95th percentile",
        )
        seen = next(reading for reading in readings if reading.edge)
        if seen.edge:
            step = max(1, len(seen.distances) // SHOWN)
            edge.plot(seen.distances[::step], 255 * seen.lumas[::step], ".", markersize=2, color="grey")
            line = np.linspace(-12, 12, 241)
            edge.plot(line, 255 * seen.edge.profile(line))
        edge.set(
            xlim=(-12, 12),
            xlabel="distance from the edge, pixels",
            ylabel="luma, 8-bit levels",
            title=f"{seen.path.name}: sigma {profile.blur.sigma_px:.2f} pixels in all photos",
        )
        levels, sds = np.array(profile.noise.levels).T
        noise.plot(levels, sds, ".", color="grey")
        noise.plot(np.linspace(0, 255, len(profile.noise.curve)), profile.noise.curve)
        of = (
            f"{profile.noise.pairs} pairs"
            if profile.noise.pairs
            else "single photos, with the print's texture"
        )
        noise.set(xlabel="8-bit level", ylabel="standard deviation, 8-bit levels", title=f"noise of {of}")
        for axes in (colours, edge, noise):
            axes.title.set_fontsize(9)
            axes.grid(alpha=0.3)
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata=dict.fromkeys(("Date", "Creator")))
