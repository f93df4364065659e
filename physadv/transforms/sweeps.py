"""What the texts of `--transform` and `--sweep` mean: one strength, a range of them, a pose, a grid."""

import math
from itertools import product

from physadv.errors import unknown_name
from physadv.transforms import digital
from physadv.transforms.protocol import TransformError

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
    name, equals, number = (part.strip() for part in text.partition("="))
    if name == digital.NAME:
        return _viewpoint(text, asked, number)
    kind = digital.find_kind(name)
    wanted = f"wanted {name}=NUMBER, {kind.unit}, {kind.low:g} to {kind.high:g}"
    if not (equals and number):
        raise TransformError(f"{asked} has no value; {wanted}")
    return kind.at(_number(asked, number, wanted), text)


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
    if name == digital.NAME and equals:
        return _grid(text, f"sweep '{text}'", ranges)
    if name not in digital.DIGITAL_TRANSFORMS:
        kinds = digital.DIGITAL_TRANSFORMS
        known = (*SWEEPS, *kinds) if not equals else (digital.NAME, *kinds)
        raise TransformError(unknown_name("sweep", name, known))
    kind = digital.find_kind(name)
    wanted = f"wanted {name}=START:STOP:COUNT, {kind.unit}, {kind.low:g} to {kind.high:g}"
    values = _values(f"sweep '{text}'", ranges.split(":"), wanted)
    if kind.whole:
        values = [float(round(value)) for value in values]
    return list(dict.fromkeys(kind.at(value, text) for value in values))


def _viewpoint(text: str, asked: str, poses: str) -> digital.Viewpoint:
    wanted = "wanted viewpoint=AXIS:NUMBER,…, as in viewpoint=yaw:30,distance:2"
    pose: dict[str, float] = {}
    for part in poses.split(","):
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if not (name and colon):
            raise TransformError(f"{asked} has no pose; {wanted}")
        digital.check_axis(name, text)
        if name in pose:
            raise TransformError(f"{asked} names {name} twice; {wanted}")
        pose[name] = _number(asked, number, wanted)
    return digital.Viewpoint(**pose)


def _grid(text: str, asked: str, ranges: str) -> list[digital.FixedTransform | digital.Viewpoint]:
    wanted = "wanted viewpoint=AXIS:START:STOP:COUNT,…, as in viewpoint=yaw:-60:60:9,distance:1:6:6"
    axes: dict[str, list[float]] = {}
    for part in ranges.split(","):
        name, *numbers = (piece.strip() for piece in part.split(":"))
        if not name:
            raise TransformError(f"{asked} names no axis; {wanted}")
        digital.check_axis(name, text)
        if name in axes:
            raise TransformError(f"{asked} names {name} twice; {wanted}")
        held = len(numbers) == 1
        axes[name] = [_finite(asked, numbers[0], wanted)] if held else _values(asked, numbers, wanted)
    if math.prod(map(len, axes.values())) > MOST:
        raise TransformError(f"{asked} has more than {MOST} viewpoints; wanted fewer steps")
    return [digital.Viewpoint(**dict(zip(axes, pose, strict=True))) for pose in product(*axes.values())]


def _values(asked: str, numbers: list[str], wanted: str) -> list[float]:
    """Return the evenly spaced numbers that start, stop and count describe."""
    import numpy as np

    if len(numbers) != 3:
        raise TransformError(f"{asked} has {len(numbers)} parts where three belong; {wanted}")
    start, stop = (_finite(asked, number, wanted) for number in numbers[:2])
    count = numbers[2].strip()
    if not (count.isascii() and count.isdigit() and len(count) < 20 and 1 <= int(count) <= MOST):
        raise TransformError(f"{asked}: count '{count:.20}'; wanted a whole number from 1 to {MOST}")
    if int(count) == 1 and start != stop:
        raise TransformError(f"{asked}: one step from {start:g} to {stop:g}; wanted a count of 2 or more")
    return [float(value) for value in np.linspace(start, stop, int(count)).round(9)]


def _finite(asked: str, number: str, wanted: str) -> float:
    value = _number(asked, number, wanted)
    if not math.isfinite(value):
        raise TransformError(f"{asked}: '{number}' is not finite; {wanted}")
    return value


def _number(asked: str, number: str, wanted: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise TransformError(f"{asked}: '{number}' is no number; {wanted}") from None
