"""Shares and comparisons of the stop-sign study, counted from its stored answers alone."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from physadv.evaluation.comparisons import Comparison, compare_paired, corrected
from physadv.evaluation.intervals import Estimate, counted, share
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM
from reproductions.rp2.scenes import scene_of
from reproductions.rp2.sights import AS_FILES, DRIVE, FOUND, GRAPHITE, LAB, Sight

PUBLISHED, SAME_RANGE, SAME_MEAN = "published", "ours, same range", "ours, same range and mean"
"""Treatments: the noise that RP2 released, and ours within its range, then also of its mean size."""
NOISES = (CLEAN, PUBLISHED, SAME_RANGE, SAME_MEAN)
WORN = (CLEAN, RANDOM, OPTIMISED)
PUBLISHED_TESTS, HELD_OUT_TESTS = (AS_FILES, LAB, DRIVE), (LAB, DRIVE, FOUND, GRAPHITE)


@dataclass(frozen=True)
class Outcome:
    """How often something held in the sights of all seeds.

    Attributes:
        share: of all sights, with its interval over scenes.
        seeds: seed → share of its sights.
    """

    share: Estimate
    seeds: Mapping[int, float]


@dataclass(frozen=True)
class Tested:
    """One comparison: of which part, in which test, and what it found."""

    part: str
    test: str
    found: Comparison


class Counts:
    """Counts the answers of the study; clusters are scenes.

    Args:
        made: part, seed, true class and target of every row of the study, and how it was made.
        sights: all answers.
    """

    def __init__(self, made: Sequence[Mapping[str, Any]], sights: Sequence[Sight]) -> None:
        self.made: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in made:
            self.made[row["part"]].append(row)
        self._sights: dict[tuple[str, str, str], list[Sight]] = defaultdict(list)
        for sight in sights:
            self._sights[sight.part, sight.test, sight.treatment].append(sight)

    @property
    def published(self) -> list[str]:
        """Return the parts that compare with the released noise."""
        return [part for part in self.made if self.sights(part, AS_FILES, PUBLISHED)]

    @property
    def held_out(self) -> list[str]:
        """Return the parts that judge stickers on scenes which were held out."""
        return [part for part in self.made if part not in self.published]

    def sights(self, part: str, test: str, treatment: str) -> list[Sight]:
        """Return the sights of one treatment in one test of a part."""
        return self._sights.get((part, test, treatment), [])

    def target(self, part: str) -> str:
        """Return the name of the attack's class."""
        return str(self.made[part][0]["target"])

    def targeted(self, part: str, test: str, treatment: str) -> Outcome:
        """Return how often the target was reached, of the sights in which a sign was found."""
        target = self.target(part)
        return _outcome(self._seen(part, test, treatment), lambda sight: sight.answer == target)

    def right(self, part: str, test: str, treatment: str) -> Outcome:
        """Return how often the sign was read as what it is, of the sights in which it was found."""
        label = self.made[part][0]["label"]
        return _outcome(self._seen(part, test, treatment), lambda sight: bool(sight.answer == label))

    def found(self, part: str, test: str, treatment: str) -> Outcome:
        """Return how often a sign was found at all."""
        return _outcome(self.sights(part, test, treatment), lambda sight: bool(sight.answer))

    @cached_property
    def against_published(self) -> list[Tested]:
        """Return our noises against the published one in every test of both masks: one family."""
        return self._family(
            [
                (part, test, ours, PUBLISHED)
                for part in self.published
                for ours in (SAME_RANGE, SAME_MEAN)
                for test in PUBLISHED_TESTS
            ]
        )

    @cached_property
    def against_random(self) -> list[Tested]:
        """Return optimised against random stickers in every test of held-out scenes: one family."""
        pairs = [(part, test, OPTIMISED, RANDOM) for part in self.held_out for test in HELD_OUT_TESTS]
        return self._family(pairs)

    def _family(self, pairs: Sequence[tuple[str, str, str, str]]) -> list[Tested]:
        found = corrected([self._compared(*pair) for pair in pairs])
        return [Tested(part, test, own) for (part, test, _, _), own in zip(pairs, found, strict=True)]

    def _compared(self, part: str, test: str, first: str, second: str) -> Comparison:
        """Compare two treatments on the sights in which the sign was found under both."""
        one, other = (
            {sight.key: sight for sight in self._seen(part, test, name)} for name in (first, second)
        )
        common, target = [key for key in one if key in other], self.target(part)
        return compare_paired(
            {
                name: counted(
                    [own[key].answer == target for key in common],
                    [scene_of(own[key].sign) for key in common],
                )
                for name, own in ((first, one), (second, other))
            }
        )[0]

    def _seen(self, part: str, test: str, treatment: str) -> list[Sight]:
        return [sight for sight in self.sights(part, test, treatment) if sight.answer]


def _outcome(sights: Sequence[Sight], holds: Callable[[Sight], bool]) -> Outcome:
    by_seed: dict[int, list[bool]] = defaultdict(list)
    for sight in sights:
        by_seed[sight.seed].append(holds(sight))
    return Outcome(
        share([holds(sight) for sight in sights], [scene_of(sight.sign) for sight in sights]),
        {seed: sum(own) / len(own) for seed, own in sorted(by_seed.items())},
    )
