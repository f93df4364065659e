import os
import shutil
import subprocess

import pytest


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, and a function that sets its size in KiB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", *options, str(folder)], capture_output=True)

    if mount("size=64k", "tmpfs").returncode:
        pytest.skip("this machine does not let tests mount a file system")
    yield folder, lambda kib: mount(f"remount,size={kib}k").check_returncode()
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def used_kib(folder):
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize // 1024


def is_full(error, folder):
    return "No space left on device" in error and str(folder) in error and "run the same command" in error


def test_generate_on_a_full_disk_goes_on_once_there_is_room(
    physadv, small_disk, signs_csv, generated_root, contents
):
    disk, resize = small_disk
    command = ("generate", signs_csv, "--name", "mine", "--quiet", "--root", disk)
    assert is_full(physadv(*command).error, disk)
    assert not (disk / "printouts" / "mine" / "manifest.json").exists()
    resize(4096)
    assert physadv(*command).code == 0
    assert contents(disk) == contents(generated_root)


def test_print_on_a_full_disk_leaves_the_manifest_as_it_was(
    physadv, small_disk, generated_root, printed_root, contents
):
    disk, resize = small_disk
    resize(4096)
    shutil.copytree(generated_root, disk, dirs_exist_ok=True)
    resize(used_kib(disk) + 8)
    assert is_full(physadv("print", "mine", "--quiet", "--root", disk).error, disk)
    assert contents(disk) == contents(generated_root)
    resize(4096)
    assert physadv("print", "mine", "--quiet", "--root", disk).code == 0
    assert contents(disk) == contents(printed_root)


# Room for the beginning of the store, for some crops, for all of them but not for what is recorded of them.
@pytest.mark.parametrize("room", [8, 60, 104])
def test_crop_on_a_full_disk_goes_on_once_there_is_room(
    physadv, small_disk, photographed_root, cropped_root, contents, room
):
    disk, resize = small_disk
    resize(16384)
    shutil.copytree(photographed_root, disk, dirs_exist_ok=True)
    resize(used_kib(disk) + room)
    command = ("crop", "mine", "--workers", 1, "--quiet", "--root", disk)
    assert is_full(physadv(*command).error, disk)
    resize(16384)
    assert physadv(*command).code == 0
    assert contents(disk) == contents(cropped_root)


def test_measuring_on_a_full_disk_goes_on_once_there_is_room(physadv, small_disk, cropped_root, copy_of):
    disk, resize = small_disk
    resize(16384)
    shutil.copytree(cropped_root, disk, dirs_exist_ok=True)
    resize(used_kib(disk))
    measure = ("destruction-rate", "mine", "--json", "--transform", "blur=1", "--root")
    assert is_full(physadv(*measure, disk).error, disk)
    resize(16384)
    assert physadv(*measure, disk).out == physadv(*measure, copy_of(cropped_root)).out
