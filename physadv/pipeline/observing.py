"""Classify crops and transformed examples, once each, and store the answers.

One pass over the files serves every transformation and every classifier: each batch is read once, transformed
once per channel for all classifiers, and stored in one transaction: a killed sweep continues after it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from physadv.pipeline.examples import TOP, to_tensor
from physadv.pipeline.sources import neighbours_of_one_size
from physadv.progress import Reporter
from physadv.randomness import generator
from physadv.runs import (
    Capture,
    CropRow,
    Manifest,
    ObservationRow,
    ObservationStore,
    Printout,
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

    Its name in the store is "none", "photo" or a transformation's text; its seed is 0 where nothing is drawn.
    Of photos taken in several ways it may hold those of one `condition`, by their names.
    """

    name: str
    seed: int = 0
    transform: Transformation = identity
    condition: str = ""
    photos: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return its name in a measurement, with the condition."""
        return f"{self.name}: {self.condition}" if self.condition else self.name

    def apply(self, images: "Tensor", examples: Sequence[str]) -> "Tensor":
        """Return the images (B, 3, H, W) of examples transformed.

        Each example has its own random stream, so results do not depend on the order of examples.
        """
        import torch

        draws = [self.transform.sample(1, generator(self.seed, self.name, example)) for example in examples]
        return self.transform.apply(images, {name: torch.cat([d[name] for d in draws]) for name in draws[0]})


UNTOUCHED, PHOTO = Channel("none"), Channel("photo")
CORRECTED = Channel("photo corrected")
"""Copies of crops, with the colours corrected of photos whose bars are off: beside `PHOTO`, never within."""


def is_photo(key: str) -> bool:
    """Return whether a measurement's channel is that of photos, all of them or those of one condition."""
    return key == PHOTO.name or key.startswith(f"{PHOTO.name}: ")


Seen = tuple[str, str]
"""An example and the photo that shows it, "" for a digital transformation."""


@dataclass(frozen=True)
class Observer:
    """Classifiers that judge one run; observations already in the store are not repeated."""

    store: ObservationStore
    manifest: Manifest
    classifiers: Sequence["Classifier"]
    reporter: Reporter

    def observe_examples(self, printout: Printout, channels: Sequence[Channel]) -> None:
        """Classify every example through every channel."""
        examples = self.manifest.examples
        unfinished = [channel for channel in channels if not self._finished(channel)]
        batches = list(_batches(examples, lambda example: example.size_px)) if unfinished else []

        def steps() -> "Iterator[tuple[Channel, list[Seen], Callable[[], Tensor]]]":
            for batch in batches:
                names = [(example.id, "") for example in batch]
                # Read when it is first needed, and released with the batch.
                read = cache(lambda batch=batch: to_tensor([printout.pixels(each) for each in batch]))
                for channel in unfinished:
                    yield channel, names, read

        for step in self._track(steps(), len(batches) * len(unfinished), "examples judged, batches"):
            self._look(*step)

    def observe_crops(self, capture: Capture, crops: Sequence[CropRow], channel: Channel = PHOTO) -> None:
        """Classify the crops cut out of photos, or their copies with corrected colours."""
        named = {(crop.example, crop.photo): crop for crop in crops}
        todo = [
            named[name]
            for chunk in _chunks(list(named))
            for name in _of_any(chunk, self._unseen(channel, chunk))
        ]
        chunks = list(_chunks(todo))
        for chunk in self._track(chunks, len(chunks), "crops judged, batches"):
            cut = [(crop, capture.pixels(crop)) for crop in chunk]
            for batch in _batches(cut, lambda pair: pair[1].shape):
                names = [(crop.example, crop.photo) for crop, _ in batch]
                self._look(channel, names, partial(to_tensor, [image for _, image in batch]))

    def _finished(self, channel: Channel) -> bool:
        keys = [(self.manifest.code, c.identity, channel.name, channel.seed) for c in self.classifiers]
        return all(self.store.count(*key) >= len(self.manifest.examples) for key in keys)

    def _unseen(self, channel: Channel, names: Sequence[Seen]) -> list[list[Seen]]:
        """Return what each classifier has not seen yet."""
        examples = [example for example, _ in names]
        keys = [(self.manifest.code, c.identity, channel.name, channel.seed) for c in self.classifiers]
        known = [self.store.observed(*key, examples) for key in keys]
        return [[name for name in names if name not in own] for own in known]

    def _look(self, channel: Channel, names: Sequence[Seen], read: "Callable[[], Tensor]") -> None:
        """Show each classifier what it has not seen of a batch, transformed once for all of them."""
        import torch

        unseen = self._unseen(channel, names)
        needed = _of_any(names, unseen)
        if not needed:
            return
        images = read()
        if len(needed) < len(names):
            images = images[[names.index(name) for name in needed]]
        with torch.no_grad():
            images = channel.apply(images, [example for example, _ in needed])
        rows: list[ObservationRow] = []
        for classifier, own in zip(self.classifiers, unseen, strict=True):
            if own:
                whole = len(own) == len(needed)
                shown = images if whole else images[[needed.index(name) for name in own]]
                rows += self._judged(classifier, channel, own, shown)
        self.store.add_observations(rows)

    def _judged(
        self, classifier: "Classifier", channel: Channel, names: Sequence[Seen], images: "Tensor"
    ) -> list[ObservationRow]:
        classes, chances = classifier.likeliest(images, TOP)
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
                names, classes.tolist(), chances.tolist(), strict=True
            )
        ]

    def _track(self, steps: Iterable[Item], total: int, what: str) -> Iterable[Item]:
        return self.reporter.track(steps, total, what) if total else ()


def _batches(items: Sequence[Item], size: Callable[[Item], object]) -> Iterator[list[Item]]:
    """Yield items of one size together, at most `BATCH` at a time, sizes in the order in which they come."""
    sizes = list(dict.fromkeys(map(size, items)))
    return neighbours_of_one_size(sorted(items, key=lambda item: sizes.index(size(item))), size, BATCH)


def _of_any(names: Sequence[Seen], unseen: Sequence[Sequence[Seen]]) -> list[Seen]:
    wanted = {name for own in unseen for name in own}
    return [name for name in names if name in wanted]


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
