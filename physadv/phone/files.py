"""The photo's file: the phone's JPEG, stored as its sensor was held, or what a messenger makes of it."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from physadv.phone.shots import Shot

CAMERA_MAKE, CAMERA_MODEL = "physadv", "virtual phone (simulated)"
MESSENGER_SIDE, MESSENGER_QUALITY = 1600, 70

_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation → how an upright photo is stored under it."""


def sent_size(shot: Shot) -> tuple[int, int]:
    """Return width and height of the upright file, pixels."""
    width, height = shot.camera.width, shot.camera.height
    if not shot.messenger:
        return width, height
    scale = min(1.0, MESSENGER_SIDE / max(width, height))
    return round(width * scale), round(height * scale)


def encode_jpeg(photo: NDArray[np.uint8], shot: Shot) -> bytes:
    """Return an upright photo (H, W, 3), uint8 sRGB, as a file whose EXIF says that it is simulated.

    A messenger (WhatsApp's standard quality, as commonly reported: 1600 pixels, JPEG near 70) decodes the
    phone's file, turns it upright and makes it smaller. Of the EXIF only the notice that the photo is
    simulated is kept.
    """
    stored = Image.fromarray(photo)
    if shot.messenger:
        stored = Image.open(io.BytesIO(_jpeg(stored, shot.quality, Image.Exif())))
        stored = stored.resize(sent_size(shot), Image.Resampling.BILINEAR)
        return _jpeg(stored, MESSENGER_QUALITY, _exif())
    exif = _exif()
    exif[ExifTags.Base.Orientation] = shot.orientation
    diagonal = math.hypot(shot.camera.width, shot.camera.height)
    focal_35mm = round(float(shot.camera.focal[0]) / diagonal * math.hypot(36, 24))
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = focal_35mm
    if shot.orientation in _TURNED:
        stored = stored.transpose(_TURNED[shot.orientation])
    return _jpeg(stored, shot.quality, exif)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = CAMERA_MAKE
    exif[ExifTags.Base.Model] = CAMERA_MODEL
    exif[ExifTags.Base.ImageDescription] = "simulated photograph, made by physadv"
    return exif


def _jpeg(image: Image.Image, quality: int, exif: Image.Exif) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling="4:2:0", exif=exif)
    return buffer.getvalue()
