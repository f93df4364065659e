"""One photo file → its crops, its overlay and its rows in the store. A video is several photos."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from PIL import Image

from physadv.capture.cells import CroppedCell
from physadv.capture.crop_photo import crop_photo
from physadv.capture.geometry import Pixels
from physadv.capture.overlay import draw_overlay
from physadv.capture.papers import FoundSheet
from physadv.capture.reading import CaptureError, Photo, read_photo
from physadv.capture.video import is_video, read_video
from physadv.errors import machine_fault
from physadv.files import FULL_DISK, file_sha256, replacing
from physadv.pipeline.photograph import read_record
from physadv.runs import Capture, Colour, CropRow, Manifest, PhotoRow, Printout
from physadv.runs.rows import CORRECTED_CROPS

TWIN = "the same file as"
MEASURED = (
    *("residual_px", "sharpness_px", "pixels_per_mm", "paper_level", "clipped", "correlation"),
    *("angle_deg", "distance_mm", "margin"),
)
"""What a crop's row takes over from the cell, rounded."""

Rows = list[tuple[PhotoRow, list[CropRow]]]


@dataclass(frozen=True)
class Cropping:
    """The settings that every file of a capture is cropped with."""

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
        """Return the printed pixels (H, W, 3) of an example."""
        return self.printout.pixels(self.manifest.example(example))

    def refused(self, path: Path, digest: str, reason: str) -> PhotoRow:
        """Return the row of a file that cannot be used."""
        row = PhotoRow(path.name, digest, self.run, "refused", reason, None, None, None, simulated=False)
        return replace(row, colour=self.colour)

    def is_done(self, rows: Sequence[PhotoRow], digest: str, lost: set[str]) -> bool:
        """Return whether a file of this hash, with these rows in the store, need not be cropped again.

        Photos whose crops are missing from the disk, or were changed, are named in `lost`.
        """
        wanted = (digest, self.run, self.colour)
        return bool(rows) and all(
            (row.sha256, row.run, row.colour) == wanted
            and row.name not in lost
            and (not row.simulated or self.as_taken(row) == row)
            and not (row.reason or "").startswith(TWIN)
            and not (self.overlay and not self.overlay_path(row.name).exists())
            for row in rows
        )

    def as_taken(self, row: PhotoRow) -> PhotoRow:
        """Return a photo's row with how it was taken, as it is recorded of this very file."""
        if not row.simulated:
            return replace(row, preset="real")
        record = read_record(self.capture, Path(row.file))
        if not record or record.sha256 not in (None, row.sha256):
            return row
        return replace(row, preset=record.made_by.condition, seed=record.made_by.seed, shot=record.shot)

    def overlay_path(self, name: str) -> Path:
        """Return the path of a photo's overlay."""
        return self.capture.overlays / f"{name}.jpg"


def crop_file(cropping: Cropping, path: Path) -> tuple[str, Rows | PhotoRow]:
    """Cut the cells out of the photos in one file, write them, and return the file's name and its rows.

    Where the machine failed and not the photo, a row that says so, not to be stored, takes their place.
    """
    digest = ""
    try:
        digest = file_sha256(path)
        if is_video(path):
            return path.name, _crop_video(cropping, path, digest)
        return path.name, _crop_view(cropping, path.name, "", digest, read_photo(path))
    except CaptureError as error:
        _write_overlay(cropping, path.name, None, (), str(error))
        return path.name, [(cropping.refused(path, digest, str(error)), [])]
    except Exception as error:
        fault = machine_fault(error)
        if fault is None or getattr(error, "errno", None) in FULL_DISK:
            raise
        return path.name, cropping.refused(path, digest, f"not read now: {fault}; mend that and crop again")


def _crop_video(cropping: Cropping, path: Path, digest: str) -> Rows:
    """Return the rows of the frames that show a usable sheet. No other frame was meant as a photo."""
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
    """Return the rows of one picture: several photos only where it shows a sheet more than once."""
    height, width = photo.gray.shape
    name, run, colour = _photo_name(file, view), cropping.run, cropping.colour
    row = PhotoRow(
        name, digest, run, "used", None, width, height, photo.camera, photo.simulated, view, colour
    )
    row = cropping.as_taken(row)
    try:
        seen = crop_photo(
            photo, cropping.manifest.sheets, picture=cropping.picture, correct_colours=colour == "corrected"
        )
    except CaptureError as error:
        _write_overlay(cropping, row.name, photo.rgb, (), str(error))
        return [(replace(row, status="refused", reason=str(error)), [])]
    _write_overlay(cropping, row.name, photo.rgb, seen.sheets)
    row = replace(row, remark="; ".join(seen.remarks) or None)
    return [
        (
            _with_exposure(part, sheets),
            [_write_cell(cropping.capture, part.name, s.index, c) for s in sheets for c in s.cells],
        )
        for part, sheets in _parts(row, seen.sheets)
    ]


def _photo_name(file: str, view: str) -> str:
    return f"{file}#{view}" if view else file


def _parts(row: PhotoRow, found: Sequence[FoundSheet]) -> Iterator[tuple[PhotoRow, list[FoundSheet]]]:
    """Divide the sheets of a photo so that none comes twice: a second copy counts as a photo of its own."""
    copies: Counter[int] = Counter()
    parts: dict[int, list[FoundSheet]] = defaultdict(list)
    for sheet in found:
        copies[sheet.index] += 1
        parts[copies[sheet.index]].append(sheet)
    for number, sheets in parts.items():
        view = f"{row.view}-copy-{number}".lstrip("-") if number > 1 else row.view
        yield replace(row, name=_photo_name(row.file, view), view=view), sheets


def _with_exposure(row: PhotoRow, found: Sequence[FoundSheet]) -> PhotoRow:
    """Return a photo's row with its mean exposure, its print's shape and its colour corrections' errors."""
    exposures = [sheet.exposure for sheet in found if sheet.exposure]
    chromas = [sheet.chroma for sheet in found if sheet.chroma is not None]
    stretches = [round(sheet.stretch, 4) for sheet in found if sheet.stretch]
    corrections = [sheet.correction for sheet in found if sheet.correction]

    def average(name: str) -> float | None:
        return round(mean(getattr(exposure, name) for exposure in exposures), 4) if exposures else None

    def listed(name: str) -> tuple[float, ...]:
        return tuple(round(float(value), 3) for fit in corrections for value in getattr(fit, name))

    return replace(
        row,
        exposure_stops=average("stops"),
        red_green=average("red"),
        blue_green=average("blue"),
        chroma=round(mean(chromas), 4) if chromas else None,
        stretch=mean(stretches) if stretches else None,
        delta_e=listed("delta_e"),
        delta_e_before=listed("delta_e_before"),
    )


def _write_overlay(
    cropping: Cropping, name: str, rgb: Pixels | None, found: Sequence[FoundSheet], reason: str | None = None
) -> None:
    if cropping.overlay:
        with replacing(cropping.overlay_path(name)) as temporary:
            draw_overlay(rgb, found, reason).save(temporary, "JPEG", quality=85)


def _write_cell(capture: Capture, photo: str, sheet: int, cell: CroppedCell) -> CropRow:
    name = f"{cell.example}--{photo}.png"
    path = _write_pixels(capture.crops / name, cell.crop)
    copy = _write_pixels(capture.folder / CORRECTED_CROPS / name, cell.corrected)
    measured = {name: getattr(cell, name) for name in MEASURED}
    return CropRow(
        photo=photo,
        example=cell.example,
        sheet=sheet,
        cell=cell.number,
        path=f"crops/{path.name}" if path else None,
        reason=cell.reason,
        marks=cell.marks,
        corners_px=tuple((round(float(x), 4), round(float(y), 4)) for x, y in cell.corners_px),
        sha256=file_sha256(path) if path else None,
        corrected_sha256=file_sha256(copy) if copy else None,
        **{name: None if value is None else round(value, 4) for name, value in measured.items()},
    )


def _write_pixels(path: Path, pixels: Pixels | None) -> Path | None:
    """Write a picture and return its path, None where there is none."""
    if pixels is None:
        return None
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")
    return path
