"""manifest.json: what was made, from what, how, and where it stands on paper; readable by a person."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from physadv.files import read_text, replacing
from physadv.runs.folders import FILE_NAME, RunError, not_made
from physadv.sheets.layout import Sheet
from physadv.text import without_home

SCHEMA_VERSION = 1
FileName = Annotated[str, Field(pattern=f"^{FILE_NAME}$")]
PathInside = Annotated[str, Field(pattern=f"^{FILE_NAME}(/{FILE_NAME})*$")]
"""A path with slashes that cannot leave the folder it is relative to."""
Public = Annotated[str, AfterValidator(without_home)]
"""A text as the user gave it, whose paths do not name the home folder: manifests are published."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Prediction(_Record):
    """One of a classifier's top five.

    Attributes:
        label: index of the class.
        name: name of the class.
        probability: its probability.
    """

    label: int
    name: str
    probability: float


class HeldOut(_Record):
    """Success on a fixed set of transformation draws that the attack did not see.

    Attributes:
        draws: number of draws.
        success: share of them classified as the target or, without a target, not as the label.
    """

    draws: int
    success: float


class Example(_Record):
    """One image to be printed.

    Attributes:
        id: unique name of the example in its run.
        pair: name of its pair, shared by the clean and the adversarial example of one source.
        kind: whether it is the clean or the adversarial one.
        path: file of the image, relative to the manifest.
        sha256: hash of the file.
        size_px: width and height.
        source: display name of the source image.
        label: index of the true class.
        label_name: name of the true class.
        target: index of the class that the attack aimed at, None for an untargeted one.
        held_out: success on transformations that the attack did not see, if measured.
        digital: the classifier's top five on the file.
    """

    id: FileName
    pair: FileName
    kind: Literal["clean", "adversarial"]
    path: PathInside
    sha256: str
    size_px: tuple[int, int]
    source: Public
    label: int
    label_name: str
    target: int | None = None
    held_out: HeldOut | None = None
    digital: tuple[Prediction, ...] = Field(min_length=1)


class ClassifierRecord(_Record):
    """Which classifier the examples were made against."""

    spec: Public
    labels_file: Public | None = None
    classes: int


class AttackRecord(_Record):
    """Which attack made the adversarial examples.

    Attributes:
        name: name of the attack.
        eps: budget in 8-bit levels, None for an attack without one.
        parameters: all its other settings.
    """

    name: str
    eps: Annotated[int, Field(ge=1)] | None
    parameters: dict[str, Public | int | float | None] = Field(default_factory=dict)

    @property
    def norm(self) -> str:
        """Return the norm of its budget, or of what it keeps small."""
        return str(self.parameters.get("norm", "L∞"))

    @property
    def budget(self) -> str:
        """Return its budget in words: "eps 16", "L2 eps 765", "10 % of the area" or "no eps".

        Of images made elsewhere it is what they were measured to differ by: "L-inf 16 measured".
        """
        if (measured := self.parameters.get("measured_linf")) is not None:
            return f"L-inf {measured} measured"
        if self.eps is not None:
            return f"eps {self.eps}" if self.norm == "L∞" else f"{self.norm} eps {self.eps}"
        area = self.parameters.get("area")
        return "no eps" if area is None else f"{100 * float(area):g} % of the area"


class Selection(_Record):
    """How the pairs were chosen.

    Attributes:
        images: path of the source images, as it was given.
        limit: number of pairs wanted, None for all.
        prefiltered: whether only pairs of the prefiltered case were kept.
        candidates: images that were considered.
        labels: whether true labels were given, or are the classifier's own answers.
    """

    images: Public
    limit: int | None
    prefiltered: bool
    candidates: int
    labels: Literal["given", "predicted"]


class Precompensation(_Record):
    """How pictures were printed in other colours than their files have, to be photographed as these.

    Attributes:
        profile: file of the measured printer and phone.
        profile_name: name in that file.
        profile_checksum: checksum of that file.
        profile_photos: number of photos that it rests on.
        delta_e: mean CIEDE2000 of the pictures as they should be photographed, by the profile.
        delta_e_p95: 95th percentile of the same.
        delta_e_before: mean CIEDE2000 of the pictures printed as they are, by the profile.
    """

    profile: Public
    profile_name: str
    profile_checksum: str
    profile_photos: str
    delta_e: float
    delta_e_p95: float
    delta_e_before: float

    def __str__(self) -> str:
        return (
            f"precompensated by {self.profile} ({self.profile_name}#{self.profile_checksum[:6]}, photos: "
            f"{self.profile_photos}), which predicts ΔE2000 {self.delta_e:.1f} mean, {self.delta_e_p95:.1f} "
            f"95th percentile, and {self.delta_e_before:.1f} mean without"
        )


class Manifest(_Record):
    """A run: everything a later stage needs to know, and everything needed to make it again."""

    schema_version: int = SCHEMA_VERSION
    name: FileName
    code: str
    seed: int
    classifier: ClassifierRecord
    attack: AttackRecord
    selection: Selection
    versions: dict[str, str]
    examples: tuple[Example, ...]
    sheets: tuple[Sheet, ...] = ()
    precompensation: Precompensation | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Check what an editor's hand breaks first: pairs of two, and cells of examples there are."""
        kinds: dict[str, list[str]] = defaultdict(list)
        for example in self.examples:
            kinds[example.pair].append(example.kind)
        for pair, found in kinds.items():
            if sorted(found) != ["adversarial", "clean"]:
                raise ValueError(f"pair {pair} has {' and '.join(found)}, wanted clean and adversarial")
        known = {example.id for example in self.examples}
        for sheet in self.sheets:
            if "-" not in sheet.code:
                raise ValueError(f"sheet {sheet.index + 1} has the code '{sheet.code}', which names no run")
            for cell in sheet.cells:
                if cell.example not in known:
                    raise ValueError(f"sheet {sheet.index + 1} shows an unknown example '{cell.example}'")
        return self

    @property
    def printed_code(self) -> str | None:
        """Return the run's code as the sheets carry it, None before they are laid out."""
        return self.sheets[0].code.split("-")[1] if self.sheets else None

    @property
    def image_mm(self) -> float | None:
        """Return the longer side of the largest picture on paper, mm, None before they are laid out."""
        sides = [side for sheet in self.sheets for cell in sheet.cells for side in cell.box_mm[2:]]
        return max(sides, default=None)

    def pairs(self) -> list[tuple[Example, Example]]:
        """Return (clean, adversarial) of every source image, in order."""
        clean = {example.pair: example for example in self.examples if example.kind == "clean"}
        return [(clean[e.pair], e) for e in self.examples if e.kind == "adversarial"]

    def example(self, id: str) -> Example:  # noqa: A002 - the field's own name
        """Return an example by its id."""
        return next(example for example in self.examples if example.id == id)

    def write(self, path: Path) -> None:
        """Write the manifest, whole or not at all; one that `read_manifest` would refuse raises RunError."""
        unused = {"precompensation"} if self.precompensation is None else None
        text = self.model_dump_json(indent=1, exclude=unused) + "\n"
        _parsed(text, path)
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def read_manifest(path: Path) -> Manifest:
    """Return a manifest.

    Raises:
        RunError: it is not there, no JSON, of a newer schema, or does not have the fields it must have.
    """
    try:
        return _parsed(read_text(path), path)
    except FileNotFoundError as error:
        raise not_made(path) from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path}: not a JSON file ({error})") from error


def _parsed(text: str, path: Path) -> Manifest:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: not a JSON file ({error})") from error
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RunError(f"{path}: schema version {version} is newer than {SCHEMA_VERSION}; update physadv")
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "examples"
        raise RunError(f"{path}: {place}: {first['msg']} ({error.error_count()} faults)") from error
