"""Which colours stickers may have: any, black and white, or a few flat ones, as vinyl comes."""

from pathlib import Path

import torch
from torch import Tensor

from physadv.attacks.penalties import PRINTABLE, non_printability_minimum, non_printability_product
from physadv.errors import PhysadvError

BLACK_AND_WHITE = PRINTABLE[:2]
_MOST_COLOURS = 64
_ROUNDS = 30


class PaletteError(PhysadvError):
    """A palette or a list of printable colours cannot be used."""


def parse_palette(text: str) -> Tensor | int | None:
    """Return what `--palette` allows: None for `free`, colours (2, 3) for `bw`, or how many flat colours.

    Raises:
        PaletteError: it is none of these, or one colour, which can show nothing.
    """
    if text == "free":
        return None
    if text == "bw":
        return BLACK_AND_WHITE
    if not text.isdecimal():
        raise PaletteError(f"palette '{text}'; wanted free, bw or a number of flat colours")
    count = int(text)
    if not 2 <= count <= _MOST_COLOURS:
        raise PaletteError(f"a palette of {count} colour{'s' * (count != 1)}; wanted 2 to {_MOST_COLOURS}")
    return count


def read_colours(path: Path | None) -> Tensor:
    """Return the colours (C, 3) in [0, 1] a printer or a roll of vinyl has: those of a file, else examples.

    The file is text, a colour a line: `#c81e28`, or three 8-bit levels, `200 30 40`.

    Raises:
        PaletteError: one line naming file and line: it cannot be read, is no colour, or there are under 2.
    """
    if path is None:
        return PRINTABLE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PaletteError(f"{path}: cannot be read as a list of colours ({error})") from error
    given = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    colours = [_colour(text, f"{path}, line {number}") for number, text in given]
    if len(set(colours)) < 2:
        raise PaletteError(f"{path}: a palette of {len(set(colours))} colour; wanted 2 or more, one a line")
    return torch.tensor(colours) / 255


def nearest_colours(pictures: Tensor, palette: Tensor) -> Tensor:
    """Return pictures (B, 3, H, W) with every pixel replaced by the nearest of a palette (N, 3)."""
    flat = pictures.movedim(1, -1)
    chosen = torch.cdist(flat.reshape(-1, 3), palette.to(pictures)).argmin(dim=1)
    return palette.to(pictures)[chosen].reshape(flat.shape).movedim(-1, 1)


def flat_colours(picture: Tensor, mask: Tensor, count: int, printable: Tensor | None) -> Tensor:
    """Return the `count` colours (N, 3) that say most of a picture under a mask: k-means, from its extremes.

    Args:
        picture: (1, 3, S, S) in [0, 1].
        mask: (S, S).
        count: how many.
        printable: (C, 3), the only colours to choose from, if the user gave any.
    """
    pixels = picture[0, :, mask > 0.5].T
    centres = _spread(pixels, count)
    for _ in range(_ROUNDS):
        nearest = torch.cdist(pixels, centres).argmin(dim=1)
        own = torch.nn.functional.one_hot(nearest, count).to(pixels)
        held = own.sum(dim=0)[:, None]
        centres = torch.where(held > 0, own.T @ pixels / held.clamp_min(1), centres)
    if printable is None:
        return centres
    chosen: list[int] = []
    for centre in centres:
        distance = (printable - centre).norm(dim=1)
        distance[chosen] = torch.inf
        chosen.append(int(distance.argmin()))
    return printable[chosen]


def _spread(pixels: Tensor, count: int) -> Tensor:
    """Return pixels far from one another, the first the farthest from the mean."""
    centres = [pixels[(pixels - pixels.mean(dim=0)).norm(dim=1).argmax()]]
    while len(centres) < count:
        centres.append(pixels[torch.cdist(pixels, torch.stack(centres)).amin(dim=1).argmax()])
    return torch.stack(centres)


def printing_errors(stickers: Tensor, mask: Tensor, printable: Tensor) -> dict[str, float]:
    """Return how far stickers (1, 3, S, S) under a mask (S, S) are from printable colours (C, 3).

    Returns:
        `nps_product`, the mean over pixels of log Π distances (Sharif et al. 2016, as a logarithm);
        `nps_minimum`, the mean distance to the nearest colour (Thys et al. 2019); and `palette_error`, the
        root mean square of that distance in 8-bit levels a channel.
    """
    pixels = under(stickers, mask)
    nearest = torch.cdist(pixels[0, :, 0].T, printable.to(pixels)).amin(dim=1)
    return {
        "nps_product": float(non_printability_product(pixels, printable)),
        "nps_minimum": float(non_printability_minimum(pixels, printable)),
        "palette_error": float((nearest.square().mean() / 3).sqrt() * 255),
    }


def under(picture: Tensor, mask: Tensor) -> Tensor:
    """Return the pixels of a picture (1, 3, S, S) that lie under a mask (S, S) as one row, (1, 3, 1, M)."""
    return picture[..., mask > 0.5][:, :, None]


def _colour(text: str, where: str) -> tuple[int, int, int]:
    try:
        if text.startswith("#") and len(text) == 7:
            levels = [int(text[k : k + 2], 16) for k in (1, 3, 5)]
        else:
            levels = [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        levels = []
    if len(levels) != 3 or not all(0 <= level <= 255 for level in levels):
        raise PaletteError(f"{where}: '{text}' is no colour; wanted #rrggbb or three levels from 0 to 255")
    return (levels[0], levels[1], levels[2])
