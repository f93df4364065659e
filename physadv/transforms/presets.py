"""EOT distributions in TOML: those that come with the package, by name, and users' own.

A file lists `[[transform]]` tables, each a kind and its ranges: a number, `[low, high]` or `{ low = 1,
high = 3.5, spacing = "reciprocal" }`. `source` says where these come from, `base` names a distribution of the
package whose transforms come first. Neighbours with `light = "linear"` see linear light instead of sRGB.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import cast

from physadv.errors import unknown_name
from physadv.toml_tables import Reader, build, exactly, read_preset
from physadv.transforms.distributions import Jpeg, Optics, Photometry, Press, Resolution, Sensor
from physadv.transforms.protocol import (
    Identity,
    Range,
    Rounding,
    Spacing,
    Transformation,
    TransformError,
    compose,
    fixed,
    in_linear_light,
)
from physadv.transforms.warps import Deformation, Warp

_CLASSES = (Identity, Jpeg, Optics, Photometry, Press, Resolution, Rounding, Sensor, Warp)
KINDS: dict[str, Callable[..., Transformation]] = {kind.__name__.lower(): kind for kind in _CLASSES}
_FOLDER = Path(__file__).with_name("preset_files")
_KEYS = ("base", "source", "transform")


@dataclass(frozen=True)
class Preset:
    """A named EOT distribution.

    Attributes:
        name: as `--transforms` takes it.
        source: the paper or measurement its ranges come from.
        distribution: over transformations.
    """

    name: str
    source: str
    distribution: Transformation


def load_preset(name: str) -> Transformation:
    """Return the EOT distribution called `name`, or the one that a file `NAME.toml` composes.

    Raises:
        TransformError: one line: there is no preset of that name, the nearest are named; or the file cannot
            be read or parsed, has no transform, an unknown kind or key (the nearest are named), or an
            impossible range.

    >>> import torch
    >>> eot = load_preset("kurakin-digital")
    >>> draws = eot.sample(4, torch.Generator().manual_seed(0))
    >>> eot.apply(torch.rand(4, 3, 32, 32), draws).shape
    torch.Size([4, 3, 32, 32])
    """
    if name.lower().endswith(".toml"):
        return _read(name).distribution
    if name not in PRESETS:
        raise TransformError(unknown_name("preset", name, PRESETS))
    return PRESETS[name].distribution


def _read(path: str | Path) -> Preset:
    source, parts = _parts(path)
    composed: list[Transformation] = []
    for linear, group in groupby(parts, key=lambda part: part[0]):
        members = [part for _, part in group]
        composed += [in_linear_light(*members)] if linear else members
    whole = composed[0] if len(composed) == 1 else compose(*composed)
    return Preset(Path(path).stem, source, whole)


def _parts(path: str | Path) -> tuple[str, list[tuple[bool, Transformation]]]:
    """Return a file's source, and each transformation after whether it sees linear light."""
    document, base = read_preset(path, _FOLDER, _KEYS, TransformError)
    parts = _parts(base)[1] if base else []
    tables = document.get("transform")
    if not isinstance(tables, list) or not tables:
        raise TransformError(f"{path}: no transform; wanted at least one [[transform]] table")
    parts += [_part(table, f"{path}: transform {number}") for number, table in enumerate(tables, start=1)]
    return document.get("source", ""), parts


def _part(table: object, where: str) -> tuple[bool, Transformation]:
    if not isinstance(table, dict):
        raise TransformError(f"{where}: {table!r}; wanted a table")
    values = dict(table)
    kind, light = values.pop("kind", None), values.pop("light", "srgb")
    if kind is None:
        raise TransformError(f"{where}: no kind; wanted one of {', '.join(KINDS)}")
    if not isinstance(kind, str) or kind not in KINDS:
        raise TransformError(f"{where}: {unknown_name('kind', str(kind), KINDS)}")
    if light not in ("srgb", "linear"):
        raise TransformError(f"{where} ({kind}), light: {light!r}; wanted srgb or linear")
    return light == "linear", build(KINDS[kind], values, f"{where} ({kind})", TransformError, _READERS)


def _range(value: object, where: str) -> Range:
    try:
        match value:
            case bool():
                pass
            case int() | float():
                return fixed(value)
            case [int() | float() as low, int() | float() as high]:
                return Range(low, high)
            case {
                "low": int() | float() as low,
                "high": int() | float() as high,
                "spacing": str() as spacing,
            }:
                return Range(low, high, cast(Spacing, spacing))
    except TransformError as error:
        raise TransformError(f"{where}: {error}") from error
    raise TransformError(f"{where}: {value!r}; wanted a number, [low, high] or {{low, high, spacing}}")


def _names(value: object, where: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TransformError(f"{where}: {value!r}; wanted a name or a list of names")
    return tuple(names)


_READERS: dict[str, Reader] = {
    "Range": _range,
    "Range | None": _range,
    "Deformation | None": lambda value, where: build(Deformation, value, where, TransformError, _READERS),
    "tuple[str, ...]": _names,
    "bool": exactly(bool, "true or false", TransformError),
    "int": exactly(int, "a whole number", TransformError),
}

PRESETS: dict[str, Preset] = {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.toml"))}
"""The distributions of the package by name."""
