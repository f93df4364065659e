"""The paper's statements put to the test, and what no longer holds of those of the page before."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from physadv.evaluation.comparisons import SMALLEST, Comparison, Counted, compare_paired, corrected
from physadv.report.wording import interval, p_value, plural
from reproductions.together import Trial, compare_views

HOLDS, REVERSED, ALIKE, OPEN, UNKNOWN = "holds", "reversed", "no difference", "not shown", "cannot be told"
_ALIKE = f"within {100 * SMALLEST:g} points"


@dataclass(frozen=True)
class Claim:
    """One of the paper's statements in one place: every rate of `higher` is above every rate of `lower`.

    Attributes:
        where: classifier, attack, terms or transformation of which it is claimed.
        tests: the rates compared in twos, the one that should be higher first.
    """

    where: str
    tests: tuple[Comparison, ...]

    @property
    def outcome(self) -> str:
        """Return whether it holds, which is for `Comparison.verdict` to say."""
        verdicts = {_outcome(test) for test in self.tests}
        order = (UNKNOWN, REVERSED, OPEN, ALIKE, HOLDS)
        return next(outcome for outcome in order if outcome in verdicts)

    def __str__(self) -> str:
        return f"{self.where}: {'; '.join(map(_difference, self.tests))}"


@dataclass(frozen=True)
class Statement:
    """A statement and where it could hold, all its comparisons corrected as one family (Holm).

    Attributes:
        text: what is claimed.
        claims: the places.
        note: what has to be known to read it.
    """

    text: str
    claims: Sequence[Claim]
    note: str = ""

    def __post_init__(self) -> None:
        tests = iter(corrected([test for claim in self.claims for test in claim.tests]))
        claims = [replace(claim, tests=tuple(next(tests) for _ in claim.tests)) for claim in self.claims]
        object.__setattr__(self, "claims", claims)

    def lines(self) -> list[str]:
        """Return a line that says how often it holds, and one for each place where it is not shown to."""
        counts = dict.fromkeys((HOLDS, REVERSED, ALIKE, OPEN, UNKNOWN), 0)
        for claim in self.claims:
            counts[claim.outcome] += 1
        family = sum(test.p is not None for claim in self.claims for test in claim.tests)
        said = ", ".join(f"{outcome} in {count}" for outcome, count in counts.items() if count)
        failing = [f"  - {claim.outcome}: {claim}" for claim in self.claims if claim.outcome != HOLDS]
        note = f" {self.note}" if self.note else ""
        places, tests = plural(len(self.claims), "place"), plural(family, "test")
        return [
            f"- **{self.text}**: of {places} {said} (family of {tests}).{note}",
            *failing,
        ]


def claim(where: str, higher: Mapping[str, Counted], lower: Mapping[str, Counted]) -> Claim:
    """Return a claim of rates counted by cluster; each two are compared on what both of them count."""
    tests = [
        compare_paired({above: counted, below: other})[0]
        for above, counted in higher.items()
        for below, other in lower.items()
    ]
    return Claim(where, tuple(tests))


def views_claim(
    where: str,
    higher: Mapping[str, Mapping[Trial, bool]],
    lower: Mapping[str, Mapping[Trial, bool]],
    sheet_of: Mapping[Hashable, int],
) -> Claim:
    """Return a claim of rates of views, each two compared on the views that both count."""
    tests = [compare_views(above, below, sheet_of) for above, below in product(higher.items(), lower.items())]
    return Claim(where, tuple(tests))


def no_longer(
    statements: Sequence[Statement], failed_before: Mapping[str, Sequence[str]], places: Sequence[str] = ()
) -> list[str]:
    """Return in lines which statements of the page before no longer stand, each with its places.

    Args:
        statements: as they are now.
        failed_before: statement → the places where the page before said that it does not hold; in every other
            of its places it said that it holds.
        places: what names the places that the page before had; all by default.
    """
    lines = []
    for statement in statements:
        if statement.text not in failed_before:
            continue
        known = [
            each for each in statement.claims if not places or any(place in each.where for place in places)
        ]
        for before, now in (("held", OPEN), ("held", ALIKE), ("held", REVERSED), ("failed", OPEN)):
            moved = [
                each.where
                for each in known
                if each.outcome == now
                and (each.where in failed_before[statement.text]) == (before == "failed")
            ]
            if moved:
                said = "held" if before == "held" else "did not hold"
                lines.append(
                    f"- *{statement.text}* {said} in {plural(len(moved), 'place')} where it is now {now}: "
                    f"{'; '.join(moved)}."
                )
    return lines or ["- Every statement of the page before stands."]


def _outcome(test: Comparison) -> str:
    if test.difference.value is None:
        return UNKNOWN
    outcomes = {f"{test.first} higher": HOLDS, f"{test.second} higher": REVERSED, _ALIKE: ALIKE}
    return outcomes.get(test.verdict, OPEN)


def _difference(test: Comparison) -> str:
    """Return a comparison in words: "bim minus fast +3.1 points (0.2–6.0), p 0.02"."""
    if test.difference.value is None:
        return f"{test.first} minus {test.second}: {test.difference.undefined}"
    points = f"{100 * test.difference.value:+.1f} points ({interval(test.difference)})"
    return f"{test.first} minus {test.second} {points}, p {p_value(test.holm)}"
