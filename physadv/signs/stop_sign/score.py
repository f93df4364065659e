"""Answers grouped: how often stickers reached their target, fooled at all, or left the sign read right.

Wilson's intervals take every view for a trial of its own, which photos of one sign and frames of one approach
are not; the clustered intervals beside them draw whole signs or approaches.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, TypeVar

from physadv.evaluation.comparisons import Comparison, by_majority, compare_paired
from physadv.evaluation.intervals import Estimate, proportion
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
        overall: treatment → shares of all its views.
        clustered: the same with intervals over signs or approaches.
        places: place → treatment → shares of its views there; cells of the lab test, distances of a drive-by,
            whose intervals are over approaches.
        by_view: treatments compared view by view.
        by_sign: treatments compared sign by sign, by the majority of a sign's views.
        longest_run: treatment → most consecutive frames that were read right; empty for a lab test.
        distances_m: middles of a drive-by's places, metres; empty for a lab test.
    """

    name: str
    channel: str
    overall: Mapping[str, Shares]
    clustered: Mapping[str, Shares]
    places: Mapping[str, Mapping[str, Shares]]
    by_view: Sequence[Comparison]
    by_sign: Sequence[Comparison]
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
            "clustered": _as_json(self.clustered),
            "places": {place: _as_json(shares) for place, shares in self.places.items()},
            "by_sight": [vars(test) for test in self.by_view],
            "by_sign": [vars(test) for test in self.by_sign],
            "longest_run": dict(self.longest_run),
        }


def score_lab(answers: Sequence[Answer], channel: str = SIMULATED) -> Score:
    """Return the score of a lab test; its clusters are signs."""
    return _score("lab test", channel, answers, _grouped(answers, _place), None, _sign)


def score_drive_by(answers: Sequence[Answer], channel: str = SIMULATED) -> Score:
    """Return the score of drive-by tests; its clusters are approaches, its places distances.

    Answers on one approach come in the order of time.
    """
    near_first = sorted((a for a in answers if math.isfinite(a.distance_m)), key=lambda a: a.distance_m)
    bins = _grouped(near_first, lambda answer: BIN_M * math.floor(answer.distance_m / BIN_M))
    places = {f"{start:g}–{start + BIN_M:g} m": own for start, own in bins.items()}
    return replace(
        _score("drive-by test", channel, answers, places, _approach, _approach),
        longest_run={
            name: max(map(longest_run, _grouped(own, _approach).values()))
            for name, own in _grouped(answers, _treatment).items()
        },
        distances_m=tuple(start + BIN_M / 2 for start in bins),
    )


def shares(answers: Sequence[Answer], cluster: Cluster | None = None) -> Shares:
    """Return the outcome of views; every view is a trial of its own, or belongs to a cluster."""
    seen = [answer for answer in answers if answer.answer is not None]

    def counted(holds: Callable[[Answer], bool], among: Sequence[Answer]) -> Estimate:
        groups = [[answer] for answer in among] if cluster is None else _grouped(among, cluster).values()
        return proportion([sum(map(holds, group)) for group in groups], [len(group) for group in groups])

    without_target = any(answer.target is None for answer in answers)
    return Shares(
        views=len(answers),
        found=counted(lambda answer: answer.answer is not None, answers),
        targeted=Estimate(None, None, None, 0, 0, NO_TARGET)
        if without_target
        else counted(lambda answer: answer.answer == answer.target, seen),
        untargeted=counted(lambda answer: answer.answer != answer.label, seen),
        accuracy=counted(lambda answer: answer.answer == answer.label, seen),
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
    cluster_of_places: Cluster | None,
    cluster: Cluster,
) -> Score:
    treatments = _grouped(answers, _treatment)
    return Score(
        name=name,
        channel=channel,
        overall={name: shares(own) for name, own in treatments.items()},
        clustered={name: shares(own, cluster) for name, own in treatments.items()},
        places={
            place: {
                name: shares([answer for answer in own if answer.treatment == name], cluster_of_places)
                for name in treatments
            }
            for place, own in places.items()
        },
        by_view=compare_paired({name: _by_view(own) for name, own in treatments.items()}),
        by_sign=compare_paired({name: _by_sign(own) for name, own in treatments.items()}),
    )


def _by_view(answers: Sequence[Answer]) -> dict[str, bool]:
    """Return view → whether the attack succeeded in it; views are told apart by their order in a place."""
    places = _grouped(answers, _approach)
    return {
        f"{sign}/{place}/{number}": answer.succeeded
        for (sign, place), own in places.items()
        for number, answer in enumerate(own)
        if answer.answer is not None
    }


def _by_sign(answers: Sequence[Answer]) -> dict[str, bool]:
    """Return sign → whether the attack succeeded in more than half of the views in which it was found."""
    seen = [answer for answer in answers if answer.answer is not None]
    return by_majority([answer.succeeded for answer in seen], [answer.sign for answer in seen])


def _grouped(answers: Sequence[Answer], key: Callable[[Answer], Key]) -> dict[Key, list[Answer]]:
    groups: dict[Key, list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[key(answer)].append(answer)
    return dict(groups)


def _as_json(treatments: Mapping[str, Shares]) -> dict[str, Any]:
    def estimate(share: Estimate) -> dict[str, Any]:
        return {"value": share.value, "low": share.low, "high": share.high, "n": share.n}

    return {
        name: {
            "sights": own.views,
            "confidence": own.confidence,
            **{measure: estimate(getattr(own, measure)) for measure in MEASURES},
        }
        for name, own in treatments.items()
    }
