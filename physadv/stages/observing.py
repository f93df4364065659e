"""Ask a classifier about crops and transformed examples, once each, and remember what it said."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from physadv.classifiers import Classifier
from physadv.evaluation.destruction import Judgement
from physadv.progress import Reporter
from physadv.randomness import generator
from physadv.runs import (
    Capture,
    CropRow,
    Example,
    Manifest,
    ObservationRow,
    ObservationStore,
    Printout,
    RunError,
)
from physadv.stages.attacking import TOP, to_tensor
from physadv.transforms import FixedTransform, identity

UNTOUCHED, PHOTO = "none", "photo"
BATCH = 32


@dataclass(frozen=True)
class Observer:
    """One classifier looking at one run; what the store knows already is not asked again."""

    store: ObservationStore
    manifest: Manifest
    classifier: Classifier
    reporter: Reporter

    def judgements(self, channel: str, seed: int = 0) -> dict[str, list[Judgement]]:
        """Return what was seen through a channel: example id → judgements, in the order of their photos."""
        found: dict[str, list[Judgement]] = defaultdict(list)
        for row in self._known(channel, seed):
            found[row.example].append(Judgement(row.labels, row.probabilities[0]))
        return found

    def observe_examples(self, printout: Printout) -> None:
        """Look at every example as its file is."""
        self._observe_files(printout, UNTOUCHED, None, 0)

    def observe_transformed(self, printout: Printout, transform: FixedTransform, seed: int) -> None:
        """Look at every example after a digital transformation."""
        self._observe_files(printout, str(transform), transform, seed)

    def observe_crops(self, capture: Capture, crops: Sequence[CropRow]) -> None:
        """Look at crops that were cut out of photos.

        Raises:
            RunError: a crop's file cannot be read.
        """
        seen = {(row.example, row.photo) for row in self._known(PHOTO, 0)}
        todo = [crop for crop in crops if (crop.example, crop.photo) not in seen]
        chunks = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
        for chunk in self._track(chunks, "crops judged, batches"):
            pixels = [_read_crop(capture.folder / str(crop.path)) for crop in chunk]
            for batch in _batches(list(zip(chunk, pixels, strict=True)), [image.shape for image in pixels]):
                images = to_tensor([image for _, image in batch])
                self._judge(PHOTO, 0, images, [(crop.example, crop.photo) for crop, _ in batch])

    def _observe_files(
        self, printout: Printout, channel: str, transform: FixedTransform | None, seed: int
    ) -> None:
        seen = {row.example for row in self._known(channel, seed)}
        todo = [example for example in self.manifest.examples if example.id not in seen]
        batches: list[list[Example]] = list(_batches(todo, [example.size_px for example in todo]))
        chosen = transform or identity
        for batch in self._track(batches, f"{channel}, batches"):
            images = to_tensor([printout.pixels(example) for example in batch])
            # Each example has a stream of its own, so that what came before changes nothing.
            draws = [chosen.sample(1, generator(seed, channel, example.id)) for example in batch]
            parameters = {name: torch.cat([draw[name] for draw in draws]) for name in draws[0]}
            names = [(example.id, "") for example in batch]
            self._judge(channel, seed, chosen.apply(images, parameters), names)

    def _known(self, channel: str, seed: int) -> list[ObservationRow]:
        return self.store.observations(self.manifest.code, self.classifier.identity, channel, seed)

    def _track(self, batches: Sequence[Any], what: str) -> Iterator[Any]:
        """Show progress where there is anything to do."""
        return self.reporter.track(batches, len(batches), what) if batches else iter(())

    def _judge(self, channel: str, seed: int, images: Tensor, names: Sequence[tuple[str, str]]) -> None:
        top = self.classifier.probabilities(images).topk(min(TOP, len(self.classifier.labels)), dim=1)
        self.store.add_observations(
            [
                ObservationRow(
                    run=self.manifest.code,
                    classifier=self.classifier.identity,
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
        )


def _read_crop(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise RunError(
            f"{path}: a crop that cannot be read ({error}); delete it and run 'physadv crop' again"
        ) from error


def _batches(items: Sequence[Any], sizes: Sequence[object]) -> Iterator[list[Any]]:
    """Yield items of one size together, at most `BATCH` at a time."""
    by_size: dict[object, list[Any]] = defaultdict(list)
    for item, size in zip(items, sizes, strict=True):
        by_size[size].append(item)
    for group in by_size.values():
        yield from (group[start : start + BATCH] for start in range(0, len(group), BATCH))
