"""How well cells are cut from photos of the virtual phone, against its ground truth. Simulated.

`python benchmarks/capture.py` prints a table, an ablation, the costs and one line of JSON. Per row, over the
cells that are wholly visible (in the photo, nothing over them): `NAME_found`, per cent cropped under their
own name. Over all crops: `NAME_mean_px` and `NAME_p95_px`, corner error in photo pixels; `NAME_frame_levels`,
how many 8-bit levels the outermost pixels are above the next ring on average, less the same in the file; and
`wrong_identities`, crops whose true place is not where they were cut. `frame_levels` is the largest of
`office` and `hand-held`, wanted ≤ 1. `NAME_shape_told` is the share of sheets, per cent, whose width to
height the photo told, and `NAME_shape_worst` the largest error of that, per cent: all prints are true.
`ratio_to_decode` is the time to read and crop a photo of 12 megapixels over the time that Pillow takes to
decode its JPEG; `peak_mb_48mp` the memory for one of 48.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from capture_photos import CONDITIONS, Condition, Points, TakenPhoto, photograph
from capture_sheets import Pixels, load_benchmark, print_benchmark
from capture_speed import crop_file, enlarge, gain_of_two_workers, peak_mb, ratios_to_decode

from physadv.capture.crop_photo import FoundSheet, crop_photo
from physadv.capture.fitting import fit_sheet, fit_thin_plate
from physadv.capture.geometry import Pinhole, SheetModel, fit_flat
from physadv.capture.reading import CaptureError, read_photo
from physadv.phone import PHONES
from physadv.sheets.layout import box_corners

WRONG_PLACE_PX = 20.0
FRAMED = ("office", "hand-held")
QUICK = ("office", "hostile", "curl 25 mm")
WANTED = {
    "office": "≥ 99.9 %, ≤ 0.1 px",
    "hand-held": "≥ 99.5 %, ≤ 0.15 px",
    "window": "≥ 97 %",
    "night": "≥ 97 %",
    "hostile": "≥ 90 %",
    "curl 10 mm": "≤ 0.15 px",
    "curl 25 mm": "≤ 0.3 px",
    "corner covered": "100 %",
}


@dataclass
class Score:
    """The results of cropping the photos of one condition."""

    photos: int = 0
    cells: int = 0
    found: int = 0
    crops: int = 0
    wrong: int = 0
    errors: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    stretches: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(
        self, taken: TakenPhoto, look: Callable[[Path], list[FoundSheet]], pictures: Mapping[str, Pixels]
    ) -> None:
        """Crop a photo and compare it with the truth, and its crops with the printed pictures."""
        started = time.process_time()
        try:
            sheets = look(taken.path)
        except CaptureError as error:
            sheets = []
            self.reasons[f"all cells of a photo: it {error}"] += 1
        self.seconds.append(time.process_time() - started)
        self.photos += 1
        visible = {example for example, cell in taken.truth.items() if cell.visible}
        self.cells += len(visible)
        self.stretches += [sheet.stretch for sheet in sheets]
        told = {cell.example for sheet in sheets for cell in sheet.cells}
        self.reasons["no code of its sheet was read"] += len(visible - told) if sheets else 0
        for cell in (cell for sheet in sheets for cell in sheet.cells):
            true = taken.truth.get(cell.example)
            if cell.crop is None:
                self.reasons[cell.reason or ""] += cell.example in visible
                continue
            self.crops += 1
            distances = _distances(cell.corners_px, true.corners_px) if true else np.array([np.inf])
            if distances.mean() > WRONG_PLACE_PX:
                self.wrong += 1
                continue
            self.found += cell.example in visible
            self.errors += distances.tolist()
            self.frames.append(_frame(cell.crop) - _frame(pictures[cell.example]))

    @property
    def frame_levels(self) -> float:
        """Return by how much crops are brighter at their outermost pixels than the files are, on average."""
        return float(np.mean(self.frames)) if self.frames else float("nan")

    @property
    def shapes(self) -> tuple[float, float]:
        """Return the share of sheets whose width to height was told, and its largest error; all are true."""
        told = [abs(stretch - 1) for stretch in self.stretches if stretch]
        return len(told) / max(len(self.stretches), 1), max(told, default=float("nan"))

    @property
    def mean_px(self) -> float:
        """Return the mean corner error of the crops."""
        return float(np.mean(self.errors)) if self.errors else float("nan")

    @property
    def p95_px(self) -> float:
        """Return the 95th percentile of the corner errors."""
        return float(np.percentile(self.errors, 95)) if self.errors else float("nan")


def _frame(picture: Pixels) -> float:
    """Return the mean level of a picture's outermost pixels above that of the next ring."""
    levels = picture.mean(axis=2)
    rings = [levels[k : len(levels) - k, k : levels.shape[1] - k] for k in range(3)]
    outer, inner = ((a.sum() - b.sum()) / (a.size - b.size) for a, b in itertools.pairwise(rings))
    return float(outer - inner)


def _distances(cut: Points, true: Points) -> Points:
    return np.linalg.norm(cut - true, axis=1)


def score(condition: Condition, taken: Sequence[TakenPhoto], folder: Path) -> Score:
    """Crop a condition's photos; print its row and the commonest reasons for refusals."""
    result = Score()
    for photo in taken:
        result.add(photo, lambda path: crop_file(folder, path), load_benchmark(folder).pictures)
    print(
        f"{condition.name:32} {result.photos:6} {result.cells:6} {100 * result.found / result.cells:8.2f} "
        f"{result.wrong:6} {result.mean_px:8.3f} {result.p95_px:7.3f} {result.frame_levels:7.2f} "
        f"{100 * result.shapes[0]:7.1f} {100 * result.shapes[1]:7.2f} {np.mean(result.seconds):8.2f} "
        f"{max(result.seconds):7.2f}   {WANTED.get(condition.name, '')}",
        flush=True,
    )
    for reason, count in result.reasons.most_common(5):
        if count:
            print(f"    {count} × {reason}")
    return result


def ablate(taken: Sequence[TakenPhoto], folder: Path) -> dict[str, float]:
    """Return the mean corner error of curled sheets' cells by model, all from the same marks."""
    printed = load_benchmark(folder)
    errors: dict[str, list[float]] = {name: [] for name in ABLATIONS}
    for photo in taken:
        seen = read_photo(photo.path)
        (sheet,) = crop_photo(seen, printed.sheets, picture=printed.pictures.__getitem__).sheets
        for name, fit in ABLATIONS.items():
            model = fit(*sheet.evidence.stacked(), seen.pinhole)
            for cell in printed.sheets[sheet.index].cells:
                placed = model.to_photo(box_corners(cell.box_mm))
                errors[name] += _distances(placed, photo.truth[cell.example].corners_px).tolist()
    means = {name: float(np.mean(each)) for name, each in errors.items()}
    print(f"\n{'model of a sheet with a bow of 25 mm':44} {'mean px':>8}")
    for name, mean in means.items():
        print(f"{name:44} {mean:8.3f}")
    return means


def _homography(points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole) -> SheetModel:
    return fit_flat(points_mm, pixels, sigmas, camera, lens=False)


def _thin_plate(points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole) -> SheetModel:
    return fit_thin_plate(points_mm, pixels, sigmas, fit_flat(points_mm, pixels, sigmas, camera))


def _wrong_lens(points_mm: Points, pixels: Points, sigmas: Points, camera: Pinhole) -> SheetModel:
    """Fit what a phone's main camera saw as if it had been its telephoto lens."""
    return fit_sheet(points_mm, pixels, sigmas, replace(camera, focal_35mm=77.0))


ABLATIONS: dict[str, Callable[[Points, Points, Points, Pinhole], SheetModel]] = {
    "developable page and lens, as used": fit_sheet,
    "developable page, lens taken for 77 mm": _wrong_lens,
    "flat page and lens": fit_flat,
    "homography only": _homography,
    "thin-plate spline through the marks": _thin_plate,
}


def costs(taken: dict[str, list[TakenPhoto]], folder: Path, *, quick: bool) -> dict[str, float]:
    """Return and print what cropping costs in time and memory."""
    office = [photo.path for photo in taken["office"]]
    by_pillow, by_opencv = ratios_to_decode(folder, office[: 2 if quick else 7])
    large = enlarge(office[0], folder / "48-megapixels.jpg", 48)
    result = {
        "ratio_to_decode": by_pillow,
        "ratio_to_opencv_decode": by_opencv,
        "peak_mb_48mp": peak_mb(folder, large),
        "decode_mb_office": office[0].stat().st_size / 1e6,
    }
    if not quick:
        result["two_workers_gain"] = gain_of_two_workers(folder, office * 4)
        for name in PHONES:
            result[f"{_key(name)}_peak_mb"] = peak_mb(folder, taken[name][0].path)
    print()
    for name, value in result.items():
        print(f"{name:32} {value:8.2f}")
    return result


def _key(name: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in name).split())


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="three rows of two photos, under a minute")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the photos there for another time")
    parser.add_argument("--workers", type=int, help="processes that take the photos; all cores by default")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    conditions = CONDITIONS
    if chosen.quick:
        conditions = tuple(replace(c, photos=2) for c in conditions if c.name in QUICK)
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print_benchmark(folder)
        taken = {c.name: photos for c, photos in photograph(conditions, folder, chosen.seed, chosen.workers)}
        print(
            f"{'simulated':32} {'photos':>6} {'cells':>6} {'found %':>8} {'wrong':>6} {'mean px':>8} "
            f"{'p95 px':>7} {'frame':>7} {'told %':>7} {'off %':>7} "
            f"{'s/photo':>8} {'worst s':>7}   wanted"
        )
        result: dict[str, float | bool] = {"wrong_identities": 0}
        for condition in conditions:
            scored = score(condition, taken[condition.name], folder)
            key = _key(condition.name)
            result["wrong_identities"] += scored.wrong
            result[f"{key}_cells"] = scored.cells
            result[f"{key}_found"] = 100 * scored.found / scored.cells
            result[f"{key}_mean_px"] = scored.mean_px
            result[f"{key}_p95_px"] = scored.p95_px
            result[f"{key}_frame_levels"] = scored.frame_levels
            told, worst = scored.shapes
            result[f"{key}_shape_told"], result[f"{key}_shape_worst"] = 100 * told, 100 * worst
            result[f"{key}_s_per_photo"] = float(np.mean(scored.seconds))
        framed = [f"{_key(c.name)}_frame_levels" for c in conditions if c.name in FRAMED]
        result["frame_levels"] = max((result[key] for key in framed), key=abs)
        means = ablate(taken["curl 25 mm"][:6], folder)
        result |= {f"ablation_{_key(name)}_px": value for name, value in means.items()}
        result |= costs(taken, folder, quick=chosen.quick)
    result["simulated"] = True
    print(json.dumps({key: round(value, 4) for key, value in result.items()}))


if __name__ == "__main__":
    main()
