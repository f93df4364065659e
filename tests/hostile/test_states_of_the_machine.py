"""Memory, permission, disks and missing packages are said, and never written down as facts about the data."""

import errno
import os
import shutil
import sqlite3
import sys

import pytest

from physadv.errors import MachineError, machine_fault
from physadv.files import file_sha256
from physadv.keeping import Kept
from physadv.pipeline import crop_file
from physadv.runs import Capture
from physadv.runs.store import ObservationStore

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
