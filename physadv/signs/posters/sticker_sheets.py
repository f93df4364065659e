"""A sign's stickers alone, packed on pages or tiled, and a drawing of where on the sign each of them goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from physadv.sheets.fonts import BOLD, FONT
from physadv.sheets.layout import BoxMm, box_corners, page_size, snap
from physadv.sheets.pdf import Polygon
from physadv.signs.posters.paper_signs import Cutout, PaperSign
from physadv.signs.posters.posters import EDGE, FOOT, LEFT, Label, PosterPage, Stroke
from physadv.signs.posters.tiles import assembly_steps, plan_grid, plan_tiles

GAP, NUMBER_HEIGHT = 5.0, 4.5
"""Between stickers, for scissors, and what a sticker's number takes below it."""
ROW_PITCH, NOTE_PITCH = 4.2, 4.0
COLUMN_WIDTH = 94.0
HEADS = ("no.", "wide", "high", "left", "right", "top", "bottom")
STOPS = (0.0, 9.0, 21.5, 34.0, 46.5, 59.0, 71.5)
"""Of the template's table: what its columns hold, and where they begin."""
ROUND_STEPS = (1, 2, 5, 10)


@dataclass
class _Shelf:
    """Stickers side by side, `y` below the top of a page's room, up to `end`: where each number begins."""

    page: int
    y: float
    height: float
    end: float = 0.0
    starts: dict[int, float] = field(default_factory=dict)


def plan_stickers(sign: PaperSign, page: str) -> list[PosterPage]:
    """Return the template, then pages of the stickers that fit one, then each larger one on several.

    Raises:
        SheetError: unknown page, or a sign without a mask.
    """
    stickers = dict(enumerate(sign.stickers(), start=1))
    upright = page_size(page)
    both_ways = (_sticker_pages(stickers, size, page) for size in (upright, upright[::-1]))
    sheets = min(both_ways, key=len)
    return [*_template(sign, stickers, upright, tiled=any(sheet.window for sheet in sheets)), *sheets]


def _sticker_pages(
    stickers: Mapping[int, Cutout], page_mm: tuple[float, float], page: str
) -> list[PosterPage]:
    room_x, room_y = page_mm[0] - 2 * LEFT, page_mm[1] - LEFT - FOOT - NUMBER_HEIGHT
    sizes = {number: sticker.bounds[2:] for number, sticker in stickers.items()}
    fits = [number for number, (width, height) in sizes.items() if width <= room_x and height <= room_y]
    shelves = _pack({number: sizes[number] for number in fits}, room_x, room_y)
    pages = []
    for index in range(max((shelf.page + 1 for shelf in shelves), default=0)):
        own = [shelf for shelf in shelves if shelf.page == index]
        places = {n: (LEFT + x, LEFT + shelf.y) for shelf in own for n, x in shelf.starts.items()}
        shown = sorted(places.items())
        numbers = ", ".join(str(number) for number, _ in shown)
        heading = f"sticker{'s' if len(shown) > 1 else ''} {numbers} of {len(stickers)}"
        cutouts = tuple(stickers[number].at(snap(x), snap(y)) for number, (x, y) in shown)
        labels = tuple(Label(x, y + sizes[n][1] + 3.7, str(n), 9, BOLD) for n, (x, y) in shown)
        pages.append(PosterPage(page_mm, heading, cutouts, labels=labels))
    for number, sticker in stickers.items():
        if number not in fits:
            grid = plan_grid(sticker, page)
            pages += plan_tiles(sticker, f"sticker {number} of {len(stickers)}", grid)
    return pages


def _pack(sizes: Mapping[int, tuple[float, float]], room_x: float, room_y: float) -> list[_Shelf]:
    """Return shelves of stickers: the tallest first, each on the first shelf with room for it."""
    shelves: list[_Shelf] = []
    for number, (width, height) in sorted(sizes.items(), key=lambda item: -item[1][1]):
        shelf = next((shelf for shelf in shelves if shelf.end + width <= room_x), None)
        if shelf is None:
            shelf = _new_shelf(shelves, height, room_y)
            shelves.append(shelf)
        shelf.starts[number] = shelf.end
        shelf.end += width + GAP
    return shelves


def _new_shelf(shelves: Sequence[_Shelf], height: float, room_y: float) -> _Shelf:
    """Return an empty shelf below those of the first page with room for it."""
    ends = dict.fromkeys((shelf.page for shelf in shelves), 0.0)
    for shelf in shelves:
        ends[shelf.page] = max(ends[shelf.page], shelf.y + shelf.height + NUMBER_HEIGHT + GAP)
    page = next((page for page, end in ends.items() if end + height <= room_y), len(ends))
    return _Shelf(page, ends.get(page, 0.0), height)


def _template(
    sign: PaperSign, stickers: Mapping[int, Cutout], page_mm: tuple[float, float], *, tiled: bool
) -> list[PosterPage]:
    """Return a drawing of the sign with its stickers' numbers, and a table of where they go."""
    width, height = page_mm
    plate = sign.plate().bounds
    scale = min(width - 2 * LEFT - 20, 0.45 * height) / max(plate[2:])
    frame = ((width - scale * plate[2]) / 2, EDGE + 20.0, scale * plate[2], scale * plate[3])
    origin = np.array(frame[:2]) - scale * np.array(plate[:2])
    notes = _notes(scale, tiled=tiled)
    top = frame[1] + frame[3] + 9
    rows = [_row(number, sticker, plate) for number, sticker in stickers.items()]
    first, *rest = _tables(rows, page_mm, top + NOTE_PITCH * len(notes) + 3)
    ticks, lengths = _rulers(frame, scale)
    heading = f"placement template, sign of {sign.size_mm:g} mm"
    drawing = PosterPage(
        page_mm,
        heading,
        strokes=(
            Stroke(origin + scale * sign.outline * sign.pixel_mm, 0.35, 0, closed=True),
            Stroke(box_corners(frame), 0.1, 0.5, dash=(1.0, 1.0), closed=True),
            *(
                Stroke(origin + scale * edge, 0.2, 0, closed=True)
                for sticker in stickers.values()
                for edge in sticker.edges
            ),
            *ticks,
        ),
        labels=(
            Label(LEFT, EDGE + 6, f"Where the sticker{'s go' if len(stickers) > 1 else ' goes'}", 13, BOLD),
            *lengths,
            *(_number(number, sticker, origin, scale) for number, sticker in stickers.items()),
            *(Label(LEFT, top + NOTE_PITCH * k, note, 7.5) for k, note in enumerate(notes)),
            *first,
        ),
    )
    return [drawing, *(PosterPage(page_mm, f"{heading}, continued", labels=tuple(table)) for table in rest)]


def _notes(scale: float, *, tiled: bool) -> list[str]:
    drawn = (
        f"Drawn at 1 : {1 / scale:.3g}. Lengths are mm on the sign, distances from the dashed lines "
        "that touch its four sides."
    )
    if not tiled:
        return [drawn]
    several = "A sticker larger than a page comes on several, which say its rows and columns."
    return [drawn, several, *assembly_steps(rows=True, columns=True)]


def _row(number: int, sticker: Cutout, plate: BoxMm) -> tuple[str, ...]:
    """Return a sticker's number, size, and distances from the left, right, top and bottom of the plate."""
    x, y, w, h = sticker.bounds
    left, top = x - plate[0], y - plate[1]
    lengths = (w, h, left, plate[2] - left - w, top, plate[3] - top - h)
    return (str(number), *(f"{length:.1f}" for length in lengths))


def _number(number: int, sticker: Cutout, origin: Polygon, scale: float) -> Label:
    """Return a sticker's number in the middle of its drawing, or to the right of one too small to hold it."""
    x, y, w, h = sticker.bounds
    middle = origin + scale * np.array((x + w / 2, y + h / 2))
    label = Label(float(middle[0]), float(middle[1]) + 1.1, str(number), 9, BOLD)
    if scale * min(w, h) < NUMBER_HEIGHT:
        return replace(label, x=label.x + scale * w / 2 + 1, points=7.0)
    return label.centred()


def _rulers(frame: BoxMm, scale: float) -> tuple[list[Stroke], list[Label]]:
    """Return ticks along the left and the top of a frame, with lengths on the sign."""
    x, y, w, h = frame
    about = max(w, h) / scale / 8
    power = 10.0 ** np.floor(np.log10(about))
    step = float(next(k * power for k in ROUND_STEPS if k * power >= about - 1e-9))
    strokes, labels = [], []
    for across, start, length in ((True, x, w), (False, y, h)):
        for k in range(int(length / scale / step + 1e-6) + 1):
            place = start + k * step * scale
            ends = [(place, y - 3), (place, y - 1)] if across else [(x - 3, place), (x - 1, place)]
            text_at = (place, y - 4) if across else (x - 7, place + 0.8)
            strokes.append(Stroke(np.array(ends), 0.15, 0))
            labels.append(Label(*text_at, f"{k * step:g}", 6.5).centred())
    return strokes, labels


def _tables(rows: Sequence[tuple[str, ...]], page_mm: tuple[float, float], top: float) -> list[list[Label]]:
    """Return the labels of a table that begins at `top` of its first page and goes on over others."""
    bottom = page_mm[1] - FOOT - 2
    columns = max(1, int((page_mm[0] - 2 * LEFT + 6) // COLUMN_WIDTH))
    pages: list[list[Label]] = []
    rest = list(rows)
    while rest:
        labels: list[Label] = []
        holds = int((bottom - top) // ROW_PITCH) - 1
        for column in range(columns):
            taken, rest = rest[:holds], rest[holds:]
            if not taken:
                break
            x = LEFT + column * COLUMN_WIDTH
            for line, texts in enumerate((HEADS, *taken)):
                font = BOLD if line == 0 else FONT
                labels += [
                    Label(x + stop, top + line * ROW_PITCH, text, 8, font)
                    for stop, text in zip(STOPS, texts, strict=True)
                ]
        pages.append(labels)
        top = EDGE + 8
    return pages
