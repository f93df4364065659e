"""How large a patch must be: success against area on real ImageNet images, beside Brown et al. 2017.

`python benchmarks/patch_curve.py DATA` makes one patch for every area on half of the images and judges it,
8-bit and read back from its PNG, on the other half: at places and turns never drawn before, four an image,
images of the target's own class left out. The control is a real photo of the target, its object cut out
round, at the same areas, places and turns.

Patches are kept in `--out` and not made again, so that a run goes on where it stopped. JSON keys: `success_A`
and `control_A` for every area A in per cent, `clean` (share called the target with nothing on it), `target`,
`net`, `images`, `steps`.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from physadv.attacks.optimisers import cooling_adam
from physadv.attacks.patches import Placement, circle, paste, patch
from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.intervals import Estimate, proportion
from physadv.files import replacing
from physadv.progress import reporter
from physadv.randomness import generator
from physadv.report.drawing import GRID, INK, MUTED, STYLES

AREAS = (0.03, 0.05, 0.08, 0.10, 0.15, 0.20, 0.30)
QUICK = {"net": "mobilenet_v1_050_160", "size": 160, "areas": (0.1, 0.3), "steps": 100}
BROWN = {0.05: 0.506, 0.10: 0.887}
"""Success of the white-box patch of Brown et al. 2017 (arXiv:1712.09665) on ImageNet, by area."""

PHOTO, PHOTO_CLASS = "images/01244097ca8ffdfa.png", 90
"""A lorikeet, pasted the most convincing of the photos in the set: a weak photo would be a weak control."""
PHOTO_BOX = (149, 40, 299, 190)
"""Its head and breast: of four crops tried, the most convincing at 10 % of the image."""

CHUNK = 40
"""Images classified at once."""
RATE = 0.02
"""Adam's first learning rate, in units of the pixel range. It falls to nothing: one place a step is noisy."""


@dataclass(frozen=True)
class Curve:
    """Success by area.

    Attributes:
        name: of what was pasted.
        shares: area → share of images called the target.
    """

    name: str
    shares: Mapping[float, Estimate]


def read_rgb(path: Path, side: int | None = None, box: tuple[int, int, int, int] | None = None) -> Tensor:
    """Return a picture or the part of it in a box, resized to `side` if given, (3, H, W) in [0, 1]."""
    with Image.open(path) as file:
        picture = file.convert("RGB").crop(box or (0, 0, *file.size))
    if side is not None:
        picture = picture.resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255


def read_halves(folder: Path, side: int, target: int) -> tuple[Tensor, Tensor]:
    """Return both halves of the images of labels.csv, (N, 3, side, side), without the target's class."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first, second = (
        torch.stack([read_rgb(folder / row["path"], side) for row in half if int(row["label"]) != target])
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :])
    )
    return first, second


def read_or_make(path: Path, make: Callable[[], Tensor]) -> Tensor:
    """Return the patch (3, h, w) in a PNG, which is made first if it is not there."""
    if not path.exists():
        levels = (make() * 255).round().to(torch.uint8).permute(1, 2, 0)
        with replacing(path) as temporary:
            Image.fromarray(levels.numpy()).save(temporary, "PNG")
    return read_rgb(path)


@torch.no_grad()
def success(
    classifier: Classifier, sticker: Tensor, images: Tensor, target: int, area: float, places: int
) -> Estimate:
    """Return how often images with a round sticker (3, h, h) on them are called the target.

    Every image is judged at `places` places, rounded to 8 bits; the interval counts images, not places.
    """
    alpha, placement = circle(sticker.shape[-1]), Placement((area, area))
    hits: list[int] = []
    for start in range(0, len(images), CHUNK):
        some = images[start : start + CHUNK]
        called = []
        for place in range(places):
            drawn = placement.draw(len(some), generator(0, "held out", f"{area:g}", start, place))
            seen = (paste(sticker[None], alpha, some, drawn) * 255).round() / 255
            called.append(classifier(seen).argmax(dim=1) == target)
        hits += torch.stack(called).sum(dim=0).tolist()
    return proportion(hits, [places] * len(hits))


def in_words(share: Estimate | None) -> str:
    """Return "61.3 % (52.4–69.6)"."""
    if share is None or share.value is None or share.low is None or share.high is None:
        return "–"
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f}–{100 * share.high:.1f})"


def table(curves: Sequence[Curve]) -> str:
    """Return a line for every area, and what Brown et al. published for it."""
    lines = ["  area  " + "".join(f"{curve.name:24}" for curve in curves) + "Brown et al. 2017"]
    for area in curves[0].shares:
        published = f"{100 * BROWN[area]:.1f} %" if area in BROWN else "–"
        cells = "".join(f"{in_words(curve.shares[area]):24}" for curve in curves)
        lines.append(f"{100 * area:4g} %  {cells}{published}")
    return "\n".join(lines)


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Write the curves with their 95 % bands, and Brown et al.'s two points, as SVG."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "physadv", "font.size": 9}):
        figure = Figure(figsize=(5.6, 3.4), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for curve, style in zip(curves, STYLES, strict=False):
            areas = [100 * area for area in curve.shares]
            low, middle, high = (
                [100 * getattr(share, bound) for share in curve.shares.values()]
                for bound in ("low", "value", "high")
            )
            axes.fill_between(areas, low, high, color=style.colour, alpha=0.15, linewidth=0)
            axes.plot(areas, middle, "o-", color=style.colour, markersize=4, linewidth=1.4, label=curve.name)
        published = [[100 * share for share in points] for points in (BROWN.keys(), BROWN.values())]
        axes.plot(*published, "D", color=INK, markersize=5, label="toaster, Brown et al. 2017")
        axes.set_xlabel("area, % of the image", color=MUTED)
        axes.set_ylabel("called the target, %", color=MUTED)
        axes.set_xlim(0, 31)
        axes.set_ylim(-2, 102)
        axes.grid(color=GRID, linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata=dict.fromkeys(("Date", "Creator")))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument("--net", default="mobilenet_v2")
    parser.add_argument("--size", type=int, default=224, help="pixels a side, those the net works at")
    parser.add_argument("--target", default="lorikeet", help="class; other than the photo's: no control")
    parser.add_argument("--areas", type=float, nargs="+", default=AREAS, help="shares of the image")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--places", type=int, default=4, help="per image judged")
    parser.add_argument(
        "--out", type=Path, default=Path("studies/patch_curve"), help="where patches are kept"
    )
    parser.add_argument("--figure", type=Path, help="SVG to write")
    parser.add_argument("--quick", action="store_true", help="two areas, 100 steps, mobilenet_v1_050_160")
    chosen = parser.parse_args()
    if chosen.quick:
        vars(chosen).update(QUICK)
    return chosen


def main() -> None:
    """Run the benchmark from the command line."""
    chosen = arguments()
    folder, report = chosen.data / "imagenet", reporter(quiet=False)
    classifier = load_classifier(f"file:{folder / 'nets' / chosen.net}.pt2")
    target = classifier.label_index(chosen.target)
    name = classifier.labels[target].split(",")[0]
    seen, held_out = read_halves(folder, chosen.size, target)
    started = time.perf_counter()

    def progress(area: float, step: int, losses: Tensor) -> None:
        if step % 25 == 0:
            report.say(
                f"{100 * area:g} %: step {step} of {chosen.steps}, loss {float(losses.mean()):.2f}, "
                f"{time.perf_counter() - started:.0f} s"
            )

    def made(area: float) -> Tensor:
        path = f"{chosen.net}-{target}-{1000 * area:03.0f}-{chosen.steps}x{chosen.batch}.png"
        return read_or_make(
            chosen.out / path,
            lambda: patch(
                classifier,
                seen,
                target,
                area=area,
                optimiser=cooling_adam(255 * RATE, chosen.steps),
                steps=chosen.steps,
                samples=1,
                batch=chosen.batch,
                generator=generator(0, "patch", f"{area:g}"),
                callback=partial(progress, area),
            ),
        )

    def judged(sticker: Tensor, area: float) -> Estimate:
        share = success(classifier, sticker, held_out, target, area, chosen.places)
        report.say(f"{100 * area:g} %: {in_words(share)}")
        return share

    curves = {"success": Curve(f"{name} patch", {area: judged(made(area), area) for area in chosen.areas})}
    if target == PHOTO_CLASS:
        photo = read_rgb(folder / PHOTO, box=PHOTO_BOX)
        curves["control"] = Curve(f"{name} photo", {area: judged(photo, area) for area in chosen.areas})
    clean = torch.cat([classifier(some).argmax(dim=1) == target for some in held_out.split(CHUNK)])

    print(f"{chosen.net}, target {name}, {len(held_out)} held-out images at {chosen.places} places each")
    print(table(list(curves.values())))
    if chosen.figure is not None:
        draw(list(curves.values()), chosen.figure)
    result: dict[str, object] = {
        f"{what}_{100 * area:g}": round(share.value or 0.0, 4)
        for what, curve in curves.items()
        for area, share in curve.shares.items()
    }
    result |= {"clean": round(float(clean.float().mean()), 4), "target": name, "net": chosen.net}
    print(json.dumps(result | {"images": len(held_out), "steps": chosen.steps}))


if __name__ == "__main__":
    main()
