"""The cells of one sheet in a photo: measured and cut out, or refused with a reason."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from physadv.capture.codes import FoundCode
from physadv.capture.geometry import Pixels, Points, SheetModel, is_inside, jacobians, pixels_per_mm
from physadv.capture.identity import correlation, find_likelier
from physadv.capture.light import to_linear
from physadv.capture.marks import Evidence
from physadv.capture.reading import Photo
from physadv.sheets.layout import BLEED, BoxMm, Sheet, box_centre, box_corners

MIN_SADDLES, MAX_RESIDUAL, MIN_CORRELATION, MIN_PICTURE_PX, MAX_ANGLE = 2, 1.5, 0.4, 32, 80.0
"""Only hopeless cells are refused. Users can filter the others by their measurements."""
EDGE_SAMPLES, EDGE_END, MIN_EDGE_LIGHT = 81, 10, 0.02
RING_MM = BLEED + 0.6
SUPERSAMPLING = 2
SPACING_PX = 1.1
"""Largest distance between samples in the photo. Three samples per pixel where two are enough take twice the
time and change a crop by 0.3 of 255 levels; a photo's noise of 6 levels changes it by 2 to 3.
"""
PITCH = 24
"""Samples per point at which a sheet's model is evaluated; interpolation between these errs by 0.01 px."""
_LIGHT = to_linear(np.arange(256) / 255)


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
        margin: by how many standard errors the crop is nearer to its source than to the most alike other
            picture of the sheet, such as its pair's; below 4 they cannot be told apart. None where none is.
        reason: why the cell is refused; None for a cell that was cut out.
        corrected: the crop with corrected colours, where `crop` has those of a photo whose bars are off.
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
    margin: float | None = None
    reason: str | None = None
    corrected: Pixels | None = None


def crop_cells(
    photo: Photo,
    sheet: Sheet,
    model: SheetModel,
    evidence: Evidence,
    foreign: Sequence[FoundCode],
    picture: Callable[[str], Pixels],
) -> tuple[CroppedCell, ...]:
    """Return every cell of a sheet in a photo, cut out or refused, in the sheet's order.

    `model` maps page points to photo pixels, `evidence` are the marks that were found, `foreign` codes in
    the photo that are not on this piece of paper. `picture` maps an example's id to its printed pixels (h,
    w, 3), uint8 RGB.
    """
    boxes = [cell.box_mm for cell in sheet.cells]
    middles = np.array([box_centre(box) for box in boxes])
    slopes, places = jacobians(model, middles), model.to_photo(middles)
    densities, levels = pixels_per_mm(slopes), paper_levels(photo.gray, model, boxes)
    blurs = _blur_by_cell(photo.gray, model, evidence)
    errors, owners = evidence.errors(model)
    saddles = Counter(mark.cell for mark in evidence.saddles)
    marks = saddles + Counter(mark.cell for mark in evidence.decoded)
    camera, cells, picture = photo.pinhole, [], cache(picture)
    examples = [cell.example for cell in sheet.cells]
    for number, (cell, outline) in enumerate(zip(sheet.cells, _outlines(sheet, model), strict=True)):
        residual = root_mean_square(errors[owners == number])
        seen = CroppedCell(number, cell.example, None, outline, residual, marks[number])
        reason = _unseen(photo.gray, outline, saddles[number]) or _contradicted(sheet, number, model, foreign)
        if not reason:
            angle, distance = camera.view(slopes[number], places[number])
            seen = replace(
                seen,
                sharpness_px=blurs.get(number),
                pixels_per_mm=float(densities[number]),
                angle_deg=angle,
                distance_mm=distance if camera.focal_35mm else None,
                paper_level=float(levels[number]),
            )
            reason = _too_poor(seen, cell.box_mm)
        if not reason:
            source = picture(cell.example)
            crop = cut_crop(photo.rgb, model, cell.box_mm, (source.shape[1], source.shape[0]))
            alike = correlation(crop, source)
            seen = replace(seen, crop=crop, clipped=clipped_share(crop), correlation=alike)
            if alike < MIN_CORRELATION:
                reason = f"does not look like its source (correlation {alike:.2f}): covered?"
            else:
                others = [example for example in examples if example != cell.example]
                likelier, margin = find_likelier(crop, cell.example, others, picture)
                seen = replace(seen, margin=margin)
                if likelier:
                    reason = f"looks more like '{likelier}' than like its source: exchanged or covered?"
        cells.append(replace(seen, crop=None, reason=reason) if reason else seen)
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


def _unseen(gray: Pixels, outline: Points, saddles: int) -> str | None:
    if not is_inside(gray, outline).all():
        return "outside the photo"
    if saddles < MIN_SADDLES:
        return f"only {saddles} of its 4 saddle marks can be seen"
    return None


def _contradicted(sheet: Sheet, number: int, model: SheetModel, foreign: Sequence[FoundCode]) -> str | None:
    """Return why a cell is refused if another code was read in the place of its own."""
    for mark in (mark for mark in sheet.codes.values() if mark.cell == number):
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


def _blur_by_cell(gray: Pixels, model: SheetModel, evidence: Evidence) -> dict[int, float]:
    """Return the median blur of the saddles, photo pixels, of each cell with a measurable edge."""
    if not evidence.saddles:
        return {}
    saddles, centres = zip(*evidence.saddles.items(), strict=True)
    slopes = jacobians(model, np.array([mark.centre_mm for mark in saddles]))
    sigmas = edge_sigmas(gray, np.stack(centres), slopes, saddles[0].box_mm[2])
    owners = np.array([mark.cell for mark in saddles])
    readable = ~np.isnan(sigmas)
    return {int(n): float(np.median(sigmas[readable & (owners == n)])) for n in set(owners[readable])}


def edge_sigmas(gray: Pixels, centres: Points, slopes: Points, size_mm: float) -> Points:
    """Return the standard deviation (N,) of the blur at saddle marks, photo pixels; nan without contrast.

    Four edge profiles are sampled across the arms of each mark, in linear light. The standard deviation is
    the distance between their 10 % and 90 % levels over 2.563, which is exact for a Gaussian. The photo is
    (H, W), uint8; marks have centres (N, 2), pixels, slopes d pixels / d mm (N, 2, 2) and a side of
    `size_mm`.
    """
    half = size_mm / 2
    along = np.linspace(-0.8 * half, 0.8 * half, EDGE_SAMPLES)
    arm = np.full_like(along, 0.5 * half)
    arms = ((along, -arm), (-along, arm), (-arm, along), (arm, -along))
    profiles = np.concatenate([np.stack(profile, axis=1) for profile in arms])
    where = (profiles @ slopes.transpose(0, 2, 1) + centres[:, None]).astype(np.float32)
    levels = cv2.remap(gray, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = _LIGHT[levels].reshape(len(centres), 4, EDGE_SAMPLES).mean(axis=1)
    dark = light[:, :EDGE_END].mean(axis=1, keepdims=True)
    span = light[:, -EDGE_END:].mean(axis=1, keepdims=True) - dark
    rises = np.maximum.accumulate((light - dark) / np.maximum(span, MIN_EDGE_LIGHT), axis=1)
    widths = np.array([np.diff(np.interp([0.1, 0.9], rise, along))[0] for rise in rises])
    sigmas: Points = widths / 2.563 * pixels_per_mm(slopes)
    sigmas[span[:, 0] < MIN_EDGE_LIGHT] = np.nan
    return sigmas


def clipped_share(crop: Pixels) -> float:
    """Return the share of pixels of a crop with any channel burnt out (255) or all channels black (0)."""
    unburnt, black = (cv2.countNonZero(cv2.inRange(crop, (0, 0, 0), (top,) * 3)) for top in (254, 0))
    total = crop.shape[0] * crop.shape[1]
    return float((total - unburnt + black) / total)


def paper_levels(gray: Pixels, model: SheetModel, boxes_mm: Sequence[BoxMm]) -> Points:
    """Return the median 8-bit level (N,) of the bare paper just outside of each picture's bleed."""
    t = np.linspace(0.1, 0.9, 15)
    low, high = np.zeros_like(t), np.ones_like(t)
    sides = np.concatenate([np.stack(side, axis=1) for side in ((t, low), (t, high), (low, t), (high, t))])
    outward = np.where(np.isin(sides, (0.0, 1.0)), np.sign(sides - 0.5), 0.0) * RING_MM
    boxes = np.array(boxes_mm)
    places = boxes[:, None, :2] + sides * boxes[:, None, 2:] + outward
    where = model.to_photo(places.reshape(-1, 2)).reshape(len(boxes), -1, 2).astype(np.float32)
    levels = cv2.remap(gray, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    medians: Points = np.median(levels, axis=1)
    return medians


def cut_crop(rgb: Pixels, model: SheetModel, box_mm: BoxMm, size_px: tuple[int, int]) -> Pixels:
    """Return the picture of a cell (h, w, 3), uint8, on its example's grid of `size_px` = (width, height).

    Samples at least twice as fine as the grid, and as fine as the photo, are averaged over each pixel, so
    that nothing aliases and noise is not amplified.
    """
    width, height = size_px
    slopes = jacobians(model, np.array([box_centre(box_mm)]))
    density = pixels_per_mm(slopes)[0] * box_mm[2] / width
    fine = max(SUPERSAMPLING, int(np.ceil(density / SPACING_PX)))
    where = _places(model, box_mm, width * fine, height * fine)
    dense = cv2.remap(rgb, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    crop: Pixels = cv2.resize(dense, (width, height), interpolation=cv2.INTER_AREA)
    return crop


def _places(model: SheetModel, box_mm: BoxMm, columns: int, rows: int) -> NDArray[np.float32]:
    """Return the photo points (rows, columns, 2) of the samples of a box."""
    # A matrix product would be simpler, but the threads that BLAS starts for it spin while cores are busy.
    x, y, w, h = box_mm
    knots = [(np.arange(-1, samples // PITCH + 2) + 0.5) * PITCH / samples for samples in (columns, rows)]
    coarse = np.stack(np.meshgrid(x + knots[0] * w, y + knots[1] * h), axis=-1)
    seen = model.to_photo(coarse.reshape(-1, 2)).astype(np.float32).reshape(coarse.shape)
    fine = cv2.resize(seen, None, fx=PITCH, fy=PITCH, interpolation=cv2.INTER_LINEAR)
    inner: NDArray[np.float32] = fine[PITCH : PITCH + rows, PITCH : PITCH + columns]
    return inner
