"""What a sweep costs beside the bare forward passes of the same images on the same classifier.

The whole stage is timed: checking and reading files, transforming, judging, storing, counting. The
classifier is torchvision's resnet18 with random weights, which costs what a trained one does, or any
`--model`; the pictures are random, smooth, of 224 pixels. The bare passes are as many, of batches in memory,
half of them timed before and half after each sweep.

    python benchmarks/sweep.py [--quick] [--model file:NET.pt2] [--threads 1]

`ratio_forward` is over all sets together, what `--sweep all` is; `ratio_SET` of each; `ratio_corruptions` of
ImageNet-C's, most of which another library computes image by image. `peak_mb` is the peak memory of a sweep
in a process of its own; `memory_images` and `memory_transformations` are peak memory with eight times the
images and with ten times the transformations, over that without, on a net that costs next to nothing.
`ratio_processor` is `ratio_forward` in processor time, for a machine that others use too.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from made_runs import make_run, own_peak_mb

from physadv.classifiers import Classifier, load_classifier
from physadv.pipeline.measure import measure
from physadv.pipeline.observing import BATCH
from physadv.transforms import parse_sweep

SIZE = 224
RESNET, POOL = "python:made_runs:random_resnet18", "python:made_runs:pool_0"
FULL = {name: [name] for name in ("kurakin", "viewpoint", "corruptions")}
QUICK = {
    "kurakin": ["brightness=-30:30:2", "contrast=0.7:1.3:2", "blur=1:3:2", "noise=10:30:2", "jpeg=30:80:2"],
    "viewpoint": ["viewpoint=yaw:-40:40:2,distance:1:4:2"],
}


@dataclass(frozen=True)
class Cost:
    """Seconds that something took: on the clock, and of all processors."""

    clock: float
    processor: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.clock + other.clock, self.processor + other.processor)


def cost(work: Callable[[], object]) -> Cost:
    """Return what some work costs."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - clock, time.process_time() - processor)


def bare(classifier: Classifier, passes: int) -> Cost:
    """Return what forward passes of a batch cost."""
    images = torch.rand(BATCH, 3, SIZE, SIZE)

    def forward() -> None:
        with torch.no_grad():
            for _ in range(passes):
                classifier(images)

    return cost(forward)


def swept(spec: str, labels: tuple[str, ...], pairs: int, sweeps: Sequence[str]) -> Cost:
    """Return what the stage costs on a new run."""
    with tempfile.TemporaryDirectory() as folder:
        printout, capture = make_run(Path(folder), pairs, spec, labels, SIZE)
        return cost(lambda: measure(printout, capture, sweeps=sweeps))


def compared(spec: str, pairs: int, sweeps: Sequence[str]) -> tuple[Cost, Cost]:
    """Return what a sweep costs, and the bare passes of the same batches."""
    classifier = load_classifier(spec)
    transforms = {str(transform) for text in sweeps for transform in parse_sweep(text)}
    # The files as they are come first.
    passes = (len(transforms) + 1) * math.ceil(2 * pairs / BATCH)
    bare(classifier, 2)
    before = bare(classifier, passes // 2)
    whole = swept(spec, classifier.labels, pairs, sweeps)
    return whole, before + bare(classifier, passes - passes // 2)


def peak_mb(spec: str, pairs: int, sweep: str) -> float:
    """Return the peak memory of a sweep in a process of its own, MB."""
    command = [sys.executable, __file__, "--peak-of", spec, str(pairs), sweep]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=RESNET)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true", help="two strengths a kind, no corruptions")
    parser.add_argument("--peak-of", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.peak_of:
        spec, pairs, sweep = chosen.peak_of
        swept(spec, load_classifier(spec).labels, int(pairs), [sweep])
        print(own_peak_mb())
        return
    found = {
        name: compared(chosen.model, chosen.pairs, sweeps)
        for name, sweeps in (QUICK if chosen.quick else FULL).items()
    }
    print(f"{chosen.model}, {chosen.threads} threads")
    print(f"{'set':14} {'sweep s':>8} {'bare s':>8} {'ratio':>7} {'of processors':>14}")
    for name, (sweep, passes) in found.items():
        ratios = sweep.clock / passes.clock, sweep.processor / passes.processor
        print(f"{name:14} {sweep.clock:8.1f} {passes.clock:8.1f} {ratios[0]:7.3f} {ratios[1]:14.3f}")
    whole = sum((sweep for sweep, _ in found.values()), Cost(0, 0))
    least_possible = sum((passes for _, passes in found.values()), Cost(0, 0))
    result = {
        "ratio_forward": whole.clock / least_possible.clock,
        "ratio_processor": whole.processor / least_possible.processor,
        **{f"ratio_{name}": sweep.clock / passes.clock for name, (sweep, passes) in found.items()},
    }
    few, many = ("blur=0.5:2:3", "blur=0.5:2:30")
    least = peak_mb(POOL, 32, few)
    result["peak_mb"] = peak_mb(chosen.model, chosen.pairs, few)
    result["memory_images"] = peak_mb(POOL, 256, few) / least
    result["memory_transformations"] = peak_mb(POOL, 32, many) / least
    print(
        f"peak memory {result['peak_mb']:.0f} MB; {least:.0f} MB on the least net, few images and strengths"
    )
    print(json.dumps({key: round(value, 4) for key, value in result.items()}))


if __name__ == "__main__":
    main()
