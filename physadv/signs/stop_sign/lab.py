"""The lab test: simulated photos of a sign from the 15 distances and angles of Eykholt et al. 2018.

A person stands before a true-size plate with a phone, more or less where the tape says, photographs it by
hand, and crops the sign. Every treatment is seen in the same poses, light and noise, which pairs them.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.stop_sign import FACE_SIDE, camera
from physadv.signs.stop_sign.cells import CELLS, Cell
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.views import Answer, Exhibit, Keep, View, afresh
from physadv.transforms import Jpeg, Optics, Photometry, Range, Sensor, compose, plus_minus
from physadv.transforms.camera import develop, pooled_normal
from physadv.transforms.colours import srgb_to_linear
from physadv.transforms.geometry import view_rotation
from physadv.transforms.jpeg import pillow_jpeg

_AROUND = 1.45
"""Side of what is rendered, in heights of the plate."""

# How the photos are taken; ranges are drawn once a photo.
_DISTANCE = Range(0.97, 1.03)  # true distance over the cell's
_ANGLE = plus_minus(2)  # true angle less the cell's, degrees, either side of the sign
_HEIGHT_M = plus_minus(0.2)  # of the camera above the sign's middle
_ROLL = plus_minus(3)  # of the hand, degrees
_CROP_SD = 0.03  # standard deviation of each side of a crop, as a share of the sign's box
_SLOPE = plus_minus(0.12)  # of the light from the plate's middle to its edge, along each axis, as a share
_SHEEN = Range(0, 0.05)  # light of the sky's reflection somewhere in the plate, 1 = white
_LENS = compose(
    Photometry(gain=Range(0.5, 1.15, "log"), white_balance=plus_minus(0.1)), Optics(sigma=Range(0.5, 1.2))
)
_SENSOR = Sensor(read=Range(0.001, 0.004), shot=Range(1e-4, 6e-4))
_TONE = Range(0, 0.4)  # strength of the phone's S-shaped tone curve
_FILE = Jpeg(Range(80, 95))  # written by the true codec


@dataclass(frozen=True)
class Photos:
    """Simulated photos of one sign from one cell.

    Attributes:
        pictures: (N, 3, P, P), the sign's neighbourhood, whole 8-bit levels in [0, 1].
        crops: (N, 3, CROP_SIDE, CROP_SIDE), what a person cut out of them.
        boxes: (N, 4) around the plate in each picture: left, top, right, bottom, pixels.
        distance_m: (N,), true distances.
        angle_deg: (N,), true angles of the camera off the sign's normal.
    """

    pictures: Tensor
    crops: Tensor
    boxes: Tensor
    distance_m: Tensor
    angle_deg: Tensor


def lab_test(
    exhibit: Exhibit, size: StudySize, *, keep: Keep = afresh, reporter: Reporter = silent
) -> list[Answer]:
    """Return a classifier's answers on `size.shots` simulated photos of every sign in each of the 15 cells.

    Returns:
        Cells × treatments × signs × shots answers.
    """
    answers: list[Answer] = []
    for cell in reporter.track(CELLS, len(CELLS), "lab test (simulated)"):
        make = partial(_answers, exhibit, cell, size.shots)
        answers += keep(f"lab test, simulated//{cell.name}", make)
    return answers


def _answers(exhibit: Exhibit, cell: Cell, shots: int) -> list[Answer]:
    answers = []
    for treatment, faces in exhibit.faces.items():
        views = []
        for face, sign in zip(faces, exhibit.names, strict=True):
            photos = photograph(exhibit, face, sign, cell, shots)
            poses = zip(photos.distance_m.tolist(), photos.angle_deg.tolist(), photos.crops, strict=True)
            views += [View(treatment, sign, cell.name, *pose) for pose in poses]
        answers += exhibit.judge.answers(views)
    return answers


def photograph(exhibit: Exhibit, face: Tensor, sign: str, cell: Cell, shots: int) -> Photos:
    """Return simulated photos of one face (3, S, S) in [0, 1] of a sign of an exhibit, from one cell.

    The same cell, sign, shots and seed give the same poses, light and noise, whatever the face.
    """
    n, draws = shots, generator(exhibit.seed, "lab", cell.name, sign)
    distance = cell.distance_m * _DISTANCE.draw(n, draws)
    side = torch.randint(0, 2, (n,), generator=draws) * 2 - 1
    angle = (cell.angle + _ANGLE.draw(n, draws)) * side
    pitch = (_HEIGHT_M.draw(n, draws) / distance).atan().rad2deg()
    chosen = torch.randint(len(exhibit.backgrounds), (n,), generator=draws)
    plates = face.shape[-1] / FACE_SIDE
    size = 16 * math.ceil(_AROUND * plates * camera.apparent_px(cell.distance_m) / 16)
    rotation, middle = (
        view_rotation(angle, pitch, _ROLL.draw(n, draws)),
        F.pad(1000 * distance[:, None], (2, 0)),
    )
    homography = camera.plate_homography(rotation, middle, torch.full((n, 2), (size - 1) / 2), face.shape[-1])
    behind = F.interpolate(exhibit.backgrounds[chosen], (size, size), mode="bilinear", antialias=True)
    sheen = torch.cat([plus_minus(0.8).draw(n, draws, 2), _SHEEN.draw(n, draws, 1)], dim=1)
    shaded = camera.lit(face.expand(n, *face.shape), _SLOPE.draw(n, draws, 2), sheen)
    light = camera.seen_light(shaded, exhibit.alpha, homography, srgb_to_linear(behind.clamp(0, 1)))
    light = _LENS.apply(light, _LENS.sample(n, draws))
    sensor = _SENSOR.sample(n, draws)
    noise = pooled_normal(sensor.pop("seed"), light)
    pictures = develop(light, **sensor, noise=noise, tone=_TONE.draw(n, draws))
    pictures = pillow_jpeg(pictures, _FILE.sample(n, draws)["quality"])
    rng = np.random.default_rng(derive_seed(exhibit.seed, "crop", cell.name, sign))
    jitter = rng.normal(0, _CROP_SD, (n, 4))
    boxes = camera.plate_boxes(exhibit.alpha, homography)
    crops = [
        camera.crop(picture, camera.widened(tuple(box), exhibit.margin, moved))
        for picture, box, moved in zip(pictures, boxes.tolist(), jitter, strict=True)
    ]
    return Photos(pictures, torch.stack(crops), boxes, distance, angle.abs())
