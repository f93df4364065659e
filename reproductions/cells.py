"""Pictures on one sheet through a virtual printer and phone, and back as crops, without the files of a run.

What happens to a picture is what `photograph --simulate` and `crop` do, by the same functions: a page drawn
to a PDF and rendered, printed, photographed, written as the phone's file, read, cropped. Nothing is kept.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from physadv.capture import CaptureError, crop_photo, read_photo
from physadv.phone import PhonePreset, Print, draw_shot, encode_jpeg, print_page, take_photo
from physadv.phone.presets import load_device, load_phone_preset
from physadv.phone.printers import named_printer
from physadv.phone.printing import dots_per_mm
from physadv.randomness import generator
from physadv.sheets import PrintItem, Sheet, page_pixels, plan_sheets, write_pdf
from reproductions.together import without_blanks

Pixels = NDArray[np.uint8]
Way = tuple[str, str, str]
"""Preset, phone and printer by name, as `CHANNELS` has them."""
CODE = "SHEET1"
"""Of every sheet: a photo shows one, and no photo outlives its sheet."""


def load_way(way: Way) -> PhonePreset:
    """Return a preset with the phone and the printer of a way."""
    preset, phone, printer = way
    return replace(load_phone_preset(preset).taken_with(load_device(phone)), printer=named_printer(printer))


def lay_out(pictures: Mapping[str, Pixels], *, image_mm: float) -> Sheet:
    """Return the A4 sheet of pictures (h, w, 3), uint8, by their names; ValueError where they fill more."""
    items = [PrintItem(name, pixels.shape[1], pixels.shape[0]) for name, pixels in pictures.items()]
    if len(items) % 2:
        items.append(PrintItem("", 1, 1))
    sheets = plan_sheets(list(zip(items[::2], items[1::2], strict=True)), run=CODE, image_mm=image_mm)
    if len(sheets) != 1:
        raise ValueError(f"{len(pictures)} pictures of {image_mm:g} mm: {len(sheets)} sheets; wanted one")
    return without_blanks(sheets[0])


def drawn(sheet: Sheet, pictures: Mapping[str, Pixels], preset: PhonePreset) -> Pixels:
    """Return the page (H, W, 3), uint8 sRGB, as finely as the pipeline renders it for a preset."""
    with TemporaryDirectory() as folder:
        pdf = Path(folder) / "sheet.pdf"
        write_pdf(pdf, [sheet], picture=pictures.__getitem__)
        return page_pixels(pdf, 0, dots_per_mm(preset.printer, preset.phone))


def printed(page: Pixels, sheet: Sheet, preset: PhonePreset) -> Print:
    """Return a drawn page on paper, as a preset prints it."""
    return print_page(page, sheet.page_mm, preset.settings, preset.printer)


def photographed(
    print_: Print, sheet: Sheet, pictures: Mapping[str, Pixels], preset: PhonePreset, seed: int, number: int
) -> dict[str, Pixels]:
    """Return name → crop of one photo, which is drawn as the pipeline draws that of sheet `number`.

    A cell that cannot be cropped is missing, and all of them where the sheet is not found.
    """
    stream = generator(seed, "shot", number, 0)
    shot = draw_shot(preset.phone, sheet.page_mm, stream)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(encode_jpeg(take_photo([print_], shot), shot))
        try:
            found = crop_photo(read_photo(path), [sheet], picture=pictures.__getitem__)
        except CaptureError:
            return {}
    (paper, *_) = found.sheets
    return {cell.example: cell.crop for cell in paper.cells if cell.crop is not None}
