"""The paper's statements compared with the measurements: how often each holds, and where it does not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from physadv.evaluation.intervals import Estimate
from physadv.report.wording import with_interval


@dataclass(frozen=True)
class Claim:
    """One of the paper's statements in one place: every rate of `lower` is below every rate of `higher`.

    Attributes:
        where: classifier, attack, budget or transformation of which it is claimed.
        lower: name → rate, of the rates that should be lower.
        higher: name → rate, of the rates that should be higher.
    """

    where: str
    lower: dict[str, Estimate]
    higher: dict[str, Estimate]

    @property
    def undefined(self) -> bool:
        """Return whether a rate is undefined, so that the claim cannot be judged."""
        return any(rate.value is None for rate in (*self.lower.values(), *self.higher.values()))

    @property
    def holds(self) -> bool:
        """Return whether the claim holds."""
        return all((one.value or 0) < (other.value or 0) for one, other in self._pairs())

    @property
    def clear(self) -> bool:
        """Return whether it holds and no two intervals overlap."""
        return all((one.high or 0) < (other.low or 0) for one, other in self._pairs())

    def __str__(self) -> str:
        rates = (f"{name} {with_interval(rate)}" for name, rate in {**self.lower, **self.higher}.items())
        return f"{self.where} ({', '.join(rates)})"

    def _pairs(self) -> Iterable[tuple[Estimate, Estimate]]:
        return ((one, other) for one in self.lower.values() for other in self.higher.values())


def verdict(statement: str, claims: Sequence[Claim]) -> list[str]:
    """Return a line that says how often a statement holds, and one for each place where it does not."""
    judged = [claim for claim in claims if not claim.undefined]
    if not judged:
        return [f"- **{statement}**: cannot be told."]
    holding = [claim for claim in judged if claim.holds]
    clear = sum(claim.clear for claim in holding)
    word = {len(judged): "holds", 0: "does not hold"}.get(len(holding), "holds in part")
    count = f"{len(holding)} of {len(judged)}, in {clear} with the 95 % intervals apart"
    if len(judged) < len(claims):
        count += f"; {len(claims) - len(judged)} cannot be told"
    failing = [f"  - not: {claim}" for claim in judged if not claim.holds]
    return [f"- **{statement}**: {word} ({count}).", *failing]
