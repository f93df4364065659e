"""`print`: a run's examples → printouts/NAME/sheets.pdf, and the layout of its pages → the manifest."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from physadv.files import replacing
from physadv.pipeline.crop import photo_files
from physadv.pipeline.settings import profile_record
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Example, Manifest, Printout, RunError
from physadv.runs.folders import writes_run
from physadv.runs.manifest import Precompensation
from physadv.sheets.codes import RUN_CHARACTERS, digest36
from physadv.sheets.fonts import can_print, spelt
from physadv.sheets.layout import IMAGE, PrintItem, plan_sheets
from physadv.sheets.pdf import page_pixels, write_pdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

PREVIEW_DOTS_PER_MM = 5
_EVERY = 7
"""Of so many pixels in a row the colour of one is looked at, to say how well colours are compensated."""


@writes_run
def print_sheets(
    printout: Printout,
    *,
    page: str = "a4",
    image_mm: float = IMAGE,
    preview: bool = False,
    precompensate: Path | None = None,
    reporter: Reporter = silent,
) -> Manifest:
    """Lay out a run on pages, write its PDF, and return the manifest, which now lists the sheets.

    `page` is one of `PAGES`, `image_mm` the longer side of a picture on paper, mm. With `preview` each page
    is also written as `sheet-001.png` and so on beside the PDF, at 127 dpi. With the file of a measured
    printer and phone to `precompensate`, pictures are printed in the colours that it shows nearest to theirs;
    bars and files stay as they are.

    Raises:
        RunError: the run does not exist, is unfinished or was edited; or there are photos of sheets in
            another layout.
        SheetError: unknown page, or pictures that do not fit on it.
        ProfileError: the profile cannot be read, or was edited.
    """
    measured = profile_record(precompensate)
    manifest = printout.manifest()
    # The printed code depends on the layout: photos of an earlier layout must not be read with a later one.
    code = layout_code(manifest, page, image_mm, measured.get("profile_checksum"))
    capture = Capture(printout.root, printout.name)
    if manifest.printed_code not in (None, code) and photo_files(capture):
        raise RunError(
            f"{capture.photos}: holds photos of the sheets as printed before, which no other layout can use; "
            f"move {capture.folder} away to print again, or keep page, size and colours"
        )
    if manifest.printed_code not in (None, code):
        # PDF and manifest change together: killed between the two, the run counts as not printed.
        manifest.model_copy(update={"sheets": ()}).write(printout.manifest_path)
    pairs = [(_item(clean), _item(adversarial)) for clean, adversarial in manifest.pairs()]
    sheets = tuple(plan_sheets(pairs, run=code, page=page, image_mm=image_mm))
    examples = {example.id: example for example in manifest.examples}

    def picture(example: str) -> "Pixels":
        return printout.pixels(examples[example])

    printed: Callable[[str], Pixels] = picture
    record = None
    if precompensate:
        printed, errors = _precompensated(precompensate, picture, [*examples])
        record = Precompensation.model_validate({**measured, **errors})
    manifest = manifest.model_copy(update={"sheets": sheets, "precompensation": record})
    with replacing(printout.pdf) as temporary:
        write_pdf(
            temporary,
            sheets,
            picture=printed,
            caption=lambda example: _caption(examples[example]),
            title=spelt(f"physadv   {manifest.name}   {manifest.attack.name}, {manifest.attack.budget}"),
            reporter=reporter,
        )
    manifest.write(printout.manifest_path)
    for sheet in reporter.track(sheets, len(sheets), "previews") if preview else ():
        pixels = page_pixels(printout.pdf, sheet.index, PREVIEW_DOTS_PER_MM)
        with replacing(printout.folder / f"sheet-{sheet.index + 1:03d}.png") as temporary:
            Image.fromarray(pixels).save(temporary, "PNG")
    return manifest


def layout_code(manifest: Manifest, page: str, image_mm: float, profile: str | None = None) -> str:
    """Return the run's code as sheets of this layout, precompensated for this profile, carry it."""
    inks = f"/{profile}" if profile else ""
    return digest36(f"{manifest.code}/{page}/{image_mm:g}{inks}", RUN_CHARACTERS)


def _precompensated(
    path: Path, picture: "Callable[[str], Pixels]", examples: Sequence[str]
) -> "tuple[Callable[[str], Pixels], dict[str, float]]":
    """Return what to print of every example, and how far from it the photos should be."""
    from physadv.profiles import read_profile
    from physadv.profiles.precompensation import precompensation

    inverse = precompensation(read_profile(path))
    after, before = [], []
    for example in examples:
        meant = picture(example)[::_EVERY, ::_EVERY]
        after.append(inverse.errors(meant, inverse.printed(meant)).ravel())
        before.append(inverse.errors(meant, meant).ravel())
    errors = np.concatenate(after)
    how = {
        "delta_e": round(float(errors.mean()), 2),
        "delta_e_p95": round(float(np.percentile(errors, 95)), 2),
        "delta_e_before": round(float(np.concatenate(before).mean()), 2),
    }
    return lambda example: inverse.printed(picture(example)), how


def _item(example: Example) -> PrintItem:
    return PrintItem(example.id, *example.size_px)


def _class(name: str, index: int) -> str:
    return name if can_print(name) else f"class {index}"


def _caption(example: Example) -> tuple[str, ...]:
    seen = example.digital[0]
    return (
        f"{example.pair} {example.kind}",
        f"label: {_class(example.label_name, example.label)}",
        f"seen as: {_class(seen.name, seen.label)}",
        f"p = {seen.probability:.2f}",
    )
