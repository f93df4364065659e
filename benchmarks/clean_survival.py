"""How many clean images stay right in photos, and what takes the others. All photos are simulated.

`python benchmarks/clean_survival.py DATA` prints all images of imagenet/labels.csv, unselected and as they
are, 36, 60 and 90 mm wide, photographs them through the medium channel, crops and judges them by three
classifiers. At 36 mm it does so again with one part of the channel switched off at a time: what is gained is
what that part took. It writes docs/results/clean-survival.md and its numbers, and prints one JSON line:
`survival`, photo over file accuracy at 36 mm over all classifiers, and each by size and classifier. A killed
run goes on where it was.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from clean_survival_page import (
    CHANNEL,
    NAME,
    NETS,
    OFF,
    PRINTER,
    SIDE,
    SIZES,
    TAKEN_APART,
    WHOLE,
    Seen,
    compare,
    details,
    page,
    summary,
)

from physadv.classifiers import Classifier, load_classifier
from physadv.errors import PhysadvError
from physadv.files import replacing
from physadv.phone import PhonePreset, Print
from physadv.phone.phones import NEVER
from physadv.phone.presets import CHANNELS
from physadv.pipeline.examples import to_tensor
from physadv.pipeline.sources import list_sources, read_source
from physadv.progress import Reporter, reporter
from physadv.transforms.presses import light_of_levels
from reproductions.cells import Pixels, drawn, lay_out, load_way, photographed, printed
from reproductions.kept_rows import kept_rows

SEEDS = (0, 1)


def sharp(preset: PhonePreset) -> PhonePreset:
    """Return a preset as sharp as one can be: a still hand, nothing smoothed, nothing sharpened."""
    phone = replace(
        preset.phone, blur=(0.5, 0.5), defocus=NEVER, motion=NEVER, denoising=NEVER, sharpening=NEVER
    )
    return replace(preset, phone=phone)


def neutral(preset: PhonePreset) -> PhonePreset:
    """Return a preset in even white light that just does not clip, rendered as it is."""
    scene = replace(preset.phone.scene, shadow=0.0, glare=0.0)
    phone = replace(
        preset.phone,
        **dict.fromkeys(("falloff", "vignette", "warmth", "contrast", "local_tone"), NEVER),
        white_balance=0.0,
        exposure=(1.0, 1.0),
        scene=scene,
    )
    return replace(preset, phone=phone)


def noiseless(preset: PhonePreset) -> PhonePreset:
    """Return a preset without noise, whose file loses next to nothing."""
    phone = replace(
        preset.phone,
        shot_noise=NEVER,
        read_noise=NEVER,
        quality=(100, 100),
        quantisers=None,
        subsampling="4:4:4",
        messenger=0.0,
    )
    return replace(preset, phone=phone)


def flat(preset: PhonePreset) -> PhonePreset:
    """Return a preset of flat, whole sheets with nothing on them, seen from straight above."""
    scene = replace(preset.phone.scene, bow=NEVER, waves=0.0, partial=0.0, thumb=0.0, pen=0.0)
    return replace(preset, phone=replace(preset.phone, tilt=0.0, roll=0.0, lens=0.0, scene=scene))


PARTS: dict[str, Callable[[PhonePreset], PhonePreset]] = {
    PRINTER: lambda preset: preset,
    "softness": sharp,
    "light and colour": neutral,
    "noise and file": noiseless,
    "paper and pose": flat,
}
"""Part of the channel → what switches it off; a perfect print is made in place of the printer's."""


@dataclass(frozen=True)
class Job:
    """One sheet through every variant, once for every seed.

    Attributes:
        data: folder of the shared data.
        size_mm: side of a picture on paper.
        number: of the sheet among those of its size.
        images: names of its images, without folder and ending.
        variants: keys of `OFF`.
        seeds: of the photos.
    """

    data: Path
    size_mm: float
    number: int
    images: tuple[str, ...]
    variants: tuple[str, ...]
    seeds: tuple[int, ...]


Answer = tuple[str, str, int, str, int]
"""Classifier, variant, seed, image and the class that was seen; seed -1 for the file."""


def channel() -> PhonePreset:
    """Return the channel that everything goes through."""
    return load_way(CHANNELS[CHANNEL])


def jobs(data: Path, images: Sequence[str], seeds: tuple[int, ...] = SEEDS) -> list[Job]:
    """Return the sheets of all sizes."""
    return [
        Job(
            data,
            size,
            number,
            tuple(images[start : start + room]),
            tuple(OFF) if size == TAKEN_APART else (WHOLE,),
            seeds,
        )
        for size, room in SIZES.items()
        for number, start in enumerate(range(0, len(images), room))
    ]


def answers(job: Job) -> list[Answer]:
    """Print, photograph, crop and judge one sheet in every variant."""
    folder = job.data / "imagenet/images"
    pictures = {image: read_source(folder / f"{image}.png", SIDE) for image in job.images}
    sheet, usual = lay_out(pictures, image_mm=job.size_mm), channel()
    page = drawn(sheet, pictures, usual)
    found: list[Answer] = []
    for perfect in (False, True):
        chosen = [name for name in job.variants if (PRINTER in OFF[name]) == perfect]
        if not chosen:
            continue
        paper = perfectly_printed(page) if perfect else printed(page, sheet, usual)
        for name in chosen:
            preset = usual
            for part in OFF[name]:
                preset = PARTS[part](preset)
            for seed in job.seeds:
                crops = photographed(paper, sheet, pictures, preset, seed, job.number)
                found += judged(job.data, name, seed, crops)
    return found


def perfectly_printed(page: Pixels) -> Print:
    """Return a page on paper that is white and as sharp as the file."""
    return Print(page, np.tile(light_of_levels(), (3, 1)), spread=0.0)


def judged(data: Path, variant: str, seed: int, pictures: Mapping[str, Pixels]) -> list[Answer]:
    """Return every classifier's answers on pictures."""
    if not pictures:
        return []
    batch = to_tensor(list(pictures.values()))
    return [
        (net, variant, seed, image, seen)
        for net in NETS
        for image, seen in zip(pictures, _net(data, net).classes(batch).tolist(), strict=True)
    ]


@cache
def _net(data: Path, name: str) -> Classifier:
    return load_classifier(f"file:{data / 'imagenet/nets' / name}.pt2")


def run(
    data: Path,
    root: Path,
    images: int | None,
    seeds: tuple[int, ...],
    workers: int | None,
    progress: Reporter,
) -> Seen:
    """Return what every classifier saw of every image, on its file and in every photo."""
    sources = list_sources(data / "imagenet/labels.csv")[:images]
    label = {source.path.stem: int(source.label or 0) for source in sources}
    todo = jobs(data, list(label), seeds)
    seen: dict[tuple[float, str, int, str, str], bool] = {}
    for image in progress.track(label, len(label), "files judged"):
        picture = read_source(data / "imagenet/images" / f"{image}.png", SIDE)
        for net, variant, seed, name, found in judged(data, WHOLE, -1, {image: picture}):
            seen[TAKEN_APART, variant, seed, name, net] = found == label[image]
    rows = progress.track(kept_rows(answers, todo, root, workers=workers), len(todo), "sheets (simulated)")
    for job, row in zip(todo, rows, strict=True):
        for net, variant, seed, image, found in row:
            seen[job.size_mm, variant, seed, image, net] = found == label[image]
    return seen


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument(
        "--root", type=Path, default=Path("studies/clean-survival"), help="where parts are kept"
    )
    parser.add_argument("--images", type=int, help="so many; all by default")
    parser.add_argument("--workers", type=int, help="processes; the usable cores by default")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of the page")
    parser.add_argument("--quick", action="store_true", help="four images, one photo of every sheet")
    chosen = parser.parse_args()
    progress = reporter(quiet=False)
    images, seeds = (4, SEEDS[:1]) if chosen.quick else (chosen.images, SEEDS)
    try:
        seen = run(chosen.data, chosen.root, images, seeds, chosen.workers, progress)
    except PhysadvError as error:
        parser.error(str(error))
    tests = compare(seen)
    texts = {
        f"{NAME}.md": "\n".join(page(seen, tests)),
        f"{NAME}.json": json.dumps(details(seen, tests), indent=1) + "\n",
    }
    for name, text in texts.items():
        with replacing(chosen.out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(json.dumps(summary(seen)))


if __name__ == "__main__":
    main()
