"""A share as a cell of a page."""

from physadv.evaluation.intervals import Estimate
from physadv.report.page import Cell
from physadv.report.wording import UNDEFINED, interval, number


def share_cell(share: Estimate, mark: str = "") -> Cell:
    """Return a share in per cent over its interval; a mark follows it."""
    text = number(share)
    return Cell(text + mark, interval(share), weak=text == UNDEFINED)
