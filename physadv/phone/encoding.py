"""The photo's file: JPEG, EXIF that says the photo is simulated, and what a messenger leaves of both."""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from physadv.phone.shots import Shot, sent_size

_MESSENGER_QUALITY = 70


def encode_jpeg(photo: NDArray[np.uint8], shot: Shot) -> bytes:
    """Return an upright photo (H, W, 3), uint8 sRGB, as a file whose EXIF says that it is simulated.

    A messenger (WhatsApp's standard quality, as commonly reported: 1600 pixels, JPEG near 70) decodes the
    phone's file, turns it upright and makes it smaller. Of the EXIF only the notice that the photo is
    simulated is kept.
    """
    stored = Image.fromarray(photo)
    if shot.messenger:
        stored = Image.open(io.BytesIO(_jpeg(stored, Image.Exif(), shot)), formats=["JPEG"])
        stored = stored.resize(sent_size(shot), Image.Resampling.BILINEAR)
        return _jpeg(stored, _exif())
    exif = _exif()
    exif[ExifTags.Base.Orientation] = shot.orientation
    diagonal = math.hypot(shot.camera.width, shot.camera.height)
    focal_35mm = round(float(shot.camera.focal[0]) / diagonal * math.hypot(36, 24))
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = focal_35mm
    # What stands upright is stored as what stands turned the other way is set upright.
    stored.getexif()[ExifTags.Base.Orientation] = {6: 8, 8: 6}.get(shot.orientation, shot.orientation)
    return _jpeg(ImageOps.exif_transpose(stored), exif, shot)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "physadv"
    exif[ExifTags.Base.Model] = "virtual phone (simulated)"
    exif[ExifTags.Base.ImageDescription] = "simulated photograph, made by physadv"
    return exif


def _jpeg(image: Image.Image, exif: Image.Exif, shot: Shot | None = None) -> bytes:
    """Return a file as the shot's phone writes it, or as a messenger does."""
    if shot is None:
        tables: dict[str, Any] = {"quality": _MESSENGER_QUALITY, "subsampling": "4:2:0"}
    elif shot.quantisers is None:
        tables = {"quality": shot.quality, "subsampling": shot.subsampling}
    else:
        tables = {"qtables": shot.quantisers, "subsampling": shot.subsampling}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, **tables)
    return buffer.getvalue()
