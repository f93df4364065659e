from pathlib import Path

import numpy as np
import pytest
from capture_scene import Scene
from PIL import ExifTags, Image, ImageOps

from physadv.capture.codes import find_codes
from physadv.capture.reading import CaptureError, read_photo


def scene_picture() -> Image.Image:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30] = (250, 30, 30)
    pixels[20:, 30:] = (30, 30, 250)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    upright = scene_picture()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / "photo.png"
    stored.save(path, exif=exif)
    np.testing.assert_array_equal(read_photo(path).rgb, np.asarray(upright))


def test_grey_and_transparent_photos_become_rgb(tmp_path: Path) -> None:
    for mode in ("L", "RGBA", "P"):
        path = tmp_path / f"{mode}.png"
        scene_picture().convert(mode).save(path)
        assert read_photo(path).rgb.shape == (40, 60, 3)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n cut"])
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match="not a readable image"):
        read_photo(path)


def test_a_truncated_photo_is_refused(tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(scene.path.read_bytes()[:200_000])
    with pytest.raises(CaptureError, match="not a readable image"):
        read_photo(path)


def test_the_virtual_phones_files_say_that_they_are_simulated(scene: Scene) -> None:
    assert scene.photo.simulated
    with Image.open(scene.path) as image:
        exif = image.getexif()
        assert image.format == "JPEG"
        assert "simulated" in exif[ExifTags.Base.ImageDescription]
        assert exif[ExifTags.Base.Orientation] == scene.shot.orientation
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] == 26
        assert ImageOps.exif_transpose(image).size == (3024, 4032)
    assert scene.photo.rgb.shape == (4032, 3024, 3)


def test_real_photos_of_codes_are_read_as_well_as_zxing_reads_them(shared_data: Path) -> None:
    """134 of these 144 is what zxing-cpp 3.1 reads; one version may differ by a few."""
    right = total = 0
    for text in sorted((shared_data / "zxing-qr").rglob("*.txt")):
        image = next(
            (p for p in text.parent.glob(f"{text.stem}.*") if p.suffix.lower() in {".png", ".jpg"}), None
        )
        if image is None:
            continue
        total += 1
        wanted = text.read_bytes().decode("utf-8", "replace").strip()
        right += any(code.text.strip() == wanted for code in find_codes(read_photo(image).gray))
    assert total == 144
    assert right >= 128
