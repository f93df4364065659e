"""The drive-by test of Eykholt et al. 2018: a classifier's answers on a sign in the frames of an approach.

The approach is simulated. The sign is found in every frame that is looked at, cropped and classified; where
none is found there is no answer.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed
from physadv.signs.stop_sign.approach import DASH_CAMERA, Approach, DriveConditions, draw_approach, drive
from physadv.signs.stop_sign.camera import LEAST_PX, Box, widened
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.views import (
    Answer,
    Exhibit,
    Finder,
    Frame,
    Keep,
    View,
    afresh,
    boxes_in,
    cut_out,
)

_CROP_SD = 0.03
_SAME = 0.3
"""Overlap (intersection over union) from which a found sign is the one that stands there."""


def drive_by_test(
    exhibit: Exhibit,
    size: StudySize,
    *,
    conditions: DriveConditions = DASH_CAMERA,
    finders: Sequence[Finder | None] = (find_signs,),
    keep: Keep = afresh,
    reporter: Reporter = silent,
) -> list[list[Answer]]:
    """Return a classifier's answers on the frames of simulated approaches to every sign.

    Args:
        exhibit: what is shown, and who is asked.
        size: `approaches` to each sign, of which every `every`-th frame is judged.
        conditions: how the car drives.
        finders: ways to find the sign in a frame; None cuts it out where it is known to be, a few per cent
            off, from an apparent height of `LEAST_PX` on.
        keep: keeps the answers on each approach.
        reporter: shows every approach.

    Returns:
        For every finder approaches × frames × treatments answers; without a class where it found no sign.
    """
    drives = [(row, index) for row in range(len(exhibit.names)) for index in range(size.approaches)]
    answers: list[list[Answer]] = [[] for _ in finders]
    for row, index in reporter.track(drives, len(drives), "drive-by test (simulated)"):
        approach = draw_approach(exhibit.names[row], index, exhibit.seed, conditions)
        place = f"approach {index + 1} at {approach.speed_kmh:.0f} km/h"
        make = partial(_answers, exhibit, row, index, approach, place, size.every, finders)
        found = list(keep(f"drive-by test, simulated//{place}//{exhibit.names[row]}", make))
        for own, number in zip(answers, range(len(finders)), strict=True):
            own += found[number :: len(finders)]
    return answers


def _answers(
    exhibit: Exhibit,
    row: int,
    index: int,
    approach: Approach,
    place: str,
    every: int,
    finders: Sequence[Finder | None],
) -> list[Answer]:
    """Return answers on one approach to the sign in a row, the finders' next to each other."""
    sign, views = exhibit.names[row], []
    rng = np.random.default_rng(derive_seed(exhibit.seed, "drive crop", sign, index))
    faces = {name: each[row] for name, each in exhibit.faces.items()}
    for moment in drive(approach, faces, exhibit.alpha, every=every):
        jitter = rng.normal(0, _CROP_SD, 4)
        for treatment, frame in moment.frames.items():
            for find in finders:
                box = _known(moment.box, jitter) if find is None else _found(frame, moment.box, find)
                cut = None if box is None else cut_out(frame, box, exhibit.margin)
                views.append(View(treatment, sign, place, moment.distance_m, moment.angle_deg, cut))
    return exhibit.judge.answers(views)


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
