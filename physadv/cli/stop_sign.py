"""`physadv stop-sign`: stickers, printed pages, the simulated tests and their report."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, cast

import typer
from typing_extensions import Doc

from physadv.attacks.recipes import Nps
from physadv.cli.options import Quiet, Root, Smallest, command
from physadv.pipeline.settings import Device
from physadv.progress import reporter
from physadv.runs import Capture, Printout
from physadv.signs.stop_sign.settings import StopSignSettings


@command("stop-sign", example="physadv stop-sign my-signs/ --name mine --target 'speed limit 30'")
def stop_sign(
    *,
    victims: Annotated[
        Path | None, typer.Argument(help="Folder of photos of your sign; drawn signs without it.")
    ] = None,
    name: Annotated[str, Doc("Name of the run.")] = "stop-sign",
    demo: Annotated[bool, Doc("All of it on drawn signs and the bundled classifier, quickly.")] = False,
    settings: StopSignSettings,
    nps: Annotated[str, Doc("Non-printability score: product or minimum.")] = "product",
    scale: Annotated[
        str, Doc("Size on paper: miniature (150 mm), true (750 mm), or millimetres.")
    ] = "miniature",
    page: Annotated[str, Doc("Paper size: a4, a3 or letter.")] = "a4",
    shots: Annotated[int, Doc("Simulated photos of every sign in every cell.")] = 3,
    approaches: Annotated[int, Doc("Simulated drives to every sign.")] = 1,
    known_place: Annotated[bool, Doc("Cut signs out of simulated frames where they stand.")] = False,
    photos: Annotated[
        list[str] | None, Doc("Your own photos, TREATMENT=FOLDER, named by cell as 5ft_15deg/IMG_1.jpg.")
    ] = None,
    video: Annotated[list[str] | None, Doc("Your own video of an approach, TREATMENT=FILE.")] = None,
    detector: Annotated[
        str | None, Doc("Also ask a detector: torchvision/NAME@FILE or torchvision/NAME.")
    ] = None,
    smallest: Smallest = 3.0,
    quick: Annotated[bool, Doc("Fewer steps, signs and shots.")] = False,
    device: Device = "auto",
    root: Root = Path(),
    quiet: Quiet = False,
) -> None:
    """Make stickers for your own stop sign, print them, and test how a classifier reads signs that wear them.

    Signs are photographed by a simulated camera in the lab test and on the drive-by; half of them are held
    out from the attack to judge it by.
    """
    from dataclasses import replace

    from physadv.sheets.layout import page_size
    from physadv.signs.posters import TRUE_SIZE_NOTICE
    from physadv.signs.stop_sign import StopSignError
    from physadv.signs.stop_sign.settings import (
        TRUE,
        JudgeSettings,
        StudySize,
        check_models,
        parse_pictures,
        sign_size_mm,
    )

    if demo and victims is not None:
        raise StopSignError("--demo draws its own signs; wanted no folder beside it")
    settings = replace(settings, victims=victims, nps=cast(Nps, nps), device=device)
    size = StudySize(shots=shots, approaches=approaches)
    if demo:
        settings = replace(settings, target=settings.target or "speed limit 30")
        scale, size = TRUE, replace(size, shots=2, every=20, most=6)
    if quick:
        settings = replace(settings, steps=min(settings.steps, 100), drawn=8)
        size = replace(size, shots=1, every=30, most=3)
    judging = JudgeSettings(
        size=size,
        known_place=known_place,
        photos=parse_pictures("--photos", photos or ()),
        videos=parse_pictures("--video", video or ()),
        detector=detector,
        smallest=smallest / 100,
    )
    check_models(settings, detector)
    sign_size_mm(scale)
    page_size(page)

    printout, capture = Printout(root, name), Capture(root, name)

    from physadv.report.table import show
    from physadv.signs.stop_sign.judge import judge
    from physadv.signs.stop_sign.make import make_stickers
    from physadv.signs.stop_sign.print import print_sign
    from physadv.signs.stop_sign.tables import detection_table, score_tables

    progress = reporter(quiet=quiet)
    with printout.alone():
        run = make_stickers(printout, settings, progress)
        pdfs = print_sign(printout, run, scale=scale, page=page)
        command = shlex.join(["physadv", *sys.argv[1:]])
        scores, detected = judge(capture, run, judging, command, progress)
    for score in scores:
        for table in score_tables(score, run.record["printability"]):
            show(table)
    if detected:
        show(detection_table(detected))
    signs = f"{len(run.record['attacked'])} signs attacked, {len(run.record['judged'])} held out"
    print(f"stickers cover {100 * run.record['area_of_the_sign']:.1f} % of the sign; {signs}")
    print(f"outlines to check: {printout.folder / 'victims.png'}")
    for pdf in pdfs:
        print(f"print at 100 %: {pdf}")
    if scale == TRUE:
        print(f"true size: {TRUE_SIZE_NOTICE}")
    print(f"report: {capture.report}")
