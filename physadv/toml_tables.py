"""TOML files that describe dataclasses: a table's keys are the fields, and every fault is one line."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from physadv.errors import PhysadvError, first_line, unknown_name
from physadv.files import read_text

T = TypeVar("T")
Reader = Callable[[object, str], object]
"""Makes a field's value of a TOML value; the text says where it stands, to begin the line of an error."""


def read_toml(path: str | Path, error: type[PhysadvError]) -> dict[str, Any]:
    """Return what a TOML file holds; raise `error` where it cannot be read or is no TOML in UTF-8."""
    try:
        return tomllib.loads(read_text(Path(path)))
    except OSError as fault:
        raise error(f"{path}: {fault.strerror or fault}") from fault
    except (ValueError, RecursionError) as fault:  # of letters, syntax, endless digits, endless brackets
        raise error(f"{path}: not a TOML file in UTF-8 ({first_line(fault)})") from fault


def read_preset(
    path: str | Path, folder: Path, keys: Sequence[str], error: type[PhysadvError]
) -> tuple[dict[str, Any], Path | None]:
    """Return what a preset's TOML file holds, and the file of the package's preset that its `base` names.

    `folder` holds the package's presets. An unknown key or base (the nearest are named) or
    a description that is no text raises `error`.
    """
    document = read_toml(path, error)
    for key in document:
        if key not in keys:
            raise error(f"{path}: {unknown_name('key', key, keys)}")
    for key in ("description", "assumptions", "source"):
        if not isinstance(document.get(key, ""), str):
            raise error(f"{path}: {key} {document[key]!r}; wanted a text")
    if "base" not in document:
        return document, None
    known = sorted(each.stem for each in folder.glob("*.toml"))
    if document["base"] not in known:
        raise error(f"{path}: {unknown_name('base', str(document['base']), known)}")
    return document, folder / f"{document['base']}.toml"


def build(
    kind: Callable[..., T],
    table: object,
    where: str,
    error: type[PhysadvError],
    readers: Mapping[str, Reader],
    changing: T | None = None,
) -> T:
    """Return a dataclass made of a table.

    Args:
        kind: the dataclass, whose module postpones annotations; its `__post_init__` raises `error` for values
            that cannot be.
        table: key → value as TOML has them.
        where: begins the line of an error.
        error: raised where `table` is no table, has an unknown key (the nearest are named), lacks a field
            that has no default, or has a value that cannot be.
        readers: type as the dataclass writes it → how its values are read; others are taken as they are,
            lists as tuples.
        changing: gives the fields that the table leaves out; their defaults without it.
    """
    if not isinstance(table, Mapping):
        raise error(f"{where}: {table!r}; wanted a table")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    values = {} if changing is None else {name: getattr(changing, name) for name in known}
    for key, value in table.items():
        if key not in known:
            raise error(f"{where}: {unknown_name('key', key, known) if known else f'takes no {key}'}")
        read = readers.get(str(known[key].type), _plain)
        try:
            values[key] = read(value, f"{where}, {key}")
        except OverflowError as fault:
            raise error(f"{where}, {key}: {fault}") from fault
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise error(f"{where}: no {name}; it has no default")
    try:
        return kind(**values)
    except (error, OverflowError) as fault:
        raise error(f"{where}: {fault}") from fault


def exactly(kind: type, wanted: str, error: type[PhysadvError]) -> Reader:
    """Return the reader of values of one type; `wanted` says which in the line of an error."""

    def read(value: object, where: str) -> object:
        if type(value) is not kind:
            raise error(f"{where}: {value!r}; wanted {wanted}")
        return value

    return read


def _plain(value: object, where: str = "") -> object:
    return tuple(_plain(each) for each in value) if isinstance(value, list) else value
