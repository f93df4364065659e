"""Every known sheet in a photo, and every cell of it that can be seen: the order of steps of this room.

Codes say which sheet; each piece of paper claims its own codes and collects its marks; all marks together fix
its geometry; cells are cut and checked against their sources. What cannot be used is said with the reason,
cell by cell, and nothing is named by geometry alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.cells import CroppedCell, crop_cells, refuse_cells, root_mean_square
from physadv.capture.codes import ENLARGED_UP_TO_PIXELS, FoundCode, in_own_order, readings
from physadv.capture.copies import Claimed, claim_copy, is_mirrored, off_by_mm
from physadv.capture.fitting import Fit, fit_sheet
from physadv.capture.geometry import Camera, Points, SheetModel
from physadv.capture.marks import Evidence, collect_marks, look_again, rough_model
from physadv.capture.reading import CaptureError, Photo
from physadv.sheets.codes import PREFIX, parse_code, qr_matrix
from physadv.sheets.layout import Mark, Sheet, box_corners

MAX_DISAGREEMENT = 8.0
EXPLAINED_MM = 8.0
MAX_PAPERS = 24
"""More pieces of paper than this in one photo are cut-outs, or too small to be of use."""
QUICK_READERS, QUICK_READERS_OF_SMALL = 2, 3
"""The others are for photos in which these find no sheet; small photos take little time."""
COVERED = 0.5
"""Once known sheets fill this much of a photo, the second reader is not asked for others."""


@dataclass(frozen=True)
class FoundSheet:
    """One piece of paper seen in a photo.

    Attributes:
        index: of the sheet; two copies of a sheet are two of these.
        cells: in the sheet's order, each cut out or refused.
        residual_px: root mean square distance of its precise marks from the model, None where refused.
        marks: how many marks the model rests on.
        model: where page points are seen.
        marks_px: the marks as found, (4, 2) corners of a code, (1, 2) of a saddle.
        reason: why the whole sheet is refused, None where it is not.
    """

    index: int
    cells: tuple[CroppedCell, ...]
    residual_px: float | None
    marks: int
    model: SheetModel
    marks_px: tuple[Points, ...]
    reason: str | None = None


@dataclass(frozen=True)
class _Paper:
    """A piece of paper placed in a photo, or the reason why it cannot be used."""

    sheet: Sheet
    evidence: Evidence
    model: SheetModel
    reason: str | None = None


def ignore(remark: str) -> None:
    """Take no note of a remark."""


def crop_photo(
    photo: Photo,
    sheets: Sequence[Sheet],
    *,
    run: str,
    picture: Callable[[str], NDArray[np.uint8]],
    fit: Fit = fit_sheet,
    remark: Callable[[str], None] = ignore,
) -> list[FoundSheet]:
    """Return every sheet of a run found in a photo with its cells cut out; a copy of one counts for itself.

    Args:
        photo: from `read_photo`.
        sheets: of the run, from its manifest.
        run: the run's code.
        picture: example id → its uint8 RGB pixels (h, w, 3), as printed.
        fit: from marks to a sheet's model.
        remark: told of what else the photo shows: a sheet of another run, a damaged code.

    Raises:
        CaptureError: no sheet of this run is in the photo, or none that can be used.
    """
    marks = {sheet.index: _code_marks(sheet) for sheet in sheets}
    by_index = {sheet.index: sheet for sheet in sheets}
    height, width = photo.gray.shape
    camera = Camera(width, height, photo.focal_35mm)
    codes: list[FoundCode] = []
    papers: list[_Paper] = []
    quick = QUICK_READERS_OF_SMALL if photo.gray.size <= ENLARGED_UP_TO_PIXELS else QUICK_READERS
    for step, found_codes in enumerate(readings(photo.gray), start=1):
        codes = _with_new(codes, found_codes)
        groups = _by_sheet(codes, run, marks)
        placed = (
            paper
            for index, group in groups.items()
            for paper in _place(photo, by_index[index], group, camera, fit)
        )
        papers = list(islice(placed, MAX_PAPERS))
        if papers and (step >= quick or _nothing_missed(papers, camera)):
            break
    strangers = _strangers(codes, run, marks)
    if not papers:
        raise CaptureError(
            f"shows {'; '.join(strangers)}" if strangers else "shows no sheet: no QR code could be read"
        )
    for stranger in strangers:
        remark(f"also shows {stranger}")
    found = [_crop(photo, paper, camera, codes, picture) for paper in papers]
    if all(sheet.reason for sheet in found):
        raise CaptureError("; ".join(f"shows sheet {sheet.index + 1} {sheet.reason}" for sheet in found))
    return found


def _code_marks(sheet: Sheet) -> dict[str, Mark]:
    return {mark.payload: mark for mark in sheet.marks if mark.payload}


def _with_new(codes: Sequence[FoundCode], found: Sequence[FoundCode]) -> list[FoundCode]:
    """Return codes with those of another reader that none of them is."""
    sides = [float(np.ptp(code.corners, axis=0).max()) for code in found]
    return [
        *codes,
        *(
            new
            for new, side in zip(found, sides, strict=True)
            if not any(
                np.linalg.norm(new.corners.mean(axis=0) - old.corners.mean(axis=0)) < side / 2
                for old in codes
            )
        ),
    ]


def _by_sheet(
    codes: Sequence[FoundCode], run: str, marks: Mapping[int, Mapping[str, Mark]]
) -> dict[int, list[FoundCode]]:
    """Return the codes of each of a run's sheets."""
    groups: dict[int, list[FoundCode]] = defaultdict(list)
    for code in codes:
        parsed = parse_code(code.text)
        if parsed and parsed.run == run and code.text in marks.get(parsed.sheet, {}):
            groups[parsed.sheet].append(code)
    return dict(sorted(groups.items()))


def _place(
    photo: Photo, sheet: Sheet, codes: Sequence[FoundCode], camera: Camera, fit: Fit
) -> Iterator[_Paper]:
    """Yield the pieces of paper that one sheet's codes stand on, one for each copy of it."""
    marks = _code_marks(sheet)
    rest = [in_own_order(photo.gray, code, qr_matrix(code.text)) for code in codes]
    papers: list[_Paper] = []
    while rest:
        claimed, rest = claim_copy(marks, rest)
        paper = _place_one(photo, sheet, claimed, camera, fit)
        if any(_same_place(paper, other) for other in papers):
            continue
        papers.append(paper)
        yield paper
        rest = [code for code in rest if not _explains(paper.model, marks[code.text], code)]


def _place_one(photo: Photo, sheet: Sheet, claimed: Claimed, camera: Camera, fit: Fit) -> _Paper:
    evidence = Evidence(decoded=claimed)
    if is_mirrored(next(iter(claimed.values()))):
        return _Paper(
            sheet, evidence, rough_model(evidence, camera), "mirrored; turn the camera's mirroring off"
        )
    collect_marks(photo.gray, sheet, evidence, camera)
    model = fit(*evidence.stacked(), camera)
    if look_again(photo.gray, sheet, evidence, model):
        model = fit(*evidence.stacked(), camera)
    errors, _ = evidence.errors(model)
    if not len(errors):
        return _Paper(sheet, evidence, model, "too blurred or too small to place it")
    error = float(np.median(errors))
    if error > MAX_DISAGREEMENT:
        return _Paper(sheet, evidence, model, f"with marks {error:.0f} px from any one sheet of paper")
    return _Paper(sheet, evidence, model)


def _is_of(paper: _Paper, code: FoundCode) -> bool:
    """Return whether a code is one of a paper's own."""
    mark = _code_marks(paper.sheet).get(code.text)
    if mark is None:
        return False
    claimed = paper.evidence.decoded.get(mark)
    if claimed is not None and np.array_equal(claimed.mean(axis=0), code.corners.mean(axis=0)):
        return True
    return _explains(paper.model, mark, code)


def _explains(model: SheetModel, mark: Mark, code: FoundCode) -> bool:
    """Return whether a code is one that a placed paper shows at just that place."""
    box = box_corners(mark.box_mm)
    return off_by_mm(code.corners, model.to_photo(box), box) <= EXPLAINED_MM


def _same_place(paper: _Paper, other: _Paper) -> bool:
    """Return whether a paper's codes are where another one's model has them."""
    return all(
        _explains(other.model, mark, FoundCode(mark.payload or "", corners))
        for mark, corners in paper.evidence.decoded.items()
    )


def _nothing_missed(papers: Sequence[_Paper], camera: Camera) -> bool:
    """Return whether every code in view of the papers found was read and little room is left for others."""
    covered = 0.0
    frame = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float32) * (camera.width, camera.height)
    for paper in papers:
        for mark in _code_marks(paper.sheet).values():
            seen = paper.model.to_photo(box_corners(mark.box_mm))
            if (
                mark not in paper.evidence.decoded
                and ((seen >= 0) & (seen < (camera.width, camera.height))).all()
            ):
                return False
        outline = paper.model.to_photo(box_corners((0, 0, *paper.sheet.page_mm)))
        covered += cv2.intersectConvexConvex(
            cv2.convexHull(outline.astype(np.float32)), frame.astype(np.float32)
        )[0]
    return covered >= COVERED * camera.width * camera.height


def _crop(
    photo: Photo,
    paper: _Paper,
    camera: Camera,
    codes: Sequence[FoundCode],
    picture: Callable[[str], NDArray[np.uint8]],
) -> FoundSheet:
    sheet, evidence, model = paper.sheet, paper.evidence, paper.model
    if paper.reason:
        outlines = model.to_photo(np.concatenate([box_corners(cell.box_mm) for cell in sheet.cells]))
        cells = refuse_cells(sheet, outlines.reshape(-1, 4, 2), f"the sheet is {paper.reason}")
        residual = None
    else:
        strangers = [code for code in codes if not _is_of(paper, code)]
        cells = crop_cells(photo, sheet, model, evidence, camera, strangers, picture)
        residual = root_mean_square(evidence.errors(model)[0])
    return FoundSheet(sheet.index, cells, residual, len(evidence), model, evidence.places(), paper.reason)


def _strangers(codes: Sequence[FoundCode], run: str, marks: Mapping[int, Mapping[str, Mark]]) -> list[str]:
    """Name what a photo shows beside this run's sheets; nothing is guessed from a code that is not whole."""
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
