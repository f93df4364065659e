"""The parts that pages are made of, and how a page is written.

A page is one self-contained HTML file for any screen or printer; it asks for nothing from any network. All
text in it is escaped, but for the drawings, which `drawing` makes and escapes.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

from physadv.report.drawing import Figure
from physadv.text import printable, without_home

if TYPE_CHECKING:
    from jinja2 import Environment

SIDE_PX, LOSSLESS_SIDE_PX = 200, 96
PICTURE_QUALITY = 80

Facts = Mapping[str, Sequence[tuple[str, str]]]
"""Kind of fact, such as "Attack" → name and value of each, as written."""


@dataclass(frozen=True)
class Notice:
    """What must be known before any number is read.

    Attributes:
        title: in a few words.
        text: in a sentence.
        plain: whether it is information and no caution.
    """

    title: str
    text: str
    plain: bool = False


@dataclass(frozen=True)
class Headline:
    """One number in large type.

    Attributes:
        name: what it is.
        value: the number, as written.
        detail: its interval and n.
        words: what it says.
        weak: whether there is no number, and `value` says so.
    """

    name: str
    value: str
    detail: str
    words: str
    weak: bool = False


@dataclass(frozen=True)
class FigureGroup:
    """Figures of one kind.

    Attributes:
        title: heading above them, empty where they need none.
        note: how to read them.
        figures: the drawings.
        small: whether they are small multiples, several in a row.
    """

    title: str
    note: str
    figures: tuple[Figure, ...]
    small: bool = False


@dataclass(frozen=True)
class Picture:
    """One picture of a pair.

    Attributes:
        title: what it is, such as "clean" or "adversarial photo".
        src: the picture as a data URI; empty where there is none, and `alt` says why.
        size_px: width and height of the picture.
        alt: its text alternative.
        answer: the classifier's first answer, or a remark where no classifier was asked.
        probability: the answer's probability, as written.
        right: whether the answer is the true label; None where no classifier was asked.
    """

    title: str
    src: str
    size_px: tuple[int, int]
    alt: str
    answer: str = ""
    probability: str = ""
    right: bool | None = None


def render_page(template: str, page: object) -> str:
    """Return the page that a template of `pages/` makes; the same `page` gives the same text.

    Args:
        template: its file name.
        page: what the template shows, by name: a mapping or an object with attributes.
    """
    return environment().get_template(template).render(page=page)


@cache
def environment() -> "Environment":
    """Return the templates of `pages/`; what they show is escaped, and a missing name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("physadv.report", "pages"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _finalize(value: object) -> object:
    """Escape what a name could hide, and hide the home folder; HTML and pictures are left alone."""
    if not isinstance(value, str) or hasattr(value, "__html__") or value.startswith("data:"):
        return value
    return without_home(printable(value, keep="\n"))


def slug(text: str) -> str:
    """Return a text as it may stand in the name of a file or in an id: ASCII letters, digits and hyphens."""
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in text)


def data_uri(image: Image.Image, quality: int = PICTURE_QUALITY) -> tuple[str, tuple[int, int]]:
    """Return an image as a data URI, at most `SIDE_PX` wide and high, and its size in pixels.

    Args:
        image: any picture; images of at most `LOSSLESS_SIDE_PX` become PNG, larger ones JPEG.
        quality: of the JPEG, 1 to 95.
    """
    reduced = image.copy()
    reduced.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    kind, written = "png" if max(reduced.size) <= LOSSLESS_SIDE_PX else "jpeg", io.BytesIO()
    if kind == "png":
        reduced.save(written, "PNG", optimize=True)
    else:
        reduced.save(written, "JPEG", quality=quality, subsampling=0, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(written.getvalue()).decode()}", reduced.size
