"""A video of a sheet, panned over by hand, as one file of a capture."""

import shutil
import signal
import sys

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from test_crop import CROP, PHOTO, stored
from test_interrupted import end_at, start

from physadv.capture.video import NEEDS_PYAV

av = pytest.importorskip("av")
__all__ = ["end_at", "start"]


def write_video(path, frames):
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "12"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"))
            )
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def frames(photographed_root):
    """The upper half of the sheet at 2 megapixels, sharp in the second frame of each of two poses."""
    with Image.open(photographed_root / "captures" / "mine" / "photos" / PHOTO) as image:
        upright = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    half = cv2.resize(upright, (1814, 2420), interpolation=cv2.INTER_AREA)
    places = ((0, 2.5), (0, 0), (0, 1.5), (160, 2.0), (160, 0), (160, 3.0))
    return [
        cv2.GaussianBlur(half[top : top + 1200], (0, 0), blur) if blur else half[top : top + 1200]
        for top, blur in places
    ]


@pytest.fixture(scope="module")
def filmed_root(tmp_path_factory, printed_root, frames):
    """A printed run with one video of it."""
    root = shutil.copytree(printed_root, tmp_path_factory.mktemp("filmed"), dirs_exist_ok=True)
    photos = root / "captures" / "mine" / "photos"
    photos.mkdir(parents=True)
    write_video(photos / "clip.mp4", frames)
    return root


@pytest.fixture
def root(filmed_root, copy_of):
    return copy_of(filmed_root)


@pytest.fixture
def video(root):
    return root / "captures" / "mine" / "photos" / "clip.mp4"


def test_the_sharp_frame_of_each_pose_is_a_photo(physadv, root, video, contents):
    before = video.read_bytes()
    answer = physadv(*CROP, root, "--overlay")
    assert answer.code == 0
    rows, crops = stored(root)
    assert [(row.name, row.file, row.view) for row in rows] == [
        ("clip.mp4#1", "clip.mp4", "1"),
        ("clip.mp4#4", "clip.mp4", "4"),
    ]
    assert {(row.width, row.height, row.simulated) for row in rows} == {(1814, 1200, False)}
    cut = [crop for crop in crops if crop.path]
    assert {crop.photo for crop in cut} == {"clip.mp4#1", "clip.mp4#4"}
    assert len(cut) >= 8
    overlays = {path.name for path in (root / "captures" / "mine" / "overlays").iterdir()}
    assert overlays == {"clip.mp4#1.jpg", "clip.mp4#4.jpg"}

    made = contents(root)
    assert physadv(*CROP, root, "--overlay").out == answer.out
    assert contents(root) == made
    assert video.read_bytes() == before

    video.rename(video.with_name("film.mp4"))
    physadv(*CROP, root)
    assert [row.name for row in stored(root)[0]] == ["film.mp4#1", "film.mp4#4"]
    assert not any(path.name.startswith("clip") for path in root.rglob("*") if path.parent.name != "photos")


def test_a_video_killed_half_way_goes_on_to_the_same_bytes(physadv, end_at, root, contents):
    code, *_ = end_at(6, signal.SIGKILL, root, *CROP, root)
    assert code == -signal.SIGKILL
    assert physadv(*CROP, root).code == 0
    killed = contents(root)
    shutil.rmtree(root / "captures" / "mine" / "crops")
    (root / "captures" / "mine" / "observations.sqlite").unlink()
    assert physadv(*CROP, root).code == 0
    assert contents(root) == killed


def test_a_video_that_shows_no_sheet_is_one_refused_photo(physadv, root, video, frames):
    write_video(video, [cv2.GaussianBlur(frame, (0, 0), 25) for frame in (frames[0], frames[0][::-1])])
    answer = physadv(*CROP, root, "--overlay")
    assert "clip.mp4: frame 0 shows no sheet: no QR code could be read" in answer.error
    assert "0 of 0 cells cropped from 0 of 1 photos" in answer.out
    assert [row.name for row in stored(root)[0]] == ["clip.mp4"]
    assert (root / "captures" / "mine" / "overlays" / "clip.mp4.jpg").exists()


def test_without_pyav_a_video_waits_until_it_is_installed(physadv, root, monkeypatch):
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "av", None)
        assert f"clip.mp4: not read now: {NEEDS_PYAV}" in physadv(*CROP, root).error
    assert physadv(*CROP, root).code == 0
