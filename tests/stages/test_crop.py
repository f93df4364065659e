import shutil

import numpy as np
import pytest
from PIL import Image

from physadv.runs import Capture, Printout

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
    assert (photo.width, photo.height) == (3024, 4032)
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


def test_ground_truth_is_never_read(physadv, root, cropped_root, contents):
    shutil.rmtree(root / "captures" / "mine" / "truth")
    assert physadv(*CROP, root).code == 0
    wanted = contents(cropped_root / "captures" / "mine")
    found = contents(root / "captures" / "mine")
    assert found == {name: data for name, data in wanted.items() if not name.startswith("truth")}


def test_the_same_command_again_changes_no_byte(physadv, cropped_root, copy_of, contents):
    before = contents(cropped_root)
    root = copy_of(cropped_root)
    assert physadv(*CROP, root).code == 0
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


def test_after_printing_anew_photos_of_the_old_sheets_no_longer_count(physadv, cropped_root, copy_of):
    root = copy_of(cropped_root)
    physadv("print", "mine", "--page", "letter", "--quiet", "--root", root)
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
        (root / "captures" / "mine" / folder / ".x.123.part").write_bytes(b"half")
    (root / "captures" / "mine" / "crops" / "0009-clean--gone.jpg.png").write_bytes(b"stale")
    assert physadv(*CROP, root).code == 0
    assert contents(root) == contents(cropped_root)
