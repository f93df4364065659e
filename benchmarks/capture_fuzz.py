"""Damaged photo files, and photos without a sheet: nothing may crash, hang or yield a wrong crop.

`python benchmarks/capture_fuzz.py` makes one small photo of eight cells in every format, damages it 1,000
times (cut off, bits flipped, bytes overwritten, doubled or left out, name changed) and reads and crops every
file in a worker process; then all photos under `$PHYSADV_DATA`. It prints a table and one JSON line:

`crashes` (the process died or raised anything but a CaptureError), `hangs` (more than 10 s), `wrong_crops`
(not cut from where the cell was, and more like another pair's picture than like its own), `cut_off_used`
(files cut off that were not refused as a whole), `strangers_cropped` (real photos without a sheet that gave
a crop), `spoiled` (crops of the right cell, but more than 8 levels off on average: damage that no decoder
notices).
The photo is a rendered page, warped, blurred and noisy: simulated. The other photos are real.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from capture_sheets import print_signs
from numpy.typing import NDArray
from PIL import Image

from physadv.capture.cells import correlation
from physadv.capture.crop_photo import crop_photo
from physadv.capture.reading import CaptureError, read_photo
from physadv.capture.video import is_video, read_video
from physadv.sheets import Sheet, page_pixels

RUN = "FUZZ00"
LIMIT_S = 10.0
WRONG_PLACE_PX, SPOILED = 20.0, 8.0
PHOTO_PX = (1400, 1000)
FORMATS: dict[str, dict[str, object]] = {
    "jpg": {"quality": 90},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "png": {"compress_level": 1},
    "webp": {"quality": 90, "method": 0},
    "lossless.webp": {"lossless": True, "quality": 0, "method": 0},
    "tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
    "jpeg.tif": {"compression": "jpeg"},
    "avif": {"quality": 85, "speed": 10},
}
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """A cell cut out of a file: its pixels, its middle in the photo, and the pair that it looks most like."""

    example: str
    pixels: Pixels
    place: NDArray[np.float64]
    looks_like: str


@dataclass(frozen=True)
class Outcome:
    """The outcome of one file: refused, used, raised, hung or died, with its crops or the cause."""

    kind: str
    crops: tuple[Crop, ...] = ()
    detail: str = ""

    def wrong(self, before: "Outcome") -> int:
        """Return how many crops show another cell than their name says, judged by the undamaged file."""
        return sum(
            crop.looks_like != crop.example.split("-")[0]
            and all(
                np.linalg.norm(crop.place - true.place) > WRONG_PLACE_PX
                for true in before.crops
                if true.example == crop.example
            )
            for crop in self.crops
        )

    def spoiled(self, before: "Outcome") -> int:
        """Return how many crops differ much from those of the undamaged file."""
        whole = {crop.example: crop.pixels.astype(int) for crop in before.crops}
        return sum(
            crop.example in whole and bool(np.abs(crop.pixels - whole[crop.example]).mean() > SPOILED)
            for crop in self.crops
        )


def take_photo(pdf: Path) -> Pixels:
    """Return a small photo of a sheet's first eight cells: tilted, blurred, noisy."""
    page = page_pixels(pdf, 0, 8)
    width, height = PHOTO_PX
    seen = np.array([(60, 180), (1640, 120), (1660, 1320), (40, 1260)], np.float32)
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    warp = cv2.getPerspectiveTransform(seen, frame)
    photo = cv2.GaussianBlur(cv2.warpPerspective(page, warp, PHOTO_PX, borderValue=(90, 80, 70)), (0, 0), 0.8)
    noise = np.random.default_rng(0).normal(0, 3, photo.shape)
    return np.clip(0.9 * photo + noise, 0, 255).astype(np.uint8)


def write_originals(folder: Path, photo: Pixels) -> list[Path]:
    """Write the photo in every format, in HEIC if pillow-heif is installed, and a video of it if PyAV is."""
    paths = []
    for name, options in FORMATS.items():
        paths.append(folder / f"photo.{name}")
        Image.fromarray(photo).save(paths[-1], **options)
    try:
        import pillow_heif  # pi-heif, which physadv reads HEIC with, writes none
    except ImportError:
        print("HEIC left out: pillow-heif writes it", file=sys.stderr)
    else:
        paths.append(folder / "photo.heic")
        pillow_heif.from_pillow(Image.fromarray(photo)).save(paths[-1], quality=85)
    try:
        import av
    except ImportError:
        return paths
    paths.append(folder / "clip.mp4")
    with av.open(paths[-1], "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height = PHOTO_PX
        stream.pix_fmt = "yuv420p"
        for shift in (0, 4, 120):
            frame = cv2.warpAffine(photo, np.array([(1.0, 0.0, shift), (0.0, 1.0, 0.0)]), PHOTO_PX)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return paths


def cut_off(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut off the end of a file, between a thousandth of it and all of it."""
    kept = 1 - 10 ** rng.uniform(-3, 0)
    return data[: int(kept * len(data))]


def flip_bits(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip up to 32 bits anywhere, or in the first kilobyte, where the headers are."""
    damaged = np.frombuffer(data, np.uint8).copy()
    reach = len(data) if rng.random() < 0.6 else min(1024, len(data))
    where = rng.integers(0, reach, int(2 ** rng.uniform(0, 5)))
    damaged[where] ^= (1 << rng.integers(0, 8, len(where))).astype(np.uint8)
    return damaged.tobytes()


def overwrite(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace a stretch by random bytes or by zeros."""
    start = int(rng.integers(0, len(data)))
    length = min(int(2 ** rng.uniform(2, 14)), len(data) - start)
    new = bytes(length) if rng.random() < 0.5 else rng.bytes(length)
    return data[:start] + new + data[start + length :]


def move_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Leave out a stretch, or double it."""
    start = int(rng.integers(0, len(data)))
    stop = min(start + int(2 ** rng.uniform(0, 12)), len(data))
    return data[:start] + (data[start:stop] * 2 if rng.random() < 0.5 else b"") + data[stop:]


DAMAGES = (cut_off, flip_bits, overwrite, move_bytes)


def damaged_files(
    originals: list[Path], folder: Path, count: int, seed: int
) -> Iterator[tuple[Path, Path, str]]:
    """Yield damaged files one by one, each with its original and the name of the damage."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        original = originals[number % len(originals)]
        damage = DAMAGES[number // len(originals) % len(DAMAGES)]
        misnamed = rng.random() < 0.25
        suffix = rng.choice([path.suffix for path in originals]) if misnamed else original.suffix
        path = folder / f"{number}{suffix}"
        path.write_bytes(damage(original.read_bytes(), rng))
        yield path, original, damage.__name__.replace("_", " ")
        path.unlink()


def crop_file(path: Path, sheet: Sheet, pictures: dict[str, Pixels]) -> Outcome:
    """Read and crop one file as the program does, and compare every crop with all pictures."""
    try:
        photos = [photo for _, photo in read_video(path)] if is_video(path) else [read_photo(path)]
        seen = [
            found
            for photo in photos
            for found in crop_photo(photo, [sheet], picture=pictures.__getitem__).sheets
        ]
    except CaptureError as error:
        return Outcome("refused", detail=str(error).partition(":")[0])
    except Exception as error:
        return Outcome("raised", detail=f"{type(error).__name__}: {error}")
    crops = [
        Crop(cell.example, cell.crop, cell.corners_px.mean(axis=0), best_match(cell.crop, pictures))
        for found in seen
        for cell in found.cells
        if cell.crop is not None
    ]
    return Outcome("used", tuple(crops))


def best_match(crop: Pixels, pictures: dict[str, Pixels]) -> str:
    """Return the pair whose clean picture a crop looks most like."""
    alike = {name: correlation(crop, picture) for name, picture in pictures.items() if name.endswith("clean")}
    return max(alike, key=alike.__getitem__).split("-")[0]


class Guard:
    """Crops files in a worker process that may die or be killed without harm."""

    def __init__(self, sheet: Sheet, pictures: dict[str, Pixels]) -> None:
        self.sheet, self.pictures = sheet, pictures
        self.pool = self._new()
        self.slowest_s = 0.0

    def _new(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,))
        pool.submit(best_match, next(iter(self.pictures.values())), self.pictures).result()
        return pool

    def crop(self, path: Path) -> Outcome:
        """Return the outcome of a file."""
        started = time.monotonic()
        try:
            job = self.pool.submit(crop_file, path, self.sheet, self.pictures)
            return job.result(timeout=LIMIT_S)
        except TimeoutError:
            for process in list(self.pool._processes.values()):
                process.kill()
            self.pool = self._new()
            return Outcome("hung")
        except BrokenProcessPool:
            self.pool = self._new()
            return Outcome("died")
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)


def strangers() -> list[Path]:
    """Return the real photos of other QR codes and other things, none of a sheet."""
    data = Path(os.environ.get("PHYSADV_DATA", Path(__file__).parents[2] / "shared" / "data"))
    folders = (data / "zxing-qr", data / "backgrounds")
    return sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in {".png", ".jpg"})


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="96 files, under a minute")
    chosen = parser.parse_args()
    count = 96 if chosen.quick else chosen.files
    outcomes: dict[str, Counter[str]] = {}
    totals: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pdf = folder / "sheets.pdf"
        (sheet,), pictures = print_signs(pdf, 8, RUN)
        originals = write_originals(folder, take_photo(pdf))
        guard = Guard(sheet, pictures)
        whole = {original.name: guard.crop(original) for original in originals}
        for original, outcome in whole.items():
            if any(crop.looks_like != crop.example.split("-")[0] for crop in outcome.crops):
                raise SystemExit(f"{original}: cropped wrongly before any damage")
            if len(outcome.crops) < 8:
                raise SystemExit(f"{original}: {len(outcome.crops)} crops before any damage {outcome.detail}")
        print("damaged files: refused, used, crops, spoiled crops")
        for path, original, damage in damaged_files(originals, folder, count, chosen.seed):
            outcome, before = guard.crop(path), whole[original.name]
            label = f"{original.name.partition('.')[2]}: {damage}"
            wrong, was_cut = outcome.wrong(before), damage == "cut off"
            row = outcomes.setdefault(label, Counter())
            row[outcome.kind] += 1
            row["crops"] += len(outcome.crops)
            row["spoiled"] += outcome.spoiled(before)
            totals["crashes"] += outcome.kind in ("raised", "died")
            totals["hangs"] += outcome.kind == "hung"
            totals["wrong_crops"] += wrong
            totals["crops"] += len(outcome.crops)
            totals["spoiled"] += outcome.spoiled(before)
            totals["cut_off_used"] += was_cut and outcome.kind == "used"
            totals["refused"] += outcome.kind == "refused"
            if outcome.kind in ("raised", "died", "hung") or wrong or (was_cut and outcome.crops):
                print(f"  {path.name} ({label}): {outcome.kind}, {wrong} wrong {outcome.detail}", flush=True)
        for label, row in sorted(outcomes.items()):
            print(f"{label:32} {row['refused']:5} {row['used']:5} {row['crops']:6} {row['spoiled']:6}")
        others = strangers()
        for path in others:
            outcome = guard.crop(path)
            totals["strangers_cropped"] += bool(outcome.crops)
            totals["crashes"] += outcome.kind in ("raised", "died")
            totals["hangs"] += outcome.kind == "hung"
            if outcome.kind != "refused":
                print(f"  {path.name}: {outcome.kind} {outcome.detail}", flush=True)
        print(f"{len(others)} real photos of other things")
        guard.pool.shutdown()
    keys = (
        "crashes",
        "hangs",
        "wrong_crops",
        "cut_off_used",
        "strangers_cropped",
        "refused",
        "crops",
        "spoiled",
    )
    result = {
        "files": count,
        "strangers": len(others),
        **{key: totals[key] for key in keys},
        "slowest_s": round(guard.slowest_s, 2),
        "simulated": True,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
