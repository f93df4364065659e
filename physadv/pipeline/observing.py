"""Classify crops and transformed examples, once each, store the answers, and count what is stored.

One pass over the files serves every transformation and every classifier: each batch is read once, transformed
once per channel for all classifiers, and stored in one transaction: a killed sweep continues after it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from physadv.evaluation.calibration import BINS, Answers, Reliability, reliability
from physadv.evaluation.outcomes import KINDS, Bools, Counts, Floats, Ints, Kind, Photographed, Tally, When
from physadv.pipeline.examples import TOP, to_tensor
from physadv.pipeline.sources import neighbours_of_one_size
from physadv.progress import Reporter
from physadv.randomness import generator
from physadv.runs import (
    Capture,
    CropRow,
    Manifest,
    ObservationCount,
    ObservationCounter,
    ObservationRow,
    ObservationStore,
    Printout,
)
from physadv.transforms.protocol import Transformation, identity

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.classifiers import Classifier

BATCH = 32
Calibration = dict[Kind, Reliability]
Item = TypeVar("Item")
_COLUMNS = ObservationCount._fields[3:]


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

    def observe_crops(self, capture: Capture, crops: Sequence[CropRow]) -> None:
        """Classify the crops cut out of photos."""
        named = {(crop.example, crop.photo): crop for crop in crops}
        todo = [
            named[name]
            for chunk in _chunks(list(named))
            for name in _of_any(chunk, self._unseen(PHOTO, chunk))
        ]
        chunks = list(_chunks(todo))
        for chunk in self._track(chunks, len(chunks), "crops judged, batches"):
            cut = [(crop, capture.pixels(crop)) for crop in chunk]
            for batch in _batches(cut, lambda pair: pair[1].shape):
                names = [(crop.example, crop.photo) for crop, _ in batch]
                self._look(PHOTO, names, partial(to_tensor, [image for _, image in batch]))

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


class Answered(NamedTuple):
    """Counts of one classifier's answers through one channel; fields are those of `ObservationCount`.

    Attributes:
        sums: (examples, bins, fields).
        shown: (place of an example, photo file) → (fields,) over all bins; empty for a digital channel.
    """

    sums: Floats
    shown: Mapping[tuple[int, str], Floats] = MappingProxyType({})


class TallyReader:
    """Reads the tallies of one run from an open store: one row per pair of `pairs`, as `evaluation` wants."""

    def __init__(self, store: ObservationStore, manifest: Manifest) -> None:
        self._counter = ObservationCounter(store, manifest.code, manifest.examples, BINS)
        place = {example.id: place for place, example in enumerate(manifest.examples)}
        self._shape = len(place), BINS, len(_COLUMNS)
        both = manifest.pairs()
        self.pairs = tuple(clean.pair for clean, _ in both)
        self._places: dict[Kind, Ints] = {
            kind: np.array([place[pair[which].id] for pair in both], np.int64)
            for which, kind in enumerate(KINDS)
        }
        self._pair_of = {
            int(own): (kind, pair) for kind in KINDS for pair, own in enumerate(self._places[kind])
        }
        self._targeted: Bools = np.array([adversarial.target is not None for _, adversarial in both])

    def counted(self, classifier: str, channel: Channel) -> Answered:
        """Return a classifier's counts through a channel."""
        sums = np.zeros(self._shape)
        shown: dict[tuple[int, str], Floats] = defaultdict(lambda: np.zeros(len(_COLUMNS)))
        key = classifier, channel.name, channel.seed
        for place, within, file, *numbers in self._counter.counts(*key, channel.photos):
            sums[place, within] += numbers
            if file:
                shown[place, file] += numbers
        return Answered(sums, shown)

    def tally(self, before: Answered, after: Answered) -> Tally:
        """Return the tally of a channel from what `counted` returned before and after it."""
        found: dict[tuple[Kind, When], Floats] = {}
        sums: dict[When, Floats] = {"before": before.sums.sum(axis=1), "after": after.sums.sum(axis=1)}
        for when, columns in sums.items():
            for kind in KINDS:
                found[kind, when] = columns[self._places[kind]]
        return _tally(found, self._targeted, self._photographed(found, after))

    def _photographed(
        self, whole: Mapping[tuple[Kind, When], Floats], after: Answered
    ) -> Photographed | None:
        """Return what `whole` sums up pair by pair in each photo, None without photos."""
        cells: dict[tuple[int, str], int] = {}
        rows = []
        for (place, file), numbers in after.shown.items():
            kind, pair = self._pair_of[place]
            rows.append((kind, cells.setdefault((pair, file), len(cells)), numbers))
        if not cells:
            return None
        pairs = np.array([pair for pair, _ in cells], np.int64)
        _, files = np.unique([file for _, file in cells], return_inverse=True)
        found: dict[tuple[Kind, When], Floats] = {}
        for kind in KINDS:
            found[kind, "before"] = whole[kind, "before"][pairs]
            found[kind, "after"] = np.zeros((len(cells), len(_COLUMNS)))
        for kind, cell, numbers in rows:
            found[kind, "after"][cell] = numbers
        return Photographed(pairs, files, _tally(found, self._targeted[pairs]))

    def calibration(self, found: Answered) -> Calibration:
        """Return the reliability of clean and of adversarial examples from what `counted` returned."""
        answers = {kind: found.sums[self._places[kind]] for kind in KINDS}
        return {
            kind: reliability(
                Answers(
                    seen=_whole(own, "seen")[..., 0],
                    right=_whole(own, "right1")[..., 0],
                    confidence=own[..., _COLUMNS.index("confidence")],
                )
            )
            for kind, own in answers.items()
        }


def _tally(
    found: Mapping[tuple[Kind, When], Floats], targeted: Bools, photographed: Photographed | None = None
) -> Tally:
    """Return the tally of sums (P, fields of `ObservationCount`), by kind, before and after the channel."""
    counts = {
        key: Counts(
            seen=_whole(own, "seen")[:, 0],
            right=_whole(own, "right1", "right5"),
            target=_whole(own, "target1", "target5"),
            confidence=own[:, _COLUMNS.index("confidence")],
        )
        for key, own in found.items()
    }
    views = found["adversarial", "after"]
    clean, both = _whole(views, "clean1", "clean5"), _whole(views, "both1", "both5")
    return Tally(counts, targeted, clean, both, photographed)


def _whole(found: Floats, *columns: str) -> Ints:
    chosen: Ints = found[..., [_COLUMNS.index(column) for column in columns]].astype(np.int64)
    return chosen
