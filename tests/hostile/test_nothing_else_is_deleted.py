"""Nothing is deleted that the program did not make: it goes by its records, never by how a file is called."""

import numpy as np
import pytest
import torch

from physadv.pipeline.print_sheets import print_sheets
from physadv.runs import Capture, Manifest, Printout, RunError
from physadv.signs.stop_sign import make
from physadv.signs.stop_sign.settings import StopSignSettings
from physadv.study.file import StudyError
from physadv.study.steps import clear

PHOTO = "sheet-001-shot-1.jpg"
CROP = ("crop", "mine", "--quiet", "--workers", 1, "--root")


@pytest.mark.parametrize("overlay", [(), ("--overlay",)])
def test_crop_deletes_no_file_beside_its_own(physadv, cropped_root, copy_of, overlay):
    root = copy_of(cropped_root)
    capture = root / "captures" / "mine"
    (capture / "overlays").mkdir(exist_ok=True)
    foreign = [
        capture / "crops" / "holiday.png",
        capture / "crops" / f"0001-clean--{PHOTO}.old.png",
        capture / "overlays" / "holiday.jpg",
        capture / "overlays" / f"{PHOTO}#mine.jpg",
    ]
    for path in foreign:
        path.write_bytes(b"mine")
    physadv(*CROP, root, *overlay)
    photo = capture / "photos" / PHOTO
    photo.write_bytes(photo.read_bytes() + b"\0")
    physadv(*CROP, root, *overlay)
    photo.rename(photo.with_name("other.jpg"))
    physadv(*CROP, root, *overlay)
    assert all(path.read_bytes() == b"mine" for path in foreign)
    assert not list((capture / "crops").glob(f"*--{PHOTO}.png"))
    assert len(list((capture / "crops").glob("*--other.jpg.png"))) == 10
    assert not (capture / "overlays" / f"{PHOTO}.jpg").exists()


def test_a_deleted_example_is_made_again_as_it_was(physadv, printed_root, copy_of, signs_csv, contents):
    root = copy_of(printed_root)
    before = contents(root)
    folder = root / "printouts" / "mine"
    (folder / "adversarial" / "0002.png").unlink()
    error = physadv("print", "mine", "--quiet", "--root", root).error
    assert "0002.png: missing" in error
    assert "the command that made the run makes it again" in error
    generate = ("generate", signs_csv, "--name", "mine", "--quiet", "--root", root)
    assert physadv(*generate).code == 0
    assert contents(root) == before


def test_an_edited_example_is_not_replaced(physadv, printed_root, copy_of, signs_csv):
    root = copy_of(printed_root)
    folder = root / "printouts" / "mine"
    (folder / "adversarial" / "0002.png").unlink()
    (folder / "clean" / "0001.png").write_bytes(b"mine")
    error = physadv("generate", signs_csv, "--name", "mine", "--quiet", "--root", root).error
    assert "0001.png: its SHA-256 is not the one in" in error
    assert (folder / "clean" / "0001.png").read_bytes() == b"mine"


def test_a_study_that_changed_deletes_what_is_on_record_only(cropped_root, copy_of):
    root = copy_of(cropped_root)
    printout, capture = Printout(root, "mine"), Capture(root, "mine")
    notes = [
        printout.folder / "notes.txt",
        printout.folder / "clean" / "mine.png",
        capture.truth / "mine.json",
    ]
    notes += [capture.folder / "notes.txt", capture.crops / "holiday.png", capture.overlays / "holiday.jpg"]
    for path in notes:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    clear(printout, capture)
    left = {path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert left == {*notes}


@pytest.mark.parametrize("name", ["sheet-001-shot-1.jpg", "sheet-001-shot-1.png", "IMG_0001.jpg"])
def test_a_study_that_changed_keeps_a_real_photo_whatever_it_is_called(cropped_root, copy_of, contents, name):
    root = copy_of(cropped_root)
    (root / "captures" / "mine" / "photos" / name).write_bytes(b"mine")
    before = contents(root)
    with pytest.raises(StudyError, match="holds photographs"):
        clear(Printout(root, "mine"), Capture(root, "mine"))
    assert contents(root) == before


def test_pdf_and_manifest_change_together(printed_root, copy_of, monkeypatch):
    root = copy_of(printed_root)
    whole = Manifest.write

    def killed(manifest, path):
        if manifest.sheets:
            raise KeyboardInterrupt
        whole(manifest, path)

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            print_sheets(Printout(root, "mine"), page="letter")
    with pytest.raises(RunError, match="not made yet; run 'physadv print mine'"):
        Printout(root, "mine").printed_manifest()


def test_stickers_of_a_killed_run_are_not_taken_for_those_of_another_seed(tmp_path, monkeypatch):
    printout = Printout(tmp_path, "signs")
    asked = {}

    def stickers_for(classifier, photos, settings, reporter):
        asked.setdefault("seeds", []).append(settings.seed)
        value = torch.full((1, 3, 8, 8), settings.seed / 255)
        return make.StickerRun(None, (), value, torch.ones(8, 8), {"asked": {}})

    monkeypatch.setattr(make, "load_classifier", lambda *_arguments, **_options: None)
    monkeypatch.setattr(make, "_judge_of", lambda *_arguments: None)
    monkeypatch.setattr(make, "drawn_sign_photos", lambda *_arguments: [])
    monkeypatch.setattr(make, "held_out", lambda photos: ([], []))
    monkeypatch.setattr(make, "contact_sheet", lambda photos: np.zeros((4, 4, 3), np.uint8))
    monkeypatch.setattr(make, "stickers_for", stickers_for)
    first = make.make_stickers(printout, StopSignSettings(seed=0))
    again = make.make_stickers(printout, StopSignSettings(seed=0))
    assert asked["seeds"] == [0]
    assert torch.equal(again.stickers, first.stickers)
    record = (printout.folder / make.RECORD).read_bytes()
    make.make_stickers(printout, StopSignSettings(seed=1))
    (printout.folder / make.RECORD).write_bytes(record)  # as if killed before the record was written
    assert torch.equal(make.make_stickers(printout, StopSignSettings(seed=0)).stickers, first.stickers)
    assert asked["seeds"] == [0, 1, 0]


def test_an_unfinished_run_s_folder_keeps_what_else_is_in_it(physadv, signs_csv, tmp_path):
    folder = tmp_path / "printouts" / "mine"
    (folder / ".progress").mkdir(parents=True)
    for name in (".progress/notes.txt", ".progress/000001.csv", ".notes.12.part", "clean.part"):
        (folder / name).write_text("of the user's own")
    words = ("generate", signs_csv, "--name", "mine", "--attack", "fast", "--limit", 1, "--root", tmp_path)
    assert physadv(*words, "--quiet").code == 0
    kept = sorted(path.name for path in (folder / ".progress").iterdir())
    assert kept == ["000001.csv", "notes.txt"]
    assert (folder / ".notes.12.part").exists()
    assert physadv("print", "mine", "--quiet", "--root", tmp_path).code == 0
    assert (folder / ".notes.12.part").exists()
