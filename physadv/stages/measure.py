"""`destruction-rate`: crops and digitally transformed examples → observations → the table.

Simulated photos, real photos and digital transformations end in the same observations and the same function.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.destruction import Judgement, PairOutcome, Row, table
from physadv.progress import Reporter, silent
from physadv.runs import Capture, CropRow, Example, Manifest, PhotoRow, Printout, RunError
from physadv.stages.observing import PHOTO, UNTOUCHED, Observer
from physadv.transforms import parse_transform


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
        """Return what a person calls a channel: photos that are simulated or corrected are called that."""
        used = self.used_photos if channel == PHOTO else []
        counts = {
            "simulated": sum(photo.simulated for photo in used),
            "colour-corrected": sum(photo.colour == "corrected" for photo in used),
        }
        said = [f"{'partly ' * (count < len(used))}{word}" for word, count in counts.items() if count]
        return f"{channel} ({', '.join(said)})" if said else channel

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
            "colour_corrected_photos": sum(photo.colour == "corrected" for photo in self.used_photos),
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
        observer = Observer(store, manifest, classifier, reporter)
        observer.observe_examples(printout)
        for transform in digital:
            observer.observe_transformed(printout, transform, seed)
        observer.observe_crops(capture, cut)
        untouched = observer.judgements(UNTOUCHED)
        after = {PHOTO: observer.judgements(PHOTO)} if cut else {}
        after |= {str(transform): observer.judgements(str(transform), seed) for transform in digital}
        outcomes = {channel: _outcomes(manifest, untouched, seen) for channel, seen in after.items()}
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
