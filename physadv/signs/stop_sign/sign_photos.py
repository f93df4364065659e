"""The signs that an attack is made for: photos, their corners given or found, or drawings."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.errors import reading
from physadv.pictures.listing import KNOWN, pictures_in, say_left_out, visible
from physadv.pictures.reading import read_exact
from physadv.signs.drawing.drawing import draw_posed_sign
from physadv.signs.stop_sign import FACE_SIDE, StopSignError
from physadv.signs.stop_sign.outline import LEAST_SIDE, find_signs
from physadv.signs.stop_sign.plate import (
    SignPhoto,
    face_homography,
    from_pixels,
    octagon,
    sign_height,
    to_pixels,
)
from physadv.transforms.resampling import warp_perspective

T = TypeVar("T")

CORNER_FILES = ("corners.json", "corners.csv")
_DRAWN_SIZE = 256
_BLOCK, _LEAST_TO_HOLD_OUT = 5, 4
_SHEET_SIDE = 256


def read_sign_photos(folder: Path) -> list[SignPhoto]:
    """Return the signs of a folder of photos, in the order of their names.

    `corners.json` ({"1.png": [[x, y], …], …}) or `corners.csv` (path,x1,y1,x2,y2,…) in the folder says where
    the signs are: four corners of the face's square or eight of the octagon, clockwise from the left end of
    the top edge, in pixels of the upright photo. Photos that it does not name are searched for a stop sign's
    outline.

    Raises:
        StopSignError: naming the photo or file: there is none, it cannot be read, its corners are not convex,
            the sign is under 16 pixels high, no sign is found, or two photos differ in their suffix only.

    Warns:
        PhysadvWarning: something in the folder is left out, with its name.
    """
    if not folder.is_dir():
        raise StopSignError(f"{folder}: no such folder; wanted photos of signs")
    photos = pictures_in(folder)
    photos.sort(key=lambda path: (int(path.stem) if path.stem.isdecimal() else 0, path.name))
    if not photos:
        raise StopSignError(f"{folder}: no photos; wanted {KNOWN} files of signs")
    by_name = {path.stem: path for path in photos}
    for path in photos:
        if (other := by_name[path.stem]) != path:
            raise StopSignError(
                f"{folder}: {path.name} and {other.name} have one name; wanted one file a sign"
            )
    others = [path for path in visible(folder) if path.name not in CORNER_FILES]
    say_left_out(folder, others, {*photos}, "photos")
    corners = _read_corners(folder)
    if strangers := set(corners) - {path.name for path in photos}:
        raise StopSignError(f"{folder}: corners of '{min(strangers)}', of which there is no photo")
    return [_read(path, corners.get(path.name)) for path in photos]


def drawn_sign_photos(count: int, seed: int = 0) -> list[SignPhoto]:
    """Return stop signs that the project draws, in random poses, lights and places."""
    generator = np.random.default_rng(seed)
    drawn = []
    for index in range(count):
        pixels, corners = draw_posed_sign("stop", _DRAWN_SIZE, generator)
        drawn.append(SignPhoto(f"drawn-{index:02d}", from_pixels(pixels), face_homography(corners)))
    return drawn


def held_out(signs: Sequence[T]) -> tuple[list[T], list[T]]:
    """Return the signs to attack and those to judge by, blocks of up to five by turns; under four, all twice.

    Neighbours in a folder often are photos of one sign in one place, which should not be on both sides.
    """
    if len(signs) < _LEAST_TO_HOLD_OUT:
        return list(signs), list(signs)
    block = min(_BLOCK, len(signs) // _LEAST_TO_HOLD_OUT)
    sides: tuple[list[T], list[T]] = ([], [])
    for row, sign in enumerate(signs):
        sides[row // block % 2].append(sign)
    return sides


def rectified(signs: Sequence[SignPhoto], side: int = FACE_SIDE, margin: float = 0.0) -> Tensor:
    """Return the faces as their photos show them, float32 (V, 3, n, n), n = round(side · (1 + 2·margin)).

    The margin around the face is in sides of it; the photo's edge is extended where it ends.
    """
    whole, scale = round(side * (1 + 2 * margin)), side / FACE_SIDE
    # Pixels of the canvas from those of the shared face, the centre of (0, 0) on the other's.
    place = (scale - 1) / 2 + (whole - side) / 2
    to_canvas = torch.tensor([(scale, 0, place), (0, scale, place), (0, 0, 1)], dtype=torch.float64)
    faces = []
    for sign in signs:
        homography = (to_canvas @ torch.linalg.inv(sign.homography))[None]
        faces.append(warp_perspective(sign.photo[None], homography, None, (whole, whole)))
    return torch.cat(faces).clamp(0, 1)


def contact_sheet(signs: Sequence[SignPhoto], columns: int = 8) -> NDArray[np.uint8]:
    """Return a picture of every sign with its outline drawn on it, uint8 RGB, to be checked."""
    tiles = []
    for sign in signs:
        height, width = sign.photo.shape[-2:]
        scale = _SHEET_SIDE / max(height, width)
        tile = np.zeros((_SHEET_SIDE, _SHEET_SIDE, 3), np.uint8)
        small = cv2.resize(to_pixels(sign.photo), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tile[: small.shape[0], : small.shape[1]] = small
        seen = cv2.perspectiveTransform(octagon()[:, None], sign.homography.numpy())
        places = np.round(((seen + 0.5) * scale - 0.5) * 16).astype(np.int32)
        cv2.polylines(tile, [places], True, (0, 255, 0), 1, cv2.LINE_AA, 4)
        cv2.putText(tile, sign.name, (5, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[k : k + columns], 1) for k in range(0, len(tiles), columns)])


def _read(path: Path, corners: NDArray[np.float64] | None) -> SignPhoto:
    pixels = read_exact(path, lambda error: StopSignError(f"{path}: cannot be read as a photo ({error})"))
    if min(pixels.shape[:2]) < LEAST_SIDE:
        size = f"{pixels.shape[1]} × {pixels.shape[0]} pixels"
        raise StopSignError(f"{path}: {size}; wanted a sign at least {LEAST_SIDE} high")
    corners = next(iter(find_signs(pixels)), None) if corners is None else corners
    if corners is None:
        beside = path.parent / CORNER_FILES[0]
        raise StopSignError(f"{path}: no stop sign found; give its corners in {beside}")
    try:
        homography = face_homography(corners)
    except StopSignError as error:
        raise StopSignError(f"{path}: {error}") from error
    height = sign_height(homography)
    if height < LEAST_SIDE:
        raise StopSignError(f"{path}: the sign is {height:.0f} pixels high; wanted at least {LEAST_SIDE}")
    return SignPhoto(path.stem, from_pixels(pixels), homography)


def _read_corners(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Return the corners by photo that a file in the folder gives, none without one."""
    as_json, as_csv = (folder / name for name in CORNER_FILES)
    fault = "the corners beside the photos cannot be read"
    with reading(folder, lambda error: StopSignError(f"{folder}: {fault} ({error})")):
        if as_json.is_file():
            given = json.loads(as_json.read_text(encoding="utf-8"))
            return {str(name): _corners(as_json, name, values) for name, values in given.items()}
        if as_csv.is_file():
            with as_csv.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.reader(file) if row and row[0] != "path"]
            return {row[0]: _corners(as_csv, row[0], row[1:]) for row in rows}
    return {}


def _corners(path: Path, name: str, values: object) -> NDArray[np.float64]:
    try:
        numbers = np.array(values, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise StopSignError(f"{path}: corners of '{name}' are not numbers in pairs of x and y") from error
    return numbers
