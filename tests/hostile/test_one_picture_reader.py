"""Whatever door a picture comes in by, it is the same picture, or refused with the same reason."""

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import simplejpeg
from colour_profiles import display_p3
from PIL import EpsImagePlugin, ExifTags, Image, ImageCms, PngImagePlugin

from physadv.capture.reading import read_photo
from physadv.errors import MachineError, PhysadvError, PhysadvWarning
from physadv.pictures.listing import FORMATS
from physadv.pipeline.sources import list_sources, pair_sources, read_pixels, read_source
from physadv.runs import Capture, Printout
from physadv.signs.drawing.drawing import draw_posed_sign
from physadv.signs.stop_sign.cells import photos_by_cell
from physadv.signs.stop_sign.masks import load_mask
from physadv.signs.stop_sign.sign_photos import read_sign_photos
from physadv.signs.training.data import read_victims

HEIC = Path(__file__).parents[1] / "capture" / "heic"
COARSE = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
PICTURE = cv2.resize(COARSE, (80, 64), interpolation=cv2.INTER_CUBIC)
CORNERS = [[10, 10], [50, 10], [50, 50], [10, 50]]


def sign(path):
    (path.parent / "corners.json").write_text(json.dumps({path.name: CORNERS}))
    (found,) = read_sign_photos(path.parent)
    return (found.photo.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def example(path):
    return Printout(path.parent, "mine").pixels(SimpleNamespace(path=str(path)))


def crop(path):
    return Capture(path.parent.parent.parent, path.parent.name).pixels(SimpleNamespace(path=path.name))


def victim(path):
    folder = path.parent / "traffic" / "rp2" / "victims"
    folder.mkdir(parents=True)
    shutil.copy(path, folder / "1.png")
    return read_victims(path.parent).images[0].permute(1, 2, 0).numpy()


DOORS = {
    "source": read_pixels,
    "photo": lambda path: read_photo(path).rgb,
    "sign": sign,
    "example": example,
    "crop": crop,
    "victim": victim,
}


@pytest.fixture(params=DOORS)
def door(request):
    return DOORS[request.param]


@pytest.fixture
def place(tmp_path):
    """A folder that is a capture's too."""
    folder = tmp_path / "captures" / "mine"
    folder.mkdir(parents=True)
    return folder


def jpeg(**options):
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "JPEG", quality=95, **options)
    return file.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize("form", FORMATS)
def test_every_door_takes_every_format(place, door, form):
    path = place / ("a.heic" if form == "HEIF" else f"a.{form.lower()}")
    if form == "HEIF":
        shutil.copy(HEIC / "smooth.heic", path)
    else:
        Image.fromarray(PICTURE).save(path, form)
    assert np.abs(door(path).astype(int) - PICTURE).mean() < 6


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_what_is_stored_sideways_stands_upright(place, door, suffix, orientation):
    undo = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
    }
    stored = Image.fromarray(PICTURE).transpose(undo[orientation])
    lossless = {"lossless": True} if suffix == "webp" else {}
    stored.save(place / f"a.{suffix}", exif=turned(orientation), **lossless)
    assert np.abs(door(place / f"a.{suffix}").astype(int) - PICTURE).mean() < 6


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_colours_of_a_profile_become_srgb(place, door, suffix):
    """The red (200, 16, 46) of sRGB is (183, 43, 53) in Display P3."""
    options = {"lossless": True} if suffix == "webp" else {"quality": 100, "subsampling": 0}
    Image.new("RGB", (80, 64), (183, 43, 53)).save(place / f"a.{suffix}", icc_profile=display_p3(), **options)
    assert np.abs(door(place / f"a.{suffix}").astype(int) - (200, 16, 46)).max() <= 5


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif"])
@pytest.mark.parametrize("profile", [False, True])
def test_ordinary_pictures_keep_every_bit(place, door, suffix, profile):
    path, options = place / f"a.{suffix}", {}
    if profile and suffix != "bmp":
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(PICTURE).save(path, **options)
    with Image.open(path) as image:
        wanted = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(door(path), wanted)


@pytest.mark.parametrize("progressive", [False, True])
def test_zeros_before_the_end_marker_of_a_jpeg_cost_nothing(place, door, progressive):
    whole = jpeg(progressive=progressive)
    path = place / "a.jpg"
    path.write_bytes(whole[:-2] + bytes(12) + whole[-2:])
    np.testing.assert_array_equal(door(path), simplejpeg.decode_jpeg(whole))


def cut_off(path):
    path.write_bytes(jpeg()[:-300])


def cut_off_and_filled_with_zeros(path):
    whole = jpeg()
    path.write_bytes(whole[:-302] + bytes(300) + whole[-2:])


def overwritten_in_the_middle(path):
    whole = jpeg()
    half = len(whole) // 2
    path.write_bytes(whole[:half] + bytes(200) + whole[half + 200 :])


def cut_off_png(path):
    Image.fromarray(PICTURE).save(path, "PNG")
    path.write_bytes(path.read_bytes()[:-900])


def empty(path):
    path.touch()


def postscript(path):
    Image.fromarray(PICTURE).save(path, "EPS")


def flag(path):
    """A picture of a format that Pillow knows and nobody needs here."""
    Image.fromarray(PICTURE).save(path, "PCX")


@pytest.mark.parametrize(
    "spoil",
    [
        cut_off,
        cut_off_and_filled_with_zeros,
        overwritten_in_the_middle,
        cut_off_png,
        empty,
        postscript,
        flag,
    ],
)
def test_what_is_no_whole_picture_is_refused_in_one_line_and_starts_no_program(
    place, door, spoil, monkeypatch
):
    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given, **named: started.append(given))
    spoil(place / "a.png")
    with pytest.raises(PhysadvError) as refused:
        door(place / "a.png")
    (line,) = str(refused.value).splitlines()
    assert "not a readable image" in line
    assert started == []


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_damage_within_a_jpeg_is_found_whatever_its_colours(tmp_path, mode, progressive):
    file = io.BytesIO()
    Image.fromarray(PICTURE).convert(mode).save(file, "JPEG", quality=95, progressive=progressive)
    whole, half = file.getvalue(), len(file.getvalue()) // 2
    path = tmp_path / "a.jpg"
    path.write_bytes(whole)
    with Image.open(path) as image:
        wanted = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(read_photo(path).rgb, wanted)
    path.write_bytes(whole[:-2] + bytes(12) + whole[-2:])
    np.testing.assert_array_equal(read_photo(path).rgb, wanted)
    damages = [whole[:half] + bytes(200) + whole[half + 200 :], whole[:-300]]
    if (mode, progressive) != ("CMYK", True):  # there they are sound bits of the last scan, the finest
        damages.append(whole[:-302] + bytes(300) + whole[-2:])
    for damaged in damages:
        path.write_bytes(damaged)
        with pytest.raises(PhysadvError, match="not a readable image: damaged JPEG"):
            read_photo(path)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_profile_that_cannot_be_read_is_said_once_with_the_name(place, door, suffix):
    path = place / f"a.{suffix}"
    Image.fromarray(PICTURE).save(path, icc_profile=b"no profile", quality=95)
    pixels, line = left_out_by(door, path)
    assert np.abs(pixels.astype(int) - PICTURE).mean() < 6
    assert line.endswith(": its colour profile cannot be read; its colours are taken for sRGB")


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif", "avif"])
def test_what_moves_is_refused_with_its_number_of_frames(place, door, suffix):
    frames = [Image.fromarray(np.roll(PICTURE, shift, axis=0)) for shift in (0, 8)]
    frames[0].save(place / f"a.{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(PhysadvError, match="contains 2 pictures"):
        door(place / f"a.{suffix}")


NO_MEMORY = (MemoryError(), OSError("out of memory error"), ValueError("Insufficient memory"))


@pytest.mark.parametrize("error", NO_MEMORY)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_short_memory_is_not_the_files_fault(place, door, suffix, error, monkeypatch):
    def fail(*_, **__):
        raise error

    Image.fromarray(PICTURE).save(place / f"a.{suffix}")
    monkeypatch.setattr(simplejpeg, "decode_jpeg", fail)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)
    with pytest.raises(MachineError, match="not enough memory"):
        door(place / f"a.{suffix}")


def test_an_unreadable_file_is_not_a_damaged_one(place, door, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    Image.fromarray(PICTURE).save(place / "a.png")
    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(PermissionError):
        door(place / "a.png")


class TestMasks:
    def levels(self, path):
        return load_mask(str(path), 80)

    def test_a_mask_stored_sideways_is_the_mask(self, tmp_path):
        drawn = np.zeros((80, 80), np.uint8)
        drawn[20:30, 20:60] = 255
        Image.fromarray(drawn).save(tmp_path / "upright.png")
        Image.fromarray(np.rot90(drawn)).save(tmp_path / "sideways.png", exif=turned(6))
        Image.fromarray(np.rot90(drawn)).save(tmp_path / "sideways.tif", exif=turned(6))
        for name in ("sideways.png", "sideways.tif"):
            assert self.levels(tmp_path / name).equal(self.levels(tmp_path / "upright.png"))

    def test_levels_are_as_they_were(self, tmp_path):
        drawn = np.tile(np.arange(80, dtype=np.uint8) * 3, (80, 1))
        Image.fromarray(drawn).save(tmp_path / "mask.png")
        middle = self.levels(tmp_path / "mask.png")[38:42, 30:50]
        assert np.allclose(middle.numpy() * 255, drawn[38:42, 30:50])

    @pytest.mark.parametrize("spoil", [cut_off, cut_off_png, empty, postscript])
    def test_what_is_no_picture_is_named(self, tmp_path, spoil):
        spoil(tmp_path / "mask.png")
        with pytest.raises(PhysadvError, match=r"mask\.png: cannot be read as a picture of a mask"):
            self.levels(tmp_path / "mask.png")

    def test_a_mask_of_holes_is_refused_and_not_taken_for_white(self, tmp_path):
        Image.new("RGBA", (80, 80), (255, 255, 255, 0)).save(tmp_path / "mask.png")
        with pytest.raises(PhysadvError, match="alpha channel"):
            self.levels(tmp_path / "mask.png")


def test_a_sign_photographed_sideways_is_found_where_it_stands(tmp_path):
    pixels, _ = draw_posed_sign("stop", 128, np.random.default_rng(0))
    for name, stored, exif in (("a", pixels, None), ("b", np.rot90(pixels), turned(6))):
        (tmp_path / name).mkdir()
        Image.fromarray(stored).save(tmp_path / name / "1.png", exif=exif)
    (upright,), (sideways,) = (read_sign_photos(tmp_path / name) for name in "ab")
    assert sideways.photo.equal(upright.photo)
    assert sideways.homography.equal(upright.homography)


def test_a_folder_of_heic_photos_is_a_folder_of_sources(tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    for name in ("b.heic", "c.HEIC", "d.heif"):
        shutil.copy(HEIC / "smooth.heic", tmp_path / name)
    listed = list_sources(tmp_path)
    assert [source.name for source in listed] == ["a.png", "b.heic", "c.HEIC", "d.heif"]
    assert [read_source(source.path, 32).shape for source in listed] == [(32, 32, 3)] * 4


def save(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith((".png", ".jpg")):
            Image.fromarray(PICTURE).save(folder / name)
        else:
            (folder / name).write_text("no picture")


def left_out_by(read, *arguments):
    """What a door reads, and the one line in which it says what it left out."""
    with pytest.warns(PhysadvWarning) as said:
        found = read(*arguments)
    (line,) = [str(each.message) for each in said]
    return found, line


def test_a_stray_picture_beside_class_folders_is_left_out_and_the_labels_stay(tmp_path):
    save(tmp_path, "stop/1.png", "stop/2.png", "yield/1.png", "stray.png")
    listed, line = left_out_by(list_sources, tmp_path)
    assert [(source.name, source.label) for source in listed] == [
        ("stop/1.png", "stop"),
        ("stop/2.png", "stop"),
        ("yield/1.png", "yield"),
    ]
    assert line.startswith(f"{tmp_path}: 1 of 4 left out: stray.png; wanted images, all in class folders")


@pytest.mark.filterwarnings("default")
def test_the_command_says_what_it_left_out_in_one_line(physadv, tmp_path, few_steps):
    images = tmp_path / "images"
    save(images, "stop/1.png", "stray.png", "stop/notes.txt")
    done = physadv("generate", images, "--name", "a", "--root", tmp_path, "--quiet")
    assert done.code == 0
    (line,) = done.err.splitlines()
    assert line.startswith(f"warning: {images}: 2 of 3 left out: stray.png, stop/notes.txt; wanted images")
    labels = [each.label_name for each in Printout(tmp_path, "a").manifest().examples]
    assert labels == ["stop", "stop"]


def signs(folder):
    (folder / "corners.json").write_text(json.dumps(dict.fromkeys(("a.png", "b.png"), CORNERS)))
    return read_sign_photos(folder)


def adversarial(folder):
    clean = folder.with_name("clean")
    save(clean, "a.png", "b.png")
    return pair_sources(clean, folder)


@pytest.mark.parametrize("read", [list_sources, signs, adversarial])
def test_what_is_left_out_of_a_folder_is_counted_and_named(tmp_path, read):
    folder = tmp_path / "pictures"
    save(folder, "a.png", "b.png", "c.psd", "d.dng", "Thumbs.db", "e.svg", "f.txt", "g.mp4", ".hidden.png")
    (folder / "h.jpg").symlink_to(tmp_path / "gone.jpg")
    found, line = left_out_by(read, folder)
    assert len(found) == 2
    assert "7 of 9 left out: Thumbs.db, c.psd, d.dng, e.svg, f.txt and 2 more; wanted" in line


def test_what_is_left_out_of_photos_by_cell_is_counted_and_named(tmp_path):
    save(tmp_path, "5ft_15deg/a.jpg", "5ft_15deg/a.dng", "10ft_0deg/b.jpg")
    found, line = left_out_by(photos_by_cell, tmp_path)
    assert len(found) == 2
    assert "1 of 3 left out: 5ft_15deg/a.dng; wanted photos" in line


@pytest.mark.filterwarnings("default")
def test_a_folder_among_the_photos_of_a_run_is_named(physadv, printed_root, copy_of):
    root = copy_of(printed_root)
    save(root / "captures" / "mine" / "photos", "DCIM/a.jpg", "wall.jpg")
    done = physadv("crop", "mine", "--quiet", "--root", root)
    assert "1 of 2 left out: DCIM; wanted photos" in done.err
