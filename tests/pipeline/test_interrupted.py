"""Processes ended at an exact place: just before the n-th file of a root would have taken its name."""

import multiprocessing
import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from physadv.cli import main

# One process imports everything once, and each command runs in a fork of it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([f"physadv.pipeline.{step}" for step in ("generate", "crop", "measure")])


def _run(rename: int, how: int, root: str, streams: list[str], arguments: list[str]) -> None:
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    left = rename

    def end(event: str, given: tuple[object, ...]) -> None:
        nonlocal left
        if event == "os.rename" and str(given[1]).startswith(root):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), how)

    sys.addaudithook(end)
    main(arguments)


@pytest.fixture
def start(tmp_path_factory):
    """Starts a command in a process that gets a signal when it is about to rename for the n-th time."""
    folder = tmp_path_factory.mktemp("streams")
    streams = [str(folder / name) for name in ("out", "err")]

    def start(rename: int, how: signal.Signals, root: Path, *arguments: object) -> BaseProcess:
        given = (rename, int(how), str(root), streams, [str(argument) for argument in arguments])
        process = FORKS.Process(target=_run, args=given)
        process.start()
        return process

    return start, [Path(path) for path in streams]


@pytest.fixture
def end_at(start):
    """Runs a command until the signal ends it: its exit code, standard output and standard error."""
    begin, streams = start

    def end(*arguments: object) -> tuple[int, str, str]:
        process = begin(*arguments)
        process.join()
        return process.exitcode, *(path.read_text() for path in streams)

    return end


def hidden(root):
    """Return what is hidden below a root, but for the lock of the run, which stays."""
    return sorted(path.name for path in root.rglob(".*") if path.name != ".mine.lock")


def generate(signs_csv, root):
    options = ("--attack", "fast", "--batch", 1, "--limit", 4, "--quiet", "--root", root)
    return ("generate", signs_csv, "--name", "mine", *options)


# Of 14 files: the mark of the run, four times two pictures and their record, the manifest.
@pytest.mark.parametrize("rename", [6, 14])
def test_generate_killed_goes_on_to_the_same_bytes(physadv, end_at, tmp_path, signs_csv, contents, rename):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert physadv(*generate(signs_csv, straight)).code == 0
    code, *_ = end_at(rename, signal.SIGKILL, killed, *generate(signs_csv, killed))
    assert code == -signal.SIGKILL
    assert (killed / "printouts" / "mine" / "clean" / "0001.png").exists()
    assert not (killed / "printouts" / "mine" / "manifest.json").exists()
    assert any(name.endswith(".part") for name in hidden(killed))
    assert physadv(*generate(signs_csv, killed)).code == 0
    assert hidden(killed) == []
    assert contents(killed) == contents(straight)


def test_an_unfinished_run_is_said_to_be_that_and_not_mixed_with_another(
    physadv, end_at, tmp_path, signs_csv, contents
):
    end_at(9, signal.SIGKILL, tmp_path, *generate(signs_csv, tmp_path))
    before = contents(tmp_path)
    assert "has not finished" in physadv("print", "mine", "--root", tmp_path).error
    assert "other settings" in physadv(*generate(signs_csv, tmp_path), "--seed", 1).error
    assert contents(tmp_path) == before


def test_generate_interrupted_says_so_in_one_line_and_goes_on(physadv, end_at, tmp_path, signs_csv, contents):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    physadv(*generate(signs_csv, straight))
    code, out, err = end_at(8, signal.SIGINT, broken, *generate(signs_csv, broken))
    assert code == 130
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "run the same command again" in err
    assert physadv(*generate(signs_csv, broken)).code == 0
    assert contents(broken) == contents(straight)


def crop(root):
    return ("crop", "mine", "--workers", 1, "--quiet", "--root", root)


@pytest.fixture
def two_photos(photographed_root, copy_of):
    """A root with two photos of one sheet: files that differ, pictures that do not."""
    root = copy_of(photographed_root)
    (photo,) = (root / "captures" / "mine" / "photos").iterdir()
    (photo.parent / "again.jpg").write_bytes(photo.read_bytes() + b"\0")
    return root


@pytest.fixture
def cropped_twice(two_photos, physadv, contents):
    """The bytes of the two photos' crops and store, made without interruption; then they are removed."""
    folder = two_photos / "captures" / "mine"
    assert physadv(*crop(two_photos)).code == 0
    made = contents(two_photos)
    for path in (folder / "crops").iterdir():
        path.unlink()
    (folder / "crops").rmdir()
    (folder / "observations.sqlite").unlink()
    return made


# Of 21 files: ten crops of either photo, the compacted store.
@pytest.mark.parametrize("rename", [3, 14, 21])
def test_crop_killed_goes_on_to_the_same_bytes(physadv, end_at, two_photos, cropped_twice, contents, rename):
    code, *_ = end_at(rename, signal.SIGKILL, two_photos, *crop(two_photos))
    assert code == -signal.SIGKILL
    assert contents(two_photos) != cropped_twice
    assert any(name.endswith(".part") for name in hidden(two_photos))
    assert physadv(*crop(two_photos)).code == 0
    assert hidden(two_photos) == []
    assert contents(two_photos) == cropped_twice


def test_crop_interrupted_says_so_in_one_line_and_goes_on(
    physadv, end_at, two_photos, cropped_twice, contents
):
    code, _, err = end_at(14, signal.SIGINT, two_photos, *crop(two_photos))
    assert code == 130
    assert len(err.splitlines()) == 1
    answer = physadv(*crop(two_photos))
    assert "20 of 20 cells" in answer.out
    assert contents(two_photos) == cropped_twice


def test_measuring_killed_counts_nothing_twice(physadv, start, cropped_root, copy_of):
    root = copy_of(cropped_root)
    measure = ("destruction-rate", "mine", "--json", "--transform", "blur=1", "--root")
    wanted = physadv(*measure, root).out
    (root / "captures" / "mine" / "observations.sqlite").unlink()
    physadv(*crop(root))
    store = root / "captures" / "mine" / "observations.sqlite"
    before = store.read_bytes()
    begin, _ = start
    killed = begin(0, signal.SIGKILL, root, *measure, root)
    while store.read_bytes() == before and killed.is_alive():
        pass
    killed.kill()
    killed.join()
    assert physadv(*measure, root).out == wanted
