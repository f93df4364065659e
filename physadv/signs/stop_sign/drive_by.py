"""The drive-by test of Eykholt et al. 2018, simulated: frames of a dash camera on its way to a sign, judged.

The camera shakes, blurs and compresses in changing light; exact where it matters, at the sign: one homography
and one resampling, then a blur along the way that it moves over the picture while the shutter is open.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np
import torch
from torch import Tensor

from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.stop_sign import camera
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.plate import Frame, to_pixels
from physadv.signs.stop_sign.road import HEIGHT, START_M, WIDTH, Point, Point3, Road, set_post
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.views import Answer, Exhibit, Finders, Keep, View, afresh, boxes_in, cut_out
from physadv.transforms import Range, plus_minus
from physadv.transforms.camera import develop, standard_normal
from physadv.transforms.colours import srgb_to_linear
from physadv.transforms.geometry import apply_homography, matrices, view_rotation
from physadv.transforms.jpeg import pillow_jpeg
from physadv.transforms.optics import blur, camera_kernel

_CROP_SD = 0.03
_SAME = 0.3
"""Overlap (intersection over union) from which a found sign is the one that stands there."""
_SHAKES = 4
"""Sine waves that a shake is the sum of."""


RATE = 30.0
"""Frames a second."""
_FLICKER = 0.02
"""Standard deviation of the light from frame to frame."""
DASH_CAMERA: Mapping[str, Range] = {
    "speed_kmh": Range(10, 30),  # constant speed of the car
    "aside_m": Range(2.6, 4.0),  # from the camera's path to the sign's middle, to the right
    "above_m": Range(0.9, 1.4),  # from the camera up to the sign's middle
    "turn": plus_minus(8),  # of the sign away from the road's direction, degrees
    "shutter_s": Range(1 / 500, 1 / 90, "log"),  # time that the shutter is open
    "shake_deg": Range(
        0.03, 0.15
    ),  # amplitude of the camera's shaking up and down; a third from side to side
    "shake_hz": Range(2, 12),  # frequencies of the shaking
    "blur_px": Range(0.6, 1.0),  # blur of the lens, sigma
    "exposure": Range(0.6, 1.1, "log"),  # gain of linear light
    "white_balance": plus_minus(0.1),  # gain of red and of blue, less 1
    "drift": Range(0.05, 0.3),  # amplitude of the light's slow change, as a power of e
    "drift_hz": Range(0.05, 0.3),  # frequency of that change
    "read_noise": Range(0.002, 0.006),  # as `Sensor` takes it
    "shot_noise": Range(2e-4, 1e-3),  # as `Sensor` takes it
    "quality": Range(50, 85),  # of every frame's compression, on JPEG's scale
}
"""How a car drives up to the sign; drawn once an approach."""


@dataclass(frozen=True)
class Moment:
    """One frame of an approach.

    Attributes:
        seconds: since the start.
        distance_m: from the camera to the sign's middle.
        angle_deg: of the camera off the sign's normal.
        box: around what is seen of the plate; the same for every treatment.
        frames: treatment → uint8 RGB (H, W, 3).
    """

    seconds: float
    distance_m: float
    angle_deg: float
    box: camera.Box
    frames: Mapping[str, Frame]


@dataclass(frozen=True)
class Approach:
    """One drive, drawn by `draw_approach`; numbers are those of `DASH_CAMERA`."""

    seed: int
    numbers: Mapping[str, float]
    shakes: Tensor
    """(waves, 5): frequency, and amplitude and phase of pitch and of yaw, in radians."""


def draw_approach(
    sign: str, index: int, seed: int, conditions: Mapping[str, Range] = DASH_CAMERA
) -> Approach:
    """Return approach number `index` to a sign; the same for every treatment."""
    draws = generator(seed, "approach", sign, index)
    numbers = {
        name: float(given.draw(1, draws))
        for name, given in conditions.items()
        if name not in ("white_balance", "shake_hz")
    }
    red, blue = conditions["white_balance"].draw(2, draws).tolist()
    phase = 2 * math.pi * torch.rand(_SHAKES, 3, generator=draws, dtype=torch.float64)
    hertz = conditions["shake_hz"].draw(_SHAKES, draws)
    strength = math.radians(numbers["shake_deg"]) / _SHAKES**0.5 * torch.ones_like(hertz)
    shakes = torch.stack([hertz, strength, phase[:, 0], strength / 3, phase[:, 1]], dim=1)
    numbers |= {"red": 1 + red, "blue": 1 + blue, "phase": float(phase[0, 2])}
    return Approach(derive_seed(seed, "approach", sign, index, "frames"), numbers, shakes)


def drive(
    approach: Approach,
    faces: Mapping[str, Tensor],
    alpha: Tensor,
    times: Iterable[float] | None = None,
    *,
    every: int = 10,
) -> Iterator[Moment]:
    """Yield some frames of an approach, from `START_M` to where the sign leaves the frame.

    Faces are (3, S, S) in [0, 1] by treatment; alpha is (S, S), 1 where the plate is. Frames are taken at the
    times given, rising seconds since the start, or every n-th one without them.
    """
    numbers = approach.numbers
    road, side = Road(np.random.default_rng(approach.seed)), alpha.shape[0]
    quality = torch.tensor([round(numbers["quality"])])
    for time in count(0, every / RATE) if times is None else times:
        homography, middle, principal = _plate_at(approach, time, side)
        if middle[2] <= 0:
            return
        box = camera.plate_boxes(alpha, homography)[0].tolist()
        if min(box[:2]) < 0 or box[2] > WIDTH or box[3] > HEIGHT:
            return
        scene = road.seen(numbers["speed_kmh"] / 3.6 * time, principal)
        set_post(scene, middle, principal)
        light = srgb_to_linear(torch.from_numpy(scene).permute(2, 0, 1)[None].clamp(0, 1))
        seed = derive_seed(approach.seed, f"{time:.3f} s")
        noise = standard_normal(torch.tensor([seed]), light)
        wave = math.sin(2 * math.pi * numbers["drift_hz"] * time + numbers["phase"])
        flicker = _FLICKER * np.random.default_rng(seed).standard_normal()
        gain = numbers["exposure"] * math.exp(numbers["drift"] * wave) * math.exp(flicker)
        kernel = _kernel(approach, time, homography, side)
        around = kernel.shape[-1] + 8
        left, top = (max(0, math.floor(box[k]) - around) for k in (0, 1))
        right, bottom = min(WIDTH, math.ceil(box[2]) + around), min(HEIGHT, math.ceil(box[3]) + around)
        window = (slice(None), slice(None), slice(top, bottom), slice(left, right))
        moved = matrices(torch.ones(1, dtype=torch.float64), 0, -left, 0, 1, -top, 0, 0, 1) @ homography
        exposed = _exposed(light, noise, gain, approach)
        frames = {}
        for treatment, face in faces.items():
            plate = blur(camera.seen_light(face[None], alpha, moved, light[window]), kernel)
            frame = exposed.clone()
            frame[window] = _exposed(plate, noise[window], gain, approach)
            frames[treatment] = to_pixels(pillow_jpeg(frame, quality)[0])
        distance, turn = math.hypot(*middle), math.radians(numbers["turn"])
        ahead = middle[0] * math.sin(turn) + middle[2] * math.cos(turn)
        angle = math.degrees(math.acos(min(1.0, ahead / distance)))
        yield Moment(time, distance, angle, (box[0], box[1], box[2], box[3]), frames)


def _plate_at(approach: Approach, time: float, side: int) -> tuple[Tensor, Point3, Point]:
    """Return the plate's homography (1, 3, 3), its middle in metres, and the principal point, at a time."""
    numbers = approach.numbers
    ahead = START_M - numbers["speed_kmh"] / 3.6 * time
    middle = (numbers["aside_m"], -numbers["above_m"], ahead)
    hertz, up, up_phase, across, across_phase = approach.shakes.unbind(dim=1)
    turned = 2 * math.pi * hertz * time
    # Shaking turns the camera by thousandths of a radian, which moves the picture as a whole.
    pitch = float((up * (turned + up_phase).sin()).sum())
    yaw = float((across * (turned + across_phase).sin()).sum())
    principal = ((WIDTH - 1) / 2 + camera.FOCAL_PX * yaw, (HEIGHT - 1) / 2 + camera.FOCAL_PX * pitch)
    turn = torch.tensor([numbers["turn"]], dtype=torch.float64)
    homography = camera.plate_homography(
        view_rotation(turn, torch.zeros_like(turn), torch.zeros_like(turn)),
        1000 * torch.tensor([middle], dtype=torch.float64),
        torch.tensor([principal], dtype=torch.float64),
        side,
    )
    return homography, middle, principal


def _kernel(approach: Approach, time: float, homography: Tensor, side: int) -> Tensor:
    """Return the lens's blur and the sign's motion over the picture while the shutter is open, (1, k, k)."""
    centre = torch.full((1, 2), (side - 1) / 2, dtype=torch.float64)
    later, _, _ = _plate_at(approach, time + approach.numbers["shutter_s"], side)
    way = (apply_homography(later, centre) - apply_homography(homography, centre))[0, 0]
    length, angle = float(way.norm()), math.degrees(math.atan2(float(way[1]), float(way[0])))
    sigma = approach.numbers["blur_px"]
    radii = (math.ceil(4 * sigma), 0, math.ceil(length / 2 + 0.5))
    return camera_kernel(sigma, 0.0, length, angle, radii=radii)[None]


def _exposed(light: Tensor, noise: Tensor, gain: float, approach: Approach) -> Tensor:
    """Return linear light (1, 3, h, w) as the sensor codes it, before compression."""
    numbers = approach.numbers
    gains = light.new_tensor([numbers["red"], 1.0, numbers["blue"]])[:, None, None] * gain
    shot, read = (light.new_tensor([numbers[name]]) for name in ("shot_noise", "read_noise"))
    return develop((light * gains).clamp(0, 1), shot=shot, read=read, noise=noise)


def drive_by_test(
    exhibit: Exhibit,
    size: StudySize,
    *,
    conditions: Mapping[str, Range] = DASH_CAMERA,
    finders: Finders = (find_signs,),
    keep: Keep = afresh,
    reporter: Reporter = silent,
) -> list[list[Answer]]:
    """Return a classifier's answers on the frames of simulated approaches to every sign.

    Every `size.every`-th frame of `size.approaches` to each sign is judged, the sign cut out as each finder
    finds it.

    Returns:
        For every finder approaches × frames × treatments answers; without a class where it found no sign.
    """
    drives = [(row, index) for row in range(len(exhibit.names)) for index in range(size.approaches)]
    answers: list[list[Answer]] = [[] for _ in finders]
    for row, index in reporter.track(drives, len(drives), "drive-by test (simulated)"):
        approach = draw_approach(exhibit.names[row], index, exhibit.seed, conditions)
        place = f"approach {index + 1} at {approach.numbers['speed_kmh']:.0f} km/h"
        make = partial(_answers, exhibit, row, index, approach, place, size.every, finders)
        found = list(keep(f"drive-by test, simulated//{place}//{exhibit.names[row]}", make))
        for number, own in enumerate(answers):
            own += found[number :: len(finders)]
    return answers


def _answers(
    exhibit: Exhibit, row: int, index: int, approach: Approach, place: str, every: int, finders: Finders
) -> list[Answer]:
    """Return answers on one approach to the sign in a row, the finders' next to each other."""
    sign, views = exhibit.names[row], []
    rng = np.random.default_rng(derive_seed(exhibit.seed, "drive crop", sign, index))
    faces = {name: each[row] for name, each in exhibit.faces.items()}
    for moment in drive(approach, faces, exhibit.alpha, every=every):
        truth, jitter = moment.box, rng.normal(0, _CROP_SD, 4)
        known = camera.widened(truth, 0, jitter) if truth[3] - truth[1] >= camera.LEAST_PX else None
        for treatment, frame in moment.frames.items():
            for find in finders:
                found = () if find is None else boxes_in(frame, find)
                there = next((box for box in found if _overlap(box, truth) > _SAME), None)
                box = known if find is None else there
                cut = None if box is None else cut_out(frame, box, exhibit.margin)
                views.append(View(treatment, sign, place, moment.distance_m, moment.angle_deg, cut))
    return exhibit.judge.answers(views)


def _overlap(one: camera.Box, other: camera.Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)
