"""`print`: a run's examples → printouts/NAME/sheets.pdf, and where everything stands on it → the manifest."""

from pathlib import Path

from PIL import Image

from physadv.files import remove_partial_files, replacing
from physadv.progress import Reporter, silent
from physadv.runs import Example, Manifest, Printout
from physadv.sheets import Caption, PrintItem, page_pixels, plan_sheets, write_pdf
from physadv.sheets.codes import RUN_CHARACTERS, digest36
from physadv.sheets.layout import IMAGE

PREVIEW_DOTS_PER_MM = 5


def print_sheets(
    printout: Printout,
    *,
    page: str = "a4",
    image_mm: float = IMAGE,
    preview: bool = False,
    reporter: Reporter = silent,
) -> Manifest:
    """Lay a run out on pages, write its PDF and return the manifest with the sheets in it.

    Args:
        printout: of a finished `generate`.
        page: a name of `PAGES`.
        image_mm: side of a picture on paper, mm.
        preview: also write `sheet-001.png` … beside the PDF, 127 dpi.
        reporter: shows progress.

    Raises:
        RunError: the run is not there, unfinished or edited.
        SheetError: unknown page, or pictures that do not fit it.
    """
    manifest = printout.manifest()
    remove_partial_files(printout.folder)
    # The printed code depends on the layout, or photos of an earlier layout would be read with a later one.
    code = digest36(f"{manifest.code}/{page}/{image_mm:g}", RUN_CHARACTERS)
    pairs = [(_item(clean), _item(adversarial)) for clean, adversarial in manifest.pairs()]
    sheets = tuple(plan_sheets(pairs, run=code, page=page, image_mm=image_mm))
    manifest = manifest.model_copy(update={"sheets": sheets})
    examples = {example.id: example for example in manifest.examples}
    title = f"physadv   {manifest.name}   {manifest.attack.name}, {manifest.attack.budget}"
    with replacing(printout.pdf) as temporary:
        write_pdf(
            temporary,
            reporter.track(sheets, len(sheets), "sheets"),
            count=len(sheets),
            title=title,
            picture=lambda example: printout.image(examples[example]),
            caption=lambda example: _caption(examples[example]),
        )
    manifest.write(printout.manifest_path)
    if preview:
        for sheet in reporter.track(sheets, len(sheets), "previews"):
            _write_preview(printout.pdf, sheet.index)
    return manifest


def _item(example: Example) -> PrintItem:
    return PrintItem(example.id, *example.size_px)


def _caption(example: Example) -> Caption:
    seen = example.digital[0]
    return Caption(
        (
            f"{example.pair} {example.kind}",
            f"label: {example.label_name}",
            f"seen as: {seen.name}",
            f"p = {seen.probability:.2f}",
        )
    )


def _write_preview(pdf: Path, index: int) -> None:
    path = pdf.with_name(f"sheet-{index + 1:03d}.png")
    with replacing(path) as temporary:
        Image.fromarray(page_pixels(pdf, index, PREVIEW_DOTS_PER_MM)).save(temporary, "PNG")
