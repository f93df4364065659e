"""Counts of stored answers → the tallies and the calibration that `evaluation` turns into rates."""

from typing import NamedTuple

import numpy as np

from physadv.evaluation.calibration import BINS, Answers, Reliability, reliability
from physadv.evaluation.outcomes import KINDS, WHENS, Bools, Counts, Floats, Ints, Kind, Shown, Tally, When
from physadv.pipeline.observing import Channel
from physadv.runs import Manifest, ObservationCount, ObservationCounter, ObservationStore

Calibration = dict[Kind, Reliability]
_SUMS = slice(ObservationCount._fields.index("seen"), None)


class Answered(NamedTuple):
    """Counts of one classifier's answers through one channel, M rows from the store.

    Attributes:
        place: (M,) place of the example.
        bin: (M,) bin of confidence.
        photo: (M,) number of the photo's file, -1 for a digital channel.
        sums: (M, 10), those of `Counts`.
    """

    place: Ints
    bin: Ints
    photo: Ints
    sums: Floats


class TallyReader:
    """Reads the tallies of one run from an open store: one row per pair of `pairs`, as `evaluation` wants."""

    def __init__(self, store: ObservationStore, manifest: Manifest) -> None:
        self._counter = ObservationCounter(store, manifest.code, manifest.examples, BINS)
        place = {example.id: place for place, example in enumerate(manifest.examples)}
        both = manifest.pairs()
        self.pairs = tuple(clean.pair for clean, _ in both)
        self._pair_of: dict[Kind, Ints] = {kind: np.full(len(place), -1) for kind in KINDS}
        for pair, examples in enumerate(both):
            for kind, example in zip(KINDS, examples, strict=True):
                self._pair_of[kind][place[example.id]] = pair
        self._targeted: Bools = np.array([adversarial.target is not None for _, adversarial in both])

    def counted(self, classifier: str, channel: Channel) -> Answered:
        """Return a classifier's counts through a channel."""
        counts = self._counter.counts(classifier, channel.name, channel.seed, channel.photos)
        files = dict.fromkeys(["", *(count.file for count in counts)])
        photos = {file: number for number, file in enumerate(files, -1)}
        labels = [(count.place, count.bin, photos[count.file]) for count in counts]
        place, within, photo = np.array(labels, np.int64).reshape(-1, 3).T
        sums = np.array([count[_SUMS] for count in counts], np.float64).reshape(-1, 10)
        return Answered(place, within, photo, sums)

    def tally(self, before: Answered, after: Answered) -> Tally:
        """Return the tally of a channel from what `counted` returned before and after it."""
        shown: dict[tuple[Kind, When], Shown] = {}
        for kind in KINDS:
            for when, found in zip(WHENS, (before, after), strict=True):
                own = self._of(kind, found)
                shown[kind, when] = Shown(own.place, own.photo, Counts(own.sums))
        return Tally.of_shown(self._targeted, shown)

    def calibration(self, found: Answered) -> Calibration:
        """Return the reliability of clean and of adversarial examples from what `counted` returned."""
        return {kind: self._reliability(self._of(kind, found)) for kind in KINDS}

    def _of(self, kind: Kind, found: Answered) -> Answered:
        """Return the rows of one kind of example, its pair in place of the example."""
        pair = self._pair_of[kind][found.place]
        own = pair >= 0
        return Answered(pair[own], found.bin[own], found.photo[own], found.sums[own])

    def _reliability(self, own: Answered) -> Reliability:
        within = np.eye(BINS)[own.bin]
        counts = Counts(own.sums)
        seen, right, confidence = (
            column[:, None] * within for column in (counts.seen, counts.right[:, 0], counts.confidence)
        )
        return reliability(
            Answers(
                seen.astype(np.int64),
                right.astype(np.int64),
                confidence,
                own.place,
                own.photo if (own.photo >= 0).any() else None,
            )
        )
