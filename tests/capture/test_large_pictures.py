"""Pictures larger than the distance at which marks are looked for are found all the same."""

import cv2
import numpy as np

from physadv.capture import Photo, crop_photo
from physadv.sheets import PrintItem, page_pixels, plan_sheets, write_pdf


def test_both_pictures_of_90_mm_on_an_a4_sheet_are_cut_out(tmp_path):
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 256, (48, 48, 3), np.uint8) for name in ("clean", "adversarial")}
    items = tuple(PrintItem(name, 48, 48) for name in pictures)
    sheets = plan_sheets([items], run="MYRUN1", image_mm=90)
    write_pdf(tmp_path / "sheets.pdf", sheets, picture=pictures.__getitem__)
    page = page_pixels(tmp_path / "sheets.pdf", 0, dots_per_mm=6)
    photo = Photo(page, cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), camera="")
    (sheet,) = crop_photo(photo, sheets, picture=pictures.__getitem__).sheets
    assert [(cell.example, cell.reason, cell.marks) for cell in sheet.cells] == [
        ("clean", None, 5),
        ("adversarial", None, 5),
    ]
