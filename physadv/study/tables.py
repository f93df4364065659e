"""The tables of a study's TOML file, their keys and types. Files and names are looked up elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from physadv.errors import unknown_name
from physadv.pipeline.settings import GenerateSettings
from physadv.runs import Colour
from physadv.sheets.layout import IMAGE

Texts = Annotated[list[str], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ImageTable(_Table):
    """`[images]`: the source images of every run.

    Attributes:
        path: folder, CSV file or class tree.
        limit: how many pairs to make; all by default.
    """

    path: str
    limit: int | None = Field(default=None, ge=1)


class ModelTable(_Table):
    """`[models.NAME]`: a classifier.

    Attributes:
        spec: as `--model` takes it.
        labels: text file of class names, one a line.
        size: images are reduced to this many pixels a side.
    """

    spec: str
    labels: str | None = None
    size: int = Field(default=299, ge=16)


class PhotographTable(_Table):
    """`[runs.photographs]`: how examples are printed, photographed and cropped.

    Attributes:
        source: "simulated" photos of the virtual phone, or "real" ones that somebody takes.
        phone: preset of the virtual phone: the situation.
        device: phone that takes the photos, a name or a TOML file; the preset's own by default.
        profile: file of a measured printer and phone, in place of the preset's.
        printer: printer of the package that prints the sheets; the preset's own by default.
        shots: how many simulated photos of each sheet to take.
        page: name of a paper size.
        image_mm: side of a printed image, mm.
        colour: crops "photographed" as they are or "corrected" by the sheet's colour bars.
    """

    source: Literal["simulated", "real"] = "simulated"
    phone: str = "office"
    profile: str | None = None
    device: str | None = None
    printer: str | None = None
    shots: int = Field(default=1, ge=1)
    page: str = "a4"
    image_mm: float = Field(default=IMAGE, ge=10)
    colour: Colour = "photographed"


class RunsKeys(_Table):
    """`[[runs]]`: one run of every combination of models, attacks, eps, presets and targets.

    Attributes:
        name: becomes part of the runs' names.
        models: names of `[models.NAME]` tables.
        attacks: names of attacks.
        eps: budgets in 8-bit levels; the attack's own by default.
        presets: EOT presets or TOML files; the attack's own by default.
        profile: file of a measured printer and phone, in place of presets.
        targets: classes to reach, as `--target` takes them.
        transforms: digital transformations to measure.
        sweeps: sets of digital transformations to measure.
        photographs: how the examples are printed and photographed; not at all by default.
    """

    name: str | None = None
    models: Texts
    attacks: Texts
    eps: Annotated[list[int], Field(min_length=1)] | None = None
    presets: Texts | None = None
    profile: str | None = None
    targets: Texts = ["none"]
    transforms: list[str] = []
    sweeps: list[str] = []
    photographs: PhotographTable | None = None

    def options(self) -> dict[str, Any]:
        """Return the options of `generate` among the keys: name → value."""
        return {name: getattr(self, name) for name in _OPTIONS}


_ELSEWHERE = {
    *("images", "limit", "model", "labels", "size", "seed"),
    *("attack", "eps", "transforms", "profile", "target"),
}
"""Options of `generate` that a study gives under other keys or in other tables."""
_HINTS = get_type_hints(GenerateSettings)
_OPTIONS: dict[str, Any] = {
    field.name: (_HINTS[field.name], field.default)
    for field in fields(GenerateSettings)
    if field.name not in _ELSEWHERE
}

RunsTable = create_model("RunsTable", __base__=RunsKeys, **_OPTIONS)
"""`[[runs]]`, with every option of `generate` that is not given elsewhere."""


class StudyTable(_Table):
    """The whole file."""

    name: str
    seed: int = 0
    images: ImageTable
    models: dict[str, ModelTable] = Field(min_length=1)
    runs: list[RunsTable] = Field(min_length=1)  # type: ignore[valid-type]


_TABLES: Mapping[str, type[_Table]] = {
    "images": ImageTable,
    "models": ModelTable,
    "photographs": PhotographTable,
    "runs": RunsTable,
}


def first_fault(error: ValidationError) -> str:
    """Return the first fault as "table, key: value; wanted …"."""
    fault = error.errors()[0]
    *tables, key = fault["loc"]
    if isinstance(key, int):
        *tables, name = tables
        key = f"{name} {key + 1}"
    where = " ".join(str(part + 1) if isinstance(part, int) else f", {part}" for part in tables)
    where = where.removeprefix(", ").replace(" ,", ",").replace("models, ", "models ")
    before = f"{where}: " if where else ""
    match fault["type"]:
        case "extra_forbidden":
            named = [_TABLES[part] for part in tables if isinstance(part, str) and part in _TABLES]
            known = (named[-1] if named else StudyTable).model_fields
            return before + unknown_name("key", str(key), known)
        case "missing":
            return f"{before}no {key}; wanted one"
    wanted = re.sub(r"^(Input|List|Dictionary) should (be|have) ", "", fault["msg"])
    return f"{f'{where}, ' if where else ''}{key}: {fault['input']!r}; wanted {wanted}"
