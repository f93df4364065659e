"""Every known sheet in a photo, and every cell of it that can be seen: the order of steps of this room.

Codes say which sheet; their refined corners start a model of its geometry; the model says where missed codes
and saddles must be; all marks together fix the model; cells are cut and checked against their sources. What
cannot be used is said with the reason, cell by cell, and nothing is named by geometry alone.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physadv.capture.codes import FoundCode, find_codes, read_at, refine_corners
from physadv.capture.crops import clipped_share, correlation, cut_crop, edge_sigma, paper_level
from physadv.capture.geometry import Points, SheetModel, fit_sheet
from physadv.capture.reading import CaptureError, Photo
from physadv.capture.saddles import find_saddle
from physadv.sheets.codes import MODULES, PREFIX, parse_code, qr_matrix
from physadv.sheets.layout import Mark, Sheet, box_corners

CODE_SIGMA, SADDLE_SIGMA = 0.12, 0.06
FAR_SEARCH_MM, NEAR_SEARCH_MM = 2.5, 1.0
REACH_MM = 75.0
MAX_RESIDUAL = 1.5
MAX_DISAGREEMENT = 8.0
MIN_CORRELATION = 0.4


@dataclass(frozen=True)
class CroppedCell:
    """A cell found in a photo: cut out, or refused with a `reason`.

    Attributes:
        number: of the cell on its sheet.
        example: id of the example printed there.
        crop: (h, w, 3) uint8 on the example's own grid, None where refused.
        corners_px: (4, 2) where the picture's corners are in the upright photo, pixels.
        residual_px: root mean square distance of this cell's own marks from the fitted sheet.
        marks: how many of its five marks were found.
        sharpness_px: gaussian sigma of the blur, photo pixels; None where no edge could be read.
        pixels_per_mm: resolution of the photo there.
        paper_level: 8-bit level of the paper around it; `clipped` is the share of pixels clipped.
        correlation: with the source picture.
    """

    number: int
    example: str
    crop: NDArray[np.uint8] | None
    corners_px: Points
    residual_px: float | None
    marks: int
    sharpness_px: float | None = None
    pixels_per_mm: float | None = None
    paper_level: float | None = None
    clipped: float | None = None
    correlation: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class FoundSheet:
    """One sheet seen in a photo: index, cells, the fit's residual and how many marks it rests on.

    `model` is that fit; `marks_px` are the marks as found: (4, 2) corners of a code, (1, 2) of a saddle.
    """

    index: int
    cells: tuple[CroppedCell, ...]
    residual_px: float
    marks: int
    model: SheetModel
    marks_px: tuple[Points, ...]


@dataclass
class _Evidence:
    """Marks found so far: mark → photo points, four for a code, one for a saddle."""

    codes: dict[Mark, Points] = field(default_factory=dict)
    saddles: dict[Mark, Points] = field(default_factory=dict)

    def stacked(self) -> tuple[Points, Points, Points]:
        """Return page points (N, 2), photo points (N, 2) and sigmas (N,)."""
        page = [box_corners(mark.box_mm) for mark in self.codes]
        page += [np.array([mark.centre_mm]) for mark in self.saddles]
        seen = [*self.codes.values(), *(point[None] for point in self.saddles.values())]
        sigmas = [CODE_SIGMA] * 4 * len(self.codes) + [SADDLE_SIGMA] * len(self.saddles)
        return np.concatenate(page), np.concatenate(seen), np.array(sigmas)

    def of_cell(self, number: int) -> "_Evidence":
        return _Evidence(
            {mark: points for mark, points in self.codes.items() if mark.cell == number},
            {mark: point for mark, point in self.saddles.items() if mark.cell == number},
        )

    def __len__(self) -> int:
        return len(self.codes) + len(self.saddles)


def crop_photo(
    photo: Photo,
    sheets: Sequence[Sheet],
    *,
    run: str,
    picture: Callable[[str], NDArray[np.uint8]],
) -> list[FoundSheet]:
    """Return every sheet of a run found in a photo with its cells cut out.

    Args:
        photo: from `read_photo`.
        sheets: of the run, from its manifest.
        run: the run's code.
        picture: example id → its uint8 RGB pixels (h, w, 3), as printed.

    Raises:
        CaptureError: no sheet of this run is in the photo, or what is there cannot be told apart.
    """
    by_index = {sheet.index: sheet for sheet in sheets}
    found = find_codes(photo.gray)
    groups: dict[int, list[FoundCode]] = defaultdict(list)
    for code in found:
        parsed = parse_code(code.text)
        if parsed and parsed.run == run and parsed.sheet in by_index:
            groups[parsed.sheet].append(code)
    if not groups:
        raise CaptureError(_why_none(found, run))
    return [_crop_sheet(photo, by_index[index], codes, picture) for index, codes in sorted(groups.items())]


def _why_none(found: Sequence[FoundCode], run: str) -> str:
    parsed = [parse_code(code.text) for code in found]
    others = sorted({code.run for code in parsed if code and code.run != run})
    if others:
        return f"shows a sheet of another run (code {', '.join(others)}; this run's is {run})"
    if any(code and code.run == run for code in parsed):
        return "shows a sheet of this run that its manifest does not list; print again"
    if any(code.text.startswith(f"{PREFIX}-") for code in found):
        return "shows a code of this program that is damaged"
    if found:
        return f"shows {len(found)} QR codes, none of this program"
    return "shows no sheet: no QR code could be read"


def _crop_sheet(
    photo: Photo, sheet: Sheet, codes: Sequence[FoundCode], picture: Callable[[str], NDArray[np.uint8]]
) -> FoundSheet:
    name = f"sheet {sheet.index + 1}"
    twice = [text for text, count in Counter(code.text for code in codes).items() if count > 1]
    if twice:
        raise CaptureError(f"shows {name} more than once; photograph one copy at a time")
    by_payload = {mark.payload: mark for mark in sheet.marks if mark.kind == "code"}
    evidence = _Evidence()
    for code in codes:
        corners = refine_corners(photo.gray, code.corners, qr_matrix(code.text))
        if corners is not None and code.text in by_payload:
            evidence.codes[by_payload[code.text]] = corners
    if not evidence.codes:
        raise CaptureError(f"shows {name} too blurred or too small to place it")
    model = _grow(photo, sheet, evidence)
    if np.linalg.det(model.jacobian(np.array(sheet.page_mm) / 2)) < 0:
        raise CaptureError(f"shows {name} mirrored; turn the camera's mirroring off")
    page, seen, _ = evidence.stacked()
    errors = np.linalg.norm(model.to_photo(page) - seen, axis=1)
    if np.median(errors) > MAX_DISAGREEMENT:
        raise CaptureError(f"shows {name} with marks {np.median(errors):.0f} px from any one flat page")
    cells = tuple(_crop_cell(photo, sheet, n, model, evidence, picture) for n in range(len(sheet.cells)))
    marks_px = (*evidence.codes.values(), *(point[None] for point in evidence.saddles.values()))
    return FoundSheet(sheet.index, cells, _rms(errors), len(evidence), model, marks_px)


def _grow(photo: Photo, sheet: Sheet, evidence: _Evidence) -> SheetModel:
    """Return the fit after looking for marks near those found, and fitting again, until none is new."""
    height, width = photo.gray.shape
    refused: set[Mark] = set()
    while True:
        model = fit_sheet(*evidence.stacked(), photo_size=(width, height))
        known = np.array([mark.centre_mm for mark in (*evidence.codes, *evidence.saddles)])
        search = FAR_SEARCH_MM if len(evidence) < 4 else NEAR_SEARCH_MM
        new = 0
        for mark in sheet.marks:
            if mark in evidence.codes or mark in evidence.saddles or mark in refused:
                continue
            if np.linalg.norm(known - mark.centre_mm, axis=1).min() > REACH_MM:
                continue
            if _look(photo, mark, model, search, evidence):
                new += 1
            else:
                refused.add(mark)
        if not new:
            return model


def _look(photo: Photo, mark: Mark, model: SheetModel, search_mm: float, evidence: _Evidence) -> bool:
    """Look for one mark where the model says it is; add it to the evidence and say whether it was there."""
    if mark.kind == "saddle":
        point = find_saddle(photo.gray, model, np.array(mark.centre_mm), mark.box_mm[2], search_mm)
        if point is not None:
            evidence.saddles[mark] = point
        return point is not None
    predicted = model.to_photo(box_corners(mark.box_mm))
    height, width = photo.gray.shape
    if (predicted < 0).any() or (predicted > (width - 1, height - 1)).any():
        return False
    if read_at(photo.gray, predicted, MODULES) != mark.payload:
        return False
    corners = refine_corners(photo.gray, predicted, qr_matrix(mark.payload or ""))
    if corners is not None:
        evidence.codes[mark] = corners
    return corners is not None


def _crop_cell(
    photo: Photo,
    sheet: Sheet,
    number: int,
    model: SheetModel,
    evidence: _Evidence,
    picture: Callable[[str], NDArray[np.uint8]],
) -> CroppedCell:
    cell = sheet.cells[number]
    corners = model.to_photo(box_corners(cell.box_mm))
    own = evidence.of_cell(number)
    residual = None
    if len(own):
        page, seen, _ = own.stacked()
        residual = _rms(np.linalg.norm(model.to_photo(page) - seen, axis=1))

    def refused(reason: str, **measured: Any) -> CroppedCell:
        return CroppedCell(number, cell.example, None, corners, residual, len(own), reason=reason, **measured)

    height, width = photo.gray.shape
    if (corners < 0).any() or (corners > (width - 1, height - 1)).any():
        return refused("outside the photo")
    if len(own.saddles) < 2:
        return refused(f"only {len(own.saddles)} of its 4 saddle marks can be seen")
    if residual is None or residual > MAX_RESIDUAL:
        return refused(
            f"its marks are {residual:.1f} px from the fitted sheet (limit {MAX_RESIDUAL:g}): bent paper?"
        )
    source = picture(cell.example)
    crop = cut_crop(photo.rgb, model, cell.box_mm, (source.shape[1], source.shape[0]))
    alike = correlation(crop, source)
    sigmas = [
        sigma
        for mark in own.saddles
        if (sigma := edge_sigma(photo.gray, model, np.array(mark.centre_mm), mark.box_mm[2])) is not None
    ]
    x, y, w, h = cell.box_mm
    measured: dict[str, Any] = {
        "sharpness_px": float(np.median(sigmas)) if sigmas else None,
        "pixels_per_mm": model.pixels_per_mm(np.array([x + w / 2, y + h / 2])),
        "paper_level": paper_level(photo.gray, model, cell.box_mm),
        "clipped": clipped_share(crop),
        "correlation": alike,
    }
    if alike < MIN_CORRELATION:
        return refused(f"does not look like its source (correlation {alike:.2f}): covered?", **measured)
    return CroppedCell(number, cell.example, crop, corners, residual, len(own), **measured)


def _rms(values: Points) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
