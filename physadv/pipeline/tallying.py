"""Counts of observations in a store → the arrays that `evaluation` takes, one row per pair."""

from collections.abc import Sequence

import numpy as np

from physadv.evaluation.calibration import BINS, Answers, Reliability, reliability
from physadv.evaluation.outcomes import KINDS, Bools, Counts, Floats, Ints, Kind, Tally, When
from physadv.pipeline.observing import Channel
from physadv.runs import Manifest, ObservationCount, ObservationCounter, ObservationStore

Calibration = dict[Kind, Reliability]

_COLUMNS = ObservationCount._fields[2:]


class TallyReader:
    """Reads the tallies of one run from an open store.

    Attributes:
        pairs: names of the run's pairs, in the order of every array's rows.
    """

    def __init__(self, store: ObservationStore, manifest: Manifest) -> None:
        self._counter = ObservationCounter(store, manifest.code, manifest.examples, BINS)
        self._examples = len(manifest.examples)
        place = {example.id: place for place, example in enumerate(manifest.examples)}
        both = manifest.pairs()
        self.pairs = tuple(clean.pair for clean, _ in both)
        self._places: dict[Kind, Ints] = {
            kind: np.array([place[pair[which].id] for pair in both], np.int64)
            for which, kind in enumerate(KINDS)
        }
        self._targeted: Bools = np.array([adversarial.target is not None for _, adversarial in both])

    def counted(self, classifier: str, channel: Channel) -> Floats:
        """Return a classifier's counts through a channel: (examples, bins, fields of `ObservationCount`)."""
        found = np.zeros((self._examples, BINS, len(_COLUMNS)))
        for place, within, *numbers in self._counter.counts(classifier, channel.name, channel.seed):
            found[place, within] = numbers
        return found

    def tally(self, before: Floats, after: Floats) -> Tally:
        """Return the tally of a channel from what `counted` returned before and after it."""
        found: dict[When, Floats] = {"before": before.sum(axis=1), "after": after.sum(axis=1)}
        return Tally(
            counts={
                (kind, when): self._counts(columns[self._places[kind]])
                for when, columns in found.items()
                for kind in KINDS
            },
            targeted=self._targeted,
        )

    def calibration(self, found: Floats) -> Calibration:
        """Return the reliability of clean and of adversarial examples from what `counted` returned."""
        return {kind: reliability(self._answers(found[self._places[kind]])) for kind in KINDS}

    @staticmethod
    def _counts(found: Floats) -> Counts:
        return Counts(
            seen=_whole(found, ["seen"])[:, 0],
            right=_whole(found, ["right1", "right5"]),
            target=_whole(found, ["target1", "target5"]),
            confidence=found[:, _COLUMNS.index("confidence")],
        )

    @staticmethod
    def _answers(found: Floats) -> Answers:
        return Answers(
            seen=_whole(found, ["seen"])[..., 0],
            right=_whole(found, ["right1"])[..., 0],
            confidence=found[..., _COLUMNS.index("confidence")],
        )


def _whole(found: Floats, columns: Sequence[str]) -> Ints:
    """Return columns by name, whole numbers."""
    chosen: Ints = found[..., [_COLUMNS.index(column) for column in columns]].astype(np.int64)
    return chosen
