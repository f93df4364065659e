"""QR codes in a photo: read by a cascade of decoders, and located to a tenth of a pixel by their modules.

zxing-cpp reads the photo halved, whole, then sharpened, and looks again at codes that it detects and cannot
read. pyzbar, if installed, looks for those still missing. `refine_corners` then mends the decoder's corners.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from time import thread_time
from types import ModuleType

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from physadv.capture.geometry import Pixels, Points
from physadv.sheets.codes import MODULES
from physadv.sheets.layout import box_corners

TEMPLATE_PIXELS, TEMPLATE_QUIET, MIN_ECC = 4, 2, 0.6
ENLARGED_UP_TO_PIXELS, HALVED_FROM_PIXELS, PYZBAR_PIXELS = 2_500_000, 6_000_000, 12_000_000
WALLPAPER_S, PATIENCE_S = 0.05, 2.0
MAX_SECOND_LOOKS = 100


@dataclass(frozen=True, eq=False)
class FoundCode:
    """A decoded code.

    Attributes:
        text: the text in it.
        corners: corners (4, 2) in the photo, pixels: from the code's top-left corner clockwise, and in a
            mirrored photo counter-clockwise.
        ordered: False if the decoder does not say which corner is the first, nor in which direction they run.
    """

    text: str
    corners: Points
    ordered: bool = True

    @property
    def middle(self) -> Points:
        """Return the middle of the code (2,) in the photo."""
        return np.asarray(self.corners.mean(axis=0))

    @property
    def reach(self) -> float:
        """Return half the longer side of the box around the code, pixels."""
        return float(np.ptp(self.corners, axis=0).max() / 2)

    def is_apart(self, middle: Points) -> bool:
        """Return whether another code with its middle there is another one, not this one read again."""
        return float(np.linalg.norm(self.middle - middle)) >= self.reach


def readings(gray: Pixels) -> Iterator[list[FoundCode]]:
    """Yield the codes that each reader of `CASCADE` finds in a photo (H, W), the fastest reader first.

    The time of a decoder grows with the square of the number of things that look like the corner of a code; a
    wallpaper of them would take minutes. Such a photo is not read, and no further reader starts once a photo
    has taken two seconds.
    """
    if _is_wallpaper(gray):
        return
    started = thread_time()
    for reader in CASCADE:
        yield reader(gray)
        if thread_time() - started > PATIENCE_S:
            return


def read_small(gray: Pixels) -> list[FoundCode]:
    """Return the codes read at half the size, which is five times faster; none for a small photo."""
    if gray.size < HALVED_FROM_PIXELS:
        return []
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    found = map(_placed, _seen(half, try_downscale=False, try_invert=False))
    return [FoundCode(code.text, 2 * code.corners + 0.5) for code in found]


def read_whole(gray: Pixels) -> list[FoundCode]:
    """Return the codes that zxing-cpp reads with all of its own attempts, and those read at a second look."""
    return _zxing_and_second_look(gray, gray)


def read_sharpened(gray: Pixels) -> list[FoundCode]:
    """Return the codes read after an unsharp mask; a small photo is doubled first."""
    double = gray.size <= ENLARGED_UP_TO_PIXELS
    seen = cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) if double else gray
    sharp = cv2.addWeighted(seen, 2.5, cv2.GaussianBlur(seen, (0, 0), 3), -1.5, 0)
    found = _zxing_and_second_look(sharp, seen)
    return [FoundCode(code.text, code.corners / 2 - 0.25) for code in found] if double else found


def read_with_pyzbar(gray: Pixels) -> list[FoundCode]:
    """Return the codes that pyzbar reads, with corners in no order; none if its library is not installed."""
    pyzbar = _pyzbar()
    if pyzbar is None:
        return []
    scale = min(1.0, (PYZBAR_PIXELS / gray.size) ** 0.5)
    seen = gray if scale == 1 else cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = []
    for code in pyzbar.decode(np.ascontiguousarray(seen), symbols=[pyzbar.ZBarSymbol.QRCODE]):
        hull = np.array(code.polygon, dtype=np.int32)
        corners = hull if len(hull) == 4 else cv2.boxPoints(cv2.minAreaRect(hull))
        place = (corners.astype(np.float64) + 0.5) / scale - 0.5
        found.append(FoundCode(code.data.decode("utf-8", "replace"), place, ordered=False))
    return found


CASCADE = (read_small, read_whole, read_sharpened, read_with_pyzbar)
"""Readers from the fastest to the most thorough."""


def _is_wallpaper(gray: Pixels) -> bool:
    """Return whether a sixteenth of the photo, sampled from all over it, takes a decoder unusually long."""
    # A sheet takes 1 ms at 12 megapixels, pure noise takes 20 ms at 48.
    if gray.size < HALVED_FROM_PIXELS:
        return False
    height, width = (side // 4 for side in gray.shape)
    rows = [gray[y : y + height // 4] for y in range(0, 4 * height, height)]
    parts = [[row[:, x : x + width // 4] for x in range(0, 4 * width, width)] for row in rows]
    started = thread_time()
    _seen(np.block(parts))
    return thread_time() - started > WALLPAPER_S


def read_at(gray: Pixels, corners: Points) -> FoundCode | None:
    """Return the code whose corners (4, 2) should be at these pixels, or None: a second look at one place.

    The place is rectified to 8 pixels per module and read as it is, then sharpened, then thresholded.
    """
    quiet, scale = 4, 8
    side = (MODULES + 2 * quiet) * scale
    target = box_corners((quiet * scale - 0.5, quiet * scale - 0.5, MODULES * scale, MODULES * scale))
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    patch = cv2.warpPerspective(gray, warp, (side, side), flags=cv2.INTER_LINEAR, borderValue=255)
    sharp = cv2.addWeighted(patch, 2.5, cv2.GaussianBlur(patch, (0, 0), scale / 2), -1.5, 0)
    _, binary = cv2.threshold(sharp, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    seen = _seen(patch) or _seen(sharp) or _seen(binary)
    found = [*map(_placed, seen)] or read_with_pyzbar(binary)
    if not found:
        return None
    place = cv2.perspectiveTransform(found[0].corners[None], np.linalg.inv(warp))[0]
    return replace(found[0], corners=place.astype(np.float64))


def refine_corners(gray: Pixels, corners: Points, matrix: NDArray[np.bool_]) -> Points | None:
    """Return the corners (4, 2) of a code, fitted to its modules, or None if the photo does not show these.

    The fit maximises the enhanced correlation coefficient (Evangelidis & Psarakis 2008) of modules, True for
    dark ones, and photo (H, W), from corners (4, 2) in pixels. It does not depend on brightness and
    contrast, and blur does not bias it, since a code has edges of both signs.
    """
    template, template_corners = _template(matrix.tobytes(), len(matrix))
    margin = 0.3 * float(np.ptp(corners, axis=0).max()) + 4
    height, width = gray.shape
    left, top = np.maximum(np.floor(corners.min(axis=0) - margin), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0) + margin), (width - 1, height - 1)).astype(int)
    region = gray[top : bottom + 1, left : right + 1]
    if min(region.shape) < 2 * len(matrix):
        return None
    begin = (corners - (left, top)).astype(np.float32)
    start = cv2.getPerspectiveTransform(template_corners.astype(np.float32), begin).astype(np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-6)
    try:
        score, warp = cv2.findTransformECC(template, region, start, cv2.MOTION_HOMOGRAPHY, stop, None, 5)
    except cv2.error:
        return None
    if score < MIN_ECC:
        return None
    refined: Points = cv2.perspectiveTransform(template_corners[None], warp.astype(np.float64))[0]
    return np.add(refined, (left, top))


def in_own_order(gray: Pixels, code: FoundCode, matrix: NDArray[np.bool_]) -> FoundCode:
    """Return a code with its corners in the code's own order, counter-clockwise in a mirrored photo.

    zxing-cpp gives the corners of a mirrored code clockwise, and pyzbar gives them in no order. The order is
    chosen for which the photo agrees best with the modules of the code (H, W), True for dark ones.
    """
    around = code.corners
    if not code.ordered:
        around = around[np.argsort(np.arctan2(*(around - code.middle).T[::-1]))]
    size = len(matrix)
    square = box_corners((-0.5, -0.5, size, size))
    warp = cv2.getPerspectiveTransform(square.astype(np.float32), around.astype(np.float32))
    seen = cv2.warpPerspective(gray, warp, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    light = np.where(matrix, -1.0, 1.0)
    light -= light.mean()
    views = []
    for first in range(1 if code.ordered else 4):
        upright, corners = np.rot90(seen, first), np.roll(around, -first, axis=0)
        views.append((float((upright * light).sum()), corners))
        views.append((float((upright.T * light).sum()), corners[[0, 3, 2, 1]]))
    return FoundCode(code.text, max(views, key=lambda view: view[0])[1])


def _zxing_and_second_look(searched: Pixels, gray: Pixels) -> list[FoundCode]:
    """Return the codes in `searched`; those detected there but not read are looked at again in `gray`."""
    seen = _seen(searched, return_errors=True)
    found = [_placed(barcode) for barcode in seen if barcode.valid]
    looked = [code.middle for code in found]
    for code in (_placed(barcode) for barcode in seen if not barcode.valid):
        if not all(code.is_apart(other) for other in looked):
            continue
        looked.append(code.middle)
        again = read_at(gray, code.corners)
        found += [again] if again else []
        if len(looked) > MAX_SECOND_LOOKS:
            break
    return found


def _seen(gray: Pixels, **options: bool) -> "list[zxingcpp.Barcode]":
    return list(zxingcpp.read_barcodes(gray, formats=zxingcpp.BarcodeFormat.QRCode, **options))


def _placed(barcode: "zxingcpp.Barcode") -> FoundCode:
    at = barcode.position
    corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    # zxing-cpp counts pixel corners, everything here counts pixel centres.
    return FoundCode(barcode.text, np.array([(corner.x, corner.y) for corner in corners], np.float64) - 0.5)


@cache
def _pyzbar() -> ModuleType | None:
    """Return pyzbar, or None if the zbar library (Debian: libzbar0) is not installed."""
    try:
        return import_module("pyzbar.pyzbar")
    except ImportError:
        return None


@cache
def _template(modules: bytes, size: int) -> tuple[Pixels, Points]:
    matrix = np.frombuffer(modules, dtype=bool).reshape(size, size)
    light = np.where(np.pad(matrix, TEMPLATE_QUIET), 0, 255).astype(np.uint8)
    image = np.kron(light, np.ones((TEMPLATE_PIXELS, TEMPLATE_PIXELS), np.uint8))
    low, side = TEMPLATE_QUIET * TEMPLATE_PIXELS - 0.5, size * TEMPLATE_PIXELS
    return image, box_corners((low, low, side, side))
