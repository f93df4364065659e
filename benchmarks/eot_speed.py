"""What Expectation over Transformation costs beside the bare model, beside other libraries, and in memory.

`python benchmarks/eot_speed.py` times, in turn in one process, one gradient step of
`physadv.attacks.expected_loss` and one forward and backward pass of the same number of images, ResNet-18 at
224 × 224 (random weights: they do not change the time). The pass is timed with the batch held whole and in
the step's own chunks, and the ratios are to the faster of the two.

The last line is one JSON object: `ratio_geometry_photometry`, `ratio_print_photo`, `ratio_print_photo_jpeg`;
`memory_512_to_16`, the peak memory of 512 samples over that of 16; and how many times faster a step is than
the same work (model, images, number of transformed samples, comparable ranges) elsewhere: in ART's
`AdversarialPatchPyTorch` as shipped (`speedup_art`) and with its gradient zeroed between steps
(`speedup_art_mended`), and in torchattacks' `EOTPGD` over a model that kornia augments
(`speedup_torchattacks`). These need `pip install adversarial-robustness-toolbox torchattacks`.

On a GPU: `--device cuda --net resnet50 --samples 256 --bf16`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import torch
import torchvision
from made_runs import own_peak_mb
from peers import TARGET, art_step, torchattacks_step
from torch import Tensor, nn

from physadv.attacks.loop import CPU_CHUNK, expected_loss
from physadv.attacks.objectives import targeted_cross_entropy, untargeted_cross_entropy
from physadv.attacks.optimisers import TorchOptimiser
from physadv.attacks.patches import Patch, Placement, circle
from physadv.attacks.variables import LInfBall
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

SIDE = 224
MEMORY_CHUNK = 16
Step = Callable[[], object]


def make_model(name: str, device: str, bf16: bool) -> Callable[[Tensor], Tensor]:
    """Return a network with random weights, frozen."""
    torch.manual_seed(0)
    network: nn.Module = torchvision.models.get_model(name, weights=None)
    network.eval().requires_grad_(False).to(device)
    if not bf16:
        return network
    network.to(memory_format=torch.channels_last)

    def answer(images: Tensor) -> Tensor:
        with torch.autocast(device, torch.bfloat16):
            return network(images.contiguous(memory_format=torch.channels_last)).float()

    return answer


def eot_step(
    model: Callable[[Tensor], Tensor],
    distribution: Transformation,
    samples: int,
    device: str = "cpu",
    chunk: int | None = None,
) -> None:
    """Take one gradient of the expected loss of one image over `samples` draws."""
    levels = torch.full((1, 3, SIDE, SIDE), 128.0, device=device)
    expected_loss(
        model,
        untargeted_cross_entropy(torch.zeros(1, dtype=torch.int64, device=device)),
        LInfBall(levels, 16),
        distribution,
        levels,
        samples=samples,
        generator=torch.Generator().manual_seed(0),
        chunk=chunk,
    )


def bare_step(model: Callable[[Tensor], Tensor], images: Tensor, chunk: int) -> None:
    """Take forward and backward passes down to the pixels, `chunk` images at a time."""
    for part in images.split(chunk):
        leaf = part.detach().requires_grad_()
        labels = torch.zeros(len(leaf), dtype=torch.int64, device=leaf.device)
        nn.functional.cross_entropy(model(leaf), labels).backward()


def patch_step(model: nn.Module, images: Tensor) -> Step:
    """Return one step of a patch shown on as many random backgrounds as there are images, as ART's."""
    at_once = min(8, len(images))
    patch = Patch(images, circle(SIDE), Placement((0.07, 0.2)), batch=at_once)
    generator, adam = torch.Generator().manual_seed(0), TorchOptimiser(partial(torch.optim.Adam, lr=12.75))
    values = patch.start(generator)
    aim = targeted_cross_entropy(torch.full((at_once,), TARGET))
    samples = len(images) // at_once

    def step() -> None:
        _, gradient = expected_loss(model, aim, patch, identity, values, samples=samples, generator=generator)
        patch.project(adam(values, gradient))

    return step


def geometry_photometry() -> Transformation:
    """Return random poses in random light."""
    return compose(
        Warp(rotation=plus_minus(22.5), scale=Range(0.9, 1.4), yaw=plus_minus(20), pitch=plus_minus(20)),
        Photometry(brightness=plus_minus(0.1), contrast=Range(0.8, 1.2), gain=Range(0.8, 1.2)),
    )


def time_in_turn(steps: dict[str, Step], rounds: int, device: str) -> dict[str, float]:
    """Return the median seconds of every step, one after the other in every round."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            with stopwatch(times[name], device):
                step()
    # The first round warms up.
    return {name: statistics.median(found[1:]) for name, found in times.items()}


@contextmanager
def stopwatch(times: list[float], device: str) -> Iterator[None]:
    """Append how long the body takes, queued work included."""
    started = time.perf_counter()
    yield
    if device == "cuda":
        torch.cuda.synchronize()
    times.append(time.perf_counter() - started)


def peak_mb(samples: int) -> float:
    """Return the peak memory of one EOT step in a process of its own, MB."""
    command = [sys.executable, __file__, "--peak-of", str(samples)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def ratios(model: Callable[[Tensor], Tensor], samples: int, rounds: int, device: str) -> dict[str, float]:
    """Time EOT steps over bare ones and print the table."""
    images = torch.rand(samples, 3, SIDE, SIDE, device=device)
    chunk = CPU_CHUNK // SIDE**2 if device == "cpu" else samples
    distributions = {
        "ratio_identity": identity,
        "ratio_geometry_photometry": geometry_photometry(),
        "ratio_print_photo": load_preset("print-photo"),
        "ratio_print_photo_jpeg": load_preset("print-photo-jpeg"),
    }
    steps: dict[str, Step] = {
        "bare, whole": lambda: bare_step(model, images, samples),
        f"bare, in chunks of {chunk}": lambda: bare_step(model, images, chunk),
    } | {
        key: partial(eot_step, model, distribution, samples, device, None if device == "cpu" else samples)
        for key, distribution in distributions.items()
    }
    medians = time_in_turn(steps, rounds, device)
    bare = min(seconds for name, seconds in medians.items() if name.startswith("bare"))
    print(f"{'step':28} median s   over bare")
    for name, seconds in medians.items():
        print(f"{name.removeprefix('ratio_'):28} {seconds:8.3f} {seconds / bare:11.3f}")
    return {name: seconds / bare for name, seconds in medians.items() if name in distributions}


def speedups(model: nn.Module, samples: int, rounds: int) -> dict[str, float]:
    """Time the same work here and in other libraries and print the table."""
    images = torch.rand(samples, 3, SIDE, SIDE)
    medians = time_in_turn(
        {
            "patch": patch_step(model, images),
            "art": art_step(model, images, mended=False),
            "art_mended": art_step(model, images, mended=True),
            "eot": lambda: eot_step(model, geometry_photometry(), samples),
            "torchattacks": torchattacks_step(model, images[:1], samples),
        },
        rounds,
        "cpu",
    )
    print(f"{'peer':28} median s   here s   times faster here")
    result = {}
    for peer, own in (("art", "patch"), ("art_mended", "patch"), ("torchattacks", "eot")):
        result[f"speedup_{peer}"] = medians[peer] / medians[own]
        print(f"{peer:28} {medians[peer]:8.3f} {medians[own]:8.3f} {medians[peer] / medians[own]:19.2f}")
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--net", default="resnet18")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--quick", action="store_true", help="five rounds, no memory, no peers")
    parser.add_argument(
        "--json", type=Path, help="file to write the last line to, with the day, for eot_strength.py"
    )
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    model = make_model(chosen.net, chosen.device, chosen.bf16)
    if chosen.peak_of:
        eot_step(model, load_preset("print-photo"), chosen.peak_of, chunk=MEMORY_CHUNK)
        print(own_peak_mb())
        return
    result = ratios(model, chosen.samples, 5 if chosen.quick else chosen.rounds, chosen.device)
    if not chosen.quick and chosen.device == "cpu" and isinstance(model, nn.Module):
        low, high = peak_mb(16), peak_mb(512)
        print(f"peak memory: {low:.0f} MB at 16 samples, {high:.0f} MB at 512, chunks of {MEMORY_CHUNK}")
        result["memory_512_to_16"] = high / low
        result |= speedups(model, chosen.samples, max(3, chosen.rounds // 3))
    result = {key: round(value, 4) for key, value in result.items()}
    if chosen.json is not None:
        dated = result | {"measured": date.today().isoformat(), "rounds": chosen.rounds}
        chosen.json.write_text(json.dumps(dated) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
