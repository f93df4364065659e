"""Counts of stored answers → the tallies and the calibration that `evaluation` turns into rates."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from physadv.evaluation.calibration import BINS, Answers, Reliability, reliability
from physadv.evaluation.outcomes import KINDS, Bools, Counts, Floats, Ints, Kind, Photographed, Tally, When
from physadv.pipeline.observing import Channel
from physadv.runs import Manifest, ObservationCount, ObservationCounter, ObservationStore

Calibration = dict[Kind, Reliability]
_COLUMNS = ObservationCount._fields[3:]


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
