import io
import json

import pytest
from PIL import ExifTags, Image

from physadv.runs import Printout


@pytest.fixture(scope="module")
def photo_path(photographed_root):
    (path,) = (photographed_root / "captures" / "mine" / "photos").iterdir()
    return path


def test_instructions_name_the_sheet_the_folder_and_the_next_command(physadv, printed_root, copy_of):
    root = copy_of(printed_root)
    answer = physadv("photograph", "mine", "--root", root)
    assert answer.code == 0
    assert answer.err == ""
    photos = root / "captures" / "mine" / "photos"
    assert photos.is_dir()
    for text in (str(photos), str(root / "printouts" / "mine" / "sheets.pdf"), "100 %", "physadv crop mine"):
        assert text in answer.out


def test_a_simulated_photo_is_a_jpeg_whose_exif_says_so(photo_path):
    with Image.open(photo_path) as photo:
        assert photo.format == "JPEG"
        assert sorted(photo.size) == [1512, 2016]
        exif = photo.getexif()
    assert "simulated" in exif[ExifTags.Base.Model]
    assert "simulated" in exif[ExifTags.Base.ImageDescription]
    assert exif[ExifTags.Base.Orientation] in (1, 3, 6, 8)


def test_ground_truth_holds_the_corners_of_every_cell(photographed_root):
    (truth,) = (photographed_root / "captures" / "mine" / "truth").iterdir()
    fields = json.loads(truth.read_text())
    manifest = Printout(photographed_root, "mine").manifest()
    assert fields["simulated"] is True
    assert fields["preset"] == "office"
    assert set(fields["corners_px"]) == {example.id for example in manifest.examples}
    assert fields["visible"] == [cell.example for cell in manifest.sheets[0].cells]
    for corners in fields["corners_px"].values():
        assert len(corners) == 4
        assert all(0 < x < 1512 and 0 < y < 2016 for x, y in corners)


@pytest.mark.long
def test_photos_already_taken_are_kept_and_one_whose_truth_was_spoilt_comes_back_the_same(
    physadv, photographed_root, copy_of, contents
):
    root = copy_of(photographed_root)
    before = contents(root)
    simulate = ["photograph", "mine", "--simulate", "--shots", 1, "--workers", 1, "--root", root]
    assert "0 of 0" in physadv(*simulate).err
    assert contents(root) == before
    (root / "captures" / "mine" / "truth" / "sheet-001-shot-1.json").write_text("edited")
    assert "1 of 1" in physadv(*simulate).err
    assert contents(root) == before


def test_another_preset_takes_other_photos_beside_those_that_are_there(physadv, photographed_root, copy_of):
    root = copy_of(photographed_root)
    simulate = ["photograph", "mine", "--simulate", "--shots", 1, "--workers", 1, "--root", root]
    capture = root / "captures" / "mine"
    before = (capture / "photos" / "sheet-001-shot-1.jpg").read_bytes()
    assert "1 of 1" in physadv(*simulate, "--preset", "night").err
    assert (capture / "photos" / "sheet-001-shot-1.jpg").read_bytes() == before
    assert (capture / "photos" / "sheet-001-shot-1-night.jpg").read_bytes() != before
    assert json.loads((capture / "truth" / "sheet-001-shot-1-night.json").read_text())["preset"] == "night"


def test_another_phone_takes_other_photos_and_is_recorded(physadv, photographed_root, copy_of):
    root = copy_of(photographed_root)
    mine = root / "tiny.toml"
    mine.write_text('base = "like-jolla"\n[phone]\nwidth = 378\nheight = 504\nfocal = 378\n')
    simulate = ["photograph", "mine", "--simulate", "--shots", 1, "--workers", 1, "--root", root]
    assert "1 of 1" in physadv(*simulate, "--phone", mine).err
    (truth,) = (root / "captures" / "mine" / "truth").glob("*tiny.toml.json")
    fields = json.loads(truth.read_text())
    assert (fields["preset"], fields["phone"]) == ("office", "tiny.toml")
    assert fields["ranges"]["phone"]["quality"] == [85.0, 85.0]
    with Image.open(root / "captures" / "mine" / "photos" / f"{truth.stem}.jpg") as photo:
        assert sorted(photo.size) == [378, 504]
    assert "0 of 0" in physadv(*simulate, "--phone", mine).err
    refused = physadv(*simulate, "--phone", "like-iphone-5").err
    assert "unknown phone 'like-iphone-5'; nearest: like-iphone-6" in refused
    refused = physadv("photograph", "mine", "--phone", "like-jolla", "--root", root).err
    assert "phone 'like-jolla': wanted --simulate with it" in refused


def test_another_printer_takes_other_photos_and_is_recorded(physadv, photographed_root, copy_of):
    root = copy_of(photographed_root)
    simulate = ["photograph", "mine", "--simulate", "--shots", 1, "--workers", 1, "--root", root]
    assert "1 of 1" in physadv(*simulate, "--printer", "offset-coated").err
    name = "sheet-001-shot-1-office-on-offset-coated"
    fields = json.loads((root / "captures" / "mine" / "truth" / f"{name}.json").read_text())
    assert (fields["preset"], fields["printer"]) == ("office", "offset-coated")
    photos = root / "captures" / "mine" / "photos"
    blackest = []
    for file in (f"{name}.jpg", "sheet-001-shot-1.jpg"):
        with Image.open(photos / file) as photo:
            # Of blocks: the darkest pixel is noise.
            blackest.append(photo.convert("L").reduce(6).getextrema()[0])
    assert blackest[0] < blackest[1] / 1.5
    assert "0 of 0" in physadv(*simulate, "--printer", "offset-coated").err


def test_an_unknown_printer_and_one_without_simulate_are_refused(physadv, printed_root, contents):
    before = contents(printed_root)
    command = ["photograph", "mine", "--root", printed_root, "--printer"]
    unknown = physadv(*command, "offset-coted", "--simulate").error
    assert "unknown printer 'offset-coted'; nearest: offset-coated" in unknown
    assert "printer 'office-laser': wanted --simulate with it" in physadv(*command, "office-laser").error
    assert contents(printed_root) == before


def test_an_unknown_preset_is_named_and_nothing_is_written(physadv, printed_root, contents):
    before = contents(printed_root)
    simulate = ["photograph", "mine", "--simulate", "--preset", "nigth", "--root", printed_root]
    assert "unknown preset 'nigth'; nearest: night" in physadv(*simulate).error
    assert contents(printed_root) == before


def test_no_shots_are_refused(physadv, printed_root, contents):
    before = contents(printed_root)
    error = physadv("photograph", "mine", "--simulate", "--shots", 0, "--root", printed_root).error
    assert "shots 0" in error
    assert contents(printed_root) == before


def test_the_photo_is_whole(photo_path):
    with Image.open(io.BytesIO(photo_path.read_bytes())) as photo:
        photo.load()


MINE = """
base = "office"

[phone]
width = 1512
height = 2016
focal = 1514
orientations = [1]

[print]
scale = 0.95
monochrome = true
"""


@pytest.mark.long
def test_a_preset_of_the_users_own_prints_photographs_and_is_recorded(physadv, printed_root, copy_of):
    root = copy_of(printed_root)
    mine = root / "mine.toml"
    mine.write_text(MINE)
    simulate = ["photograph", "mine", "--simulate", "--shots", 1, "--workers", 1, "--root", root]
    assert "1 of 1" in physadv(*simulate, "--preset", mine).err
    photo = root / "captures" / "mine" / "photos" / "sheet-001-shot-1.jpg"
    truth = root / "captures" / "mine" / "truth" / "sheet-001-shot-1.json"

    fields = json.loads(truth.read_text())
    assert fields["preset"] == mine.name
    assert fields["ranges"]["print"]["scale"] == 0.95
    assert fields["ranges"]["phone"]["orientations"] == [1]
    with Image.open(photo) as taken:
        assert taken.getexif()[ExifTags.Base.Orientation] == 1

    # The sheet is found where the truth says that the smaller print is.
    cropped = physadv("crop", "mine", "--workers", 1, "--root", root)
    cells = len(Printout(root, "mine").manifest().examples)
    assert f"{cells} of {cells} cells cropped" in cropped.out

    assert "0 of 0" in physadv(*simulate, "--preset", mine).err
    mine.write_text(MINE.replace("0.95", "0.96"))
    assert "1 of 1" in physadv(*simulate, "--preset", mine).err


def test_a_typo_in_a_preset_of_the_users_own_is_one_line_and_nothing_is_written(
    physadv, printed_root, tmp_path, contents
):
    before = contents(printed_root)
    mine = tmp_path / "mine.toml"
    mine.write_text("[phone]\nexposre = 1\n")
    answer = physadv("photograph", "mine", "--simulate", "--preset", mine, "--root", printed_root)
    assert answer.error == f"error: {mine}: phone: unknown key 'exposre'; nearest: exposure, defocus"
    assert contents(printed_root) == before


@pytest.mark.parametrize("preset", ["night", "nosuch", "mine.toml", "office", ""])
def test_a_preset_without_simulate_is_refused_not_ignored(physadv, printed_root, preset):
    error = physadv("photograph", "mine", "--preset", preset, "--root", printed_root).error
    assert f"preset '{preset}': wanted --simulate with it" in error
