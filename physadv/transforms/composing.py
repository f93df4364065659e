"""Distributions composed in TOML: a list of `[[transform]]` tables, each a kind and its ranges.

A range is a number, `[low, high]` or `{ low = 1, high = 3.5, spacing = "reciprocal" }`. Neighbouring tables
with `light = "linear"` see linear light instead of sRGB.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from physadv.errors import unknown_name
from physadv.transforms.bending import Deformation
from physadv.transforms.colours import Photometry
from physadv.transforms.jpeg import Jpeg
from physadv.transforms.light import in_linear_light
from physadv.transforms.noise import Sensor
from physadv.transforms.optics import Optics
from physadv.transforms.printing import Ink
from physadv.transforms.protocol import Transformation, TransformError, compose
from physadv.transforms.ranges import Range, Spacing, fixed
from physadv.transforms.resolution import Resolution
from physadv.transforms.surrogates import Rounding
from physadv.transforms.warps import Warp

KINDS: dict[str, Callable[..., Transformation]] = {
    "ink": Ink,
    "jpeg": Jpeg,
    "optics": Optics,
    "photometry": Photometry,
    "resolution": Resolution,
    "rounding": Rounding,
    "sensor": Sensor,
    "warp": Warp,
}


def load_composition(path: str | Path) -> Transformation:
    """Return the distribution that a TOML file composes.

    Raises:
        TransformError: one line naming file, table and key: the file cannot be read or parsed, has no
            transform, an unknown kind or key (the nearest are named), or an impossible range.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise TransformError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TransformError(f"{path}: not UTF-8 text") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TransformError(f"{path}: {error}") from error
    try:
        return compose_tables(document)
    except TransformError as error:
        raise TransformError(f"{path}: {error}") from error


def compose_tables(document: Mapping[str, Any]) -> Transformation:
    """Return the distribution that a parsed document composes; see `load_composition`."""
    for key in document:
        if key != "transform":
            raise TransformError(unknown_name("key", key, ["transform"]))
    tables = document.get("transform")
    if not isinstance(tables, list) or not tables:
        raise TransformError("no transform; wanted at least one [[transform]] table")
    parts = [_part(table, f"transform {number}") for number, table in enumerate(tables, start=1)]
    composed: list[Transformation] = []
    for linear, group in groupby(parts, key=lambda part: part[0]):
        members = [part for _, part in group]
        composed += [in_linear_light(*members)] if linear else members
    return compose(*composed)


def _part(table: object, where: str) -> tuple[bool, Transformation]:
    """Return whether a table's transformation sees linear light, and the transformation."""
    if not isinstance(table, Mapping):
        raise TransformError(f"{where}: {table!r}; wanted a table")
    values = dict(table)
    kind, light = values.pop("kind", None), values.pop("light", "srgb")
    if kind is None:
        raise TransformError(f"{where}: no kind; wanted one of {', '.join(KINDS)}")
    if not isinstance(kind, str) or kind not in KINDS:
        raise TransformError(f"{where}: {unknown_name('kind', str(kind), KINDS)}")
    if light not in ("srgb", "linear"):
        raise TransformError(f"{where} ({kind}), light: {light!r}; wanted srgb or linear")
    return light == "linear", _build(KINDS[kind], values, f"{where} ({kind})")


def _build(kind: Callable[..., Any], values: Mapping[str, Any], where: str) -> Any:
    known = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise TransformError(
                f"{where}: {unknown_name('key', key, known) if known else f'takes no {key}'}"
            )
        arguments[key] = _argument(key, known[key], value, f"{where}, {key}")
    if kind is Jpeg and "quality" not in arguments:
        raise TransformError(f"{where}: no quality; wanted a range from 1 to 100")
    if kind is Resolution and "height" not in arguments:
        raise TransformError(f"{where}: no height; wanted a range of pixels")
    try:
        return kind(**arguments)
    except TransformError as error:
        raise TransformError(f"{where}: {error}") from error


def _argument(key: str, wanted: object, value: object, where: str) -> object:
    if wanted in (Range, Range | None):
        return _range(value, where)
    if wanted in (bool, int):
        if type(value) is not wanted:
            raise TransformError(
                f"{where}: {value!r}; wanted {'true or false' if wanted is bool else 'a number'}"
            )
        return value
    if key == "deformation":
        if not isinstance(value, Mapping):
            raise TransformError(f"{where}: {value!r}; wanted a table")
        return _build(Deformation, value, where)
    return tuple(value) if isinstance(value, list) else value


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
