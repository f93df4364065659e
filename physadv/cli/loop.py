"""The loop itself: generate, print, photograph, crop, and all of it as a demonstration."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import Doc

from physadv.classifiers.specs import check_spec, runs_code
from physadv.cli.options import Name, NewName, Quiet, Root, Workers, command, print_next
from physadv.pipeline.settings import (
    AdoptSettings,
    GenerateSettings,
    MeasuredProfile,
    Seed,
    SettingsError,
    profile_record,
    resolve,
)
from physadv.progress import reporter
from physadv.runs import Capture, Colour, Printout, check_runs
from physadv.text import printable

if TYPE_CHECKING:
    from physadv.pipeline.crop import CropResult
    from physadv.runs import Manifest


@command(example="physadv demo --root my-demo")
def demo(root: Root = Path("demo"), quiet: Quiet = False) -> None:
    """Attack drawn signs in five ways, print and photograph them in simulation, and see what survives."""
    from physadv.demo import run_demo
    from physadv.report.compare_page import show_comparison

    found, page = run_demo(root, reporter(quiet=quiet))
    show_comparison(found)
    print(f"\npage: {page}")


@command(example="physadv generate photos/ --name mine --model torchvision/resnet50 --attack bim --eps 16")
def generate(name: NewName, settings: GenerateSettings, root: Root = Path(), quiet: Quiet = False) -> None:
    """Make clean and adversarial examples. Run the same command again to go on after an interruption."""
    # Numbers and names are known to be right before anything large is imported.
    check_spec(resolve(settings).model, settings.labels, settings.precision)
    from physadv.pipeline.generate import generate as run

    printout = Printout(root, name)
    manifest = run(printout, settings, reporter(quiet=quiet))
    _show_pairs(manifest, printout.folder)
    recorded = manifest.attack.parameters
    if settings.query_only:
        print(f"queries: {recorded['queries_asked']}, {recorded['queries_per_image']} an image")
    held_out = [adversarial.held_out.success for _, adversarial in manifest.pairs() if adversarial.held_out]
    if held_out:
        print(f"held-out transformations: {100 * sum(held_out) / len(held_out):.1f} % reach the goal")
    print_next("print", name, root)


@command(
    example="physadv adopt clean/ adversarial/ --name theirs --model torchvision/resnet50 --made-by "
    "AutoAttack"
)
def adopt(settings: AdoptSettings, name: NewName, root: Root = Path(), quiet: Quiet = False) -> None:
    """Make a run of images attacked elsewhere. Folders are paired by path or file name, arrays by position.

    Arrays are float in [0, 1] or uint8, (B, 3, H, W) or (B, H, W, 3). A .npz or .pt file of clean images may
    hold 'labels' beside 'images'. Without labels the classifier's own answers count as true.
    """
    from physadv.pipeline.adopted_files import adopt_files

    printout = Printout(root, name)
    manifest = adopt_files(printout, settings, reporter(quiet=quiet))
    _show_pairs(manifest, printout.folder)
    measured = manifest.attack.parameters
    print(f"largest change: L-inf {measured['measured_linf']}, L2 {measured['measured_l2']}, in 8-bit levels")
    if measured["rounded_by"]:
        print(f"rounded to 8 bits: by up to {measured['rounded_by']} levels")
    print_next("print", name, root)


def _show_pairs(manifest: "Manifest", folder: Path) -> None:
    pairs, chosen = manifest.pairs(), manifest.selection
    right = sum(clean.digital[0].label == clean.label for clean, _ in pairs)
    fooled = sum(adversarial.digital[0].label != adversarial.label for _, adversarial in pairs)
    kind = "prefiltered pairs" if chosen.prefiltered else "pairs"
    own = " (labels are the classifier's own: none were given)" if chosen.labels == "predicted" else ""
    print(f"{len(pairs)} {kind} of {chosen.candidates} candidates in {folder}{own}")
    print(f"digital: {right} clean right, {fooled} adversarial wrong, of {len(pairs)}")


@command("print", example="physadv print mine --page letter --preview")
def print_command(
    name: Name,
    page: Annotated[str, Doc("Paper size: a4, a3 or letter.")] = "a4",
    image_mm: Annotated[float, Doc("Side of a picture on paper, mm.")] = 36.0,
    preview: Annotated[bool, Doc("Also write each page as PNG.")] = False,
    precompensate: Annotated[
        Path | None,
        Doc("Print the colours that this measured printer and phone show as the pictures' own."),
    ] = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Lay the examples out on QR-tagged sheets: printouts/NAME/sheets.pdf."""
    check_runs(root, [name])
    profile_record(precompensate)
    from physadv.pipeline.print_sheets import print_sheets

    printout = Printout(root, name)
    progress = reporter(quiet=quiet)
    manifest = print_sheets(
        printout,
        page=page,
        image_mm=image_mm,
        preview=preview,
        precompensate=precompensate,
        reporter=progress,
    )
    if manifest.precompensation:
        print(f"colours {manifest.precompensation}")
    print(f"{len(manifest.sheets)} sheets in {printout.pdf}; print at 100 %")
    print_next("photograph", name, root)


@command(example="physadv photograph mine --simulate --preset hand-held --shots 3")
def photograph(
    name: Name,
    simulate: Annotated[bool, Doc("Use the virtual printer and phone.")] = False,
    preset: Annotated[
        str | None,
        Doc("Situation of --simulate: office, another preset or a TOML file; see 'physadv list phones'."),
    ] = None,
    phone: Annotated[
        str | None,
        Doc("Phone of --simulate, a name or a TOML file, not the preset's own; see 'physadv list phones'."),
    ] = None,
    printer: Annotated[
        str | None,
        Doc("Virtual printer of --simulate instead of the preset's own; see 'physadv list printers'."),
    ] = None,
    profile: MeasuredProfile = None,
    shots: Annotated[int, Doc("Simulated photos of each sheet.")] = 2,
    seed: Seed = 0,
    workers: Workers = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Say how to photograph the sheets, or photograph them with the virtual phone."""
    asked = {"preset": preset, "phone": phone, "printer": printer, "profile": profile}
    for option, given in asked.items():
        if given is not None and not simulate:
            raise SettingsError(f"{option} '{given}': wanted --simulate with it")
    check_runs(root, [name])
    from physadv.pipeline.photograph import instructions, photograph_simulated

    printout, capture = Printout(root, name), Capture(root, name)
    if not simulate:
        print(instructions(printout, capture), end="")
        return
    progress, chosen = reporter(quiet=quiet), "office" if preset is None else preset
    photos = photograph_simulated(
        printout,
        capture,
        preset=chosen,
        printer=printer,
        phone=phone,
        profile=profile,
        shots=shots,
        seed=seed,
        workers=workers,
        reporter=progress,
    )
    print(f"{len(photos)} simulated photos in {capture.photos}")
    print_next("crop", name, root)


@command(example="physadv crop mine ~/Pictures/IMG_*.jpg")
def crop(
    name: Name,
    photos: Annotated[
        list[Path] | None, typer.Argument(help="Photos and videos to add to captures/NAME/photos.")
    ] = None,
    colour: Annotated[
        Colour,
        Doc("Colours of the crops: as photographed, or corrected by the sheet's grey and colour bars."),
    ] = "photographed",
    overlay: Annotated[
        bool, Doc("Also draw into each photo what was found: captures/NAME/overlays.")
    ] = False,
    workers: Workers = None,
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Cut every cell out of every photo. A photo that cannot be used is named, and makes the exit code 2."""
    check_runs(root, [name])
    from physadv.pipeline.crop import crop as run

    printout, capture, progress = Printout(root, name), Capture(root, name), reporter(quiet=quiet)
    result = run(
        printout, capture, photos or (), colour=colour, overlay=overlay, workers=workers, reporter=progress
    )
    _show_crops(result, capture.crops)
    if overlay:
        print(f"overlays: {capture.overlays}")
    judge = printout.manifest().classifier.spec
    print_next(
        "destruction-rate", name, root, *([f"--model {shlex.quote(judge)}"] if runs_code(judge) else [])
    )
    if result.refused_photos:
        raise typer.Exit(2)


def _show_crops(result: "CropResult", folder: Path) -> None:
    print(f"{result} in {folder}")
    print(f"print: {result.shape}")
    if result.colours:
        print(f"colours {result.colours}")
    for photo in result.photos:
        if photo.remark:
            print(printable(f"{photo.name}: {photo.remark}"))
    for cell in result.refused_cells:
        print(printable(f"{cell.photo}: {cell.example}: {cell.reason}"))
    for photo in result.refused_photos:
        print(printable(f"error: {photo.name}: {photo.reason}"), file=sys.stderr)
