"""`crop`: photos in captures/NAME/photos → crops and the observation store; photo by photo, resumable.

A photo that cannot be used is kept, listed with its reason, and stops nothing.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.capture.cells import CroppedCell
from physadv.capture.reading import CaptureError, read_photo
from physadv.capture.sheets_in_photo import FoundSheet, crop_photo
from physadv.parallel import map_items
from physadv.progress import Reporter, silent
from physadv.runs import Capture, CropRow, Manifest, PhotoRow, Printout, RunError, file_sha256, replacing
from physadv.runs.files import remove_partial_files


@dataclass(frozen=True)
class CropResult:
    """What a capture holds now: every photo and every cell."""

    photos: tuple[PhotoRow, ...]
    crops: tuple[CropRow, ...]

    @property
    def refused_photos(self) -> list[PhotoRow]:
        """Return the photos that could not be used."""
        return [photo for photo in self.photos if photo.status == "refused"]

    @property
    def refused_cells(self) -> list[CropRow]:
        """Return the cells that could not be cut from the photos that could."""
        return [crop for crop in self.crops if crop.path is None]


def crop(
    printout: Printout,
    capture: Capture,
    photos: Sequence[Path] = (),
    *,
    workers: int | None = None,
    reporter: Reporter = silent,
) -> CropResult:
    """Cut every cell out of every photo of a capture and record it.

    Args:
        printout: the run that was printed.
        capture: where its photos are.
        photos: files to copy into the capture's photos first.
        workers: processes; the usable cores by default.
        reporter: shows progress.

    Raises:
        RunError: the run is not there or not printed, a given photo is missing, or there are no photos.
    """
    manifest = printout.printed_manifest()
    _add_photos(capture, photos)
    files = _photo_files(capture)
    if not files:
        raise RunError(f"{capture.photos}: no photos; see 'physadv photograph {printout.name}'")
    capture.crops.mkdir(parents=True, exist_ok=True)
    remove_partial_files(capture.folder, capture.crops)
    run = manifest.printed_code or ""
    with capture.store() as store:
        lost = {c.photo for c in store.crops() if c.path and not (capture.folder / c.path).exists()}
        known = {p.name: p for p in store.photos() if p.run == run and p.name not in lost}
        for gone in {photo.name for photo in store.photos()} - {path.name for path in files}:
            store.forget_photo(gone)
        first_with: dict[str, str] = {}
        todo: list[Path] = []
        for path in reporter.track(files, len(files), "checking photos"):
            digest = file_sha256(path)
            twin = first_with.setdefault(digest, path.name)
            if twin != path.name:
                reason = f"the same file as {twin}; counted once"
                store.add_photo(_refused(path.name, digest, run, reason), ())
            elif path.name not in known or known[path.name].sha256 != digest or _was_twin(known[path.name]):
                todo.append(path)
        work = partial(_crop_photo, printout, capture, manifest, run)
        results = map_items(work, todo, workers=workers)
        for photo, crops in reporter.track(results, len(todo), "photos cropped"):
            store.add_photo(photo, crops)
        store.compact()
        result = CropResult(tuple(store.photos()), tuple(store.crops()))
    _remove_stale(capture, result)
    return result


def _was_twin(photo: PhotoRow) -> bool:
    return photo.status == "refused" and (photo.reason or "").startswith("the same file as")


def _refused(name: str, sha256: str, run: str, reason: str) -> PhotoRow:
    return PhotoRow(name, sha256, run, "refused", reason, None, None, None, simulated=False)


def _add_photos(capture: Capture, photos: Sequence[Path]) -> None:
    capture.photos.mkdir(parents=True, exist_ok=True)
    remove_partial_files(capture.photos)
    missing = [path for path in photos if not path.is_file()]
    if missing:
        raise RunError(f"{missing[0]}: no such photo")
    for path in photos:
        target = capture.photos / path.name
        if target.exists() and target.samefile(path):
            continue
        if target.exists() and file_sha256(target) != file_sha256(path):
            raise RunError(f"{path}: another photo of that name is already in {capture.photos}; rename it")
        with replacing(target) as temporary:
            shutil.copyfile(path, temporary)


def _photo_files(capture: Capture) -> list[Path]:
    return sorted(p for p in capture.photos.iterdir() if p.is_file() and not p.name.startswith("."))


def _crop_photo(
    printout: Printout, capture: Capture, manifest: Manifest, run: str, path: Path
) -> tuple[PhotoRow, list[CropRow]]:
    digest = file_sha256(path)
    try:
        photo = read_photo(path)
        found = crop_photo(photo, manifest.sheets, run=run, picture=_pictures(printout, manifest))
    except CaptureError as error:
        return _refused(path.name, digest, run, str(error)), []
    height, width = photo.gray.shape
    row = PhotoRow(path.name, digest, run, "used", None, width, height, photo.camera, photo.simulated)
    return row, [_write_cell(capture, path.name, sheet, cell) for sheet in found for cell in sheet.cells]


def _pictures(printout: Printout, manifest: Manifest) -> Callable[[str], NDArray[np.uint8]]:
    examples = {example.id: example for example in manifest.examples}

    @lru_cache(maxsize=256)
    def picture(example: str) -> NDArray[np.uint8]:
        return printout.pixels(examples[example])

    return picture


def _write_cell(capture: Capture, photo: str, sheet: FoundSheet, cell: CroppedCell) -> CropRow:
    path = None
    if cell.crop is not None:
        path = capture.crops / f"{cell.example}--{photo}.png"
        with replacing(path) as temporary:
            Image.fromarray(cell.crop).save(temporary, "PNG")
    return CropRow(
        photo=photo,
        example=cell.example,
        sheet=sheet.index,
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
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _remove_stale(capture: Capture, result: CropResult) -> None:
    """Delete crops that the store does not know: those of photos removed since."""
    known = {row.path for row in result.crops}
    for path in capture.crops.glob("*.png"):
        if f"crops/{path.name}" not in known:
            path.unlink()
