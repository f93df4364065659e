"""QR codes in a photo: read by a cascade of decoders, and placed to a tenth of a pixel by their own modules.

zxing-cpp reads, first at half the photo's size, then whole, then sharpened; where it sees a code and cannot
read it, the place is rectified, enlarged and read again. pyzbar, where its library is installed, is asked for
what is still missed. Decoder corners are off by a pixel and more, so they only start the fit of
`refine_corners`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from time import thread_time

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from physadv.sheets.codes import MODULES

Points = NDArray[np.float64]
Gray = NDArray[np.uint8]

TEMPLATE_PIXELS = 4
TEMPLATE_QUIET = 2
MIN_ECC = 0.6
HALVED_FROM_PIXELS = 6_000_000
WALLPAPER_S, PATIENCE_S = 0.05, 2.0
PYZBAR_PIXELS = 12_000_000
MAX_SECOND_LOOKS = 100
ENLARGED_UP_TO_PIXELS = 2_500_000


@dataclass(frozen=True, eq=False)
class FoundCode:
    """A decoded code: its text and its corners (4, 2) in the photo, top-left of the code first, clockwise.

    In a mirrored photo the corners run counter-clockwise. `ordered` is False where the decoder tells neither
    which corner is the first nor which way they run.
    """

    text: str
    corners: Points
    ordered: bool = True


def find_codes(gray: Gray) -> list[FoundCode]:
    """Return the QR codes in a photo (H, W), from the first of `CASCADE` that reads any."""
    return next((found for found in readings(gray) if found), [])


def readings(gray: Gray) -> Iterator[list[FoundCode]]:
    """Yield what each reader of `CASCADE` finds in a photo (H, W), quickest first, while there is time.

    Decoders take time as the square of the number of things that look like a code's corner: a wallpaper of
    them would take minutes. Such a photo is not read, and none for longer than a few seconds.
    """
    if _is_wallpaper(gray):
        return
    started = thread_time()
    for reader in CASCADE:
        yield reader(gray)
        if thread_time() - started > PATIENCE_S:
            return


def read_small(gray: Gray) -> list[FoundCode]:
    """Return what is read at half the size, five times faster; nothing where the photo is small anyway."""
    if gray.size < HALVED_FROM_PIXELS:
        return []
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    found = _zxing(half, try_downscale=False, try_invert=False)
    return [FoundCode(code.text, 2 * code.corners + 0.5) for code in found]


def read_whole(gray: Gray) -> list[FoundCode]:
    """Return what zxing-cpp reads with all it tries by itself, and what it only sees, read at its place."""
    return _zxing_and_second_look(gray, gray)


def read_sharpened(gray: Gray) -> list[FoundCode]:
    """Return what is read after an unsharp mask, small photos being doubled first."""
    double = gray.size <= ENLARGED_UP_TO_PIXELS
    seen = cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) if double else gray
    sharp = cv2.addWeighted(seen, 2.5, cv2.GaussianBlur(seen, (0, 0), 3), -1.5, 0)
    found = _zxing_and_second_look(sharp, seen)
    return [FoundCode(code.text, code.corners / 2 - 0.25) for code in found] if double else found


def read_with_pyzbar(gray: Gray) -> list[FoundCode]:
    """Return what pyzbar reads; nothing where its library is not installed. Their corners are not ordered."""
    decode = _pyzbar()
    if decode is None:
        return []
    scale = min(1.0, (PYZBAR_PIXELS / gray.size) ** 0.5)
    seen = gray if scale == 1 else cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return [
        FoundCode(code.text, (code.corners + 0.5) / scale - 0.5, ordered=False)
        for code in decode(np.ascontiguousarray(seen))
    ]


CASCADE: tuple[Callable[[Gray], list[FoundCode]], ...] = (
    read_small,
    read_whole,
    read_sharpened,
    read_with_pyzbar,
)
"""Readers from the quickest to the most stubborn."""


def _is_wallpaper(gray: Gray) -> bool:
    """Return whether a sixteenth of the photo, taken from all over it, takes a decoder uncommonly long.

    A sheet takes 1 ms at 12 megapixels, pure noise 20 ms at 48.
    """
    if gray.size < HALVED_FROM_PIXELS:
        return False
    height, width = (side // 4 for side in gray.shape)
    rows = [gray[y : y + height // 4] for y in range(0, 4 * height, height)]
    sample = np.vstack(
        [np.hstack([row[:, x : x + width // 4] for x in range(0, 4 * width, width)]) for row in rows]
    )
    started = thread_time()
    _zxing(sample)
    return thread_time() - started > WALLPAPER_S


def read_at(gray: Gray, corners: Points, modules: int) -> FoundCode | None:
    """Return the code that must stand about `corners` (4, 2), or None: the second look at a place.

    The place is rectified to 8 pixels a module and tried as it is, sharpened and thresholded.
    """
    quiet, scale = 4, 8
    side = (modules + 2 * quiet) * scale
    edge = np.array([quiet * scale, (quiet + modules) * scale]) - 0.5
    target = np.array([(edge[0], edge[0]), (edge[1], edge[0]), (edge[1], edge[1]), (edge[0], edge[1])])
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    patch = cv2.warpPerspective(gray, warp, (side, side), flags=cv2.INTER_LINEAR, borderValue=255)
    sharp = cv2.addWeighted(patch, 2.5, cv2.GaussianBlur(patch, (0, 0), scale / 2), -1.5, 0)
    _, binary = cv2.threshold(sharp, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    found = _zxing(patch) or _zxing(sharp) or _zxing(binary) or read_with_pyzbar(binary)
    if not found:
        return None
    place = cv2.perspectiveTransform(found[0].corners[None], np.linalg.inv(warp))[0]
    return replace(found[0], corners=place.astype(np.float64))


def refine_corners(gray: Gray, corners: Points, matrix: NDArray[np.bool_]) -> Points | None:
    """Return a code's corners (4, 2) fitted to its modules, or None where the picture does not show them.

    Enhanced correlation coefficient maximisation (Evangelidis & Psarakis 2008) of the modules against the
    photo: blind to brightness and contrast, and unbiased by blur because a code has edges of both signs.
    """
    template, template_corners = _template(matrix.tobytes(), len(matrix))
    margin = 0.3 * float(np.ptp(corners, axis=0).max()) + 4
    height, width = gray.shape
    left, top = np.maximum(np.floor(corners.min(axis=0) - margin), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0) + margin), (width - 1, height - 1)).astype(int)
    region = gray[top : bottom + 1, left : right + 1]
    if min(region.shape) < 2 * len(matrix):
        return None
    start = cv2.getPerspectiveTransform(
        template_corners.astype(np.float32), (corners - (left, top)).astype(np.float32)
    )
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-6)
    try:
        score, warp = cv2.findTransformECC(
            template, region, start.astype(np.float32), cv2.MOTION_HOMOGRAPHY, stop, None, 5
        )
    except cv2.error:
        return None
    if score < MIN_ECC:
        return None
    refined: Points = cv2.perspectiveTransform(template_corners[None], warp.astype(np.float64))[0]
    return np.add(refined, (left, top))


def in_own_order(gray: Gray, code: FoundCode, matrix: NDArray[np.bool_]) -> FoundCode:
    """Return a code with its corners in its own order, counter-clockwise where the photo is mirrored.

    zxing-cpp turns the corners of a mirrored code clockwise, pyzbar tells no order at all: the order is the
    one in which the photo shows the code's modules (H, W), True where dark.
    """
    middle = code.corners.mean(axis=0)
    around = code.corners
    if not code.ordered:
        around = around[np.argsort(np.arctan2(*(around - middle).T[::-1]))]
    size = len(matrix)
    square = np.array([(0, 0), (size, 0), (size, size), (0, size)], dtype=np.float32) - np.float32(0.5)
    warp = cv2.getPerspectiveTransform(square, around.astype(np.float32))
    seen = cv2.warpPerspective(gray, warp, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    light = np.where(matrix, -1.0, 1.0) - np.where(matrix, -1.0, 1.0).mean()
    views = []
    for first in range(1 if code.ordered else 4):
        upright, corners = np.rot90(seen, first), np.roll(around, -first, axis=0)
        views.append((float((upright * light).sum()), corners))
        views.append((float((upright.T * light).sum()), corners[[0, 3, 2, 1]]))
    return FoundCode(code.text, max(views, key=lambda view: view[0])[1])


def _zxing(gray: Gray, **options: bool) -> list[FoundCode]:
    return [FoundCode(code.text, _decoder_corners(code.position)) for code in _seen(gray, **options)]


def _zxing_and_second_look(searched: Gray, gray: Gray) -> list[FoundCode]:
    """Return the codes of `searched`; what is seen there and not read is looked at again in `gray`, its like.

    A second look reads codes of as many modules as this program's.
    """
    codes = _seen(searched, return_errors=True)
    found = [FoundCode(code.text, _decoder_corners(code.position)) for code in codes if code.valid]
    looked: list[Points] = [code.corners.mean(axis=0) for code in found]
    for code in codes:
        corners = _decoder_corners(code.position)
        middle, reach = corners.mean(axis=0), np.ptp(corners, axis=0).max() / 2
        if code.valid or any(np.linalg.norm(middle - other) < reach for other in looked):
            continue
        looked.append(middle)
        again = read_at(gray, corners, MODULES)
        found += [again] if again else []
        if len(looked) > MAX_SECOND_LOOKS:
            break
    return found


def _seen(gray: Gray, **options: bool) -> "list[zxingcpp.Barcode]":
    found: list[zxingcpp.Barcode] = zxingcpp.read_barcodes(
        gray, formats=zxingcpp.BarcodeFormat.QRCode, **options
    )
    return found


def _decoder_corners(position: "zxingcpp.Position") -> Points:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    # zxing-cpp counts pixel corners, everything here counts pixel centres.
    return np.array([(corner.x, corner.y) for corner in corners], dtype=np.float64) - 0.5


@cache
def _pyzbar() -> Callable[[Gray], list[FoundCode]] | None:
    """Return pyzbar's reader, or None where Debian's libzbar0 (or its like) is not installed."""
    try:
        from pyzbar.pyzbar import ZBarSymbol, decode
    except ImportError:
        return None

    def read(gray: Gray) -> list[FoundCode]:
        return [
            FoundCode(code.data.decode("utf-8", "replace"), _quadrilateral(code.polygon))
            for code in decode(gray, symbols=[ZBarSymbol.QRCODE])
        ]

    return read


def _quadrilateral(polygon: Sequence[tuple[int, int]]) -> Points:
    """Return four corners of a hull, which mostly has just four."""
    if len(polygon) == 4:
        return np.array(polygon, dtype=np.float64)
    corners: NDArray[np.float32] = cv2.boxPoints(cv2.minAreaRect(np.array(polygon, dtype=np.int32)))
    return corners.astype(np.float64)


@cache
def _template(modules: bytes, size: int) -> tuple[Gray, Points]:
    matrix = np.frombuffer(modules, dtype=bool).reshape(size, size)
    light = np.where(np.pad(matrix, TEMPLATE_QUIET), 0, 255).astype(np.uint8)
    image = np.kron(light, np.ones((TEMPLATE_PIXELS, TEMPLATE_PIXELS), np.uint8))
    low = TEMPLATE_QUIET * TEMPLATE_PIXELS - 0.5
    high = low + size * TEMPLATE_PIXELS
    return image, np.array([(low, low), (high, low), (high, high), (low, high)], dtype=np.float64)
