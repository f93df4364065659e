"""The lab test: simulated photos of a sign from the 15 distances and angles of Eykholt et al. 2018.

A person stands before a true-size plate with a phone, more or less where the tape says, photographs it by
hand, and crops the sign. Every treatment is seen in the same poses, light and noise, which pairs them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.classifiers import Classifier
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.stop_sign.rendering import (
    apparent_px,
    check_faces,
    classify,
    crop,
    drawn_backgrounds,
    lit,
    plate_boxes,
    plate_homography,
    seen_light,
    widened,
)
from physadv.signs.stop_sign.sign import FACE_SIDE, Answer
from physadv.transforms import (
    Jpeg,
    Optics,
    Photometry,
    Range,
    Sensor,
    compose,
    pillow_jpeg,
    plus_minus,
    pooled_normal,
    srgb_to_linear,
)
from physadv.transforms.camera import develop
from physadv.transforms.geometry import view_rotation

FOOT_M = 0.3048
_AROUND = 1.45
"""Sides of what is rendered, in heights of the plate."""


@dataclass(frozen=True)
class Cell:
    """A distance in feet and an angle off the sign's normal in degrees."""

    feet: int
    angle: int

    @property
    def name(self) -> str:
        """Return it as the tables write it."""
        return f"{self.feet} ft, {self.angle}°"

    @property
    def distance_m(self) -> float:
        """Return the distance in metres."""
        return self.feet * FOOT_M


_ANGLES = {5: (0, 15, 30, 45, 60), 10: (0, 15, 30), 15: (0, 15), 20: (0, 15), 25: (0,), 30: (0,), 40: (0,)}
CELLS: tuple[Cell, ...] = tuple(Cell(feet, angle) for feet, angles in _ANGLES.items() for angle in angles)
"""The 15 of tables 2 and 5 of the paper."""


@dataclass(frozen=True)
class LabConditions:
    """How the photos are taken; ranges are drawn once a photo.

    Attributes:
        shots: photos of each sign in each cell.
        distance: true over nominal.
        angle: true less nominal, degrees, either side of the sign.
        height_m: of the camera above the sign's middle.
        roll: of the hand, degrees.
        margin: around the sign when it is cropped, as a share of its box; 0 for faces that bring their own
            surroundings.
        crop_sd: standard deviation of each side of that crop, as a share of the box.
        slope: of the light from the plate's middle to its edge, along each axis.
        sheen: light of the sky's reflection somewhere in the plate, 1 = white.
        exposure: gain of linear light; `white_balance`: of red and of blue, less 1.
        blur_px: of lens and hand, sigma in pixels.
        read_noise: of the sensor, as `Sensor` takes it; likewise `shot_noise`.
        tone: strength of the phone's S-shaped tone curve.
        quality: of the JPEG file, which is the true codec's.
    """

    shots: int
    distance: Range
    angle: Range
    height_m: Range
    roll: Range
    margin: float
    crop_sd: float
    slope: Range
    sheen: Range
    exposure: Range
    white_balance: Range
    blur_px: Range
    read_noise: Range
    shot_noise: Range
    tone: Range
    quality: Range


USUAL = LabConditions(
    shots=3,
    distance=Range(0.97, 1.03),
    angle=plus_minus(2),
    height_m=plus_minus(0.2),
    roll=plus_minus(3),
    margin=0.1,
    crop_sd=0.03,
    slope=plus_minus(0.12),
    sheen=Range(0, 0.05),
    exposure=Range(0.5, 1.15, "log"),
    white_balance=plus_minus(0.1),
    blur_px=Range(0.5, 1.2),
    read_noise=Range(0.001, 0.004),
    shot_noise=Range(1e-4, 6e-4),
    tone=Range(0, 0.4),
    quality=Range(80, 95),
)


@dataclass(frozen=True)
class Photos:
    """Simulated photos of one sign from one cell.

    Attributes:
        pictures: (N, 3, P, P), the sign's neighbourhood, whole 8-bit levels in [0, 1].
        crops: (N, 3, CROP_SIDE, CROP_SIDE), what a person cut out of them.
        boxes: (N, 4) around the plate in each picture, see `Box`.
        distance_m: (N,), true ones.
        angle_deg: (N,), of the camera off the sign's normal.
    """

    pictures: Tensor
    crops: Tensor
    boxes: Tensor
    distance_m: Tensor
    angle_deg: Tensor


def lab_test(
    classifier: Classifier,
    faces: Mapping[str, Tensor],
    alpha: Tensor,
    victims: Sequence[str],
    *,
    label: int,
    target: int | None,
    seed: int = 0,
    conditions: LabConditions = USUAL,
    backgrounds: Tensor | None = None,
    reporter: Reporter = silent,
) -> list[Answer]:
    """Return what a classifier says of simulated photos of every victim in all 15 cells.

    Args:
        classifier: sees crops (B, 3, CROP_SIDE, CROP_SIDE).
        faces: treatment → textured faces (V, 3, S, S) in [0, 1], one a victim; a canvas of S = `FACE_SIDE` is
            a sign of true size, a larger one shows as much of what is around it.
        alpha: (S, S), 1 where the plate is.
        victims: their V names.
        label: their true class.
        target: of the attack, if it has one.
        seed: of poses, light and noise, which depend on the victim and on no treatment.
        conditions: how the photos are taken.
        backgrounds: (K, 3, h, w) sRGB to set the signs before; drawn ones without it.
        reporter: told of every cell.

    Returns:
        Cells × treatments × victims × shots answers, in that order.

    Raises:
        SightError: faces, alpha and victims do not fit each other.
    """
    check_faces(faces, alpha, victims)
    behind = drawn_backgrounds(seed) if backgrounds is None else backgrounds
    answers = []
    for cell in reporter.track(CELLS, len(CELLS), "lab test (simulated)"):
        for treatment, each in faces.items():
            photos = [
                photograph(face, alpha, cell, victim, seed=seed, conditions=conditions, backgrounds=behind)
                for face, victim in zip(each, victims, strict=True)
            ]
            found = iter(classify(classifier, torch.cat([shots.crops for shots in photos])))
            for victim, shots in zip(victims, photos, strict=True):
                for distance, angle in zip(shots.distance_m.tolist(), shots.angle_deg.tolist(), strict=True):
                    answer, confidence = next(found)
                    answers.append(
                        Answer(
                            treatment, victim, cell.name, distance, angle, label, target, answer, confidence
                        )
                    )
    return answers


def photograph(
    face: Tensor,
    alpha: Tensor,
    cell: Cell,
    victim: str,
    *,
    seed: int,
    backgrounds: Tensor,
    conditions: LabConditions = USUAL,
) -> Photos:
    """Return simulated photos of one face (3, S, S) from one cell; see `lab_test`.

    The same cell, victim and seed give the same poses, light and noise, whatever the face.
    """
    n, draws = conditions.shots, generator(seed, "lab", cell.name, victim)
    distance = cell.distance_m * conditions.distance.draw(n, draws)
    side = torch.randint(0, 2, (n,), generator=draws) * 2 - 1
    angle = (cell.angle + conditions.angle.draw(n, draws)) * side
    pitch = (conditions.height_m.draw(n, draws) / distance).atan().rad2deg()
    chosen = torch.randint(len(backgrounds), (n,), generator=draws)
    plates = face.shape[-1] / FACE_SIDE
    size = 16 * math.ceil(_AROUND * plates * apparent_px(cell.distance_m) / 16)
    homography = plate_homography(
        view_rotation(angle, pitch, conditions.roll.draw(n, draws)),
        F.pad(1000 * distance[:, None], (2, 0)),
        torch.full((n, 2), (size - 1) / 2),
        face.shape[-1],
    )
    behind = F.interpolate(backgrounds[chosen], (size, size), mode="bilinear", antialias=True)
    sheen = torch.cat([plus_minus(0.8).draw(n, draws, 2), conditions.sheen.draw(n, draws, 1)], dim=1)
    shaded = lit(face.expand(n, *face.shape), conditions.slope.draw(n, draws, 2), sheen)
    light = seen_light(shaded, alpha, homography, srgb_to_linear(behind.clamp(0, 1)))
    lens = compose(
        Photometry(gain=conditions.exposure, white_balance=conditions.white_balance),
        Optics(sigma=conditions.blur_px),
    )
    light = lens.apply(light, lens.sample(n, draws))
    sensor = Sensor(read=conditions.read_noise, shot=conditions.shot_noise).sample(n, draws)
    noise = pooled_normal(sensor.pop("seed"), light)
    pictures = develop(light, **sensor, noise=noise, tone=conditions.tone.draw(n, draws))
    pictures = pillow_jpeg(pictures, Jpeg(conditions.quality).sample(n, draws)["quality"])
    jitter = np.random.default_rng(derive_seed(seed, "crop", cell.name, victim)).normal(
        0, conditions.crop_sd, (n, 4)
    )
    boxes = plate_boxes(alpha, homography)
    crops = [
        crop(picture, widened(tuple(box), conditions.margin, moved))
        for picture, box, moved in zip(pictures, boxes.tolist(), jitter, strict=True)
    ]
    return Photos(pictures, torch.stack(crops), boxes, distance, angle.abs())
