"""Classify crops and transformed examples, once each, and store the answers.

One pass over the files serves every transformation and every classifier: each batch is read once, transformed
once per channel for all classifiers, and stored in one transaction: a killed sweep continues after it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.pipeline.predictions import TOP, to_tensor
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
from physadv.transforms.protocol import Transformation, identity

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.classifiers import Classifier

BATCH = 32
Item = TypeVar("Item")


@dataclass(frozen=True)
class Channel:
    """A way from an example to a classifier, as the store knows it.

    Attributes:
        name: its key in the store: "none", "photo" or a transformation's text.
        seed: seed of a random transformation, 0 where nothing is drawn.
        transform: the transformation.
    """

    name: str
    seed: int = 0
    transform: Transformation = identity

    def apply(self, images: "Tensor", examples: Sequence[str]) -> "Tensor":
        """Return the images (B, 3, H, W) of examples transformed.

        Each example has its own random stream, so results do not depend on the order of examples.
        """
        import torch

        draws = [self.transform.sample(1, generator(self.seed, self.name, example)) for example in examples]
        return self.transform.apply(images, {name: torch.cat([d[name] for d in draws]) for name in draws[0]})


UNTOUCHED, PHOTO = Channel("none"), Channel("photo")

Seen = tuple[str, str]
"""An example and the photo that shows it, "" for a digital transformation."""


@dataclass(frozen=True)
class _Batch:
    """Examples of one size, read when they are first needed and released with the batch."""

    printout: Printout
    examples: Sequence[Example]

    @cached_property
    def _images(self) -> "Tensor":
        return to_tensor([self.printout.pixels(example) for example in self.examples])

    def read(self) -> "Tensor":
        """Return the images (B, 3, H, W) in [0, 1]."""
        return self._images


@dataclass(frozen=True)
class Observer:
    """Classifiers that judge one run; observations already in the store are not repeated."""

    store: ObservationStore
    manifest: Manifest
    classifiers: Sequence["Classifier"]
    reporter: Reporter

    def observe_examples(self, printout: Printout, channels: Sequence[Channel]) -> None:
        """Classify every example through every channel.

        Raises:
            TransformError: a transformation cannot be applied to images of the run's size.
        """
        examples = self.manifest.examples
        unfinished = [channel for channel in channels if not self._finished(channel)]
        batches = list(_batches(examples, [example.size_px for example in examples])) if unfinished else []
        steps = (
            (channel, batch)
            for batch in (_Batch(printout, chosen) for chosen in batches)
            for channel in unfinished
        )
        for channel, batch in self._track(steps, len(batches) * len(unfinished), "examples judged, batches"):
            self._look(channel, [(example.id, "") for example in batch.examples], batch.read)

    def observe_crops(self, capture: Capture, crops: Sequence[CropRow]) -> None:
        """Classify the crops cut out of photos.

        Raises:
            RunError: a crop's file cannot be read.
        """
        named = {(crop.example, crop.photo): crop for crop in crops}
        todo = [named[name] for chunk in _chunks(list(named)) for name in self._unseen_by_any(PHOTO, chunk)]
        chunks = list(_chunks(todo))
        for chunk in self._track(chunks, len(chunks), "crops judged, batches"):
            pixels = [_read_crop(capture.folder / str(crop.path)) for crop in chunk]
            for batch in _batches(list(zip(chunk, pixels, strict=True)), [image.shape for image in pixels]):
                self._look(
                    PHOTO,
                    [(crop.example, crop.photo) for crop, _ in batch],
                    partial(to_tensor, [image for _, image in batch]),
                )

    def _finished(self, channel: Channel) -> bool:
        """Return whether every classifier has seen every example through a channel."""
        keys = [(self.manifest.code, c.identity, channel.name, channel.seed) for c in self.classifiers]
        return all(self.store.count(*key) >= len(self.manifest.examples) for key in keys)

    def _unseen(self, classifier: "Classifier", channel: Channel, names: Sequence[Seen]) -> list[Seen]:
        """Return those of some names that one classifier has not seen through a channel."""
        known = self.store.observed(
            self.manifest.code,
            classifier.identity,
            channel.name,
            channel.seed,
            [example for example, _ in names],
        )
        return [name for name in names if name not in known]

    def _unseen_by_any(self, channel: Channel, names: Sequence[Seen]) -> list[Seen]:
        unseen = {name for c in self.classifiers for name in self._unseen(c, channel, names)}
        return [name for name in names if name in unseen]

    def _look(self, channel: Channel, names: Sequence[Seen], read: "Callable[[], Tensor]") -> None:
        """Show each classifier what it has not seen of a batch, transformed once for all of them."""
        import torch

        needed = self._unseen_by_any(channel, names)
        if not needed:
            return
        images = read()
        if len(needed) < len(names):
            images = images[[names.index(name) for name in needed]]
        with torch.no_grad():
            images = channel.apply(images, [example for example, _ in needed])
        rows: list[ObservationRow] = []
        for classifier in self.classifiers:
            own = self._unseen(classifier, channel, needed)
            if len(own) == len(needed):
                rows += self._judged(classifier, channel, needed, images)
            elif own:
                rows += self._judged(classifier, channel, own, images[[needed.index(name) for name in own]])
        self.store.add_observations(rows)

    def _judged(
        self, classifier: "Classifier", channel: Channel, names: Sequence[Seen], images: "Tensor"
    ) -> list[ObservationRow]:
        top = classifier.probabilities(images).topk(min(TOP, len(classifier.labels)), dim=1)
        return [
            ObservationRow(
                run=self.manifest.code,
                classifier=classifier.identity,
                channel=channel.name,
                seed=channel.seed,
                example=example,
                photo=photo,
                labels=tuple(labels),
                probabilities=tuple(round(probability, 6) for probability in probabilities),
            )
            for (example, photo), labels, probabilities in zip(
                names, top.indices.tolist(), top.values.tolist(), strict=True
            )
        ]

    def _track(self, steps: Iterable[Item], total: int, what: str) -> Iterable[Item]:
        """Show progress where there is anything to do."""
        return self.reporter.track(steps, total, what) if total else ()


def _read_crop(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise RunError(
            f"{path}: a crop that cannot be read ({error}); delete it and run 'physadv crop' again"
        ) from error


def _batches(items: Sequence[Item], sizes: Sequence[object]) -> Iterator[Sequence[Item]]:
    """Yield items of one size together, at most `BATCH` at a time."""
    by_size: dict[object, list[Item]] = defaultdict(list)
    for item, size in zip(items, sizes, strict=True):
        by_size[size].append(item)
    for group in by_size.values():
        yield from _chunks(group)


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
