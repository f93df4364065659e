"""Defence: adversarial training of the sign classifier."""

from pathlib import Path
from typing import Annotated

import typer

from physadv.cli.app import app
from physadv.cli.options import Quiet, Seed


@app.command(epilog="Example: physadv harden --model signs --data ../data --out mine.safetensors")
def harden(
    data: Annotated[Path, typer.Option(help="Folder with traffic/gtsrb32.npz and traffic/rp2/victims.")],
    model: Annotated[
        str, typer.Option(help="Where to start: signs, signs-hardened or signs@PATH.")
    ] = "signs",
    out: Annotated[Path, typer.Option(help="File of the weights; their card goes beside it, as .md.")] = Path(
        "signs-hardened.safetensors"
    ),
    epochs: Annotated[int, typer.Option(help="How often every training image is seen.")] = 18,
    area: Annotated[
        tuple[float, float],
        typer.Option(help="Least and largest share of an image that stickers of its own cover."),
    ] = (0.02, 0.15),
    stickered: Annotated[
        float, typer.Option(help="Share of every batch that wears stickers of its own.")
    ] = 0.15,
    shared: Annotated[
        float, typer.Option(help="Share of every batch: signs of one class that share stickers.")
    ] = 0.5,
    protect: Annotated[
        str, typer.Option(help="Class that shared stickers are made for, all or, as --focus says, some.")
    ] = "stop",
    focus: Annotated[
        float, typer.Option(help="Share of the sets of shared stickers made for the class to protect.")
    ] = 1.0,
    drawn: Annotated[
        float, typer.Option(help="Share of the sets for that class made on drawings of it as it is abroad.")
    ] = 0.5,
    steps: Annotated[
        int, typer.Option(help="Steps of the attacks on single images; shared stickers take twice as many.")
    ] = 8,
    eps: Annotated[int, typer.Option(help="Also train on L-inf noise of so many 8-bit levels; 0: none.")] = 0,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Train against stickers; the result is --model signs@FILE. Run again to go on after an interruption."""
    from physadv.progress import reporter
    from physadv.signs.training.harden import harden as run
    from physadv.signs.training.harden_settings import HardenSettings

    settings = HardenSettings(
        data=data,
        model=model,
        epochs=epochs,
        area=area,
        steps=steps,
        stickered=stickered,
        shared=shared,
        protect=protect,
        focus=focus,
        drawn=drawn,
        eps=eps,
        seed=seed,
    )
    done = run(settings, out, reporter(quiet=quiet))
    for what, before, after in (
        ("test images", done.before.test, done.after.test),
        ("photos of stop signs", done.before.victims, done.after.victims),
        ("test images with stickers of 10 %", done.before.stickered, done.after.stickered),
    ):
        print(f"{what}: {before} before, {after} after")
    print(f"weights: {done.weights}; card: {done.weights.with_suffix('.md')}")
    print(f"next: --model signs@{done.weights} wherever a classifier is named")
