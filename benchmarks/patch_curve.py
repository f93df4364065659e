"""How large a patch must be: success against area on real ImageNet images, as in Brown et al. 2017.

`python benchmarks/patch_curve.py DATA` makes round patches on one half of the images, for toaster and ten
random targets on three networks: one patch for all scales, as in the paper, and for toaster also one for 10 %
alone, with two further seeds, and on two networks for the third (a black box). Each is judged, 8-bit and read
back from its PNG, on the other half: every image at one place and turn never drawn before, the same for all.
Controls are a photo of the target, cut round, and noise; the baseline is the published patches of Pintor et
al. 2023 in DATA/patches. All areas are shares of the image.

What is finished is kept in `--out`, so that a run goes on where it stopped. `--page` and `--figure` write
docs/results/patch.md and patch.svg. JSON keys: `success_NET_A` over the ten random targets, `photo_NET_A`
their control, `toaster_NET_A` and `black_box_NET_A`, for area A in per cent; `spread_NET` of three seeds.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import matplotlib
import numpy as np
import torch
from imagenet_data import (
    difference_in_words,
    kept,
    load_net,
    markdown_table,
    read_images,
    read_rgb,
    read_rows,
)
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from physadv.attacks.objectives import ensemble
from physadv.attacks.optimisers import cooling_adam
from physadv.attacks.patches import Placement, circle, paste, patch, square
from physadv.attacks.variables import mid_grey_noise
from physadv.classifiers import Classifier
from physadv.evaluation.comparisons import Comparison, Counted, compare_paired, corrected
from physadv.evaluation.intervals import Estimate, proportion
from physadv.files import replacing
from physadv.parallel import map_items
from physadv.progress import reporter
from physadv.randomness import generator
from physadv.report.drawing import GRID, INK, MUTED, STYLES
from physadv.report.wording import paragraph, percent, with_interval

NETS = ("squeezenet1_1", "mobilenet_v1_050_160", "mobilenet_v2")
AREAS = (0.05, 0.1, 0.2, 0.3)
MIDDLE = 0.1
"""The area at which seeds, black boxes and patches for one area alone are compared."""
SCALES = (0.03, 0.3)
"""Least and largest area that a patch for all scales is shown at while it is made."""
TOASTER, RANDOM_TARGETS, SEEDS = 859, 10, (0, 1, 2)
BROWN = {0.05: 50.6, 0.10: 88.7}
"""Area → success in per cent of the white-box toaster of Brown et al. 2017, digitised from their figure."""

SIDE = 224
PATCH_SIDE, PHOTO_SIDE = 100, 138
"""Pixels a side of a patch, and of a photo; they are shown 56 to 138 pixels wide at the areas judged."""
RATE = 0.05
"""Adam's first learning rate, in units of the pixel range. It falls to nothing: one place a step is noisy."""
CHUNK = 40
"""Images classified at once."""
WHITE_BOX, BLACK_BOX, PHOTO, NOISE, PUBLISHED = "white box", "black box", "photo", "noise", "published"


@dataclass(frozen=True)
class Study:
    """What all units of one study share.

    Attributes:
        data: the folder with `imagenet` and `patches`.
        out: where the patches and answers of just these settings are kept.
        steps: steps of one patch.
        batch: images a step, each at one place.
        limit: images of each half that are used, None for all.
    """

    data: Path
    out: Path
    steps: int
    batch: int
    limit: int | None = None

    @property
    def folder(self) -> Path:
        """Return the folder with images and networks."""
        return self.data / "imagenet"


@dataclass(frozen=True)
class Unit:
    """One picture for one target, judged by one network at several areas.

    Attributes:
        kind: what the picture is.
        net: the network that judges.
        target: the class that images are to be called.
        areas: areas judged.
        made_on: networks that it was made on, none for controls.
        scales: least and largest area while it was made.
        seed: of its making.
    """

    kind: str
    net: str
    target: int
    areas: tuple[float, ...] = AREAS
    made_on: tuple[str, ...] = ()
    scales: tuple[float, float] = SCALES
    seed: int = 0

    @property
    def name(self) -> str:
        """Return the name of its files, but for their ending."""
        nets = "+".join(self.made_on)
        low, high = self.scales
        return f"{self.kind.replace(' ', '-')}-{nets}-{self.target}-{low:g}-{high:g}-{self.seed}"


Answers = dict[str, dict[str, int]]
"""Area, as text → path of an image → 1 where it was called the target, else 0."""


def random_targets(rows: Sequence[dict[str, str]], count: int) -> tuple[int, ...]:
    """Return classes drawn without replacement from those of the images, so that each has a photo."""
    classes = sorted({int(row["label"]) for row in rows} - {TOASTER})
    order = torch.randperm(len(classes), generator=generator(0, "targets")).tolist()
    return tuple(sorted(classes[place] for place in order[:count]))


def units(
    nets: Sequence[str], targets: Sequence[int], areas: tuple[float, ...], others: Sequence[int]
) -> list[Unit]:
    """Return all units, those of the headline first; `others` are the targets of the published patches."""
    white = [Unit(WHITE_BOX, net, target, areas, (net,)) for target in (TOASTER, *targets) for net in nets]
    toasters = [unit for unit in white if unit.target == TOASTER]
    found = list(white)
    found += [Unit(PHOTO, net, target, areas) for net in nets for target in targets]
    found += [Unit(NOISE, net, TOASTER, areas) for net in nets]
    found += [replace(unit, seed=seed, areas=(MIDDLE,)) for unit in toasters for seed in SEEDS[1:]]
    found += [replace(unit, scales=(MIDDLE, MIDDLE), areas=(MIDDLE,)) for unit in toasters]
    if len(nets) > 2:
        found += [
            Unit(BLACK_BOX, net, TOASTER, areas, tuple(other for other in nets if other != net))
            for net in nets
        ]
    small = tuple(area for area in areas if area <= MIDDLE)
    return found + [Unit(PUBLISHED, net, target, small) for net in nets for target in others]


@cache
def halves(folder: Path, limit: int | None) -> tuple[Tensor, Tensor, list[str], Tensor, Tensor]:
    """Return images and labels of the first half, then paths, images and labels of the second."""
    rows = read_rows(folder)
    first, second = rows[: len(rows) // 2][:limit], rows[len(rows) // 2 :][:limit]
    seen, held_out = read_images(folder, first, SIDE), read_images(folder, second, SIDE)
    return *seen, [row["path"] for row in second], *held_out


@torch.no_grad()
def called(classifier: Classifier, sticker: Tensor, alpha: Tensor, images: Tensor, area: float) -> Tensor:
    """Return the class of every image (N, 3, H, W) with a sticker (3, h, h) on it, int64 (N,).

    Images are rounded to 8 bits. Image and area alone decide place and turn: stickers can be compared.
    """
    drawn = Placement((area, area)).draw(len(images), generator(0, "held out", f"{area:g}"))
    found = []
    for start in range(0, len(images), CHUNK):
        rows = slice(start, start + CHUNK)
        here = {name: value[rows] for name, value in drawn.items()}
        seen = (paste(sticker[None], alpha, images[rows], here) * 255).round() / 255
        found.append(classifier(seen).argmax(dim=1))
    return torch.cat(found).cpu()


def answers(
    classifier: Classifier, sticker: Tensor, unit: Unit, held_out: tuple[list[str], Tensor, Tensor]
) -> Answers:
    """Return which held-out images, without those of the target's own class, are called the target."""
    paths, images, labels = held_out
    mask = square if unit.kind == PUBLISHED else circle
    alpha = mask(sticker.shape[-1]).to(images)
    found: Answers = {}
    for area in unit.areas:
        classes = called(classifier, sticker.to(images), alpha, images, area).tolist()
        found[f"{area:g}"] = {
            path: int(answer == unit.target)
            for path, answer, label in zip(paths, classes, labels.tolist(), strict=True)
            if label != unit.target
        }
    return found


def measured_by(study: Study, unit: Unit) -> Answers:
    """Return a unit's answers, kept or made."""
    return kept(study.out / f"{unit.name}-on-{unit.net}.json", partial(measure, study, unit))


def measure(study: Study, unit: Unit) -> Answers:
    """Make what is not there yet of a unit and judge it."""
    seen, seen_labels, *held_out = halves(study.folder, study.limit)
    return answers(load_net(study.folder, unit.net), picture(study, unit, seen, seen_labels), unit, held_out)


@torch.no_grad()
def surest_photo(folder: Path, unit: Unit) -> Tensor:
    """Return the photo of the target, (3, h, h), that the judging network is surest of."""
    rows = [row for row in read_rows(folder) if int(row["label"]) == unit.target]
    photos, _ = read_images(folder, rows, SIDE)
    best = load_net(folder, unit.net)(photos).softmax(dim=1)[:, unit.target].argmax()
    return read_rgb(folder / rows[int(best)]["path"], PHOTO_SIDE)


def published(data: Path) -> dict[int, Tensor]:
    """Return the published patches, (3, 50, 50) in [0, 1], by target."""
    with np.load(data / "patches/imagenet_patch.npz") as file:
        patches = torch.from_numpy(file["patches"]).permute(0, 3, 1, 2).float() / 255
        return dict(zip(file["targets"].astype(int).tolist(), patches, strict=True))


def picture(study: Study, unit: Unit, seen: Tensor, labels: Tensor) -> Tensor:
    """Return the picture (3, h, h) in [0, 1] that a unit is about."""
    if unit.kind == PHOTO:
        return surest_photo(study.folder, unit)
    if unit.kind == NOISE:
        return mid_grey_noise((3, PATCH_SIDE, PATCH_SIDE), generator(0, "noise")) / 255
    if unit.kind == PUBLISHED:
        return published(study.data)[unit.target]
    path = study.out / f"{unit.name}.png"
    if not path.exists():
        levels = (made(study, unit, seen[labels != unit.target]) * 255).round().to(torch.uint8)
        with replacing(path) as temporary:
            Image.fromarray(levels.permute(1, 2, 0).cpu().numpy()).save(temporary, "PNG")
    return read_rgb(path)


def made(study: Study, unit: Unit, seen: Tensor) -> Tensor:
    """Return a patch made on a unit's networks."""
    nets = [load_net(study.folder, name) for name in unit.made_on]
    return patch(
        nets[0] if len(nets) == 1 else ensemble(nets),
        seen,
        unit.target,
        area=unit.scales,
        size=PATCH_SIDE,
        optimiser=cooling_adam(255 * RATE, study.steps),
        steps=study.steps,
        samples=1,
        batch=study.batch,
        generator=generator(unit.seed, "patch", unit.target),
    )


Measured = Mapping[Unit, Answers]


def pooled(measured: Measured, area: float, **wanted: object) -> Counted:
    """Return image → how often it was called the target, of how often, over units with these attributes."""
    found: dict[str, tuple[int, int]] = {}
    for unit, answers in measured.items():
        if all(getattr(unit, name) == value for name, value in wanted.items()):
            for path, hit in answers.get(f"{area:g}", {}).items():
                hits, seen = found.get(path, (0, 0))
                found[path] = hits + hit, seen + 1
    return found


def share_of(counts: Counted) -> Estimate:
    """Return the share called the target; the interval counts images."""
    return proportion(*zip(*counts.values(), strict=True)) if counts else proportion([], [])


class Result:
    """What a study found: counts over images by what was pasted, network and area."""

    def __init__(self, measured: Measured, nets: Sequence[str], areas: Sequence[float]) -> None:
        self.measured, self.nets, self.areas = measured, nets, areas
        self.places = [(net, area) for net in nets for area in areas]

    def random(self, kind: str, net: str, area: float) -> Counted:
        """Return the counts over the random targets of a kind of picture for all scales."""
        others = {u: a for u, a in self.measured.items() if u.target != TOASTER and u.scales == SCALES}
        return pooled(others, area, kind=kind, net=net, seed=0)

    def toaster(self, kind: str, net: str, area: float, **wanted: object) -> Counted:
        """Return the counts of a picture for toaster."""
        wanted = {"seed": 0, "scales": SCALES} | wanted
        return pooled(self.measured, area, kind=kind, net=net, target=TOASTER, **wanted)

    def extremes(self, net: str, area: float) -> str:
        """Return the success of the least and of the most successful random target, "12–98 %"."""
        targets = {unit.target for unit in self.measured if unit.kind == PHOTO}
        shares = [
            share_of(pooled(self.measured, area, kind=WHITE_BOX, net=net, target=target, seed=0)).value or 0
            for target in targets
        ]
        return f"{100 * min(shares):.0f}–{100 * max(shares):.0f} %"

    def seeds(self, net: str) -> list[Estimate]:
        """Return the success of toaster at the middle area, of every seed."""
        return [share_of(self.toaster(WHITE_BOX, net, MIDDLE, seed=seed)) for seed in SEEDS]

    def above_photo(self) -> list[Comparison]:
        """Return the patches of the random targets beside photos of these, a family."""
        return family(
            {"patch": self.random(WHITE_BOX, *place), PHOTO: self.random(PHOTO, *place)}
            for place in self.places
        )

    def above_noise(self, kind: str) -> list[Comparison]:
        """Return the toaster patches of a kind beside noise, a family."""
        return family(
            {"patch": self.toaster(kind, *place), NOISE: self.toaster(NOISE, *place)} for place in self.places
        )

    def one_for_all(self) -> list[Comparison]:
        """Return the toaster for all scales beside that for the middle one, a family over networks."""
        return family(
            {
                "all scales": self.toaster(WHITE_BOX, net, MIDDLE),
                "one area": self.toaster(WHITE_BOX, net, MIDDLE, scales=(MIDDLE, MIDDLE)),
            }
            for net in self.nets
        )

    def beside_published(self) -> list[Comparison]:
        """Return the patches of the random targets beside published ones for others, a family."""
        return family(
            {
                "made here": self.random(WHITE_BOX, net, area),
                PUBLISHED: pooled(self.measured, area, kind=PUBLISHED, net=net),
            }
            for net, area in self.places
            if area <= MIDDLE
        )


def family(pairs: Iterable[Mapping[str, Counted]]) -> list[Comparison]:
    """Return one comparison of every two counts, corrected for all of them."""
    return corrected([test for pair in pairs for test in compare_paired(pair)])


def draw(result: Result, path: Path) -> None:
    """Write success and control against area, with 95 % bands, and Brown et al.'s two points, as SVG."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "physadv", "font.size": 9}):
        figure = Figure(figsize=(5.6, 3.4), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        areas = [100 * area for area in result.areas]
        for net, style in zip(result.nets, STYLES, strict=False):
            for kind, line in ((WHITE_BOX, "-"), (PHOTO, "--")):
                shares = [share_of(result.random(kind, net, area)) for area in result.areas]
                low, middle, high = (
                    [100 * (getattr(share, bound) or 0) for share in shares]
                    for bound in ("low", "value", "high")
                )
                axes.fill_between(areas, low, high, color=style.colour, alpha=0.15, linewidth=0)
                axes.plot(areas, middle, line, marker=style.symbol, color=style.colour, markersize=4)
            axes.plot([], [], "-", marker=style.symbol, color=style.colour, label=net)
        axes.plot([], [], "--", color=MUTED, label="a photo of the target")
        published = [[100 * area for area in BROWN], list(BROWN.values())]
        axes.plot(*published, "P", color=INK, markersize=6, label="toaster, Brown et al. 2017, digitised")
        axes.set_xlabel("area, % of the image", color=MUTED)
        axes.set_ylabel("called the target, %", color=MUTED)
        axes.set_xlim(0, 31)
        axes.set_ylim(-2, 102)
        axes.grid(color=GRID, linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=7)
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata=dict.fromkeys(("Date", "Creator")))


def page(result: Result, study: Study, names: Mapping[int, str]) -> str:
    """Return docs/results/patch.md."""
    counted = result.toaster(WHITE_BOX, result.nets[0], result.areas[0])
    drawn = sorted({unit.target for unit in result.measured if unit.kind == PHOTO})
    above, toaster = result.above_photo(), result.above_noise(WHITE_BOX)
    main = [
        [
            net,
            f"{100 * area:g} %",
            with_interval(share_of(result.random(WHITE_BOX, net, area))),
            result.extremes(net, area),
            with_interval(share_of(result.random(PHOTO, net, area))),
            difference_in_words(test),
        ]
        for (net, area), test in zip(result.places, above, strict=True)
    ]
    toasters = [
        [
            net,
            f"{100 * area:g} %",
            with_interval(share_of(result.toaster(WHITE_BOX, net, area))),
            percent(share_of(result.toaster(NOISE, net, area))),
            difference_in_words(test),
            f"{BROWN[area]:.1f} %" if area in BROWN else "–",
        ]
        for (net, area), test in zip(result.places, toaster, strict=True)
    ]
    seeds = [
        [
            net,
            *(with_interval(share) for share in result.seeds(net)),
            f"{100 * (max(shares) - min(shares)):.1f} points",
            with_interval(share_of(result.toaster(WHITE_BOX, net, MIDDLE, scales=(MIDDLE, MIDDLE)))),
            difference_in_words(test),
        ]
        for net, test in zip(result.nets, result.one_for_all(), strict=True)
        for shares in [[share.value or 0 for share in result.seeds(net)]]
    ]
    black = [
        [
            " + ".join(other for other in result.nets if other != net),
            net,
            f"{100 * area:g} %",
            with_interval(share_of(result.toaster(BLACK_BOX, net, area))),
            difference_in_words(test),
        ]
        for (net, area), test in zip(result.places, result.above_noise(BLACK_BOX), strict=True)
    ]
    small = [place for place in result.places if place[1] <= MIDDLE]
    known = [
        [
            net,
            f"{100 * area:g} %",
            with_interval(share_of(pooled(result.measured, area, kind=PUBLISHED, net=net))),
            difference_in_words(test),
        ]
        for (net, area), test in zip(small, result.beside_published(), strict=True)
    ]
    parts = [
        "# Success of a patch against its area",
        "## What no longer holds",
        paragraph(
            "An earlier page showed one target (lorikeet, chosen with its control), one network, one seed "
            "and a patch of its own for every area, with bootstrap intervals, beside two points of Brown "
            "et al. for toaster and another network. That its patch lies above theirs said nothing. Its "
            "figures do not carry over: here targets are drawn at random, one patch serves all scales as "
            "in the paper, and the success is compared with a control on the same images."
        ),
        paragraph(
            "Still missing: only two points of the paper's curve are typed here, at 5 and 10 %, digitised "
            "from the figure (± 1.5 points). The other thirteen are not at hand. The networks and images "
            "are not the paper's, so the two points are for orientation and are not tested."
        ),
        "## How it was measured",
        paragraph(
            "Made by `python benchmarks/patch_curve.py DATA --page docs/results/patch.md --figure "
            "docs/results/patch.svg`. Digital, nothing printed. Unit: an image with a patch, called the "
            f"target or not. n: {len(counted)} held-out images of the second half of labels.csv, right or "
            "wrong, each once per patch and area, at one place and turn (± 22.5°) that image and area "
            "alone decide; images of the target's own class are left out. Clusters: images, also where "
            "several targets are pooled. Intervals: 95 %, Clopper and Pearson's at the effective number. "
            "Differences: mean of each image's own, exact sign-flip test, p after Holm over one table (one "
            "family each), smallest difference of interest 3 points."
        ),
        paragraph(
            f"Patches: round, {PATCH_SIDE} pixels a side, made on the first half in {study.steps} steps of "
            f"{study.batch} images, which is {study.steps * study.batch} gradient evaluations of each "
            "network, 8-bit and read back from PNG. The area is drawn anew for every image and step, "
            f"evenly from {100 * SCALES[0]:g} to {100 * SCALES[1]:g} %. Seed 0 unless said; number of "
            "images, targets, areas and seeds were fixed before any result. More steps make stronger "
            "patches: these are lower bounds of what is possible. Random targets, drawn (seed 0) from the "
            f"classes of the set: {', '.join(names[target] for target in drawn)}."
        ),
        "![Success against area: random targets on each network, a photo of the target, two points of the "
        "paper](patch.svg)",
        f"## {len(drawn)} random targets, one patch for all scales",
        paragraph(
            "White box: judged by the network that it was made on. The control is the photo of the target "
            "that the judging network is surest of, cut round, at the same places. The fourth column is "
            "the least and the most successful target."
        ),
        markdown_table(["network", "area", "patch", "targets", "photo", "patch − photo"], main),
        "## Toaster",
        paragraph("The set has no photo of a toaster; the control is noise about mid-grey."),
        markdown_table(
            ["network", "area", "patch", "noise", "patch − noise", "Brown et al., digitised, ± 1.5 points"],
            toasters,
        ),
        "### Three seeds, and one patch for 10 % alone",
        paragraph("At 10 %. The seed draws start, images and places. One area: as many steps, seed 0."),
        markdown_table(
            ["network", *(f"seed {seed}" for seed in SEEDS), "spread", "one area", "all − one"], seeds
        ),
        "### Black box",
        paragraph("Made on two networks together (mean probability), judged by the third; toaster."),
        markdown_table(["made on", "judged by", "area", "patch", "patch − noise"], black),
        "## Published patches",
        paragraph(
            "The ten patches of ImageNet-Patch (Pintor et al. 2023; square, made on AlexNet, ResNet-18 and "
            "SqueezeNet for 2.5 to 5 % of the area) on the same images and places, each for its own "
            "target. The difference is that of the random targets above, which are other classes, white "
            "box: it says what knowing the network and the scale is worth, not whose method is better. On "
            "`squeezenet1_1` they are nearly white-box too."
        ),
        markdown_table(["network", "area", "published", "made here − published"], known),
    ]
    return "\n\n".join(parts) + "\n"


def summary(result: Result) -> dict[str, float]:
    """Return the figures of the JSON line."""
    found = {}
    for net, area in result.places:
        at = f"{net}_{100 * area:g}"
        for key, counts in (
            ("success", result.random(WHITE_BOX, net, area)),
            ("photo", result.random(PHOTO, net, area)),
            ("toaster", result.toaster(WHITE_BOX, net, area)),
            ("black_box", result.toaster(BLACK_BOX, net, area)),
        ):
            if counts:
                found[f"{key}_{at}"] = round(share_of(counts).value or 0, 4)
    for net in result.nets:
        shares = [share.value for share in result.seeds(net) if share.value is not None]
        found[f"spread_{net}"] = round(max(shares) - min(shares), 4)
    return found


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv, imagenet/nets and patches")
    parser.add_argument("--nets", nargs="+", default=NETS)
    parser.add_argument("--targets", type=int, default=RANDOM_TARGETS, help="random targets beside toaster")
    parser.add_argument("--areas", type=float, nargs="+", default=AREAS, help="shares of the image, with 0.1")
    parser.add_argument("--steps", type=int, default=250, help="of every patch")
    parser.add_argument("--batch", type=int, default=4, help="images a step")
    parser.add_argument("--images", type=int, help="images of each half, all by default")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--out", type=Path, default=Path("studies/patch_curve"), help="where patches and answers are kept"
    )
    parser.add_argument("--figure", type=Path, help="SVG to write")
    parser.add_argument("--page", type=Path, help="page to write")
    parser.add_argument(
        "--quick", action="store_true", help="one small network and target, few images and steps"
    )
    chosen = parser.parse_args()
    if chosen.quick:
        small = {"nets": ["mobilenet_v1_050_160"], "targets": 1, "areas": [0.1], "steps": 20, "images": 20}
        vars(chosen).update(small)
    settings = f"{chosen.steps}x{chosen.batch}-{chosen.images or 'all'}"
    study = Study(chosen.data, chosen.out / settings, chosen.steps, chosen.batch, chosen.images)
    rows = read_rows(study.folder)
    targets = random_targets(rows, chosen.targets)
    todo = units(chosen.nets, targets, tuple(chosen.areas), sorted(published(study.data)))
    report, measured = reporter(quiet=False), {}
    for unit, answers in zip(
        todo, map_items(partial(measured_by, study), todo, workers=chosen.workers), strict=True
    ):
        measured[unit] = answers
        report.say(f"{len(measured)} of {len(todo)}: {unit.name} on {unit.net}")
    result = Result(measured, chosen.nets, chosen.areas)
    names = {int(row["label"]): row["name"].split(",")[0] for row in rows}
    text = page(result, study, names)
    print(text)
    if chosen.page is not None:
        chosen.page.write_text(text, encoding="utf-8")
    if chosen.figure is not None:
        draw(result, chosen.figure)
    print(json.dumps(summary(result)))


if __name__ == "__main__":
    main()
