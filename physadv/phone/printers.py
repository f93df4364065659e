"""The printers of the package by name: measured presses, and assumed office printers around them."""

from dataclasses import dataclass
from pathlib import Path

from physadv.errors import unknown_name
from physadv.phone.phones import PhoneError, Printer
from physadv.toml_tables import read_toml
from physadv.transforms.presses import PRESSES


@dataclass(frozen=True)
class NamedPrinter:
    """A printer of the package.

    Attributes:
        description: what it is like.
        printer: what it does to a page.
        sources: attribute of `printer` → where its value comes from: `measured` or `assumed`, and the reason.
    """

    description: str
    printer: Printer
    sources: dict[str, str]


DEFAULT = "office-laser"
"""The printer of every preset that names none."""

_OF_A_PRESS = {
    "press": "measured: FOGRA's characterisation data, as its ICC profile has them",
    "halftone": "assumed: a raster too fine for a phone to see",
    "spread_mm": "assumed: about one dot of 600 dpi; a profile has no sharpness",
    "ink": "measured: FOGRA's characterisation data, as its ICC profile has them",
}
PRINTERS: dict[str, NamedPrinter] = {
    name: NamedPrinter(table["description"], Printer(**table["printer"]), table["sources"])
    for name, table in read_toml(Path(__file__).with_suffix(".toml"), PhoneError).items()
} | {name: NamedPrinter(press.description, Printer(name), _OF_A_PRESS) for name, press in PRESSES.items()}


def named_printer(name: str) -> Printer:
    """Return the printer called `name`; raises a PhoneError that names the nearest where there is none.

    >>> named_printer("office-inkjet").press
    'offset-uncoated-bpc'
    """
    if name not in PRINTERS:
        raise PhoneError(unknown_name("printer", name, PRINTERS))
    return PRINTERS[name].printer
