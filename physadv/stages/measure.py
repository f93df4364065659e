"""`destruction-rate`: crops and digitally transformed examples → observations → the table.

Simulated photos, real photos and digital transformations end in the same observations and the same function.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.destruction import Judgement, PairOutcome, Row, table
from physadv.progress import Reporter, silent
from physadv.randomness import generator
from physadv.runs import (
    Capture,
    CropRow,
    Example,
    Manifest,
    ObservationRow,
    ObservationStore,
    PhotoRow,
    Printout,
    RunError,
)
from physadv.stages.attacking import TOP, to_tensor
from physadv.transforms import FixedTransform, identity, parse_transform

UNTOUCHED, PHOTO = "none", "photo"
BATCH = 32


@dataclass(frozen=True)
class Measurement:
    """Everything said of one run by one classifier.

    Attributes:
        manifest: the run.
        classifier: the spec of the classifier that judged; `labels` its class names.
        channels: channel → its table: "photo", and every digital transformation asked for.
        outcomes: channel → what happened to every pair.
        photos: every photo, used or refused; `crops` every cell of the used ones.
    """

    manifest: Manifest
    classifier: str
    labels: tuple[str, ...]
    channels: dict[str, list[Row]]
    outcomes: dict[str, list[PairOutcome]]
    photos: tuple[PhotoRow, ...]
    crops: tuple[CropRow, ...]

    @property
    def used_photos(self) -> list[PhotoRow]:
        """Return the photos that cells were cut from."""
        return [photo for photo in self.photos if photo.status == "used"]

    def channel_name(self, channel: str) -> str:
        """Return what a person calls a channel: photos of the virtual phone are called simulated."""
        simulated = sum(photo.simulated for photo in self.used_photos)
        if channel != PHOTO or not simulated:
            return channel
        return f"{channel} ({'simulated' if simulated == len(self.used_photos) else 'partly simulated'})"

    def missing(self, channel: str) -> list[str]:
        """Return the pairs whose adversarial example never came through a channel."""
        return [outcome.pair for outcome in self.outcomes[channel] if not outcome.adversarial_after]

    def as_json(self) -> dict[str, Any]:
        """Return the measurement for machines: plain values, undefined rates as null."""
        return {
            "run": self.manifest.name,
            "attack": self.manifest.attack.name,
            "eps": self.manifest.attack.eps,
            "classifier": self.classifier,
            "pairs": len(self.manifest.examples) // 2,
            "photos": len(self.used_photos),
            "simulated_photos": sum(photo.simulated for photo in self.used_photos),
            "channels": {
                channel: {"missing_pairs": self.missing(channel), "rows": [asdict(row) for row in rows]}
                for channel, rows in self.channels.items()
            },
            "discarded": {
                "photos": {photo.name: photo.reason for photo in self.photos if photo.status == "refused"},
                "cells": [
                    {"photo": crop.photo, "example": crop.example, "reason": crop.reason}
                    for crop in self.crops
                    if crop.path is None
                ],
            },
        }


def measure(
    printout: Printout,
    capture: Capture,
    *,
    transforms: Sequence[str] = (),
    model: str | None = None,
    labels: Path | None = None,
    seed: int = 0,
    reporter: Reporter = silent,
) -> Measurement:
    """Observe what has not been observed yet and return the tables.

    Args:
        printout: the run.
        capture: its photos' crops, where there are any.
        transforms: digital transformations, such as "blur=2".
        model: another classifier than the one the run was made against.
        labels: its class names, if they are in a file.
        seed: of random transformations.
        reporter: shows progress.

    Raises:
        RunError: there is neither a crop nor a transformation to measure.
        TransformError: a transformation is unknown or out of range.
        ClassifierError: the classifier cannot be loaded, or has not the run's classes.
    """
    digital = [parse_transform(text) for text in transforms]
    manifest = printout.manifest()
    spec = model or manifest.classifier.spec
    named = labels or (None if model else manifest.classifier.labels_file)
    classifier = load_classifier(spec, Path(named) if named else None)
    _check_classes(manifest, classifier)
    with capture.store() as store:
        # Photos of an earlier run or layout of this name stay in the store until they are cropped again.
        photos = [photo for photo in store.photos() if photo.run == manifest.printed_code]
        names = {photo.name for photo in photos}
        crops = [crop for crop in store.crops() if crop.photo in names]
        cut = [crop for crop in crops if crop.path is not None]
        if not cut and not digital:
            raise RunError(f"{capture.folder}: no crops to measure; run 'physadv crop' or give --transform")
        _observe_digital(store, printout, manifest, classifier, UNTOUCHED, None, 0, reporter)
        for transform in digital:
            _observe_digital(store, printout, manifest, classifier, str(transform), transform, seed, reporter)
        _observe_crops(store, capture, manifest, cut, classifier, reporter)
        channels = ([PHOTO] if cut else []) + [str(transform) for transform in digital]
        untouched = _judgements(store.observations(manifest.code, classifier.identity, UNTOUCHED, 0))
        outcomes = {
            channel: _outcomes(
                manifest,
                untouched,
                _judgements(
                    store.observations(
                        manifest.code, classifier.identity, channel, 0 if channel == PHOTO else seed
                    )
                ),
            )
            for channel in channels
        }
        return Measurement(
            manifest=manifest,
            classifier=spec,
            labels=classifier.labels,
            channels={channel: table(found) for channel, found in outcomes.items()},
            outcomes=outcomes,
            photos=tuple(photos),
            crops=tuple(crops),
        )


def _check_classes(manifest: Manifest, classifier: Classifier) -> None:
    for example in manifest.examples:
        if example.label >= len(classifier.labels) or classifier.labels[example.label] != example.label_name:
            raise RunError(
                f"{classifier.spec}: its classes are not those of run '{manifest.name}' "
                f"(label {example.label} is '{example.label_name}' there)"
            )


def _observe_digital(
    store: ObservationStore,
    printout: Printout,
    manifest: Manifest,
    classifier: Classifier,
    channel: str,
    transform: FixedTransform | None,
    seed: int,
    reporter: Reporter,
) -> None:
    seen = {row.example for row in store.observations(manifest.code, classifier.identity, channel, seed)}
    todo = [example for example in manifest.examples if example.id not in seen]
    batches = list(_batches(todo, [example.size_px for example in todo]))
    for batch in reporter.track(batches, len(batches), f"{channel}, batches") if batches else ():
        images = to_tensor([printout.pixels(example) for example in batch])
        chosen = transform or identity
        # Each example has a stream of its own, so that what came before changes nothing.
        draws = [chosen.sample(1, generator(seed, channel, example.id)) for example in batch]
        parameters = {name: torch.cat([draw[name] for draw in draws]) for name in draws[0]}
        names = [(example.id, "") for example in batch]
        transformed = chosen.apply(images, parameters)
        store.add_observations(_judge(manifest, classifier, channel, seed, transformed, names))


def _observe_crops(
    store: ObservationStore,
    capture: Capture,
    manifest: Manifest,
    crops: Sequence[CropRow],
    classifier: Classifier,
    reporter: Reporter,
) -> None:
    known = store.observations(manifest.code, classifier.identity, PHOTO, 0)
    seen = {(row.example, row.photo) for row in known}
    todo = [crop for crop in crops if (crop.example, crop.photo) not in seen]
    chunks = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
    for chunk in reporter.track(chunks, len(chunks), "crops judged, batches") if chunks else ():
        pixels = [_read_crop(capture.folder / str(crop.path)) for crop in chunk]
        for batch in _batches(list(zip(chunk, pixels, strict=True)), [image.shape for image in pixels]):
            images = to_tensor([image for _, image in batch])
            names = [(crop.example, crop.photo) for crop, _ in batch]
            store.add_observations(_judge(manifest, classifier, PHOTO, 0, images, names))


def _read_crop(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise RunError(
            f"{path}: a crop that cannot be read ({error}); delete it and run 'physadv crop' again"
        ) from error


def _judge(
    manifest: Manifest,
    classifier: Classifier,
    channel: str,
    seed: int,
    images: torch.Tensor,
    names: Sequence[tuple[str, str]],
) -> list[ObservationRow]:
    top = classifier.probabilities(images).topk(min(TOP, len(classifier.labels)), dim=1)
    return [
        ObservationRow(
            run=manifest.code,
            classifier=classifier.identity,
            channel=channel,
            seed=seed,
            example=example,
            photo=photo,
            labels=tuple(labels),
            probabilities=tuple(round(probability, 6) for probability in probabilities),
        )
        for (example, photo), labels, probabilities in zip(
            names, top.indices.tolist(), top.values.tolist(), strict=True
        )
    ]


def _batches(items: Sequence[Any], sizes: Sequence[object]) -> Iterator[list[Any]]:
    """Yield items of one size together, at most `BATCH` at a time."""
    by_size: dict[object, list[Any]] = defaultdict(list)
    for item, size in zip(items, sizes, strict=True):
        by_size[size].append(item)
    for group in by_size.values():
        yield from (group[start : start + BATCH] for start in range(0, len(group), BATCH))


def _judgements(rows: Sequence[ObservationRow]) -> dict[str, list[Judgement]]:
    found: dict[str, list[Judgement]] = defaultdict(list)
    for row in rows:
        found[row.example].append(Judgement(row.labels, row.probabilities[0]))
    return found


def _outcomes(
    manifest: Manifest, before: dict[str, list[Judgement]], after: dict[str, list[Judgement]]
) -> list[PairOutcome]:
    def pair(clean: Example, adversarial: Example) -> PairOutcome:
        return PairOutcome(
            pair=clean.pair,
            label=clean.label,
            clean=before[clean.id][0],
            adversarial=before[adversarial.id][0],
            clean_after=tuple(after.get(clean.id, ())),
            adversarial_after=tuple(after.get(adversarial.id, ())),
        )

    return [pair(clean, adversarial) for clean, adversarial in manifest.pairs()]
