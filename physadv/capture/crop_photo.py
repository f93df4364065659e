"""From a photo to crops: every known sheet in it, and every cell of those sheets that can be seen.

Each piece of paper claims its QR codes and collects its marks, all marks together fix its geometry, and its
cells are cut out and compared with their sources. No cell is identified by its position alone.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np

from physadv.capture.cells import crop_cells, refuse_cells
from physadv.capture.codes import ENLARGED_UP_TO_PIXELS, FoundCode, in_own_order, readings
from physadv.capture.fitting import MARKS_FOR_BEND, fit_rough, fit_sheet
from physadv.capture.geometry import Pixels, Points, fit_flat, is_inside, print_stretch
from physadv.capture.marks import Evidence, claim_copy, collect_marks, explains, look_around
from physadv.capture.papers import FoundSheet, with_colours
from physadv.capture.reading import CaptureError, Photo
from physadv.sheets.codes import PREFIX, parse_code, qr_matrix
from physadv.sheets.layout import Mark, Sheet, box_corners

MAX_DISAGREEMENT = 8.0
MAX_PAPERS = 24
"""A photo with more pieces of paper than this shows cut-outs, or pages too small to be of use."""
QUICK_READERS, QUICK_READERS_OF_SMALL = 2, 3
"""Later readers are asked only where these find no sheet. Small photos take little time."""
COVERED = 0.5
"""Once known sheets fill this share of a photo, the second reader need not look for others."""


@dataclass(frozen=True)
class CroppedPhoto:
    """What one photo shows of a run.

    Attributes:
        sheets: the pieces of paper that were found, at least one of them usable.
        remarks: prints out of shape or without colour, a correction that was not applied, and what else is in
            the photo, such as a sheet of another run.
    """

    sheets: tuple[FoundSheet, ...]
    remarks: tuple[str, ...]


def crop_photo(
    photo: Photo, sheets: Sequence[Sheet], *, picture: Callable[[str], Pixels], correct_colours: bool = False
) -> CroppedPhoto:
    """Find the sheets of a run in a photo and cut out their cells.

    Args:
        photo: from `read_photo`.
        sheets: all sheets of the run, from its manifest or from `plan_sheets`.
        picture: maps an example's id to its printed pixels (h, w, 3), uint8 RGB; its crop has the same shape.
        correct_colours: undo the colours of print, light and camera by the sheet's grey and colour bars.
            Without it, cells get a corrected copy beside their crop where the bars of a sheet in the photo
            are off in exposure or cast.

    Raises:
        CaptureError: no sheet of this run is in the photo, or none that can be used.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from physadv.sheets import PrintItem, page_pixels, plan_sheets, write_pdf
    >>> rng = np.random.default_rng(0)
    >>> pictures = {name: rng.integers(0, 256, (32, 48, 3), np.uint8) for name in ("clean", "adversarial")}
    >>> sheets = plan_sheets([(PrintItem("clean", 48, 32), PrintItem("adversarial", 48, 32))], run="MYRUN1")
    >>> with TemporaryDirectory() as folder:
    ...     write_pdf(Path(folder) / "sheets.pdf", sheets, picture=pictures.__getitem__)
    ...     page = page_pixels(Path(folder) / "sheets.pdf", 0, dots_per_mm=6)
    >>> photo = Photo(page, cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), camera="")
    >>> (sheet,) = crop_photo(photo, sheets, picture=pictures.__getitem__).sheets
    >>> [(cell.example, cell.crop.shape) for cell in sheet.cells]
    [('clean', (32, 48, 3)), ('adversarial', (32, 48, 3))]
    """
    texts = [(text, parse_code(text), sheet) for sheet in sheets for text in sheet.codes]
    printed = {text: sheet for text, code, sheet in texts if code and code.sheet == sheet.index}
    codes: list[FoundCode] = []
    placed: list[FoundSheet] = []
    quick = QUICK_READERS_OF_SMALL if photo.gray.size <= ENLARGED_UP_TO_PIXELS else QUICK_READERS
    for step, found_codes in enumerate(readings(photo.gray), start=1):
        codes += [code for code in found_codes if all(code.is_apart(old.middle) for old in codes)]
        groups = [(sheet, [code for code in codes if printed.get(code.text) is sheet]) for sheet in sheets]
        found = list(islice((paper for group in groups for paper in _place(photo, *group)), MAX_PAPERS))
        placed = [paper for paper in found if not any(_lies_on(paper, other) for other in found)]
        if placed and (step >= quick or _nothing_missed(placed, photo.gray)):
            break
    others = _others(codes, sheets[0].run, printed)
    if not placed:
        raise CaptureError(
            f"shows {'; '.join(others)}" if others else "shows no sheet: no QR code could be read"
        )
    if all(paper.reason for paper in placed):
        raise CaptureError("; ".join(f"shows sheet {paper.index + 1} {paper.reason}" for paper in placed))
    cropped = with_colours(photo, [_crop(photo, paper, codes, picture) for paper in placed], correct_colours)
    warnings = (warning for paper in cropped for warning in paper.warnings)
    return CroppedPhoto(tuple(cropped), (*warnings, *(f"also shows {other}" for other in others)))


def _place(photo: Photo, sheet: Sheet, codes: Sequence[FoundCode]) -> Iterator[FoundSheet]:
    """Yield the pieces of paper that carry one sheet's codes, one for each copy of the sheet."""
    rest = [in_own_order(photo.gray, code, qr_matrix(code.text)) for code in codes]
    papers: list[FoundSheet] = []
    while rest:
        claimed, rest = claim_copy(sheet, rest)
        paper = _place_one(photo, sheet, claimed)
        if any(_same_place(paper, other) for other in papers):
            continue
        papers.append(paper)
        yield paper
        rest = [code for code in rest if not explains(paper.model, sheet.codes[code.text], code.corners)]


def _place_one(photo: Photo, sheet: Sheet, claimed: dict[Mark, Points]) -> FoundSheet:
    evidence, camera = Evidence(decoded=claimed), photo.pinhole
    if evidence.mirrored:
        model = fit_rough(*evidence.stacked(), camera)
        return FoundSheet(sheet, model, evidence, "mirrored; turn the camera's mirroring off")
    collect_marks(photo.gray, sheet, evidence, camera)
    model = fit_sheet(*evidence.stacked(), camera)
    if look_around(photo.gray, sheet, evidence, model, Counter()):
        model = fit_sheet(*evidence.stacked(), camera)
    errors, _ = evidence.errors(model)
    reason = None
    if not len(errors):
        reason = "too blurred or too small to place it"
    elif np.median(errors) > MAX_DISAGREEMENT:
        reason = f"with marks {np.median(errors):.0f} px away from any single sheet of paper"
    return FoundSheet(sheet, model, evidence, reason)


def _is_of(paper: FoundSheet, code: FoundCode) -> bool:
    """Return whether a code is on a piece of paper."""
    mark = paper.sheet.codes.get(code.text)
    if mark is None:
        return False
    claimed = paper.evidence.decoded.get(mark)
    is_claimed = claimed is not None and np.array_equal(claimed.mean(axis=0), code.middle)
    return is_claimed or explains(paper.model, mark, code.corners)


def _same_place(paper: FoundSheet, other: FoundSheet) -> bool:
    """Return whether a paper's codes are where the model of another one has them."""
    return all(explains(other.model, mark, corners) for mark, corners in paper.evidence.decoded.items())


def _lies_on(paper: FoundSheet, other: FoundSheet) -> bool:
    """Return whether a paper is but a copy of one code, laid or drawn upon another copy of its sheet."""
    if len(paper.evidence.decoded) > 1 or len(other.evidence.decoded) < 2 or paper.index != other.index:
        return False
    (corners,) = paper.evidence.decoded.values()
    outline = other.model.to_photo(box_corners((0, 0, *other.sheet.page_mm))).astype(np.float32)
    x, y = corners.mean(axis=0)
    return cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=False) > 0


def _nothing_missed(papers: Sequence[FoundSheet], gray: Pixels) -> bool:
    """Return whether all codes in view of the papers found were read and little room is left for others."""
    covered = 0.0
    height, width = gray.shape
    frame = box_corners((0, 0, width, height)).astype(np.float32)
    for paper in papers:
        for mark in paper.sheet.codes.values():
            seen = paper.model.to_photo(box_corners(mark.box_mm))
            if mark not in paper.evidence.decoded and is_inside(gray, seen).all():
                return False
        outline = paper.model.to_photo(box_corners((0, 0, *paper.sheet.page_mm)))
        covered += cv2.intersectConvexConvex(cv2.convexHull(outline.astype(np.float32)), frame)[0]
    return covered >= COVERED * gray.size


def _crop(
    photo: Photo, paper: FoundSheet, codes: Sequence[FoundCode], picture: Callable[[str], Pixels]
) -> FoundSheet:
    if paper.reason:
        return replace(paper, cells=refuse_cells(paper.sheet, paper.model, f"the sheet is {paper.reason}"))
    foreign = [code for code in codes if not _is_of(paper, code)]
    cells = crop_cells(photo, paper.sheet, paper.model, paper.evidence, foreign, picture)
    return replace(paper, cells=cells, stretch=_stretch(photo, paper.evidence))


def _stretch(photo: Photo, evidence: Evidence) -> float | None:
    """Return how much wider a sheet was printed than its height wants, None with too few marks to tell."""
    marks = evidence.stacked(precise=True)
    enough = len(marks[0]) >= MARKS_FOR_BEND
    return print_stretch(fit_flat(*marks, photo.pinhole), photo.pinhole) if enough else None


def _others(codes: Sequence[FoundCode], run: str, printed: Mapping[str, Sheet]) -> list[str]:
    """Describe the codes in a photo that are on none of the run's sheets; a damaged one is not guessed."""
    parsed = {code.text: parse_code(code.text) for code in codes}
    named = []
    others = sorted({code.run for code in parsed.values() if code and code.run != run})
    if others:
        named.append(f"a sheet of another run (code {', '.join(others)}; this run's is {run})")
    if any(code and code.run == run and text not in printed for text, code in parsed.items()):
        named.append("a sheet of this run that its manifest does not list; print again")
    unread = [text for text, code in parsed.items() if not code]
    damaged = [text for text in unread if text.startswith(f"{PREFIX}-")]
    if damaged:
        named.append(f"a code of this program that is damaged ('{damaged[0][:40]}')")
    foreign = len(unread) - len(damaged)
    if foreign:
        named.append(f"{foreign} QR code{'s' if foreign > 1 else ''} not of this program")
    return named
