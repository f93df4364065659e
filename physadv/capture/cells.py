"""The cells of one sheet in a photo: measured and cut out, or refused with a reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from physadv.capture.codes import FoundCode
from physadv.capture.geometry import (
    Pinhole,
    Pixels,
    Points,
    SheetModel,
    is_inside,
    jacobians,
    pixels_per_mm,
    viewed_from,
)
from physadv.capture.marks import Evidence
from physadv.capture.quality import clipped_share, edge_sigmas, paper_levels
from physadv.capture.reading import Photo
from physadv.capture.resampling import correlation, cut_crop
from physadv.sheets.layout import BoxMm, Cell, Sheet, box_centre, box_corners

MIN_SADDLES = 2
MAX_RESIDUAL = 1.5
MIN_CORRELATION = 0.4
MIN_PICTURE_PX = 32
MAX_ANGLE = 80.0
"""Only hopeless cells are refused. Users can filter the others by their measurements."""


@dataclass(frozen=True)
class CroppedCell:
    """A cell in a photo: cut out, or refused with a reason.

    Attributes:
        number: number of the cell on its sheet.
        example: id of the example that is printed there.
        crop: pixels (h, w, 3), uint8 RGB, on the example's own grid; None for a refused cell.
        corners_px: corners (4, 2) of the picture in the upright photo, pixels.
        residual_px: RMS distance of the cell's own marks from the fitted sheet; None if none is precise.
        marks: number of its five marks that were found.
        sharpness_px: standard deviation of the blur, photo pixels; None if no edge could be measured.
        pixels_per_mm: resolution of the photo at the cell.
        angle_deg: angle between the normal of the paper and the line of sight; 0 is frontal.
        distance_mm: distance from the camera; None if EXIF has no focal length.
        paper_level: 8-bit level of the bare paper around the picture.
        clipped: share of the crop's pixels that are burnt out or black.
        correlation: correlation of the crop with its source picture.
        reason: why the cell is refused; None for a cell that was cut out.
    """

    number: int
    example: str
    crop: Pixels | None
    corners_px: Points
    residual_px: float | None
    marks: int
    sharpness_px: float | None = None
    pixels_per_mm: float | None = None
    angle_deg: float | None = None
    distance_mm: float | None = None
    paper_level: float | None = None
    clipped: float | None = None
    correlation: float | None = None
    reason: str | None = None


def crop_cells(
    photo: Photo,
    sheet: Sheet,
    model: SheetModel,
    evidence: Evidence,
    camera: Pinhole,
    foreign: Sequence[FoundCode],
    picture: Callable[[str], Pixels],
) -> tuple[CroppedCell, ...]:
    """Return every cell of a sheet in a photo, cut out or refused, in the sheet's order.

    Args:
        photo: the photo.
        sheet: the sheet as printed.
        model: maps page points to photo pixels.
        evidence: the marks that were found.
        camera: the camera that took the photo.
        foreign: codes in the photo that are not on this piece of paper.
        picture: maps an example's id to its printed pixels (h, w, 3), uint8 RGB.
    """
    measured = _measure(photo.gray, sheet, model, evidence, camera)
    errors, owners = evidence.errors(model)
    cells = []
    for number, (cell, outline) in enumerate(zip(sheet.cells, _outlines(sheet, model), strict=True)):
        own = evidence.of_cell(number)
        residual = root_mean_square(errors[owners == number])
        seen = CroppedCell(number, cell.example, None, outline, residual, len(own))
        reason = _unseen(photo.gray, outline, own) or _contradicted(sheet, number, model, foreign)
        if not reason:
            seen = replace(seen, **measured[number])
            reason = _too_poor(seen, cell.box_mm)
        cells.append(replace(seen, reason=reason) if reason else _cut(photo, cell, model, seen, picture))
    return tuple(cells)


def root_mean_square(errors: Points) -> float | None:
    """Return the root mean square of errors (N,), None for N = 0."""
    return float(np.sqrt(np.mean(np.square(errors)))) if len(errors) else None


def refuse_cells(sheet: Sheet, model: SheetModel, reason: str) -> tuple[CroppedCell, ...]:
    """Return every cell of a sheet refused for the same reason; corners are those of the model."""
    return tuple(
        CroppedCell(number, cell.example, None, corners, None, 0, reason=reason)
        for number, (cell, corners) in enumerate(zip(sheet.cells, _outlines(sheet, model), strict=True))
    )


def _outlines(sheet: Sheet, model: SheetModel) -> Points:
    """Return the corners (N, 4, 2) of a sheet's N pictures in the photo."""
    corners = np.concatenate([box_corners(cell.box_mm) for cell in sheet.cells])
    return model.to_photo(corners).reshape(-1, 4, 2)


def _unseen(gray: Pixels, outline: Points, own: Evidence) -> str | None:
    if not is_inside(gray, outline).all():
        return "outside the photo"
    if len(own.saddles) < MIN_SADDLES:
        return f"only {len(own.saddles)} of its 4 saddle marks can be seen"
    return None


def _contradicted(sheet: Sheet, number: int, model: SheetModel, foreign: Sequence[FoundCode]) -> str | None:
    """Return why a cell is refused if another code was read in the place of its own."""
    for mark in sheet.marks:
        if mark.kind == "code" and mark.cell == number:
            place = model.to_photo(box_corners(mark.box_mm)).astype(np.float32)
            for code in foreign:
                x, y = code.middle
                if cv2.pointPolygonTest(place, (x, y), measureDist=False) > 0:
                    return f"another code ('{code.text}') is in the place of its own: covered by a sheet?"
    return None


def _too_poor(cell: CroppedCell, box_mm: BoxMm) -> str | None:
    if cell.residual_px is None or cell.residual_px > MAX_RESIDUAL:
        return (
            f"its marks are {cell.residual_px or np.inf:.1f} px from the fitted sheet "
            f"(limit {MAX_RESIDUAL:g}): creased paper?"
        )
    across = min(box_mm[2:]) * (cell.pixels_per_mm or 0.0)
    if across < MIN_PICTURE_PX:
        return f"is {across:.0f} px across (limit {MIN_PICTURE_PX})"
    if cell.angle_deg is not None and cell.angle_deg > MAX_ANGLE:
        return f"is seen at {cell.angle_deg:.0f} degrees (limit {MAX_ANGLE:g})"
    return None


def _cut(
    photo: Photo,
    cell: Cell,
    model: SheetModel,
    seen: CroppedCell,
    picture: Callable[[str], Pixels],
) -> CroppedCell:
    source = picture(cell.example)
    crop = cut_crop(photo.rgb, model, cell.box_mm, (source.shape[1], source.shape[0]))
    alike = correlation(crop, source)
    seen = replace(seen, clipped=clipped_share(crop), correlation=alike)
    if alike < MIN_CORRELATION:
        return replace(seen, reason=f"does not look like its source (correlation {alike:.2f}): covered?")
    return replace(seen, crop=crop)


def _measure(
    gray: Pixels, sheet: Sheet, model: SheetModel, evidence: Evidence, camera: Pinhole
) -> list[dict[str, Any]]:
    """Return what is measured of every cell before it is cut out, by the names of `CroppedCell`."""
    boxes = [cell.box_mm for cell in sheet.cells]
    middles = np.array([box_centre(box) for box in boxes])
    slopes = jacobians(model, middles)
    places = model.to_photo(middles)
    levels = paper_levels(gray, model, boxes)
    blurs = _blur_by_cell(gray, model, evidence)
    measured = []
    for number, density in enumerate(pixels_per_mm(slopes)):
        angle, distance = viewed_from(slopes[number], places[number], camera)
        measured.append(
            {
                "sharpness_px": blurs.get(number),
                "pixels_per_mm": float(density),
                "angle_deg": angle,
                "distance_mm": distance if camera.focal_35mm else None,
                "paper_level": float(levels[number]),
            }
        )
    return measured


def _blur_by_cell(gray: Pixels, model: SheetModel, evidence: Evidence) -> dict[int, float]:
    """Return the median blur of the saddles, photo pixels, of each cell with a measurable edge."""
    saddles = list(evidence.saddles)
    if not saddles:
        return {}
    slopes = jacobians(model, np.array([mark.centre_mm for mark in saddles]))
    sigmas = edge_sigmas(gray, np.stack(list(evidence.saddles.values())), slopes, saddles[0].box_mm[2])
    owners = np.array([mark.cell for mark in saddles])
    readable = ~np.isnan(sigmas)
    return {
        int(owner): float(np.median(sigmas[readable & (owners == owner)])) for owner in set(owners[readable])
    }
