"""One piece of paper in a photo, what is wrong with it, and the colours of its cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from physadv.capture.cells import CroppedCell, root_mean_square
from physadv.capture.colour import Bars, Correction, Exposure, fit_correction, read_bars
from physadv.capture.geometry import STRETCH_TOLERANCE, Points, SheetModel
from physadv.capture.light import fit_flat_field
from physadv.capture.marks import Evidence
from physadv.capture.reading import CaptureError, Photo
from physadv.sheets.layout import COLOURLESS, Sheet


@dataclass(frozen=True)
class FoundSheet:
    """One piece of paper in a photo. A sheet that is in the photo twice gives two of these.

    Attributes:
        sheet: the sheet as it was printed.
        model: maps page points in mm to photo pixels.
        evidence: the marks that were found.
        reason: why the whole sheet is refused; None for a sheet that can be used.
        cells: the cells in the sheet's order, each cut out or refused.
        exposure: how the photo renders the greys; None where no grey can be read.
        chroma: share of their chroma that the colours of its bars keep; None where they cannot be read.
        stretch: how much wider the sheet was printed than its height wants; None where the photo cannot tell.
        correction: the colour correction of the crops, or of the copies beside them; None without one.
        uncorrected: why colours were left as photographed though correction was asked for; None otherwise.
    """

    sheet: Sheet
    model: SheetModel
    evidence: Evidence
    reason: str | None = None
    cells: tuple[CroppedCell, ...] = ()
    exposure: Exposure | None = None
    chroma: float | None = None
    stretch: float | None = None
    correction: Correction | None = None
    uncorrected: str | None = None

    @property
    def index(self) -> int:
        """Return the index of the sheet in its run."""
        return self.sheet.index

    @property
    def marks_px(self) -> tuple[Points, ...]:
        """Return where the marks are, photo pixels: (4, 2) corners of each code, (1, 2) of each saddle."""
        codes = self.evidence.decoded | self.evidence.fitted
        return (*codes.values(), *(centre[None] for centre in self.evidence.saddles.values()))

    @property
    def warnings(self) -> list[str]:
        """Return what is wrong with the print and its colours, nothing for a true one."""
        sheet, found = f"sheet {self.index + 1}", []
        if self.stretch is not None and abs(self.stretch - 1) > STRETCH_TOLERANCE:
            found.append(
                f"{sheet} was printed {self.stretch:.1%} as wide as its height wants (more than "
                f"{STRETCH_TOLERANCE:.0%} off): print at 100 %, and measure its bar in both directions"
            )
        if self.chroma is not None and self.chroma <= COLOURLESS:
            found.append(
                f"{sheet} has no colour (its bars keep {self.chroma:.0%} of their chroma): print and "
                "photograph it in colour, not in black and white"
            )
        if self.uncorrected:
            found.append(f"{sheet} has its colours as photographed: {self.uncorrected}")
        return found

    @property
    def residual_px(self) -> float | None:
        """Return the RMS distance of the precise marks from the model, None for a refused sheet."""
        return None if self.reason else root_mean_square(self.evidence.errors(self.model)[0])


def with_colours(photo: Photo, papers: Sequence[FoundSheet], correct: bool) -> list[FoundSheet]:
    """Return the sheets of a photo with their exposure, and their cells' colours corrected.

    Where correction was not asked for and the exposure or cast of a sheet is off, corrected crops stand
    beside the crops of all sheets of the photo: both are then of the same cells.
    """
    bars = [read_bars(photo.rgb, paper.sheet, paper.model.to_photo) for paper in papers]
    seen = [
        replace(paper, exposure=own.exposure(), chroma=own.chroma())
        for paper, own in zip(papers, bars, strict=True)
    ]
    if not correct and not any(paper.exposure and paper.exposure.is_off for paper in seen):
        return seen
    corrected = [_corrected(photo, *both) for both in zip(seen, bars, strict=True)]
    if correct:
        return corrected
    if not any(paper.correction for paper in corrected):
        return seen
    return [
        replace(
            paper,
            correction=other.correction,
            cells=tuple(
                replace(cell, corrected=cell.crop if copy.crop is None else copy.crop)
                for cell, copy in zip(paper.cells, other.cells, strict=True)
            ),
        )
        for paper, other in zip(seen, corrected, strict=True)
    ]


def _corrected(photo: Photo, paper: FoundSheet, bars: Bars) -> FoundSheet:
    """Return a sheet with corrected crops, refused ones if they cannot be, its own if those are worse."""
    crops = {cell.number: cell.crop for cell in paper.cells if cell.crop is not None}
    try:
        correction = fit_correction(bars, fit_flat_field(photo.rgb, paper.sheet, paper.model.to_photo))
    except CaptureError as error:
        reason = str(error)
        refused = [replace(c, crop=None, reason=reason) if c.number in crops else c for c in paper.cells]
        return replace(paper, cells=tuple(refused))
    if not correction.helps:
        errors = (fitted.mean() for fitted in (correction.delta_e, correction.delta_e_before))
        worse = "by correction held-out patches get worse, ΔE2000 {:.1f} after {:.1f}".format(*errors)
        return replace(paper, uncorrected=worse)
    corrected = {n: correction.apply(crop, paper.sheet.cells[n].box_mm) for n, crop in crops.items()}
    cells = [replace(cell, crop=corrected.get(cell.number)) for cell in paper.cells]
    return replace(paper, cells=tuple(cells), correction=correction)
