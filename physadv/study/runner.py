"""A study run step by step: a step whose inputs have not changed since it was done is skipped.

studies/NAME/steps.json keeps what each step was done with: a hash of its inputs and of the steps before.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from physadv.errors import PhysadvError
from physadv.files import replacing
from physadv.pipeline.measure import Measurement
from physadv.progress import Reporter, silent
from physadv.report.export import write_tables
from physadv.runs import Capture, Printout
from physadv.study.file import Study, StudyError, StudyRun
from physadv.study.steps import RunStep, Stage, clear, digest, measure_run, run_steps

State = Literal["unchanged", "to run", "waiting"]

BEGUN, ALL_RUNS = "begun", "all runs"


@dataclass(frozen=True)
class Step:
    """One stage of one run; `state` is "waiting" where photographs of a real printout are not there yet."""

    run: str
    stage: Stage
    state: State


@dataclass(frozen=True)
class Outcome:
    """What running a study came to: its steps, run or left out, and the runs measured on the way."""

    steps: tuple[Step, ...]
    measured: Mapping[str, Measurement]


class _Records:
    """What every step of every run was done with: run → stage → hash of its inputs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._done: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
        except ValueError as error:
            raise StudyError(f"{path}: not a JSON file ({error}); delete it, nothing else is lost") from error

    def of(self, run: str) -> dict[str, str]:
        """Return what is known of a run, which is nothing of one that the study has not begun."""
        return self._done.get(run, {})

    def note(self, run: str, stage: str, inputs: str) -> None:
        """Keep what a step was done with."""
        self._done.setdefault(run, {})[stage] = inputs
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(self._done, indent=1, sort_keys=True) + "\n")


def choose(study: Study, pattern: str) -> Study:
    """Return the study with those of its runs whose name fits a pattern such as `*-bim-16`.

    Raises:
        StudyError: none fits.
    """
    chosen = tuple(run for run in study.runs if fnmatchcase(run.name, pattern))
    if not chosen:
        raise StudyError(
            f"only '{pattern}': fits none of {len(study.runs)} runs; the first is {study.runs[0].name}"
        )
    return Study(study.name, study.seed, chosen)


def plan_study(study: Study, root: Path) -> list[Step]:
    """Return every step of a study and whether it would be run now; changes nothing."""
    records = _Records(_folder(study, root) / "steps.json")
    return [
        Step(run.name, step.stage, state)
        for run in study.runs
        for step, state, _ in _steps(study, run, root, records, silent)
    ]


def run_study(study: Study, root: Path, reporter: Reporter = silent) -> Outcome:
    """Run what has changed of a study and return what was done; a killed one goes on where it was.

    Runs that this study has made with other inputs are made anew.

    Raises:
        StudyError: a run would have to be made anew of which there are real photographs; or a stage has
            failed, and the line begins with the run's name.
    """
    records = _Records(_folder(study, root) / "steps.json")
    steps: list[Step] = []
    measured: dict[str, Measurement] = {}
    for run in study.runs:
        try:
            for step, state, inputs in _steps(study, run, root, records, reporter):
                steps.append(Step(run.name, step.stage, state))
                if state == "to run":
                    reporter.say(f"-- {run.name}: {step.stage}")
                    if step.stage == "generate":
                        _begin(run, root, records, inputs)
                    found = step.work()
                    if isinstance(found, Measurement):
                        measured[run.name] = found
                    records.note(run.name, step.stage, inputs)
        except StudyError:
            raise
        except PhysadvError as error:
            raise StudyError(f"{run.name}: {error}") from error
    return Outcome(tuple(steps), measured)


def in_words(steps: Sequence[Step], verb: str) -> str:
    """Return what was or would be run, what waits for photographs, and how much is unchanged, in lines."""
    lines = []
    for name in dict.fromkeys(step.run for step in steps):
        own = [step for step in steps if step.run == name]
        to_run = [step.stage for step in own if step.state == "to run"]
        if to_run:
            lines.append(f"{name}: {verb} {', '.join(to_run)}")
        if any(step.state == "waiting" for step in own):
            lines.append(f"{name}: waits for photographs; see 'physadv photograph {name}'")
    unchanged = sum(step.state == "unchanged" for step in steps)
    return "\n".join([*lines, f"{unchanged} of {len(steps)} steps unchanged"])


def measurements(study: Study, root: Path, outcome: Outcome) -> dict[str, Measurement]:
    """Return run → what was measured, of every run of a study that could be, after `run_study`."""
    ready = {step.run for step in outcome.steps if step.stage == "measure" and step.state != "waiting"}
    return {
        run.name: outcome.measured.get(run.name) or measure_run(study, run, root)
        for run in study.runs
        if run.name in ready
    }


def write_study_tables(study: Study, root: Path, outcome: Outcome) -> tuple[Path, ...]:
    """Write studies/NAME/tables.csv and tables.json of all runs measured, where they are not up to date.

    Returns:
        The files, none where nothing is measured yet.
    """
    records = _Records(_folder(study, root) / "steps.json")
    inputs = digest({run.name: records.of(run.name).get("measure") for run in study.runs})
    tables = tuple(_folder(study, root) / f"tables.{form}" for form in ("csv", "json"))
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
    study: Study, run: StudyRun, root: Path, records: _Records, reporter: Reporter
) -> Iterator[tuple[RunStep, State, str]]:
    """Yield a run's steps, whether each has to be run as things stand, and the hash of its inputs.

    The caller runs a step before it asks for the next, or none at all.
    """
    chain = ""
    for step in run_steps(study, run, root, reporter):
        chain = digest([chain, step.inputs()])
        if step.waiting():
            yield step, "waiting", chain
        elif records.of(run.name).get(step.stage) == chain and step.made():
            yield step, "unchanged", chain
        else:
            yield step, "to run", chain


def _begin(run: StudyRun, root: Path, records: _Records, inputs: str) -> None:
    """Begin a run, after removing what this study has made of other inputs under its name."""
    if records.of(run.name).get(BEGUN) not in (None, inputs):
        clear(Printout(root, run.name), Capture(root, run.name))
    records.note(run.name, BEGUN, inputs)
