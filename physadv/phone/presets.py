"""Presets of the virtual printer and phone, and phones, in TOML: the package's and users' own.

A preset's file has a `description`, `assumptions` that say where its ranges come from, `base`, the preset of
the package that it changes, `device`, the phone of the package that takes the photos, and tables of the
attributes of `Phone`, `Scene`, `PrintSettings` and `Printer`: `[phone]`, `[scene]`, `[print]`, `[printer]`;
`printer` may name one instead. An interval is `[low, high]` or one number. A phone's file has a
`description`, `base`, the phone that it changes, and `[phone]` with attributes of `OF_DEVICE`. In both,
`[sources]` says where each number comes from.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from physadv.errors import unknown_name
from physadv.phone.phones import Phone, PhoneError, Printer, PrintSettings, Scene
from physadv.phone.printers import DEFAULT, named_printer
from physadv.toml_tables import Reader, build, exactly, read_preset

_FOLDER = Path(__file__).with_name("preset_files")
_GONE = {"white", "black", "dot_gain", "crosstalk"}  # numbers of an ink that nobody measured
_KEYS = ("description", "assumptions", "base", "device", "phone", "scene", "print", "printer", "sources")
_DEVICES = Path(__file__).with_name("phone_files")

OF_DEVICE = (
    *("width", "height", "focal", "lens", "vignette", "blur", "red_gain", "blue_gain", "headroom"),
    *("denoising", "grain", "colour_grain", "local_tone", "contrast", "sharpening", "halo"),
    *("quality", "quantisers", "subsampling"),
)
"""Attributes of `Phone` that are a phone's, whoever holds it and whatever it looks at."""
KINDS = ("measured", "published", "assumed")
"""Where a number comes from: the first word of its source. A number without a source is assumed."""


@dataclass(frozen=True)
class Device:
    """A named phone: what of its photos is the phone's own.

    Attributes:
        name: as `--phone` takes it.
        description: which phone it is like.
        phone: attribute of `Phone` → value; the others are the defaults.
        sources: attribute → where its value comes from, first one of `KINDS`.
    """

    name: str
    description: str
    phone: dict[str, Any]
    sources: dict[str, str]


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
        device: name of the phone that takes the photos, None = the defaults of `Phone`.
        sources: attribute of the four, but for the printer's → where its value comes from.
    """

    name: str
    description: str
    assumptions: str
    phone: Phone
    settings: PrintSettings
    printer: Printer
    device: str | None = None
    sources: dict[str, str] = field(default_factory=dict)

    def taken_with(self, device: Device) -> "PhonePreset":
        """Return the preset with another phone: all that `OF_DEVICE` names is that phone's."""
        own: dict[str, Any] = {
            each.name: each.default for each in fields(Phone) if each.name in OF_DEVICE
        } | device.phone
        rest = {name: source for name, source in self.sources.items() if name not in OF_DEVICE}
        phone = replace(self.phone, **own)
        return replace(self, phone=phone, device=device.name, sources=rest | device.sources)

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


def load_device(name: str) -> Device:
    """Return the phone called `name`, or the one that a file `NAME.toml` describes.

    Raises:
        PhoneError: one line: there is no phone of that name, the nearest are named; or the file cannot be
            read or parsed, has a key that is not a phone's, or a number that cannot be.

    >>> load_device("like-iphone-6").phone["width"]
    2448
    """
    if name.lower().endswith(".toml"):
        return _read_device(name)
    if name not in DEVICES:
        raise PhoneError(unknown_name("phone", name, DEVICES))
    return DEVICES[name]


def count_kinds(sources: Mapping[str, str]) -> Counter[str]:
    """Return kind → how many of the numbers with a source are of it.

    >>> count_kinds({"blur": "assumed: as others' lenses", "quality": "measured: one file"})["measured"]
    1
    """
    return Counter(source.partition(":")[0] for source in sources.values())


def _read(path: str | Path) -> PhonePreset:
    document, base = read_preset(path, _FOLDER, _KEYS, PhoneError)
    given = _read(base) if base else PhonePreset("", "", "", Phone(), PrintSettings(), named_printer(DEFAULT))
    if "device" in document:
        given = given.taken_with(load_device(str(_text(document["device"], f"{path}: device"))))
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
    tables = None if _asks_for_quality(document) else given.phone.quantisers
    return PhonePreset(
        name=Path(path).stem,
        description=document.get("description", ""),
        assumptions=document.get("assumptions", ""),
        phone=part(Phone, "phone", replace(given.phone, scene=scene, quantisers=tables)),
        settings=part(PrintSettings, "print", given.settings),
        printer=part(Printer, "printer", given.printer),
        device=given.device,
        sources=given.sources | _sources(document, path, ("phone", "scene", "print", "printer")),
    )


def _read_device(path: str | Path) -> Device:
    document, base = read_preset(path, _DEVICES, ("description", "base", "phone", "sources"), PhoneError)
    given = _read_device(base) if base else Device("", "", {}, {})
    table = document.get("phone", {})
    for key in table if isinstance(table, Mapping) else ():
        if key not in OF_DEVICE:
            raise PhoneError(f"{path}: phone: {unknown_name('key', key, OF_DEVICE)}")
    if _asks_for_quality(document):
        given.phone.pop("quantisers", None)
        given.sources.pop("quantisers", None)
    built = build(Phone, table, f"{path}: phone", PhoneError, _READERS, replace(Phone(), **given.phone))
    return Device(
        name=Path(path).stem,
        description=document.get("description", ""),
        phone=given.phone | {key: getattr(built, key) for key in table},
        sources=given.sources | _sources(document, path, ("phone",)),
    )


def _asks_for_quality(document: Mapping[str, Any]) -> bool:
    """Return whether a file names a JPEG quality, which then replaces the tables of what it changes."""
    table = document.get("phone", {})
    return isinstance(table, Mapping) and "quality" in table


def _sources(document: Mapping[str, Any], path: str | Path, tables: tuple[str, ...]) -> dict[str, str]:
    """Return where each number of a file comes from, as it says; what it does not say is assumed."""
    given = document.get("sources", {})
    if not isinstance(given, Mapping):
        raise PhoneError(f"{path}: sources: {given!r}; wanted a table")
    numbers = [key for table in tables for key in document.get(table, {})]
    for name, source in given.items():
        if name not in numbers:
            raise PhoneError(f"{path}: sources: {unknown_name('number', name, numbers)}")
        if not str(source).startswith(tuple(f"{kind}: " for kind in KINDS)):
            raise PhoneError(f"{path}: sources, {name}: {source!r}; wanted {', '.join(KINDS)}, then a colon")
    return dict.fromkeys(numbers, "assumed: the file does not say") | dict(given)


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
    "bool": exactly(bool, "true or false", PhoneError),
    "Interval": _interval,
    "Interval | None": _interval,
    "str": _text,
    "tuple[tuple[int, ...], ...] | None": _list_of(_list_of(_whole, "whole numbers"), "tables"),
    "tuple[int, ...]": _list_of(_whole, "whole numbers"),
    "Scene": _no_table,
}

DEVICES: dict[str, Device] = {path.stem: _read_device(path) for path in sorted(_DEVICES.glob("*.toml"))}
"""The phones of the package by name."""

PHONES: dict[str, PhonePreset] = {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.toml"))}
"""The presets of the package by name."""

CHANNELS = {
    "mild": ("office", "like-iphone-11-pro-max", "offset-coated"),
    "medium": ("hand-held", "like-iphone-6", "office-laser"),
    "harsh": ("night", "like-jolla", "office-inkjet"),
}
"""Channel → preset, phone and printer: the three over which results are shown as a band, named beforehand."""
