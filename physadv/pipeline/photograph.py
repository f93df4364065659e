"""`photograph`: what to do with a real phone, or photos of the sheets from the virtual printer and phone."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physadv.files import file_sha256, replacing
from physadv.parallel import map_items
from physadv.phone.phones import PhoneError
from physadv.phone.presets import CHANNELS, PhonePreset
from physadv.phone.printers import named_printer
from physadv.pipeline.made_by import MadeBy, chosen_preset
from physadv.pipeline.settings import facts_of
from physadv.profiles import read_profile
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Printout, RunError
from physadv.runs.folders import writes_run
from physadv.sheets.layout import Cell, Sheet, box_corners

if TYPE_CHECKING:
    from physadv.phone.paper import Points
    from physadv.phone.printing import Print
    from physadv.profiles import Profile

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
_PLAIN = re.compile(r"sheet-\d+-shot-\d+")
"""Stem of the photos that were made by what made the first of a capture."""


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
    profile: Path | None = None,
    shots: int = 2,
    seed: int = 0,
    workers: int | None = None,
    reporter: Reporter = silent,
) -> list[Path]:
    """Photograph every sheet with the virtual phone and return the photos; those already taken are kept.

    A `printer` and a `phone` take the place of the preset's own, the file of a `profile` that of both: all
    but pose and place is then as measured. Photos of another preset, printer, phone or seed are kept too,
    and the new ones named apart. What each photo is made by, where its cells' corners landed and which are
    wholly visible goes to captures/NAME/truth.

    Raises:
        RunError: the run is not there or not printed, shots < 1, or another's photo has the name of one.
        PhoneError: no preset, phone or printer is called so, a TOML file has a fault, or there is a profile
            beside a phone or a printer.
        ProfileError: the profile cannot be read, or was edited.
        WorkerError: workers < 1, or the system ended one.
    """
    device = None if phone is None else str(phone)
    if profile and (printer or device):
        raise PhoneError(f"profile {profile}: stands for printer and phone; wanted neither beside it")
    chosen = chosen_preset(str(preset), device)
    made_by = MadeBy.of(str(preset), seed, printer, device, profile)
    measured = read_profile(profile) if profile else None
    if measured:
        from physadv.pipeline.measured_phone import measured_preset

        chosen = measured_preset(chosen, measured)
    if printer:
        chosen = replace(chosen, printer=named_printer(printer))
    if shots < 1:
        raise RunError(f"shots {shots}: wanted 1 or more")
    manifest = printout.printed_manifest()
    for folder in (capture.photos, capture.truth):
        folder.mkdir(parents=True, exist_ok=True)
    photos = simulated_photos(capture, manifest.sheets, shots, _suffix(capture, made_by))
    jobs = list(_jobs(capture, manifest.sheets, made_by, photos))
    take = partial(_photograph, printout.pdf, chosen, made_by, measured)
    results = map_items(take, jobs, workers=workers)
    for _ in reporter.track(results, len(jobs), "sheets photographed (simulated)"):
        pass
    return photos


def photograph_channels(printout: Printout, capture: Capture, **options: Any) -> list[Path]:
    """Photograph every sheet through the mild, the medium and the harsh channel, and return the photos.

    `options` and errors are those of `photograph_simulated`, but for preset, phone and printer. What is
    measured next shows each channel apart, and the destruction rate as a band.
    """
    photos: list[Path] = []
    for preset, phone, printer in CHANNELS.values():
        options |= {"preset": preset, "phone": phone, "printer": printer}
        photos += photograph_simulated(printout, capture, **options)
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


def _photograph(pdf: Path, preset: PhonePreset, made_by: MadeBy, measured: Profile | None, job: _Job) -> None:
    import torch

    from physadv.phone.encoding import encode_jpeg
    from physadv.phone.photo import take_photo
    from physadv.phone.printing import dots_per_mm, print_page
    from physadv.phone.shots import draw_shot, page_to_photo, wholly_visible
    from physadv.pipeline.measured_phone import MeasuredSensor, print_as_measured
    from physadv.randomness import generator
    from physadv.sheets.pdf import page_pixels

    phone, page_mm = preset.phone, job.sheet.page_mm
    fine = dots_per_mm(preset.printer, phone)

    @cache
    def printed(index: int) -> Print:
        page = page_pixels(pdf, index, fine)
        if measured:
            return print_as_measured(page, measured)
        return print_page(page, page_mm, preset.settings, preset.printer)

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
        sensor = MeasuredSensor(shot, measured) if measured else None
        jpeg = encode_jpeg(take_photo([printed(sheet.index) for sheet in sheets], shot, sensor), shot)
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
            **({"profile": facts_of(measured)} if measured else {}),
        }
        # The record first: a photo without one is somebody else's.
        photo.unlink(missing_ok=True)
        with replacing(truth) as temporary:
            temporary.write_text(json.dumps(fields, indent=1) + "\n")
        with replacing(photo) as temporary:
            temporary.write_bytes(jpeg)
