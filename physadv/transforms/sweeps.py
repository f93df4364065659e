"""Sweeps: one kind of transformation over a range of strengths, viewpoints over a grid, and sets by name."""

import math
from itertools import product

from physadv.errors import unknown_name
from physadv.transforms import viewpoint
from physadv.transforms.digital import CORRUPTIONS, DIGITAL_TRANSFORMS, SEVERITIES, FixedTransform, find_kind
from physadv.transforms.protocol import TransformError
from physadv.transforms.viewpoint import Viewpoint, axis_of

MOST = 1000
"""Transformations in one sweep; more is taken for a typo."""

_LOW, _HIGH = SEVERITIES

SWEEPS: dict[str, tuple[str, ...]] = {
    "kurakin": (
        "brightness=-60:60:7",
        "contrast=0.4:1.6:7",
        "blur=0.5:4:8",
        "noise=5:40:8",
        "jpeg=10:95:10",
    ),
    "viewpoint": ("viewpoint=yaw:-60:60:9,distance:1:6:6",),
    "corruptions": tuple(f"imagenet-c/{name}={_LOW}:{_HIGH}:{_HIGH}" for name in CORRUPTIONS),
}
SWEEPS["all"] = tuple(text for texts in SWEEPS.values() for text in texts)
"""`kurakin`: the five kinds of Kurakin et al. 2017; `viewpoint`: a yaw × distance grid; `corruptions`:
ImageNet-C's, at every severity; `all`: all three."""


def parse_sweep(text: str) -> list[FixedTransform | Viewpoint]:
    """Return the transformations that a sweep names, in order and each once.

    Args:
        text: a name of `SWEEPS`; `NAME=START:STOP:COUNT` of a digital transformation, both ends included and
            rounded where it takes whole numbers; or `viewpoint=AXIS:START:STOP:COUNT,…`, the grid of all its
            axes, of which one may be held: `AXIS:NUMBER`.

    Raises:
        TransformError: the text is none of these, a number is malformed or out of range, or there are more
            than 1000 transformations.

    >>> [str(transform) for transform in parse_sweep("blur=1:3:3")]
    ['blur=1', 'blur=2', 'blur=3']
    """
    name, equals, ranges = (part.strip() for part in text.partition("="))
    if not equals and name in SWEEPS:
        return [transform for part in SWEEPS[name] for transform in parse_sweep(part)]
    if name == viewpoint.NAME and equals:
        return _grid(text, ranges)
    if name not in DIGITAL_TRANSFORMS:
        known = (*SWEEPS, *DIGITAL_TRANSFORMS) if not equals else (viewpoint.NAME, *DIGITAL_TRANSFORMS)
        raise TransformError(unknown_name("sweep", name, known))
    kind = find_kind(name)
    wanted = f"wanted {name}=START:STOP:COUNT, {kind.unit}, {kind.low:g} to {kind.high:g}"
    values = _values(text, ranges.split(":"), wanted)
    if kind.whole:
        values = [float(round(value)) for value in values]
    return list(dict.fromkeys(kind.at(value, text) for value in values))


def _grid(text: str, ranges: str) -> list[FixedTransform | Viewpoint]:
    wanted = "wanted viewpoint=AXIS:START:STOP:COUNT,…, as in viewpoint=yaw:-60:60:9,distance:1:6:6"
    axes: dict[str, list[float]] = {}
    for part in ranges.split(","):
        name, *numbers = (piece.strip() for piece in part.split(":"))
        if not name:
            raise TransformError(f"sweep '{text}' names no axis; {wanted}")
        axis_of(name, text)
        if name in axes:
            raise TransformError(f"sweep '{text}' names {name} twice; {wanted}")
        axes[name] = (
            [_number(text, numbers[0], wanted)] if len(numbers) == 1 else _values(text, numbers, wanted)
        )
    if math.prod(map(len, axes.values())) > MOST:
        raise TransformError(f"sweep '{text}' has more than {MOST} viewpoints; wanted fewer steps")
    return [Viewpoint(**dict(zip(axes, pose, strict=True))) for pose in product(*axes.values())]


def _values(text: str, numbers: list[str], wanted: str) -> list[float]:
    """Return the evenly spaced numbers that start, stop and count describe."""
    import numpy as np

    if len(numbers) != 3:
        raise TransformError(f"sweep '{text}' has {len(numbers)} parts where three belong; {wanted}")
    start, stop = (_number(text, number, wanted) for number in numbers[:2])
    count = numbers[2].strip()
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= MOST):
        raise TransformError(f"sweep '{text}': count '{count}'; wanted a whole number from 1 to {MOST}")
    if int(count) == 1 and start != stop:
        raise TransformError(
            f"sweep '{text}': one step from {start:g} to {stop:g}; wanted a count of 2 or more"
        )
    return [float(value) for value in np.linspace(start, stop, int(count)).round(9)]


def _number(text: str, number: str, wanted: str) -> float:
    try:
        value = float(number)
    except ValueError:
        raise TransformError(f"sweep '{text}': '{number}' is no number; {wanted}") from None
    if not math.isfinite(value):
        raise TransformError(f"sweep '{text}': '{number}' is not finite; {wanted}")
    return value
