"""One photo file → its crops, its overlay and what the store is told of it; a video is several photos."""

import glob
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.capture.cells import CroppedCell
from physadv.capture.colour import Correction, Exposure, fit_correction, read_bars
from physadv.capture.crop_photo import FoundSheet, crop_photo
from physadv.capture.overlay import draw_overlay
from physadv.capture.reading import CaptureError, Photo, Pixels, read_photo
from physadv.capture.video import is_video, read_video
from physadv.files import file_sha256, replacing
from physadv.runs import Capture, Colour, CropRow, Manifest, PhotoRow, Printout
from physadv.sheets.layout import Sheet

Rows = list[tuple[PhotoRow, list[CropRow]]]


@dataclass(frozen=True)
class Cropping:
    """What every file of a capture is cropped with.

    Attributes:
        printout: the run that was printed.
        capture: where crops and overlays go.
        manifest: of the run.
        colour: of the crops.
        overlay: whether overlays are drawn.
    """

    printout: Printout
    capture: Capture
    manifest: Manifest
    colour: Colour
    overlay: bool

    @property
    def run(self) -> str:
        """Return the run's code as its sheets carry it."""
        return self.manifest.printed_code or ""

    def picture(self, example: str) -> Pixels:
        """Return an example as it is printed, (H, W, 3)."""
        return self.printout.pixels(self.manifest.example(example))

    def refused(self, path: Path, digest: str, reason: str) -> PhotoRow:
        """Return the row of a file that cannot be used."""
        row = PhotoRow(path.name, digest, self.run, "refused", reason, None, None, None, simulated=False)
        return replace(row, colour=self.colour)

    def overlay_path(self, name: str) -> Path:
        """Return where the overlay of a photo is."""
        return self.capture.overlays / f"{name}.jpg"


def crop_file(cropping: Cropping, path: Path) -> tuple[str, Rows]:
    """Cut the cells out of the photos in one file, write them, and return the file's name and its rows."""
    digest = file_sha256(path)
    _remove_overlays(cropping, path.name)
    try:
        if is_video(path):
            return path.name, _crop_video(cropping, path, digest)
        return path.name, _crop_view(cropping, path.name, "", digest, read_photo(path))
    except CaptureError as error:
        _write_overlay(cropping, path.name, None, (), str(error))
        return path.name, [(cropping.refused(path, digest, str(error)), [])]


def _remove_overlays(cropping: Cropping, file: str) -> None:
    for pattern in (f"{glob.escape(file)}.jpg", f"{glob.escape(file)}#*.jpg"):
        for old in cropping.capture.overlays.glob(pattern):
            old.unlink()


def _crop_video(cropping: Cropping, path: Path, digest: str) -> Rows:
    """Return the frames of which any sheet was used: the others are not photos that anybody meant to take."""
    frames = [
        row
        for number, photo in read_video(path)
        for row in _crop_view(cropping, path.name, str(number), digest, photo)
    ]
    used = [(photo, crops) for photo, crops in frames if photo.status == "used"]
    if not used:
        first = frames[0][0]
        others = f", nor any of {len(frames) - 1} other frames" if len(frames) > 1 else ""
        raise CaptureError(f"frame {first.view} {first.reason}{others}")
    return used


def _crop_view(cropping: Cropping, file: str, view: str, digest: str, photo: Photo) -> Rows:
    """Return the rows of one picture: of more than one photo only where it shows a sheet more than once."""
    height, width = photo.gray.shape
    row = PhotoRow(
        f"{file}#{view}" if view else file,
        digest,
        cropping.run,
        "used",
        None,
        width,
        height,
        photo.camera,
        photo.simulated,
        view=view,
        colour=cropping.colour,
    )
    remarks: list[str] = []
    try:
        found = crop_photo(
            photo,
            cropping.manifest.sheets,
            run=cropping.run,
            picture=cropping.picture,
            remark=remarks.append,
        )
    except CaptureError as error:
        _write_overlay(cropping, row.name, photo, (), str(error))
        return [(replace(row, status="refused", reason=str(error)), [])]
    _write_overlay(cropping, row.name, photo, found)
    row = replace(row, remark="; ".join(remarks) or None)
    return [_crop_sheets(cropping, part, photo, sheets) for part, sheets in _parts(row, found)]


def _parts(row: PhotoRow, found: Sequence[FoundSheet]) -> Iterator[tuple[PhotoRow, list[FoundSheet]]]:
    """Yield the sheets of a photo so that none comes twice: a second copy counts as a photo of its own."""
    seen: Counter[int] = Counter()
    parts: list[list[FoundSheet]] = []
    for sheet in found:
        copy = seen[sheet.index]
        seen[sheet.index] += 1
        if copy == len(parts):
            parts.append([])
        parts[copy].append(sheet)
    for number, sheets in enumerate(parts, start=1):
        view = f"{row.view}-copy-{number}".lstrip("-") if number > 1 else row.view
        yield replace(row, name=f"{row.file}#{view}" if view else row.file, view=view), sheets


def _crop_sheets(
    cropping: Cropping, row: PhotoRow, photo: Photo, found: Sequence[FoundSheet]
) -> tuple[PhotoRow, list[CropRow]]:
    """Return the rows of different sheets in one photo after writing their crops."""
    crops: list[CropRow] = []
    corrections: list[Correction] = []
    exposures: list[Exposure] = []
    sheets = {sheet.index: sheet for sheet in cropping.manifest.sheets}
    for seen in found:
        sheet = sheets[seen.index]
        exposure = read_bars(photo.rgb, sheet, seen.model.to_photo).exposure()
        exposures += [exposure] if exposure else []
        cells = seen.cells
        if cropping.colour == "corrected":
            try:
                corrections.append(fit_correction(photo.rgb, sheet, seen.model.to_photo))
                cells = tuple(_corrected(cell, sheet, corrections[-1]) for cell in cells)
            except CaptureError as error:
                cells = tuple(_without_crop(cell, str(error)) for cell in cells)
        crops += [_write_cell(cropping.capture, row.name, seen.index, cell) for cell in cells]
    row = replace(
        row,
        exposure_stops=_mean([exposure.stops for exposure in exposures]),
        red_green=_mean([exposure.red for exposure in exposures]),
        blue_green=_mean([exposure.blue for exposure in exposures]),
        delta_e=_listed([fit.delta_e for fit in corrections]),
        delta_e_before=_listed([fit.delta_e_before for fit in corrections]),
    )
    return row, crops


def _corrected(cell: CroppedCell, sheet: Sheet, correction: Correction) -> CroppedCell:
    if cell.crop is None:
        return cell
    return replace(cell, crop=correction.apply(cell.crop, sheet.cells[cell.number].box_mm))


def _without_crop(cell: CroppedCell, reason: str) -> CroppedCell:
    return cell if cell.crop is None else replace(cell, crop=None, reason=reason)


def _mean(values: Sequence[float]) -> float | None:
    return round(mean(values), 4) if values else None


def _listed(parts: Sequence[NDArray[np.float64]]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for part in parts for value in part)


def _write_overlay(
    cropping: Cropping,
    name: str,
    photo: Photo | None,
    found: Sequence[FoundSheet],
    reason: str | None = None,
) -> None:
    if not cropping.overlay:
        return
    pages = {sheet.index: sheet.page_mm for sheet in cropping.manifest.sheets}
    rgb = photo.rgb if photo else None
    drawn = draw_overlay(rgb, found, [pages[sheet.index] for sheet in found], reason)
    with replacing(cropping.overlay_path(name)) as temporary:
        drawn.save(temporary, "JPEG", quality=85)


def _write_cell(capture: Capture, photo: str, sheet: int, cell: CroppedCell) -> CropRow:
    path = None
    if cell.crop is not None:
        path = capture.crops / f"{cell.example}--{photo}.png"
        with replacing(path) as temporary:
            Image.fromarray(cell.crop).save(temporary, "PNG")
    return CropRow(
        photo=photo,
        example=cell.example,
        sheet=sheet,
        cell=cell.number,
        path=f"crops/{path.name}" if path else None,
        reason=cell.reason,
        residual_px=_rounded(cell.residual_px),
        marks=cell.marks,
        sharpness_px=_rounded(cell.sharpness_px),
        pixels_per_mm=_rounded(cell.pixels_per_mm),
        paper_level=_rounded(cell.paper_level),
        clipped=_rounded(cell.clipped),
        correlation=_rounded(cell.correlation),
        corners_px=tuple((round(float(x), 4), round(float(y), 4)) for x, y in cell.corners_px),
        angle_deg=_rounded(cell.angle_deg),
        distance_mm=_rounded(cell.distance_mm),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
