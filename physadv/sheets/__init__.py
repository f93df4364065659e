"""Printable sheets: where everything stands on the page, in millimetres, and the PDF that says so.

This room knows pages, codes and ink; it knows nothing of models, photos or the disk layout of a run.
"""

from physadv.sheets.codes import Code, format_code, parse_code, qr_matrix
from physadv.sheets.layout import PAGES, Cell, Mark, Patch, PrintItem, Sheet, SheetError, plan_sheets
from physadv.sheets.pdf import Caption, page_pixels, write_pdf
from physadv.sheets.poster_pdf import PARTS, write_sign_pdf
from physadv.sheets.posters import TRUE_SIZE_NOTICE
from physadv.sheets.signs import MINIATURE_MM, PaperSign

__all__ = [
    "MINIATURE_MM",
    "PAGES",
    "PARTS",
    "TRUE_SIZE_NOTICE",
    "Caption",
    "Cell",
    "Code",
    "Mark",
    "PaperSign",
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
    "write_sign_pdf",
]
