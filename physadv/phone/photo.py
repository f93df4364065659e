"""The photo: light on paper, desk and thumbs through the lens, in bands, onto the sensor."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from physadv.phone.paper import Paper
from physadv.phone.phones import PhoneError
from physadv.phone.scene import look_at, weave
from physadv.phone.sensor import Sensor
from physadv.phone.shots import FOOTPRINT, Shot
from physadv.transforms.geometry import sample_plane

LATTICE_STEP = 8
BAND = 32 * LATTICE_STEP
CONTACT_SHADE, CONTACT_MM = 0.4, 4.0  # light taken from what is right beside a sheet or a thumb


def take_photo(prints: Sequence[Tensor], shot: Shot) -> NDArray[np.uint8]:
    """Return the upright photo (H, W, 3), uint8 sRGB, before JPEG, of a print of each of the shot's papers.

    Raises:
        PhoneError: not one print for each paper, or a paper of which one part hides another.
    """
    if len(prints) != len(shot.papers):
        raise PhoneError(f"{len(prints)} prints: wanted {len(shot.papers)}, one for each paper of the shot")
    view, sensor = _View(prints, shot), Sensor(shot)
    for top in range(0, shot.camera.height, BAND):
        sensor.expose(top, view.light(top))
    return sensor.read_out()


class _View:
    """What the lens sees; exact on a lattice that reaches as far beyond the photo as blur, linear between."""

    def __init__(self, prints: Sequence[Tensor], shot: Shot) -> None:
        self.shot = shot
        self.margin = math.ceil(len(shot.kernel) // 2 / LATTICE_STEP) * LATTICE_STEP
        columns = torch.arange(-self.margin, shot.camera.width + self.margin + LATTICE_STEP, LATTICE_STEP)
        last = math.ceil(shot.camera.height / BAND) * BAND + self.margin
        rows = torch.arange(-self.margin, last + LATTICE_STEP, LATTICE_STEP)
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1).double()
        pixels = grid.reshape(-1, 2)
        self.desk = weave(shot.desk)
        self.table = shot.camera.unproject(pixels)[0].reshape(grid.shape)
        origin, directions = shot.camera.rays(pixels)
        self.papers = []
        for paper, reflectance in zip(shot.papers, prints, strict=True):
            points, slope = paper.seen_along(origin[0, 0].numpy(), directions[0].numpy())
            lattice = torch.from_numpy(np.column_stack([points, slope])).reshape(*grid.shape[:2], 3)
            self.papers.append((paper, lattice, _antialiased(reflectance, paper, shot)))

    def light(self, top: int) -> Tensor:
        """Return the blurred light (3, BAND, W) of a band of rows; it may go on below the photo."""
        shot = self.shot
        plane = self._every_pixel(self.table, top)
        resolution = float(shot.camera.focal[0] / shot.camera.distance[0])
        light = look_at(self.desk, shot.desk, plane)[0]
        for paper, lattice, reflectance in self.papers:
            place = self._every_pixel(lattice, top)
            points, slope = place[..., :2], place[0, ..., 2]
            inside = torch.minimum(points, torch.tensor(paper.page_mm) - points).amin(dim=-1)[0]
            printed = sample_plane(reflectance, points, paper.page_mm)[0] * _shading(slope, paper, shot)
            light = torch.lerp(light * _contact(-inside), printed, (inside * resolution + 0.5).clamp(0, 1))
        for rod in shot.rods:
            distance = rod.distance(plane)[0]
            cover = (0.5 - distance * resolution).clamp(0, 1)
            light = torch.lerp(light * _contact(distance), rod.paint(plane)[0].permute(2, 0, 1), cover)
        light = light * self._lamp(plane)[0]
        for shadow in shot.shadows:
            light = light * shadow.light(plane)[0]
        if shot.glare:
            light = light + shot.glare.added(plane)[0]
        light = light * self._lens(top) * torch.tensor(shot.gains)[:, None, None]
        kernel = shot.kernel.flip(0, 1).numpy()
        blurred = [cv2.filter2D(each.numpy(), -1, kernel, borderType=cv2.BORDER_REPLICATE) for each in light]
        inner = torch.from_numpy(np.stack(blurred))
        return inner[:, self.margin : self.margin + BAND, self.margin : self.margin + shot.camera.width]

    def _every_pixel(self, lattice: Tensor, top: int) -> Tensor:
        """Return a lattice's values at every pixel of a band and its margins, (1, h, w, C) float32."""
        first, count = top // LATTICE_STEP, (BAND + 2 * self.margin) // LATTICE_STEP + 1
        coarse = lattice[first : first + count].permute(2, 0, 1)[None].float()
        size = ((side - 1) * LATTICE_STEP + 1 for side in coarse.shape[2:])
        fine = F.interpolate(coarse, size=tuple(size), mode="bilinear", align_corners=True)
        return fine[:, :, :-1, : self.shot.camera.width + 2 * self.margin].permute(0, 2, 3, 1)

    def _lamp(self, plane: Tensor) -> Tensor:
        """Return the light on the table: a lamp to one side."""
        direction = torch.tensor([math.cos(self.shot.light_angle), math.sin(self.shot.light_angle)])
        side = (plane @ direction) / max(self.shot.papers[0].page_mm)
        return 1 - self.shot.falloff * side.clamp(-0.8, 0.8)

    def _lens(self, top: int) -> Tensor:
        """Return the light the lens lets through at every pixel of a band and its margins."""
        width, height = self.shot.camera.width, self.shot.camera.height
        y = torch.arange(top - self.margin, top + BAND + self.margin)[:, None] - (height - 1) / 2
        x = torch.arange(-self.margin, width + self.margin)[None, :] - (width - 1) / 2
        return 1 - self.shot.vignette * (x.square() + y.square()) * 4 / (width**2 + height**2)


def _antialiased(reflectance: Tensor, paper: Paper, shot: Shot) -> Tensor:
    """Return a print blurred as `FOOTPRINT` says: sampled once a pixel, its edges would else be jagged."""
    resolution = float(shot.camera.focal[0] / shot.camera.distance[0])
    dots_per_pixel = reflectance.shape[-1] / paper.page_mm[0] / resolution
    while dots_per_pixel > 2 and not any(side % 2 for side in reflectance.shape[-2:]):
        reflectance = F.avg_pool2d(reflectance, 2)
        dots_per_pixel /= 2
    sigma, border = FOOTPRINT * dots_per_pixel, cv2.BORDER_REPLICATE
    soft = [cv2.GaussianBlur(each.numpy(), (0, 0), sigma, borderType=border) for each in reflectance[0]]
    return torch.from_numpy(np.stack(soft))[None]


def _shading(slope: Tensor, paper: Paper, shot: Shot) -> Tensor:
    """Return the light on sloping matt paper (Lambert), 1 where it is level."""
    slopes_to = math.radians(paper.turn + paper.bend.direction)  # on the table
    away = math.cos(slopes_to - shot.light_angle) / math.tan(math.radians(shot.elevation))
    return (slope.cos() - away * slope.sin()).clamp_min(0.1)


def _contact(distance: Tensor) -> Tensor:
    return 1 - CONTACT_SHADE * (-distance.clamp_min(0) / CONTACT_MM).exp()
