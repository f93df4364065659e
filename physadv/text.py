"""Text that others chose, such as names of files and classes, made safe for the place where it is shown."""

import re
from pathlib import Path

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, those that turn the direction of writing or have no width, and bytes of no letter."""
_FORMULA = tuple("=+-@＝＋－＠")


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with every character escaped that could hide or rearrange others, but for `keep`.

    A byte of a file's name that is not UTF-8 is shown as `\xff`. Letters of every script stay as they are.

    >>> printable("stop\u202egnp.exe\x1b[2J")
    'stop\\u202egnp.exe\\x1b[2J'
    """
    return _HIDDEN.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), text)


def _escaped(sign: str) -> str:
    is_byte = "\udc80" <= sign <= "\udcff"
    return f"\\x{ord(sign) - 0xDC00:02x}" if is_byte else sign.encode("unicode_escape").decode()


def csv_cell(value: object) -> object:
    """Return a value for a CSV file: a text that a spreadsheet would run begins with an apostrophe.

    >>> csv_cell("=1+1"), csv_cell(-0.5)
    ("'=1+1", -0.5)
    """
    if not isinstance(value, str):
        return value
    shown = printable(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def without_home(text: str) -> str:
    """Return a path, or a text with paths, with `~` for the user's home folder, for all that is published.

    >>> without_home(f"file:{Path.home() / 'nets' / 'a.pt2'}").endswith("nets/a.pt2")
    True
    """
    for home in (Path.home(), Path.home().resolve()):
        if home != home.parent:
            text = re.sub(rf"(?<![\w./-]){re.escape(str(home))}(?![\w.-])", "~", text)
    return text
