"""Thumbs, pens, hard shadows and a lamp's reflection on a sheet.

All are shapes on the table, in its millimetres; they are as flat as the table to the camera.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Rod:
    """A thumb or a pen: a line from `tip` to `end`, `radius` mm thick, round across.

    Attributes:
        tip: one end, on the table, mm.
        end: the other end, on the table, mm.
        radius: half its thickness, mm.
        colour: R, G, B of it in full light, linear.
        nail: whether it has a nail at its tip, as a thumb has.
    """

    tip: tuple[float, float]
    end: tuple[float, float]
    radius: float
    colour: Colour
    nail: bool = False

    def distance(self, plane: Tensor) -> Tensor:
        """Return the distance (...), mm, of table points (..., 2) from its outline, negative inside."""
        along, across = self._axes(plane)
        beyond = along - along.clamp(0, self._length)
        return (beyond.square() + across.square()).sqrt() - self.radius

    def paint(self, plane: Tensor) -> Tensor:
        """Return its linear light (..., 3) at table points (..., 2) inside its outline."""
        along, across = self._axes(plane)
        round_off = 1 - (across / self.radius).square().clamp(0, 1)
        shade = 0.35 + 0.65 * round_off.sqrt()
        # Light falls from one side of a round thing.
        shade = shade * (1 + 0.25 * (across / self.radius).clamp(-1, 1))
        painted = shade[..., None] * torch.tensor(self.colour)
        if self.nail:
            nail = ((along / self.radius - 0.1) / 0.75).square() + (across / self.radius / 0.62).square()
            lift = ((1 - nail) * 8).clamp(0, 1)[..., None]
            painted = torch.lerp(painted, painted * 1.15 + 0.06, lift)
        return painted

    @property
    def _length(self) -> float:
        return math.dist(self.tip, self.end)

    def _axes(self, plane: Tensor) -> tuple[Tensor, Tensor]:
        x, y = ((b - a) / self._length for a, b in zip(self.tip, self.end, strict=True))
        dx, dy = plane[..., 0] - self.tip[0], plane[..., 1] - self.tip[1]
        return dx * x + dy * y, dy * x - dx * y


@dataclass(frozen=True)
class Shadow:
    """A hard shadow: a strip on the table, as a window bar's, or of half of it, as an arm's.

    Attributes:
        middle: a point on the strip's middle line, mm.
        angle: direction in which the light changes, degrees from x to y; the strip runs across it.
        width: of the strip, mm.
        penumbra: width over which each side fades, mm.
        depth: share of the light it takes.
    """

    middle: tuple[float, float]
    angle: float
    width: float
    penumbra: float
    depth: float

    def light(self, plane: Tensor) -> Tensor:
        """Return the share of the light left at table points (..., 2)."""
        turn = math.radians(self.angle)
        across = (plane[..., 0] - self.middle[0]) * math.cos(turn)
        across = across + (plane[..., 1] - self.middle[1]) * math.sin(turn)
        inside = ((self.width / 2 - across.abs()) / self.penumbra + 0.5).clamp(0, 1)
        return 1 - self.depth * inside.square() * (3 - 2 * inside)


@dataclass(frozen=True)
class Glare:
    """A lamp seen in the paper's gloss: light added around a point of the table.

    Attributes:
        middle: of the reflection, on the table, mm.
        radius: where half of `light` is left, mm, along `angle` and across it.
        angle: direction of the first radius, degrees from x to y.
        light: added in the middle, 1 clips by itself.
    """

    middle: tuple[float, float]
    radius: tuple[float, float]
    angle: float
    light: float

    def added(self, plane: Tensor) -> Tensor:
        """Return the light added at table points (..., 2)."""
        turn = math.radians(self.angle)
        dx, dy = plane[..., 0] - self.middle[0], plane[..., 1] - self.middle[1]
        along = (dx * math.cos(turn) + dy * math.sin(turn)) / self.radius[0]
        across = (dy * math.cos(turn) - dx * math.sin(turn)) / self.radius[1]
        return self.light * torch.exp2(-(along.square() + across.square()))
