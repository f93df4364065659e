"""One way to read a photo, whatever the phone wrote: upright, 8-bit RGB, with the camera's name from EXIF."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from physadv.errors import PhysadvError

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"}
SIMULATED = "simulated"


class CaptureError(PhysadvError):
    """A photo cannot be used; the message is the reason a person is told."""


@dataclass(frozen=True)
class Photo:
    """An upright photo: `rgb` (H, W, 3) uint8, `gray` (H, W) uint8, and the camera's name.

    `focal_35mm` is the focal length on a film frame of 36 × 24 mm, None where EXIF does not tell.
    """

    rgb: NDArray[np.uint8]
    gray: NDArray[np.uint8]
    camera: str
    focal_35mm: float | None = None

    @property
    def simulated(self) -> bool:
        """Return whether the virtual phone took it."""
        return SIMULATED in self.camera


def read_photo(path: Path) -> Photo:
    """Return a photo turned upright.

    Raises:
        CaptureError: the file is no image, is damaged, or is too large to be read safely.
    """
    try:
        with warnings.catch_warnings():
            # Of 89 megapixels, which phones exceed (from twice that Pillow refuses), and of odd metadata.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                exif = image.getexif()
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # Pillow's decoders raise whatever damaged bytes make them trip over.
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CaptureError(f"not a readable image: {cause}") from error
    names = (str(exif.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    rgb = np.asarray(upright)
    camera = " ".join(name for name in names if name)
    return Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), camera, _focal_35mm(exif))


def _focal_35mm(exif: Image.Exif) -> float | None:
    """Return the focal length that EXIF tells, None where it tells none or nonsense."""
    value = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
    return float(value) if isinstance(value, int) and 8 <= value <= 500 else None
