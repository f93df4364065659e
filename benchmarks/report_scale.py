"""Tables and report over a million observations: time and memory of counting, measuring and writing them.

Makes a run of 1,000 pairs and writes down, at random, what five classifiers are supposed to have said of it
through 95 transformations and in five photos. Timed are the stages of `destruction-rate` and `report` then,
in a process of their own: classifiers, checks of files and store, counting, intervals, the tables as text,
CSV and JSON, and the page with its figures and gallery.

    python benchmarks/report_scale.py [--quick]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
from made_runs import make_run, own_peak_mb

from physadv.classifiers import load_classifier
from physadv.pipeline.measure import measure
from physadv.pipeline.observing import PHOTO, UNTOUCHED
from physadv.report.export import tables_as_text
from physadv.report.run_page import write_report
from physadv.report.terminal import show_measurements
from physadv.runs import Capture, CropRow, Manifest, ObservationRow, PhotoRow, Printout
from physadv.transforms import parse_sweep

MODELS = tuple(f"python:made_runs:pool_{seed}" for seed in range(5))
PHOTOS = tuple(f"{index}.jpg" for index in range(5))
SWEEP = "blur=0.05:4.75:95"
PAIRS, SIZE = 1000, 32
CROP = "crops/x.png"


def fill(root: Path, pairs: int) -> int:
    """Make a run and its store; return the number of observations."""
    classifiers = [load_classifier(spec) for spec in MODELS]
    printout, capture = make_run(root, pairs, MODELS[0], classifiers[0].labels, SIZE)
    manifest = printout.manifest()
    rng = np.random.default_rng(0)
    count = 0
    capture.crops.mkdir(parents=True)
    shutil.copyfile(printout.folder / manifest.examples[0].path, capture.folder / CROP)
    with capture.store() as store:
        for name in PHOTOS:
            photo = PhotoRow(name, name, "BENCH1", "used", None, 4000, 3000, "a phone", simulated=True)
            store.add_file(name, [(photo, [crop(name, example.id) for example in manifest.examples])])
        channels = [(UNTOUCHED.name, ""), *((PHOTO.name, name) for name in PHOTOS)]
        channels += [(str(transform), "") for transform in parse_sweep(SWEEP)]
        for classifier in classifiers:
            for channel, photo_name in channels:
                rows = list(answers(manifest, classifier.identity, channel, photo_name, rng))
                store.add_observations(rows)
                count += len(rows)
    return count


def crop(photo: str, example: str) -> CropRow:
    """Return a cell that was cut out well."""
    return CropRow(photo, example, 0, 0, CROP, None, 0.05, 5, 1.0, 12.0, 200.0, 0.0, 0.98, ())


def answers(
    manifest: Manifest, classifier: str, channel: str, photo: str, rng: np.random.Generator
) -> Iterator[ObservationRow]:
    """Yield answers that hold the true label first, among five, or not at all, with any confidence."""
    for example in manifest.examples:
        labels = rng.choice(1000, 5, replace=False).tolist()
        labels[int(rng.integers(5))] = example.label
        sure = np.sort(rng.dirichlet(np.ones(6)))[::-1][:5].round(6).tolist()
        yield ObservationRow("BENCH1", classifier, channel, 0, example.id, photo, tuple(labels), tuple(sure))


def tables_and_report(root: Path) -> dict[str, float]:
    """Return the seconds that measuring and writing take, and this process's peak memory."""
    started, worked = time.perf_counter(), time.process_time()
    printout, capture = Printout(root, "bench"), Capture(root, "bench")
    measurements = measure(printout, capture, sweeps=[SWEEP], models=MODELS)
    measured = time.perf_counter()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        show_measurements(measurements)
    for form in ("csv", "json"):
        tables_as_text(measurements, form)
    written = time.perf_counter()
    write_report(printout, capture, measurements)
    ended = time.perf_counter()
    return {
        "measure_s": measured - started,
        "tables_s": written - started,
        "report_s": ended - written,
        "total_s": ended - started,
        "processor_s": time.process_time() - worked,
        "peak_mb": own_peak_mb(),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="100 pairs, a hundred thousand observations")
    parser.add_argument("--tables-of", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.tables_of:
        print(json.dumps(tables_and_report(chosen.tables_of)))
        return
    with tempfile.TemporaryDirectory() as folder:
        count = fill(Path(folder), PAIRS // 10 if chosen.quick else PAIRS)
        size = Capture(Path(folder), "bench").store_path.stat().st_size / 1e6
        command = [sys.executable, __file__, "--tables-of", folder]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(f"{count} observations, {size:.0f} MB on disk, {len(MODELS)} classifiers")
    for name, value in found.items():
        print(f"{name:12} {value:8.1f}")
    print(json.dumps({"observations": count, **{key: round(value, 3) for key, value in found.items()}}))


if __name__ == "__main__":
    main()
