"""The desk that a sheet lies on: wood, laminate or cloth, made of noise.

On a plain desk sheets would be too easy to find, and photos too quick to decode.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.transforms.geometry import sample_plane

TILE_MM = 300.0
TILE_DOTS = 2048
THREADS = 400
"""Threads of cloth along a side of the tile, 0.75 mm apart."""

Material = Literal["wood", "laminate", "cloth"]
MATERIALS: tuple[Material, ...] = get_args(Material)


@dataclass(frozen=True)
class Desk:
    """A surface.

    Attributes:
        material: `wood`, `laminate` or `cloth`.
        colour: mean colour, R, G, B in linear light.
        turn: direction of the grain, degrees.
        seed: of the noise that it is made of.
    """

    material: Material
    colour: tuple[float, float, float]
    turn: float
    seed: int


def weave(desk: Desk) -> Tensor:
    """Return a tile of the desk's reflectance (1, 3, h, w), linear light.

    It is `TILE_MM` wide, and its first row and column stand once more at the end, for `look_at`.
    """
    rng = np.random.default_rng(desk.seed)
    if desk.material == "wood":
        rings = np.sin(7 * _noise(rng, stretch=14, falloff=1.8))
        pattern = 0.16 * rings + 0.14 * _noise(rng, stretch=40, falloff=0.7)
    elif desk.material == "laminate":
        pattern = 0.09 * _noise(rng, stretch=1, falloff=0.3) + 0.05 * _noise(rng, stretch=1, falloff=1.4)
    else:
        threads = np.sin(2 * np.pi * np.arange(TILE_DOTS) * THREADS / TILE_DOTS)
        pattern = 0.15 * threads[:, None] * threads + 0.1 * _noise(rng, stretch=4, falloff=0.6)
        pattern = pattern + 0.06 * _noise(rng, stretch=1, falloff=1.6)
    pattern = np.pad(np.exp(pattern), ((0, 1), (0, 1)), mode="wrap")
    tile = torch.from_numpy(pattern.astype(np.float32)) * torch.tensor(desk.colour)[:, None, None]
    return tile.clamp_max(1)[None]


def look_at(tile: Tensor, desk: Desk, plane: Tensor) -> Tensor:
    """Return the reflectance (1, 3, H, W) of an endless desk of tiles at table points (1, H, W, 2) in mm."""
    turn = torch.tensor(desk.turn).deg2rad()
    rotation = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()]).reshape(2, 2)
    place = (plane @ rotation).remainder(TILE_MM) + 0.5 * TILE_MM / TILE_DOTS
    extent = TILE_MM * (TILE_DOTS + 1) / TILE_DOTS
    return sample_plane(tile, place, (extent, extent))


def _noise(rng: np.random.Generator, stretch: float, falloff: float) -> NDArray[np.float64]:
    """Return noise of mean 0 and variance 1 that goes on where it ends, (TILE_DOTS, TILE_DOTS).

    Args:
        rng: the randomness.
        stretch: how much longer it is along x than across.
        falloff: its amplitude falls as frequency to the power of minus this.
    """
    y = np.fft.fftfreq(TILE_DOTS)[:, None] * TILE_DOTS
    x = np.fft.rfftfreq(TILE_DOTS)[None] * TILE_DOTS * stretch
    frequency = np.hypot(x, y)
    frequency[0, 0] = np.inf
    white = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
    noise = np.fft.irfft2(white * frequency**-falloff, s=(TILE_DOTS, TILE_DOTS))
    shaped: NDArray[np.float64] = noise / noise.std()
    return shaped
