"""Statements of the paper held against what was measured: how often each holds, and where it does not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from physadv.evaluation.intervals import Estimate
from physadv.report.wording import with_interval


@dataclass(frozen=True)
class Trial:
    """One place where a statement can hold: every named rate of `lower` is below every one of `higher`."""

    where: str
    lower: dict[str, Estimate]
    higher: dict[str, Estimate]

    @property
    def undefined(self) -> bool:
        """Return whether a rate is undefined, so that nothing can be said."""
        return any(rate.value is None for rate in (*self.lower.values(), *self.higher.values()))

    @property
    def holds(self) -> bool:
        """Return whether the statement holds here."""
        return all((one.value or 0) < (other.value or 0) for one, other in self._pairs())

    @property
    def clear(self) -> bool:
        """Return whether it holds with every two intervals apart."""
        return all((one.high or 0) < (other.low or 0) for one, other in self._pairs())

    def __str__(self) -> str:
        said = (f"{name} {with_interval(rate)}" for name, rate in {**self.lower, **self.higher}.items())
        return f"{self.where} ({', '.join(said)})"

    def _pairs(self) -> Iterable[tuple[Estimate, Estimate]]:
        return ((one, other) for one in self.lower.values() for other in self.higher.values())


def verdict(statement: str, trials: Sequence[Trial]) -> list[str]:
    """Return a line that says how often a statement holds, and one for each place where it does not."""
    told = [trial for trial in trials if not trial.undefined]
    if not told:
        return [f"- **{statement}**: cannot be told."]
    holding = [trial for trial in told if trial.holds]
    clear = sum(trial.clear for trial in holding)
    word = {len(told): "holds", 0: "does not hold"}.get(len(holding), "holds in part")
    said = f"{len(holding)} of {len(told)}, in {clear} with the 95 % intervals apart"
    if len(told) < len(trials):
        said += f"; {len(trials) - len(told)} cannot be told"
    failing = [f"  - not: {trial}" for trial in told if not trial.holds]
    return [f"- **{statement}**: {word} ({said}).", *failing]
