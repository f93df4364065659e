"""From a photo to crops: every known sheet in it, and every cell of those sheets that can be seen.

The QR codes say which sheet it is. Each piece of paper claims its own codes and collects its marks, all marks
together fix its geometry, and its cells are cut out and compared with their sources. A cell that cannot be
used is refused with a reason. No cell is identified by its position alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np

from physadv.capture.cells import CroppedCell, crop_cells, refuse_cells, root_mean_square
from physadv.capture.codes import ENLARGED_UP_TO_PIXELS, FoundCode, in_own_order, readings
from physadv.capture.colour import Correction, Exposure, correct_cells, read_bars
from physadv.capture.copies import Claimed, claim_copy, is_mirrored, off_by_mm
from physadv.capture.fitting import Fit, fit_sheet
from physadv.capture.geometry import Pinhole, Pixels, Points, SheetModel, is_inside
from physadv.capture.marks import Evidence, collect_marks, look_again, rough_model
from physadv.capture.reading import CaptureError, Photo
from physadv.sheets.codes import PREFIX, parse_code, qr_matrix
from physadv.sheets.layout import Mark, Sheet, box_corners

MAX_DISAGREEMENT = 8.0
EXPLAINED_MM = 8.0
MAX_PAPERS = 24
"""A photo with more pieces of paper than this shows cut-outs, or pages too small to be of use."""
QUICK_READERS, QUICK_READERS_OF_SMALL = 2, 3
"""Later readers are asked only where these find no sheet. Small photos take little time."""
COVERED = 0.5
"""Once known sheets fill this share of a photo, the second reader need not look for others."""


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
        correction: the colour correction of the crops; None for crops with colours as photographed.
    """

    sheet: Sheet
    model: SheetModel
    evidence: Evidence
    reason: str | None = None
    cells: tuple[CroppedCell, ...] = ()
    exposure: Exposure | None = None
    correction: Correction | None = None

    @property
    def index(self) -> int:
        """Return the index of the sheet in its run."""
        return self.sheet.index

    @property
    def marks_px(self) -> tuple[Points, ...]:
        """Return where the marks are, photo pixels: (4, 2) corners of each code, (1, 2) of each saddle."""
        return self.evidence.places()

    @property
    def residual_px(self) -> float | None:
        """Return the RMS distance of the precise marks from the model, None for a refused sheet."""
        return None if self.reason else root_mean_square(self.evidence.errors(self.model)[0])


@dataclass(frozen=True)
class CroppedPhoto:
    """What one photo shows of a run.

    Attributes:
        sheets: the pieces of paper that were found, at least one of them usable.
        remarks: what else is in the photo, such as a sheet of another run or a damaged code.
    """

    sheets: tuple[FoundSheet, ...]
    remarks: tuple[str, ...]


def crop_photo(
    photo: Photo,
    sheets: Sequence[Sheet],
    *,
    picture: Callable[[str], Pixels],
    correct_colours: bool = False,
    fit: Fit = fit_sheet,
) -> CroppedPhoto:
    """Find the sheets of a run in a photo and cut out their cells.

    Args:
        photo: from `read_photo`.
        sheets: all sheets of the run, from its manifest or from `plan_sheets`.
        picture: maps an example's id to its printed pixels (h, w, 3), uint8 RGB; its crop has the same shape.
        correct_colours: undo the colours of print, light and camera by the sheet's grey and colour bars.
        fit: fits the model of a sheet to its marks.

    Raises:
        CaptureError: no sheet of this run is in the photo, or none that can be used.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from physadv.capture import read_photo
    >>> from physadv.sheets import PrintItem, page_pixels, plan_sheets, write_pdf
    >>> rng = np.random.default_rng(0)
    >>> pictures = {name: rng.integers(0, 256, (32, 48, 3), np.uint8) for name in ("clean", "adversarial")}
    >>> sheets = plan_sheets([(PrintItem("clean", 48, 32), PrintItem("adversarial", 48, 32))], run="MYRUN1")
    >>> with TemporaryDirectory() as folder:
    ...     pdf, file = Path(folder) / "sheets.pdf", Path(folder) / "photo.png"
    ...     write_pdf(pdf, sheets, picture=pictures.__getitem__)
    ...     Image.fromarray(page_pixels(pdf, 0, dots_per_mm=6)).save(file)
    ...     found = crop_photo(read_photo(file), sheets, picture=pictures.__getitem__)
    >>> [(cell.example, cell.crop.shape) for sheet in found.sheets for cell in sheet.cells]
    [('clean', (32, 48, 3)), ('adversarial', (32, 48, 3))]
    """
    marks = {sheet.index: _code_marks(sheet) for sheet in sheets}
    by_index = {sheet.index: sheet for sheet in sheets}
    height, width = photo.gray.shape
    camera = Pinhole(width, height, photo.focal_35mm)
    codes: list[FoundCode] = []
    placed: list[FoundSheet] = []
    quick = QUICK_READERS_OF_SMALL if photo.gray.size <= ENLARGED_UP_TO_PIXELS else QUICK_READERS
    for step, found_codes in enumerate(readings(photo.gray), start=1):
        codes = _with_new(codes, found_codes)
        papers = (
            paper
            for index, group in _by_sheet(codes, marks).items()
            for paper in _place(photo, by_index[index], group, camera, fit)
        )
        placed = list(islice(papers, MAX_PAPERS))
        if placed and (step >= quick or _nothing_missed(placed, photo.gray)):
            break
    others = _others(codes, sheets[0].run, marks)
    if not placed:
        raise CaptureError(
            f"shows {'; '.join(others)}" if others else "shows no sheet: no QR code could be read"
        )
    found = [_crop(photo, paper, camera, codes, picture) for paper in placed]
    if all(paper.reason for paper in found):
        raise CaptureError("; ".join(f"shows sheet {paper.index + 1} {paper.reason}" for paper in found))
    return CroppedPhoto(
        tuple(_with_colours(photo, paper, correct_colours) for paper in found),
        tuple(f"also shows {other}" for other in others),
    )


def _code_marks(sheet: Sheet) -> dict[str, Mark]:
    return {mark.payload: mark for mark in sheet.marks if mark.payload}


def _with_new(codes: Sequence[FoundCode], found: Sequence[FoundCode]) -> list[FoundCode]:
    """Return the codes of all readers so far and those of another reader that are new."""

    def is_known(new: FoundCode) -> bool:
        return any(np.linalg.norm(new.middle - old.middle) < new.reach for old in codes)

    return [*codes, *(new for new in found if not is_known(new))]


def _by_sheet(
    codes: Sequence[FoundCode], marks: Mapping[int, Mapping[str, Mark]]
) -> dict[int, list[FoundCode]]:
    """Return the codes of each sheet of the run, by the sheet's index."""
    groups: dict[int, list[FoundCode]] = defaultdict(list)
    for code in codes:
        parsed = parse_code(code.text)
        if parsed and code.text in marks.get(parsed.sheet, {}):
            groups[parsed.sheet].append(code)
    return dict(sorted(groups.items()))


def _place(
    photo: Photo, sheet: Sheet, codes: Sequence[FoundCode], camera: Pinhole, fit: Fit
) -> Iterator[FoundSheet]:
    """Yield the pieces of paper that carry one sheet's codes, one for each copy of the sheet."""
    marks = _code_marks(sheet)
    rest = [in_own_order(photo.gray, code, qr_matrix(code.text)) for code in codes]
    papers: list[FoundSheet] = []
    while rest:
        claimed, rest = claim_copy(marks, rest)
        paper = _place_one(photo, sheet, claimed, camera, fit)
        if any(_same_place(paper, other) for other in papers):
            continue
        papers.append(paper)
        yield paper
        rest = [code for code in rest if not _explains(paper.model, marks[code.text], code.corners)]


def _place_one(photo: Photo, sheet: Sheet, claimed: Claimed, camera: Pinhole, fit: Fit) -> FoundSheet:
    evidence = Evidence(decoded=claimed)
    if is_mirrored(next(iter(claimed.values()))):
        model = rough_model(evidence, camera)
        return FoundSheet(sheet, model, evidence, "mirrored; turn the camera's mirroring off")
    collect_marks(photo.gray, sheet, evidence, camera)
    model = fit(*evidence.stacked(), camera)
    if look_again(photo.gray, sheet, evidence, model):
        model = fit(*evidence.stacked(), camera)
    errors, _ = evidence.errors(model)
    if not len(errors):
        return FoundSheet(sheet, model, evidence, "too blurred or too small to place it")
    error = float(np.median(errors))
    if error > MAX_DISAGREEMENT:
        reason = f"with marks {error:.0f} px away from any single sheet of paper"
        return FoundSheet(sheet, model, evidence, reason)
    return FoundSheet(sheet, model, evidence)


def _is_of(paper: FoundSheet, code: FoundCode) -> bool:
    """Return whether a code is on a piece of paper."""
    mark = _code_marks(paper.sheet).get(code.text)
    if mark is None:
        return False
    claimed = paper.evidence.decoded.get(mark)
    if claimed is not None and np.array_equal(claimed.mean(axis=0), code.middle):
        return True
    return _explains(paper.model, mark, code.corners)


def _explains(model: SheetModel, mark: Mark, corners: Points) -> bool:
    """Return whether a model has a mark where the corners (4, 2) of its code were found."""
    return off_by_mm(corners, model, mark) <= EXPLAINED_MM


def _same_place(paper: FoundSheet, other: FoundSheet) -> bool:
    """Return whether a paper's codes are where the model of another one has them."""
    return all(_explains(other.model, mark, corners) for mark, corners in paper.evidence.decoded.items())


def _nothing_missed(papers: Sequence[FoundSheet], gray: Pixels) -> bool:
    """Return whether all codes in view of the papers found were read and little room is left for others."""
    covered = 0.0
    height, width = gray.shape
    frame = box_corners((0, 0, width, height)).astype(np.float32)
    for paper in papers:
        for mark in _code_marks(paper.sheet).values():
            seen = paper.model.to_photo(box_corners(mark.box_mm))
            if mark not in paper.evidence.decoded and is_inside(gray, seen).all():
                return False
        outline = paper.model.to_photo(box_corners((0, 0, *paper.sheet.page_mm)))
        covered += cv2.intersectConvexConvex(cv2.convexHull(outline.astype(np.float32)), frame)[0]
    return covered >= COVERED * gray.size


def _crop(
    photo: Photo,
    paper: FoundSheet,
    camera: Pinhole,
    codes: Sequence[FoundCode],
    picture: Callable[[str], Pixels],
) -> FoundSheet:
    sheet, model = paper.sheet, paper.model
    if paper.reason:
        return replace(paper, cells=refuse_cells(sheet, model, f"the sheet is {paper.reason}"))
    foreign = [code for code in codes if not _is_of(paper, code)]
    cells = crop_cells(photo, sheet, model, paper.evidence, camera, foreign, picture)
    return replace(paper, cells=cells)


def _with_colours(photo: Photo, paper: FoundSheet, correct: bool) -> FoundSheet:
    bars = read_bars(photo.rgb, paper.sheet, paper.model.to_photo)
    paper = replace(paper, exposure=bars.exposure())
    if not correct:
        return paper
    cells, correction = correct_cells(photo.rgb, paper.sheet, paper.model.to_photo, bars, paper.cells)
    return replace(paper, cells=cells, correction=correction)


def _others(codes: Sequence[FoundCode], run: str, marks: Mapping[int, Mapping[str, Mark]]) -> list[str]:
    """Describe the codes in a photo that are on none of the run's sheets; a damaged one is not guessed."""
    parsed = {code.text: parse_code(code.text) for code in codes}
    named = []
    others = sorted({code.run for code in parsed.values() if code and code.run != run})
    if others:
        named.append(f"a sheet of another run (code {', '.join(others)}; this run's is {run})")
    ours = [(text, code) for text, code in parsed.items() if code and code.run == run]
    if any(text not in marks.get(code.sheet, {}) for text, code in ours):
        named.append("a sheet of this run that its manifest does not list; print again")
    damaged = [text for text, code in parsed.items() if not code and text.startswith(f"{PREFIX}-")]
    if damaged:
        named.append(f"a code of this program that is damaged ('{damaged[0][:40]}')")
    foreign = sum(not code and not text.startswith(f"{PREFIX}-") for text, code in parsed.items())
    if foreign:
        named.append(f"{foreign} QR code{'s' if foreign > 1 else ''} not of this program")
    return named
