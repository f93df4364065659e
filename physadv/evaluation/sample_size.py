"""How many pairs to print for an interval as narrow as wanted."""

import math
from dataclasses import dataclass

from physadv.errors import PhysadvError
from physadv.evaluation.intervals import Z, wilson


class SampleSizeError(PhysadvError):
    """No number of pairs gives what was asked for."""


@dataclass(frozen=True)
class SampleSize:
    """How many pairs give the interval wanted.

    Attributes:
        rate: the share expected, 0 to 1.
        halfwidth: half the width wanted of its 95 % interval.
        qualifying: share of printed pairs that is expected to count.
        counted: pairs that must count.
        printed: pairs to print so that as many count.
        low: lower end of the interval that is then expected.
        high: upper end of the interval that is then expected.
    """

    rate: float
    halfwidth: float
    qualifying: float
    counted: int
    printed: int
    low: float
    high: float


def plan_pairs(rate: float, halfwidth: float, qualifying: float = 1.0) -> SampleSize:
    """Return the fewest pairs whose 95 % Wilson interval about `rate` is ± `halfwidth` or narrower.

    The half width h = z √(p(1−p)/n + z²/4n²) / (1 + z²/n) falls with n; squared, it is a quadratic in n:
    h²n² + (2h² − p(1−p)) z² n + (h² − ¼) z⁴ = 0.

    Args:
        rate: the share p expected, 0 to 1.
        halfwidth: h, above 0 and below 0.5, the half width that no pair at all would give.
        qualifying: share of printed pairs expected to count: clean right, adversarial wrong, photo usable.

    Raises:
        SampleSizeError: an argument is out of its range.

    >>> size = plan_pairs(0.1, 0.05, qualifying=0.8)
    >>> size.counted, size.printed
    (141, 177)
    """
    for name, value, valid, wanted in (
        ("rate", rate, 0 <= rate <= 1, "a share from 0 to 1"),
        ("halfwidth", halfwidth, 0 < halfwidth < 0.5, "a share above 0 and below 0.5"),
        ("qualifying", qualifying, 0 < qualifying <= 1, "a share above 0, at most 1"),
    ):
        if not valid:
            raise SampleSizeError(f"{name} {value:g}: wanted {wanted}")
    z2 = Z**2
    h2 = halfwidth**2
    slope = (2 * h2 - rate * (1 - rate)) * z2
    root = (-slope + math.sqrt(slope**2 - 4 * h2 * (h2 - 0.25) * z2**2)) / (2 * h2)
    counted = math.ceil(root - 1e-9)
    low, high = wilson(rate * counted, counted)
    return SampleSize(
        rate=rate,
        halfwidth=halfwidth,
        qualifying=qualifying,
        counted=counted,
        printed=math.ceil(counted / qualifying - 1e-9),
        low=low,
        high=high,
    )
