"""Memory, permission, disks and missing packages are said, and never written down as facts about the data."""

import errno
import os
import shutil
import sqlite3
import sys

import pytest

from physadv.classifiers.specs import read_label_file
from physadv.errors import MachineError, machine_fault
from physadv.files import file_sha256
from physadv.keeping import Kept
from physadv.pipeline import crop_file, sources
from physadv.pipeline.adopted_files import _read_arrays
from physadv.runs import Capture
from physadv.runs.store import ObservationStore
from physadv.signs.stop_sign.settings import read_colours
from physadv.signs.stop_sign.sign_photos import _read_corners, read_sign_photos

PHOTO = "sheet-001-shot-1.jpg"
FAULTS = {
    "memory": (MemoryError(), "not enough memory"),
    "memory of a library": (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
    "permission": (PermissionError(errno.EACCES, "Permission denied", "x"), "Permission denied"),
    "bad disk": (OSError(errno.EIO, "Input/output error", "x"), "Input/output error"),
    "missing package": (MachineError("a video; pip install it"), "a video; pip install it"),
}


def rows_of(root):
    with Capture(root, "mine").store() as store:
        return store.photos(), store.crops()


def fail_once(monkeypatch, module, name, error):
    """Let a function fail until the test ends its patch."""

    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(module, name, fail)


@pytest.mark.parametrize(("error", "said"), FAULTS.values(), ids=FAULTS)
def test_a_photo_that_cannot_be_read_now_is_named_and_cropped_the_next_time(
    physadv, photographed_root, copy_of, monkeypatch, error, said
):
    root = copy_of(photographed_root)
    with monkeypatch.context() as patch:
        fail_once(patch, crop_file, "read_photo", error)
        answer = physadv("crop", "mine", "--quiet", "--workers", 1, "--root", root)
        assert f"{PHOTO}: not read now: {said}; mend that and crop again" in answer.error
    assert rows_of(root) == ([], [])
    answer = physadv("crop", "mine", "--quiet", "--workers", 1, "--root", root)
    assert answer.code == 0
    assert "10 of 10 cells cropped from 1 of 1 photos" in answer.out


def test_short_memory_costs_no_cell_that_was_cropped(physadv, cropped_root, copy_of, monkeypatch, contents):
    root = copy_of(cropped_root)
    before = contents(root / "captures")
    shutil.rmtree(root / "captures" / "mine" / "crops")
    fail_once(monkeypatch, crop_file, "read_photo", MemoryError())
    assert "not enough memory" in physadv("crop", "mine", "--quiet", "--workers", 1, "--root", root).error
    monkeypatch.undo()
    assert physadv("crop", "mine", "--quiet", "--workers", 1, "--root", root).code == 0
    assert contents(root / "captures") == before


def test_a_photo_without_permission_costs_itself_only_and_stays_in_the_store(
    physadv, cropped_root, copy_of, monkeypatch
):
    root = copy_of(cropped_root)
    before = rows_of(root)

    def digest(path):
        if path.name == PHOTO:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return file_sha256(path)

    monkeypatch.setattr("physadv.pipeline.crop.file_sha256", digest)
    monkeypatch.setattr(crop_file, "file_sha256", digest)
    error = physadv("crop", "mine", "--quiet", "--workers", 1, "--root", root).error
    assert f"{PHOTO}: not read now: Permission denied" in error
    assert rows_of(root) == before


@pytest.mark.parametrize(
    "code",
    ["NOMEM", "CANTOPEN", "READONLY", "PERM", "AUTH", "IOERR", "IOERR_NOMEM", "BUSY", "LOCKED", "PROTOCOL"],
)
def test_a_sound_store_is_not_called_unusable_because_of_the_machine(tmp_path, code):
    with ObservationStore(tmp_path / "observations.sqlite") as store:
        error = sqlite3.OperationalError("as SQLite words it")
        error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")
        with pytest.raises(Exception, match=r"observations\.sqlite: ") as raised, store._faults_named():
            raise error
    assert "move it away" not in str(raised.value)


@pytest.mark.parametrize("code", ["CORRUPT", "NOTADB"])
def test_a_corrupt_store_is_to_be_moved_away(tmp_path, code):
    with ObservationStore(tmp_path / "observations.sqlite") as store:
        error = sqlite3.DatabaseError("as SQLite words it")
        error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")
        with pytest.raises(Exception, match="move it away"), store._faults_named():
            raise error


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_store_without_permission_is_said_to_lack_it(physadv, cropped_root, copy_of):
    root = copy_of(cropped_root)
    store = root / "captures" / "mine" / "observations.sqlite"
    store.chmod(0)
    error = physadv("crop", "mine", "--quiet", "--workers", 1, "--root", root).error
    store.chmod(0o600)
    assert "move it away" not in error


@pytest.mark.parametrize("ending", [".json", ".pt"])
@pytest.mark.parametrize("error", [MemoryError(), PermissionError(errno.EACCES, "Permission denied", "x")])
def test_a_checkpoint_that_cannot_be_read_now_is_not_called_damaged(tmp_path, monkeypatch, ending, error):
    import torch

    kept = Kept(tmp_path / f"work{ending}")
    kept.save({"steps": 3})

    def fail(*_arguments, **_options):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "read_text", fail)
        patch.setattr(torch, "load", fail)
        with pytest.raises(type(error)):
            kept.load()
    assert kept.load() == {"steps": 3}


def test_what_is_wrong_with_a_file_is_no_state_of_the_machine():
    for error in (ValueError("truncated"), OSError("image file is truncated"), OSError(errno.EINVAL, "odd")):
        assert machine_fault(error) is None


def test_a_video_without_pyav_is_not_stored(physadv, photographed_root, copy_of, monkeypatch):
    root = copy_of(photographed_root)
    photos = root / "captures" / "mine" / "photos"
    (photos / "clip.mp4").write_bytes(b"\0\0\0\x14ftypisom" + bytes(8))
    monkeypatch.setitem(sys.modules, "av", None)
    error = physadv("crop", "mine", "--quiet", "--workers", 1, "--root", root).error
    assert "clip.mp4: not read now: a video; to take its frames: pip install 'physadv[video]'" in error
    assert [row.name for row in rows_of(root)[0]] == [PHOTO]


def _mask(path):
    from physadv.signs.stop_sign.masks import load_mask

    return load_mask(str(path))


def _weights(path):
    from physadv.classifiers.weight_files import read_state_dict

    return read_state_dict(path, ())


def _program(path):
    from physadv.classifiers.weight_files import read_program

    return read_program(path, "cpu")


def _victims(path):
    from physadv.signs.training.data import read_victims

    folder = path.parent / "traffic" / "rp2" / "victims"
    folder.mkdir(parents=True)
    path.rename(folder / path.name)
    return read_victims(path.parent)


def _training(path):
    from physadv.signs.training.data import _arrays

    return _arrays(path, "train_images")


FILES = {
    "mask": ("mask.png", _mask),
    "sign": ("1.png", lambda path: read_sign_photos(path.parent)),
    "corners": ("corners.json", lambda path: _read_corners(path.parent)),
    "training": ("gtsrb32.npz", _training),
    "victim": ("1.png", _victims),
    "weights": ("own.pt", _weights),
    "safetensors": ("own.safetensors", _weights),
    "program": ("own.pt2", _program),
    "class names": ("names.txt", read_label_file),
    "colours": ("colours.txt", read_colours),
    "array": ("images.npy", _read_arrays),
    "tensor": ("images.pt", _read_arrays),
}


@pytest.mark.parametrize("error", [MemoryError(), PermissionError(errno.EACCES, "Permission denied", "x")])
@pytest.mark.parametrize(("name", "read"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_now_is_not_called_a_bad_one(tmp_path, monkeypatch, name, read, error):
    """The files of adopt, harden, stop-sign and --model; those of every other picture are tested with it."""
    import numpy as np
    import torch

    from physadv.classifiers import weight_files

    def fail(*_arguments, **_options):
        raise error

    (tmp_path / name).write_bytes(b"something")
    for place, function in (
        (type(tmp_path), "read_bytes"),
        (type(tmp_path), "read_text"),
        (np, "load"),
        (torch, "load"),
        (weight_files, "load_file"),
        (weight_files.zipfile, "ZipFile"),
    ):
        monkeypatch.setattr(place, function, fail)
    with pytest.raises((MachineError, OSError, MemoryError)) as raised:
        read(tmp_path / name)
    assert machine_fault(raised.value)


def test_short_memory_is_one_line_with_a_way_out(physadv, monkeypatch, signs_csv, tmp_path):
    fail_once(monkeypatch, sources, "read_pixels", MemoryError())
    answer = physadv("generate", signs_csv, "--name", "a", "--attack", "fast", "--root", tmp_path, "--quiet")
    assert answer.error == ("error: not enough memory; mend that and run the same command again to go on")
