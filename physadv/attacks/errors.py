"""The error of this room, and the checks of numbers that raise it."""

from collections.abc import Callable
from numbers import Integral, Real

from physadv.errors import PhysadvError


class AttackError(PhysadvError):
    """An attack, its images, labels or budget cannot be used, or its gradient broke down."""


def check_count(name: str, value: int) -> int:
    """Return a whole number of at least 1, such as of steps or samples, or raise AttackError."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise AttackError(f"{name} is {value!r}; wanted a whole number")
    if value < 1:
        raise AttackError(f"{name} is {value}; wanted at least 1")
    return value


def check_number(
    name: str,
    value: float,
    wanted: str = "0 or more",
    fits: Callable[[float], bool] = lambda value: value >= 0,
) -> None:
    """Raise AttackError, which says what is wanted, for what is no number or does not fit; NaN never does."""
    if not isinstance(value, Real) or not fits(value):
        given = f"{value:g}" if isinstance(value, Real) else repr(value)
        raise AttackError(f"{name} is {given}; wanted {wanted}")
