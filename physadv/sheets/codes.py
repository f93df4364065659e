"""The text inside a QR code: run, sheet, cell and a check, as `P1-RRRRRR-SSSCC-KKKK`, all in base 36.

A version 1-M code (21 modules, ISO/IEC 18004) holds twenty characters of the QR alphanumeric set, and phones
still read 21 modules that are printed 12.6 mm wide.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREFIX = "P1"
RUN_CHARACTERS = 6
MODULES = 21


@dataclass(frozen=True)
class Code:
    """The content of a QR code.

    Attributes:
        run: code of the run, six base-36 characters.
        sheet: index of the sheet in the run.
        cell: number of the cell on the sheet.
    """

    run: str
    sheet: int
    cell: int


def base36(number: int, width: int) -> str:
    """Return a non-negative integer as `width` base-36 digits; a ValueError where it does not fit."""
    from numpy import base_repr

    if not 0 <= number < 36**width:
        raise ValueError(f"{number} does not fit {width} base-36 digits")
    return base_repr(number, 36).zfill(width)


def digest36(text: str, width: int) -> str:
    """Return the BLAKE2s hash of a text as `width` base-36 digits."""
    number = int.from_bytes(hashlib.blake2s(text.encode()).digest(), "big")
    return base36(number % 36**width, width)


def sheet_code(run: str, sheet: int) -> str:
    """Return the beginning that all QR codes of one sheet have in common."""
    return f"{PREFIX}-{run}-{base36(sheet, 3)}"


def format_code(code: Code) -> str:
    """Return the 20 characters that are printed for a code.

    >>> format_code(Code("MYRUN1", sheet=0, cell=3))
    'P1-MYRUN1-00003-55PQ'
    """
    body = f"{sheet_code(code.run, code.sheet)}{base36(code.cell, 2)}"
    return f"{body}-{digest36(body, 4)}"


def parse_code(text: str) -> Code | None:
    """Return the content of a decoded text; None for a text that is no code of ours or fails its check.

    >>> parse_code(format_code(Code("MYRUN1", sheet=0, cell=3)))
    Code(run='MYRUN1', sheet=0, cell=3)
    >>> parse_code("https://example.org") is None
    True
    """
    body, _, check = text.rpartition("-")
    parts = body.split("-")
    if [len(part) for part in (*parts, check)] != [len(PREFIX), RUN_CHARACTERS, 5, 4] or parts[0] != PREFIX:
        return None
    if check != digest36(body, 4):
        return None
    try:
        return Code(run=parts[1], sheet=int(parts[2][:3], 36), cell=int(parts[2][3:], 36))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def qr_matrix(payload: str) -> "NDArray[np.bool_]":
    """Return the (21, 21) modules of a text's version 1-M code, bool, True for dark ones.

    >>> qr_matrix(format_code(Code("MYRUN1", sheet=0, cell=3))).shape
    (21, 21)
    """
    import numpy as np
    import qrcode

    code = qrcode.QRCode(version=1, error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(payload)
    code.make(fit=False)
    matrix = np.array(code.get_matrix(), dtype=bool)
    matrix.setflags(write=False)
    return matrix
