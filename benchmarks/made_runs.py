"""Runs and classifiers that benchmarks need and that nothing has to be downloaded for."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from physadv.files import file_sha256
from physadv.runs import (
    AttackRecord,
    Capture,
    ClassifierRecord,
    Example,
    Manifest,
    Prediction,
    Printout,
    Selection,
)
from physadv.sheets.layout import IMAGE, Cell, Sheet


def random_resnet18() -> nn.Module:
    """Return torchvision's resnet18, untrained."""
    from torchvision.models import resnet18

    torch.manual_seed(0)
    return resnet18(weights=None).eval()


def pool(seed: int) -> nn.Module:
    """Return a classifier that costs next to nothing."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 1000))


pool_0, pool_1, pool_2, pool_3, pool_4 = (partial(pool, seed) for seed in range(5))


def own_peak_mb() -> float:
    """Return this process's peak memory, MB; getrusage's begins at its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def make_run(root: Path, pairs: int, spec: str, labels: Sequence[str], size: int) -> tuple[Printout, Capture]:
    """Write a run of smooth random pictures of `size` pixels, as `generate` and `print` would have."""
    printout, capture = Printout(root, "bench"), Capture(root, "bench")
    rng = np.random.default_rng(0)
    examples = []
    for index in range(pairs):
        coarse = Image.fromarray(rng.integers(0, 256, (14, 14, 3), dtype=np.uint8))
        picture = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)).astype(np.int16)
        for kind in ("clean", "adversarial"):
            path = printout.folder / kind / f"{index:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            change = rng.choice([-8, 8], picture.shape) if kind == "adversarial" else 0
            Image.fromarray(np.clip(picture + change, 0, 255).astype(np.uint8)).save(path)
            examples.append(
                Example(
                    id=f"{index:04d}-{kind}",
                    pair=f"{index:04d}",
                    kind=kind,
                    path=f"{kind}/{path.name}",
                    sha256=file_sha256(path),
                    size_px=(size, size),
                    source=path.name,
                    label=index % len(labels),
                    label_name=labels[index % len(labels)],
                    digital=(Prediction(label=0, name=labels[0], probability=0.5),),
                )
            )
    cell = Cell(example=examples[0].id, box_mm=(20, 20, IMAGE, IMAGE))
    Manifest(
        name="bench",
        code="BENCH1",
        seed=0,
        classifier=ClassifierRecord(spec=spec, classes=len(labels)),
        attack=AttackRecord(name="bim", eps=8),
        selection=Selection(images="random", limit=None, prefiltered=False, candidates=pairs, labels="given"),
        versions={},
        examples=tuple(examples),
        sheets=(
            Sheet(index=0, code="PA1-BENCH1-01", page_mm=(210, 297), cells=(cell,), marks=(), patches=()),
        ),
    ).write(printout.manifest_path)
    return printout, capture
