"""What `measure` found: one classifier's tables on one run, and how channels are named for readers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from physadv.evaluation.destruction import Row
from physadv.pipeline.observing import UNTOUCHED, is_photo
from physadv.pipeline.tallies import Calibration
from physadv.runs import CropRow, Manifest, PhotoRow


@dataclass(frozen=True)
class MeasureOptions:
    """What `measure` was asked to measure: its arguments, classifiers by their specs."""

    transforms: tuple[str, ...] = ()
    sweeps: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    labels: Path | None = None
    seed: int = 0
    pool: bool = False


@dataclass(frozen=True)
class Measurement:
    """One classifier's results on one run.

    Attributes:
        manifest: the run.
        classifier: spec of the classifier that judged.
        identity: name of that classifier in the store: its spec and a hash of its weights.
        labels: its class names.
        channels: channel → its table: "photo", or "photo: " and a condition for each of several in which
            photos were taken, and every digital transformation.
        calibration: channel → kind of example → reliability; "none" is the untouched files.
        missing: channel → pairs whose adversarial example was never observed through it.
        photos: every photo, used or refused.
        crops: every cell of the used photos.
        options: what `measure` was called with.
        by_bars: "photo" and "photo corrected" → their tables, both of the photos alone whose bars are off in
            exposure or cast; empty where there are none.
    """

    manifest: Manifest
    classifier: str
    identity: str
    labels: tuple[str, ...]
    channels: dict[str, list[Row]]
    calibration: dict[str, Calibration]
    missing: dict[str, tuple[str, ...]]
    photos: tuple[PhotoRow, ...]
    crops: tuple[CropRow, ...]
    options: MeasureOptions = MeasureOptions()
    by_bars: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def run_facts(self) -> dict[str, Any]:
        """Return what they are of: run, attack, eps, and the classifier that it was made against."""
        run = self.manifest
        return {
            "run": run.name,
            "attack": run.attack.name,
            "eps": run.attack.eps,
            "source": run.classifier.spec,
        }

    @property
    def used_photos(self) -> list[PhotoRow]:
        """Return the photos that cells were cut from."""
        return [photo for photo in self.photos if photo.status == "used"]

    @property
    def conditions(self) -> dict[str, list[PhotoRow]]:
        """Return condition → photos: those that cells were cut from, by preset or camera."""
        return by_condition(self.photos)

    def channel_name(self, channel: str) -> str:
        """Return a channel's name for readers, which says whether photos are simulated or corrected."""
        if channel == UNTOUCHED.name:
            return "files, untouched"
        used = self.photos_of(channel)
        simulated = sum(photo.simulated for photo in used)
        corrected = sum(photo.corrected for photo in used)
        counts = {"simulated": simulated, "colour-corrected": corrected}
        said = [f"{'partly ' * (count < len(used))}{word}" for word, count in counts.items() if count]
        return f"{channel} ({', '.join(said)})" if said else channel

    def photos_of(self, channel: str) -> list[PhotoRow]:
        """Return the photos that a channel's rates are of."""
        own = self.conditions.get(channel.partition(": ")[2], self.used_photos)
        return own if is_photo(channel) else []

    def as_json(self) -> dict[str, Any]:
        """Return the measurement for machines: plain values, undefined rates as null with the reason."""
        return {
            **self.run_facts,
            "classifier": self.classifier,
            "pairs": len(self.manifest.examples) // 2,
            "photos": len(self.used_photos),
            "simulated_photos": sum(photo.simulated for photo in self.used_photos),
            "colour_corrected_photos": sum(photo.corrected for photo in self.used_photos),
            "conditions": {
                condition: {"photos": len(photos), "seeds": sorted({p.seed for p in photos} - {None})}
                for condition, photos in self.conditions.items()
            },
            "channels": {
                channel: {"missing_pairs": self.missing[channel], "rows": [asdict(row) for row in rows]}
                for channel, rows in self.channels.items()
            },
            "by_bars": {channel: [asdict(row) for row in rows] for channel, rows in self.by_bars.items()},
            "calibration": {
                channel: {kind: asdict(found) for kind, found in kinds.items()}
                for channel, kinds in self.calibration.items()
            },
            "discarded": {
                "photos": {photo.name: photo.reason for photo in self.photos if photo.status == "refused"},
                "cells": [
                    {name: getattr(crop, name) for name in ("photo", "example", "reason")}
                    for crop in self.crops
                    if crop.path is None
                ],
            },
        }


def by_condition(photos: Sequence[PhotoRow]) -> dict[str, list[PhotoRow]]:
    """Return condition → photos: those that cells were cut from, by preset or camera."""
    found: dict[str, list[PhotoRow]] = {}
    for photo in sorted(photos, key=lambda photo: photo.condition):
        if photo.status == "used":
            found.setdefault(photo.condition, []).append(photo)
    return found


def common_name(measurements: Sequence[Measurement], channel: str) -> str:
    """Return one name for a channel of several runs, whose photos may have been made differently."""
    names = [found.channel_name(channel) for found in measurements if channel in found.calibration]
    return " or ".join(dict.fromkeys(names))
