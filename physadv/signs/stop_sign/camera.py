"""A plate in the world → what a camera's file shows of it → the crop that a classifier is given.

One pinhole camera, one homography and one resampling a view; light stays linear until the file is written.
"""

import math
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from physadv.randomness import derive_seed
from physadv.signs.drawing.drawing import draw_background
from physadv.signs.stop_sign import FACE_MM, FACE_SIDE, StopSignError
from physadv.transforms.colours import linear_to_srgb, srgb_to_linear
from physadv.transforms.geometry import apply_homography, matrices
from physadv.transforms.resampling import warp_perspective

FOCAL_PX = 1040.0
"""Focal length of both cameras, pixels: 26 mm on 36 mm of film, the main camera of most phones, with 1440
pixels along the frame, as messengers reduce photos; a dash camera of 1280 pixels and 63° has the same.

A plate of 750 mm is 512 pixels high at 5 feet, 64 at 40 feet, and 16, where it is too small to see, at 49 m.
"""
LEAST_PX = 16.0
"""Below this apparent height of the plate, pixels, a sign counts as too small to see."""
CROP_SIDE = 128
"""Side, pixels, that a crop is brought to before the classifier resizes it to its own input."""

BACKGROUNDS = 24
_BACKGROUND_SIDE = 256

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels, (0, 0) the top-left corner of the top-left pixel."""


def plate_homography(rotation: Tensor, middle_mm: Tensor, principal: Tensor, side: int) -> Tensor:
    """Return homographies (B, 3, 3), float64, from pixels of a plate's face to pixels of the picture.

    `rotation` (B, 3, 3) leads from the plate's axes (x right, y down) to the camera's, `middle_mm` (B, 3) is
    the plate's middle as the camera sees it: right, down, ahead. `principal` (B, 2) is the pixel on the
    optical axis, `side` that of the face's canvas: `FACE_SIDE` pixels of it are `FACE_MM` wide, more show
    what is around.
    """
    unit, centre = FACE_MM / FACE_SIDE, (side - 1) / 2
    like = middle_mm[:, 0]
    to_plate = matrices(torch.full_like(like, unit), 0, -unit * centre, 0, unit, -unit * centre, 0, 0, 1)
    rays = torch.cat([rotation[:, :, :2], middle_mm[:, :, None]], dim=2)
    x, y = principal.to(like).unbind(dim=1)
    return matrices(torch.full_like(like, FOCAL_PX), 0, x, 0, FOCAL_PX, y, 0, 0, 1) @ rays @ to_plate


def apparent_px(distance_m: float, focal_px: float = FOCAL_PX) -> float:
    """Return the height in pixels of a true-size plate seen head-on."""
    return focal_px * FACE_MM / 1000 / distance_m


def seen_light(faces: Tensor, alpha: Tensor, homography: Tensor, behind: Tensor) -> Tensor:
    """Return the linear light (B, 3, h, w) of plates before a background.

    Faces are (B, 3, S, S) sRGB in [0, 1]; alpha is (S, S), 1 where the plate is; the homography (B, 3, 3)
    leads from pixels of the face to the picture's; what is behind is (B, 3, h, w), linear light.
    """
    cover = alpha.to(faces).expand(len(faces), 1, *alpha.shape)
    layers = torch.cat([srgb_to_linear(faces) * cover, cover], dim=1)
    nothing = layers.new_zeros(len(faces), 4, 1, 1)
    seen = warp_perspective(layers, homography, nothing, (behind.shape[-2], behind.shape[-1]))
    return seen[:, :3] + (1 - seen[:, 3:]) * behind


def lit(faces: Tensor, slope: Tensor, sheen: Tensor) -> Tensor:
    """Return plates in uneven light: brighter to one side, and with the sky's soft reflection in one place.

    Faces, given and returned, are (B, 3, S, S) sRGB in [0, 1]. `slope` (B, 2) is that of the light along x
    and y, as a share of it at the plate's edge; `sheen` (B, 3) is the reflection's place in half plates, x
    and y, and its light.
    """
    axis = torch.linspace(-1, 1, faces.shape[-1])
    x, y = axis[None, None, None, :], axis[None, None, :, None]
    slope_x, slope_y = slope.to(faces)[:, :, None, None, None].unbind(dim=1)
    at_x, at_y, added = sheen.to(faces)[:, :, None, None, None].unbind(dim=1)
    gain = 1 + slope_x * x + slope_y * y
    reflected = added * (-2 * ((x - at_x).square() + (y - at_y).square())).exp()
    return linear_to_srgb((srgb_to_linear(faces) * gain + reflected).clamp(0, 1))


def plate_boxes(alpha: Tensor, homography: Tensor) -> Tensor:
    """Return the box (B, 4) around what is seen of plates; see `Box`.

    Alpha is (S, S), 1 where the plate is; the homography (B, 3, 3) leads from pixels of the face to the
    picture's.
    """
    rows = (alpha > 0.5).any(dim=1).nonzero()[:, 0]
    if not len(rows):
        raise StopSignError("alpha is nowhere above 0.5; wanted 1 where the plate is")
    inside = alpha[rows] > 0.5
    first = inside.int().argmax(dim=1)
    last = alpha.shape[1] - 1 - inside.flip(1).int().argmax(dim=1)
    corners = ((x, dy) for x in (first - 0.5, last + 0.5) for dy in (-0.5, 0.5))
    edge = torch.cat([torch.stack([x, rows + dy], dim=1) for x, dy in corners])
    seen = apply_homography(homography, edge.to(homography)) + 0.5
    return torch.cat([seen.amin(dim=1), seen.amax(dim=1)], dim=1)


def widened(box: Box, margin: float, jitter: NDArray[np.float64] | None = None) -> Box:
    """Return a box with a margin on every side, as a share of its sides, each side jittered."""
    (left, top, right, bottom), width, height = box, box[2] - box[0], box[3] - box[1]
    a, b, c, d = margin + (np.zeros(4) if jitter is None else jitter)
    return left - a * width, top - b * height, right + c * width, bottom + d * height


def crop(picture: Tensor, box: Box) -> Tensor:
    """Return what a box of whole pixels holds of a picture (3, H, W), as (3, CROP_SIDE, CROP_SIDE).

    Width and height are brought to one side each for itself, as the boxes of GTSRB and LISA are; the box is
    cut at the picture's edges.
    """
    height, width = picture.shape[-2:]
    left, top = (max(0, math.floor(min(box[k], size - 1))) for k, size in ((0, width), (1, height)))
    right, bottom = (
        max(start + 1, min(size, math.ceil(box[k])))
        for k, start, size in ((2, left, width), (3, top, height))
    )
    cut, size = picture[None, :, top:bottom, left:right], (CROP_SIDE, CROP_SIDE)
    return F.interpolate(cut, size, mode="bilinear", align_corners=False, antialias=True)[0].clamp(0, 1)


@lru_cache(maxsize=2)
def drawn_backgrounds(seed: int, count: int = BACKGROUNDS) -> Tensor:
    """Return drawn scenes to set signs before, sRGB (count, 3, 256, 256) in [0, 1]; not to be changed."""
    generator = np.random.default_rng(derive_seed(seed, "backgrounds"))
    scenes = [draw_background(_BACKGROUND_SIDE, generator).clip(0, 1) for _ in range(count)]
    return torch.from_numpy(np.stack(scenes)).permute(0, 3, 1, 2).float()
