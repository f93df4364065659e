"""What the texts of `--transform` and `--sweep` mean: one strength, a range of them, a pose, a grid."""

import math
from collections.abc import Callable
from itertools import product
from typing import TypeVar

from physadv.errors import unknown_name
from physadv.transforms import digital
from physadv.transforms.protocol import TransformError

T = TypeVar("T")

MOST = 1000
"""Transformations in one sweep; more is taken for a typo."""

_KURAKIN = "brightness=-60:60:7 contrast=0.4:1.6:7 blur=0.5:4:8 noise=5:40:8 jpeg=10:95:10"

SWEEPS: dict[str, tuple[str, ...]] = {
    "kurakin": tuple(_KURAKIN.split()),
    "viewpoint": ("viewpoint=yaw:-60:60:9,distance:1:6:6",),
    "corruptions": tuple(f"imagenet-c/{name}=1:5:5" for name in digital.CORRUPTIONS),
}
SWEEPS["all"] = tuple(text for texts in SWEEPS.values() for text in texts)
"""`kurakin`: the five kinds of Kurakin et al. 2017; `viewpoint`: a yaw × distance grid; `corruptions`:
ImageNet-C's, at every severity; `all`: all three."""


def parse_transform(text: str) -> digital.FixedTransform | digital.Viewpoint:
    """Return the transformation that a text names.

    Args:
        text: `NAME=NUMBER`, such as `brightness=30` or `jpeg=75`, or `viewpoint=AXIS:NUMBER,…`, such as
            `viewpoint=yaw:30,distance:2`.

    Raises:
        TransformError: the name is unknown; or the number is missing, malformed, not whole where it must be,
            or out of the range in `DIGITAL_TRANSFORMS` or `AXES`.

    >>> import torch
    >>> darker = parse_transform("brightness=-51")
    >>> grey = torch.full((1, 3, 2, 2), 0.5)
    >>> round(float(darker.apply(grey, darker.sample(1, torch.Generator())).mean()), 4)
    0.3
    """
    asked = f"transform '{text}'"
    name, _, number = (part.strip() for part in text.partition("="))
    if name == digital.NAME:
        wanted = "wanted viewpoint=AXIS:NUMBER,…, as in viewpoint=yaw:30,distance:2"
        pose = _axes(asked, number, wanted, lambda numbers: _number(asked, ":".join(numbers), wanted))
        return digital.Viewpoint(**pose)
    kind = _kind("transform", name, [digital.NAME])
    return kind.at(_number(asked, number, kind.wanted()), text)


def parse_sweep(text: str) -> list[digital.FixedTransform | digital.Viewpoint]:
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
    asked = f"sweep '{text}'"
    if name == digital.NAME and equals:
        return _grid(asked, ranges)
    kind = _kind("sweep", name, [digital.NAME] if equals else [*SWEEPS])
    values = _values(asked, ranges.split(":"), kind.wanted("START:STOP:COUNT"))
    if kind.whole:
        values = [float(round(value)) for value in values]
    return list(dict.fromkeys(kind.at(value, text) for value in values))


def _kind(what: str, name: str, others: list[str]) -> digital.DigitalTransform:
    """Return the digital transformation of a name; the error says what else could have been named."""
    if name not in digital.DIGITAL_TRANSFORMS:
        raise TransformError(unknown_name(what, name, [*others, *digital.DIGITAL_TRANSFORMS]))
    return digital.DIGITAL_TRANSFORMS[name]


def _grid(asked: str, ranges: str) -> list[digital.FixedTransform | digital.Viewpoint]:
    wanted = "wanted viewpoint=AXIS:START:STOP:COUNT,…, as in viewpoint=yaw:-60:60:9,distance:1:6:6"

    def held_or_moved(numbers: list[str]) -> list[float]:
        held = len(numbers) == 1
        return [_number(asked, numbers[0], wanted)] if held else _values(asked, numbers, wanted)

    axes = _axes(asked, ranges, wanted, held_or_moved)
    if math.prod(map(len, axes.values())) > MOST:
        raise TransformError(f"{asked} has more than {MOST} viewpoints; wanted fewer steps")
    return [digital.Viewpoint(**dict(zip(axes, pose, strict=True))) for pose in product(*axes.values())]


def _axes(asked: str, poses: str, wanted: str, read: Callable[[list[str]], T]) -> dict[str, T]:
    """Return each axis of a viewpoint with what `read` makes of the numbers that follow its name."""
    axes: dict[str, T] = {}
    for part in poses.split(","):
        name, *numbers = (piece.strip() for piece in part.split(":"))
        if not name:
            raise TransformError(f"{asked} names no axis; {wanted}")
        if name not in digital.AXES:
            raise TransformError(f"{asked}: {unknown_name('axis of viewpoint', name, digital.AXES)}")
        if name in axes:
            raise TransformError(f"{asked} names {name} twice; {wanted}")
        axes[name] = read(numbers)
    return axes


def _values(asked: str, numbers: list[str], wanted: str) -> list[float]:
    """Return the evenly spaced numbers that start, stop and count describe."""
    import numpy as np

    if len(numbers) != 3:
        raise TransformError(f"{asked} has {len(numbers)} parts where three belong; {wanted}")
    start, stop = (_number(asked, number, wanted) for number in numbers[:2])
    count = numbers[2].strip()
    if not (count.isascii() and count.isdigit() and len(count) < 20 and 1 <= int(count) <= MOST):
        raise TransformError(f"{asked}: count '{count:.20}'; wanted a whole number from 1 to {MOST}")
    if int(count) == 1 and start != stop:
        raise TransformError(f"{asked}: one step from {start:g} to {stop:g}; wanted a count of 2 or more")
    return [float(value) for value in np.linspace(start, stop, int(count)).round(9)]


def _number(asked: str, text: str, wanted: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise TransformError(f"{asked}: '{text}' is no number; {wanted}") from None
    if not math.isfinite(number):
        raise TransformError(f"{asked}: '{text}' is not finite; {wanted}")
    return number
