"""Sheets of paper lying on a table, flat or bent: where a page point is in space and what a ray meets.

A bent page is a generalised cylinder whose slope is a function of arc length (do Carmo 1976, ch. 3.5).
Table coordinates are `Camera`'s: millimetres, x right, y down, z away from the camera, 0 on the table.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from physadv.phone.phones import PhoneError

Points = NDArray[np.float64]
STEEPEST = 40.0  # degrees: paper bent further rolls up
GRAZING = 0.05
NODES = 4097
BEYOND_MM = 5000.0
NEWTON_STEPS = 8
_CONVERGED_MM = 1e-9


@dataclass(frozen=True)
class Bend:
    """How a page is bent: in an arc of a circle, whose slope is 1 at the page's edge, with waves added."""

    bow: float  # height of the highest point over the lowest, mm; negative where an arc's ends are up
    direction: float = 90.0  # of the slope, degrees from the page's x to its y; the rulings run across it
    waves: tuple[tuple[float, float], ...] = ()  # amplitude and phase, radians; the k-th has k periods

    def slope(self, x: Points) -> Points:
        """Return the shape of the slope at -1 to 1 across the page; its size follows from `bow`."""
        total = x.copy()
        for k, (amplitude, phase) in enumerate(self.waves, start=1):
            total += amplitude * np.sin(k * math.pi * x + phase)
        return total * math.copysign(1.0, self.bow)


FLAT = Bend(0.0)


@dataclass(frozen=True)
class Paper:
    """A sheet of paper on the table; a bow that no page of its size can have below 40° raises PhoneError."""

    page_mm: tuple[float, float]  # width and height
    centre_mm: tuple[float, float] = (0.0, 0.0)  # where on the table the middle would be, were it flat
    turn: float = 0.0  # in the plane of the table, degrees from x to y
    bend: Bend = FLAT

    def __post_init__(self) -> None:
        if self.bend.bow and self._excess(1.0) < 0:
            raise PhoneError(
                f"bow {self.bend.bow:g} mm: wanted less, a page of {self.page_mm[0]:g} × {self.page_mm[1]:g} "
                f"mm would slope by more than about {STEEPEST:g} degrees"
            )

    def surface(self, points_mm: Points) -> Points:
        """Return where page points (N, 2), mm from the page's top-left, are in table coordinates, (N, 3)."""
        arc, ruling = ((points_mm - np.array(self.page_mm) / 2) @ self._axes).T
        along, depth, _ = self._at(arc)
        flat = np.stack([along, ruling], axis=1) @ self._axes.T
        return np.column_stack([flat @ self._turned.T + self.centre_mm, depth])

    def seen_along(self, origin: Points, directions: Points) -> tuple[Points, Points]:
        """Return the page points (N, 2) in mm that rays meet, and the slope (N,) of the paper there, radians.

        The rays go from `origin` (3,) along `directions` (N, 3), of any length, in table coordinates. The
        paper goes on straight beyond its edges; a point outside the page means that the ray misses it. A page
        of which part hides another, seen from there, raises PhoneError.
        """
        if self._hides_part_of_itself(origin):
            raise PhoneError(f"bow {self.bend.bow:g} mm: part of the page is hidden by another from there")
        start = (origin[:2] - self.centre_mm) @ self._turned @ self._axes
        towards = directions[:, :2] @ self._turned @ self._axes
        across, down = towards[:, 0], directions[:, 2]
        arc = start[0] - across * origin[2] / down
        for _ in range(NEWTON_STEPS):
            along, depth, slope = self._at(arc)
            miss = (along - start[0]) * down - (depth - origin[2]) * across
            before = arc
            arc = arc - miss / (np.cos(slope) * down - np.sin(slope) * across)
            arc = np.clip(arc, -BEYOND_MM, BEYOND_MM)
            if np.abs(arc - before).max() < _CONVERGED_MM:
                break
        along, depth, slope = self._at(arc)
        steps = ((along - start[0]) * across + (depth - origin[2]) * down) / (across**2 + down**2)
        points = np.stack([arc, start[1] + steps * towards[:, 1]], axis=1) @ self._axes.T
        points += np.array(self.page_mm) / 2
        return points, slope

    def to_table(self, points_mm: Points) -> Points:
        """Return where page points (N, 2) in mm would be on the table, (N, 2) in mm, were the page flat."""
        return (points_mm - np.array(self.page_mm) / 2) @ self._turned.T + self.centre_mm

    def _at(self, arc: Points) -> Points:
        """Return along, depth and slope (3, N) at arc lengths; linear between nodes is within 1e-5 mm."""
        arcs, *profile = self._profile
        return np.stack([np.interp(arc, arcs, values) for values in profile])

    @cached_property
    def _profile(self) -> Points:
        """The page from its side (4, NODES + 2): arc length, and how far along, how deep, how steep it is."""
        slope = self._slopes(self._size())
        along, depth = _integrate(self._arc, slope)
        along -= np.interp(0.0, self._arc, along)
        depth -= depth.max()
        profile = np.stack([self._arc, along, depth, slope])
        edge, x, z, steep = profile[:, [0, -1]]
        far = np.array([-BEYOND_MM, BEYOND_MM])
        ends = np.stack([far, x + (far - edge) * np.cos(steep), z + (far - edge) * np.sin(steep), steep])
        return np.column_stack([ends[:, 0], profile, ends[:, 1]])

    @cached_property
    def _arc(self) -> Points:
        half = float(np.abs(self._axes[:, 0]) @ self.page_mm) / 2
        return np.linspace(-half, half, NODES)

    @cached_property
    def _axes(self) -> Points:
        """Page axes (2, 2) in columns: in which it slopes, and along its rulings."""
        return _rotation(self.bend.direction)

    @cached_property
    def _turned(self) -> Points:
        return _rotation(self.turn)

    def _slopes(self, size: float) -> Points:
        """Return the slope, radians, at `_arc`; both ends rest at one height, size 1 is the steepest."""
        shape = self.bend.slope(self._arc / self._arc[-1])
        slope: Points = shape * (size * math.radians(STEEPEST) / np.abs(shape).max())
        along, depth = _integrate(self._arc, slope)
        slope -= math.atan2(depth[-1] - depth[0], along[-1] - along[0])
        return slope

    def _size(self) -> float:
        """Return the size of the slopes with which the page rises as high as its bow, within 1e-12."""
        low, high = 0.0, 1.0 if self.bend.bow else 0.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (middle, high) if self._excess(middle) < 0 else (low, middle)
        return high

    def _excess(self, size: float) -> float:
        """Return how much higher than its bow the page rises with slopes of a size, mm."""
        return float(np.ptp(_integrate(self._arc, self._slopes(size))[1])) - abs(self.bend.bow)

    def _hides_part_of_itself(self, origin: Points) -> bool:
        x, y = np.meshgrid(*(np.linspace(0, side, 25) for side in self.page_mm))
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        rays = self.surface(points) - origin
        slope = self._at((points - np.array(self.page_mm) / 2) @ self._axes[:, 0])[2]
        across = rays[:, :2] @ self._turned @ self._axes[:, 0]
        facing = np.cos(slope) * rays[:, 2] - np.sin(slope) * across
        return bool((facing < GRAZING * np.linalg.norm(rays, axis=1)).any())


def _rotation(degrees: float) -> Points:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([(cos, -sin), (sin, cos)])


def _integrate(arc: Points, slope: Points) -> tuple[Points, Points]:
    """Return how far along and how deep a profile is at every arc length, both 0 at its first."""
    along, depth = (
        np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(arc)) for rate in (np.cos(slope), np.sin(slope))
    )
    return np.append(0, along), np.append(0, depth)
