"""Printable sheets: where everything stands on the page, in millimetres, and the PDF that says so.

This room knows pages, codes and ink; it knows nothing of models, photos or the disk layout of a run.
"""

from physadv.sheets.codes import Code, format_code, parse_code, qr_matrix
from physadv.sheets.layout import PAGES, Cell, Mark, Patch, PrintItem, Sheet, SheetError, plan_sheets
from physadv.sheets.pdf import Caption, page_pixels, write_pdf

__all__ = [
    "PAGES",
    "Caption",
    "Cell",
    "Code",
    "Mark",
    "Patch",
    "PrintItem",
    "Sheet",
    "SheetError",
    "format_code",
    "page_pixels",
    "parse_code",
    "plan_sheets",
    "qr_matrix",
    "write_pdf",
]
