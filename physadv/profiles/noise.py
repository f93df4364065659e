"""The noise of a flat field: how strong it is, and how far it is correlated. No function knows a file."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from physadv.profiles.edges import FitError, Patch

LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0))  # rows and columns
SPREAD = (0.2, 6.0)  # pixels: shorter is white noise


@dataclass(frozen=True)
class FieldNoise:
    """The noise of a flat field.

    Attributes:
        level: mean of the field, in the patch's unit.
        sd: standard deviation, in the patch's unit.
        length: gaussian sigma, pixels, over which white noise was spread to be correlated as this is;
            the least of `SPREAD` means that no correlation was seen.
        block_sd: standard deviation of the means of 8 × 8 pixels: large where the field is not flat.
    """

    level: float
    sd: float
    length: float
    block_sd: float


def measure_noise(patch: Patch) -> FieldNoise:
    """Return the noise of a patch (H, W) in any unit, about the quadratic surface that fits it best.

    White noise spread with a gaussian has a known correlation between neighbours; `length` is the gaussian
    whose correlations at `LAGS` are nearest.

    Raises:
        FitError: the patch is smaller than 16 × 16.

    >>> white = np.random.default_rng(0).normal(5.0, 2.0, (64, 64))
    >>> found = measure_noise(white)
    >>> round(found.level), round(found.sd, 1), found.length < 0.35
    (5, 2.0, True)
    """
    if min(patch.shape) < 16:
        raise FitError(f"a patch of {patch.shape[0]} × {patch.shape[1]} pixels: wanted 16 × 16 or more")
    rest, lost = flattened(patch)
    sd = float(np.sqrt((rest**2).sum() / (rest.size - lost)))
    height, width = (side // 8 * 8 for side in rest.shape)
    blocks = rest[:height, :width].reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3))
    length = SPREAD[0] if sd == 0 else _length(rest)
    return FieldNoise(float(patch.mean()), sd, length, float(blocks.std()))


def flattened(patch: Patch) -> tuple[Patch, int]:
    """Return a patch (H, W) less the quadratic surface nearest to it, and how many numbers that took."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in patch.shape), indexing="ij")
    surface = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values = patch.reshape(-1).astype(float)
    weights = np.linalg.lstsq(surface, values, rcond=None)[0]
    return (values - surface @ weights).reshape(patch.shape), surface.shape[1]


def correlations(rest: Patch) -> Patch:
    """Return the correlations of a patch (H, W) of mean 0 with itself at `LAGS`."""
    power = (rest**2).mean()
    found = []
    for down, across in LAGS:
        left = rest[: rest.shape[0] - down, max(0, -across) : rest.shape[1] - max(0, across)]
        right = rest[down:, max(0, across) : rest.shape[1] - max(0, -across)]
        found.append((left * right).mean() / power)
    return np.array(found)


def _length(rest: Patch) -> float:
    seen = correlations(rest)

    def miss(sigma: float) -> float:
        taps = np.exp(-np.square(np.arange(-30, 31)) / (2 * sigma * sigma))
        whole = (taps**2).sum()
        of_lag = [(taps[lag:] * taps[: len(taps) - lag]).sum() / whole for lag in range(3)]
        expected = [of_lag[abs(down)] * of_lag[abs(across)] for down, across in LAGS]
        return float(np.square(seen - expected).sum())

    return float(minimize_scalar(miss, bounds=SPREAD, method="bounded").x)
