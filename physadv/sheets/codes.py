"""The text inside a QR code: which run, which sheet, which cell, and a check that it was read right.

Twenty characters of the QR alphanumeric set are what a version 1-M code (21 modules, ISO/IEC 18004) holds,
and 21 modules is what a phone still reads at 12.6 mm: `P1-RRRRRR-SSSCC-KKKK`, all fields in base 36.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import qrcode
from numpy.typing import NDArray

PREFIX = "P1"
RUN_CHARACTERS = 6
MODULES = 21
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Code:
    """What a code says: the run's code, the sheet's index and the cell's number on that sheet."""

    run: str
    sheet: int
    cell: int


def base36(number: int, width: int) -> str:
    """Return a non-negative integer as `width` base-36 digits.

    Raises:
        ValueError: the number does not fit.
    """
    if not 0 <= number < 36**width:
        raise ValueError(f"{number} does not fit {width} base-36 digits")
    return "".join(_DIGITS[number // 36**place % 36] for place in reversed(range(width)))


def digest36(text: str, width: int) -> str:
    """Return `width` base-36 digits that stand for a text (BLAKE2s)."""
    digest = hashlib.blake2s(text.encode()).digest()
    return base36(int.from_bytes(digest, "big") % 36**width, width)


def sheet_code(run: str, sheet: int) -> str:
    """Return what every code of one sheet begins with."""
    return f"{PREFIX}-{run}-{base36(sheet, 3)}"


def format_code(code: Code) -> str:
    """Return the 20 characters to print for a code."""
    body = f"{sheet_code(code.run, code.sheet)}{base36(code.cell, 2)}"
    return f"{body}-{digest36(body, 4)}"


def parse_code(text: str) -> Code | None:
    """Return what a decoded text says, or None where it is no code of this program or its check is wrong."""
    parts = text.split("-")
    if len(text) != 20 or len(parts) != 4 or parts[0] != PREFIX:
        return None
    body, check = text.rsplit("-", 1)
    if check != digest36(body, 4) or len(parts[1]) != RUN_CHARACTERS or len(parts[2]) != 5:
        return None
    try:
        return Code(run=parts[1], sheet=int(parts[2][:3], 36), cell=int(parts[2][3:], 36))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def qr_matrix(payload: str) -> NDArray[np.bool_]:
    """Return the (21, 21) modules of a payload's version 1-M code, True where ink goes."""
    code = qrcode.QRCode(version=1, error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(payload)
    code.make(fit=False)
    matrix = np.array(code.get_matrix(), dtype=bool)
    matrix.setflags(write=False)
    return matrix
