"""What Expectation over Transformation costs beside the bare model, and that its memory does not grow.

`python benchmarks/eot_speed.py` times one gradient step of `physadv.attacks.expected_loss` over one forward
and backward pass of the same number of images, ResNet-18 at 224 × 224 (random weights: they do not change the
time), in turn in one process, and prints the medians' ratios as one JSON line: `ratio_geometry_photometry`,
`ratio_print_photo`, `ratio_print_photo_jpeg`, and `memory_512_to_16`, the peak memory of 512 samples over
that of 16 at the same chunk.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
import torchvision
from torch import Tensor, nn

from physadv.attacks import LInfBall, expected_loss, untargeted_cross_entropy
from physadv.transforms import (
    Photometry,
    Range,
    Transformation,
    Warp,
    compose,
    identity,
    load_preset,
    plus_minus,
)

CHUNK = 16


def make_model() -> nn.Module:
    """Return ResNet-18 with random weights, frozen."""
    torch.manual_seed(0)
    return torchvision.models.resnet18(weights=None).eval().requires_grad_(False)


def eot_step(model: nn.Module, distribution: Transformation, samples: int, chunk: int | None = None) -> None:
    """Take one gradient of the expected loss of one image over `samples` draws."""
    levels = torch.full((1, 3, 224, 224), 128.0)
    expected_loss(
        model,
        untargeted_cross_entropy(torch.zeros(1, dtype=torch.int64)),
        LInfBall(levels, 16),
        distribution,
        levels,
        samples=samples,
        generator=torch.Generator().manual_seed(0),
        chunk=chunk,
    )


def bare_step(model: nn.Module, images: Tensor) -> None:
    """Take one forward and backward pass down to the pixels."""
    leaf = images.detach().requires_grad_()
    nn.functional.cross_entropy(model(leaf), torch.zeros(len(leaf), dtype=torch.int64)).backward()


def seconds(step: Callable[[], None]) -> float:
    """Return how long a step takes."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def peak_mb(samples: int) -> float:
    """Return the peak memory of one EOT step in a process of its own, MB."""
    command = [sys.executable, __file__, "--peak-of", str(samples)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def distributions() -> dict[str, Transformation]:
    """Return what is timed, by JSON key."""
    geometry = Warp(
        rotation=plus_minus(22.5), scale=Range(0.9, 1.4), yaw=plus_minus(20), pitch=plus_minus(20)
    )
    photometry = Photometry(brightness=plus_minus(0.1), contrast=Range(0.8, 1.2), gain=Range(0.8, 1.2))
    return {
        "ratio_identity": identity,
        "ratio_geometry_photometry": compose(geometry, photometry),
        "ratio_print_photo": load_preset("print-photo"),
        "ratio_print_photo_jpeg": load_preset("print-photo-jpeg"),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="five rounds, no memory")
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    model = make_model()
    if chosen.peak_of:
        eot_step(model, load_preset("print-photo"), chosen.peak_of, CHUNK)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    images = torch.rand(chosen.samples, 3, 224, 224)
    times: dict[str, list[float]] = {"bare": []}
    for _ in range(5 if chosen.quick else chosen.rounds):
        times["bare"].append(seconds(lambda: bare_step(model, images)))
        for key, distribution in distributions().items():
            step = seconds(lambda d=distribution: eot_step(model, d, chosen.samples))
            times.setdefault(key, []).append(step)
    bare = statistics.median(times["bare"])
    result = {key: statistics.median(found) / bare for key, found in times.items() if key != "bare"}
    print(f"{'step':28} median s   over bare")
    for key, found in times.items():
        print(f"{key.removeprefix('ratio_'):28} {statistics.median(found):8.3f} {result.get(key, 1.0):11.3f}")
    if not chosen.quick:
        low, high = peak_mb(CHUNK), peak_mb(512)
        print(f"peak memory: {low:.0f} MB at 16 samples, {high:.0f} MB at 512, chunks of {CHUNK}")
        result["memory_512_to_16"] = high / low
    print(json.dumps({key: round(value, 4) for key, value in result.items()}))


if __name__ == "__main__":
    main()
