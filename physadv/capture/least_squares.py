"""Levenberg–Marquardt for matched points: few parameters, some hundred points, robust against outliers.

It takes half a millisecond where a general solver takes fifty, because the caller supplies the derivatives.
"""

from collections.abc import Callable

import numpy as np

from physadv.capture.geometry import Points

ROBUST_FROM = 3.0
MAX_DAMPING = 1e8


def fit_points(
    project: Callable[[Points], tuple[Points, Points]],
    start: Points,
    pixels: Points,
    sigmas: Points,
    *,
    expected: Points,
    spread: Points,
    iterations: int = 30,
    tolerance: float = 1e-5,
) -> tuple[Points, float]:
    """Return the parameters (P,) whose projected points are closest to the observed ones, and their cost.

    The cost is the soft-L1 loss of each point's distance, quadratic below `ROBUST_FROM` sigmas and linear
    beyond, so that an outlier has bounded influence, plus a Gaussian prior on the parameters.

    Args:
        project: maps parameters (P,) to points (N, 2), pixels, and their derivatives (N, 2, P).
        start: parameters (P,) to start from.
        pixels: observed points (N, 2).
        sigmas: standard deviations (N,) of the observed points, pixels.
        expected: means (P,) of the prior.
        spread: standard deviations (P,) of the prior; inf for no prior.
        iterations: largest number of steps.
        tolerance: the fit ends with a step that lowers the cost by less than this share.
    """
    precision = 1 / np.square(spread)
    weights = 1 / np.square(sigmas)

    def cost_of(errors: Points, parameters: Points) -> tuple[float, Points]:
        squares = np.square(errors).sum(axis=1) * weights / ROBUST_FROM**2
        root = np.sqrt(1 + squares)
        offset = parameters - expected
        return float(2 * ROBUST_FROM**2 * (root - 1).sum() + precision @ np.square(offset)), weights / root

    best = start
    seen, slopes = project(best)
    cost, pull = cost_of(seen - pixels, best)
    damping = 1e-4
    for _ in range(iterations):
        weighted = slopes * pull[:, None, None]
        normal = np.tensordot(weighted, slopes, axes=((0, 1), (0, 1))) + np.diag(precision)
        gradient = np.tensordot(weighted, seen - pixels, axes=((0, 1), (0, 1))) + precision * (
            best - expected
        )
        while damping < MAX_DAMPING:
            damped = normal + damping * np.diag(normal.diagonal() + 1e-12)
            step = np.linalg.solve(damped, gradient)
            trial = best - step
            trial_seen, trial_slopes = project(trial)
            trial_cost, trial_pull = cost_of(trial_seen - pixels, trial)
            if trial_cost <= cost:
                break
            damping *= 10
        else:
            break
        gained = cost - trial_cost
        best, seen, slopes, cost, pull = trial, trial_seen, trial_slopes, trial_cost, trial_pull
        damping = max(damping / 10, 1e-12)
        if gained <= tolerance * cost + 1e-12:
            break
    return best, cost
