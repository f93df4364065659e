import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from physadv.pipeline import crop_file as cropping
from physadv.pipeline.crop import crop as crop_photos
from physadv.runs import Capture, Printout, RunError
from physadv.sheets.codes import Code, format_code, qr_matrix
from physadv.sheets.layout import box_corners

PHOTO = "sheet-001-shot-1.jpg"
CROP = ("crop", "mine", "--workers", 1, "--quiet", "--root")


@pytest.fixture
def root(photographed_root, copy_of):
    return copy_of(photographed_root)


@pytest.fixture
def photos(root):
    return root / "captures" / "mine" / "photos"


def stored(root):
    with Capture(root, "mine").store() as store:
        return store.photos(), store.crops()


def test_every_cell_is_cut_on_its_example_s_own_grid_and_looks_like_it(cropped_root):
    printout, capture = Printout(cropped_root, "mine"), Capture(cropped_root, "mine")
    (photo,), crops = stored(cropped_root)
    assert (photo.name, photo.status, photo.simulated) == (PHOTO, "used", True)
    assert (photo.width, photo.height) == (1512, 2016)
    assert photo.stretch == pytest.approx(1, abs=0.005)
    examples = {example.id: example for example in printout.manifest().examples}
    assert {crop.example for crop in crops} == set(examples)
    for crop in crops:
        with Image.open(capture.folder / crop.path) as image:
            cut = np.asarray(image)
        source = printout.pixels(examples[crop.example])
        assert cut.shape == source.shape
        assert np.corrcoef(cut.ravel(), source.ravel())[0, 1] > 0.8
        assert crop.residual_px < 0.5
        assert crop.sharpness_px > 0
        assert 0 < crop.paper_level <= 255
        assert 0 <= crop.angle_deg < 40
        assert 150 < crop.distance_mm < 800


def test_ground_truth_is_never_read(physadv, root, cropped_root, contents):
    for truth in (root / "captures" / "mine" / "truth").iterdir():
        fields = json.loads(truth.read_text())
        truth.write_text(json.dumps({**fields, "corners_px": None, "visible": None}))
    assert physadv(*CROP, root).code == 0
    wanted = contents(cropped_root / "captures" / "mine")
    found = contents(root / "captures" / "mine")
    crops, cropped = (
        {name: data for name, data in files.items() if not name.startswith("truth")}
        for files in (found, wanted)
    )
    assert crops == cropped


def test_the_same_command_again_changes_no_byte(physadv, cropped_root, copy_of, contents):
    before = contents(cropped_root)
    root = copy_of(cropped_root)
    answer = physadv(*CROP, root)
    assert answer.code == 0
    assert "print: width to height 100." in answer.out or "print: width to height 99." in answer.out
    assert "no photo tells the size: measure the 100 mm bar with a ruler" in answer.out
    assert contents(root) == before


def test_worker_processes_make_the_same_bytes(physadv, root, photos, contents):
    (photos / "second.jpg").write_bytes((photos / PHOTO).read_bytes() + b"\0")
    assert physadv("crop", "mine", "--workers", 2, "--quiet", "--root", root).code == 0
    parallel = contents(root)
    shutil.rmtree(root / "captures" / "mine" / "crops")
    (root / "captures" / "mine" / "observations.sqlite").unlink()
    assert physadv(*CROP, root).code == 0
    assert contents(root) == parallel


def test_photos_given_are_copied_as_they_are_and_stay_where_they_were(
    physadv, printed_root, copy_of, photographed_root, tmp_path
):
    root = copy_of(printed_root)
    given = tmp_path / "IMG_0001.JPG"
    shutil.copy(photographed_root / "captures" / "mine" / "photos" / PHOTO, given)
    answer = physadv("crop", "mine", given, "--workers", 1, "--root", root)
    assert answer.code == 0
    assert "10 of 10 cells cropped from 1 of 1 photos" in answer.out
    assert given.read_bytes() == (root / "captures" / "mine" / "photos" / "IMG_0001.JPG").read_bytes()
    given.write_bytes(given.read_bytes() + b"\0")
    error = physadv("crop", "mine", given, "--workers", 1, "--quiet", "--root", root).error
    assert str(given) in error
    assert "another photo of that name" in error


def test_a_missing_photo_is_named_and_none_is_copied(physadv, root, photos, tmp_path):
    good = tmp_path / "good.jpg"
    Image.new("RGB", (8, 8)).save(good)
    error = physadv("crop", "mine", good, tmp_path / "nosuch.jpg", "--quiet", "--root", root).error
    assert str(tmp_path / "nosuch.jpg") in error
    assert [path.name for path in photos.iterdir()] == [PHOTO]


def spoil(photos):
    """Put beside the good photo one of each kind that cannot be used; return name → reason."""
    good = (photos / PHOTO).read_bytes()
    (photos / "twin.jpg").write_bytes(good)
    (photos / "notes.jpg").write_text("buy paper")
    (photos / "empty.jpg").touch()
    (photos / "cut-off.jpg").write_bytes(good[: len(good) // 2])
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "no-sheet.png")
    Image.new("RGB", (1, 1)).save(photos / "dot.png")
    Image.new("L", (2000, 3)).save(photos / "line.png")
    return {
        "twin.jpg": f"the same file as {PHOTO}",
        "notes.jpg": "not a readable image",
        "empty.jpg": "not a readable image",
        "cut-off.jpg": "not a readable image",
        "no-sheet.png": "no sheet",
        "dot.png": "no sheet",
        "line.png": "no sheet",
    }


def test_photos_that_cannot_be_used_are_kept_and_listed_and_stop_nothing(
    physadv, root, photos, contents, cropped_root
):
    reasons = spoil(photos)
    kept = contents(photos)
    answer = physadv(*CROP, root)
    assert answer.code == 2
    assert "10 of 10 cells cropped from 1 of 8 photos" in answer.out
    lines = sorted(answer.err.splitlines())
    assert len(lines) == len(reasons)
    for line, name in zip(lines, sorted(reasons), strict=True):
        assert line.startswith(f"error: {name}: ")
        assert reasons[name] in line
    assert contents(photos) == kept
    crops = root / "captures" / "mine" / "crops"
    assert contents(crops) == contents(cropped_root / "captures" / "mine" / "crops")

    before = contents(root)
    again = physadv(*CROP, root)
    assert (again.code, again.out, again.err) == (answer.code, answer.out, answer.err)
    assert contents(root) == before

    for name in reasons:
        (photos / name).unlink()
    assert physadv(*CROP, root).code == 0
    assert contents(root) == contents(cropped_root)


def test_photos_of_another_run_s_sheets_are_said_to_be_that(physadv, tmp_path, signs_csv, photographed_root):
    options = ["--root", tmp_path, "--quiet"]
    physadv("generate", signs_csv, "--name", "mine", "--eps", 8, "--attack", "fast", *options)
    physadv("print", "mine", *options)
    photo = photographed_root / "captures" / "mine" / "photos" / PHOTO
    answer = physadv("crop", "mine", photo, "--workers", 1, *options)
    assert "another run" in answer.error
    assert PHOTO in answer.error
    assert "0 of 0 cells cropped from 0 of 1 photos" in answer.out
    assert "no crops" in physadv("destruction-rate", "mine", *options).error


def test_what_a_used_photo_shows_besides_is_told_and_kept(physadv, root, photos):
    """A code of another run lies on the table, in a corner of the photo."""
    with Image.open(photos / PHOTO) as image:
        exif = image.getexif()
        modules = np.where(qr_matrix(format_code(Code("OTHERS", 0, 0))), 0, 255).astype(np.uint8)
        code = Image.fromarray(np.pad(modules, 3, constant_values=255)).resize(
            (216, 216), Image.Resampling.BOX
        )
        image.paste(code, (0, 0))
        image.save(photos / PHOTO, quality=92, exif=exif)
    remark = "also shows a sheet of another run (code OTHERS; this run's is "
    assert f"{PHOTO}: {remark}" in physadv(*CROP, root).out
    ((photo,), crops) = stored(root)
    assert photo.remark.startswith(remark)
    assert all(crop.path for crop in crops)


def test_after_printing_anew_photos_of_the_old_sheets_no_longer_count(physadv, cropped_root, copy_of):
    root = copy_of(cropped_root)
    photos = root / "captures" / "mine" / "photos"
    photos.rename(root / "photos")
    physadv("print", "mine", "--page", "letter", "--quiet", "--root", root)
    (root / "photos").rename(photos)
    assert "no crops" in physadv("destruction-rate", "mine", "--quiet", "--root", root).error
    assert "another run" in physadv(*CROP, root).error
    assert list((root / "captures" / "mine" / "crops").iterdir()) == []


def test_a_photo_removed_later_is_forgotten_with_its_crops(physadv, root, photos, cropped_root, contents):
    second = photos / "second.jpg"
    second.write_bytes((photos / PHOTO).read_bytes() + b"\0")
    assert "20 of 20 cells" in physadv(*CROP, root).out
    second.unlink()
    assert "10 of 10 cells cropped from 1 of 1 photos" in physadv(*CROP, root).out
    assert contents(root) == contents(cropped_root)


def test_the_second_of_two_equal_photos_counts_once_the_first_is_gone(physadv, root, photos):
    (photos / "twin.jpg").write_bytes((photos / PHOTO).read_bytes())
    assert physadv(*CROP, root).code == 2
    (photos / PHOTO).unlink()
    answer = physadv(*CROP, root)
    assert answer.code == 0
    assert "10 of 10 cells cropped from 1 of 1 photos" in answer.out


def test_a_photo_replaced_under_its_name_is_read_again(physadv, root, photos):
    good = (photos / PHOTO).read_bytes()
    (photos / PHOTO).write_text("not yet copied")
    assert physadv(*CROP, root).code == 2
    (photos / PHOTO).write_bytes(good)
    assert physadv(*CROP, root).code == 0


def test_a_lost_crop_is_made_again(physadv, cropped_root, copy_of, contents):
    root = copy_of(cropped_root)
    (root / "captures" / "mine" / "crops" / f"0002-clean--{PHOTO}.png").unlink()
    assert physadv(*CROP, root).code == 0
    assert contents(root) == contents(cropped_root)


def test_what_a_killed_process_left_half_written_is_swept_away(physadv, cropped_root, copy_of, contents):
    root = copy_of(cropped_root)
    for folder in ("photos", "crops", "."):
        (root / "captures" / "mine" / folder / ".x.123.physadv.part").write_bytes(b"half")
    assert physadv(*CROP, root).code == 0
    assert contents(root) == contents(cropped_root)


def test_near_copies_of_one_photo_are_all_kept(physadv, root, photos):
    """A burst: files that differ by a hair, each a photo of its own."""
    (photos / "burst-2.jpg").write_bytes((photos / PHOTO).read_bytes() + b"\0")
    assert "20 of 20 cells cropped from 2 of 2 photos" in physadv(*CROP, root).out
    rows, crops = stored(root)
    assert [row.name for row in rows] == ["burst-2.jpg", PHOTO]
    assert len({(crop.photo, crop.example) for crop in crops}) == 20


def test_exposure_and_white_balance_are_recorded_of_every_photo(cropped_root):
    ((photo,), _) = stored(cropped_root)
    assert -1.5 < photo.exposure_stops < 0.3
    assert 0.8 < photo.red_green < 1.2
    assert 0.8 < photo.blue_green < 1.2
    assert (photo.colour, photo.delta_e, photo.delta_e_before) == ("photographed", (), ())


def test_corrected_crops_are_nearer_to_the_print_and_say_that_they_are(
    physadv, cropped_root, copy_of, contents
):
    root = copy_of(cropped_root)
    answer = physadv(*CROP, root, "--colour", "corrected")
    assert answer.code == 0
    ((photo,), crops) = stored(root)
    said = f"corrected in 1 of 1 photos: ΔE2000 of held-out patches {np.mean(photo.delta_e):.1f} mean"
    assert f"colours {said}" in answer.out
    assert photo.colour == "corrected"
    # What a press's inks cannot show no correction brings back.
    assert np.mean(photo.delta_e) < 6 < 8 < np.mean(photo.delta_e_before)
    printout, manifest = Printout(root, "mine"), Printout(root, "mine").manifest()

    def away_from_print(folder):
        differences = []
        for crop in crops:
            with Image.open(folder / "captures" / "mine" / crop.path) as image:
                source = printout.pixels(manifest.example(crop.example)).astype(int)
                differences.append(np.abs(np.asarray(image) - source).mean())
        return np.mean(differences)

    assert away_from_print(root) < 0.6 * away_from_print(cropped_root)

    table = physadv("destruction-rate", "mine", "--quiet", "--root", root).out
    assert "photo (simulated, colour-corrected)" in " ".join(table.split())
    assert physadv("report", "mine", "--quiet", "--root", root).code == 0
    page = (root / "captures" / "mine" / "report.html").read_text()
    assert "corrected in 1 of 1 photos: ΔE2000" in page
    assert "physadv crop mine --colour corrected" in page

    assert physadv(*CROP, root).code == 0
    (root / "captures" / "mine" / "report.html").unlink()
    untouched = {name: data for name, data in contents(root).items() if not name.endswith(".sqlite")}
    assert untouched == {
        name: data for name, data in contents(cropped_root).items() if not name.endswith(".sqlite")
    }
    assert stored(root) == stored(cropped_root)


def test_a_sheet_whose_bars_are_covered_keeps_no_crop_that_only_seems_corrected(physadv, root, photos):
    with Image.open(photos / PHOTO) as image:
        upright = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    (sheet,) = Printout(root, "mine").manifest().sheets
    assert physadv(*CROP, root).code == 0
    _, crops = stored(root)
    cells = {cell.example: np.array(cell.box_mm) for cell in sheet.cells}
    page = np.concatenate([box_corners(tuple(cells[crop.example])) for crop in crops])
    seen = np.concatenate([np.array(crop.corners_px) for crop in crops])
    homography, _ = cv2.findHomography(page, seen)
    for patch in sheet.patches:
        place = cv2.perspectiveTransform(box_corners(patch.box_mm)[None], homography)
        cv2.fillPoly(upright, np.round(place).astype(int), (40, 200, 90))
    Image.fromarray(upright).save(photos / PHOTO)
    answer = physadv(*CROP, root, "--colour", "corrected")
    assert "0 of 10 cells cropped from 1 of 1 photos" in answer.out
    assert answer.out.count("the greys of its bars do not rise") == 10


def test_an_unknown_colour_is_refused(physadv, cropped_root):
    assert "--colour" in physadv(*CROP, cropped_root, "--colour", "vivid").error
    with pytest.raises(RunError, match="colour 'vivid': wanted photographed or corrected"):
        crop_photos(Printout(cropped_root, "mine"), Capture(cropped_root, "mine"), colour="vivid")


def test_every_photo_looked_at_gets_an_overlay_and_loses_it_with_the_photo(physadv, root, photos, contents):
    reasons = spoil(photos)
    folder = root / "captures" / "mine" / "overlays"
    assert "overlays: " not in physadv(*CROP, root).out
    assert not folder.exists()
    answer = physadv(*CROP, root, "--overlay")
    assert f"overlays: {folder}" in answer.out
    looked_at = {PHOTO, *reasons} - {"twin.jpg"}
    assert {path.name for path in folder.iterdir()} == {f"{name}.jpg" for name in looked_at}
    for path in folder.iterdir():
        with Image.open(path) as image:
            assert max(image.size) <= 2000
            image.load()

    before = contents(root)
    physadv(*CROP, root, "--overlay")
    assert contents(root) == before
    (folder / f"{PHOTO}.jpg").unlink()
    physadv(*CROP, root, "--overlay")
    assert contents(root) == before

    (photos / "notes.jpg").unlink()
    (photos / "dot.png").write_bytes((photos / "line.png").read_bytes() + b"\0")
    physadv(*CROP, root)
    kept = looked_at - {"notes.jpg", "dot.png"}
    assert {path.name for path in folder.iterdir()} == {f"{name}.jpg" for name in kept}


def test_a_sheet_seen_twice_in_a_photo_counts_as_two_photos(root, photos, monkeypatch):
    look = cropping.crop_photo

    def twice(*given, **named):
        seen = look(*given, **named)
        return replace(seen, sheets=2 * seen.sheets)

    monkeypatch.setattr(cropping, "crop_photo", twice)
    result = crop_photos(Printout(root, "mine"), Capture(root, "mine"), workers=1)
    assert [(row.name, row.file) for row in result.photos] == [(PHOTO, PHOTO), (f"{PHOTO}#copy-2", PHOTO)]
    assert len({row.path for row in result.crops}) == 20
    (photos / PHOTO).unlink()
    (photos / "other.png").write_bytes(b"")
    result = crop_photos(Printout(root, "mine"), Capture(root, "mine"), workers=1)
    assert [row.name for row in result.photos] == ["other.png"]
