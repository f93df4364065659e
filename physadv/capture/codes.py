"""QR codes in a photo: read, and placed to a tenth of a pixel by fitting their own modules (ECC).

zxing-cpp reads; pyzbar, where its library is installed, is asked again about a place where a code must be.
Decoder corners are off by a pixel and more, so they only start the fit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

Points = NDArray[np.float64]

TEMPLATE_PIXELS = 4
TEMPLATE_QUIET = 2
MIN_ECC = 0.6


@dataclass(frozen=True)
class FoundCode:
    """A decoded code: its text and its corners (4, 2) in the photo, top-left of the code first, clockwise."""

    text: str
    corners: Points


def find_codes(gray: NDArray[np.uint8]) -> list[FoundCode]:
    """Return every QR code that zxing-cpp reads in a photo (H, W), corners as the decoder gives them."""
    found = zxingcpp.read_barcodes(gray, formats=zxingcpp.BarcodeFormat.QRCode)
    return [FoundCode(code.text, _decoder_corners(code.position)) for code in found if code.valid]


def refine_corners(gray: NDArray[np.uint8], corners: Points, matrix: NDArray[np.bool_]) -> Points | None:
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


def read_at(gray: NDArray[np.uint8], corners: Points, modules: int) -> str | None:
    """Return the text of a code that must stand at `corners` (4, 2), or None: the second look at a place.

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
    for view in (patch, sharp, binary):
        texts = [code.text for code in find_codes(view)]
        if texts:
            return texts[0]
    second = _pyzbar()
    return second(binary) if second else None


@cache
def _pyzbar() -> Callable[[NDArray[np.uint8]], str | None] | None:
    """Return pyzbar's reader, or None where Debian's libzbar0 (or its like) is not installed."""
    try:
        from pyzbar.pyzbar import ZBarSymbol, decode
    except ImportError:
        return None

    def read(view: NDArray[np.uint8]) -> str | None:
        found = decode(view, symbols=[ZBarSymbol.QRCODE])
        return found[0].data.decode("ascii", "replace") if found else None

    return read


def _decoder_corners(position: "zxingcpp.Position") -> Points:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    # zxing-cpp counts pixel corners, everything here counts pixel centres.
    return np.array([(corner.x, corner.y) for corner in corners], dtype=np.float64) - 0.5


@cache
def _template(modules: bytes, size: int) -> tuple[NDArray[np.uint8], Points]:
    matrix = np.frombuffer(modules, dtype=bool).reshape(size, size)
    light = np.where(np.pad(matrix, TEMPLATE_QUIET), 0, 255).astype(np.uint8)
    image = np.kron(light, np.ones((TEMPLATE_PIXELS, TEMPLATE_PIXELS), np.uint8))
    low = TEMPLATE_QUIET * TEMPLATE_PIXELS - 0.5
    high = low + size * TEMPLATE_PIXELS
    return image, np.array([(low, low), (high, low), (high, high), (low, high)], dtype=np.float64)
