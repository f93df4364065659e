"""The printers of the package by name: measured presses, and assumed office printers around them."""

from dataclasses import dataclass

from physadv.errors import unknown_name
from physadv.phone.phones import PhoneError, Printer
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

_PRESS = "measured: FOGRA's characterisation data, as its ICC profile has them"
_FINE = "assumed: a raster too fine for a phone to see"
_SPREAD = "assumed: about one dot of 600 dpi; a profile has no sharpness"
_DRIVER = "a driver's usual rendering maps black to black"
PRINTERS: dict[str, NamedPrinter] = {
    "office-laser": NamedPrinter(
        "a colour laser printer: coated offset's colours in weaker toner, in clustered dots",
        Printer("offset-coated-bpc", "clustered", spread_mm=0.05, ink=0.97),
        {
            "press": f"assumed: toner lies on the paper as ink on a coated one; {_DRIVER}",
            "halftone": "assumed: toner holds in clusters only; 105 lines per inch at 600 dpi",
            "spread_mm": _SPREAD,
            "ink": "assumed: blacks of density 1.4, as toner on plain paper has; coated offset has 1.9",
        },
    ),
    "office-inkjet": NamedPrinter(
        "an inkjet printer on plain paper: uncoated offset's colours, in diffused dots that spread",
        Printer("offset-uncoated-bpc", "diffused", spread_mm=0.08, ink=1.0),
        {
            "press": f"assumed: ink sinks into plain paper as into uncoated one; {_DRIVER}",
            "halftone": "assumed: inkjet drivers diffuse errors; one size of drop, 600 dpi",
            "spread_mm": "assumed: more than toner's by half, as ink runs along the fibres",
            "ink": "assumed: none lost; uncoated offset's blacks have the density 1.2 of ink on plain paper",
        },
    ),
} | {
    name: NamedPrinter(
        press.description,
        Printer(name),
        {"press": _PRESS, "halftone": _FINE, "spread_mm": _SPREAD, "ink": _PRESS},
    )
    for name, press in PRESSES.items()
}


def named_printer(name: str) -> Printer:
    """Return the printer called `name`; raises a PhoneError that names the nearest where there is none.

    >>> named_printer("office-inkjet").press
    'offset-uncoated-bpc'
    """
    if name not in PRINTERS:
        raise PhoneError(unknown_name("printer", name, PRINTERS))
    return PRINTERS[name].printer
