"""Colour from a sheet's grey and colour bars: the exposure of a photo, and its correction to true colours.

The correction is a flat field from bare paper, a curve per channel through the greys, and, where that brings
colours nearer that a fit did not see, a 3×3 matrix that leaves greys alone. It undoes what an experiment
measures, so crops stay as photographed unless users ask.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Pixels, Points, is_inside
from physadv.capture.light import BURNT, PaperLight, ToPhoto, levels_at, to_linear, to_srgb
from physadv.capture.reading import CaptureError
from physadv.sheets.layout import BoxMm, Sheet, box_centre

MIN_GREYS, MIN_COLOURS = 5, 4
INNER, PATCH_SAMPLES = 0.6, (16, 10)
MAX_SPREAD, MAX_DISAGREEMENT = 40.0, 25.0
OFF_STOPS, OFF_CAST = 1.0, 1.25
"""Exposure in stops, and ratio of red or blue to green (or its inverse), from which a photo is off: phones
meter within about half a stop, and white paper by daylight or by a lamp stays within a ratio of 1.2."""

Curve = Callable[[Points], Points]


@dataclass(frozen=True)
class Exposure:
    """How a photo renders the greys of a sheet, as medians over the greys in linear light.

    Attributes:
        stops: binary logarithm of the light in the photo over the light in the file.
        red: red over green; 1 is neutral.
        blue: blue over green; 1 is neutral.
    """

    stops: float
    red: float
    blue: float

    @property
    def is_off(self) -> bool:
        """Return whether the photo is too dark, too bright or too coloured for classifiers not to mind."""
        cast = max(max(ratio, 1 / ratio) for ratio in (self.red, self.blue))
        return abs(self.stops) > OFF_STOPS or cast > OFF_CAST


@dataclass(frozen=True)
class Bars:
    """The N patches of a sheet's two bars that can be read in a photo, in linear light.

    Attributes:
        true: colours (N, 3) in the printed file.
        seen: colours (N, 3) in the photo.
        places_mm: middles (N, 2) of the patches on the page.
    """

    true: Points
    seen: Points
    places_mm: Points

    def exposure(self) -> Exposure | None:
        """Return how the greys other than black came out, None if none can be read."""
        chosen = _grey(self.true) & (self.true[:, 0] > 0) & (self.seen > 0).all(axis=1)
        if not chosen.any():
            return None
        true, seen = self.true[chosen], self.seen[chosen]
        stops = np.log2(seen.mean(axis=1) / true[:, 0])
        red, blue = (seen[:, channel] / seen[:, 1] for channel in (0, 2))
        return Exposure(*(float(np.median(values)) for values in (stops, red, blue)))

    def chroma(self) -> float | None:
        """Return the share of their chroma that the colours keep, None if no grey or no colour can be read.

        It is the median of the range of the three channels, in light as neutral and as bright as that of the
        greys, over the range in the file: 0 for a print or a photo in black and white.
        """
        exposure, colours = self.exposure(), ~_grey(self.true)
        if exposure is None or not colours.any():
            return None
        cast = np.array((exposure.red, 1, exposure.blue))
        neutral = self.seen[colours] / (2**exposure.stops * cast / cast.mean())
        return float(np.median(np.ptp(neutral, axis=1) / np.ptp(self.true[colours], axis=1)))


@dataclass(frozen=True)
class Correction:
    """A map from a photo's colours on one sheet to those of the printed file.

    Attributes:
        paper: how the page was lit.
        curves: for R, G and B each, a map of greys from light relative to the paper to light in the file.
        matrix: matrix (3, 3) on linear light with rows that sum to 1.
        delta_e: CIEDE2000 error of every patch used, by a fit that saw no patch of its colour.
        delta_e_before: CIEDE2000 error of the same patches as photographed.
    """

    paper: PaperLight
    curves: tuple[Curve, ...]
    matrix: Points
    delta_e: Points
    delta_e_before: Points

    @property
    def helps(self) -> bool:
        """Return whether patches that the fit did not see come nearer to the file by it, in the mean."""
        return bool(self.delta_e.mean() < self.delta_e_before.mean())

    def apply(self, crop: Pixels, box_mm: BoxMm) -> Pixels:
        """Return a crop (h, w, 3), uint8, of a box on the page with its colours corrected."""
        height, width = crop.shape[:2]
        x, y, w, h = box_mm
        columns, rows = x + (np.arange(width) + 0.5) / width * w, y + (np.arange(height) + 0.5) / height * h
        places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        even = to_linear(crop.reshape(-1, 3) / 255) / self.paper(places)
        levels = to_srgb(_through(even, self.curves, self.matrix))
        return np.round(levels * 255).astype(np.uint8).reshape(crop.shape)


def read_bars(rgb: Pixels, sheet: Sheet, to_photo: ToPhoto) -> Bars:
    """Return the patches that a photo (H, W, 3) shows whole, even and not burnt out. There may be none."""
    true, seen, places = [], [], []
    for patch in sheet.patches:
        where = to_photo(_inside(patch.box_mm))
        if not is_inside(rgb, where).all():
            continue
        levels = levels_at(rgb, where)
        low, middle, high = np.percentile(levels, [10, 50, 90], axis=0)
        if middle.max() >= BURNT or (high - low).max() > MAX_SPREAD:
            continue
        true.append(patch.rgb)
        seen.append(to_linear(levels / 255).mean(axis=0))
        places.append(box_centre(patch.box_mm))
    light = to_linear(np.array(true, float).reshape(-1, 3) / 255)
    return Bars(light, np.array(seen).reshape(-1, 3), np.array(places).reshape(-1, 2))


def fit_correction(bars: Bars, paper: PaperLight) -> Correction:
    """Return the colour correction of one sheet in a photo, from its bars and how its paper was lit.

    Raises:
        CaptureError: too few patches can be read, or the greys do not rise from dark to light.
    """
    even = bars.seen / paper(bars.places_mm)
    kept = _agrees_with_its_copy(bars.true, even)
    true, even, seen = bars.true[kept], even[kept], bars.seen[kept]
    greys, colours = (len(np.unique(true[which], axis=0)) for which in (_grey(true), ~_grey(true)))
    if greys < MIN_GREYS or colours < MIN_COLOURS:
        raise CaptureError(
            f"{greys} greys and {colours} colours of its bars can be read, {MIN_GREYS} and {MIN_COLOURS} are "
            "needed to correct colours: covered, in shadow or burnt out?"
        )
    # Full colours are as far as inks go. A matrix that makes up for what they lack spoils all others.
    within_reach = np.ptp(true, axis=1) < 1
    errors = {mixed: _delta_e(_held_out(true, even, mixed), true) for mixed in (True, False)}
    mixed = min(errors, key=lambda tried: float(errors[tried][within_reach].mean()))
    return Correction(paper, *_fit_levels(true, even, mixed), errors[mixed], _delta_e(seen, true))


def _held_out(true: Points, even: Points, mixed: bool) -> Points:
    """Return the light (N, 3) of every patch, by a fit that saw no patch of its colour."""
    guessed = np.empty_like(true)
    for colour in np.unique(true, axis=0):
        held_out = (true == colour).all(axis=1)
        guessed[held_out] = _through(even[held_out], *_fit_levels(true[~held_out], even[~held_out], mixed))
    return guessed


def _grey(light: Points) -> NDArray[np.bool_]:
    return np.asarray(np.ptp(light, axis=1) == 0)


def _inside(box: BoxMm) -> Points:
    """Return a grid (N, 2) over the inner part of a box."""
    x, y, w, h = box
    columns, rows = (
        start + length * (0.5 + INNER * np.linspace(-0.5, 0.5, count))
        for start, length, count in zip((x, y), (w, h), PATCH_SAMPLES, strict=True)
    )
    return np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)


def _agrees_with_its_copy(true: Points, even: Points) -> NDArray[np.bool_]:
    """Return which patches (N,) look like their copies in the other bar; if not, one of them is covered."""
    levels = 255 * to_srgb(even)
    copies = (true[:, None] == true[None]).all(axis=2)
    apart = np.abs(levels[:, None] - levels[None]).max(axis=2) > MAX_DISAGREEMENT
    return np.asarray(~(copies & apart).any(axis=1))


def _fit_levels(true: Points, even: Points, mixed: bool = True) -> tuple[tuple[Curve, ...], Points]:
    """Return curves through the greys, and the matrix that then fits the colours best, if they are mixed."""
    grey = _grey(true)
    curves = tuple(_fit_curve(even[grey, channel], true[grey, channel]) for channel in range(3))
    straight = _through(even[~grey], curves, np.eye(3))
    matrix = np.eye(3)
    for channel in range(3) if mixed else ():
        others = [other for other in range(3) if other != channel]
        # Rows that sum to 1 keep greys grey. Free are the shares of the differences from this channel.
        away = straight[:, others] - straight[:, [channel]]
        shares = np.linalg.lstsq(away, true[~grey, channel] - straight[:, channel], rcond=None)[0]
        matrix[channel, others], matrix[channel, channel] = shares, 1 - shares.sum()
    return curves, matrix


def _fit_curve(seen: Points, true: Points) -> Curve:
    """Return a rising curve through the greys, fitted to sRGB levels and straight beyond its ends."""
    from scipy.interpolate import PchipInterpolator

    steps = np.unique(true)
    levels = np.array([to_srgb(seen[true == step]).mean() for step in steps])
    highest_before = np.maximum.accumulate(np.concatenate([[-1.0], levels[:-1]]))
    rising = levels > highest_before + 1e-3
    # One fewer than required, since one may be held out.
    if rising.sum() < MIN_GREYS - 1:
        raise CaptureError("the greys of its bars do not rise from dark to light: covered?")
    curve = PchipInterpolator(levels[rising], to_srgb(steps[rising]))
    slope, ends = curve.derivative(), (levels[rising][0], levels[rising][-1])

    def apply(light: Points) -> Points:
        level = to_srgb(light)
        inside = np.clip(level, *ends)
        return to_linear(curve(inside) + slope(inside) * (level - inside))

    return apply


def _through(even: Points, curves: tuple[Curve, ...], matrix: Points) -> Points:
    """Return linear light (N, 3), clipped to [0, 1], of light relative to the paper."""
    straight = np.stack([curve(even[:, channel]) for channel, curve in enumerate(curves)], axis=1)
    return np.clip(straight @ matrix.T, 0, 1)


def _delta_e(light: Points, true: Points) -> Points:
    """Return the CIEDE2000 difference (Sharma et al. 2005) of colours (N, 3) in linear light."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    return np.asarray(deltaE_ciede2000(rgb2lab(to_srgb(light)), rgb2lab(to_srgb(true))), np.float64)
