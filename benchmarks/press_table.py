"""How far the colour table of a measured press lies from littlecms, and what it costs beside assumed ink.

`python benchmarks/press_table.py DATA --page docs/results/printers.md` compares both in ΔE2000 on random
8-bit colours and on the pictures of DATA/imagenet, and writes the page. The last line is one JSON object: the
largest `mean`, `most` (95th percentile) and `worst` over presses and colours, and `table_ms`, `ink_ms`: the
CPU time of a forward and a backward pass of one image of 224 × 224.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from coverage import paragraph
from imagenet_data import read_rgb, read_rows
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from physadv.transforms import Ink, Press, fixed, in_linear_light
from physadv.transforms.colours import look_up
from physadv.transforms.presses import PRESSES, colour_table, printed_srgb

BATCH, SIDE, ROUNDS = 16, 224, 5
MOST = 95
BOUND = {"mean": 0.5, "most": 1.0, "worst": 5.0}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv")
    parser.add_argument("--images", type=int, default=60, help="pictures, each at 224 × 224; 60")
    parser.add_argument("--colours", type=int, default=100_000, help="random colours; 100000")
    parser.add_argument("--page", type=Path, help="Markdown file to write")
    asked = parser.parse_args()
    folder = asked.data / "imagenet"
    pictures = [read_rgb(folder / row["path"], SIDE) for row in read_rows(folder)[: asked.images]]
    pixels = (torch.stack(pictures) * 255).round().byte().permute(0, 2, 3, 1).flatten(0, 1).numpy()
    rng = np.random.default_rng(0)
    random = rng.integers(0, 256, (asked.colours // 100, 100, 3), dtype=np.uint8)
    found = {
        (press, kind): errors(press, colours)
        for press in PRESSES
        for kind, colours in (("random colours", random), (f"{len(pictures)} pictures", pixels))
    }
    result = {name: max(each[name] for each in found.values()) for name in BOUND}
    ink = in_linear_light(
        Ink(white=fixed(0.86), black=fixed(0.03), dot_gain=fixed(0.05), crosstalk=fixed(0.03))
    )
    both = Press(("offset-coated", "offset-uncoated"))
    result |= {"table_ms": cost(lambda x: both.apply(x, both.sample(len(x), torch.Generator())))}
    result |= {"ink_ms": cost(lambda x: ink.apply(x, ink.sample(len(x), torch.Generator())))}
    text = page(found, result, asked.colours)
    if asked.page:
        asked.page.write_text(text, encoding="utf-8")
    print(text)
    print(json.dumps({name: round(value, 3) for name, value in result.items()}))
    over = [name for name, most in BOUND.items() if result[name] > most]
    if over:
        raise SystemExit(f"ΔE2000 above its bound: {', '.join(over)}; wanted {BOUND}")


def errors(press: str, pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Return the mean, the 95th percentile and the maximum of ΔE2000 between table and littlecms."""
    table, seen = colour_table(press)[None], []
    for rows in np.array_split(pixels, max(1, pixels.size // 3_000_000)):
        images = torch.from_numpy(rows / 255).permute(2, 0, 1)[None]
        looked_up = look_up(images, table)[0].permute(1, 2, 0).numpy()
        seen.append(deltaE_ciede2000(rgb2lab(printed_srgb(rows, press)), rgb2lab(looked_up)).ravel())
    every = np.concatenate(seen)
    return {"mean": every.mean(), "most": float(np.percentile(every, MOST)), "worst": every.max()}


def cost(function: Callable[[Tensor], Tensor]) -> float:
    """Return the least CPU time of a forward and a backward pass of one image, ms."""
    images, took = torch.rand(BATCH, 3, SIDE, SIDE, requires_grad=True), []
    for _ in range(ROUNDS):
        started = time.process_time()
        function(images).sum().backward()  # type: ignore[no-untyped-call]
        took.append((time.process_time() - started) * 1000 / BATCH)
    return min(took)


def page(found: dict[tuple[str, str], dict[str, float]], result: dict[str, float], colours: int) -> str:
    """Return docs/results/printers.md."""
    lines = ["| printer | colours | mean | 95th percentile | maximum |", "|---|---|---:|---:|---:|"]
    lines += [
        f"| {press} | {kind} | {each['mean']:.2f} | {each['most']:.2f} | {each['worst']:.2f} |"
        for (press, kind), each in found.items()
    ]
    over = [
        f"{press}, {kind}"
        for (press, kind), each in found.items()
        if any(each[name] > most for name, most in BOUND.items())
    ]
    parts = [
        "# Printers that were measured",
        paragraph(
            "Made by `python benchmarks/press_table.py ../shared/data --page docs/results/printers.md`, "
            "seed 0. The virtual printer prints by littlecms through FOGRA39L (coated) and FOGRA47L "
            "(uncoated); an attack is optimised through a table of 17³ colours of the same mapping."
        ),
        "## What does not hold, and what is not measured",
        paragraph(
            f"The table is above its bound for: {'; '.join(over) or 'none'}. "
            "No default uses these printers yet. A profile has no sharpness: the spread of ink, 0.05 mm, "
            "is assumed, and so is the screen of `halftone`. The office printer is assumed altogether. The "
            "profiles hold no perceptual rendering of their own: that table is the relative colorimetric "
            "one, so black-point compensation (`-bpc`) is the second rendering. Colours that sRGB cannot "
            "show, such as the press's cyan, are clipped to it."
        ),
        "## The table beside littlecms, ΔE2000",
        paragraph(
            f"Unit: a colour; {colours} random 8-bit colours, and every pixel of pictures of DATA/imagenet "
            f"at {SIDE} × {SIDE}. Littlecms itself rounds ink and paper to 8 bits. The program fails above "
            f"{BOUND['mean']} (mean), {BOUND['most']} (95th percentile) or {BOUND['worst']} (maximum)."
        ),
        "\n".join(lines),
        "## Cost",
        paragraph(
            f"CPU time of a forward and a backward pass of one image of {SIDE} × {SIDE}, the least of "
            f"{ROUNDS}: the table {result['table_ms']:.1f} ms, the assumed ink in linear light "
            f"{result['ink_ms']:.1f} ms."
        ),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
