"""Kurakin et al. 2017, tables 1 to 3, again: ImageNet images, printed, photographed and cropped.

`python -m physadv.experiments.kurakin DATA` runs every attack, budget and case through the whole loop, with
the virtual phone in place of a printer and a camera, and writes docs/results/kurakin.md with the paper's
numbers beside. A killed study goes on where it was.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from physadv.errors import PhysadvError
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import CASES, Case
from physadv.evaluation.wording import percent, with_interval
from physadv.progress import Reporter, reporter
from physadv.runs import Capture, Printout, replacing
from physadv.stages.crop import crop
from physadv.stages.generate import GenerateSettings, generate
from physadv.stages.measure import Measurement, measure
from physadv.stages.observing import PHOTO
from physadv.stages.photograph import photograph_simulated
from physadv.stages.print_sheets import print_sheets

ATTACKS = ("fast", "bim", "least-likely")
BUDGETS = (16, 8)
PAIRS = 102
SIZE = 224


@dataclass(frozen=True)
class Published:
    """One line of the paper, in percent, (top-1, top-5): photos of clean and of adversarial images, and d."""

    clean: tuple[float, float]
    adversarial: tuple[float, float]
    destruction: tuple[float, float]


PAPER: dict[tuple[Case, str, int], Published] = {
    ("average", "fast", 16): Published((79.8, 91.9), (36.4, 67.7), (12.5, 40.0)),
    ("average", "fast", 8): Published((70.6, 93.1), (49.0, 73.5), (33.3, 40.0)),
    ("average", "bim", 16): Published((72.9, 89.6), (49.0, 75.0), (40.4, 69.4)),
    ("average", "bim", 8): Published((72.5, 93.1), (51.0, 87.3), (52.1, 90.5)),
    ("average", "least-likely", 16): Published((71.1, 90.0), (60.0, 83.3), (72.2, 85.1)),
    ("average", "least-likely", 8): Published((76.5, 94.1), (69.6, 92.2), (86.3, 94.6)),
    ("prefiltered", "fast", 16): Published((81.8, 97.0), (5.1, 39.4), (5.1, 39.4)),
    ("prefiltered", "fast", 8): Published((77.1, 95.8), (14.6, 70.8), (14.6, 70.8)),
    ("prefiltered", "bim", 16): Published((93.3, 97.8), (60.0, 87.8), (60.0, 87.8)),
    ("prefiltered", "bim", 8): Published((89.2, 98.0), (64.7, 91.2), (64.7, 91.2)),
    ("prefiltered", "least-likely", 16): Published((95.8, 100.0), (87.5, 97.9), (87.5, 97.9)),
    ("prefiltered", "least-likely", 8): Published((96.0, 100.0), (88.9, 97.0), (88.9, 97.0)),
}


@dataclass(frozen=True)
class Cell:
    """One cell of the study, measured."""

    attack: str
    eps: int
    case: Case
    measurement: Measurement

    def row(self, top: int) -> Row:
        """Return the measured row of the cell's own case."""
        rows = self.measurement.channels[PHOTO.name]
        return next(row for row in rows if row.case == self.case and row.top == top)


def run_cell(
    images: Path, root: Path, model: str, attack: str, eps: int, case: Case, pairs: int, told: Reporter
) -> Cell | None:
    """Run the whole loop for one attack, budget and case; None where no pair is of the case."""
    name = f"kurakin-{attack}-{eps}-{case}"
    printout, capture = Printout(root, name), Capture(root, name)
    settings = GenerateSettings(
        images=images,
        model=model,
        attack=attack,
        eps=eps,
        size=SIZE,
        limit=pairs,
        prefilter=case == "prefiltered",
    )
    told.say(f"-- {name}")
    try:
        generate(printout, settings, told)
    except PhysadvError as error:
        if "prefiltered case" not in str(error):
            raise
        told.say(str(error))
        return None
    print_sheets(printout, reporter=told)
    photograph_simulated(printout, capture, shots=1, reporter=told)
    crop(printout, capture, reporter=told)
    (measurement,) = measure(printout, capture, reporter=told)
    return Cell(attack, eps, case, measurement)


def write_results(path: Path, cells: Sequence[Cell], command: str, model: str) -> None:
    """Write the study's page and, beside it, the same numbers as JSON."""
    with replacing(path) as temporary:
        temporary.write_text(_page(cells, command, model), encoding="utf-8")
    with replacing(path.with_suffix(".json")) as temporary:
        # The net's name, not where it lay.
        net = {"classifier": Path(model).name}
        measured = [{"case": cell.case, **cell.measurement.as_json(), **net} for cell in cells]
        temporary.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def _page(cells: Sequence[Cell], command: str, model: str) -> str:
    pairs = sorted({len(cell.measurement.manifest.examples) // 2 for cell in cells})
    photos = sum(len(cell.measurement.photos) for cell in cells)
    cropped = sum(crop.path is not None for cell in cells for crop in cell.measurement.crops)
    printed = sum(len(cell.measurement.manifest.examples) for cell in cells)
    sharpness = median(
        crop.sharpness_px
        for cell in cells
        for crop in cell.measurement.crops
        if crop.sharpness_px is not None
    )
    lines = [
        "# Kurakin et al. 2017, tables 1 to 3, through a simulated print and photo",
        "",
        "**The channel is simulated**: the virtual printer and phone of this project, not a printer and a",
        "camera. The paper's numbers (arXiv:1607.02533, tables 1 to 3) are real photos of Inception v3's",
        f"examples; these are of `{Path(model).name}` at {SIZE} × {SIZE}, its own input size, as 299 × 299",
        "was Inception's. They can be compared in their order, not in their size. The paper's columns were",
        "written down without the paper at hand: check them against it before quoting them.",
        "",
        f"Made by `{command}`:",
        f"{pairs[0]} to {pairs[-1]} pairs a line, one photo of each sheet, {photos} photos;",
        f"{cropped} of {printed} printed cells were cropped (median blur {sharpness:.2f} px of the photo).",
        "d is the destruction rate, equation 1, with its 95 % Wilson interval; n counts its pairs.",
        "",
    ]
    for case in CASES:
        chosen = [cell for cell in cells if cell.case == case]
        lines += [f"## {case.capitalize()} case", "", *_table(chosen), ""]
        lines += ["Accuracy on photos, and on the files before printing:", "", *_accuracies(chosen), ""]
    lines += ["## What holds and what does not", "", *_order(cells), ""]
    lines += [
        "Prefiltered pairs of `fast` are rare: one step seldom leaves a classifier both wrong and sure, so",
        "all candidates were looked at and few kept. Sheet k of every run meets the same simulated",
        "conditions, so that attacks are compared on equal photos; the paper's were not. Rates below the",
        "paper's say something of this classifier and of this simulated channel together; what part each",
        "has was not measured.",
        "",
    ]
    return "\n".join(lines)


def _table(cells: Sequence[Cell]) -> list[str]:
    lines = [
        "| attack | eps | pairs of candidates | d top-1 [95 %] | n | paper | d top-5 [95 %] | n | paper |",
        "|---|---:|---|---|---:|---:|---|---:|---:|",
    ]
    for cell in cells:
        selection = cell.measurement.manifest.selection
        made = f"{len(cell.measurement.manifest.examples) // 2} of {selection.candidates}"
        paper = PAPER[cell.case, cell.attack, cell.eps].destruction
        measured = []
        for top, published in zip((1, 5), paper, strict=True):
            rate = cell.row(top).destruction_rate
            measured += [with_interval(rate), str(rate.n), f"{published:.1f} %"]
        lines.append(f"| {cell.attack} | {cell.eps} | {made} | {' | '.join(measured)} |")
    return lines


def _accuracies(cells: Sequence[Cell]) -> list[str]:
    lines = [
        "| attack | eps | top | clean photo | paper | adv. photo | paper | clean file | adv. file |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for cell in cells:
        published = PAPER[cell.case, cell.attack, cell.eps]
        for place, top in enumerate((1, 5)):
            row = cell.row(top)
            lines.append(
                f"| {cell.attack} | {cell.eps} | {top} | {percent(row.clean_after)} "
                f"| {published.clean[place]:.1f} % | {percent(row.adversarial_after)} "
                f"| {published.adversarial[place]:.1f} % | {percent(row.clean_before)} "
                f"| {percent(row.adversarial_before)} |"
            )
    return lines


def _order(cells: Sequence[Cell]) -> list[str]:
    """Say for every case, budget and top whether fast < BIM < least-likely was measured."""
    lines = []
    for case in CASES:
        for eps in BUDGETS:
            for top in (1, 5):
                rates = {
                    cell.attack: cell.row(top).destruction_rate
                    for cell in cells
                    if (cell.case, cell.eps) == (case, eps)
                }
                lines.append(f"- {case}, eps {eps}, top-{top}: {_verdict(rates)}")
    return lines


def _verdict(rates: dict[str, Estimate]) -> str:
    chosen = [rates[attack] for attack in ATTACKS if attack in rates and rates[attack].value is not None]
    shown = ", ".join(f"{attack} {with_interval(rate)}, n = {rate.n}" for attack, rate in rates.items())
    if len(chosen) < len(ATTACKS):
        return f"cannot be told ({shown})"
    fast, bim, least_likely = chosen
    if _below(fast, bim) and _below(bim, least_likely):
        return f"fast < BIM < least-likely holds ({shown})"
    if not (_below(fast, least_likely) and _below(bim, least_likely)):
        return f"does not hold ({shown})"
    why = " within their intervals: too few pairs to tell" if _overlap(fast, bim) else ""
    return f"least-likely is destroyed most, but fast is not below BIM{why} ({shown})"


def _below(one: Estimate, other: Estimate) -> bool:
    return (one.value or 0.0) < (other.value or 0.0)


def _overlap(one: Estimate, other: Estimate) -> bool:
    return (one.low or 0.0) <= (other.high or 0.0) and (other.low or 0.0) <= (one.high or 0.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(prog="python -m physadv.experiments.kurakin", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument("--net", default="mobilenet_v2", help="a file of imagenet/nets, without .pt2")
    parser.add_argument("--root", type=Path, default=Path("studies/kurakin"), help="where the runs are kept")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--out", type=Path, default=Path("docs/results/kurakin.md"))
    chosen = parser.parse_args(arguments)
    told = reporter(quiet=False)
    model = f"file:{chosen.data / 'imagenet/nets' / chosen.net}.pt2"
    images = chosen.data / "imagenet/labels.csv"
    cells = [
        cell
        for case in CASES
        for eps in BUDGETS
        for attack in ATTACKS
        if (cell := run_cell(images, chosen.root, model, attack, eps, case, chosen.pairs, told))
    ]
    defaults = {"net": "mobilenet_v2", "pairs": PAIRS}
    options = "".join(f" --{k} {getattr(chosen, k)}" for k, v in defaults.items() if getattr(chosen, k) != v)
    command = f"python -m physadv.experiments.kurakin DATA{options}"
    write_results(chosen.out, cells, command, model)
    told.say(f"wrote {chosen.out}")


if __name__ == "__main__":
    main()
