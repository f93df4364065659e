"""What a phone makes of a straight edge: its spread and its halo.

These functions are pure and know no file. `fit_edge` fits every pixel of a patch at once: a fit to the place
of the edge in every row first was 29 % wrong. Code values are those of the file, from 0 to 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import least_squares
from scipy.special import ndtr

from physadv.capture.geometry import Points
from physadv.capture.light import to_linear, to_srgb
from physadv.errors import PhysadvError

Patch = NDArray[np.floating]
Starts = Sequence[tuple[float, ...]]
STEP = 0.05  # pixels between the nodes of an edge's profile
SIGMA, AMOUNT, RADIUS, TONE = (0.15, 8.0), (0.0, 4.0), (0.5, 6.0), (-0.3, 0.95)
LEAST_RADIUS = 1.2  # pixels
STARTS = ((1.0, 0.3, 1.5, 0.0), (0.7, 1.0, 0.8, 0.0))  # sigma, amount, radius, tone
POOLED_STARTS = ((1.0, 0.3, 1.8, 0.2),)
TONED = np.linspace(0, 1, 2049)  # code values at which a tone curve is inverted
FAR = 6.0  # pixels from an edge, where its level is that of its side


class FitError(PhysadvError):
    """A patch is no edge or no flat field."""


@dataclass(frozen=True)
class Edge:
    """A straight edge as a camera drew it: blurred in linear light, encoded as sRGB, toned, then sharpened.

    Attributes:
        position: of the edge along its normal, pixels from the patch's centre.
        angle: of its normal, which points from dark to light, degrees from x to y.
        low: level of the dark side, code value.
        high: level of the light side, code value.
        sigma: gaussian spread in linear light, pixels, the pixel's own aperture included.
        amount: strength of the unsharp mask; a larger radius makes up for less of it, `overshoot` is firm.
        radius: gaussian sigma of the unsharp mask, pixels.
        residual: root mean square of what the fit leaves, share of high − low.
        tone: strength of an S-shaped curve, 0 for plain sRGB; see `fit_pooled`.
    """

    position: float
    angle: float
    low: float
    high: float
    sigma: float
    amount: float
    radius: float
    residual: float
    tone: float = 0.0

    def profile(self, distance: Patch) -> Patch:
        """Return code values (N,) at distances (N,) in pixels along the normal from the edge."""
        shape = (self.sigma, self.amount, self.radius, self.tone)
        return edge_profile(distance, self.low, self.high, *shape)

    @property
    def overshoot(self) -> float:
        """Return how far the profile rises beyond the light side, share of high − low."""
        return float((self._sampled.max() - self.high) / (self.high - self.low))

    @property
    def rise(self) -> float:
        """Return the distance from 10 to 90 % of the rise in code values, pixels."""
        share = (self._sampled - self.low) / (self.high - self.low)
        return float((np.argmax(share > 0.9) - np.argmax(share > 0.1)) * STEP)

    @property
    def _sampled(self) -> Patch:
        reach = 4 * (self.sigma + self.radius)
        return self.profile(np.arange(-reach, reach, STEP))


def edge_profile(
    distance: Patch, low: float, high: float, sigma: float, amount: float, radius: float, tone: float = 0.0
) -> Patch:
    """Return the code values, 0 to 1, of an `Edge` at distances in pixels, of any shape.

    >>> edge_profile(np.array([-9.0, 0.0, 9.0]), 0.2, 0.8, 1.0, 0.0, 1.0).round(3)
    array([0.2, 0.6, 0.8])
    """
    # Nodes at fixed places, whatever the radius: a grid that moves with it would make the fit uneven.
    last = np.ceil((np.abs(distance).max() + 4 * radius) / STEP)
    nodes = np.arange(-last, last + 1) * STEP
    dark, light = to_linear(np.interp((low, high), _toned(TONED, tone), TONED))
    code: Patch = _toned(to_srgb(dark + (light - dark) * ndtr(nodes / sigma)), tone)
    code = code + amount * (code - gaussian_filter1d(code, radius / STEP, mode="nearest"))
    return np.interp(distance, nodes, code).clip(0, 1)


def _toned(code: Points, tone: float) -> Points:
    return code + tone * (code * code * (3 - 2 * code) - code)


def fit_edge(patch: Patch, *, starts: Starts = STARTS) -> Edge:
    """Fit an edge jointly to all pixels of a patch (H, W) of code values from 0 to 1.

    Position, angle, two levels, sigma and the halo's amount and radius are fitted together, by least squares;
    there is no tone curve. The best fit from all `starts` counts; one is enough for position and angle.

    Raises:
        FitError: the patch has no direction, or no fit is found.
    """
    x, y = _from_middle(patch)
    position, angle, low, high = _first_guess(patch, x, y)

    def difference(values: Patch) -> Patch:
        there, turn, *shape = values
        return (edge_profile(x * np.cos(turn) + y * np.sin(turn) - there, *shape) - patch).ravel()

    reach = float(min(patch.shape)) / 2
    lowest = (-reach, angle - 0.5, 0.0, 0.0, SIGMA[0], AMOUNT[0], RADIUS[0])
    highest = (reach, angle + 0.5, 1.0, 1.0, SIGMA[1], AMOUNT[1], RADIUS[1])
    scales = (1, 0.05, 0.1, 0.1, 0.5, 0.5, 1)
    best = _least(difference, (position, angle, low, high), lowest, highest, scales, starts)
    there, turn, low, high, sigma, amount, radius = map(float, best.x)
    if high - low < 1e-3:
        raise FitError("no edge: both sides have the same level")
    residual = float(np.sqrt(np.mean(best.fun**2))) / (high - low)
    return Edge(there, float(np.degrees(turn)), low, high, sigma, amount, radius, residual)


def pool_edges(patches: Sequence[Patch], edges: Sequence[Edge]) -> tuple[Patch, Patch]:
    """Return distances (N,) in pixels and code values (N,) of all pixels of patches, each about its edge.

    Values are shifted and scaled so that all edges have the mean levels of them all.
    """
    low, high = (float(np.mean([getattr(edge, side) for edge in edges])) for side in ("low", "high"))
    places, values = [], []
    for patch, edge in zip(patches, edges, strict=True):
        x, y = _from_middle(patch)
        turn = np.radians(edge.angle)
        places.append((x * np.cos(turn) + y * np.sin(turn) - edge.position).ravel())
        values.append((low + (high - low) * (patch - edge.low) / (edge.high - edge.low)).ravel())
    return np.concatenate(places), np.concatenate(values)


def fit_pooled(distance: Patch, value: Patch, tone: float | None = None) -> Edge:
    """Fit one edge to what `pool_edges` returns, through the tone curve that it shows or one that is known.

    The curve is that of Brooks et al. 2019, smoothstep, mixed with none. To a fit without it an edge of high
    contrast seems up to 15 % sharper than it is. Sharpening of less than `LEAST_RADIUS` cannot be told from
    less blur, and counts as that. `position` and `angle` are 0.

    Raises:
        FitError: both sides have the same level.
    """
    dark, light = value[distance < -FAR], value[distance > FAR]
    low, high = float(np.median(dark)), float(np.median(light))
    if high - low < 1e-3:
        raise FitError("no edge: both sides have the same level")
    # Noise differs from side to side.
    noise = np.interp(value, (low, high), (dark.std() + 1e-3, light.std() + 1e-3))

    def difference(values: Patch) -> Patch:
        there, *shape = values
        known = () if tone is None else (tone,)
        missed: Patch = (edge_profile(distance - there, *shape, *known) - value) / noise
        return missed

    free = 7 if tone is None else 6
    lowest = (-2.0, 0.0, 0.0, SIGMA[0], AMOUNT[0], LEAST_RADIUS, TONE[0])[:free]
    highest = (2.0, 1.0, 1.0, SIGMA[1], AMOUNT[1], RADIUS[1], TONE[1])[:free]
    scales = (1, 0.1, 0.1, 0.5, 0.5, 1, 0.3)[:free]
    best = _least(difference, (0.0, low, high), lowest, highest, scales, POOLED_STARTS)
    _, low, high, sigma, amount, radius, *shown = map(float, best.x)
    residual = float(np.sqrt(np.mean((best.fun * noise) ** 2))) / (high - low)
    return Edge(0.0, 0.0, low, high, sigma, amount, radius, residual, *(shown or (tone or 0.0,)))


def _from_middle(patch: Patch) -> tuple[Patch, Patch]:
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(float)
    return x - x.mean(), y - y.mean()


def _least(
    difference: Callable[[Patch], Patch],
    start: Sequence[float],
    lowest: Sequence[float],
    highest: Sequence[float],
    scales: Sequence[float],
    starts: Starts,
) -> Any:
    """Return the best fit from all `starts`; as many of their numbers as are missing follow `start`."""
    fits = [
        least_squares(
            difference,
            (*start, *shape)[: len(lowest)],
            bounds=(lowest, highest),
            x_scale=scales,
            diff_step=1e-4,
            xtol=1e-10,
            ftol=1e-10,
        )
        for shape in starts
    ]
    return min(fits, key=lambda one: float(one.cost))


def _first_guess(patch: Patch, x: Patch, y: Patch) -> tuple[float, float, float, float]:
    """Return position, angle in radians, and both levels."""
    smooth = cv2.GaussianBlur(patch.astype(np.float64), (0, 0), 1.0)
    down, across = np.gradient(smooth)
    power = across**2 + down**2
    if not power.max() > 0:
        raise FitError("no edge: every pixel has the same level")
    # The double angle's mean is that of a line, whichever way each gradient points.
    angle = np.arctan2(2 * (across * down).sum(), (across**2 - down**2).sum()) / 2
    if (across * np.cos(angle) + down * np.sin(angle)).sum() < 0:
        angle += np.pi
    distance = x * np.cos(angle) + y * np.sin(angle)
    position = float((power * distance).sum() / power.sum())
    sides = patch[distance < position - 2], patch[distance > position + 2]
    if not all(side.size for side in sides):
        raise FitError("no edge: it lies at the border of the patch")
    low, high = (float(np.median(side)) for side in sides)
    if not 0 <= low < high <= 1:
        raise FitError("no edge: the levels of its sides do not follow its gradient")
    inside = np.clip((low, high), 1e-4, 1 - 1e-4)
    return position, float(angle), float(inside[0]), float(inside[1])
