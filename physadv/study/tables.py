"""What a study's TOML file may say: its tables, their keys and types; files and names are not looked up."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from physadv.errors import unknown_name
from physadv.runs import Colour
from physadv.sheets.layout import IMAGE

Texts = Annotated[list[str], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ImageTable(_Table):
    """`[images]`: a folder, CSV file or class tree, and how many pairs to make of it, all by default."""

    path: str
    limit: int | None = Field(default=None, ge=1)


class ModelTable(_Table):
    """`[models.NAME]`: a classifier, its class names if they are in a file, and the side of its images."""

    spec: str
    labels: str | None = None
    size: int = Field(default=299, ge=16)


class PhotographTable(_Table):
    """`[runs.photographs]`: how examples are printed, photographed and cropped.

    `phone` and `shots` are of simulated photos.
    """

    source: Literal["simulated", "real"] = "simulated"
    phone: str = "office"
    shots: int = Field(default=1, ge=1)
    page: str = "a4"
    image_mm: float = Field(default=IMAGE, ge=10)
    colour: Colour = "photographed"


class RunsTable(_Table):
    """`[[runs]]`: one run of every combination of models, attacks, eps, presets and targets.

    `name` becomes part of the runs' names. Without eps or presets an attack takes its own.
    """

    name: str | None = None
    models: Texts
    attacks: Texts
    eps: Annotated[list[int], Field(min_length=1)] | None = None
    presets: Texts | None = None
    targets: Texts = ["none"]
    area: float | None = None
    steps: int | None = Field(default=None, ge=1)
    samples: int | None = Field(default=None, ge=1)
    goal: float | None = Field(default=None, gt=0, le=1)
    prefilter: bool = False
    batch: int = Field(default=16, ge=1)
    transforms: list[str] = []
    sweeps: list[str] = []
    photographs: PhotographTable | None = None


class StudyTable(_Table):
    """The whole file."""

    name: str
    seed: int = 0
    images: ImageTable
    models: dict[str, ModelTable] = Field(min_length=1)
    runs: list[RunsTable] = Field(min_length=1)


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
