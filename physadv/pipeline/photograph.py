"""`photograph`: what to do with a real phone, or photos of the sheets from the virtual printer and phone."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from physadv.files import file_sha256, replacing
from physadv.parallel import map_items
from physadv.phone.phones import Phone
from physadv.phone.presets import PhonePreset, load_device, load_phone_preset
from physadv.phone.printers import PRINTERS, named_printer
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Printout, RunError
from physadv.runs.folders import writes_run
from physadv.sheets.layout import Cell, Sheet, box_corners

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.phone.paper import Points

INSTRUCTIONS = """\
Sheets to photograph: {count}, all in {pdf}

1. Print at 100 % ("actual size", not "fit to page"), in colour, on plain white paper.
2. Lay each sheet flat in even light; no flash, no shadow of the phone across it.
3. Photograph one sheet at a time, from above, so that it fills most of the frame. Slight angles are fine.
   Every code should be sharp; a cell cut off or covered costs that cell only.
4. Take one or more photos of every sheet. Do not crop, filter or send them through a messenger.
5. Copy the files, as they are, to {photos}
6. Run: physadv crop {name}

Without a printer: physadv photograph {name} --simulate
"""
RESOLVES = 0.5
"""Width of a photo, as a share of the usual one, at which dots of ink are less than two pixels apart."""
_PLAIN = re.compile(r"sheet-\d+-shot-\d+")
"""Stem of the photos that were made by what made the first of a capture."""


@dataclass(frozen=True)
class MadeBy:
    """What a simulated photo is made by: a preset, a seed and, where it is a file of the user's, its numbers.

    A printer and a phone are named where they are not the preset's own.

    Of a file the name is kept without the path, which may lead through the user's home folder.
    """

    preset: str
    seed: int
    ranges: dict[str, Any] | None = None
    printer: str | None = None
    phone: str | None = None

    def __post_init__(self) -> None:
        if self.ranges is not None:
            object.__setattr__(self, "preset", Path(self.preset).name)
            object.__setattr__(self, "phone", Path(self.phone).name if self.phone else None)

    @classmethod
    def of(cls, preset: str, seed: int, printer: str | None = None, phone: str | None = None) -> Self:
        """Return what preset and phone as they are now make; raises PhoneError where either cannot be had."""
        own = any(name.lower().endswith(".toml") for name in (preset, phone or ""))
        return cls(preset, seed, _chosen(preset, phone).values() if own else None, printer, phone)

    @property
    def condition(self) -> str:
        """Return the preset's name, with a hash of the numbers where a file has them, which may be edited.

        The names of the phone and of the printer follow it, where they are given.
        """
        name = self.preset
        if self.ranges is not None:
            digest = hashlib.sha256(json.dumps(self.ranges, sort_keys=True).encode()).hexdigest()
            name += f"#{digest[:6]}"
        if self.phone:
            name += f" with {self.phone}"
        return f"{name} on {self.printer}" if self.printer else name


def parts_of(condition: str) -> tuple[str, str | None, str | None]:
    """Return the preset, and phone and printer if they are named, of a photo's `MadeBy.condition`.

    >>> parts_of("mine.toml#a1b2c3 with like-jolla on offset-coated")
    ('mine.toml', 'like-jolla', 'offset-coated')
    """
    rest, _, printer = condition.rpartition(" on ")
    if not (rest and printer in PRINTERS):
        rest, printer = condition, ""
    preset, _, phone = rest.rpartition(" with ")
    # A file's name can have any words in it; behind a preset's file stands the hash.
    if not preset or "#" in phone:
        preset, phone = rest, ""
    return preset.partition("#")[0], phone or None, printer or None


def _chosen(preset: str, phone: str | None) -> PhonePreset:
    """Return a preset, with a phone instead of its own; raises PhoneError where either cannot be had."""
    chosen = load_phone_preset(preset)
    return chosen.taken_with(load_device(phone)) if phone else chosen


@dataclass(frozen=True)
class Record:
    """What is noted beside a simulated photo: its sheet's code, what made it, its number and its hash."""

    sheet: str
    made_by: MadeBy
    shot: int | None
    sha256: str | None


@dataclass(frozen=True)
class _Job:
    """All shots of one sheet, so that it is rendered once, and the sheet that may lie beside it."""

    sheet: Sheet
    neighbour: Sheet | None
    shots: tuple[tuple[Path, Path, int], ...]


def instructions(printout: Printout, capture: Capture) -> str:
    """Return what a person does with a real printer and phone; makes the folder for the photos."""
    manifest = printout.printed_manifest()
    capture.photos.mkdir(parents=True, exist_ok=True)
    count = len(manifest.sheets)
    return INSTRUCTIONS.format(count=count, pdf=printout.pdf, photos=capture.photos, name=printout.name)


@writes_run
def photograph_simulated(
    printout: Printout,
    capture: Capture,
    *,
    preset: str | Path = "office",
    printer: str | None = None,
    phone: str | Path | None = None,
    shots: int = 2,
    seed: int = 0,
    workers: int | None = None,
    reporter: Reporter = silent,
) -> list[Path]:
    """Photograph every sheet with the virtual phone and return the photos; those already taken are kept.

    A `printer` and a `phone` take the place of the preset's own. Photos of another preset, printer, phone or
    seed are kept too, and the new ones named apart. What each photo is made by, where its cells' corners
    landed and which are wholly visible goes to captures/NAME/truth.

    Raises:
        RunError: the run is not there or not printed, shots < 1, or another's photo has the name of one.
        PhoneError: no preset, phone or printer is called so, or a TOML file has a fault.
        WorkerError: workers < 1, or the system ended one.
    """
    device = None if phone is None else str(phone)
    chosen, made_by = _chosen(str(preset), device), MadeBy.of(str(preset), seed, printer, device)
    if printer:
        chosen = replace(chosen, printer=named_printer(printer))
    if shots < 1:
        raise RunError(f"shots {shots}: wanted 1 or more")
    manifest = printout.printed_manifest()
    for folder in (capture.photos, capture.truth):
        folder.mkdir(parents=True, exist_ok=True)
    photos = simulated_photos(capture, manifest.sheets, shots, _suffix(capture, made_by))
    jobs = list(_jobs(capture, manifest.sheets, made_by, photos))
    results = map_items(partial(_photograph, printout.pdf, chosen, made_by), jobs, workers=workers)
    for _ in reporter.track(results, len(jobs), "sheets photographed (simulated)"):
        pass
    return photos


def simulated_photos(capture: Capture, sheets: Sequence[Sheet], shots: int, suffix: str = "") -> list[Path]:
    """Return where the simulated photos of sheets are, or will be, sheet by sheet."""
    stems = [f"sheet-{sheet.index + 1:03d}-shot-{shot + 1}" for sheet in sheets for shot in range(shots)]
    return [capture.photos / f"{stem}{suffix}.jpg" for stem in stems]


def _suffix(capture: Capture, made_by: MadeBy) -> str:
    """Return what sets the names of photos apart from those made before by anything else."""
    first = (path for path in sorted(capture.truth.glob("*.json")) if _PLAIN.fullmatch(path.stem))
    found = (read_record(capture, path) for path in first)
    if made_by == next((record.made_by for record in found if record), made_by):
        return ""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", made_by.condition)
    return f"-{name}-seed-{made_by.seed}" if made_by.seed else f"-{name}"


def _jobs(capture: Capture, sheets: tuple[Sheet, ...], made_by: MadeBy, photos: list[Path]) -> Iterator[_Job]:
    shots = len(photos) // len(sheets)
    for place, (sheet, following) in enumerate(zip(sheets, (*sheets[1:], sheets[0]), strict=True)):
        missing = []
        for shot, photo in enumerate(photos[place * shots : (place + 1) * shots]):
            truth, record = _truth_of(capture, photo), read_record(capture, photo)
            # A photo whose record was spoilt is taken again.
            known = record.sha256 if record else None
            if photo.exists() and not (truth.exists() and known in (None, file_sha256(photo))):
                raise RunError(f"{photo}: not a photo that the virtual phone took; rename or move it")
            if not (photo.exists() and record and (record.sheet, record.made_by) == (sheet.code, made_by)):
                missing.append((photo, truth, shot))
        if missing:
            yield _Job(sheet, following if len(sheets) > 1 else None, tuple(missing))


def _truth_of(capture: Capture, photo: Path) -> Path:
    return capture.truth / f"{photo.stem}.json"


def read_record(capture: Capture, photo: Path) -> Record | None:
    """Return the record of a simulated photo, None where there is none or it is not as it was written."""
    try:
        fields = json.loads(_truth_of(capture, photo).read_text())
        given = (fields.get(name) for name in ("ranges", "printer", "phone"))
        made_by = MadeBy(fields["preset"], fields["seed"], *given)
        return Record(fields["sheet"], made_by, fields.get("shot"), fields.get("sha256"))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def dots_per_mm(preset: PhonePreset) -> float:
    """Return how finely a page is printed: a smaller camera sees less, a much smaller one no dots of ink."""
    from physadv.phone.printing import RASTER
    from physadv.sheets.pdf import DOTS_PER_MM

    sees = min(1.0, preset.phone.width / Phone().width)
    return RASTER if preset.printer.halftone != "continuous" and sees > RESOLVES else DOTS_PER_MM * sees


def _photograph(pdf: Path, preset: PhonePreset, made_by: MadeBy, job: _Job) -> None:
    import torch

    from physadv.phone.encoding import encode_jpeg
    from physadv.phone.photo import take_photo
    from physadv.phone.printing import print_page
    from physadv.phone.shots import draw_shot, page_to_photo, wholly_visible
    from physadv.randomness import generator
    from physadv.sheets.pdf import page_pixels

    phone, page_mm, fine = preset.phone, job.sheet.page_mm, dots_per_mm(preset)

    @cache
    def printed(index: int) -> Tensor:
        return print_page(page_pixels(pdf, index, fine), page_mm, preset.settings, preset.printer)

    def on_paper(cell: Cell) -> tuple[Points, bool]:
        """Return where a cell's corners come to be on the paper, mm, and whether all of it is printed."""
        corners = preset.settings.on_paper(box_corners(cell.box_mm), page_mm)
        margin = preset.settings.margin_mm
        return corners, bool(((corners >= margin) & (page_mm - corners >= margin)).all())

    for photo, truth, number in job.shots:
        # Not of the run: sheet k of every run meets the same conditions, so attacks are compared fairly.
        stream = generator(made_by.seed, "shot", job.sheet.index, number)
        sheets = [job.sheet]
        if job.neighbour and torch.rand((), generator=stream) < phone.scene.neighbour:
            sheets.append(job.neighbour)
        shot = draw_shot(phone, page_mm, stream, sheets=len(sheets))
        jpeg = encode_jpeg(take_photo([printed(sheet.index) for sheet in sheets], shot), shot)
        corners_px, visible = {}, []
        for place, sheet in enumerate(sheets):
            for cell in sheet.cells:
                corners, whole = on_paper(cell)
                corners_px[cell.example] = page_to_photo(shot, corners, place).tolist()
                if whole and wholly_visible(shot, (*corners[0], *(corners[2] - corners[0])), place):
                    visible.append(cell.example)
        fields = {
            "simulated": True,
            "preset": made_by.preset,
            "sheet": job.sheet.code,
            "seed": made_by.seed,
            "shot": number,
            "sha256": hashlib.sha256(jpeg).hexdigest(),
            "corners_px": corners_px,
            "visible": visible,
            **({} if made_by.ranges is None else {"ranges": made_by.ranges}),
            **({"printer": made_by.printer} if made_by.printer else {}),
            **({"phone": made_by.phone} if made_by.phone else {}),
        }
        # The record first: a photo without one is somebody else's.
        photo.unlink(missing_ok=True)
        with replacing(truth) as temporary:
            temporary.write_text(json.dumps(fields, indent=1) + "\n")
        with replacing(photo) as temporary:
            temporary.write_bytes(jpeg)
