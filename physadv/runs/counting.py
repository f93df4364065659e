"""Observations counted where they lie: SQL reads every answer, and only sums leave the file."""

from collections.abc import Sequence
from typing import NamedTuple

from physadv.runs.manifest import Example
from physadv.runs.store import ObservationStore

_COUNT = """
SELECT place, bin, COUNT(*),
       SUM(first = label),
       SUM(EXISTS (SELECT 1 FROM json_each(labels) WHERE value = label)),
       SUM(COALESCE(first = target, 0)),
       SUM(target IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(labels) WHERE value = target)),
       SUM(probability)
FROM (
    SELECT place, label, target, labels, json_extract(labels, '$[0]') AS first,
           json_extract(probabilities, '$[0]') AS probability,
           MIN(CAST(json_extract(probabilities, '$[0]') * ? AS INTEGER), ? - 1) AS bin
    FROM observations JOIN temp.examples USING (example)
    WHERE run = ? AND classifier = ? AND channel = ? AND seed = ?
)
GROUP BY place, bin
"""


class Count(NamedTuple):
    """What one classifier said of one example, of the times when it was as sure as `bin` says.

    Attributes:
        place: the example's place in the sequence counted.
        bin: of the first answer's probability, of as many equal ones as were asked for; 1 is in the last.
        seen: answers.
        right1: how many had the true label first; `right5` among the first five.
        target1: how many had the attack's target first; `target5` among the first five.
        confidence: sum of the first answers' probabilities.
    """

    place: int
    bin: int
    seen: int
    right1: int
    right5: int
    target1: int
    target5: int
    confidence: float


class AnswerCounter:
    """Counts the answers on some examples of a store; at most their number times `bins` come out at once.

    Args:
        store: open, and not counted by another of these meanwhile.
        run: the manifest's code.
        examples: in the order that `Count.place` refers to.
        bins: of confidence.
    """

    def __init__(self, store: ObservationStore, run: str, examples: Sequence[Example], bins: int) -> None:
        self._store, self._run, self._bins = store, run, bins
        store.note_examples(
            (example.id, place, example.label, example.target) for place, example in enumerate(examples)
        )

    def counts(self, classifier: str, channel: str, seed: int) -> list[Count]:
        """Return what one classifier said through one channel."""
        asked = (self._bins, self._bins, self._run, classifier, channel, seed)
        return [Count(*row) for row in self._store.select(_COUNT, asked)]
