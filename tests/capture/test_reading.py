import shutil
import struct
import zlib
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_scene import Scene
from colour_profiles import display_p3
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps, TiffImagePlugin

from physadv.capture.reading import CaptureError, read_photo
from physadv.errors import PhysadvWarning
from physadv.pictures import reading
from physadv.pictures.listing import ENDINGS, FORMATS


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


def smooth_picture() -> NDArray[np.uint8]:
    coarse = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return cv2.resize(coarse, (80, 64), interpolation=cv2.INTER_CUBIC)


def noise_picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


# Made by make_heic.py: what reads HEIC here writes none.
HEIC = Path(__file__).with_name("heic")


def save_smooth(path: Path, form: str) -> None:
    if form == "HEIF":
        shutil.copy(HEIC / "smooth.heic", path)
    else:
        Image.fromarray(smooth_picture()).save(path, form)


def refusal(path: Path) -> str:
    """The reason for which a photo is refused, after asserting that it is one line."""
    with pytest.raises(CaptureError) as refused:
        read_photo(path)
    (line,) = str(refused.value).splitlines()
    return line


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read_under_each_of_its_endings_and_without_one(tmp_path: Path, form: str) -> None:
    for ending in ("", ".part", *ENDINGS[form], ENDINGS[form][0].upper()):
        path = tmp_path / f"photo{ending}"
        save_smooth(path, form)
        difference = np.abs(read_photo(path).rgb.astype(int) - smooth_picture())
        assert difference.mean() < 6


@pytest.mark.parametrize("form", FORMATS)
def test_a_photo_named_as_another_format_is_refused_by_both_names(tmp_path: Path, form: str) -> None:
    for named in ENDINGS.keys() - {form}:
        path = tmp_path / f"IMG_1{ENDINGS[named][-1].upper()}"
        save_smooth(path, form)
        assert (
            f"which means {named}, but contains {form}; if it is intact, rename it to {ENDINGS[form][0]}"
            in refusal(path)
        )


def test_a_phones_jpeg_with_a_second_picture_is_a_jpeg_by_its_name_too(tmp_path: Path) -> None:
    for name in ("photo.jpg", "photo.MPO", "photo.png"):
        Image.fromarray(smooth_picture()).save(
            tmp_path / name, "MPO", save_all=True, append_images=[Image.new("RGB", (20, 16))]
        )
    read_photo(tmp_path / "photo.jpg")
    read_photo(tmp_path / "photo.MPO")
    assert "contains JPEG" in refusal(tmp_path / "photo.png")


def test_a_heic_photo_is_turned_once_and_not_twice() -> None:
    upright = np.rot90(smooth_picture(), -1)
    assert np.abs(read_photo(HEIC / "exif-6.heic").rgb.astype(int) - upright).mean() < 6


def test_grey_is_what_it_is_however_it_is_stored(tmp_path: Path) -> None:
    levels = np.arange(60, dtype=np.uint8).reshape(6, 10) * 4
    grey = Image.fromarray(levels)
    stored = {
        "L": grey,
        "P": grey.convert("P"),
        "LA": grey.convert("LA"),
        "I;16": Image.fromarray(levels.astype(np.uint16) * 257),
        "CMYK": grey.convert("CMYK"),
    }
    for mode, image in stored.items():
        path = tmp_path / f"{mode}.tif"
        image.save(path)
        photo = read_photo(path)
        np.testing.assert_array_equal(photo.rgb, np.dstack([levels] * 3), err_msg=mode)
        np.testing.assert_array_equal(photo.gray, levels)


def test_sixteen_bit_colours_keep_their_high_byte(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), smooth_picture()[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_photo(path).rgb, smooth_picture())


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    image.putpixel((0, 0), (200, 0, 0, 255))
    image.save(tmp_path / "photo.png")
    rgb = read_photo(tmp_path / "photo.png").rgb
    assert rgb[0, 0].tolist() == [200, 0, 0]
    assert (rgb[1:] == 255).all()


RED_IN_P3 = Image.new("RGB", (32, 32), (234, 51, 35))


@pytest.mark.parametrize("suffix", ["jpg", "png", "heic"])
def test_display_p3_becomes_srgb(tmp_path: Path, suffix: str) -> None:
    """The reddest red of sRGB is (234, 51, 35) in Display P3 (CSS Color 4 has the same conversion)."""
    if suffix == "heic":
        path = HEIC / "display-p3.heic"
    else:
        path = tmp_path / f"photo.{suffix}"
        RED_IN_P3.save(path, icc_profile=display_p3(), quality=100)
    assert np.abs(read_photo(path).rgb.astype(int) - (255, 0, 0)).max() <= (0 if suffix == "png" else 12)


def test_an_srgb_profile_and_one_that_is_none_change_nothing(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("srgb", srgb), ("damaged", display_p3()[:200]), ("none", b"no profile at all")):
        Image.fromarray(smooth_picture()).save(tmp_path / f"{name}.png", icc_profile=profile)
        said = nullcontext() if name == "srgb" else pytest.warns(PhysadvWarning, match="profile cannot be")
        with said:
            photo = read_photo(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(photo.rgb, smooth_picture())


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("size", [(80, 64), (81, 63)])
def test_a_photo_beyond_the_limit_for_whole_ones_is_halved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, size: tuple[int, int]
) -> None:
    path = tmp_path / f"photo.{suffix}"
    picture = cv2.resize(smooth_picture(), size)
    Image.fromarray(picture).save(path)
    monkeypatch.setattr(reading, "WHOLE_PIXELS", 64 * 80 - 100)
    monkeypatch.setattr(reading, "STRIP_ROWS", 8)
    rgb = read_photo(path).rgb
    assert abs(rgb.shape[0] - size[1] / 2) <= 0.5
    assert abs(rgb.shape[1] - size[0] / 2) <= 0.5
    smaller = cv2.resize(picture, rgb.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(rgb.astype(int) - smaller).mean() < 6


def test_the_second_picture_behind_a_phones_jpeg_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    preview = Image.new("RGB", (20, 16))
    Image.fromarray(smooth_picture()).save(path, "MPO", save_all=True, append_images=[preview])
    assert np.abs(read_photo(path).rgb.astype(int) - smooth_picture()).mean() < 6


def test_the_focal_length_is_read_where_it_makes_sense(tmp_path: Path) -> None:
    for value, wanted in ((26, 26.0), (0, None), (9999, None)):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = value
        scene_picture().save(tmp_path / "photo.jpg", exif=exif)
        assert read_photo(tmp_path / "photo.jpg").focal_35mm == wanted


def claiming(png: bytes, width: int, height: int) -> bytes:
    """A PNG file whose header claims another size."""
    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def test_what_is_no_photo_is_refused_with_its_reason_in_one_line(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(smooth_picture(), k, axis=0)) for k in range(3)]
    for name in ("animation.webp", "animation.png", "animation.gif", "pages.tif", "animation.avif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert "contains 3 pictures" in refusal(tmp_path / name)
    Image.fromarray(np.ones((8, 8), np.float32)).save(tmp_path / "float.tif")
    assert "32 bits per sample (mode F)" in refusal(tmp_path / "float.tif")
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[reading.DNG_VERSION] = b"\x01\x04\x00\x00"
    frames[0].save(tmp_path / "raw.dng", "TIFF", tiffinfo=tags)
    assert "raw photo (DNG)" in refusal(tmp_path / "raw.dng")
    frames[0].save(tmp_path / "small.png")
    (tmp_path / "bomb.png").write_bytes(claiming((tmp_path / "small.png").read_bytes(), 30_000, 30_000))
    assert "900 megapixels; the limit is 210" in refusal(tmp_path / "bomb.png")
    frames[0].save(tmp_path / "photo.eps")
    known = "JPEG, PNG, HEIC, AVIF, TIFF, WebP, BMP, GIF or PPM"
    assert refusal(tmp_path / "photo.eps") == f"not a readable image: no {known}"


def test_pillows_own_limit_is_as_it_was(tmp_path: Path) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    scene_picture().save(tmp_path / "photo.png")
    read_photo(tmp_path / "photo.png")
    (tmp_path / "none.png").write_bytes(b"")
    refusal(tmp_path / "none.png")
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_file_cut_off_is_refused(tmp_path: Path, form: str, share: float) -> None:
    path = tmp_path / "photo"
    if form == "HEIF":
        shutil.copy(HEIC / "noise.heic", path)
    else:
        noise_picture().save(path, form)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "not a readable image" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n cut"])
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert "not a readable image" in refusal(path)


def test_a_truncated_photo_is_refused(tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(scene.path.read_bytes()[:200_000])
    with pytest.raises(CaptureError, match="not a readable image"):
        read_photo(path)


def test_a_jpeg_with_a_stretch_overwritten_is_refused_though_decoders_carry_on(
    tmp_path: Path, scene: Scene
) -> None:
    path = tmp_path / "photo.jpg"
    data = bytearray(scene.path.read_bytes())
    data[100_000:104_000] = bytes(4_000)
    path.write_bytes(data)
    with Image.open(path) as image:
        image.load()
    assert "damaged JPEG" in refusal(path)


def test_a_jpeg_has_the_pixels_that_pillow_decodes(scene: Scene) -> None:
    with Image.open(scene.path) as image:
        assert np.array_equal(scene.photo.rgb, np.asarray(ImageOps.exif_transpose(image)))


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
