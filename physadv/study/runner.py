"""Run a study step by step, skipping each step whose inputs have not changed since it was done.

studies/NAME/steps.json holds, for each step done, a hash of its inputs and of the steps before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from physadv.errors import PhysadvError
from physadv.keeping import Kept
from physadv.locking import one_writer
from physadv.pipeline.measurement import Measurement
from physadv.progress import Reporter, silent
from physadv.report.export import write_tables
from physadv.runs import Capture, Printout
from physadv.study.file import Study, StudyError, StudyRun
from physadv.study.steps import RunStep, StepName, clear, digest, measure_run, run_steps

State = Literal["unchanged", "to run", "waiting"]

BEGUN, ALL_RUNS = "begun", "all runs"


@dataclass(frozen=True)
class Step:
    """One step of one run; its state is "waiting" until somebody has photographed the real printout."""

    run: str
    name: StepName
    state: State


@dataclass(frozen=True)
class Outcome:
    """The result of running a study: its steps with their states before, and the runs measured this time."""

    steps: tuple[Step, ...]
    measured: Mapping[str, Measurement]


class _Records:
    """What every step of every run was done with: run → step → hash of its inputs."""

    def __init__(self, study: Study, root: Path) -> None:
        self._kept = Kept(_folder(study, root) / "steps.json")
        self._done: dict[str, dict[str, str]] = self._kept.load() or {}

    def of(self, run: str) -> dict[str, str]:
        return self._done.get(run, {})

    def note(self, run: str, step: str, inputs: str) -> None:
        self._done.setdefault(run, {})[step] = inputs
        self._kept.save(self._done)


def list_steps(study: Study, root: Path) -> list[Step]:
    """Return every step of a study and whether it would be run now; nothing is run or written."""
    records = _Records(study, root)
    found = [(run.name, step) for run in study.runs for step in _steps(study, run, root, records)]
    return [Step(name, step.name, state) for name, (step, state, _) in found]


def run_study(study: Study, root: Path, reporter: Reporter = silent) -> Outcome:
    """Run every step whose inputs have changed; after a kill, the same call continues where it stopped.

    A run that this study made from other inputs is removed and made again.

    Raises:
        StudyError: a run that has real photographs would have to be removed; or a step failed, and the line
            begins with the run's name.
    """
    with one_writer(_folder(study, root)):
        return _run_steps(study, root, reporter)


def _run_steps(study: Study, root: Path, reporter: Reporter) -> Outcome:
    records = _Records(study, root)
    steps: list[Step] = []
    measured: dict[str, Measurement] = {}
    for run in study.runs:
        try:
            for step, state, inputs in _steps(study, run, root, records, reporter):
                steps.append(Step(run.name, step.name, state))
                if state != "to run":
                    continue
                reporter.say(f"-- {run.name}: {step.name}")
                with Printout(root, run.name).alone():
                    if step.name == "generate":
                        if records.of(run.name).get(BEGUN) not in (None, inputs):
                            clear(Printout(root, run.name), Capture(root, run.name))
                        records.note(run.name, BEGUN, inputs)
                    found = step.work()
                if isinstance(found, Measurement):
                    measured[run.name] = found
                records.note(run.name, step.name, inputs)
        except StudyError:
            raise
        except PhysadvError as error:
            raise StudyError(f"{run.name}: {error}") from error
    return Outcome(tuple(steps), measured)


def steps_in_words(steps: Sequence[Step], verb: str) -> str:
    """Return in lines what ran or would run, what waits for photographs and how much is unchanged."""
    lines = []
    for name in dict.fromkeys(step.run for step in steps):
        own = [step for step in steps if step.run == name]
        if to_run := [step.name for step in own if step.state == "to run"]:
            lines.append(f"{name}: {verb} {', '.join(to_run)}")
        if any(step.state == "waiting" for step in own):
            lines.append(f"{name}: waits for photographs; see 'physadv photograph {name}'")
    unchanged = sum(step.state == "unchanged" for step in steps)
    return "\n".join([*lines, f"{unchanged} of {len(steps)} steps unchanged"])


def measurements(study: Study, root: Path, outcome: Outcome) -> dict[str, Measurement]:
    """Return run → measurement of every run that does not wait for photographs, after `run_study`."""
    ready = {step.run for step in outcome.steps if step.name == "measure" and step.state != "waiting"}
    return {
        run.name: outcome.measured.get(run.name) or measure_run(study, run, root)
        for run in study.runs
        if run.name in ready
    }


def write_study_tables(study: Study, root: Path, outcome: Outcome) -> tuple[Path, ...]:
    """Write studies/NAME/tables.csv and tables.json of all runs measured, unless they are up to date.

    Returns the two files; none if nothing has been measured yet.
    """
    with one_writer(_folder(study, root)):
        records = _Records(study, root)
        inputs = digest({run.name: records.of(run.name).get("measure") for run in study.runs})
        tables = tuple(_folder(study, root) / f"tables.{fmt}" for fmt in ("csv", "json"))
        if records.of(ALL_RUNS).get("tables") == inputs and all(path.exists() for path in tables):
            return tables
        found = list(measurements(study, root, outcome).values())
        if not found:
            return ()
        for path in tables:
            write_tables(found, path.suffix.removeprefix("."), path)
        records.note(ALL_RUNS, "tables", inputs)
        return tables


def _folder(study: Study, root: Path) -> Path:
    return root / "studies" / study.name


def _steps(
    study: Study, run: StudyRun, root: Path, records: _Records, reporter: Reporter = silent
) -> Iterator[tuple[RunStep, State, str]]:
    """Yield a run's steps, the state of each, and the hash of its inputs and of the steps before.

    Steps are examined one by one: a caller that runs them has to run one before it asks for the next.
    """
    chain = ""
    for step in run_steps(study, run, root, reporter):
        chain = digest([chain, step.inputs()])
        if step.waiting():
            yield step, "waiting", chain
        elif records.of(run.name).get(step.name) == chain and step.made():
            yield step, "unchanged", chain
        else:
            yield step, "to run", chain
