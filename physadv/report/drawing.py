"""What all drawings share: canvas, palette, and how one becomes part of a page or a file of its own.

In a page text stays text in the page's font, and colours are CSS variables with a fallback: a drawing is
readable in light, in dark and on paper. The same data gives the same bytes.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from physadv.sheets.fonts import spelt
from physadv.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

FORMATS = ("pdf", "png", "svg")
WIDE, SMALL = 4.2, 3.2
"""Inches: alone in its row or beside one other, and one of small multiples."""
PNG_DPI = 200
LABEL_LETTERS = 28

INK, MUTED, GRID, CARD = "#1b1f24", "#59616b", "#d9dde2", "#fefefe"


class Style(NamedTuple):
    """How a series is drawn; symbols differ as well as colours, for those who do not tell these apart."""

    colour: str
    symbol: str


# Okabe and Ito's palette, darkened until each stands out from white as text must.
STYLES = (
    Style("#0a5ea8", "o"),
    Style("#b4500b", "D"),
    Style("#00734f", "s"),
    Style("#8f3f77", "^"),
    Style("#7a5c00", "v"),
    Style("#4a5560", "P"),
)
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")
_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "line", CARD: "page"}
_VARIABLES |= {style.colour: place for style, place in zip(STYLES, _PLACES, strict=True)}
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "physadv",
    "pdf.fonttype": 42,
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.unicode_minus": False,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": INK,
}
_UNDATED: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
    "png": {"Software": None},
}


@dataclass(frozen=True, eq=False)
class Figure:
    """A drawing and what it shows in words.

    Attributes:
        name: of its file, and what its ids begin with.
        title: one line above it.
        caption: how to read it.
        alt: its numbers, for those who do not see it.
        canvas: the drawing.
    """

    name: str
    title: str
    caption: str
    alt: str
    canvas: "Canvas"

    @cached_property
    def svg(self) -> str:
        """Return an <svg> element, for a page that holds it inline; its text is escaped."""
        return _inline(self._written("svg", transparent=True).decode(), self.name)

    def write(self, path: Path, fmt: str) -> None:
        """Write it as a file of one of `FORMATS`, on white."""
        path.write_bytes(self._written(fmt, facecolor="white"))

    def _written(self, fmt: str, **options: Any) -> bytes:
        from matplotlib.text import Text

        written = io.BytesIO()
        # matplotlib warns of letters that its font lacks, which a page's viewer has.
        with _settings(), warnings.catch_warnings(action="ignore", category=UserWarning):
            texts = {text: text.get_text() for text in self.canvas.findobj(Text)}
            for text, words in texts.items():
                text.set_text(words if fmt == "svg" else spelt(words))
            self.canvas.savefig(written, format=fmt, metadata=_UNDATED[fmt], dpi=PNG_DPI, **options)
            for text, words in texts.items():
                text.set_text(words)
        return written.getvalue()


@contextmanager
def blank(
    width: float, height: float, margins: tuple[float, float, float, float] | None = None
) -> Iterator[tuple["Canvas", "Axes"]]:
    """Give an empty canvas and its axes to draw on.

    Args:
        width: of the canvas in inches.
        height: of the canvas in inches.
        margins: inches to the left, right, below and above the axes, so that drawings of one size line up
            whatever their labels; without them as many as the labels need.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    with _settings():
        canvas = Canvas(figsize=(width, height))
        FigureCanvasSVG(canvas)
        axes = canvas.add_subplot()
        axes.set_axisbelow(True)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if margins is None:
            canvas.set_layout_engine("constrained")
        else:
            left, right, bottom, top = margins
            canvas.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)
        yield canvas, axes


def legend_shape(labels: Sequence[str], letters: int) -> tuple[int, int]:
    """Return how many series a line of a legend with room for so many letters names, and how many lines."""
    longest = max(len(_shortened(label)) for label in labels)
    columns = max(1, min(len(labels), letters // (longest + 4)))
    return columns, -(-len(labels) // columns)


def show_legend(axes: "Axes", series: Sequence[tuple[str, Style]], columns: int) -> None:
    """Name every series above the axes, from their left, so many in a line."""
    handles = [
        axes.plot([], [], style.symbol, color=style.colour, markersize=5, label=_shortened(label))[0]
        for label, style in series
    ]
    spacing = {"handletextpad": 0.1, "columnspacing": 1.2, "borderaxespad": 0.1}
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=columns,
        frameon=False,
        **spacing,
    )


def _shortened(label: str) -> str:
    # What tells specs of classifiers apart is their end.
    return label if len(label) <= LABEL_LETTERS else f"…{label[1 - LABEL_LETTERS :]}"


@contextmanager
def _settings() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for setting, value in _SETTINGS.items():
            matplotlib.rcParams[setting] = value  # type: ignore[index]
        yield


def _inline(document: str, name: str) -> str:
    """Return one <svg> element whose ids, colours and font fit a page with other drawings."""
    box = re.search(r'viewBox="[^"]*"', document)
    if box is None:
        raise ValueError("the drawing has no viewBox")
    body = document[document.index(">", box.end()) + 1 :].strip()
    # The style element would reach past the drawing, over the whole page.
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    body = printable(body, keep="\n").replace("'DejaVu Sans'", "system-ui, sans-serif")
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable}, {colour})")
    return f'<svg {box.group()} aria-hidden="true" focusable="false">\n{body}'
