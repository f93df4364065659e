import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from physadv.classifiers import load_classifier
from physadv.pipeline.sources import SourceError, label_sources, list_sources, read_source

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)


def garbage(path):
    path.write_bytes(b"this is no picture at all")


def empty(path):
    path.touch()


def truncated_png(path):
    PICTURE.save(path, "PNG")
    path.write_bytes(path.read_bytes()[:2000])


def truncated_jpeg(path):
    PICTURE.save(path, "JPEG", quality=95)
    path.write_bytes(path.read_bytes()[:-600])


def animated(path):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


def grey_of_16_bits(path):
    Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40).save(path, "PNG")


def colour_of_16_bits(path):
    encoded, data = cv2.imencode(".png", PIXELS.astype(np.uint16) * 257)
    assert encoded
    path.write_bytes(data.tobytes())


def cmyk(path):
    PICTURE.convert("CMYK").save(path, "JPEG")


def grey_with_alpha(path):
    PICTURE.convert("LA").save(path, "PNG")


def transparent(path):
    image = PICTURE.convert("RGBA")
    image.putpixel((3, 3), (0, 0, 0, 100))
    image.save(path, "PNG")


def transparent_palette(path):
    PICTURE.quantize(8).save(path, "PNG", transparency=2)


def bomb(path):
    """A few bytes that promise 20000 × 20000 pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (garbage, "not a readable image"),
        (empty, "not a readable image"),
        (truncated_png, "not a readable image"),
        (truncated_jpeg, "not a readable image"),
        (animated, "contains 2 pictures (an animation or pages)"),
        (grey_of_16_bits, "more than 8 bits"),
        (colour_of_16_bits, "more than 8 bits"),
        (cmyk, "CMYK"),
        (grey_with_alpha, "alpha channel"),
        (transparent, "alpha channel"),
        (transparent_palette, "alpha channel"),
        (bomb, "megapixels; the limit is 89; make it smaller"),
    ],
)
def test_a_bad_image_among_good_ones_is_named_before_anything_is_made(physadv, tmp_path, spoil, cause):
    images, root = tmp_path / "images", tmp_path / "root"
    images.mkdir()
    root.mkdir()
    for name in ("a.png", "z.png"):
        PICTURE.save(images / name)
    bad = images / ("m.jpg" if spoil in (truncated_jpeg, cmyk) else "m.gif" if spoil is animated else "m.png")
    spoil(bad)
    error = physadv("generate", images, "--name", "a", "--root", root).error
    assert str(bad) in error
    assert cause in error
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("suffix", ["png", "gif", "tif", "webp", "bmp", "jpg", "ppm"])
def test_any_damage_is_refused_in_one_line_or_does_not_matter(physadv, tmp_path, suffix):
    path = tmp_path / "images" / f"a.{suffix}"
    path.parent.mkdir()
    PICTURE.save(path)
    whole, draw = path.read_bytes(), np.random.default_rng(1)
    refusals = []
    for _ in range(60):
        damaged = bytearray(whole)
        for place in draw.integers(0, min(300, len(whole)), 3):
            damaged[place] = draw.integers(256)
        path.write_bytes(damaged)
        try:
            assert read_source(path, 299).shape[2] == 3
        except SourceError as error:
            refusals.append(str(error))
    assert refusals
    for line in refusals:
        assert line.startswith(str(path))
        assert len(line.splitlines()) == 1


def test_opaque_alpha_grey_and_palette_are_read_as_rgb(tmp_path):
    for mode in ("RGBA", "L", "P", "1"):
        image = PICTURE.quantize(256) if mode == "P" else PICTURE.convert(mode)
        image.save(tmp_path / "image.png")
        np.testing.assert_array_equal(
            read_source(tmp_path / "image.png", 299), np.asarray(image.convert("RGB"))
        )


def test_the_middle_square_is_taken_upright_and_reduced_but_never_enlarged(tmp_path):
    path = tmp_path / "wide.png"
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 30:70] = PIXELS
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # shown after a quarter turn clockwise
    Image.fromarray(np.rot90(wide)).save(path, exif=exif)
    np.testing.assert_array_equal(read_source(path, 299), PIXELS)
    assert read_source(path, 20).shape == (20, 20, 3)


def test_missing_and_empty_folders_are_named(physadv, tmp_path):
    missing = physadv("generate", tmp_path / "nowhere", "--name", "a", "--root", tmp_path)
    assert missing.error == f"error: {tmp_path / 'nowhere'}: not found"
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "notes.txt").touch()
    (folder / ".hidden.png").touch()
    empty = physadv("generate", folder, "--name", "a", "--root", tmp_path)
    assert f"{folder}: no images" in empty.error
    picture = tmp_path / "one.png"
    PICTURE.save(picture)
    assert str(picture) in physadv("generate", picture, "--name", "a", "--root", tmp_path).error
    assert not (tmp_path / "printouts").exists()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("path,label\na.png,stop\nnosuch.png,stop\n", ["line 3", "nosuch.png"]),
        ("path,label\na.png,43\n", ["line 2", "label 43", "43 classes"]),
        ("path,label\na.png,-1\n", ["line 2", "label -1"]),
        ("path,label\na.png,stopp\n", ["line 2", "'stopp'"]),
        ("path,label\na.png\n", ["line 2", "label ''"]),
        ("path,class\na.png,stop\n", ["column 'label'"]),
        ("file,label\na.png,stop\n", ["column 'path'"]),
        ("", ["column"]),
        ("path,label\n", ["no images"]),
    ],
)
def test_a_bad_line_of_a_csv_is_named(physadv, tmp_path, text, named):
    PICTURE.save(tmp_path / "a.png")
    table = tmp_path / "labels.csv"
    table.write_text(text)
    error = physadv("generate", table, "--name", "a", "--root", tmp_path).error
    assert str(table) in error
    assert all(part in error for part in named)
    assert not (tmp_path / "printouts").exists()


def test_a_csv_that_is_no_text_is_named(physadv, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_bytes(b"path,label\n\xff\xfe,stop\n")
    assert str(table) in physadv("generate", table, "--name", "a", "--root", tmp_path).error


def test_a_class_folder_that_is_no_class_is_named(physadv, tmp_path):
    for name in ("stop", "zebra"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        PICTURE.save(tmp_path / "tree" / name / "a.png")
    error = physadv("generate", tmp_path / "tree", "--name", "a", "--root", tmp_path).error
    assert str(tmp_path / "tree" / "zebra") in error
    assert not (tmp_path / "printouts").exists()


def test_labels_come_from_a_csv_by_name_or_index_in_its_own_order(tmp_path):
    for name in ("b.png", "a.png"):
        PICTURE.save(tmp_path / name)
    table = tmp_path / "labels.csv"
    table.write_text("note,label,path\nx,13,b.png\ny,Stop,a.png\n", encoding="utf-8-sig")
    found = label_sources(list_sources(table), load_classifier("signs"))
    assert [(source.name, source.label) for source in found] == [("b.png", 13), ("a.png", 14)]


def test_labels_come_from_the_folders_of_a_tree(tmp_path):
    for name in ("yield/1.png", "yield/2.png", "14/1.png", ".cache/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        PICTURE.save(tmp_path / name)
    (tmp_path / "no images in here").mkdir()
    found = label_sources(list_sources(tmp_path), load_classifier("signs"))
    assert [(source.name, source.label) for source in found] == [
        ("14/1.png", 14),
        ("yield/1.png", 13),
        ("yield/2.png", 13),
    ]


def test_a_folder_of_images_has_no_labels_and_an_order(tmp_path):
    for name in ("b.png", "a.PNG", "c.jpg"):
        PICTURE.save(tmp_path / name, "JPEG" if name.endswith("jpg") else "PNG")
    found = label_sources(list_sources(tmp_path), load_classifier("signs"))
    assert [(source.name, source.label) for source in found] == [
        ("a.PNG", None),
        ("b.png", None),
        ("c.jpg", None),
    ]
