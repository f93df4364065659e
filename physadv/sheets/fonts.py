"""Fonts on paper: those that every viewer has, or one that is embedded where a text has other letters."""

from functools import cache
from pathlib import Path
from unicodedata import bidirectional

POINTS_PER_MM = 72 / 25.4
FONT, BOLD, SIGNS = "Helvetica", "Helvetica-Bold", "ZapfDingbats"
OTHER_SCRIPTS = {FONT: "DejaVuSans", BOLD: "DejaVuSans-Bold"}
"""Embedded where a text has letters that are not Latin; matplotlib brings these fonts along."""


def can_print(text: str) -> bool:
    """Return whether a text can be spelt on paper, from left to right and letter by letter.

    Scripts that no font here has, such as Chinese, or that join their letters or begin at the right, cannot.
    """
    return _is_latin(text) or (
        all(ord(sign) in _other_letters() for sign in text)
        and not any(bidirectional(sign) in ("R", "AL", "AN", "BN") for sign in text)
    )


def _is_latin(text: str) -> bool:
    """Return whether the fonts that every viewer has can spell a text."""
    return text.isascii() or all(sign.encode("cp1252", "ignore") for sign in text)


@cache
def _other_letters() -> frozenset[int]:
    """Register the fonts for other scripts, and return the letters that both have."""
    import matplotlib
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [TTFont(name, folder / f"{name}.ttf") for name in OTHER_SCRIPTS.values()]
    for font in fonts:
        registerFont(font)
    return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))


def font_for(text: str, font: str) -> str:
    """Return the font that spells a text: `font`, or the like of it with more scripts."""
    if font not in OTHER_SCRIPTS or _is_latin(text):
        return font
    _other_letters()
    return OTHER_SCRIPTS[font]


def text_width(text: str, points: float, font: str = FONT) -> float:
    """Return the width of a text in mm."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, font_for(text, font), points)) / POINTS_PER_MM


def fitted(text: str, width_mm: float, points: float, font: str = FONT) -> str:
    """Return a text shortened to a width in mm, ending in "…" if it was cut."""
    while text_width(text, points, font) > width_mm:
        text = text[:-2].rstrip() + "…"
    return text
