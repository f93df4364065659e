"""The lines of the tables: which answers each counts, and how it is called."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from physadv.classifiers.specs import SIGN_LABELS
from physadv.evaluation import worst_over
from physadv.evaluation.intervals import Estimate
from physadv.report.wording import plural
from physadv.signs.stop_sign.settings import CLEAN as BARE
from physadv.signs.stop_sign.settings import OPTIMISED, RANDOM
from reproductions.hardening.answers import Fails, Line, failures, misread, right, united
from reproductions.hardening.attempts import NOISE
from reproductions.hardening.study import (
    AREAS,
    CLEAN,
    FIFTH,
    MASKING,
    NO_ENTRY,
    NOISY,
    ON_STOP,
    PHOTOS,
    QUERIED,
    SEEDS,
    SHARED,
    SQUARES,
    TENTH,
    TO_STOP,
    HardeningSize,
    Study,
    Task,
    restarts,
)

STOP = SIGN_LABELS.index("stop")
CURVE = (1, 2, 5, 10)
"""Numbers of restarts at which the curve is drawn."""
ANY = "any other class"
LAB = "lab, "


def called_stop(label: int, answer: int) -> bool:
    """Return whether another sign is taken for a stop sign."""
    return answer == STOP != label


def called_no_entry(label: int, answer: int) -> bool:
    """Return whether a stop sign is taken for the sign that stickers were made for."""
    return SIGN_LABELS[answer] == NO_ENTRY


def area_name(area: float) -> str:
    """Return what the row of an area is called."""
    return f"square of {100 * area:g} %"


@dataclass(frozen=True)
class Lines:
    """What was found against two classifiers, as lines of tables."""

    studies: tuple[Study, Study]
    size: HardeningSize

    @cached_property
    def clean(self) -> tuple[Line, ...]:
        """Return what is misread as it is."""
        return (
            self._line("GTSRB test images, misread", [Task(CLEAN)]),
            self._line("photos of US stop signs, misread", [Task(PHOTOS)]),
        )

    @cached_property
    def areas(self) -> tuple[Line, ...]:
        """Return what squares of each area break, of the images that are right as they are."""
        return tuple(self._broken(area_name(area), self._seeds(SQUARES, area)) for area in AREAS)

    @cached_property
    def restarts(self) -> dict[int, Line]:
        """Return number of restarts → what squares of a tenth break by then."""
        tasks = restarts(self.size)
        counts = [count for count in CURVE if count <= len(tasks)]
        return {
            count: self._broken(plural(count, "restart"), tasks[:count], together=True) for count in counts
        }

    @cached_property
    def single(self) -> tuple[Line, ...]:
        """Return what further attacks break, of the images that are right as they are."""
        tasks = restarts(self.size)
        name = area_name(TENTH)
        to_stop = self._seeds(TO_STOP, TENTH)
        queried = frozenset(self.studies[0][Task(QUERIED, TENTH)][QUERIED].trials)
        few = len(queried)
        return (
            self._broken(f"{name}, made to say stop, any of {len(SEEDS)} seeds", to_stop, together=True),
            self._broken(
                f"{name}, any of {len(tasks)} restarts or made to say stop", [*tasks, *to_stop], together=True
            ),
            self._broken(f"{name}, by gradients, first {few}", tasks[:1], within=queried),
            self._broken(f"{name}, by answers only, first {few}", [Task(QUERIED, TENTH)]),
            *self.noise,
        )

    @cached_property
    def noise(self) -> tuple[Line, ...]:
        """Return what noise breaks, of the images that are right as they are."""
        return tuple(self._broken(name, [Task(NOISY, what=name)]) for name in NOISE)

    @cached_property
    def stop(self) -> tuple[Line, ...]:
        """Return how often other signs are called stop, and stop signs are not."""
        tenth, to_stop = self._seeds(SQUARES, TENTH), self._seeds(TO_STOP, TENTH)
        on_stop = self._seeds(ON_STOP, TENTH)
        others, stops = (
            self._labelled(lambda label: label != STOP),
            self._labelled(lambda label: label == STOP),
        )
        name = area_name(TENTH)
        return (
            self._line("other signs called stop, clean", [Task(CLEAN)], called_stop, others),
            self._line(f"other signs called stop, {name}", tenth, called_stop, others),
            self._line(f"other signs called stop, {name} made to say so", to_stop, called_stop, others),
            self._line("stop signs not called stop, clean", [Task(CLEAN)], misread, stops),
            self._line(f"stop signs not called stop, {name}", on_stop),
        )

    @cached_property
    def small(self) -> tuple[Line, ...]:
        """Return what shared stickers of a tenth do."""
        tasks = self._seeds(SHARED, TENTH)
        return tuple(
            self._line(f"10 %, {worn}, not called stop", tasks, row=worn)
            for worn in (BARE, RANDOM, OPTIMISED)
        )

    @cached_property
    def large(self) -> tuple[Line, ...]:
        """Return what shared stickers of a fifth do, and what both attacks do together."""
        return self._large("", self._seeds(SHARED, FIFTH))

    @cached_property
    def lab(self) -> tuple[Line, ...]:
        """Return what shared stickers of a fifth do in the lab test."""
        return self._large(LAB, [Task(SHARED, FIFTH, lab=True)])

    def _large(self, test: str, tasks: Sequence[Task]) -> tuple[Line, ...]:
        aimed = [Task(SHARED, FIFTH, NO_ENTRY, task.seed, task.lab) for task in tasks]
        row, name = f"{test}{OPTIMISED}", f"19 %, {test}"
        together = tuple(
            failures(
                [united([study[one][row], study[two][row]]) for one, two in zip(tasks, aimed, strict=True)]
            )
            for study in self.studies
        )
        return (
            self._line(f"{name}clean, not called stop", tasks, row=f"{test}{BARE}"),
            self._line(f"{name}random, not called stop", tasks, row=f"{test}{RANDOM}"),
            self._line(f"{name}made for {ANY}, not called stop", tasks, row=row),
            self._line(f"{name}made for {NO_ENTRY}, not called stop", aimed, row=row),
            self._line(f"{name}made for {NO_ENTRY}, called that", aimed, called_no_entry, row=row),
            Line(f"{name}either, not called stop", *together),
        )

    def notes(self) -> list[str]:
        """Return a sentence on every attack without a target that is weaker than one with a target."""
        found = []
        for name, study in zip(("before", "after"), self.studies, strict=True):
            for test, tasks in (("", self._seeds(SHARED, FIFTH)), (LAB, [Task(SHARED, FIFTH, lab=True)])):
                row = f"{test}{OPTIMISED}"
                aimed = [Task(SHARED, FIFTH, NO_ENTRY, task.seed, task.lab) for task in tasks]
                failed = {
                    f"made for {what}": [
                        label != answer
                        for task in own
                        for label, answer in zip(
                            study[task][row].labels, study[task][row].answers, strict=True
                        )
                    ]
                    for what, own in ((ANY, tasks), (NO_ENTRY, aimed))
                }
                worst = worst_over(failed, {f"made for {NO_ENTRY}"})
                found += [f"{name}, 19 %, {test}{note}" for note in worst.notes]
        return found

    def aims(self) -> list[str]:
        """Return for both classifiers the classes that stickers for any other class were made for."""
        return [
            ", ".join(
                study[task][OPTIMISED].note for area in (TENTH, FIFTH) for task in self._seeds(SHARED, area)
            )
            for study in self.studies
        ]

    def masking(self) -> list[str]:
        """Return what the check for masked gradients says of both classifiers."""
        return [study[Task(MASKING)][MASKING].note for study in self.studies]

    def _line(
        self,
        name: str,
        tasks: Sequence[Task],
        fails: Fails = misread,
        among: frozenset[str] | None = None,
        row: str = "",
    ) -> Line:
        before, after = (
            failures([study[task][row or task.kind] for task in tasks], among, fails)
            for study in self.studies
        )
        return Line(name, before, after)

    def _broken(
        self,
        name: str,
        tasks: Sequence[Task],
        *,
        together: bool = False,
        within: frozenset[str] | None = None,
    ) -> Line:
        found = []
        for study in self.studies:
            rows = [study[task][task.kind] for task in tasks]
            among = right(study[Task(CLEAN)][CLEAN])
            found.append(
                failures([united(rows)] if together else rows, among if within is None else among & within)
            )
        return Line(name, *found)

    def _seeds(self, kind: str, area: float) -> list[Task]:
        lab = kind == SHARED and area == FIFTH
        return [Task(kind, area, seed=seed, lab=lab and seed == 0) for seed in SEEDS]

    def _labelled(self, holds: Callable[[int], bool]) -> frozenset[str]:
        clean = self.studies[0][Task(CLEAN)][CLEAN]
        return frozenset(
            trial for trial, label in zip(clean.trials, clean.labels, strict=True) if holds(label)
        )


def curves(lines: Lines) -> dict[str, tuple[tuple[float, ...], tuple[tuple[Estimate, ...], ...]]]:
    """Return the two curves: name → (strengths, shares of each classifier)."""
    by_area = tuple(tuple(getattr(line, side).share for line in lines.areas) for side in ("before", "after"))
    by_count = tuple(
        tuple(getattr(line, side).share for line in lines.restarts.values()) for side in ("before", "after")
    )
    return {
        "areas": (tuple(100 * area for area in AREAS), by_area),
        "restarts": (tuple(map(float, lines.restarts)), by_count),
    }
