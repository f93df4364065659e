"""The printers, where their numbers come from, and how far the table of a measured press lies from littlecms.

`python benchmarks/press_table.py DATA --page docs/results/printers.md` compares both in ΔE2000 on random
8-bit colours and on the pictures of DATA/imagenet, and writes the page. The last line is one JSON object: the
largest `mean`, `most` (95th percentile) and `worst` over presses and colours, and `table_ms`, `trilinear_ms`,
`decoding_ms`: the CPU time of a forward and a backward pass of one image of 224 × 224.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from coverage import paragraph
from imagenet_data import read_rgb, read_rows
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from physadv.phone.printers import DEFAULT, PRINTERS
from physadv.transforms import Press, load_preset
from physadv.transforms.colours import linear_to_srgb, srgb_to_linear
from physadv.transforms.presses import NODES, PRESSES, printed_light

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
    result |= {"table_ms": cost(light_on_paper), "trilinear_ms": cost(trilinear)}
    result |= {"decoding_ms": cost(srgb_to_linear)}
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
    paper, seen = Press((press,)), []
    for rows in np.array_split(pixels, max(1, pixels.size // 3_000_000)):
        images = torch.from_numpy(rows / 255).permute(2, 0, 1)[None]
        looked_up = paper.apply(images, paper.sample(1, torch.Generator()))[0].permute(1, 2, 0).numpy()
        exact = linear_to_srgb(torch.from_numpy(printed_light(rows, press))).numpy()
        seen.append(deltaE_ciede2000(rgb2lab(exact), rgb2lab(looked_up)).ravel())
    every = np.concatenate(seen)
    return {"mean": every.mean(), "most": float(np.percentile(every, MOST)), "worst": every.max()}


def light_on_paper(images: Tensor) -> Tensor:
    """Return the light of images printed by two presses, one drawn for each, as `print-photo` has it."""
    press = Press(("offset-coated-bpc", "offset-uncoated-bpc"))
    return press.light(images, press.sample(len(images), torch.Generator()))


def trilinear(images: Tensor) -> Tensor:
    """Return images through tables of as many nodes by `grid_sample`, then decoded."""
    places = images.permute(0, 2, 3, 1)[:, None] * 2 - 1
    tables = torch.rand(len(images), 3, NODES, NODES, NODES)
    read = F.grid_sample(tables, places, padding_mode="border", align_corners=True)
    return srgb_to_linear(read.squeeze(2))


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
    numbers = ["| printer | number | value | kind | why |", "|---|---|---|---|---|"]
    for name, each in PRINTERS.items():
        for attribute, source in each.sources.items():
            kind, _, why = source.partition(": ")
            value = getattr(each.printer, attribute)
            numbers.append(f"| {name} | {attribute} | {value} | {kind} | {why} |")
    over = [
        f"{press}, {kind}"
        for (press, kind), each in found.items()
        if any(each[name] > most for name, most in BOUND.items())
    ]
    drawn = load_preset("print-photo").parts[0].parts[0].printers  # type: ignore[attr-defined]
    parts = [
        "# The printers",
        paragraph(
            "Made by `python benchmarks/press_table.py ../shared/data --page docs/results/printers.md`, "
            "seed 0. The virtual printer prints by littlecms through FOGRA39L (coated) and FOGRA47L "
            f"(uncoated); an attack is optimised through a table of {NODES}³ colours of the same mapping."
        ),
        "## What does not hold, and what is not measured",
        paragraph(
            f"The table is above its bound for: {'; '.join(over) or 'none'}. A profile has no sharpness: the "
            "spread of ink is assumed, and so is the screen of a halftone. Office printers are assumed "
            "variants of a measured press: no office printer was measured. The "
            "profiles hold no perceptual rendering of their own: that table is the relative colorimetric "
            "one, so black-point compensation (`-bpc`) is the second rendering. Colours that sRGB cannot "
            "show, such as the press's cyan, are clipped to it."
        ),
        "## Where each number comes from",
        paragraph(
            f"`{DEFAULT}` prints where nothing else is asked for. `press` is the measured press, `halftone` "
            "the dots, `spread_mm` the gaussian spread of ink and light, `ink` the share of the press's ink "
            "that is put down."
        ),
        "\n".join(numbers),
        paragraph(
            "The default is with black-point compensation: an office driver's usual rendering, perceptual, "
            "maps the file's black on the printer's, and without a table of its own that is the nearest "
            f"rendering here. `print-photo` draws over {' and '.join(f'`{name}`' for name in drawn)}: "
            "measured presses only, none of the office printers' assumptions."
        ),
        "## The table beside littlecms, ΔE2000",
        paragraph(
            f"Unit: a colour; {colours} random 8-bit colours, and every pixel of pictures of DATA/imagenet "
            f"at {SIDE} × {SIDE}. Littlecms itself rounds ink and paper to 8 bits. The table holds the "
            "square root of light and is read in tetrahedra, as littlecms reads its own; "
            f"the program fails above {BOUND['mean']} (mean), {BOUND['most']} (95th percentile) or "
            f"{BOUND['worst']} (maximum)."
        ),
        "\n".join(lines),
        "## Cost",
        paragraph(
            f"CPU time of a forward and a backward pass of one image of {SIDE} × {SIDE} to linear light, the "
            f"least of {ROUNDS}: by the table {result['table_ms']:.1f} ms; by a trilinear `grid_sample` and "
            f"decoding {result['trilinear_ms']:.1f} ms; decoding alone, which every step in linear light "
            f"begins with where nothing is printed, {result['decoding_ms']:.1f} ms."
        ),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
