"""The drive-by test of Eykholt et al. 2018: what a classifier says of a sign in the frames of an approach.

The approach is a simulated one, or a video file. The sign is found in every frame that is looked at, cropped
and classified; where none is found there is no answer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from physadv.capture.reading import CaptureError
from physadv.capture.video import NEEDS_PYAV, read_frames
from physadv.classifiers import Classifier
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed
from physadv.signs.stop_sign.approach import USUAL, DriveConditions, draw_approach, drive
from physadv.signs.stop_sign.crops import (
    MARGIN,
    Finder,
    Frame,
    Sight,
    answered,
    boxes_in,
    cut_out,
)
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.rendering import (
    FOCAL_PX,
    LEAST_PX,
    Box,
    SightError,
    apparent_px,
    check_faces,
    widened,
)
from physadv.signs.stop_sign.road import HEIGHT, WIDTH
from physadv.signs.stop_sign.sign import Answer

if TYPE_CHECKING:
    from av import VideoStream

_CROP_SD = 0.03
_SAME = 0.3
"""Overlap (intersection over union) from which a found sign is the one that stands there."""


def drive_by_test(
    classifier: Classifier,
    faces: Mapping[str, Tensor],
    alpha: Tensor,
    victims: Sequence[str],
    *,
    label: int,
    target: int | None,
    seed: int = 0,
    approaches: int = 1,
    conditions: DriveConditions = USUAL,
    finders: Sequence[Finder | None] = (find_signs,),
    margin: float = MARGIN,
    reporter: Reporter = silent,
) -> list[list[Answer]]:
    """Return what a classifier says of the frames of simulated approaches to every victim.

    Args:
        classifier: sees crops (B, 3, CROP_SIDE, CROP_SIDE).
        faces: treatment → textured faces (V, 3, S, S) in [0, 1], one a victim, as `lab_test` takes them.
        alpha: (S, S), 1 where the plate is.
        victims: their V names.
        label: their true class.
        target: of the attack, if it has one.
        seed: of the approaches, which depend on the victim and on no treatment.
        approaches: to each victim.
        conditions: how the car drives.
        finders: ways to find the sign in a frame; None cuts it out where it is known to be, a few per cent
            off, from an apparent height of `LEAST_PX` on.
        margin: around the sign when it is cropped, as a share of its box.
        reporter: told of every approach.

    Returns:
        For every finder approaches × frames × treatments answers; without an answer where it found no sign.

    Raises:
        SightError: faces, alpha and victims do not fit each other.
    """
    check_faces(faces, alpha, victims)
    drives = [(row, index) for row in range(len(victims)) for index in range(approaches)]
    answers: list[list[Answer]] = [[] for _ in finders]
    for row, index in reporter.track(drives, len(drives), "drive-by test (simulated)"):
        approach = draw_approach(victims[row], index, seed, conditions)
        place = f"approach {index + 1} at {approach.speed_kmh:.0f} km/h"
        rng = np.random.default_rng(derive_seed(seed, "drive crop", victims[row], index))
        sights: list[list[Sight]] = [[] for _ in finders]
        for moment in drive(approach, {name: each[row] for name, each in faces.items()}, alpha):
            jitter = rng.normal(0, _CROP_SD, 4)
            for treatment, frame in moment.frames.items():
                for find, seen in zip(finders, sights, strict=True):
                    box = _known(moment.box, jitter) if find is None else _found(frame, moment.box, find)
                    cut = None if box is None else cut_out(frame, box, margin)
                    at = (moment.distance_m, moment.angle_deg)
                    seen.append(Sight(treatment, victims[row], place, *at, cut))
        for said, seen in zip(answers, sights, strict=True):
            said += answered(classifier, seen, label, target)
    return answers


def video_test(
    classifier: Classifier,
    path: Path,
    *,
    treatment: str,
    victim: str,
    label: int,
    target: int | None,
    every: int = 10,
    focal_px: float | None = None,
    find: Finder = find_signs,
    margin: float = MARGIN,
) -> list[Answer]:
    """Return what a classifier says of the sign in every so many frames of a video.

    Args:
        classifier: sees crops (B, 3, CROP_SIDE, CROP_SIDE).
        path: the video.
        treatment: what the sign wears; `victim` is its name.
        victim: see `treatment`.
        label: its true class.
        target: of the attack, if it has one.
        every: of how many frames one is looked at.
        focal_px: of the camera, pixels. Without it distances are those of a camera that sees 63° across, so
            that they stand for apparent sizes.
        find: finds the sign in a frame.
        margin: around the sign when it is cropped, as a share of its box.

    Returns:
        One answer a frame; where no sign was found, without an answer and with a distance that is nan, as
        the angle always is.

    Raises:
        SightError: no frame of the video can be decoded, or none shows a sign.
    """
    sights = []
    try:
        for _, frame in read_frames(path, every):
            focal = focal_px or FOCAL_PX * frame.shape[1] / WIDTH
            box = next(iter(boxes_in(frame, find)), None)
            distance = math.nan if box is None else apparent_px(box[3] - box[1], focal)
            cut = None if box is None else cut_out(frame, box, margin)
            sights.append(Sight(treatment, victim, f"video {path.name}", distance, math.nan, cut))
    except (CaptureError, OSError) as error:
        raise SightError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if all(sight.crop is None for sight in sights):
        raise SightError(
            f"{path}: no sign in any of the {len(sights)} frames looked at; "
            f"wanted a red octagon at least {LEAST_PX:.0f} pixels high"
        )
    return answered(classifier, sights, label, target)


def write_approach(
    path: Path,
    face: Tensor,
    alpha: Tensor,
    victim: str,
    *,
    seed: int = 0,
    conditions: DriveConditions = USUAL,
) -> None:
    """Write the first simulated approach to a victim as an MP4 video, every frame of it.

    Raises:
        SightError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise SightError(f"{path}: {NEEDS_PYAV.replace('take its frames', 'write it')}") from error
    whole = draw_approach(victim, 0, seed, replace(conditions, every=1))
    with av.open(str(path), "w") as container:
        stream: VideoStream = container.add_stream("libx264", rate=round(conditions.rate))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for moment in drive(whole, {victim: face}, alpha):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moment.frames[victim], format="rgb24")))
        container.mux(stream.encode())


def _found(frame: Frame, truth: Box, find: Finder) -> Box | None:
    """Return the box of the first sign that is where the sign is."""
    return next((box for box in boxes_in(frame, find) if _overlap(box, truth) > _SAME), None)


def _known(truth: Box, jitter: NDArray[np.float64]) -> Box | None:
    return widened(truth, 0, jitter) if truth[3] - truth[1] >= LEAST_PX else None


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)
