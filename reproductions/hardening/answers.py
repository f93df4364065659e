"""What a classifier answered, trial by trial, and what is counted of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from physadv.evaluation.comparisons import Comparison, Counted, compare_paired
from physadv.evaluation.intervals import Estimate, counted, proportion
from physadv.report.wording import percent, with_interval

HALF = "half of before"
"""Name, in a comparison, of half the failures that there were before."""


@dataclass(frozen=True)
class Answers:
    """Answers on trials: images under one attack, or views of signs in one treatment.

    Attributes:
        trials: what was shown, the same name under every attack.
        clusters: image or scene that each trial belongs to.
        labels: true classes.
        answers: classes answered.
        note: what else is to be said of them.
    """

    trials: tuple[str, ...]
    clusters: tuple[str, ...]
    labels: tuple[int, ...]
    answers: tuple[int, ...]
    note: str = ""


Fails = Callable[[int, int], bool]
"""(true class, answer) → whether it counts as a failure."""


def misread(label: int, answer: int) -> bool:
    """Return whether an answer is any but the true class."""
    return answer != label


def united(found: Sequence[Answers]) -> Answers:
    """Return the worst answers over attacks: a wrong one where any attack brought one.

    The trials are those of the first; others may lack some.
    """
    first = found[0]
    worst = dict(zip(first.trials, first.answers, strict=True))
    labels = dict(zip(first.trials, first.labels, strict=True))
    for other in found[1:]:
        for trial, answer in zip(other.trials, other.answers, strict=True):
            if trial in worst and worst[trial] == labels[trial]:
                worst[trial] = answer
    return Answers(first.trials, first.clusters, first.labels, tuple(worst[trial] for trial in first.trials))


@dataclass(frozen=True)
class Failures:
    """Failures of one classifier.

    Attributes:
        counts: cluster → failures, trials.
        seeds: share of failures of each seed; empty where there is one.
    """

    counts: Counted
    seeds: tuple[float, ...] = ()

    @property
    def share(self) -> Estimate:
        """Return the share of trials that failed, with its interval over clusters."""
        return proportion(*zip(*self.counts.values(), strict=True)) if self.counts else proportion([], [])

    @property
    def text(self) -> str:
        """Return share, interval, n, clusters and the seeds' own shares for a table."""
        share, own = self.share, ""
        if self.seeds:
            own = f"; seeds {' / '.join(f'{100 * seed:.1f}' for seed in self.seeds)}"
        clusters = "" if share.pairs == share.n else f" of {share.pairs}"
        return f"{with_interval(share)}, n {share.n}{clusters}{own}"


def failures(
    found: Sequence[Answers], among: Collection[str] | None = None, fails: Fails = misread
) -> Failures:
    """Return what failed over seeds, of all trials or of those among some; a trial of each seed is one."""
    kept: list[tuple[str, bool]] = []
    seeds = []
    for each in found:
        own = [
            (cluster, fails(label, answer))
            for trial, cluster, label, answer in zip(
                each.trials, each.clusters, each.labels, each.answers, strict=True
            )
            if among is None or trial in among
        ]
        kept += own
        seeds.append(sum(failed for _, failed in own) / len(own) if own else 0.0)
    counts = counted([failed for _, failed in kept], [cluster for cluster, _ in kept])
    return Failures(counts, tuple(seeds) if len(seeds) > 1 else ())


@dataclass(frozen=True)
class Line:
    """One row of a table: failures before and after hardening."""

    name: str
    before: Failures
    after: Failures

    @property
    def cells(self) -> tuple[str, str, str]:
        """Return the row."""
        return (self.name, self.before.text, self.after.text)

    def half(self, names: tuple[str, str]) -> Comparison:
        """Return the comparison of what fails after hardening with half of what failed before."""
        halved = {key: (failed, 2 * seen) for key, (failed, seen) in self.before.counts.items()}
        return compare_paired({names[1]: self.after.counts, HALF: halved})[0]

    def change(self, names: tuple[str, str]) -> Comparison:
        """Return the comparison of what fails after hardening with what failed before."""
        return compare_paired({names[1]: self.after.counts, names[0]: self.before.counts})[0]

    def said(self) -> str:
        """Return both shares in words."""
        return f"{percent(self.before.share)} before, {percent(self.after.share)} after"


def told(test: Comparison) -> str:
    """Return the verdict on a claim that the first, hardened, fails less often than the second."""
    if test.verdict == f"{test.second} higher":
        return "holds"
    return "does not hold" if test.verdict == f"{test.first} higher" else "not shown"


def right(clean: Answers) -> frozenset[str]:
    """Return the trials that are right."""
    trials = zip(clean.trials, clean.labels, clean.answers, strict=True)
    return frozenset(trial for trial, label, answer in trials if label == answer)


Rows = Mapping[str, Answers]
