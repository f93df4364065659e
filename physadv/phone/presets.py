"""Presets of the virtual printer and phone in TOML: those that come with the package, and users' own.

A file has a `description`, `assumptions` that say where its ranges come from, `base`, the preset of the
package that it changes, and tables of the attributes of `Phone`, `Scene`, `PrintSettings` and `Printer`:
`[phone]`, `[scene]`, `[print]`, `[printer]`; `printer` may name one instead. An interval is `[low, high]` or
one number.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from physadv.errors import unknown_name
from physadv.phone.phones import Phone, PhoneError, Printer, PrintSettings, Scene
from physadv.phone.printers import DEFAULT, named_printer
from physadv.toml_tables import Reader, build, exactly, read_preset

_FOLDER = Path(__file__).with_name("preset_files")
_GONE = {"white", "black", "dot_gain", "crosstalk"}  # numbers of an ink that nobody measured
_KEYS = ("description", "assumptions", "base", "phone", "scene", "print", "printer")


@dataclass(frozen=True)
class PhonePreset:
    """A named way to print and photograph.

    Attributes:
        name: as `--preset` takes it.
        description: what a person does.
        assumptions: where the ranges come from.
        phone: what the phone and what it sees vary between.
        settings: how the sheets are printed.
        printer: what prints the sheets.
    """

    name: str
    description: str
    assumptions: str
    phone: Phone
    settings: PrintSettings
    printer: Printer

    def values(self) -> dict[str, Any]:
        """Return every number of it, as JSON holds them, to record beside a photo."""
        parts = {"phone": self.phone, "print": self.settings, "printer": self.printer}
        return cast(dict[str, Any], json.loads(json.dumps(parts, default=asdict)))


def load_phone_preset(name: str) -> PhonePreset:
    """Return the preset called `name`, or the one that a file `NAME.toml` describes.

    Raises:
        PhoneError: one line: there is no preset of that name, the nearest are named; or the file cannot be
            read or parsed, has an unknown key (the nearest are named), or a number that cannot be.

    >>> load_phone_preset("night").phone.exposure
    (0.25, 0.6)
    """
    if name.lower().endswith(".toml"):
        return _read(name)
    if name not in PHONES:
        raise PhoneError(unknown_name("preset", name, PHONES))
    return PHONES[name]


def _read(path: str | Path) -> PhonePreset:
    document, base = read_preset(path, _FOLDER, _KEYS, PhoneError)
    given = _read(base) if base else PhonePreset("", "", "", Phone(), PrintSettings(), named_printer(DEFAULT))
    printer = document.get("printer", {})
    if isinstance(printer, str):
        try:
            given, document["printer"] = replace(given, printer=named_printer(printer)), {}
        except PhoneError as error:
            raise PhoneError(f"{path}: {error}") from error
    elif isinstance(printer, dict) and (gone := sorted(_GONE & set(printer))):
        raise PhoneError(
            f"{path}: printer: {', '.join(gone)}: printers have measured colours; wanted press, see "
            "'physadv list printers', and ink for weaker ones"
        )

    def part(kind: Any, key: str, changing: Any) -> Any:
        return build(kind, document.get(key, {}), f"{path}: {key}", PhoneError, _READERS, changing)

    scene = part(Scene, "scene", given.phone.scene)
    return PhonePreset(
        name=Path(path).stem,
        description=document.get("description", ""),
        assumptions=document.get("assumptions", ""),
        phone=part(Phone, "phone", replace(given.phone, scene=scene)),
        settings=part(PrintSettings, "print", given.settings),
        printer=part(Printer, "printer", given.printer),
    )


def _number(value: object, where: str) -> float:
    if type(value) not in (int, float):
        raise PhoneError(f"{where}: {value!r}; wanted a number")
    return float(value)  # type: ignore[arg-type]


def _list_of(read: Reader, wanted: str) -> Reader:
    def read_all(value: object, where: str) -> object:
        if not isinstance(value, list):
            raise PhoneError(f"{where}: {value!r}; wanted a list of {wanted}")
        return tuple(read(each, where) for each in value)

    return read_all


def _interval(value: object, where: str) -> tuple[float, ...]:
    match value:
        case [low, high]:
            return _number(low, where), _number(high, where)
        case bool() | str() | list() | dict():
            raise PhoneError(f"{where}: {value!r}; wanted [low, high] or a number")
    return (_number(value, where),) * 2


def _no_table(value: object, where: str) -> object:
    raise PhoneError(f"{where}: wanted as a table of its own, [scene]")


_text = exactly(str, "a name", PhoneError)
_whole = exactly(int, "a whole number", PhoneError)
_READERS = {
    "float": _number,
    "float | None": _number,
    "int": _whole,
    "str": _text,
    "bool": exactly(bool, "true or false", PhoneError),
    "Interval": _interval,
    "tuple[int, ...]": _list_of(_whole, "whole numbers"),
    "Scene": _no_table,
}

PHONES: dict[str, PhonePreset] = {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.toml"))}
"""The presets of the package by name."""
