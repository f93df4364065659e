"""Which colours stickers may have, as a user writes them: any, black and white, or a few flat ones."""

from pathlib import Path
from typing import Literal

from physadv.signs.stop_sign import StopSignError

BLACK_AND_WHITE: Literal["bw"] = "bw"
Levels = tuple[int, int, int]
"""One colour in 8-bit levels, RGB."""
_MOST_COLOURS = 64


def parse_palette(text: str) -> int | Literal["bw"] | None:
    """Return what `--palette` allows: None for `free`, "bw", or the number of flat colours.

    Raises:
        StopSignError: it is none of these, or one colour, which can show nothing.
    """
    if text == "free":
        return None
    if text == BLACK_AND_WHITE:
        return BLACK_AND_WHITE
    if not text.isdecimal():
        raise StopSignError(f"palette '{text}'; wanted free, bw or a number of flat colours")
    count = int(text)
    if not 2 <= count <= _MOST_COLOURS:
        raise StopSignError(f"a palette of {count} colour{'s' * (count != 1)}; wanted 2 to {_MOST_COLOURS}")
    return count


def read_colours(path: Path | None) -> tuple[Levels, ...] | None:
    """Return the colours that a printer or a roll of vinyl has, as a text file lists them; None without one.

    Each line is a colour: `#c81e28`, or three 8-bit levels, `200 30 40`.

    Raises:
        StopSignError: naming file and line: it cannot be read, is no colour, or there are under 2.
    """
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StopSignError(f"{path}: cannot be read as a list of colours ({error})") from error
    given = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    colours = tuple(_colour(text, f"{path}, line {number}") for number, text in given)
    if len(set(colours)) < 2:
        raise StopSignError(f"{path}: a palette of {len(set(colours))} colour; wanted 2 or more, one a line")
    return colours


def _colour(text: str, where: str) -> Levels:
    try:
        if text.startswith("#") and len(text) == 7:
            levels = [int(text[k : k + 2], 16) for k in (1, 3, 5)]
        else:
            levels = [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        levels = []
    if len(levels) != 3 or not all(0 <= level <= 255 for level in levels):
        raise StopSignError(f"{where}: '{text}' is no colour; wanted #rrggbb or three levels from 0 to 255")
    return (levels[0], levels[1], levels[2])
