"""A measurement's channels as a report shows them: one by one, as sweeps, or as grids of viewpoints."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import PROFILE, is_photo
from physadv.transforms import parse_transform
from physadv.transforms.digital import AXES, NAME, FixedTransform, Viewpoint

FEWEST = 3
"""Strengths that make a curve; fewer are channels of their own."""


@dataclass(frozen=True)
class Sweep:
    """One kind of transformation at several strengths.

    Attributes:
        name: the transformation's.
        unit: of its strength.
        channels: strength → channel, in rising order.
    """

    name: str
    unit: str
    channels: Mapping[float, str]


@dataclass(frozen=True)
class Viewpoints:
    """Viewpoints over two axes of the pose.

    Attributes:
        name: "viewpoint", and the axes that are held fixed with their values.
        rows: the axis that changes from row to row, and its values in rising order.
        columns: the axis that changes from column to column, and its values in rising order.
        channels: (value of the rows' axis, value of the columns' axis) → channel.
    """

    name: str
    rows: tuple[str, tuple[float, ...]]
    columns: tuple[str, tuple[float, ...]]
    channels: Mapping[tuple[float, float], str]


@dataclass(frozen=True)
class Channels:
    """Channels by how they are shown.

    Attributes:
        single: those shown one by one.
        sweeps: those shown over a strength.
        viewpoints: those shown over two axes of the pose.
    """

    single: tuple[str, ...]
    sweeps: tuple[Sweep, ...]
    viewpoints: tuple[Viewpoints, ...]


def of_first_run(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements of the first one's run: one by each classifier that judged it."""
    return [found for found in measurements if found.manifest.name == measurements[0].manifest.name]


def sort_channels(channels: Iterable[str]) -> Channels:
    """Return the channels sorted, in the order in which they were asked for.

    Raises:
        TransformError: a channel is neither of photos nor of a profile nor a transformation.
    """
    names = list(channels)
    strengths: dict[tuple[str, str], dict[float, str]] = defaultdict(dict)
    poses: dict[str, Viewpoint] = {}
    for channel in names:
        whole = is_photo(channel) or channel.startswith(PROFILE)
        transform = None if whole else parse_transform(channel)
        if isinstance(transform, FixedTransform):
            strengths[transform.name, transform.kind.unit][transform.value] = channel
        elif transform is not None:
            poses[channel] = transform
    seen = {name: sorted({getattr(pose, name) for pose in poses.values()}) for name in AXES}
    moved = [name for name in AXES if len(seen[name]) > 1]
    if len(moved) == 1:
        (axis,) = moved
        at = {getattr(pose, axis): channel for channel, pose in poses.items()}
        strengths[f"{NAME}, {axis}", AXES[axis].unit] = at
    sweeps = tuple(
        Sweep(name, unit, dict(sorted(found.items())))
        for (name, unit), found in strengths.items()
        if len(found) >= FEWEST
    )
    grids = tuple(_grids(poses, moved, seen) if len(moved) > 1 else ())
    shown: list[Sweep | Viewpoints] = [*sweeps, *grids]
    drawn = {channel for each in shown for channel in each.channels.values()}
    return Channels(tuple(name for name in names if name not in drawn), sweeps, grids)


def _grids(
    poses: Mapping[str, Viewpoint], moved: list[str], seen: Mapping[str, list[float]]
) -> Iterator[Viewpoints]:
    """Yield a grid of the first two axes moved for every pose of the others, where any was looked from."""
    across, down, *others = moved
    for held in product(*(seen[name] for name in others)):
        chosen = {
            (getattr(pose, down), getattr(pose, across)): channel
            for channel, pose in poses.items()
            if all(getattr(pose, name) == value for name, value in zip(others, held, strict=True))
        }
        if chosen:
            said = "".join(f", {name} {value:g}" for name, value in zip(others, held, strict=True))
            rows, columns = (tuple(sorted({at[side] for at in chosen})) for side in (0, 1))
            yield Viewpoints(f"{NAME}{said}", (down, rows), (across, columns), chosen)
