"""What a virtual phone, the hand that holds it, the place a sheet lies in and the printer vary between.

The defaults here are this project's, round numbers. A phone's and a preset's TOML file says where each of its
own comes from. A number that cannot be raises PhoneError, whose line says what can. Reading and checking
these needs no torch.
"""

# ruff: noqa: RUF009 - `_within` makes a field

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

from physadv.errors import PhysadvError, unknown_name
from physadv.transforms.presses import PRESSES

if TYPE_CHECKING:
    from physadv.phone.paper import Points

Interval: TypeAlias = "tuple[float, float]"  # of a quantity that is drawn uniformly for every photo

NEVER = (0.0, 0.0)
HALFTONES = ("continuous", "clustered", "diffused")
SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


class PhoneError(PhysadvError):
    """A page cannot be printed or photographed as asked."""


def _within(default: Any, least: float, most: float) -> Any:
    """Return a field whose numbers must lie from `least` to `most`."""
    return field(default=default, metadata={"limits": (least, most)})


@dataclass(frozen=True)
class _Checked:
    """Refuses, with a PhoneError, a number that leaves its limits and an empty interval."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if "limits" not in each.metadata:
                continue
            value, (least, most) = getattr(self, each.name), each.metadata["limits"]
            if value is None:
                continue
            numbers = value if isinstance(value, tuple) else (value,)
            shown = f"{each.name} {', '.join(f'{number:g}' for number in numbers) or 'none'}"
            if not numbers or not all(least <= number <= most for number in numbers):
                raise PhoneError(
                    f"{shown}: wanted {least:g} " + ("or more" if most == inf else f"to {most:g}")
                )
            if each.type.startswith("Interval") and (len(numbers) != 2 or numbers[0] > numbers[1]):
                raise PhoneError(f"{shown}: wanted two numbers, the lower first")


@dataclass(frozen=True)
class Scene(_Checked):
    """What is around and on the sheet, and how it lies there; a chance is a share of the photos.

    Attributes:
        bow: height of the bent paper's middle over its ends, mm, of either sign; see `Bend`.
        waves: greatest amplitude of the waves added to the bend's arc, which is then in any direction;
            0 = an arc across the long or the short side.
        neighbour: chance that the next sheet lies beside it, in the same photo.
        partial: chance that the photo's border cuts the sheet.
        cut: share of the sheet's width or height that the border cuts off.
        thumb: chance of a thumb on the sheet.
        thumb_reach: how far the thumb reaches over the page's edge, mm.
        pen: chance of a pen lying on the sheet.
        shadow: chance of a hard shadow over the sheet.
        shadow_depth: share of the light that the shadow takes.
        glare: chance of a lamp's reflection in the paper.
        glare_light: light that the reflection adds; 1 clips.
    """

    bow: Interval = _within(NEVER, 0, 200)
    waves: float = _within(0.0, 0, 2)
    neighbour: float = _within(0.0, 0, 1)
    partial: float = _within(0.0, 0, 1)
    cut: Interval = _within(NEVER, 0, 0.95)
    thumb: float = _within(0.0, 0, 1)
    thumb_reach: Interval = _within(NEVER, 0, 200)
    pen: float = _within(0.0, 0, 1)
    shadow: float = _within(0.0, 0, 1)
    shadow_depth: Interval = _within(NEVER, 0, 1)
    glare: float = _within(0.0, 0, 1)
    glare_light: Interval = _within(NEVER, 0, 100)


@dataclass(frozen=True)
class Phone(_Checked):
    """What a phone and the hand that holds it vary between; each interval is drawn uniformly.

    The defaults of the white balance's gains, of the sensor's headroom and of its noise are those of Brooks
    et al. 2019, "Unprocessing Images for Learned Raw Denoising".

    Attributes:
        width: of the upright photo, pixels.
        height: of the upright photo, pixels; with the default width, 12.2 megapixels.
        focal: focal length in pixels; the default is 26 mm full-frame equivalent.
        tilt: largest |yaw| and |pitch|, degrees.
        roll: largest |roll|, degrees.
        turns: quarter turns of the sheet in the upright photo, degrees; one is drawn.
        fill: how much of the frame the page takes, 1 = it touches the edge.
        lens: largest radial coefficients a1 and a2, of either sign.
        falloff: how much darker the far side of the page is lit, fraction.
        elevation: of the light over the table, degrees: the lower, the more a bent page shades itself.
        vignette: light lost in the photo's corners, fraction.
        white_balance: largest gain error of red and blue, of either sign, fraction.
        warmth: coloured light left after white balance: red up and blue down by this fraction.
        exposure: light on the middle of the page, 1 = a white surface just clips.
        blur: gaussian sigma of the optics, pixels, at least 0.5.
        defocus: radius of the disc that a point out of focus becomes, pixels.
        motion: length of the line along which the photo is shaken, pixels.
        red_gain: white balance of red: a sensor sees so much less of it than of green on a white surface.
        blue_gain: white balance of blue: a sensor sees so much less of it than of green on a white surface.
        headroom: share of the sensor's range that a just clipping white surface takes, in green.
        shot_noise: variance of the sensor's noise per unit of raw light, drawn log-uniformly.
        read_noise: standard deviation of the sensor's noise without light, in raw light; None = as published
            for the shot noise that is drawn.
        denoising: detail of less than so many standard deviations of the noise is averaged away; 0 = none is.
        grain: gaussian sigma over which denoising averages brightness, pixels.
        colour_grain: gaussian sigma over which denoising averages colour, pixels at half the size.
        local_tone: exponent with which local tone mapping evens out the light of regions, 0 = not.
        contrast: strength of the S-shaped tone curve, 0 = plain sRGB, 1 = 3x² − 2x³.
        sharpening: strength of the phone's unsharp mask.
        halo: gaussian sigma of the phone's unsharp mask, pixels.
        quality: JPEG quality.
        quantisers: JPEG tables of luma and chroma, each of 64 numbers, row by row, instead of a quality.
        subsampling: of the JPEG file's chroma, 4:4:4, 4:2:2 or 4:2:0.
        orientations: EXIF orientations; one is drawn.
        messenger: chance that the photo went through a messenger.
        scene: what is photographed.
    """

    width: int = _within(3024, 64, 30000)
    height: int = _within(4032, 64, 30000)
    focal: float = _within(3028.0, 1, 1e6)
    tilt: float = _within(10.0, 0, 70)
    roll: float = _within(6.0, 0, 180)
    turns: tuple[int, ...] = _within((0,), 0, 359)
    fill: Interval = _within((0.86, 0.96), 0.05, 5)
    lens: float = _within(0.02, 0, 0.2)
    falloff: Interval = _within((0.05, 0.25), 0, 1)
    elevation: Interval = _within((50.0, 80.0), 1, 90)
    vignette: Interval = _within((0.05, 0.25), 0, 1)
    white_balance: float = _within(0.08, 0, 1)
    warmth: Interval = _within(NEVER, -1, 1)
    exposure: Interval = _within((0.85, 1.1), 0, 100)
    blur: Interval = _within((0.7, 1.2), 0.5, 50)
    defocus: Interval = _within((0.0, 1.2), 0, 50)
    motion: Interval = _within((0.0, 2.5), 0, 100)
    red_gain: Interval = _within((1.9, 2.4), 0.1, 10)
    blue_gain: Interval = _within((1.5, 1.9), 0.1, 10)
    headroom: Interval = _within((0.627, 0.973), 0.01, 1)
    shot_noise: Interval = _within((1e-4, 2e-4), 0, 1)
    read_noise: Interval | None = _within(None, 0, 1)
    denoising: Interval = _within((1.0, 2.0), 0, 100)
    grain: Interval = _within((0.7, 1.0), 0.1, 20)
    colour_grain: Interval = _within((0.7, 1.0), 0.1, 20)
    local_tone: Interval = _within(NEVER, 0, 1)
    contrast: Interval = _within((0.0, 0.3), 0, 1)
    sharpening: Interval = _within(NEVER, 0, 10)
    halo: Interval = _within((1.5, 1.5), 0.3, 20)
    quality: Interval = _within((88, 96), 1, 100)
    quantisers: tuple[tuple[int, ...], ...] | None = None
    subsampling: str = "4:2:0"
    orientations: tuple[int, ...] = _within((1, 3, 6, 8), 1, 8)
    messenger: float = _within(0.0, 0, 1)
    scene: Scene = Scene()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.subsampling not in SUBSAMPLINGS:
            raise PhoneError(unknown_name("subsampling", self.subsampling, SUBSAMPLINGS))
        tables = self.quantisers or ((1,) * 64,) * 2
        if [len(table) for table in tables] != [64, 64] or not all(1 <= n <= 255 for n in sum(tables, ())):
            raise PhoneError("quantisers: wanted two tables of 64 whole numbers from 1 to 255")


@dataclass(frozen=True)
class Printer(_Checked):
    """A printer and its paper: a measured press, and what it lacks or a profile does not tell.

    Attributes:
        press: name of the measured press whose colours and paper it has; see `transforms.presses.PRESSES`.
        halftone: `clustered` dots or `diffused` errors, at 600 dpi, or `continuous` tones.
        spread_mm: gaussian spread of ink and light in the paper, mm.
        ink: share of the press's ink that it puts down; the rest lets the paper's white through.
    """

    press: str
    halftone: str = "continuous"
    spread_mm: float = _within(0.05, 1e-6, 5)
    ink: float = _within(1.0, 0.2, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for kind, name, known in (("press", self.press, PRESSES), ("halftone", self.halftone, HALFTONES)):
            if name not in known:
                raise PhoneError(unknown_name(kind, name, known))


@dataclass(frozen=True)
class PrintSettings(_Checked):
    """How a page is printed; by default as it should be.

    Attributes:
        scale: size on paper, about the paper's middle; "fit to page" takes 0.94 to 0.97.
        margin_mm: along the paper's edges where the printer puts no ink.
        monochrome: black ink only.
        dpi: dots per inch the driver keeps of the page, None = all.
        ink: share of the ink it puts down.
    """

    scale: float = _within(1.0, 0.5, 1.5)
    margin_mm: float = _within(0.0, 0, inf)
    monochrome: bool = False
    dpi: float | None = _within(None, 50, inf)
    ink: float = _within(1.0, 0.2, 1)

    def on_paper(self, points_mm: Points, page_mm: tuple[float, float]) -> Points:
        """Return where points (N, 2) of the page as laid out come to be on the paper, mm."""
        if self.scale == 1:
            return points_mm
        middle = (page_mm[0] / 2, page_mm[1] / 2)
        placed: Points = (points_mm - middle) * self.scale + middle
        return placed
