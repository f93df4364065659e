"""The photo: light on paper, desk and thumbs through the lens, in blocks, onto the sensor."""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.phone.paper import Paper, Points
from physadv.phone.phones import PhoneError
from physadv.phone.printing import Print
from physadv.phone.scene import look_at, weave
from physadv.phone.sensor import Sensor
from physadv.phone.shots import FOOTPRINT, Shot
from physadv.transforms.geometry import sample_plane

CELL = 8  # pixels; BAND and BLOCK are whole cells
BAND, BLOCK = 256, 256  # rows handed to the sensor at once, and columns seen at once
CONTACT_SHADE, CONTACT_MM = 0.4, 4.0  # light taken from what is right beside a sheet or a thumb
_NEAR_MM = 10 * CONTACT_MM  # beyond, that is less than a tenth of a level
_TAIL = 1e-4  # share of the lens's blur that may be cut off around it
_TAPS = 121  # of larger kernels OpenCV makes Fourier transforms, which take longer

Nodes = NDArray[np.float32]


class Exposed(Protocol):
    """Anything that takes the light behind the lens and makes a photo of it, as `Sensor` does."""

    def expose(self, top: int, light: Tensor) -> None:
        """Take the blurred light (3, h, W) of the rows from `top` on."""

    def read_out(self) -> NDArray[np.uint8]:
        """Return the photo (H, W, 3), uint8 sRGB."""


def take_photo(prints: Sequence[Print], shot: Shot, sensor: Exposed | None = None) -> NDArray[np.uint8]:
    """Return the upright photo (H, W, 3), uint8 sRGB, before JPEG, of a print of each of the shot's papers.

    By default it is the shot's own sensor that takes it.

    Raises:
        PhoneError: not one print for each paper, or a paper of which one part hides another.
    """
    if len(prints) != len(shot.papers):
        raise PhoneError(f"{len(prints)} prints: wanted {len(shot.papers)}, one for each paper of the shot")
    sensor = sensor or Sensor(shot)
    for top, light in _View(prints, shot).bands():
        sensor.expose(top, light)
    return sensor.read_out()


class _View:
    """What the lens sees: places and slow changes of light exact in the middle of each cell, linear between.

    The cells reach as far beyond the photo as blur; one more on every side is there to interpolate from.
    """

    def __init__(self, prints: Sequence[Print], shot: Shot) -> None:
        self.shot = shot
        self.kernel = _without_tail(shot.kernel.flip(0, 1).numpy())
        self.margin = math.ceil(len(self.kernel) // 2 / CELL) * CELL
        height = math.ceil(shot.camera.height / BAND) * BAND
        sides = ((side + 2 * self.margin) / CELL for side in (shot.camera.width, height))
        across, down = (torch.arange(-1, math.ceil(side) + 1).double() * CELL for side in sides)
        pixels = (
            torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1) + (CELL - 1) / 2 - self.margin
        )
        origin, directions = shot.camera.rays(pixels.reshape(-1, 2))
        table = (origin - directions * (origin[..., 2:] / directions[..., 2:]))[0, :, :2].reshape(
            pixels.shape
        )
        self.desk, self.table = weave(shot.desk), table.float().numpy()
        from_middle = (pixels - shot.camera.centre).square().sum(dim=-1)
        diagonal = shot.camera.width**2 + shot.camera.height**2
        self.lens = (1 - shot.vignette * from_middle * 4 / diagonal).float().numpy()
        self.lamp = _lamp(table, shot).float().numpy()
        resolution = float(shot.camera.focal[0] / shot.camera.distance[0])
        rays = origin[0, 0].numpy(), directions[0].numpy()
        self.sheets = []
        for paper, on_paper in zip(shot.papers, prints, strict=True):
            points, slope = (seen.reshape(*pixels.shape[:2], -1) for seen in paper.seen_along(*rays))
            self.sheets.append(_Sheet(paper, on_paper, points, _shading(slope, paper, shot), resolution))

    def bands(self) -> Iterator[tuple[int, Tensor]]:
        """Yield each band's first row and blurred light (3, BAND, W); the last may go on below the photo."""
        columns, again = (self.table.shape[1] - 2) * CELL, 2 * self.margin
        lit, seen = torch.empty(3, BAND + again, columns), 0
        for top in range(0, self.shot.camera.height, BAND):
            rows = slice((top + seen) // CELL, (top + BAND + again) // CELL + 2)
            for left in range(0, columns, BLOCK):
                right = min(left + BLOCK, columns)
                lit[:, seen:, left:right] = self._block((rows, slice(left // CELL, right // CELL + 2)))
            yield top, self._blurred(lit)
            lit[:, :again], seen = lit[:, BAND:].clone(), again

    def _block(self, where: tuple[slice, slice]) -> Tensor:
        """Return the light (3, h, w) of a block of cells, before blur; `where` are its nodes."""
        shot = self.shot
        plane = _every_pixel(self.table[where])
        whole = [number for number, sheet in enumerate(self.sheets) if sheet.covers(where)]
        if whole:
            light = self.sheets[whole[-1]].light(where)
        else:
            light = look_at(self.desk, shot.desk, plane[None])[0]
        for sheet in self.sheets[whole[-1] + 1 if whole else 0 :]:
            light = sheet.laid_on(light, where)
        for rod in shot.rods:
            if float(rod.distance(torch.from_numpy(self.table[where])).min()) < _NEAR_MM:
                distance = rod.distance(plane)
                cover = (0.5 - distance * self.sheets[0].resolution).clamp(0, 1)
                light = torch.lerp(light * _contact(distance), rod.paint(plane).permute(2, 0, 1), cover)
        light *= _every_pixel(self.lamp[where])
        for shadow in shot.shadows:
            light *= shadow.light(plane)
        if shot.glare:
            light += shot.glare.added(plane)
        return light.mul_(_every_pixel(self.lens[where])).mul_(torch.tensor(shot.gains)[:, None, None])

    def _blurred(self, lit: Tensor) -> Tensor:
        """Return the light (3, BAND, W) of a band and its margins through the kernel, a strip at a time."""
        inner = slice(self.margin, self.margin + self.shot.camera.width)
        strips = np.array_split(self.kernel, math.ceil(self.kernel.size / _TAPS))
        total = torch.zeros(3, BAND, self.shot.camera.width)
        top = self.margin - len(self.kernel) // 2
        for strip in strips:
            rows = lit[:, top : top + BAND + len(strip) - 1].numpy()
            anchor = (strip.shape[1] // 2, 0)
            for channel, plane in zip(total, rows, strict=True):
                channel += torch.from_numpy(cv2.filter2D(plane, -1, strip, anchor=anchor))[:BAND, inner]
            top += len(strip)
        return total


class _Sheet:
    """A sheet of paper as the lens sees it; `points` and `shading` are those of a view's nodes.

    Attributes:
        points: where on the page each node lies, mm, (rows, columns, 2).
        inside: distance of each node from the page's edge, mm, negative beyond it.
        shading: light that slopes leave on it.
        resolution: pixels per mm in the middle of the photo.
    """

    def __init__(
        self, paper: Paper, on_paper: Print, points: Points, shading: Points, resolution: float
    ) -> None:
        self.page_mm, self.resolution = paper.page_mm, resolution
        self.points, self.shading = points.astype(np.float32), shading.astype(np.float32)[..., 0]
        self.inside = _inside(torch.from_numpy(self.points), paper.page_mm).numpy()
        self.print, self.last = on_paper, np.array(on_paper.dots.shape[1::-1]) - 1
        self.dots_per_mm = np.divide(self.last + 1, paper.page_mm, dtype=np.float32)
        self.sigma = FOOTPRINT * float(self.dots_per_mm[0]) / resolution

    def covers(self, where: tuple[slice, slice]) -> bool:
        """Return whether nothing below can be seen in a block."""
        return float(self.inside[where].min()) * self.resolution > 1

    def laid_on(self, light: Tensor, where: tuple[slice, slice]) -> Tensor:
        """Return the light (3, h, w) of a block in which the sheet covers what it lies on."""
        inside = _inside(_every_pixel(self.points[where]), self.page_mm)
        light = light * _contact(-inside)
        if float(self.inside[where].max()) * self.resolution < -1:
            return light
        return torch.lerp(light, self.light(where), (inside * self.resolution + 0.5).clamp(0, 1))

    def light(self, where: tuple[slice, slice]) -> Tensor:
        """Return the light of the print in a block (3, h, w), its edges drawn out.

        It is blurred as `FOOTPRINT` says: sampled once a pixel, its edges would else be jagged.
        """
        dots = self.points[where] * self.dots_per_mm
        x0, y0 = np.clip(np.floor(dots.min(axis=(0, 1))).astype(int) - 1, 0, self.last)
        x1, y1 = np.clip(np.ceil(dots.max(axis=(0, 1))).astype(int) + 1, 0, self.last) + 1
        soft = self.print.reflectance((y0, y1), (x0, x1), self.sigma)[None]
        place = _every_pixel(dots - np.array([x0, y0], np.float32))[None]
        seen = sample_plane(soft, place, (float(x1 - x0), float(y1 - y0)))[0]
        return seen.mul_(_every_pixel(self.shading[where]))


def _every_pixel(nodes: Nodes) -> Tensor:
    """Return values at a block's nodes (n, m, ...) at every pixel of its (n - 2) × (m - 2) cells."""
    fine = cv2.resize(nodes, None, fx=CELL, fy=CELL, interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(fine[CELL:-CELL, CELL:-CELL])


def _inside(points: Tensor, page_mm: tuple[float, float]) -> Tensor:
    """Return how far page points (..., 2) are from the page's edge, mm, negative beyond it."""
    return torch.minimum(points, torch.tensor(page_mm) - points).amin(dim=-1)


def _without_tail(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the middle (k, k) of a kernel, k odd, outside which no more than `_TAIL` of it lies."""
    middle = kernel
    for cut in range(1, len(kernel) // 2 + 1):
        smaller = kernel[cut:-cut, cut:-cut]
        if smaller.sum() < (1 - _TAIL) * kernel.sum():
            break
        middle = smaller
    whole: NDArray[np.float32] = middle / middle.sum()
    return whole


def _lamp(table: Tensor, shot: Shot) -> Tensor:
    """Return the light on table points (..., 2): a lamp to one side."""
    direction = torch.tensor([math.cos(shot.light_angle), math.sin(shot.light_angle)]).to(table)
    side = (table @ direction) / max(shot.papers[0].page_mm)
    return 1 - shot.falloff * side.clamp(-0.8, 0.8)


def _shading(slope: Points, paper: Paper, shot: Shot) -> Points:
    """Return the light on sloping matt paper (Lambert), 1 where it is level."""
    slopes_to = math.radians(paper.turn + paper.bend.direction)  # on the table
    away = math.cos(slopes_to - shot.light_angle) / math.tan(math.radians(shot.elevation))
    return np.maximum(np.cos(slope) - away * np.sin(slope), 0.1)


def _contact(distance: Tensor) -> Tensor:
    return 1 - CONTACT_SHADE * (-distance.clamp_min(0) / CONTACT_MM).exp()
