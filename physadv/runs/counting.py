"""Counts of observations, summed by SQL so that only the sums leave the file."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from physadv.runs.manifest import Example
from physadv.runs.store import ObservationStore

_COUNT = """
SELECT place,
       CASE WHEN probability BETWEEN 0 AND 1 THEN MIN(CAST(probability * ?1 AS INTEGER), ?1 - 1) END AS bin,
       file,
       COUNT(*),
       SUM(first = label),
       SUM(EXISTS (SELECT 1 FROM json_each(labels) WHERE value = label)),
       SUM(COALESCE(first = target, 0)),
       SUM(target IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(labels) WHERE value = target)),
       SUM(probability),
       COALESCE(SUM(clean1), 0),
       COALESCE(SUM(clean5), 0),
       COALESCE(SUM(clean1 AND first = label), 0),
       COALESCE(SUM(clean5 AND EXISTS (SELECT 1 FROM json_each(labels) WHERE value = label)), 0)
FROM (
    SELECT place, label, target, seen.labels,
           CASE COALESCE(view, '') WHEN '' THEN seen.photo
                ELSE substr(seen.photo, 1, length(seen.photo) - length(view) - 1) END AS file,
           json_extract(seen.labels, '$[0]') AS first,
           json_extract(seen.probabilities, '$[0]') AS probability,
           json_extract(beside.labels, '$[0]') = label AS clean1,
           EXISTS (SELECT 1 FROM json_each(beside.labels) WHERE value = label) AS clean5
    FROM observations AS seen JOIN temp.examples USING (example)
         LEFT JOIN photos ON photos.name = seen.photo
         LEFT JOIN observations AS beside
         ON beside.run = seen.run AND beside.classifier = seen.classifier
            AND beside.channel = seen.channel AND beside.seed = seen.seed
            AND beside.example = clean AND beside.photo = seen.photo
    WHERE seen.run = ?2 AND seen.classifier = ?3 AND seen.channel = ?4 AND seen.seed = ?5
          AND (?6 = '[]' OR seen.photo IN (SELECT value FROM json_each(?6)))
)
GROUP BY place, bin, file
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
    """Counts of one classifier's observations of one example in one file, within one bin of confidence.

    Attributes:
        place: place of the example in the sequence that is counted.
        bin: bin of the top-1 probability, from 0; a probability of 1 is in the last.
        file: name of the photo's file, empty for a digital channel.
        seen: number of observations.
        right1: observations whose top-1 is the true label.
        right5: observations whose top-5 hold the true label.
        target1: observations whose top-1 is the attack's target.
        target5: observations whose top-5 hold the attack's target.
        confidence: sum of the top-1 probabilities.
        clean1: observations of an adversarial example in whose photo the clean one is right at top-1.
        clean5: observations of an adversarial example in whose photo the clean one is right at top-5.
        both1: observations of `clean1` that are right at top-1.
        both5: observations of `clean5` whose top-5 hold the true label.
    """

    place: int
    bin: int
    file: str
    seen: int
    right1: int
    right5: int
    target1: int
    target5: int
    confidence: float
    clean1: int
    clean5: int
    both1: int
    both5: int


class ObservationCounter:
    """Counts the observations of some examples in a store: at most one row per example, bin and file.

    Args:
        store: an open store, used by no other counter at the same time.
        run: the code in the run's manifest.
        examples: the examples, in the order that `ObservationCount.place` refers to.
        bins: number of equal bins of confidence.
    """

    def __init__(self, store: ObservationStore, run: str, examples: Sequence[Example], bins: int) -> None:
        self._store, self._run, self._bins = store, run, bins
        clean = {example.pair: example.id for example in examples if example.kind == "clean"}
        store.note_examples(
            (
                each.id,
                place,
                each.label,
                each.target,
                clean[each.pair] if each.kind == "adversarial" else None,
            )
            for place, each in enumerate(examples)
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
