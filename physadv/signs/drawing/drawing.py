"""Traffic signs drawn by the project itself, to attack where no data set can be shipped or downloaded.

A vector face is turned before a pinhole camera, lit, and set before a drawn background. Nothing here knows of
files, models or attacks.
"""

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from physadv.errors import PhysadvError, unknown_name
from physadv.signs.drawing.faces import ABROAD, DRAWN_SIGNS, Field, face
from physadv.signs.drawing.pen import FACE_REACH

Pixels = NDArray[np.uint8]

_LEAST_CANVAS = 512
"""Least side, pixels, of the canvas that a picture is the area average of."""
_DISTANCE = 5.0
"""From the camera to the plate, in half plates."""


class DrawnSignError(PhysadvError):
    """There is no such drawing: an unknown sign, or too small a picture."""


def draw_sign(label: str, size: int, generator: Generator) -> Pixels:
    """Draw one traffic sign in a random pose and light before a random background.

    Args:
        label: one of `DRAWN_SIGNS`.
        size: side of the picture, pixels, at least 16.
        generator: the source of every draw; the same state gives the same pixels.

    Returns:
        RGB, (size, size, 3), uint8; the sign spans about 65 to 90 % of the picture.

    Raises:
        DrawnSignError: an unknown label, or a size under 16.
    """
    return draw_posed_sign(label, size, generator)[0]


def draw_posed_sign(label: str, size: int, generator: Generator) -> tuple[Pixels, Field]:
    """Draw a sign as `draw_sign` does, or one of `ABROAD`'s, and say where its plate is.

    Returns:
        The picture, and the corners (4, 2), x and y in its pixels, of the square that the plate just fills,
        clockwise from the top-left one.
    """
    if label not in (*DRAWN_SIGNS, *ABROAD.values()):
        raise DrawnSignError(unknown_name("drawn sign", label, DRAWN_SIGNS))
    if size < 16:
        raise DrawnSignError(f"a drawn sign of {size} pixels: at least 16 are needed")
    side = size * max(2, math.ceil(_LEAST_CANVAS / size))
    scene = draw_background(side, generator)
    colour, coverage = face(label, side)
    pose = _pose(side, generator)
    lit = _warped(_weathered(colour, generator), pose)
    scene += (lit - scene) * _warped(coverage, pose)[..., None]
    picture = _array(cv2.resize(scene, (size, size), interpolation=cv2.INTER_AREA))
    exposed = picture * (generator.uniform(0.75, 1.1) * _temperature(generator))
    noisy = exposed + generator.normal(0, 1.2 / 255, exposed.shape)
    rows, columns = (np.flatnonzero((coverage > 0.5).any(axis=axis)) for axis in (1, 0))
    left, top, right, bottom = columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5
    square = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    corners = (_array(cv2.perspectiveTransform(square[:, None], pose))[:, 0] + 0.5) * (size / side) - 0.5
    return np.round(noisy.clip(0, 1) * 255).astype(np.uint8), corners


def draw_demo_set(n: int, size: int = 128, seed: int = 0) -> list[tuple[str, Pixels]]:
    """Return `n` (label, picture) pairs that go round the drawn signs in a shuffled order.

    Args:
        n: number of pictures.
        size: side of each, pixels; see `draw_sign`.
        seed: the same seed gives the same pictures.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(DRAWN_SIGNS))
    labels = [DRAWN_SIGNS[order[k % len(order)]] for k in range(n)]
    return [(label, draw_sign(label, size, generator)) for label in labels]


def _array(image: object) -> Field:
    return np.asarray(image, dtype=np.float64)


def _warped(face: Field, pose: Field) -> Field:
    border = cv2.BORDER_REPLICATE
    return _array(cv2.warpPerspective(face, pose, face.shape[:2], flags=cv2.INTER_LINEAR, borderMode=border))


def _pose(side: int, generator: Generator) -> Field:
    """Return the homography from face to picture, in pixels: a plate turned before a pinhole camera."""
    roll, pitch, yaw = np.radians(generator.uniform((-7, -18, -28), (7, 18, 28)))
    span = generator.uniform(0.74, 0.9) / 2
    shift = generator.uniform(-0.03, 0.03, 2)
    turn = np.eye(3)
    for axis, angle in enumerate((pitch, yaw, roll)):
        turn = _array(cv2.Rodrigues(angle * np.eye(3)[axis])[0]) @ turn
    corners = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) @ turn.T
    seen = corners[:, :2] * _DISTANCE / (_DISTANCE + corners[:, 2:])
    target = (0.5 + shift + span / FACE_REACH * seen) * side
    source = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * side
    return _array(cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)))


def _weathered(colour: Field, generator: Generator) -> Field:
    """Return the face under a slope of light, faint dirt and a soft sheen."""
    side = len(colour)
    y, x = np.ogrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    angle = generator.uniform(0, 2 * math.pi)
    slope = generator.uniform(0, 0.18) * (math.cos(angle) * x + math.sin(angle) * y)
    lit = colour * (1 + slope + 0.05 * clouds(side, 6, generator))[..., None]
    x0, y0 = generator.uniform(-0.8, 0.8, 2)
    sheen = generator.uniform(0, 0.14) * np.exp(-2 * ((x - x0) ** 2 + (y - y0) ** 2))
    return _array(lit + (1 - lit) * sheen[..., None])


def _temperature(generator: Generator) -> Field:
    warmth = generator.uniform(-0.09, 0.09)
    return np.array([1 + warmth, 1.0, 1 - warmth])


def clouds(side: int, cells: int, generator: Generator, octaves: int = 4) -> Field:
    """Return smooth fractal noise (side, side), about -1 to 1, `cells` blobs across at its coarsest."""
    total = np.zeros((side, side))
    for octave in range(octaves):
        coarse = generator.uniform(-0.6, 0.6, (cells * 2**octave + 1,) * 2)
        total += _array(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)) * 0.55**octave
    return total


def blend(low: ArrayLike, high: ArrayLike, share: Field) -> Field:
    """Mix two colours (8-bit RGB) by a field in [0, 1]: (..., 3) in [0, 1]."""
    first, second = np.asarray(low) / 255, np.asarray(high) / 255
    return _array(first + (second - first) * share.clip(0, 1)[..., None])


def draw_background(side: int, generator: Generator) -> Field:
    """Return sky, foliage, wall or street, out of focus, and a sign's post: sRGB, (side, side, 3), in [0, 1].

    The post, from the middle down, suits a sign that spans 0.75 of the picture.
    """
    scene = _SCENES[generator.integers(len(_SCENES))](side, generator)
    centre = side * (0.5 + generator.uniform(-0.02, 0.02))
    across = (np.arange(side) - centre) / (0.035 * side)
    tube = np.sqrt((1 - across**2).clip(0, 1))
    post = np.abs(across) < 1
    scene[side // 2 :, post] = blend((70, 74, 78), (176, 180, 184), tube)[post]
    blurred = _array(cv2.GaussianBlur(scene, (0, 0), side * generator.uniform(0.004, 0.012)))
    return _array((blurred * generator.uniform(0.6, 1.1)).clip(0, 1))


def _sky(side: int, generator: Generator) -> Field:
    down = np.linspace(0, 1, side)[:, None] * np.ones((1, side))
    sky = blend((86, 142, 208), (206, 222, 236), down)
    cloud = (clouds(side, 3, generator) * 1.3 + generator.uniform(-0.3, 0.5)).clip(0, 1)[..., None]
    return _array(sky + (0.95 - sky) * cloud)


def _foliage(side: int, generator: Generator) -> Field:
    leaves = blend((26, 44, 18), (132, 158, 74), 0.45 + 0.5 * clouds(side, 9, generator, octaves=5))
    return _array(leaves * (0.8 + 0.3 * clouds(side, 3, generator, octaves=2)[..., None]).clip(0.2, 1.3))


def _wall(side: int, generator: Generator) -> Field:
    plaster = np.array([188, 176, 158]) + generator.uniform(-45, 30) + generator.uniform(-14, 14, 3)
    wall = blend(plaster * 0.86, plaster * 1.06, 0.5 + 0.35 * clouds(side, 12, generator, octaves=5))
    courses = int(generator.integers(6, 11))
    row, column = np.mgrid[0:side, 0:side] * (courses / side)
    joint = (row % 1 < 0.07) | ((column / 2 + 0.5 * (row.astype(int) % 2)) % 1 < 0.035)
    wall[joint] *= 0.82
    return wall


def _street(side: int, generator: Generator) -> Field:
    scene = _sky(side, generator)
    left = 0
    while left < side:
        right = left + int(generator.integers(side // 8, side // 3))
        roof = int(side * generator.uniform(0.2, 0.6))
        scene[roof:, left:right] = (np.array([150, 138, 126]) + generator.uniform(-60, 50)) / 255
        left = right
    kerb = int(side * generator.uniform(0.72, 0.85))
    scene[kerb:] = blend((74, 76, 80), (112, 112, 114), 0.5 + 0.5 * clouds(side, 14, generator))[kerb:]
    return scene


_SCENES = (_sky, _foliage, _wall, _street)
