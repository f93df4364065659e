"""A road drawn as a driver's camera sees it: sky, trees, hedges, ground and lines, and the post of a sign.

Metres and seconds; the camera looks along the road (z), x goes right and y down from it. Everything is soft,
as a video of 1280 pixels shows it; only the sign, which `approach` adds, is drawn with care.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.signs.drawing.drawing import blend, clouds
from physadv.signs.drawing.faces import Field
from physadv.signs.stop_sign.camera import FOCAL_PX

WIDTH, HEIGHT = 1280, 720
CAMERA_HEIGHT_M = 1.3
START_M = 75.0

_PER_M = 16
_LENGTH_M, _LEFT_M, _RIGHT_M = 200.0, -16.0, 16.0
_LANE_M = 3.5
_LINE_M = 0.14
_HEDGE_M, _HEDGE_HEIGHT_M = (-9.5, 6.5), 5.0
_TREES_M = 175.0
"""From the sign to the line of trees behind it."""
_SHARP_M = 24.0
"""Up to here a row of pixels spans less of the ground than its texture's grain."""
_POST_M = 0.07

Picture = NDArray[np.float32]
Point = tuple[float, float]
Point3 = tuple[float, float, float]
"""In metres: right, down, ahead."""


class Road:
    """A stretch of road; the generator's state decides how it looks."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._rng = generator
        self._ground = self._drawn_ground()
        self._mean_ground = np.repeat(self._ground.mean(axis=0, keepdims=True), len(self._ground), axis=0)
        self._hedges = [self._drawn_hedge() for _ in _HEDGE_M]
        self._far = self._drawn_far()

    def seen(self, driven_m: float, principal: Point) -> Picture:
        """Return the frame (HEIGHT, WIDTH, 3), sRGB in [0, 1], without any sign.

        `driven_m` counts from the start; `principal` is the pixel of the optical axis, which moves as the
        camera shakes.
        """
        frame = self._far_seen(driven_m, principal)
        self._lay_ground(frame, driven_m, principal)
        for side_m, hedge in zip(_HEDGE_M, self._hedges, strict=True):
            self._plant(frame, hedge, side_m, driven_m, principal)
        return frame

    def _drawn_far(self) -> Picture:
        """Return sky over a line of trees, twice as wide as a frame; its lower edge is the horizon."""
        width, height = 2 * WIDTH, HEIGHT
        down = np.linspace(0, 1, height)[:, None] * np.ones((1, width))
        sky = blend((104, 152, 208), (214, 226, 236), down)
        cover = cv2.resize(clouds(512, 4, self._rng), (width, height), interpolation=cv2.INTER_CUBIC)
        share = (cover * 1.3 + self._rng.uniform(-0.3, 0.6)).clip(0, 1)[..., None]
        scene = sky + (0.95 - sky) * share
        leaves = cv2.resize(self._foliage(512), (width, height), interpolation=cv2.INTER_AREA)
        crowns = cv2.resize(clouds(512, 40, self._rng)[:1], (width, 1), interpolation=cv2.INTER_CUBIC)[0]
        rows = np.arange(height)[:, None] - (height - 62 - 26 * crowns)
        return _single(scene + (leaves - scene) * rows.clip(0, 1)[..., None])

    def _foliage(self, side: int) -> Field:
        leaves = blend((30, 46, 22), (120, 144, 70), 0.45 + 0.5 * clouds(side, 24, self._rng))
        shade: Field = (0.8 + 0.3 * clouds(side, 6, self._rng, octaves=2)[..., None]).clip(0.2, 1.3)
        return leaves * shade

    def _drawn_hedge(self) -> Picture:
        """Return bushes along the road from their tops down, the fourth channel how much they cover."""
        length, height = int(_LENGTH_M * 8), int(_HEDGE_HEIGHT_M * 8)
        tiles = [self._foliage(256)[:height] for _ in range(-(-length // 256))]
        leaves = np.concatenate(tiles, axis=1)[:, :length]
        tops = cv2.resize(clouds(512, 60, self._rng)[:1], (length, 1), interpolation=cv2.INTER_CUBIC)[0]
        rows = np.arange(height)[:, None] - height * (0.5 - 0.55 * tops)
        shade = 0.55 + 0.45 * np.linspace(1, 0, height)[:, None, None]
        return _single(np.concatenate([leaves * shade, rows.clip(0, 1)[..., None]], axis=2))

    def _drawn_ground(self) -> Picture:
        """Return verge, tarmac and lines from above, one row a sixteenth of a metre of road."""
        length, width = int(_LENGTH_M * _PER_M), int((_RIGHT_M - _LEFT_M) * _PER_M)
        grain = cv2.resize(clouds(512, 64, self._rng), (width, length), interpolation=cv2.INTER_CUBIC)
        fine = self._rng.uniform(-0.4, 0.4, (length // 2, width // 2))
        grain = grain + cv2.resize(fine, (width, length), interpolation=cv2.INTER_LINEAR)
        ground = blend((70, 84, 42), (126, 132, 80), 0.5 + 0.5 * grain)
        tarmac = blend((86, 87, 90), (122, 121, 120), 0.5 + 0.4 * grain)
        paint = blend((196, 196, 190), (228, 228, 222), 0.5 + 0.5 * grain)
        across = _LEFT_M + (np.arange(width) + 0.5) / _PER_M
        along = np.arange(length) / _PER_M
        road = (across > -1.5 * _LANE_M - 0.4) & (across < 0.5 * _LANE_M + 0.4)
        ground[:, road] = tarmac[:, road]
        for edge in (-1.5 * _LANE_M, 0.5 * _LANE_M):
            line = np.abs(across - edge) < _LINE_M / 2
            ground[:, line] = paint[:, line]
        dashes = (along % 9 < 3)[:, None] & (np.abs(across + 0.5 * _LANE_M) < _LINE_M / 2)
        ground[dashes] = paint[dashes]
        return _single(ground)

    def _far_seen(self, driven_m: float, principal: Point) -> Picture:
        zoom = (START_M + _TREES_M) / (START_M + _TREES_M - driven_m)
        height, width = self._far.shape[:2]
        right, down = principal[0] - zoom * width / 2, principal[1] - zoom * (height - 1)
        place, border = np.array([(zoom, 0, right), (0, zoom, down)]), cv2.BORDER_REPLICATE
        return _single(cv2.warpAffine(self._far, place, (WIDTH, HEIGHT), borderMode=border))

    def _lay_ground(self, frame: Picture, driven_m: float, principal: Point) -> None:
        first = int(principal[1]) + 2
        origin, axis = (_LEFT_M, CAMERA_HEIGHT_M, -driven_m), (principal[0], principal[1] - first)
        at = _projection(axis, origin=origin, along=(1 / _PER_M, 0, 0), down=(0, 0, 1 / _PER_M))
        size = (WIDTH, HEIGHT - first)
        near, far = (
            cv2.warpPerspective(each, at, size, borderMode=cv2.BORDER_REPLICATE)
            for each in (self._ground, self._mean_ground)
        )
        depth = FOCAL_PX * CAMERA_HEIGHT_M / (np.arange(first, HEIGHT) - principal[1])
        sharp = (_SHARP_M / depth).clip(0, 1).astype(np.float32)[:, None, None] ** 2
        frame[first:] = far + (near - far) * sharp

    def _plant(self, frame: Picture, hedge: Picture, x_m: float, driven_m: float, principal: Point) -> None:
        """Set a hedge, a plane along the road, into the half of the frame on its side."""
        middle = int(principal[0])
        first, last = (0, middle - 2) if x_m < 0 else (middle + 3, WIDTH)
        origin, axis = (
            (x_m, CAMERA_HEIGHT_M - _HEDGE_HEIGHT_M, -driven_m),
            (principal[0] - first, principal[1]),
        )
        at = _projection(axis, origin=origin, along=(0, 0, 1 / 8), down=(0, 1 / 8, 0))
        seen = cv2.warpPerspective(hedge, at, (last - first, HEIGHT))
        frame[:, first:last] += (seen[..., :3] - frame[:, first:last]) * seen[..., 3:]


def set_post(frame: Picture, middle_m: Point3, principal: Point) -> None:
    """Draw a sign's post into a frame, from the sign's middle to the ground."""
    x, y, z = middle_m
    corners = [(x + dx, to) for dx, to in ((-1, y), (1, y), (1, CAMERA_HEIGHT_M), (-1, CAMERA_HEIGHT_M))]
    for shift, width, grey in ((0.0, 1.0, 0.40), (0.2, 0.5, 0.62)):
        across = [FOCAL_PX * (x + ((cx - x) * width + shift) * _POST_M / 2) / z for cx, _ in corners]
        places = [
            (u + principal[0], FOCAL_PX * cy / z + principal[1])
            for u, (_, cy) in zip(across, corners, strict=True)
        ]
        polygon = np.round(np.array(places) * 16).astype(np.int32)
        cv2.fillConvexPoly(frame, polygon, (grey, grey, grey), lineType=cv2.LINE_AA, shift=4)


def _projection(principal: Point, *, origin: Point3, along: Point3, down: Point3) -> Field:
    """Return the homography from a texture's pixels, whose steps are `along` and `down`, to the frame's."""
    camera = np.array([(FOCAL_PX, 0, principal[0]), (0, FOCAL_PX, principal[1]), (0, 0, 1)])
    return np.asarray(camera @ np.stack([along, down, origin], axis=1), dtype=np.float64)


def _single(image: object) -> Picture:
    return np.asarray(image, dtype=np.float32)
