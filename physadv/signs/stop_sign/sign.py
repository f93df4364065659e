"""The words the parts of the stop-sign study share: the face's canvas, a victim, one answer.

A face is a square canvas that the sign just fills. Masks, stickers and faces are drawn in its pixels; a
homography ties it to a photo, its size in millimetres to paper.
"""

from dataclasses import dataclass

from torch import Tensor

FACE_SIDE = 256
"""Pixels a side of the canvas that faces, masks and stickers are drawn in."""
FACE_MM = 750.0
"""Side of that canvas on a sign of true size, the plate's height."""


@dataclass(frozen=True)
class Victim:
    """A sign in a photo.

    Attributes:
        name: unique in its set.
        photo: (3, H, W) in [0, 1], whole 8-bit levels.
        homography: (3, 3), float64, from pixels of the face to the photo's, as `cv2.warpPerspective`'s.
    """

    name: str
    photo: Tensor
    homography: Tensor


@dataclass(frozen=True)
class Answer:
    """What a classifier said of one sight of one sign.

    Attributes:
        treatment: what the sign wore: "clean", "random", "optimised", "published".
        victim: the sign's name.
        place: a cell of the lab test as "10 ft, 15°", or an approach of the drive-by test.
        distance_m: from the camera to the sign.
        angle_deg: of the camera off the sign's normal.
        label: the true class; likewise `target`, None without one.
        answer: the class it said, None where no sign was found.
        confidence: probability of `answer`, 0 without one.
    """

    treatment: str
    victim: str
    place: str
    distance_m: float
    angle_deg: float
    label: int
    target: int | None
    answer: int | None
    confidence: float
