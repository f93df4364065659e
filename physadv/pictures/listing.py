"""Which files of a folder are pictures. What is left out is said; nothing is opened."""

import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

from physadv.errors import PhysadvWarning

# Named, so that none of Pillow's other decoders is ever tried on a file from outside.
FORMATS = ("JPEG", "PNG", "HEIF", "AVIF", "TIFF", "WEBP", "BMP", "GIF", "PPM")
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
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "MP4": (".mp4", ".m4v", ".mov", ".qt", ".3gp"),
}
KNOWN = "JPEG, PNG, HEIC, AVIF, TIFF, WebP, BMP, GIF or PPM"
PICTURE_ENDINGS = tuple(sorted(ending for form in FORMATS for ending in ENDINGS[form]))
_NAMED = 5


def visible(folder: Path) -> list[Path]:
    """Return what is directly in a folder, by name; hidden files and folders are left out."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, by name, as their endings tell; hidden ones are left out."""
    return [path for path in visible(folder) if path.suffix.lower() in PICTURE_ENDINGS and path.is_file()]


def say_left_out(where: Path, listed: Sequence[Path], taken: Collection[Path], wanted: str) -> None:
    """Warn, in one line that begins with `where`, of what was listed but not taken, with its number."""
    left = [path.relative_to(where).as_posix() for path in listed if path not in taken]
    if left:
        named = ", ".join(left[:_NAMED]) + f" and {len(left) - _NAMED} more" * (len(left) > _NAMED)
        line = f"{where}: {len(left)} of {len(listed)} left out: {named}; wanted {wanted} ({KNOWN})"
        warnings.warn(PhysadvWarning(line), stacklevel=3)
