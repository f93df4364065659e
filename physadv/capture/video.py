"""A video as photos: the sharpest frame of every pose of the hand.

A pose ends when the content of any quarter of the frame has moved by 3 % of its longer side, by phase
correlation (Kuglin & Hines 1975) of a 256-pixel gray copy. Reading needs PyAV, the optional extra `video`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.geometry import Pixels
from physadv.capture.reading import CaptureError, Photo, refuse_misnamed
from physadv.errors import MachineError, machine_fault

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

MAX_POSES, MAX_FRAMES, MAX_PIXELS = 12, 7200, 36_000_000
USUAL_RATE = 30.0
SMALL_SIDE, MOVED, MATCHED = 256, 0.03, 0.2
NO_FRAME = "not a readable video: no frame of it can be decoded"
NEEDS_PYAV = "a video; to take its frames: pip install 'physadv[video]'"
# ISO base media files with one of these brands are HEIC, AVIF or raw stills.
STILL_BRANDS = frozenset(b"heic heix heim heis hevc hevx mif1 mif2 msf1 avif avis jpeg crx".split())
BOX_HEADER, MAX_BOXES = 8, 10_000
CAMERA_TAGS = (
    ("com.apple.quicktime.make", "com.apple.quicktime.model"),
    ("com.android.manufacturer", "com.android.model"),
    ("make", "model"),
)
# Videos without a colour space (2 in ISO/IEC 23001-8) are Rec. 709 from this height on.
UNSPECIFIED, HD_HEIGHT = 2, 720

Quarters = list[NDArray[np.float32]]


@dataclass
class _Pose:
    """A time in which the camera is held still: the quarters of its first frame, and its sharpest frame."""

    quarters: Quarters
    number: int
    sharpness: float
    frame: "av.VideoFrame"


def is_video(path: Path) -> bool:
    """Return whether a file is an MP4 or QuickTime movie by its content, whatever its name."""
    with path.open("rb") as file:
        head = file.read(BOX_HEADER + 4)
    kind, brand = head[4:8], head[8:12].strip()
    return (kind == b"ftyp" and brand not in STILL_BRANDS) or kind in (b"moov", b"mdat", b"wide", b"free")


def read_video(path: Path) -> Iterator[tuple[int, Photo]]:
    """Yield the number and the upright photo of the sharpest frame of each pose, at most `MAX_POSES`.

    If there are more poses, neighbours in time are joined, so that the photos come from the whole video. Up
    to 13 frames are kept as the decoder made them, together 19 bytes for each pixel of a frame.

    Raises:
        MachineError: PyAV is not installed.
        CaptureError: the file is named as a photo, damaged, truncated, too long, too large or HDR.
    """
    with _opened(path) as container:
        camera = _camera(container.metadata)
        for pose in _poses(_frames(container)):
            rgb = _upright(pose.frame)
            yield pose.number, Photo(rgb, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), camera)


def read_frames(path: Path, every: int = 1) -> Iterator[tuple[float, Pixels]]:
    """Yield the time in seconds and the upright RGB pixels (H, W, 3), uint8, of every n-th frame of a video.

    Raises:
        MachineError: PyAV is not installed.
        CaptureError: the file is named as a photo, damaged, truncated, too long, too large or HDR.
    """
    with _opened(path) as container:
        rate = float(container.streams.video[0].average_rate or USUAL_RATE)
        for number, frame in _frames(container):
            if number % every == 0:
                yield number / rate, _upright(frame)


@contextmanager
def _opened(path: Path) -> Iterator["InputContainer"]:
    """Open a video, and turn any error of FFmpeg into a `CaptureError` of one line."""
    try:
        import av
    except ImportError as error:
        raise MachineError(NEEDS_PYAV) from error
    if is_video(path):
        refuse_misnamed(path, "MP4")
    _refuse_truncated(path)
    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise CaptureError("not a readable video: there is no video stream in it")
            yield container
    except CaptureError:
        raise
    except Exception as error:  # FFmpeg has a dozen types of errors.
        if machine_fault(error):
            raise
        cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CaptureError(f"not a readable video: {cause.splitlines()[0]}") from error


def _refuse_truncated(path: Path) -> None:
    """Refuse a truncated ISO base media file (ISO/IEC 14496-12); decoders do not notice."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        for _ in range(MAX_BOXES):
            file.seek(at)
            head = file.read(2 * BOX_HEADER)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            at += length
            if kind in (b"mdat", b"moov") and at > size:
                raise CaptureError(f"not a readable video: truncated, {at - size} of {at} bytes are missing")
            if length < BOX_HEADER or at >= size:
                return


def _frames(container: "InputContainer") -> Iterator[tuple[int, "av.VideoFrame"]]:
    """Yield the number of each frame that is not corrupt, and the frame."""
    decoded = False
    for number, frame in enumerate(container.decode(video=0)):
        if number == 0:
            _refuse_large_and_hdr(frame)
        if number >= MAX_FRAMES:
            raise CaptureError(f"has more than {MAX_FRAMES} frames, two minutes at 60 per second; shorten it")
        if not frame.is_corrupt:
            decoded = True
            yield number, frame
    if not decoded:
        raise CaptureError(NO_FRAME)


def _refuse_large_and_hdr(frame: "av.VideoFrame") -> None:
    from av.video.reformatter import ColorTrc

    if frame.width * frame.height > MAX_PIXELS:
        size, limit = f"{frame.width} × {frame.height} pixels", f"{MAX_PIXELS // 10**6} megapixels"
        raise CaptureError(f"{size}; the limit of a video is {limit}")
    if frame.color_trc in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67):
        raise CaptureError("an HDR video (PQ or HLG), whose levels are not a photo's; record it in SDR")


def _poses(frames: Iterator[tuple[int, "av.VideoFrame"]]) -> list[_Pose]:
    """Return the poses of a video in order, at most `MAX_POSES`."""
    poses: list[_Pose] = []
    for number, frame in frames:
        gray = np.asarray(frame.to_ndarray(format="gray"), np.uint8)
        quarters, sharpness = _quarters(gray), _sharpness(gray)
        if not poses or _has_moved(poses[-1].quarters, quarters):
            poses.append(_Pose(quarters, number, sharpness, frame))
            _join_nearest(poses)
        elif sharpness > poses[-1].sharpness:
            poses[-1] = _Pose(poses[-1].quarters, number, sharpness, frame)
    return poses


def _sharpness(gray: Pixels) -> float:
    """Return the standard deviation of the Laplacian, by which only frames of one scene can be compared."""
    return float(cv2.meanStdDev(cv2.Laplacian(gray, cv2.CV_16S))[1][0, 0])


def _quarters(gray: Pixels) -> Quarters:
    """Return the four quarters of a reduced copy, each fading out towards its edges."""
    scale = SMALL_SIDE / max(gray.shape)
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    height, width = (max(side // 2, 2) for side in small.shape)
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    parts = (small[top : top + height, left : left + width] for top in (0, height) for left in (0, width))
    return [(part - part.mean()) * window for part in parts]


def _has_moved(before: Quarters, now: Quarters) -> bool:
    """Return whether any quarter has moved, or none can be matched."""
    found = [cv2.phaseCorrelate(old, new) for old, new in zip(before, now, strict=True)]
    shifts = [np.hypot(*shift) for shift, response in found if response >= MATCHED]
    return not shifts or max(shifts) > MOVED * SMALL_SIDE


def _join_nearest(poses: list[_Pose]) -> None:
    """If there is one pose too many, keep only the sharper of the two that are nearest in time."""
    if len(poses) <= MAX_POSES:
        return
    first = min(range(len(poses) - 1), key=lambda index: poses[index + 1].number - poses[index].number)
    duller = min((first, first + 1), key=lambda index: poses[index].sharpness)
    del poses[duller]


def _camera(metadata: dict[str, str]) -> str:
    names = ((metadata.get(make, ""), metadata.get(model, "")) for make, model in CAMERA_TAGS)
    return next((" ".join(filter(None, pair)) for pair in names if any(pair)), "")


def _upright(frame: "av.VideoFrame") -> Pixels:
    """Return the upright RGB pixels of a frame. Without two of the flags they would be too dark."""
    from av.video.reformatter import Colorspace, Interpolation

    hd_unspecified = frame.colorspace == UNSPECIFIED and frame.height >= HD_HEIGHT
    pixels = frame.to_ndarray(
        format="rgb24",
        src_colorspace=Colorspace.ITU709 if hd_unspecified else None,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
    )
    turns = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
    rgb, turn = np.asarray(pixels, np.uint8), turns.get(frame.rotation % 360)
    return rgb if turn is None else cv2.rotate(rgb, turn)
