"""Counts of observations, summed by SQL so that only the sums leave the file."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from physadv.runs.manifest import Example
from physadv.runs.store import ObservationStore

_COUNT = """
SELECT place,
       CASE WHEN probability BETWEEN 0 AND 1 THEN MIN(CAST(probability * ?1 AS INTEGER), ?1 - 1) END AS bin,
       COUNT(*),
       SUM(first = label),
       SUM(EXISTS (SELECT 1 FROM json_each(labels) WHERE value = label)),
       SUM(COALESCE(first = target, 0)),
       SUM(target IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(labels) WHERE value = target)),
       SUM(probability)
FROM (
    SELECT place, label, target, labels, json_extract(labels, '$[0]') AS first,
           json_extract(probabilities, '$[0]') AS probability
    FROM observations JOIN temp.examples USING (example)
    WHERE run = ?2 AND classifier = ?3 AND channel = ?4 AND seed = ?5
          AND (?6 = '[]' OR photo IN (SELECT value FROM json_each(?6)))
)
GROUP BY place, bin
"""

_STRAY = """
SELECT example FROM observations
WHERE run = ? AND (
    example NOT IN (SELECT example FROM temp.examples)
    OR photo <> '' AND (photo, example) NOT IN (SELECT photo, example FROM crops)
)
LIMIT 1
"""


class ObservationCount(NamedTuple):
    """Counts of one classifier's observations of one example, within one bin of confidence.

    Attributes:
        place: place of the example in the sequence that is counted.
        bin: bin of the top-1 probability, from 0; a probability of 1 is in the last.
        seen: number of observations.
        right1: observations whose top-1 is the true label.
        right5: observations whose top-5 hold the true label.
        target1: observations whose top-1 is the attack's target.
        target5: observations whose top-5 hold the attack's target.
        confidence: sum of the top-1 probabilities.
    """

    place: int
    bin: int
    seen: int
    right1: int
    right5: int
    target1: int
    target5: int
    confidence: float


class ObservationCounter:
    """Counts the observations of some examples in a store: at most one row per example and bin.

    Args:
        store: an open store, used by no other counter at the same time.
        run: the code in the run's manifest.
        examples: the examples, in the order that `ObservationCount.place` refers to.
        bins: number of equal bins of confidence.
    """

    def __init__(self, store: ObservationStore, run: str, examples: Sequence[Example], bins: int) -> None:
        self._store, self._run, self._bins = store, run, bins
        store.note_examples(
            (example.id, place, example.label, example.target) for place, example in enumerate(examples)
        )
        if found := store.select(_STRAY, (run,)):
            raise store.unusable(f"answers on '{found[0][0]}', which is no example or crop of the run")

    def counts(
        self, classifier: str, channel: str, seed: int, photos: Sequence[str] = ()
    ) -> list[ObservationCount]:
        """Return the counts of one classifier through one channel, or through some of its photos.

        Raises:
            RunError: the store holds something else than lists of labels and probabilities.
        """
        values = (self._bins, self._run, classifier, channel, seed, json.dumps(photos))
        found = [ObservationCount(*row) for row in self._store.select(_COUNT, values)]
        for count in found:
            if None in count or not 0 <= count.bin < self._bins:
                raise self._store.unusable(f"answers through {channel} that are no probabilities")
        return found
