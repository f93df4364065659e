"""Channels sorted for drawing: one by one, over strengths, over two axes of a viewpoint."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from physadv.pipeline.observing import PHOTO
from physadv.transforms import parse_transform
from physadv.transforms.digital import FixedTransform
from physadv.transforms.viewpoint import AXES, NAME, Viewpoint

FEWEST = 3
"""Strengths that make a curve; fewer are channels of their own."""


@dataclass(frozen=True)
class Sweep:
    """One kind of transformation: its name, the unit of its strength, and strength → channel, rising."""

    name: str
    unit: str
    channels: Mapping[float, str]


@dataclass(frozen=True)
class Viewpoints:
    """Viewpoints over two axes of the pose.

    Attributes:
        name: what is held besides, "viewpoint" where nothing is.
        rows: axis and its values, rising; likewise `columns`.
        channels: (value of the rows' axis, value of the columns') → channel.
    """

    name: str
    rows: tuple[str, tuple[float, ...]]
    columns: tuple[str, tuple[float, ...]]
    channels: Mapping[tuple[float, float], str]


@dataclass(frozen=True)
class Sorted:
    """Channels by how they are drawn: one by one, over a strength, over two axes."""

    single: tuple[str, ...]
    sweeps: tuple[Sweep, ...]
    viewpoints: tuple[Viewpoints, ...]


def sort_channels(channels: Iterable[str]) -> Sorted:
    """Return the channels sorted, in the order in which they were asked for.

    Raises:
        TransformError: a channel is neither "photo" nor a transformation.
    """
    names = list(channels)
    fixed: dict[str, dict[float, str]] = defaultdict(dict)
    units: dict[str, str] = {}
    poses: dict[str, Viewpoint] = {}
    for channel in names:
        transform = parse_transform(channel) if channel != PHOTO.name else None
        if isinstance(transform, FixedTransform):
            fixed[transform.name][transform.value] = channel
            units[transform.name] = transform.kind.unit
        elif transform is not None:
            poses[channel] = transform
    sweeps = [Sweep(name, units[name], dict(sorted(found.items()))) for name, found in fixed.items()]
    seen = {name: sorted({getattr(pose, name) for pose in poses.values()}) for name in AXES}
    moved = [name for name in AXES if len(seen[name]) > 1]
    grids: list[Viewpoints] = []
    if len(moved) == 1:
        (axis,) = moved
        at = {getattr(pose, axis): channel for channel, pose in poses.items()}
        sweeps.append(Sweep(f"{NAME}, {axis}", AXES[axis].unit, dict(sorted(at.items()))))
    elif moved:
        grids = _grids(poses, moved, seen)
    sweeps = [sweep for sweep in sweeps if len(sweep.channels) >= FEWEST]
    drawn = {channel for sweep in sweeps for channel in sweep.channels.values()}
    drawn |= {channel for grid in grids for channel in grid.channels.values()}
    return Sorted(tuple(name for name in names if name not in drawn), tuple(sweeps), tuple(grids))


def _grids(
    poses: Mapping[str, Viewpoint], moved: list[str], seen: Mapping[str, list[float]]
) -> list[Viewpoints]:
    """Return a grid of the first two axes moved for every pose of the others, where any was looked from."""
    across, down, *others = moved
    found = []
    for held in product(*(seen[name] for name in others)):
        chosen = {
            (getattr(pose, down), getattr(pose, across)): channel
            for channel, pose in poses.items()
            if all(getattr(pose, name) == value for name, value in zip(others, held, strict=True))
        }
        if chosen:
            said = "".join(f", {name} {value:g}" for name, value in zip(others, held, strict=True))
            rows, columns = (tuple(sorted({at[side] for at in chosen})) for side in (0, 1))
            found.append(Viewpoints(f"{NAME}{said}", (down, rows), (across, columns), chosen))
    return found
