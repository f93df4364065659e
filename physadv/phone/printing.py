"""What comes out of a printer: a page in its ink, at the size and with the losses people print with."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from kornia.color import rgb_to_grayscale
from numpy.typing import NDArray
from torch import Tensor

from physadv.phone.errors import PhoneError
from physadv.phone.paper import Points
from physadv.transforms.printing import Printer, print_images

MM_PER_INCH = 25.4


@dataclass(frozen=True)
class PrintSettings:
    """How a page is printed; by default as it should be.

    Attributes:
        scale: size on paper, about the paper's middle; "fit to page" takes 0.94 to 0.97.
        margin_mm: along the paper's edges where the printer puts no ink.
        monochrome: black ink only.
        dpi: dots per inch the driver keeps of the page, None = all.
        ink: share of the ink it puts down.

    Raises:
        PhoneError: scale outside 0.5 to 1.5, a negative margin, less than 50 dpi, or ink outside 0.2 to 1.
    """

    scale: float = 1.0
    margin_mm: float = 0.0
    monochrome: bool = False
    dpi: float | None = None
    ink: float = 1.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.scale <= 1.5:
            raise PhoneError(f"print scale {self.scale:g}: wanted 0.5 to 1.5")
        if not self.margin_mm >= 0:
            raise PhoneError(f"print margin {self.margin_mm:g} mm: wanted 0 or more")
        if self.dpi is not None and not self.dpi >= 50:
            raise PhoneError(f"print resolution {self.dpi:g} dpi: wanted 50 or more")
        if not 0.2 <= self.ink <= 1:
            raise PhoneError(f"ink {self.ink:g}: wanted 0.2 to 1")

    def on_paper(self, points_mm: Points, page_mm: tuple[float, float]) -> Points:
        """Return where points (N, 2) of the page as laid out come to be on the paper, mm."""
        middle = np.array(page_mm) / 2
        placed: Points = (points_mm - middle) * self.scale + middle
        return placed


AS_ASKED = PrintSettings()

PRINT_SETTINGS: dict[str, PrintSettings] = {
    "as asked": AS_ASKED,
    "fit to page, 97 %": PrintSettings(scale=0.97),
    "fit to page, 94 %": PrintSettings(scale=0.94),
    "margins cropped at 5 mm": PrintSettings(margin_mm=5.0),
    "black and white": PrintSettings(monochrome=True),
    "150 dpi draft": PrintSettings(dpi=150.0, ink=0.75),
}
"""The ways people print. That a draft puts down three quarters of the ink is this project's assumption."""


def print_page(
    page: NDArray[np.uint8],
    page_mm: tuple[float, float],
    settings: PrintSettings = AS_ASKED,
    printer: Printer | None = None,
) -> Tensor:
    """Return the reflectance (1, 3, H, W), linear light, of a page on paper.

    Args:
        page: as laid out, uint8 sRGB pixels (H, W, 3).
        page_mm: width and height of page and paper.
        settings: what was chosen in the printer's dialogue.
        printer: its ink and paper.
    """
    height, width = page.shape[:2]
    dots_per_mm = width / page_mm[0]
    if settings.dpi is not None:
        coarse = tuple(round(side / MM_PER_INCH * settings.dpi) for side in page_mm)
        page = cv2.resize(page, coarse, interpolation=cv2.INTER_AREA)
        page = cv2.resize(page, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    pixels = torch.from_numpy(page).permute(2, 0, 1)[None].float() / 255
    if settings.scale != 1:
        shrink = torch.tensor([[[1 / settings.scale, 0, 0], [0, 1 / settings.scale, 0]]])
        grid = F.affine_grid(shrink, [1, 3, height, width], align_corners=False)
        pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    if settings.monochrome:
        pixels = rgb_to_grayscale(pixels).expand(-1, 3, -1, -1)
    if settings.margin_mm:
        inset = round(settings.margin_mm * dots_per_mm)
        printed = pixels
        pixels = torch.ones_like(printed)
        pixels[..., inset:-inset, inset:-inset] = printed[..., inset:-inset, inset:-inset]
    printer = printer or Printer()
    # Less ink lets that share of the paper's white through.
    thin = replace(printer, black=1 - settings.ink * (1 - printer.black))
    return print_images(pixels, thin, dots_per_mm)
