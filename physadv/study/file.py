"""Read a study from one TOML file: every run that it asks for, with all its settings.

Nothing is run here. Mistakes that can be found before an image is read are found here.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from physadv.attacks.recipes import find_recipe
from physadv.classifiers.specs import runs_code
from physadv.errors import PhysadvError, unknown_name
from physadv.phone.presets import load_device, load_phone_preset
from physadv.phone.printers import named_printer
from physadv.pipeline.settings import GenerateSettings, resolve
from physadv.profiles import read_profile
from physadv.runs.folders import check_name
from physadv.sheets.layout import PAGES
from physadv.study.tables import PhotographTable, RunsKeys, StudyTable, first_fault
from physadv.toml_tables import read_toml
from physadv.transforms import parse_sweep, parse_transform


class StudyError(PhysadvError):
    """A study's file has a fault, or the study cannot go on."""


@dataclass(frozen=True)
class StudyRun:
    """One run: how its examples are made, and what is then done with them.

    Attributes:
        name: name of its folders.
        model: name of its classifier in the file.
        photographs: how it is printed and photographed; None if it is not.
    """

    name: str
    model: str
    settings: GenerateSettings
    transforms: tuple[str, ...]
    sweeps: tuple[str, ...]
    photographs: PhotographTable | None


@dataclass(frozen=True)
class Study:
    """Runs that are made and measured together, in the file's order; their names begin with the study's."""

    name: str
    seed: int
    runs: tuple[StudyRun, ...]


def read_study(path: Path, data: Path | None = None, trusted: Collection[str] = ()) -> Study:
    """Return the study that a TOML file describes.

    The file may be a stranger's: code that it names is refused, unless it is named here too.

    Args:
        path: the TOML file.
        data: folder that the paths in the file are relative to; the file's own folder by default.
        trusted: functions and programs that may run, `python:module:function` and `file:PATH`, each written
            as it is in the file.

    Raises:
        StudyError: the file is not TOML, a key is missing or unknown, a value is out of range, a file does
            not exist, two runs have one name, or it names code that is not trusted; one line that names
            file, table and key.
    """
    try:
        tables = StudyTable.model_validate(read_toml(path, StudyError))
    except ValidationError as error:
        raise StudyError(f"{path}: {first_fault(error)}") from error
    return _Reader(path, data or path.parent, tables, trusted).study()


def select_runs(study: Study, pattern: str) -> Study:
    """Return the study with only the runs whose names match a pattern such as `*-bim-16`.

    Raises:
        StudyError: none fits.
    """
    chosen = tuple(run for run in study.runs if fnmatchcase(run.name, pattern))
    if not chosen:
        raise StudyError(
            f"only '{pattern}': fits none of {len(study.runs)} runs; the first is {study.runs[0].name}"
        )
    return Study(study.name, study.seed, chosen)


@dataclass(frozen=True)
class _Reader:
    """Checks the tables of one file and turns them into runs."""

    path: Path
    data: Path
    tables: StudyTable
    trusted: Collection[str]

    def study(self) -> Study:
        self._check("name", check_name, self.tables.name)
        self._file("images, path", self.tables.images.path)
        for name, model in self.tables.models.items():
            self._check(f"models {name}", check_name, name)
            self._spec(f"models {name}, spec", model.spec)
            if model.labels is not None:
                self._file(f"models {name}, labels", model.labels)
        self._check_code()
        found: dict[str, tuple[int, StudyRun]] = {}
        for number, table in enumerate(self.tables.runs, start=1):
            self._check_runs(f"runs {number}", table)
            for run in self._runs(f"runs {number}", table):
                if run.name in found:
                    twice = f"makes '{run.name}' as runs {found[run.name][0]} does; wanted another name"
                    raise self._fault(f"runs {number}, name", twice)
                found[run.name] = number, run
        return Study(self.tables.name, self.tables.seed, tuple(run for _, run in found.values()))

    def _check_code(self) -> None:
        """Refuse code that nobody trusts, before an attack is looked up: that runs the packages around it."""
        tables: list[RunsKeys] = [*self.tables.runs]
        attacks = [attack for table in tables for attack in table.attacks]
        named = dict.fromkeys([*(model.spec for model in self.tables.models.values()), *attacks])
        if code := [spec for spec in named if runs_code(spec) and spec not in self.trusted]:
            listed, them = ", ".join(f"'{spec}'" for spec in code), "it" if len(code) == 1 else "them"
            options = " ".join(f"--trust '{spec}'" for spec in code)
            raise StudyError(f"{self.path}: names code to run, {listed}; if you trust {them}: {options}")

    def _check_runs(self, where: str, table: RunsKeys) -> None:
        for name in table.models:
            if name not in self.tables.models:
                raise self._fault(f"{where}, models", unknown_name("model", name, self.tables.models))
        if table.name is not None:
            self._check(f"{where}, name", check_name, table.name)
        for key, check, values in (
            ("attacks", find_recipe, table.attacks),
            ("transforms", parse_transform, table.transforms),
            ("sweeps", parse_sweep, table.sweeps),
        ):
            for value in values:
                self._check(f"{where}, {key}", check, value)
        if not (table.transforms or table.sweeps or table.photographs):
            raise self._fault(where, "nothing to measure; wanted photographs, sweeps or transforms")
        if table.photographs:
            phone = self._preset(table.photographs.phone)
            self._check(f"{where}, photographs, phone", load_phone_preset, phone)
            if table.photographs.device:
                device = self._preset(table.photographs.device)
                self._check(f"{where}, photographs, device", load_device, device)
            if table.photographs.profile:
                measured = self._file(f"{where}, photographs, profile", table.photographs.profile)
                self._check(f"{where}, photographs, profile", read_profile, measured)
            if table.photographs.printer:
                self._check(f"{where}, photographs, printer", named_printer, table.photographs.printer)
            if table.photographs.page not in PAGES:
                cause = unknown_name("page", table.photographs.page, PAGES)
                raise self._fault(f"{where}, photographs, page", cause)

    def _runs(self, where: str, table: RunsKeys) -> list[StudyRun]:
        budgets: Sequence[int | None] = table.eps or [None]
        presets: Sequence[str | None] = table.presets or [None]
        grid = product(table.models, table.attacks, budgets, presets, table.targets)
        options, measured = table.options(), (tuple(table.transforms), tuple(table.sweeps))
        if photographs := table.photographs:
            device = photographs.device and self._preset(photographs.device)
            changed = {"phone": self._preset(photographs.phone), "device": device}
            if photographs.profile:
                changed["profile"] = str(self.data / photographs.profile)
            photographs = photographs.model_copy(update=changed)
        found = []
        for name, attack, eps, preset, target in grid:
            recipe, model = find_recipe(attack), self.tables.models[name]
            parts = (
                *(self.tables.name, table.name, name, attack, recipe.eps if eps is None else eps),
                preset and Path(preset).stem,
                target if target != "none" else None,
                "prefiltered" if options["prefilter"] else None,
            )
            joined = "-".join(str(part) for part in parts if part is not None)
            settings = GenerateSettings(
                images=self.data / self.tables.images.path,
                model=self._spec(f"models {name}, spec", model.spec),
                labels=None if model.labels is None else self.data / model.labels,
                attack=attack,
                eps=eps,
                transforms=None if preset is None else self._preset(preset),
                profile=None if table.profile is None else self._file(f"{where}, profile", table.profile),
                target=target,
                size=model.size,
                limit=self.tables.images.limit,
                seed=self.tables.seed,
                **options,
            )
            self._check(where, resolve, settings)
            run_name = re.sub(r"[^A-Za-z0-9._-]+", "-", joined)[:100]
            found.append(StudyRun(run_name, name, settings, *measured, photographs))
        return found

    def _spec(self, where: str, spec: str) -> str:
        """Return a classifier's spec with the path in it, if it has one, made relative to the data."""
        before, sign, file = spec.partition(":" if spec.startswith("file:") else "@")
        return f"{before}{sign}{self._file(where, file)}" if sign else spec

    def _preset(self, preset: str) -> str:
        return str(self.data / preset) if preset.lower().endswith(".toml") else preset

    def _file(self, where: str, name: str) -> Path:
        path = self.data / Path(name).expanduser()
        if not path.exists():
            raise self._fault(where, f"'{name}': not found in {self.data}; --data says where the data are")
        return path

    def _check(self, where: str, check: Callable[[Any], object], value: object) -> None:
        try:
            check(value)
        except PhysadvError as error:
            raise self._fault(where, str(error)) from error

    def _fault(self, where: str, cause: str) -> StudyError:
        return StudyError(f"{self.path}: {where}: {cause}")
