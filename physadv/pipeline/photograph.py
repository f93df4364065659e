"""`photograph`: what to do with a real phone, or photos of the sheets from the virtual printer and phone."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

from physadv.files import remove_partial_files, replacing
from physadv.parallel import map_items
from physadv.progress import Reporter, silent
from physadv.randomness import generator
from physadv.runs import Capture, Printout, RunError
from physadv.sheets.layout import Sheet, box_corners
from physadv.sheets.pdf import page_pixels

INSTRUCTIONS = """\
{count} sheet(s) to photograph: {pdf}

1. Print at 100 % ("actual size", not "fit to page"), in colour, on plain white paper.
2. Lay each sheet flat in even light; no flash, no shadow of the phone across it.
3. Photograph one sheet at a time, from above, so that it fills most of the frame. Slight angles are fine.
   Every code should be sharp; a cell cut off or covered costs that cell only.
4. Take one or more photos of every sheet. Do not crop, filter or send them through a messenger.
5. Copy the files, as they are, to {photos}
6. Run: physadv crop {name}

Without a printer: physadv photograph {name} --simulate
"""


@dataclass(frozen=True)
class _Job:
    """All shots of one sheet, so that it is rendered once, and the sheet that may lie beside it."""

    sheet: Sheet
    neighbour: Sheet | None
    shots: tuple[tuple[Path, Path, int], ...]


def instructions(printout: Printout, capture: Capture) -> str:
    """Return what a person does with a real printer and phone; makes the folder for the photos.

    Raises:
        RunError: the run is not there, or not printed.
    """
    manifest = printout.printed_manifest()
    capture.photos.mkdir(parents=True, exist_ok=True)
    return INSTRUCTIONS.format(
        count=len(manifest.sheets), pdf=printout.pdf, photos=capture.photos, name=printout.name
    )


def photograph_simulated(
    printout: Printout,
    capture: Capture,
    *,
    preset: str = "office",
    shots: int = 2,
    seed: int = 0,
    workers: int | None = None,
    reporter: Reporter = silent,
) -> list[Path]:
    """Photograph every sheet with the virtual phone and return the photos; those already taken are kept.

    Where each cell's corners landed, and which cells are wholly visible, goes to captures/NAME/truth, for
    checking only.

    Raises:
        RunError: the run is not there or not printed, or shots < 1.
        CaptureError: no preset is called so.
    """
    from physadv.phone import load_phone

    load_phone(preset)
    if shots < 1:
        raise RunError(f"shots {shots}: wanted 1 or more")
    manifest = printout.printed_manifest()
    for folder in (capture.photos, capture.truth):
        folder.mkdir(parents=True, exist_ok=True)
        remove_partial_files(folder)
    jobs = list(_jobs(capture, manifest.sheets, preset, shots, seed))
    work = partial(_photograph, printout.pdf, preset, seed)
    for _ in reporter.track(
        map_items(work, jobs, workers=workers), len(jobs), "sheets photographed (simulated)"
    ):
        pass
    return simulated_photos(capture, manifest.sheets, shots)


def simulated_photos(capture: Capture, sheets: Sequence[Sheet], shots: int) -> list[Path]:
    """Return where the simulated photos of sheets are, or will be."""
    return [capture.photos / f"{_stem(sheet, shot)}.jpg" for sheet in sheets for shot in range(shots)]


def _stem(sheet: Sheet, shot: int) -> str:
    return f"sheet-{sheet.index + 1:03d}-shot-{shot + 1}"


def _jobs(capture: Capture, sheets: tuple[Sheet, ...], preset: str, shots: int, seed: int) -> Iterator[_Job]:
    for sheet, following in zip(sheets, (*sheets[1:], sheets[0]), strict=True):
        missing = []
        for shot in range(shots):
            name = _stem(sheet, shot)
            photo, truth = capture.photos / f"{name}.jpg", capture.truth / f"{name}.json"
            if not (photo.exists() and truth.exists() and _made_by(truth) == [sheet.code, preset, seed]):
                missing.append((photo, truth, shot))
        if missing:
            yield _Job(sheet, following if len(sheets) > 1 else None, tuple(missing))


def _made_by(truth: Path) -> list[object]:
    try:
        fields = json.loads(truth.read_text())
        return [fields["sheet"], fields["preset"], fields["seed"]]
    except (ValueError, LookupError, TypeError):  # not as it was written: the photo is taken again
        return []


def _photograph(pdf: Path, preset: str, seed: int, job: _Job) -> None:
    from physadv.phone import (
        draw_shot,
        encode_jpeg,
        load_phone,
        page_to_photo,
        print_page,
        take_photo,
        wholly_visible,
    )

    phone = load_phone(preset)

    @cache
    def printed(index: int) -> Tensor:
        return print_page(page_pixels(pdf, index), job.sheet.page_mm)

    for photo, truth, number in job.shots:
        # Not of the run: sheet k of every run meets the same conditions, so attacks are compared fairly.
        stream = generator(seed, "shot", job.sheet.index, number)
        sheets = [job.sheet]
        if job.neighbour and torch.rand((), generator=stream) < phone.scene.neighbour:
            sheets.append(job.neighbour)
        shot = draw_shot(phone, job.sheet.page_mm, stream, sheets=len(sheets))
        jpeg = encode_jpeg(take_photo([printed(sheet.index) for sheet in sheets], shot), shot)
        cells = [(cell, place) for place, sheet in enumerate(sheets) for cell in sheet.cells]
        fields = {
            "simulated": True,
            "preset": preset,
            "sheet": job.sheet.code,
            "seed": seed,
            "corners_px": {
                cell.example: page_to_photo(shot, box_corners(cell.box_mm), place).tolist()
                for cell, place in cells
            },
            "visible": [cell.example for cell, place in cells if wholly_visible(shot, cell.box_mm, place)],
        }
        with replacing(photo) as temporary:
            temporary.write_bytes(jpeg)
        with replacing(truth) as temporary:
            temporary.write_text(json.dumps(fields, indent=1) + "\n")
