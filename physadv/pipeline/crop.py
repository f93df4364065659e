"""`crop`: photos in captures/NAME/photos → crops and the observation store, file by file, resumable.

A photo that cannot be used is kept and listed with its reason, and the others are cropped all the same.
"""

import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, get_args

from physadv.files import file_sha256, replacing
from physadv.parallel import map_items
from physadv.pictures.listing import say_left_out, visible
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Colour, CropRow, PhotoRow, Printout, RunError
from physadv.runs.folders import writes_run
from physadv.runs.rows import CORRECTED_CROPS
from physadv.text import printable

LONGEST_NAME = 200
"""Bytes of a photo's name: those of its crops and overlays are longer, and end at 255."""

if TYPE_CHECKING:
    from physadv.pipeline.crop_file import Rows


@dataclass(frozen=True)
class CropResult:
    """What a capture holds after a run of `crop`.

    Attributes:
        photos: every photo, used or refused.
        crops: every cell of the sheets in the used photos, cut out or refused.
        unread: photos that the machine could not read now, each with the reason; nothing is stored of them.
    """

    photos: tuple[PhotoRow, ...]
    crops: tuple[CropRow, ...]
    unread: tuple[PhotoRow, ...] = ()

    def __repr__(self) -> str:
        cells = len(self.crops)
        photos = len({photo.name for photo in (*self.photos, *self.unread)})
        used = sum(photo.status == "used" for photo in self.photos)
        return f"{cells - len(self.refused_cells)} of {cells} cells cropped from {used} of {photos} photos"

    @property
    def refused_photos(self) -> list[PhotoRow]:
        """Return the photos that could not be used, those that could not be read now included."""
        return [*(photo for photo in self.photos if photo.status == "refused"), *self.unread]

    @property
    def refused_cells(self) -> list[CropRow]:
        """Return the cells of used photos that could not be cut out."""
        return [crop for crop in self.crops if crop.path is None]

    @property
    def shape(self) -> str:
        """Return a sentence on the shape of the prints."""
        return shape_in_words(self.photos)

    @property
    def colours(self) -> str | None:
        """Return a sentence on how well colours were corrected, None for crops as photographed."""
        return colours_in_words(self.photos)


def shape_in_words(photos: Sequence[PhotoRow]) -> str:
    """Return what photos tell of the shape of their prints, and that they do not tell the size."""
    told = [photo.stretch for photo in photos if photo.stretch]
    used = sum(photo.status == "used" for photo in photos)
    found = f"{median(told):.1%} ({min(told):.1%} to {max(told):.1%})" if told else "unknown"
    return (
        f"width to height {found} of what was laid out, by {len(told)} of {used} photos; "
        "no photo tells the size: measure the 100 mm bar with a ruler"
    )


def colours_in_words(photos: Sequence[PhotoRow]) -> str | None:
    """Return in how many photos colours were corrected and how well, None for none."""
    import numpy as np

    def in_words(name: str) -> str:
        errors = [error for photo in corrected for error in getattr(photo, name)]
        return f"{np.mean(errors):.1f} mean, {np.percentile(errors, 95):.1f} 95th percentile"

    corrected = [photo for photo in photos if photo.corrected and photo.delta_e_before]
    if not corrected:
        return None
    used = sum(photo.status == "used" for photo in photos)
    return (
        f"corrected in {len(corrected)} of {used} photos: ΔE2000 of held-out patches "
        f"{in_words('delta_e')} (as photographed {in_words('delta_e_before')})"
    )


@writes_run
def crop(
    printout: Printout,
    capture: Capture,
    photos: Sequence[Path] = (),
    *,
    colour: Colour = "photographed",
    overlay: bool = False,
    workers: int | None = None,
    reporter: Reporter = silent,
) -> CropResult:
    """Cut every cell out of every photo of a capture and record it.

    Args:
        printout: the run that was printed.
        capture: the capture that holds its photos.
        photos: files to copy into the capture's photos first.
        colour: leave crops as "photographed", or have them "corrected" by the sheets' grey and colour bars.
            Crops as photographed get a corrected copy where the bars are off in exposure or cast.
        overlay: also write a copy of each photo with the sheets, marks and cells drawn in.
        workers: number of processes; the usable cores by default.
        reporter: shows progress.

    Raises:
        RunError: the run does not exist or is not printed, a given photo is missing, there are no photos, or
            `colour` is unknown.
    """
    if colour not in get_args(Colour):
        raise RunError(f"colour '{colour}': wanted {' or '.join(get_args(Colour))}")
    manifest = printout.printed_manifest()
    _add_photos(capture, photos)
    files = photo_files(capture)
    if not files:
        raise RunError(f"{capture.photos}: no photos; see 'physadv photograph {printout.name}'")
    say_left_out(capture.photos, visible(capture.photos), {*files}, "photos, in no folder of their own")
    # Only now: OpenCV and the decoders take half a second that a mistyped name should not cost.
    from physadv.pipeline.crop_file import TWIN, Cropping, crop_file

    cropping = Cropping(printout, capture, manifest, colour, overlay)
    for folder in (capture.crops, *([capture.overlays] if overlay else [])):
        folder.mkdir(parents=True, exist_ok=True)
    with capture.store() as store:
        rows: dict[str, list[PhotoRow]] = defaultdict(list)
        for row in store.photos():
            rows[row.file].append(row)
        cut = [crop for crop in store.crops() if crop.path]
        before: dict[str, list[CropRow]] = defaultdict(list)
        for each in cut:
            before[each.photo].append(each)

        def record(file: str, found: "Rows", overlay: bool = False) -> None:
            """Store what a file holds, and delete the crops and overlays on record of what it held before."""
            old = [(row, before[row.name]) for row in rows[file]]
            for path in made_files(capture, old, overlays=True) - made_files(
                capture, found, overlays=overlay
            ):
                path.unlink(missing_ok=True)
            store.add_file(file, found)

        unread: list[PhotoRow] = []
        for gone in rows.keys() - {path.name for path in files}:
            record(gone, [])
        made = [*cut, *(each.copy for each in cut if each.copy)]
        lost = {c.photo for c in made if capture.changed(c) or not (capture.folder / str(c.path)).exists()}
        first_with: dict[str, str] = {}
        todo: list[Path] = []
        for path in reporter.track(files, len(files), "checking photos"):
            try:
                digest = file_sha256(path)
            except OSError:
                todo.append(path)  # said when it is read
                continue
            if fault := _name_fault(path.name):
                shown = path.with_name(printable(path.name))
                record(shown.name, [(cropping.refused(shown, digest, fault), [])])
                continue
            twin = first_with.setdefault(digest, path.name)
            if twin != path.name:
                reason = f"{TWIN} {twin}; counted once"
                record(path.name, [(cropping.refused(path, digest, reason), [])])
            elif not cropping.is_done(rows[path.name], digest, lost):
                todo.append(path)
        results = map_items(partial(crop_file, cropping), todo, workers=workers)
        for file, found in reporter.track(results, len(todo), "photos cropped"):
            if isinstance(found, PhotoRow):
                unread.append(found)
            else:
                record(file, found, overlay)
        store.compact()
        return CropResult(tuple(store.photos()), tuple(store.crops()), tuple(unread))


def _name_fault(name: str) -> str | None:
    """Return why neither a store nor crops can be named after a photo, None where they can."""
    try:
        long = len(name.encode()) > LONGEST_NAME
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    return f"its name has more than {LONGEST_NAME} bytes; rename it" if long else None


def photo_files(capture: Capture) -> list[Path]:
    """Return the files in a capture's folder of photos, sorted by name."""
    return sorted(path for path in capture.photos.glob("[!.]*") if path.is_file())


def _add_photos(capture: Capture, photos: Sequence[Path]) -> None:
    capture.photos.mkdir(parents=True, exist_ok=True)
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


def made_files(capture: Capture, rows: "Rows", *, overlays: bool) -> set[Path]:
    """Return the files that crops, and overlays where they were asked for, were written to, by their rows."""
    crops = [crop for _, found in rows for crop in found if crop.path]
    made = [(capture.crops, f"{crop.example}--{crop.photo}.png") for crop in crops]
    made += [(capture.folder / CORRECTED_CROPS, f"{c.example}--{c.photo}.png") for c in crops if c.copy]
    made += [(capture.overlays, f"{row.name}.jpg") for row, _ in rows if overlays]
    # A stranger's store may hold any name; those with a slash are none of this program's.
    return {folder / name for folder, name in made if Path(name).name == name}
