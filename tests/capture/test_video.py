"""Videos of a drawn scene, taken from known places by a hand that is still or not."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_scene import Pixels
from PIL import Image

av = pytest.importorskip("av")

from physadv.capture import video  # noqa: E402 - it is of no use without PyAV
from physadv.capture.reading import CaptureError  # noqa: E402
from physadv.capture.video import is_video, read_video  # noqa: E402
from physadv.errors import MachineError  # noqa: E402

SIZE = (320, 240)


def scene_from(x: float, y: float, blur: float = 0.0, seed: int = 0) -> Pixels:
    """A drawn desk of blocks seen from (x, y), in pixels; blurred as a hand that moves blurs it."""
    rng = np.random.default_rng(seed)
    desk = cv2.resize(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8), (800, 640), interpolation=0)
    view = cv2.warpAffine(desk, np.array([(1.0, 0.0, -200 - x), (0.0, 1.0, -200 - y)]), SIZE)
    return cv2.GaussianBlur(view, (0, 0), blur) if blur else view


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Writes frames to an H.264 movie."""

    def write(frames: list[Pixels], name: str = "clip.mp4", turned: int = 0, **settings: object) -> Path:
        path = tmp_path / name
        with av.open(path, "w", options={"movflags": "use_metadata_tags"}) as container:
            container.metadata["com.apple.quicktime.make"] = "Apple"
            container.metadata["com.apple.quicktime.model"] = "iPhone 15"
            stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "10"})
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.set_display_rotation(turned)
            for setting, value in settings.items():
                setattr(stream.codec_context, setting, value)
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(CaptureError) as refused:
        list(read_video(path))
    (line,) = str(refused.value).splitlines()
    return line


def test_the_sharpest_frame_of_each_pose_is_taken(record: Callable[..., Path]) -> None:
    blurs = (2.0, 1.2, 0.0, 1.5, 3.0)
    frames = [
        scene_from(40 * pose + jitter, -25 * pose, blur)
        for pose in range(3)
        for jitter, blur in zip((0, 1, -2, 1, 2), blurs, strict=True)
    ]
    found = list(read_video(record(frames)))
    assert [number for number, _ in found] == [2, 7, 12]
    for number, photo in found:
        assert np.abs(photo.rgb.astype(int) - frames[number]).mean() < 8
        assert photo.gray.shape == photo.rgb.shape[:2] == SIZE[::-1]
        assert photo.camera == "Apple iPhone 15"
        assert not photo.simulated


def test_turns_and_zooms_about_the_middle_are_new_poses(record: Callable[..., Path]) -> None:
    middle = (SIZE[0] / 2, SIZE[1] / 2)
    start = scene_from(0, 0)
    views = [
        cv2.warpAffine(
            start, cv2.getRotationMatrix2D(middle, angle, scale), SIZE, borderMode=cv2.BORDER_REFLECT
        )
        for angle, scale in ((0, 1.0), (1, 1.0), (9, 1.0), (9, 1.01), (9, 1.15))
    ]
    assert len(list(read_video(record(views)))) == 3


def test_a_cut_to_something_else_is_a_new_pose(record: Callable[..., Path]) -> None:
    frames = [scene_from(0, 0, seed=seed) for seed in (0, 0, 1, 1, 2)]
    numbers = [number for number, _ in read_video(record(frames))]
    assert len(numbers) == 3
    assert [number // 2 for number in numbers] == [0, 1, 2]


def test_a_long_pan_gives_a_bounded_number_from_its_whole_length(record: Callable[..., Path]) -> None:
    numbers = [number for number, _ in read_video(record([scene_from(12 * k - 200, 0) for k in range(40)]))]
    assert len(numbers) == video.MAX_POSES
    assert numbers == sorted(numbers)
    assert numbers[0] < 8
    assert numbers[-1] > 31


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_video_is_turned_upright(record: Callable[..., Path], turned: int) -> None:
    frame = scene_from(0, 0)
    ((_, photo),) = read_video(record([frame], turned=turned))
    assert np.abs(photo.rgb.astype(int) - np.rot90(frame, turned // 90)).mean() < 8


def test_neutral_greys_keep_their_level(record: Callable[..., Path]) -> None:
    steps = np.repeat(np.linspace(0, 255, 16).round().astype(np.uint8), 20)
    frame = np.dstack([np.tile(steps, (SIZE[1], 1))] * 3)
    ((_, photo),) = read_video(record([frame]))
    middles = photo.rgb[120, 10::20].astype(int)
    assert np.abs(middles - steps[10::20, None]).max() <= 2


def test_the_content_says_what_is_a_video(record: Callable[..., Path], tmp_path: Path) -> None:
    movie = record([scene_from(0, 0)], name="photo.mov")
    renamed = movie.rename(tmp_path / "photo.jpg")
    assert is_video(renamed)
    assert "named .jpg, which means JPEG, but contains MP4; if it is intact, rename it to .mp4" in refusal(
        renamed
    )
    assert len(list(read_video(renamed.rename(tmp_path / "photo.M4V")))) == 1
    shutil.copy(Path(__file__).with_name("heic") / "smooth.heic", tmp_path / "still.heic")
    for name in ("still.avif", "still.png", "still.jpg"):
        Image.fromarray(scene_from(0, 0)[:32, :32]).save(tmp_path / name)
    for name in ("still.heic", "still.avif", "still.png", "still.jpg"):
        assert not is_video((tmp_path / name).rename(tmp_path / f"{name}.mp4"))
    (tmp_path / "empty.mp4").touch()
    assert not is_video(tmp_path / "empty.mp4")


def test_what_is_no_usable_video_is_refused_with_its_reason(
    record: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [scene_from(0, 0)] * 4
    whole = record(frames).read_bytes()
    for share in (0.3, 0.9, 0.999):
        (tmp_path / "cut.mp4").write_bytes(whole[: int(share * len(whole))])
        assert "not a readable video: truncated" in refusal(tmp_path / "cut.mp4")
    (tmp_path / "none.mp4").write_bytes(whole[:32])
    assert "not a readable video" in refusal(tmp_path / "none.mp4")
    for transfer in (16, 18):
        assert "HDR" in refusal(record(frames, color_trc=transfer))
    with av.open(tmp_path / "sound.mp4", "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    assert "no video stream" in refusal(tmp_path / "sound.mp4")
    movie = record(frames)
    monkeypatch.setattr(video, "MAX_FRAMES", 3)
    assert "more than 3 frames" in refusal(movie)
    monkeypatch.setattr(video, "MAX_PIXELS", 70_000)
    assert "320 × 240 pixels" in refusal(movie)


def test_without_pyav_the_reason_says_what_to_install(
    record: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = record([scene_from(0, 0)])
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MachineError, match=r"^a video; to take its frames: "):
        list(read_video(movie))
    assert "pip install 'physadv[video]'" in video.NEEDS_PYAV
