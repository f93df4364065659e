"""Where page points landed in a photo, exactly, and what of the page can be seen: for checking only.

Cropping never sees any of this.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from physadv.phone.paper import Points
from physadv.phone.photo import sent_size
from physadv.phone.shots import Shot

GRID_MM = 0.5
NEAR_ROD_MM = 0.5


def page_to_photo(shot: Shot, points_mm: Points, sheet: int = 0) -> Points:
    """Return where page points (N, 2), mm from the page's top-left, landed in the upright file, pixels.

    Args:
        shot: the exposure.
        points_mm: on the printed page.
        sheet: which of the shot's papers.
    """
    surface = torch.from_numpy(shot.papers[sheet].surface(points_mm))
    scale = _file_scale(shot)
    pixels: Points = (shot.camera.project(surface)[0].numpy() + 0.5) * scale - 0.5
    return pixels


def photo_to_page(shot: Shot, pixels: Points, sheet: int = 0) -> Points:
    """Return the page points (N, 2) in mm seen at pixels (N, 2) of the upright file.

    Raises:
        PhoneError: seen from there, part of the page hides another.
    """
    camera_pixels = (pixels + 0.5) / _file_scale(shot) - 0.5
    origin, directions = shot.camera.rays(torch.from_numpy(camera_pixels))
    return shot.papers[sheet].seen_along(origin[0, 0].numpy(), directions[0].numpy())[0]


def wholly_visible(shot: Shot, box_mm: tuple[float, float, float, float], sheet: int = 0) -> bool:
    """Return whether a box on a page, [x, y, w, h] in mm, is in the photo and nothing lies over any of it."""
    x, y, w, h = box_mm
    columns = np.linspace(x, x + w, round(w / GRID_MM) + 1)
    rows = np.linspace(y, y + h, round(h / GRID_MM) + 1)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    pixels = page_to_photo(shot, points, sheet)
    size = np.array(sent_size(shot))
    if (pixels < 0).any() or (pixels > size - 1).any():
        return False
    camera_pixels = (pixels + 0.5) / _file_scale(shot) - 0.5
    plane = shot.camera.unproject(torch.from_numpy(camera_pixels))[0]
    if any(bool((rod.distance(plane) < NEAR_ROD_MM).any()) for rod in shot.rods):
        return False
    return not any(
        _inside(photo_to_page(shot, pixels, above), shot.papers[above].page_mm).any()
        for above in range(sheet + 1, len(shot.papers))
    )


def _inside(points: Points, page_mm: tuple[float, float]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.all((points >= 0) & (points <= page_mm), axis=1)
    return inside


def _file_scale(shot: Shot) -> Points:
    """Return pixels of the file per pixel of the camera, along x and y."""
    return np.array(sent_size(shot)) / (shot.camera.width, shot.camera.height)
