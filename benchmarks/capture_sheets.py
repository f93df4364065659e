"""The printed sheets of `capture.py`: drawn signs, each beside a noisy twin."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physadv.sheets import PrintItem, Sheet, plan_sheets, write_pdf
from physadv.signs.drawing.drawing import draw_demo_set

RUN = "BENCH0"
SIDE = 224
SHEETS, CELLS = 2, 16
PDF, LAYOUT, PICTURES = "sheets.pdf", "sheets.json", "pictures.npz"
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Printed:
    """The sheets of the benchmark, their PDF and their pictures by example."""

    sheets: tuple[Sheet, ...]
    pdf: Path
    pictures: dict[str, Pixels]


def print_signs(pdf: Path, pairs: int, run: str) -> tuple[list[Sheet], dict[str, Pixels]]:
    """Print drawn signs, each beside a noisy twin, on A4 sheets; return the sheets and the pictures."""
    rng = np.random.default_rng(0)
    pictures: dict[str, Pixels] = {}
    for index, (_, sign) in enumerate(draw_demo_set(pairs, size=SIDE, seed=0)):
        noise = rng.integers(0, 2, sign.shape) * 32 - 16
        pictures[f"{index}-clean"] = sign
        pictures[f"{index}-adversarial"] = (sign + noise).clip(0, 255).astype(np.uint8)
    items = [PrintItem(name, SIDE, SIDE) for name in pictures]
    sheets = plan_sheets(list(zip(items[::2], items[1::2], strict=True)), run=run)
    write_pdf(pdf, sheets, title="benchmark", picture=pictures.__getitem__)
    return sheets, pictures


def print_benchmark(folder: Path) -> None:
    """Print the sheets of the benchmark to a folder, from which `load_benchmark` loads them."""
    sheets, pictures = print_signs(folder / PDF, SHEETS * CELLS // 2, RUN)
    (folder / LAYOUT).write_text(json.dumps([sheet.model_dump() for sheet in sheets]))
    np.savez(folder / PICTURES, **pictures)


@cache
def load_benchmark(folder: Path) -> Printed:
    """Return what was printed to a folder, without drawing it again."""
    layout = json.loads((folder / LAYOUT).read_text())
    with np.load(folder / PICTURES) as pictures:
        return Printed(tuple(map(Sheet.model_validate, layout)), folder / PDF, dict(pictures))
