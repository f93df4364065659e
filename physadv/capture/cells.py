"""The cells of one sheet in a photo: cut out, measured, or refused with the reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.codes import FoundCode
from physadv.capture.geometry import Camera, Points, SheetModel, jacobians, pixels_per_mm, viewed_from
from physadv.capture.marks import Evidence
from physadv.capture.quality import clipped_share, edge_sigmas, paper_levels
from physadv.capture.reading import Photo
from physadv.capture.resampling import correlation, cut_crop
from physadv.sheets.layout import Box, Cell, Sheet, box_corners

MIN_SADDLES = 2
MAX_RESIDUAL = 1.5
MIN_CORRELATION = 0.4
MIN_PICTURE_PX = 32
MAX_ANGLE = 80.0
"""Only what is hopeless is refused: the rest is for whoever reads the measurements to judge."""


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
        angle_deg: between the paper there and the line of sight, 0 = frontal.
        distance_mm: from the camera, None where EXIF gives no focal length.
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
    camera: Camera,
    strangers: Sequence[FoundCode],
    picture: Callable[[str], NDArray[np.uint8]],
) -> tuple[CroppedCell, ...]:
    """Return every cell of a sheet placed in a photo, in the sheet's order.

    Args:
        photo: the photo.
        sheet: as printed.
        model: where its points are seen.
        evidence: the marks that were found.
        camera: that took the photo.
        strangers: codes read in the photo that are not this sheet's, or not where this sheet is.
        picture: example id → its uint8 RGB pixels (h, w, 3), as printed.
    """
    outlines = _outlines(sheet, model)
    marks = [evidence.of_cell(number) for number in range(len(sheet.cells))]
    reasons = [
        _unseen(photo, outline, own) or _contradicted(sheet, number, model, strangers)
        for number, (outline, own) in enumerate(zip(outlines, marks, strict=True))
    ]
    measured = _measure(photo.gray, sheet, model, evidence, camera)
    errors, owners = evidence.errors(model)
    cells = []
    for number, cell in enumerate(sheet.cells):
        residual = root_mean_square(errors[owners == number])
        seen = CroppedCell(number, cell.example, None, outlines[number], residual, len(marks[number]))
        if reasons[number]:
            cells.append(replace(seen, reason=reasons[number]))
            continue
        seen = replace(seen, **measured[number])
        reason = _too_poor(seen, cell.box_mm)
        cells.append(replace(seen, reason=reason) if reason else _cut(photo, cell, model, seen, picture))
    return tuple(cells)


def root_mean_square(errors: Points) -> float | None:
    """Return the root mean square of errors (N,), None where there are none."""
    return float(np.sqrt(np.mean(np.square(errors)))) if len(errors) else None


def refuse_cells(sheet: Sheet, model: SheetModel, reason: str) -> tuple[CroppedCell, ...]:
    """Return every cell of a sheet refused for one reason, with corners as far as the model knows them."""
    return tuple(
        CroppedCell(number, cell.example, None, corners, None, 0, reason=reason)
        for number, (cell, corners) in enumerate(zip(sheet.cells, _outlines(sheet, model), strict=True))
    )


def _outlines(sheet: Sheet, model: SheetModel) -> Points:
    """Return where the corners of each of N pictures are in the photo, (N, 4, 2)."""
    corners = np.concatenate([box_corners(cell.box_mm) for cell in sheet.cells])
    return model.to_photo(corners).reshape(-1, 4, 2)


def _unseen(photo: Photo, outline: Points, own: Evidence) -> str | None:
    height, width = photo.gray.shape
    if not ((outline >= 0) & (outline <= (width - 1, height - 1))).all():
        return "outside the photo"
    if len(own.saddles) < MIN_SADDLES:
        return f"only {len(own.saddles)} of its 4 saddle marks can be seen"
    return None


def _contradicted(sheet: Sheet, number: int, model: SheetModel, strangers: Sequence[FoundCode]) -> str | None:
    """Return why a cell is not what the geometry says: another code stands where its own must be."""
    for mark in sheet.marks:
        if mark.kind == "code" and mark.cell == number:
            place = model.to_photo(box_corners(mark.box_mm)).astype(np.float32)
            for code in strangers:
                x, y = code.corners.mean(axis=0)
                if cv2.pointPolygonTest(place, (x, y), measureDist=False) > 0:
                    return f"another code ('{code.text}') stands where its own must be: covered by a sheet?"
    return None


def _too_poor(cell: CroppedCell, box_mm: Box) -> str | None:
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
    picture: Callable[[str], NDArray[np.uint8]],
) -> CroppedCell:
    source = picture(cell.example)
    crop = cut_crop(photo.rgb, model, cell.box_mm, (source.shape[1], source.shape[0]))
    alike = correlation(crop, source)
    seen = replace(seen, clipped=clipped_share(crop), correlation=alike)
    if alike < MIN_CORRELATION:
        return replace(seen, reason=f"does not look like its source (correlation {alike:.2f}): covered?")
    return replace(seen, crop=crop)


def _measure(
    gray: NDArray[np.uint8], sheet: Sheet, model: SheetModel, evidence: Evidence, camera: Camera
) -> list[dict[str, Any]]:
    """Return what can be measured of every cell before it is cut, by the names of `CroppedCell`."""
    boxes = [cell.box_mm for cell in sheet.cells]
    middles = np.array([(x + w / 2, y + h / 2) for x, y, w, h in boxes])
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


def _blur_by_cell(gray: NDArray[np.uint8], model: SheetModel, evidence: Evidence) -> dict[int, float]:
    """Return the median blur of each cell's saddles, photo pixels, of cells with a readable edge."""
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
