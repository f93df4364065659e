"""One way to read a photo, whatever the phone wrote: upright, 8-bit sRGB, with the camera's name from EXIF.

A JPEG of n pixels takes 4 n bytes, the RGB and the gray copy; other formats 7 n while they are read, since
Pillow has a copy of its own, and WebP 16 n. Above 64 megapixels the photo is halved, JPEG while it is
decoded, others right after; above 210 it is refused.
"""

import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from physadv.capture.damage import shifted_from
from physadv.errors import PhysadvError

SIMULATED = "simulated"
# Named, so that no other of Pillow's decoders is ever tried on a file from outside.
FORMATS = ("JPEG", "PNG", "HEIF", "AVIF", "TIFF", "WEBP")
# What a file's name may end in, the usual ending first; any other ending says nothing of what is in it.
ENDINGS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png",),
    "HEIF": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "MP4": (".mp4", ".m4v", ".mov", ".qt", ".3gp"),
}
# What Pillow calls a JPEG: MPO has further pictures behind the photo.
JPEG = ("JPEG", "MPO")
WHOLE_PIXELS = 64_000_000
MAX_PIXELS = 210_000_000
STRIP_ROWS = 128
DNG_VERSION = 50706

DAMAGED_JPEG = "not a readable image: damaged JPEG ({cause}); if it looks whole, save it again"

Pixels = NDArray[np.uint8]

_TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda rgb: cv2.flip(rgb, 1),
    3: lambda rgb: cv2.rotate(rgb, cv2.ROTATE_180),
    4: lambda rgb: cv2.flip(rgb, 0),
    5: lambda rgb: cv2.transpose(rgb),
    6: lambda rgb: cv2.rotate(rgb, cv2.ROTATE_90_CLOCKWISE),
    7: lambda rgb: cv2.rotate(cv2.transpose(rgb), cv2.ROTATE_180),
    8: lambda rgb: cv2.rotate(rgb, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
_OPENING = threading.Lock()

pillow_heif.register_heif_opener()


class CaptureError(PhysadvError):
    """A photo cannot be used; the message is the reason a person is told."""


@dataclass(frozen=True)
class Photo:
    """An upright photo: `rgb` (H, W, 3) uint8 sRGB, `gray` (H, W) uint8, and the camera's name.

    `focal_35mm` is the focal length on a film frame of 36 × 24 mm, None where EXIF does not tell.
    """

    rgb: Pixels
    gray: Pixels
    camera: str
    focal_35mm: float | None = None

    @property
    def simulated(self) -> bool:
        """Return whether the virtual phone took it."""
        return SIMULATED in self.camera


def read_photo(path: Path) -> Photo:
    """Return a JPEG, PNG, HEIC, AVIF, TIFF or WebP photo turned upright.

    Colours of an embedded ICC profile (Display P3 on many phones) become sRGB; 16-bit gray, CMYK and palettes
    become 8-bit RGB; what is transparent becomes white.

    Raises:
        CaptureError: the file is no such image, has the ending of another format, is damaged, holds several
            pictures, or is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            rgb, exif = _decode(path)
    except CaptureError:
        raise
    except UnidentifiedImageError as error:
        raise CaptureError("not a readable image: no JPEG, PNG, HEIC, AVIF, TIFF or WebP") from error
    except Exception as error:  # Pillow's decoders raise whatever damaged bytes make them trip over.
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CaptureError(f"not a readable image: {cause}") from error
    turn = _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    rgb = turn(rgb) if turn else rgb
    return Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), _camera(exif), _focal_35mm(exif))


def _decode(path: Path) -> tuple[Pixels, Image.Exif]:
    """Return the pixels as they are stored, and what the camera wrote beside them."""
    data = path.read_bytes()
    with _size_unlimited():
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    with image:
        _refuse_what_is_no_photo(image)
        refuse_misnamed(path, "JPEG" if image.format in JPEG else str(image.format))
        exif = image.getexif()
        exif.get_ifd(ExifTags.IFD.Exif)
        halved = image.width * image.height > WHOLE_PIXELS
        if isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode == "RGB":
            return _jpeg(data, image, halved), exif
        return _others(_eight_bit(image), halved), exif


def _camera(exif: Image.Exif) -> str:
    names = (str(exif.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    return " ".join(name for name in names if name)


def _focal_35mm(exif: Image.Exif) -> float | None:
    """Return the focal length that EXIF tells, None where it tells none or nonsense."""
    value = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
    return float(value) if isinstance(value, int) and 8 <= value <= 500 else None


@contextmanager
def _size_unlimited() -> Iterator[None]:
    """Lift Pillow's limit of 179 megapixels, which is one for the whole process, while a file is opened."""
    with _OPENING:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _refuse_what_is_no_photo(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise CaptureError(
            f"{image.width} × {image.height} pixels are {image.width * image.height / 1e6:,.0f} megapixels; "
            f"the limit is {MAX_PIXELS / 1e6:.0f}"
        )
    if isinstance(image, TiffImagePlugin.TiffImageFile) and DNG_VERSION in image.tag_v2:
        raise CaptureError("a raw photo (DNG), not yet developed; export it as JPEG, HEIC or TIFF")
    # The other pictures in a JPEG or a HEIC file are previews, gain maps and the like.
    frames = 1 if image.format in (*JPEG, "HEIF") else getattr(image, "n_frames", 1)
    if frames > 1:
        raise CaptureError(f"holds {frames} pictures (an animation or pages); one photo a file is wanted")


def refuse_misnamed(path: Path, holds: str) -> None:
    """Check that a file is not named as files of another format are: it was mixed up or damaged on its way.

    Args:
        path: of the file.
        holds: the format of its content, a key of `ENDINGS`.

    Raises:
        CaptureError: it is.
    """
    ending = path.suffix.lower()
    named = next((form for form, endings in ENDINGS.items() if ending in endings), holds)
    if named != holds:
        own = ENDINGS[holds][0]
        raise CaptureError(
            f"named {path.suffix} as {named} is, but holds {holds}; if it is whole, rename it to {own}"
        )


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return an image in a mode of 8-bit samples: L, RGB or CMYK; what is transparent becomes white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise CaptureError(f"32 bits a sample (mode {image.mode}); 8 or 16 are wanted")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        opaque = Image.new("RGB", image.size, "white")
        opaque.paste(clear, mask=clear.getchannel("A"))
        opaque.info = image.info
        return opaque
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _jpeg(data: bytes, header: JpegImagePlugin.JpegImageFile, halved: bool) -> Pixels:
    """Return a colour JPEG's pixels: decoded twice as fast as by Pillow, which also overlooks damage."""
    least = (header.height // 2, header.width // 2) if halved else (0, 0)
    try:
        rgb: Pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=least[0], min_width=least[1])
    except ValueError as error:
        raise CaptureError(DAMAGED_JPEG.format(cause=error)) from error
    mcu_rows = 8 * max(down for _, _, down, _ in header.layer)
    shifted = shifted_from(rgb, mcu_rows // 2 if halved else mcu_rows)
    if shifted is not None:
        raise CaptureError(DAMAGED_JPEG.format(cause=f"colours shifted from about row {shifted} on"))
    transform = _to_srgb(header.info.get("icc_profile") or b"", "RGB")
    if transform is not None:
        for top in range(0, len(rgb), STRIP_ROWS):
            strip = rgb[top : top + STRIP_ROWS]
            strip[:] = np.asarray(_in_srgb(Image.fromarray(strip), transform))
    return rgb


def _in_srgb(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    return ImageCms.applyTransform(image, transform) or image


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way from an ICC profile to sRGB; None where it is no way at all, or cannot be understood."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    if mode == "RGB":
        moved = np.asarray(ImageCms.applyTransform(Image.fromarray(lattice), transform))
        # Profiles called sRGB differ in their rounding.
        if np.abs(moved.astype(int) - lattice).max() <= 2:
            return None
    return transform


def _others(image: Image.Image, halved: bool) -> Pixels:
    """Return an image's sRGB pixels (H, W, 3), strip by strip: four times faster than all at once."""
    transform = _to_srgb(image.info.get("icc_profile") or b"", image.mode)
    image.load()
    width, height = (image.width // 2, image.height // 2) if halved else image.size
    rgb = np.empty((height, width, 3), np.uint8)
    rows = 2 * STRIP_ROWS if halved else STRIP_ROWS
    for number, top in enumerate(range(0, image.height, rows)):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strip = strip if transform is None else _in_srgb(strip, transform)
        target = rgb[number * STRIP_ROWS : (number + 1) * STRIP_ROWS]
        pixels = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
        if halved:
            whole = pixels[: 2 * len(target), : 2 * width]
            pixels = cv2.resize(whole, (width, len(target)), interpolation=cv2.INTER_AREA)
        target[:] = pixels
    return rgb
