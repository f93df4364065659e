"""Defence: adversarial training of the sign classifier."""

from pathlib import Path
from typing import Annotated

import typer

from physadv.cli.options import Quiet, command
from physadv.progress import reporter
from physadv.signs.training.harden_settings import HardenSettings, check_harden


@command(example="physadv harden --model signs --data ../data --out mine.safetensors")
def harden(
    data: Annotated[Path, typer.Option(help="Folder with traffic/gtsrb32.npz and traffic/rp2/victims.")],
    settings: HardenSettings,
    out: Annotated[
        Path, typer.Option(help="File for the weights; their model card is written beside it, as .md.")
    ] = Path("signs-hardened.safetensors"),
    quiet: Quiet = False,
) -> None:
    """Train against stickers; the result is --model signs@FILE. Run again to continue where it stopped."""
    check_harden(data, settings, out)
    from physadv.signs.training.harden import harden as run

    done = run(data, settings, out, reporter(quiet=quiet))
    for what, before, after in (
        ("test images", done.before.test, done.after.test),
        ("photos of stop signs", done.before.victims, done.after.victims),
        ("test images with stickers of 10 %", done.before.stickered, done.after.stickered),
    ):
        print(f"{what}: {before} before, {after} after")
    print(f"weights: {done.weights}; card: {done.weights.with_suffix('.md')}")
    print(f"next: --model signs@{done.weights} wherever a classifier is named")
