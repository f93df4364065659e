"""Make the examples, photograph them on every device and judge them; every finished part is kept."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.attacks import gradient
from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.outcomes import Judgement, PairOutcome
from physadv.phone import PhonePreset
from physadv.pipeline.examples import TOP, to_tensor
from physadv.pipeline.sources import label_sources, list_sources, read_source
from physadv.progress import Reporter, silent
from physadv.randomness import generator
from reproductions.cells import drawn, lay_out, photographed, printed
from reproductions.devices.distribution import as_distribution
from reproductions.kept_rows import kept_rows
from reproductions.together import Pictured

Pixels = NDArray[np.uint8]
EPS = 16
CLASSICS = ("fast", "bim", "least-likely", "mim")
EOT, EVERY, OTHERS, CLEAN = "eot", "eot for all", "eot for the others", "clean"


@dataclass(frozen=True)
class Settings:
    """What the study is asked for.

    Attributes:
        images: folder with labels.csv.
        net: spec of the classifier.
        side: of the images, pixels.
        image_mm: side of a picture on paper, mm.
        pairs: images, the first that the classifier gets right.
        steps: of `eot`.
        samples: of `eot`, a step.
        seeds: of the photos: so many of every sheet on every device.
        per_sheet: images on a sheet, each with all its pictures.
        chunk: images attacked at once.
    """

    images: Path
    net: str
    side: int = 128
    image_mm: float = 20.0
    pairs: int = 100
    steps: int = 25
    samples: int = 4
    seeds: tuple[int, ...] = (0, 1, 2)
    per_sheet: int = 2
    chunk: int = 25


Answer = tuple[int, str, int, list[int], float]
"""Image, picture, seed of the photo (-1 for the file), the first classes and the probability of the first."""


@dataclass(frozen=True)
class Making:
    """Some images under one attack; `eot` over the presets of devices, without any over its usual draws."""

    attack: str
    devices: tuple[PhonePreset, ...]
    settings: Settings
    chosen: tuple[tuple[str, int], ...] = field(repr=False)
    start: int = 0


@dataclass(frozen=True)
class Look:
    """One sheet on one device; the pictures, image → name → pixels, follow from the settings."""

    device: str
    preset: PhonePreset
    settings: Settings
    number: int
    pictures: Mapping[int, Mapping[str, Pixels]] = field(repr=False)


def choose(settings: Settings) -> tuple[tuple[str, int], ...]:
    """Return path and label of the first images that the classifier gets right."""
    classifier, chosen = _loaded(settings.net), []
    for source in label_sources(list_sources(settings.images / "labels.csv"), classifier):
        seen = classifier.classes(to_tensor([read_source(source.path, settings.side)]))
        if int(seen[0]) == source.label:
            chosen.append((str(source.path), source.label))
        if len(chosen) == settings.pairs:
            break
    return tuple(chosen)


def made(item: Making) -> Tensor:
    """Return the adversarial images (n, H, W, 3), uint8, of a chunk."""
    settings, attack = item.settings, getattr(gradient, item.attack.replace("-", "_"))
    own = item.chosen[item.start : item.start + settings.chunk]
    images = to_tensor([read_source(Path(path), settings.side) for path, _ in own])
    options: dict[str, object] = {"generator": generator(0, "devices", item.attack, item.start)}
    if item.attack == EOT:
        options |= {"steps": settings.steps, "samples": settings.samples}
    if item.devices:
        options["distribution"] = as_distribution(item.devices, settings.image_mm / settings.side)
    labels = torch.tensor([label for _, label in own])
    found: Tensor = attack(_loaded(settings.net), images, labels, eps=EPS / 255, **options)
    return (found * 255).round().byte().permute(0, 2, 3, 1)


def looked_at(item: Look) -> list[Answer]:
    """Print, photograph, crop and judge one sheet, once for every seed."""
    settings = item.settings
    flat = {f"{n}/{name}": p for n, own in item.pictures.items() for name, p in own.items()}
    sheet = lay_out(flat, image_mm=settings.image_mm)
    paper = printed(drawn(sheet, flat, item.preset), sheet, item.preset)
    answers: list[Answer] = []
    for seed in settings.seeds:
        crops = photographed(paper, sheet, flat, item.preset, seed, item.number)
        answers += judged(settings.net, crops, seed)
    return answers


def judged(net: str, pictures: Mapping[str, Pixels], seed: int) -> list[Answer]:
    """Return the classifier's answers on pictures named "image/picture"."""
    if not pictures:
        return []
    classes, chances = _loaded(net).likeliest(to_tensor(list(pictures.values())), TOP)
    names = [name.split("/", 1) for name in pictures]
    return [
        (int(image), name, seed, labels, sure)
        for (image, name), labels, (sure, *_) in zip(names, classes.tolist(), chances.tolist(), strict=True)
    ]


def pictures_of(
    settings: Settings,
    devices: Mapping[str, PhonePreset],
    root: Path,
    workers: int | None,
    progress: Reporter,
) -> tuple[tuple[tuple[str, int], ...], dict[str, Pixels]]:
    """Return the chosen images with their labels, and name of a row → its pictures (N, H, W, 3)."""
    chosen = choose(settings)
    every = tuple(devices.values())
    rows: dict[str, tuple[str, tuple[PhonePreset, ...]]] = {name: (name, ()) for name in (*CLASSICS, EOT)}
    rows[EVERY] = (EOT, every)
    for name, preset in devices.items():
        rows[for_device(name)] = (EOT, (preset,))
        rows[but(name)] = (EOT, tuple(each for each in every if each is not preset))
    starts = range(0, len(chosen), settings.chunk)
    items = [Making(*row, settings, chosen, start) for row in rows.values() for start in starts]
    parts = kept_rows(made, items, root, workers=workers)
    tracked = iter(progress.track(parts, len(items), "chunks of images attacked"))
    found = {name: torch.cat([next(tracked) for _ in starts]).numpy() for name in rows}
    clean = np.stack([read_source(Path(path), settings.side) for path, _ in chosen])
    return chosen, {CLEAN: clean, **found}


def for_device(name: str) -> str:
    """Return the row made for a device."""
    return f"eot for {name}"


def but(name: str) -> str:
    """Return the row made for all devices but one."""
    return f"eot for all but {name}"


def run(
    settings: Settings,
    devices: Mapping[str, PhonePreset],
    root: Path,
    workers: int | None = None,
    progress: Reporter = silent,
) -> dict[str, dict[str, list[Pictured]]]:
    """Return device → row → its images in their photos; of the rows that leave one out, that device's own."""
    chosen, pictures = pictures_of(settings, devices, root, workers, progress)
    looks = [
        Look(name, preset, settings, number, dict(own))
        for name, preset in devices.items()
        for number, own in enumerate(_sheets(settings, name, pictures))
    ]
    found = kept_rows(looked_at, looks, root, workers=workers)
    answers: dict[str, list[Answer]] = {name: [] for name in devices}
    for look, own in zip(
        looks, progress.track(found, len(looks), "sheets photographed (simulated) and judged"), strict=True
    ):
        answers[look.device] += own
    files: list[Answer] = []
    for name, stack in pictures.items():
        for start in range(0, len(stack), settings.chunk):
            some = stack[start : start + settings.chunk]
            files += judged(settings.net, {f"{start + k}/{name}": each for k, each in enumerate(some)}, -1)
    return {
        device: _pictured(settings, device, [label for _, label in chosen], files, own)
        for device, own in answers.items()
    }


def _sheets(
    settings: Settings, device: str, pictures: Mapping[str, Pixels]
) -> Iterator[dict[int, dict[str, Pixels]]]:
    """Yield image → its pictures, sheet by sheet."""
    names = _shown_on(device, pictures)
    count = len(pictures[CLEAN])
    for start in range(0, count, settings.per_sheet):
        numbers = range(start, min(start + settings.per_sheet, count))
        yield {number: {name: pictures[name][number] for name in names} for number in numbers}


def _shown_on(device: str, names: Iterable[str]) -> list[str]:
    """Return the rows that a device sees: of those that leave a device out only its own."""
    return [name for name in names if not name.startswith(but("")) or name == but(device)]


def _pictured(
    settings: Settings, device: str, labels: Sequence[int], files: Sequence[Answer], photos: Sequence[Answer]
) -> dict[str, list[Pictured]]:
    seen = {(n, name, seed): Judgement(tuple(top), sure) for n, name, seed, top, sure in (*files, *photos)}
    rows: dict[str, list[Pictured]] = {}
    for name in _shown_on(device, dict.fromkeys(name for _, name, *_ in files)):
        if name == CLEAN:
            continue
        own = rows[OTHERS if name == but(device) else name] = []
        for number, label in enumerate(labels):
            both = [
                seed
                for seed in settings.seeds
                if (number, CLEAN, seed) in seen and (number, name, seed) in seen
            ]
            outcome = PairOutcome(
                pair=str(number),
                label=label,
                clean=seen[number, CLEAN, -1],
                adversarial=seen[number, name, -1],
                clean_after=tuple(seen[number, CLEAN, seed] for seed in both),
                adversarial_after=tuple(seen[number, name, seed] for seed in both),
            )
            own.append(Pictured(outcome, number // settings.per_sheet, tuple(both)))
    return rows


@cache
def _loaded(net: str) -> Classifier:
    return load_classifier(net)
