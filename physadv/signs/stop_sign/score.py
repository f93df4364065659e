"""Answers grouped: how often stickers reached their target, fooled at all, or left the sign read right.

Views of one sign, and frames of one approach, are no trials of their own: intervals and tests rest on whole
signs in the lab, on whole approaches in the drive-by.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations, groupby
from operator import attrgetter
from typing import Any, Literal, TypeVar

from physadv.evaluation.comparisons import SMALLEST, Comparison, Counted, compare_paired, corrected
from physadv.evaluation.intervals import Estimate, counted, share
from physadv.signs.stop_sign.views import Answer

Key = TypeVar("Key", bound=Hashable)
Cluster = Callable[[Answer], Hashable]
"""Answer → the sign or the approach that it belongs to."""

MEASURES = ("found", "targeted", "untargeted", "accuracy")
NO_TARGET = "no target"
SIMULATED = "simulated"
BIN_M = 5.0
"""Width, metres, of the distances that a drive-by's frames are gathered in."""
_treatment, _sign, _place = (attrgetter(name) for name in ("treatment", "sign", "place"))
_approach = attrgetter("sign", "place")


@dataclass(frozen=True)
class Shares:
    """The outcome of some views of one treatment.

    Attributes:
        views: number of views.
        found: share of the views in which a sign was found; the other shares count those views only.
        targeted: share classified as the target.
        untargeted: share classified as anything but the true class.
        accuracy: share classified as the true class.
        confidence: mean probability of the answers, None without an answer.
    """

    views: int
    found: Estimate
    targeted: Estimate
    untargeted: Estimate
    accuracy: Estimate
    confidence: float | None


@dataclass(frozen=True)
class Score:
    """One test of several treatments.

    Attributes:
        name: "lab test" or "drive-by test".
        channel: "simulated", or where real pictures came from.
        overall: treatment → shares of all its views, with intervals over signs or approaches.
        places: place → treatment → shares of its views there; cells of the lab test, distances of a drive-by.
        tests: every two treatments compared, sign by sign or approach by approach, one family.
        longest_run: treatment → most consecutive frames that were read right; empty for a lab test.
        distances_m: middles of a drive-by's places, metres; empty for a lab test.
    """

    name: str
    channel: str
    overall: Mapping[str, Shares]
    places: Mapping[str, Mapping[str, Shares]]
    tests: Sequence[Comparison]
    longest_run: Mapping[str, int] = field(default_factory=dict)
    distances_m: tuple[float, ...] = ()

    @property
    def title(self) -> str:
        """Return name and channel, "lab test, simulated"."""
        return f"{self.name}, {self.channel}"

    @property
    def simulated(self) -> bool:
        """Return whether the views were computed."""
        return self.channel == SIMULATED

    @property
    def measure(self) -> Literal["targeted", "untargeted"]:
        """Return what success is: reaching the target or, without one, not being read right."""
        targeted = all(own.targeted.undefined != NO_TARGET for own in self.overall.values())
        return "targeted" if targeted else "untargeted"

    @property
    def places_seen(self) -> dict[str, Mapping[str, Shares]]:
        """Return the places in which a sign was found."""
        return {
            place: own
            for place, own in self.places.items()
            if any(shares.untargeted.value is not None for shares in own.values())
        }

    def as_json(self) -> dict[str, Any]:
        """Return it as plain numbers and names."""
        return {
            "test": self.name,
            "channel": self.channel,
            "overall": _as_json(self.overall),
            "places": {place: _as_json(shares) for place, shares in self.places.items()},
            "tests": [{**asdict(test), "verdict": test.verdict} for test in self.tests],
            "longest_run": dict(self.longest_run),
        }


def score_lab(
    answers: Sequence[Answer],
    channel: str = SIMULATED,
    cluster: Cluster = _sign,
    smallest: float = SMALLEST,
) -> Score:
    """Return the score of a lab test; its clusters are signs, or what they are said to be."""
    return _score("lab test", channel, answers, _grouped(answers, _place), cluster, smallest)


def score_drive_by(
    answers: Sequence[Answer],
    channel: str = SIMULATED,
    cluster: Cluster = _approach,
    smallest: float = SMALLEST,
) -> Score:
    """Return the score of drive-by tests; its places are distances, its clusters approaches unless said.

    Answers on one approach come in the order of time.
    """
    near_first = sorted((a for a in answers if math.isfinite(a.distance_m)), key=lambda a: a.distance_m)
    bins = _grouped(near_first, lambda answer: BIN_M * math.floor(answer.distance_m / BIN_M))
    places = {f"{start:g}–{start + BIN_M:g} m": own for start, own in bins.items()}
    return replace(
        _score("drive-by test", channel, answers, places, cluster, smallest),
        longest_run={
            name: max(map(longest_run, _grouped(own, _approach).values()))
            for name, own in _grouped(answers, _treatment).items()
        },
        distances_m=tuple(start + BIN_M / 2 for start in bins),
    )


def shares(answers: Sequence[Answer], cluster: Cluster) -> Shares:
    """Return the outcome of views, with intervals over clusters."""
    seen = [answer for answer in answers if answer.answer is not None]

    def of(holds: Callable[[Answer], bool], among: Sequence[Answer]) -> Estimate:
        return share([holds(answer) for answer in among], [cluster(answer) for answer in among])

    without_target = any(answer.target is None for answer in answers)
    return Shares(
        views=len(answers),
        found=of(lambda answer: answer.answer is not None, answers),
        targeted=Estimate(None, None, None, 0, 0, NO_TARGET)
        if without_target
        else of(lambda answer: answer.answer == answer.target, seen),
        untargeted=of(lambda answer: answer.answer != answer.label, seen),
        accuracy=of(lambda answer: answer.answer == answer.label, seen),
        confidence=sum(answer.confidence for answer in seen) / len(seen) if seen else None,
    )


def longest_run(answers: Sequence[Answer]) -> int:
    """Return the most consecutive frames that were read as the true class."""
    runs = groupby(answers, key=lambda answer: answer.answer == answer.label)
    return max((len(list(run)) for right, run in runs if right), default=0)


def _score(
    name: str,
    channel: str,
    answers: Sequence[Answer],
    places: Mapping[str, Sequence[Answer]],
    cluster: Cluster,
    smallest: float,
) -> Score:
    treatments = _grouped(answers, _treatment)
    return Score(
        name=name,
        channel=channel,
        overall={name: shares(own, cluster) for name, own in treatments.items()},
        places={
            place: {
                name: shares([answer for answer in own if answer.treatment == name], cluster)
                for name in treatments
            }
            for place, own in places.items()
        },
        tests=corrected(
            [
                test
                for two in combinations(treatments.items(), 2)
                for test in compare_paired(_successes(dict(two), cluster), smallest)
            ]
        ),
    )


def _successes(treatments: Mapping[str, Sequence[Answer]], cluster: Cluster) -> dict[str, Counted]:
    """Return treatment → cluster → successes and views, of the views in which each was found.

    Views are told apart by their order in a place.
    """
    views = {
        name: {
            (place, number): answer
            for place, own in _grouped(answers, _approach).items()
            for number, answer in enumerate(own)
            if answer.answer is not None
        }
        for name, answers in treatments.items()
    }
    common = [key for key in next(iter(views.values())) if all(key in own for own in views.values())]
    return {
        name: counted([own[key].succeeded for key in common], [cluster(own[key]) for key in common])
        for name, own in views.items()
    }


def _grouped(answers: Sequence[Answer], key: Callable[[Answer], Key]) -> dict[Key, list[Answer]]:
    groups: dict[Key, list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[key(answer)].append(answer)
    return dict(groups)


def _as_json(treatments: Mapping[str, Shares]) -> dict[str, Any]:
    def estimate(own: Estimate) -> dict[str, Any]:
        return {"value": own.value, "low": own.low, "high": own.high, "n": own.n}

    return {
        name: {
            "sights": own.views,
            "confidence": own.confidence,
            **{measure: estimate(getattr(own, measure)) for measure in MEASURES},
        }
        for name, own in treatments.items()
    }
