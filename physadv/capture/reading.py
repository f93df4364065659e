"""Reading photos of any format that phones write: upright, 8-bit sRGB, with the camera's name from EXIF.

A JPEG of n pixels takes 4 n bytes, for RGB and gray; other formats take 7 n while Pillow reads them, and WebP
takes 16 n. A photo of more than 64 megapixels is halved; one of more than 210 megapixels is refused.
"""

import io
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pi_heif
import simplejpeg
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from physadv.capture.damage import shifted_from
from physadv.capture.geometry import Pinhole, Pixels
from physadv.errors import PhysadvError

SIMULATED = "simulated"
# Named, so that none of Pillow's other decoders is ever tried on a file from outside.
FORMATS = ("JPEG", "PNG", "HEIF", "AVIF", "TIFF", "WEBP")
# The endings of file names by format, the usual one first. Any other ending implies no format.
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
# Pillow's names of a JPEG; an MPO has further pictures after the photo.
JPEG = ("JPEG", "MPO")
WHOLE_PIXELS, MAX_PIXELS = 64_000_000, 210_000_000
STRIP_ROWS = 128
DNG_VERSION = 50706
DAMAGED_JPEG = "not a readable image: damaged JPEG ({cause}); if it looks intact, save it again"
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

pi_heif.register_heif_opener()


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
    """Read a JPEG, PNG, HEIC, AVIF, TIFF or WebP photo and turn it upright.

    Colours with an embedded ICC profile (Display P3 on many phones) are converted to sRGB, and 16-bit gray,
    CMYK and palettes to 8-bit RGB. Transparent pixels become white.

    Raises:
        CaptureError: the file is no such image, is named as another format, is damaged, contains several
            pictures, or is too large.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (40, 30), "red").save(Path(folder) / "photo.png")
    ...     photo = read_photo(Path(folder) / "photo.png")
    >>> photo.rgb.shape, photo.rgb[0, 0].tolist(), photo.gray.shape, photo.camera
    ((30, 40, 3), [255, 0, 0], (30, 40), '')
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata
            rgb, exif = _decode(path)
    except CaptureError:
        raise
    except UnidentifiedImageError as error:
        raise CaptureError("not a readable image: no JPEG, PNG, HEIC, AVIF, TIFF or WebP") from error
    except Exception as error:  # Pillow's decoders raise errors of many types for damaged files.
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CaptureError(f"not a readable image: {cause}") from error
    turn = _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    rgb = turn(rgb) if turn else rgb
    return Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), _camera(exif), _focal_35mm(exif))


def _decode(path: Path) -> tuple[Pixels, Image.Exif]:
    """Return the pixels as they are stored, and the EXIF data."""
    data = path.read_bytes()
    with _opened(data) as image:
        _refuse_other_than_photos(image)
        refuse_misnamed(path, "JPEG" if image.format in JPEG else str(image.format))
        exif = image.getexif()
        exif.get_ifd(ExifTags.IFD.Exif)
        halved = image.width * image.height > WHOLE_PIXELS
        if isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode == "RGB":
            return _jpeg(data, image, halved), exif
        return _others(_eight_bit(image), halved), exif


def _camera(exif: Image.Exif) -> str:
    names = (str(exif.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    return " ".join(filter(None, names))


def _focal_35mm(exif: Image.Exif) -> float | None:
    """Return the focal length from EXIF, None if it has none or an absurd one."""
    value = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
    return float(value) if isinstance(value, int) and 8 <= value <= 500 else None


def _opened(data: bytes) -> Image.Image:
    """Open an image without Pillow's limit of 179 megapixels, which applies to the whole process."""
    with _OPENING:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(data), formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _refuse_other_than_photos(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise CaptureError(
            f"{image.width} × {image.height} pixels are {image.width * image.height / 1e6:,.0f} megapixels; "
            f"the limit is {MAX_PIXELS / 1e6:.0f}"
        )
    if isinstance(image, TiffImagePlugin.TiffImageFile) and DNG_VERSION in image.tag_v2:
        raise CaptureError("a raw photo (DNG), not yet developed; export it as JPEG, HEIC or TIFF")
    # Further pictures in a JPEG or a HEIC file are previews, gain maps and the like.
    frames = 1 if image.format in (*JPEG, "HEIF") else getattr(image, "n_frames", 1)
    if frames > 1:
        raise CaptureError(f"contains {frames} pictures (an animation or pages); wanted one photo per file")


def refuse_misnamed(path: Path, holds: str) -> None:
    """Refuse a file that is named as another format: it was mixed up, or damaged in transfer.

    Args:
        path: path of the file.
        holds: format of its content, a key of `ENDINGS`.

    Raises:
        CaptureError: the name ends as those of another format do.
    """
    ending = path.suffix.lower()
    named = next((form for form, endings in ENDINGS.items() if ending in endings), holds)
    if named != holds:
        wrong = f"named {path.suffix}, which means {named}, but contains {holds}"
        raise CaptureError(f"{wrong}; if it is intact, rename it to {ENDINGS[holds][0]}")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return an image in a mode of 8-bit samples: L, RGB or CMYK. Transparent pixels become white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise CaptureError(f"32 bits per sample (mode {image.mode}); wanted 8 or 16")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        opaque = Image.new("RGB", image.size, "white")
        opaque.paste(clear, mask=clear.getchannel("A"))
        opaque.info = image.info
        return opaque
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _jpeg(data: bytes, header: JpegImagePlugin.JpegImageFile, halved: bool) -> Pixels:
    """Return the pixels of a colour JPEG, decoded twice as fast as by Pillow, which also overlooks damage."""
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


def _in_srgb(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    return image if transform is None else ImageCms.applyTransform(image, transform) or image


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from an ICC profile to sRGB, None if it changes nothing or is not understood."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None
    if mode != "RGB":
        return transform
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    moved = np.asarray(_in_srgb(Image.fromarray(lattice), transform))
    # Profiles called sRGB differ in their rounding.
    return None if np.abs(moved.astype(int) - lattice).max() <= 2 else transform


def _others(image: Image.Image, halved: bool) -> Pixels:
    """Return an image's sRGB pixels (H, W, 3), made strip by strip, four times faster than at once."""
    transform = _to_srgb(image.info.get("icc_profile") or b"", image.mode)
    image.load()
    width, height = (image.width // 2, image.height // 2) if halved else image.size
    rgb = np.empty((height, width, 3), np.uint8)
    rows = 2 * STRIP_ROWS if halved else STRIP_ROWS
    for number, top in enumerate(range(0, image.height, rows)):
        strip = _in_srgb(image.crop((0, top, image.width, min(top + rows, image.height))), transform)
        target = rgb[number * STRIP_ROWS : (number + 1) * STRIP_ROWS]
        pixels = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
        if halved:
            whole = pixels[: 2 * len(target), : 2 * width]
            pixels = cv2.resize(whole, (width, len(target)), interpolation=cv2.INTER_AREA)
        target[:] = pixels
    return rgb
