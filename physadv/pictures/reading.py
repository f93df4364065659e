"""The one door for pictures from outside: upright pixels, 8-bit sRGB, whatever wrote the file.

A JPEG of n pixels takes 4 n bytes, for RGB and gray; other formats take 7 n while Pillow reads them, and WebP
takes 16 n. A picture of more than 64 megapixels is halved where it need not be exact.
"""

import io
import re
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import pi_heif
import simplejpeg
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from physadv.errors import PhysadvError, PhysadvWarning, first_line, reading
from physadv.pictures.damage import Pixels, shifted_from
from physadv.pictures.listing import FORMATS, KNOWN

# Pillow's names of a JPEG; an MPO has further pictures after the photo.
JPEG = ("JPEG", "MPO")
WHOLE_PIXELS, EXACT_PIXELS, MAX_PIXELS = 64_000_000, 89_000_000, 210_000_000
STRIP_ROWS = 128
DNG_VERSION = 50706
DAMAGED_JPEG = "not a readable image: damaged JPEG ({cause}); if it looks intact, save it again"
# Zeros with which some programs pad a JPEG before its end marker; the first may belong to the picture.
_PADDING = re.compile(rb"(?<!\0)\0(\0++)(?=\xff\xd9)")
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


class PictureError(PhysadvError):
    """A picture cannot be used; the message is the reason, without the file's name."""


@dataclass(frozen=True)
class Picture:
    """An upright picture.

    Attributes:
        rgb: pixels (H, W, 3), uint8 sRGB.
        exif: what the camera wrote about it; empty if there is nothing.
        form: format of the file, one of `FORMATS`.
    """

    rgb: Pixels
    exif: Image.Exif
    form: str


def read_picture(path: Path, *, exact: bool = False) -> Picture:
    """Read a picture in any of `FORMATS`, turn it upright and convert an embedded profile's colours to sRGB.

    Photos are converted to 8-bit RGB: 16-bit samples lose their low byte, transparent pixels become white,
    and more than 64 megapixels are halved. With `exact`, for pictures whose every level and place counts, all
    of these are refused. A JPEG that is padded with zeros before its end marker is whole.

    Raises:
        PictureError: the file is no such picture, is damaged, contains several, or is too large.
        MachineError: there was not enough memory to decode it, which says nothing about the file.
        OSError: the file cannot be opened or read.

    Warns:
        PhysadvWarning: its colour profile cannot be read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (40, 30), "red").save(Path(folder) / "picture.png")
    ...     picture = read_picture(Path(folder) / "picture.png")
    >>> picture.rgb.shape, picture.rgb[0, 0].tolist(), picture.form
    ((30, 40, 3), [255, 0, 0], 'PNG')
    """
    if path.exists() and not path.is_file():
        raise PictureError("not a readable image: not a file")
    data = path.read_bytes()
    with reading(path, _unreadable), warnings.catch_warnings(action="ignore"):  # about odd metadata
        picture, understood = _decode(data, exact)
    if not understood:
        fault = "its colour profile cannot be read; its colours are taken for sRGB"
        warnings.warn(PhysadvWarning(f"{path}: {fault}"), stacklevel=2)
    return picture


def read_exact(path: Path, refuse: Callable[[PictureError], PhysadvError]) -> Pixels:
    """Return the pixels of a picture read with `exact`; what is wrong with it becomes `refuse(error)`."""
    try:
        return read_picture(path, exact=True).rgb
    except FileNotFoundError as error:
        raise refuse(PictureError("not found")) from error
    except PictureError as error:
        raise refuse(error) from error


def _unreadable(error: Exception) -> PictureError:
    cause = f"no {KNOWN}" if isinstance(error, UnidentifiedImageError) else first_line(error)
    return PictureError(f"not a readable image: {cause}")


def _decode(data: bytes, exact: bool) -> tuple[Picture, bool]:
    """Return a picture, and whether its colour profile was understood, if it has one."""
    with _opened(data) as image:
        _refuse_other_than_pictures(image, EXACT_PIXELS if exact else MAX_PIXELS)
        if exact:
            _refuse_inexact(image)
        exif = image.getexif()
        exif.get_ifd(ExifTags.IFD.Exif)
        halved = not exact and image.width * image.height > WHOLE_PIXELS
        samples = _jpeg(data, image, halved) if isinstance(image, JpegImagePlugin.JpegImageFile) else None
        whole = _eight_bit(image) if samples is None else image
        transform, understood = _to_srgb(image.info.get("icc_profile") or b"", whole.mode)
        if samples is None:
            rgb = _others(whole, halved, transform)
        elif image.mode == "RGB":
            rgb = _in_place(samples, transform)
        else:
            # CMYK is inverted in a JPEG, as Pillow too takes for granted.
            levels = 255 - samples if image.mode == "CMYK" else samples
            rgb = _others(Image.frombytes(image.mode, image.size, levels.tobytes()), halved, transform)
    turn = _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    form = "JPEG" if image.format in JPEG else str(image.format)
    return Picture(turn(rgb) if turn else rgb, exif, form), understood


def _opened(data: bytes) -> Image.Image:
    """Open an image without Pillow's limit of 179 megapixels, which applies to the whole process."""
    with _OPENING:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(data), formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _refuse_other_than_pictures(image: Image.Image, limit: int) -> None:
    if image.width * image.height > limit:
        raise PictureError(
            f"{image.width} × {image.height} pixels are {image.width * image.height / 1e6:,.0f} megapixels; "
            f"the limit is {limit / 1e6:.0f}; make it smaller first"
        )
    if isinstance(image, TiffImagePlugin.TiffImageFile) and DNG_VERSION in image.tag_v2:
        raise PictureError("a raw photo (DNG), not yet developed; export it as JPEG, HEIC or TIFF")
    # Further pictures in a JPEG or a HEIC file are previews, gain maps and the like.
    frames = 1 if image.format in (*JPEG, "HEIF") else getattr(image, "n_frames", 1)
    if frames > 1:
        raise PictureError(f"contains {frames} pictures (an animation or pages); save one of them as PNG")


def _refuse_inexact(image: Image.Image) -> None:
    # Pillow opens 16-bit RGB as 8-bit RGB and says so only in how it will decode.
    if image.mode.startswith(("I", "F")) or any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
        raise PictureError("more than 8 bits a channel; save it as 8-bit RGB")
    if image.mode not in {"RGB", "L", "P", "1", "RGBA", "LA", "PA"}:
        raise PictureError(f"{image.mode} colours; save it as 8-bit RGB")
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if image.mode == "LA" or alpha.getextrema() != (255, 255):
            raise PictureError(f"has an alpha channel ({image.mode}); flatten it onto a background first")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return an image in a mode of 8-bit samples: L, RGB or CMYK. Transparent pixels become white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise PictureError(f"32 bits per sample (mode {image.mode}); wanted 8 or 16")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        opaque = Image.new("RGB", image.size, "white")
        opaque.paste(clear, mask=clear.getchannel("A"))
        opaque.info = image.info
        return opaque
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _jpeg(data: bytes, header: JpegImagePlugin.JpegImageFile, halved: bool) -> Pixels:
    """Return a JPEG's samples (H, W, 1, 3 or 4), twice as fast as by Pillow, which also overlooks damage.

    Only colours are halved.
    """
    halved = halved and header.mode == "RGB"
    least = (header.height // 2, header.width // 2) if halved else (0, 0)
    space = "GRAY" if header.mode == "L" else header.mode
    decode = partial(simplejpeg.decode_jpeg, colorspace=space, min_height=least[0], min_width=least[1])
    # Bytes of 255 are what may stand before a marker (ITU-T T.81, B.1.1.2).
    for kept in (None, b"\0", b""):
        padded = data if kept is None else _PADDING.sub(partial(_fill, kept), data)
        try:
            samples: Pixels = decode(padded)
            break
        except ValueError as error:
            damage = PictureError(DAMAGED_JPEG.format(cause=error))
    else:
        raise damage
    # A scan of one component has one block a unit, whatever its sampling (ITU-T T.81, A.2.2).
    mcu_rows = 8 * (max(down for _, _, down, _ in header.layer) if len(header.layer) > 1 else 1)
    colours = samples.repeat(3, axis=2) if header.mode == "L" else samples[..., :3]
    shifted = shifted_from(colours, mcu_rows // 2 if halved else mcu_rows)
    if shifted is not None:
        raise PictureError(DAMAGED_JPEG.format(cause=f"colours shifted from about row {shifted} on"))
    return samples


def _fill(kept: bytes, zeros: re.Match[bytes]) -> bytes:
    """Return as many bytes as the padding has: some that may belong to the picture, then fill bytes."""
    return kept + b"\xff" * (len(zeros[0]) - len(kept))


def _in_place(rgb: Pixels, transform: ImageCms.ImageCmsTransform | None) -> Pixels:
    """Return the same array, its colours sRGB."""
    if transform is not None:
        for top in range(0, len(rgb), STRIP_ROWS):
            strip = rgb[top : top + STRIP_ROWS]
            strip[:] = np.asarray(_in_srgb(Image.fromarray(strip), transform))
    return rgb


def _in_srgb(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    return image if transform is None else ImageCms.applyTransform(image, transform) or image


@lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform | None, bool]:
    """Return the transform from a profile to sRGB, None if it changes nothing; and if it is understood."""
    if not profile:
        return None, True
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None, False
    if mode != "RGB":
        return transform, True
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    moved = np.asarray(_in_srgb(Image.fromarray(lattice), transform))
    # Profiles called sRGB differ in their rounding.
    return (None if np.abs(moved.astype(int) - lattice).max() <= 2 else transform), True


def _others(image: Image.Image, halved: bool, transform: ImageCms.ImageCmsTransform | None) -> Pixels:
    """Return an image's sRGB pixels (H, W, 3), made strip by strip, four times faster than at once."""
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
