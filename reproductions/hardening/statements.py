"""What the page said before it was made by scene, by seed and with tests, and which line says it now."""

from dataclasses import dataclass

HOLDS, FAILS = "holds", "does not hold"


@dataclass(frozen=True)
class Statement:
    """One verdict of the earlier page.

    Attributes:
        line: the line that it is about now.
        said: what it was about then.
        before: per cent before hardening.
        after: per cent after.
        verdict: as it was.
    """

    line: str
    said: str
    before: float
    after: float
    verdict: str


EARLIER = (
    Statement("GTSRB test images, misread", "test images misread, 3 points may be lost", 1.27, 2.90, HOLDS),
    Statement("square of 10 %", "square of 10 %, worst of 5 places, wanted half", 98.8, 94.2, FAILS),
    Statement(
        "10 %, optimised, not called stop",
        "stop signs, 10 %, two bars, not called stop, wanted half",
        93.7,
        1.5,
        HOLDS,
    ),
    Statement(
        "19 %, lab, made for any other class, not called stop",
        "auto, lab, not called stop, wanted half",
        100.0,
        0.0,
        HOLDS,
    ),
    Statement(
        "19 %, lab, made for no entry, called that",
        "auto, lab, called no entry, wanted half",
        100.0,
        29.0,
        HOLDS,
    ),
    Statement("L∞ noise, eps 2, PGD 40 steps", "L∞ noise, eps 2, wanted no more", 31.3, 42.0, FAILS),
    Statement("L∞ noise, eps 4, PGD 40 steps", "L∞ noise, eps 4, wanted no more", 55.3, 69.5, FAILS),
    Statement(
        "L2 noise, radius 0.5, PGD 40 steps", "L2 noise, radius 0.5, wanted no more", 61.8, 72.4, FAILS
    ),
)
NOT_AGAIN = (
    "the paper's two bars of 19 %, stickers for speed limit 120 and 50, every drive-by, signs found by their "
    "outline, squares at one place by steps, L∞ noise of eps 8, L2 noise of radius 1"
)
"""What the earlier page measured and this one does not."""
