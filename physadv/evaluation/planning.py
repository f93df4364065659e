"""How many pairs to print, so that a rate comes out as sharp as it is wanted."""

import math
from dataclasses import dataclass

from scipy.stats import norm

from physadv.errors import PhysadvError
from physadv.evaluation.intervals import CONFIDENCE, wilson


class PlanError(PhysadvError):
    """A plan asks for something that cannot be."""


@dataclass(frozen=True)
class PrintPlan:
    """How many pairs give the interval wanted.

    Attributes:
        rate: the share expected, `halfwidth` the half width wanted of its interval, `qualifying` the share of
            printed pairs expected to count.
        counted: pairs that must count; `printed` pairs to print so that as many do.
        low: of the interval expected; likewise `high`.
    """

    rate: float
    halfwidth: float
    qualifying: float
    counted: int
    printed: int
    low: float
    high: float


def plan_pairs(rate: float, halfwidth: float, qualifying: float = 1.0) -> PrintPlan:
    """Return the fewest pairs whose 95 % Wilson interval about `rate` is ± `halfwidth` or narrower.

    The half width h = z √(p(1−p)/n + z²/4n²) / (1 + z²/n) falls with n; squared, it is a quadratic in n:
    h²n² + (2h² − p(1−p)) z² n + (h² − ¼) z⁴ = 0.

    Args:
        rate: the share p expected, 0 to 1.
        halfwidth: h, above 0 and below 0.5, the half width that no pair at all would give.
        qualifying: share of printed pairs expected to count: clean right, adversarial wrong, photo usable.

    Raises:
        PlanError: an argument is out of its range.
    """
    for name, value, valid, wanted in (
        ("rate", rate, 0 <= rate <= 1, "a share from 0 to 1"),
        ("halfwidth", halfwidth, 0 < halfwidth < 0.5, "a share above 0 and below 0.5"),
        ("qualifying", qualifying, 0 < qualifying <= 1, "a share above 0, at most 1"),
    ):
        if not valid:
            raise PlanError(f"{name} {value:g}: wanted {wanted}")
    z2 = float(norm.ppf(0.5 + CONFIDENCE / 2)) ** 2
    h2 = halfwidth**2
    slope = (2 * h2 - rate * (1 - rate)) * z2
    root = (-slope + math.sqrt(slope**2 - 4 * h2 * (h2 - 0.25) * z2**2)) / (2 * h2)
    counted = math.ceil(root - 1e-9)
    low, high = wilson(rate, counted)
    return PrintPlan(
        rate=rate,
        halfwidth=halfwidth,
        qualifying=qualifying,
        counted=counted,
        printed=math.ceil(counted / qualifying - 1e-9),
        low=low,
        high=high,
    )
