"""Photos of any format that phones write, with what their EXIF says of the camera."""

from dataclasses import dataclass
from pathlib import Path

import cv2
from PIL import ExifTags, Image

from physadv.capture.geometry import Pinhole, Pixels
from physadv.errors import PhysadvError
from physadv.pictures.listing import ENDINGS
from physadv.pictures.reading import PictureError, read_picture

SIMULATED = "simulated"


class CaptureError(PhysadvError):
    """A photo cannot be used; the message is the reason as users read it."""


@dataclass(frozen=True)
class Photo:
    """An upright photo.

    Attributes:
        rgb: pixels (H, W, 3), uint8 sRGB.
        gray: luma (H, W), uint8.
        camera: maker and model of the camera; empty if EXIF has none.
        focal_35mm: focal length for a film frame of 36 × 24 mm; None if EXIF has none.
    """

    rgb: Pixels
    gray: Pixels
    camera: str
    focal_35mm: float | None = None

    @property
    def simulated(self) -> bool:
        """Return whether the virtual phone took the photo."""
        return SIMULATED in self.camera

    @property
    def pinhole(self) -> Pinhole:
        """Return what is known of the camera's geometry."""
        height, width = self.gray.shape
        return Pinhole(width, height, self.focal_35mm)


def read_photo(path: Path) -> Photo:
    """Read a photo: a JPEG, PNG, HEIC, AVIF, TIFF, WebP, BMP, GIF or PPM file, turned upright, in sRGB.

    Raises:
        CaptureError: the file is no such image, is named as another format, is damaged, contains several
            pictures, or is too large.
        MachineError: there was not enough memory to decode it, which says nothing about the file.
        OSError: the file cannot be opened or read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (40, 30), "red").save(Path(folder) / "photo.png")
    ...     photo = read_photo(Path(folder) / "photo.png")
    >>> photo.rgb.shape, photo.rgb[0, 0].tolist(), photo.gray.shape, photo.camera
    ((30, 40, 3), [255, 0, 0], (30, 40), '')
    """
    try:
        picture = read_picture(path)
    except PictureError as error:
        raise CaptureError(str(error)) from error
    refuse_misnamed(path, picture.form)
    gray = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY)
    return Photo(picture.rgb, gray, _camera(picture.exif), _focal_35mm(picture.exif))


def _camera(exif: Image.Exif) -> str:
    names = (str(exif.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    return " ".join(filter(None, names))


def _focal_35mm(exif: Image.Exif) -> float | None:
    """Return the focal length from EXIF, None if it has none or an absurd one."""
    value = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
    return float(value) if isinstance(value, int) and 8 <= value <= 500 else None


def refuse_misnamed(path: Path, holds: str) -> None:
    """Refuse a file named as another format than it `holds`, a key of `ENDINGS`: mixed up, or damaged.

    Raises:
        CaptureError: the name ends as those of another format do.
    """
    ending = path.suffix.lower()
    named = next((form for form, endings in ENDINGS.items() if ending in endings), holds)
    if named != holds:
        wrong = f"named {path.suffix}, which means {named}, but contains {holds}"
        raise CaptureError(f"{wrong}; if it is intact, rename it to {ENDINGS[holds][0]}")
