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
    return spelt(text) == text


def spelt(text: str) -> str:
    r"""Return a text with the signs escaped that no font here has or that do not stand from left to right.

    >>> spelt("стоп 停")
    'стоп \\u505c'
    """
    if _is_latin(text):
        return text
    return "".join(sign if _stands(sign) else sign.encode("unicode_escape").decode() for sign in text)


def _stands(sign: str) -> bool:
    misplaced = bidirectional(sign) in ("R", "AL", "AN", "BN")
    return sign == "\n" or (ord(sign) in _other_letters() and not misplaced)


def _is_latin(text: str) -> bool:
    """Return whether the fonts that every viewer has can spell a text."""
    return text.isascii() or all(sign.encode("cp1252", "ignore") for sign in text)


@cache
def _other_letters() -> frozenset[int]:
    """Register the fonts for other scripts, and return the letters that both have."""
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    fonts = [TTFont(name, font_file(name)) for name in OTHER_SCRIPTS.values()]
    for font in fonts:
        registerFont(font)
    return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))


def font_file(name: str = OTHER_SCRIPTS[FONT]) -> Path:
    """Return the file of a font that has letters beyond Latin."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"


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
