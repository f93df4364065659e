"""Signs to print: an octagon full of random colours, with a few stickers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import polygon2mask

from physadv.sheets.layout import BoxMm, Sheet
from physadv.signs.posters.paper_signs import PaperSign
from physadv.signs.posters.pdf import plan_miniature, write_pages
from physadv.signs.posters.sticker_sheets import plan_stickers
from physadv.signs.posters.tiles import plan_poster

BLOCK = 2
PARTS = ("miniature", "poster", "stickers")


def octagon(side: int) -> NDArray[np.float64]:
    angles = np.radians(22.5 + 45 * np.arange(8))
    return side / 2 + 0.49 * side / np.cos(np.radians(22.5)) * np.stack(
        [np.cos(angles), np.sin(angles)], axis=1
    )


def random_face(side: int, block: int = BLOCK) -> Image.Image:
    coarse = np.random.default_rng(0).integers(0, 250, (side // block, side // block, 3), dtype=np.uint8)
    return Image.fromarray(coarse.repeat(block, axis=0).repeat(block, axis=1))


def rectangles(side: int, boxes: Sequence[tuple[int, int, int, int]]) -> NDArray[np.bool_]:
    mask = np.zeros((side, side), bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def make_sign(size_mm: float, side: int = 256) -> PaperSign:
    """Four stickers: two bars, a small square and an upright bar."""
    unit = side // 64
    boxes = [(14, 14, 50, 20), (16, 48, 48, 54), (10, 28, 14, 32), (50, 24, 56, 44)]
    mask = rectangles(side, [tuple(unit * edge for edge in box) for box in boxes])  # type: ignore[misc]
    return PaperSign(random_face(side), octagon(side), size_mm, mask)


def write_sign_pdf(
    path: Path,
    sign: PaperSign,
    parts: Sequence[str],
    *,
    page: str = "a4",
    example: str = "sign",
    **named: Any,
) -> list[Sheet]:
    """Write the pages of some parts of a sign, in their order."""
    planners = {
        "miniature": lambda: [plan_miniature(sign, example=example, page=page)],
        "poster": lambda: plan_poster(sign, example, page=page),
        "stickers": lambda: plan_stickers(sign, page=page),
    }
    return write_pages(path, [each for part in parts for each in planners[part]()], **named)


def as_printed(sign: PaperSign) -> Image.Image:
    """The face as paper shows it, white outside of its outline."""
    fine = 4
    side = sign.face.width * fine
    inside = Image.fromarray(polygon2mask((side, side), sign.outline[:, ::-1] * fine - 0.5))
    paper = Image.new("RGB", sign.face.size, "white")
    return Image.composite(sign.face, paper, inside.convert("L").reduce(fine))


def overlap(a: BoxMm, b: BoxMm) -> bool:
    return all(a[i] < b[i] + b[i + 2] - 1e-9 and b[i] < a[i] + a[i + 2] - 1e-9 for i in (0, 1))
