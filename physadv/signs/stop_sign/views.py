"""What a classifier is shown of signs, and its answers: an exhibit, its views, one answer a view."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.attacks.lit_stickers import metered, stickered, white_light
from physadv.attacks.stickers import random_stickers
from physadv.classifiers import Classifier
from physadv.randomness import generator
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.camera import Box, crop, drawn_backgrounds, widened
from physadv.signs.stop_sign.plate import Frame, SignPhoto, from_pixels, outline
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM
from physadv.signs.stop_sign.sign_photos import rectified

Finder = Callable[[Frame], Sequence[NDArray[np.float64]]]
"""Returns the corners (N, 2) of each sign in a frame, the best first."""
Finders = Sequence[Finder | None]
"""Ways to find a sign; None cuts it out where it is, a few per cent off, from `LEAST_PX` of height on."""
MARGIN = 0.1
"""Margin around a sign that was found, as a share of its box: about what GTSRB's boxes leave."""
TOP = 5
_CLASSIFIED_AT_ONCE = 256


@dataclass(frozen=True)
class Judge:
    """The classifier that is asked, and what its answers are compared with.

    Attributes:
        classifier: takes crops (B, 3, CROP_SIDE, CROP_SIDE).
        label: the signs' true class.
        target: the attack's class; None where it has none.

    Raises:
        StopSignError: a class is none of the classifier's, or the target is the signs' own.
    """

    classifier: Classifier
    label: int
    target: int | None = None

    def __post_init__(self) -> None:
        classes = len(self.classifier.labels)
        for name, value in (("label", self.label), ("target", self.target)):
            if value is not None and not 0 <= value < classes:
                raise StopSignError(f"{name} {value}; wanted a class from 0 to {classes - 1}")
        if self.target == self.label:
            raise StopSignError(f"target {self.target} is the signs' own class; wanted another")

    def answers(self, views: Sequence["View"]) -> list["Answer"]:
        """Return the classifier's answer on every view, in their order."""
        crops = [view.crop for view in views if view.crop is not None]
        found = iter(self.classify(torch.stack(crops)) if crops else ())
        answers = []
        for view in views:
            labels, probabilities = ((), ()) if view.crop is None else next(found)
            where = (view.treatment, view.sign, view.place, view.distance_m, view.angle_deg)
            answers.append(Answer(*where, self.label, self.target, labels, probabilities))
        return answers

    @torch.no_grad()
    def classify(self, crops: Tensor) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
        """Return the five likeliest classes of every crop (B, 3, h, w), and their probabilities."""
        found: list[tuple[tuple[int, ...], tuple[float, ...]]] = []
        for part in torch.split(crops, _CLASSIFIED_AT_ONCE):
            classes, chances = self.classifier.likeliest(part.to(self.classifier.device), TOP)
            rows = zip(classes.tolist(), chances.tolist(), strict=True)
            found += [(tuple(labels), tuple(probabilities)) for labels, probabilities in rows]
        return found


@dataclass(frozen=True)
class Exhibit:
    """Signs in several treatments that the tests show to a judge in the same poses, light and noise.

    Attributes:
        judge: who is asked.
        names: of the V signs.
        faces: treatment → (V, 3, S, S) in [0, 1]; S = `FACE_SIDE` is a sign of true size, a larger canvas
            shows as much of what is around it.
        alpha: (S, S), 1 where the plate is.
        seed: of poses, light and noise, which depend on the sign and not on the treatment.
        margin: around a sign when it is cropped, as a share of its box; 0 for faces with surroundings.

    Raises:
        StopSignError: no treatment, or faces, alpha and names that do not fit each other.
    """

    judge: Judge
    names: Sequence[str]
    faces: Mapping[str, Tensor]
    alpha: Tensor
    seed: int = 0
    margin: float = MARGIN

    def __post_init__(self) -> None:
        if not self.faces:
            raise StopSignError("no treatment; wanted faces of at least one")
        if self.alpha.ndim != 2 or self.alpha.shape[0] != self.alpha.shape[1]:
            raise StopSignError(f"alpha of shape {tuple(self.alpha.shape)}; wanted a square (S, S)")
        wanted = (len(self.names), 3, *self.alpha.shape)
        for treatment, each in self.faces.items():
            if tuple(each.shape) != wanted:
                raise StopSignError(
                    f"faces of treatment '{treatment}' of shape {tuple(each.shape)}; wanted {wanted}, "
                    f"one for each of {len(self.names)} signs"
                )

    @cached_property
    def backgrounds(self) -> Tensor:
        """Return drawn scenes (K, 3, h, w), sRGB in [0, 1], that the signs are photographed before."""
        return drawn_backgrounds(self.seed)


def treat(
    judge: Judge, photos: Sequence[SignPhoto], stickers: Tensor, mask: Tensor, *, seed: int, random_seed: int
) -> Exhibit:
    """Return signs clean, with random stickers, one draw a sign, and with the optimised ones.

    Stickers are (1, 3, FACE_SIDE, FACE_SIDE), the mask (FACE_SIDE, FACE_SIDE), both in [0, 1].
    """
    faces, plate = rectified(photos), outline()
    faces, light = metered(faces, white_light(faces, plate))
    draws = [generator(random_seed, "random stickers", draw) for draw in range(len(faces))]
    shuffled = torch.cat([random_stickers(stickers, mask, draw) for draw in draws])
    worn = {
        CLEAN: faces,
        RANDOM: stickered(faces, shuffled, mask, light),
        OPTIMISED: stickered(faces, stickers, mask, light),
    }
    return Exhibit(judge, [photo.name for photo in photos], worn, plate, seed)


@dataclass(frozen=True)
class Seen:
    """One sign as it is seen once.

    Attributes:
        treatment: what the sign wears: "clean", "random", "optimised", …
        sign: the sign's name.
        place: a cell of the lab test as "10 ft, 15°", an approach, or a video.
        distance_m: from the camera to the sign; nan where it is not known.
        angle_deg: of the camera off the sign's normal; nan where it is not known.
    """

    treatment: str
    sign: str
    place: str
    distance_m: float
    angle_deg: float


@dataclass(frozen=True)
class View(Seen):
    """What a classifier is shown: `crop` (3, CROP_SIDE, CROP_SIDE), None where no sign was found."""

    crop: Tensor | None


@dataclass(frozen=True)
class Answer(Seen):
    """A classifier's answer on one view.

    Attributes:
        label: the true class.
        target: the attack's class; None where it has none.
        labels: the five likeliest classes, the likeliest first; empty where no sign was found.
        probabilities: of `labels`.
    """

    label: int
    target: int | None
    labels: tuple[int, ...]
    probabilities: tuple[float, ...]

    @property
    def answer(self) -> int | None:
        """Return the likeliest class, None where no sign was found."""
        return self.labels[0] if self.labels else None

    @property
    def confidence(self) -> float:
        """Return the probability of `answer`, 0 without one."""
        return self.probabilities[0] if self.probabilities else 0.0

    @property
    def succeeded(self) -> bool:
        """Return whether the target was reached or, without one, the true class missed."""
        if self.answer is None:
            return False
        return self.answer != self.label if self.target is None else self.answer == self.target


Keep = Callable[[str, Callable[[], list[Answer]]], Iterable[Answer]]
"""Takes the name of a part of a test, TEST//PLACE//…, and what makes its answers; returns them."""


def afresh(part: str, make: Callable[[], list[Answer]]) -> list[Answer]:
    """Keep nothing: return the answers that are made now."""
    return make()


def boxes_in(frame: Frame, find: Finder) -> list[Box]:
    """Return the boxes around the signs that are found in a frame, the best first."""
    boxes = []
    for corners in find(frame):
        (left, top), (right, bottom) = corners.min(axis=0) + 0.5, corners.max(axis=0) + 0.5
        boxes.append((float(left), float(top), float(right), float(bottom)))
    return boxes


def cut_out(frame: Frame, box: Box, margin: float) -> Tensor:
    """Return the crop of a frame around a box with a margin; see `camera.crop`."""
    return crop(from_pixels(frame), widened(box, margin))
