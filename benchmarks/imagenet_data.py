"""What the studies on real ImageNet images share: their images and networks, and results kept on disk."""

import csv
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.comparisons import Comparison
from physadv.keeping import Kept
from physadv.report.wording import interval, p_value

Result = TypeVar("Result")

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a folder's labels.csv, in order."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_rgb(path: Path, side: int | None = None) -> Tensor:
    """Return a picture, resized to `side` if given, (3, H, W) in [0, 1]."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    if side is not None:
        picture = picture.resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def read_images(folder: Path, rows: Sequence[dict[str, str]], side: int) -> tuple[Tensor, Tensor]:
    """Return the images of rows, (N, 3, side, side) in [0, 1], and their labels, int64 (N,)."""
    images = torch.stack([read_rgb(folder / row["path"], side) for row in rows])
    return images.to(DEVICE), torch.tensor([int(row["label"]) for row in rows], device=DEVICE)


@cache
def load_net(folder: Path, name: str) -> Classifier:
    """Return a network of the folder's `nets`, on the GPU where there is one."""
    return load_classifier(f"file:{folder / 'nets' / name}.pt2", device=DEVICE)


def kept(path: Path, make: Callable[[], Result]) -> Result:
    """Return what a JSON file holds, which is made first if it is not there."""
    file = Kept(path)
    if (found := file.load()) is None:
        file.save(make())
        found = file.load()
    result: Result = found
    return result


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def difference_in_words(test: Comparison) -> str:
    """Return "+12.3 points (8.0–16.4), p = 0.0012, verdict", p after Holm."""
    if test.difference.value is None or test.holm is None:
        return "–"
    value = f"{100 * test.difference.value:+.1f} points ({interval(test.difference)})"
    return f"{value}, p = {p_value(test.holm)}, {test.verdict}"
