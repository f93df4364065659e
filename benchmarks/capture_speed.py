"""What cropping costs for `capture.py`: against decoding the JPEG, with two workers over one, in memory.

`python benchmarks/capture_speed.py FOLDER PHOTO` crops one photo and prints this process's peak memory.
"""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from capture_sheets import load_benchmark
from PIL import Image

from physadv.capture.crop_photo import FoundSheet, crop_photo
from physadv.capture.reading import read_photo
from physadv.parallel import map_items

REPEATS = 3
WARM_UP = 4
MEBIBYTE = 2**20


def crop_file(folder: Path, path: Path) -> list[FoundSheet]:
    """Read a photo and cut its cells, as `physadv crop` does."""
    printed = load_benchmark(folder)
    seen = crop_photo(read_photo(path), printed.sheets, picture=printed.pictures.__getitem__)
    return list(seen.sheets)


def ratios_to_decode(folder: Path, photos: Sequence[Path]) -> tuple[float, float]:
    """Return how many times longer a photo takes to read and crop than to decode, by Pillow and by OpenCV.

    Processor time, so that what else the machine does is left out; the median over photos.
    """
    by_pillow, by_opencv = [], []
    for path in photos:
        jpeg = path.read_bytes()
        buffer = np.frombuffer(jpeg, np.uint8)
        whole = _seconds(partial(crop_file, folder, path))
        by_pillow.append(whole / _seconds(lambda jpeg=jpeg: Image.open(io.BytesIO(jpeg)).load()))
        by_opencv.append(whole / _seconds(partial(cv2.imdecode, buffer, cv2.IMREAD_COLOR)))
    return float(np.median(by_pillow)), float(np.median(by_opencv))


def gain_of_two_workers(folder: Path, photos: Sequence[Path]) -> float:
    """Return photos per second with two worker processes over one, once they are under way."""
    rates = []
    for workers in (1, 2):
        ends = []
        for _ in map_items(partial(_crop_quietly, folder), photos, workers=workers):
            ends.append(time.perf_counter())
        rates.append((len(ends) - WARM_UP) / (ends[-1] - ends[WARM_UP - 1]))
    return rates[1] / rates[0]


def peak_mb(folder: Path, photo: Path) -> float:
    """Return the peak memory, MiB, of a process of its own that crops one photo."""
    command = [sys.executable, __file__, str(folder), str(photo)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(answer.stdout)


def enlarge(photo: Path, to: Path, megapixels: float) -> Path:
    """Write a photo at more megapixels, as a phone with such a sensor would, and return its path."""
    with Image.open(photo) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = (round(image.width * scale), round(image.height * scale))
        image.resize(size, Image.Resampling.BICUBIC).save(to, quality=92, exif=image.getexif())
    return to


def _crop_quietly(folder: Path, path: Path) -> int:
    return sum(cell.crop is not None for sheet in crop_file(folder, path) for cell in sheet.cells)


def _seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def _own_peak_mb() -> float:
    # Not `resource.getrusage`, whose peak is handed down by the process that started this one.
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1]) * 1024 / MEBIBYTE


if __name__ == "__main__":
    cv2.setNumThreads(1)
    crop_file(Path(sys.argv[1]), Path(sys.argv[2]))
    print(_own_peak_mb())
