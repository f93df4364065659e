import errno
import hashlib
import os
import subprocess
import sys

import pytest

from physadv.files import file_sha256, remove_partial_files, replacing


def test_a_file_appears_whole_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_a_block_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.parametrize(
    "raised",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.ENOSPC, "No space left on device", "source.jpg"),
        OSError("encoder error"),
    ],
)
def test_a_failed_write_names_the_file_that_was_to_be(tmp_path, raised):
    def write():
        with replacing(tmp_path / "file.txt") as temporary:
            temporary.write_text("half")
            raise raised

    with pytest.raises(OSError) as caught:  # noqa: PT011 - the file named is what counts
        write()
    assert caught.value.filename == str(tmp_path / "file.txt")


def test_a_source_that_cannot_be_read_keeps_its_own_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "file.txt"):
        (tmp_path / "source").read_bytes()
    assert caught.value.filename == str(tmp_path / "source")


def test_only_half_written_files_are_removed(tmp_path):
    for name in (".a.png.12.physadv.part", "a.png", ".hidden", "b.part", ".notes.12.part", ".physadv.part"):
        (tmp_path / name).touch()
    remove_partial_files(tmp_path, tmp_path / "not there")
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "a.png",
        ".hidden",
        "b.part",
        ".notes.12.part",
        ".physadv.part",
    }


def test_what_a_killed_process_left_of_a_file_goes_when_the_file_is_written_again(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    others = {
        f".b.png.{ended.pid}.physadv.part",
        f".a.png.{os.getppid()}.physadv.part",
        ".a.png.physadv.part",
        "b.png",
    }
    for name in (f".a.png.{ended.pid}.physadv.part", f".a.png.{10**30}.physadv.part", *others):
        (tmp_path / name).touch()
    with replacing(tmp_path / "a.png", tidy=True) as temporary:
        temporary.touch()
    assert {entry.name for entry in tmp_path.iterdir()} == {"a.png", *others}


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc" * 10_000)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(b"abc" * 10_000).hexdigest()
