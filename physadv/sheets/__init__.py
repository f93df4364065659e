"""Printable sheets: a layout in millimetres, and the PDF that is printed at 100 %.

`plan_sheets` places pairs of examples, their QR codes and their marks on pages. `write_pdf` writes the pages
at true size, and `page_pixels` renders one as the dots of a printer. `physadv.capture` finds them again in
photos.

This room knows pages, codes and ink. It knows nothing of models, photos or the files of a run.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.sheets.layout import PAGES, Cell, Mark, Patch, PrintItem, Sheet, SheetError, plan_sheets
    from physadv.sheets.pdf import page_pixels, write_pdf

# fmt: off
__all__ = [
    "PAGES", "Cell", "Mark", "Patch", "PrintItem", "Sheet", "SheetError", "page_pixels", "plan_sheets",
    "write_pdf",
]
# fmt: on
__getattr__, __dir__ = lazy_names(__name__)
