"""One command for the whole study: say what it will do, do what is not yet done, write the page."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from physadv.errors import PhysadvError
from physadv.progress import reporter
from reproductions.cells import load_way
from reproductions.devices import COMMAND, DEVICES
from reproductions.devices.page import in_one_line, write
from reproductions.devices.study import CLASSICS, Settings, run


def plan(settings: Settings) -> str:
    """Return what the study makes, in words."""
    eot = 2 + 2 * len(DEVICES)
    sheets = -(-settings.pairs // settings.per_sheet)
    gradients = eot * settings.pairs * settings.steps * settings.samples
    photos = sheets * len(DEVICES) * len(settings.seeds)
    return (
        f"{settings.pairs} pairs; {len(CLASSICS)} attacks and {eot} of eot, {gradients} gradients; "
        f"{sheets} sheets on {len(DEVICES)} devices with {len(settings.seeds)} seeds: {photos} photos, "
        "simulated"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(prog="python -m reproductions.devices", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument("--net", default="mobilenet_v1_025_128", help="of imagenet/nets, without .pt2")
    parser.add_argument("--pairs", type=int, default=100, help="images, two to a sheet")
    parser.add_argument("--steps", type=int, default=25, help="of eot")
    parser.add_argument("--seeds", type=int, default=3, help="photos of every sheet on every device")
    parser.add_argument("--workers", type=int, help="processes; the usable cores by default")
    parser.add_argument("--root", type=Path, default=Path("studies/devices"), help="where parts are kept")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of the page")
    chosen = parser.parse_args(arguments)
    settings = Settings(
        images=chosen.data / "imagenet",
        net=f"file:{chosen.data / 'imagenet/nets' / chosen.net}.pt2",
        pairs=chosen.pairs,
        steps=chosen.steps,
        seeds=tuple(range(chosen.seeds)),
    )
    progress = reporter(quiet=False)
    progress.say(plan(settings))
    try:
        devices = {name: load_way(way) for name, way in DEVICES.items()}
        found = run(settings, devices, chosen.root, chosen.workers, progress)
    except PhysadvError as error:
        parser.error(str(error))
    for page in write(chosen.out, settings, DEVICES, found, COMMAND):
        print(f"wrote {page}")
    print(json.dumps(in_one_line(found)))


if __name__ == "__main__":
    main()
