"""The light on a target's page, and its colours without it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyvander
from numpy.typing import NDArray

from physadv.capture.geometry import Points
from physadv.capture.light import POWERS, to_linear, to_srgb
from physadv.profiles.errors import ProfileError
from physadv.profiles.target import Target
from physadv.sheets.layout import GREYS

DARKEST = 1e-4
"""Light below which a level says nothing of the light: the first 8-bit level is 3e-4."""
ROUNDS, STEPS = 8, 4
STEEPNESS = 1e-4
"""Variance of light at which a grey's own steepness is believed as much as that it is that of all."""


@dataclass(frozen=True)
class EvenLight:
    """Photos of a target as if all were lit alike and evenly.

    Attributes:
        colours: sRGB (N, 3) from 0 to 1 of every patch in the middle photo, in the middle of its light.
        gains: natural logarithm (P, 3) of each photo's light over the middle one's.
        shading: standard deviation of that logarithm over the page.
    """

    colours: Points
    gains: Points
    shading: float


def even_light(target: Target, codes: Points, places: Sequence[int]) -> EvenLight:
    """Return the colours (N, 3) of a target's patches without the light's falloff, from P photos (P, N, 3).

    Greys that are printed all over the page show the light there. A tone curve makes some of them answer to
    it more than others, so each has a steepness of its own, fitted together with the light (a polynomial over
    the page for each photo); colours take that of the greys as bright as they are. `places` are the photos
    whose mean is the middle: one of each place.
    """
    neutral, grey = target.neutral, target.colours[target.neutral, 0]
    which = np.searchsorted(GREYS, grey)
    terms = _terms(target)
    light = to_linear(codes)
    seen = np.log(np.maximum(light, DARKEST))
    # Errors are alike in code values, so that is what they are weighed in.
    weights = code_per_log(seen)
    colours, gains, fields = np.empty_like(codes), np.empty((len(codes), 3)), []
    for channel in range(3):
        u, w = seen[:, neutral, channel], weights[:, neutral, channel]
        level, steep, field = _fit_greys(u, w, which, terms[neutral], places)
        every = terms @ field.T
        if (np.diff(level) <= 0).any():
            raise ProfileError(
                "the target's greys do not rise from dark to light: was it printed as it is, and lit evenly?"
            )
        corrected = seen[:, :, channel]
        for _ in range(STEPS):
            corrected = corrected - every.T / STEPS * np.interp(corrected, level, steep)
        colours[:, :, channel] = to_srgb(np.exp(corrected))
        gains[:, channel] = field[:, 0]
        fields.append(every - field[:, 0])
    return EvenLight(colours.mean(axis=0), gains, float(np.std(fields)))


def _terms(target: Target) -> Points:
    """Return 1 and the powers (N, 15) of the patches' places, of which the means over the page are 0."""
    u, v = (2 * target.places_mm / target.sheet.page_mm - 1).T
    terms = polyvander(u, POWERS.max())[:, POWERS[0]] * polyvander(v, POWERS.max())[:, POWERS[1]]
    terms = terms[:, np.argsort(POWERS.sum(axis=0), kind="stable")]
    terms[:, 1:] -= terms[:, 1:].mean(axis=0)
    return np.asarray(terms)


def code_per_log(log_light: Points) -> Points:
    """Return how much a code value changes with the logarithm of its light."""
    step = 1e-3
    slope: Points = (to_srgb(np.exp(log_light + step)) - to_srgb(np.exp(log_light - step))) / (2 * step)
    return slope


def _fit_greys(
    seen: Points, weights: Points, which: NDArray[np.int_], terms: Points, places: Sequence[int]
) -> tuple[Points, Points, Points]:
    """Return level and steepness (K,) of each grey, and each photo's field (P, 15), in log light.

    `seen` and `weights` are (P, M), `which` (M,) says which grey a patch is, `terms` (M, 15) where it is.
    """
    count = which.max() + 1
    level = np.array(
        [np.average(seen[:, which == k], weights=weights[:, which == k] ** 2) for k in range(count)]
    )
    steep, field = np.ones(count), np.zeros((len(seen), terms.shape[1]))
    for _ in range(ROUNDS):
        for photo in range(len(seen)):
            rows = terms * (steep[which] * weights[photo])[:, None]
            field[photo] = np.linalg.lstsq(rows, (seen[photo] - level[which]) * weights[photo], rcond=None)[0]
        field[:, 0] -= field[places, 0].mean()
        light = field @ terms.T
        for k in range(count):
            x, y, w = (values[:, which == k].ravel() for values in (light, seen, weights**2))
            middle = np.average(x, weights=w)
            away = np.average((x - middle) ** 2, weights=w)
            common = np.average((x - middle) * (y - np.average(y, weights=w)), weights=w)
            steep[k] = (common + STEEPNESS) / (away + STEEPNESS)
            level[k] = np.average(y, weights=w) - steep[k] * middle
    return level, steep, field
