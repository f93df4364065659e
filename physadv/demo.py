"""`demo`: the same signs under five attacks, printed, photographed and judged, on one page.

Needs no download, no data and no printer; it says that its photos are simulated.
"""

import csv
import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from physadv.errors import PhysadvError
from physadv.files import replacing
from physadv.parallel import map_items
from physadv.pipeline.crop import crop
from physadv.pipeline.generate import generate
from physadv.pipeline.photograph import photograph_simulated
from physadv.pipeline.print_sheets import print_sheets
from physadv.pipeline.settings import GenerateSettings
from physadv.progress import Reporter, silent
from physadv.report.compare import RunComparison, compare_runs
from physadv.report.compare_page import write_comparison
from physadv.runs import Capture, Printout
from physadv.signs.drawing.drawing import draw_demo_set

SIGNS, PAGE, SIGN_PIXELS = 54, "letter", 64
"""Nine sheets of six. Pairs of one photo share its light: with fewer sheets none of 12 tests could stand."""
PHONE = """\
description = "office with a camera of 3 megapixels, which sees pictures of 64 pixels as well, and sooner"
base = "office"
[phone]
width = 1512
height = 2016
focal = 1514
"""
ATTACKS: Mapping[str, Mapping[str, Any]] = {
    "fast": {"eps": 16},
    "bim": {"eps": 16},
    "least-likely": {"eps": 16},
    # Half the usual samples a step, so that the demo ends within three minutes.
    "eot": {"eps": 16, "samples": 4},
    # One patch for all signs: each step draws as many places as there are signs.
    "patch": {"area": 0.1, "batch": SIGNS, "samples": 1},
}
"""Run, which has its attack's name → its budget and options; all else is the attack's usual."""
AGAINST = "eot"
TITLE = "Which attacks survive paper?"


def run_demo(root: Path, reporter: Reporter = silent) -> tuple[RunComparison, Path]:
    """Attack, print, photograph, crop and judge the same signs; return the comparison and its page.

    Signs, printouts and captures are in folders below `root`, one run an attack; a second call finishes what
    is missing.

    Raises:
        PhysadvError: `root` holds a file of another's where the demo writes its own.
    """
    signs, phone = draw_signs(root / "signs"), root / "phone.toml"
    for name, options in ATTACKS.items():
        generate(Printout(root, name), GenerateSettings(images=signs, attack=name, **options), reporter)
    _write_own(phone, PHONE)
    done = map_items(partial(_photograph, root, phone), list(ATTACKS))
    for _ in reporter.track(done, len(ATTACKS), "attacks printed, photographed (simulated) and cropped"):
        pass
    found = compare_runs(root, list(ATTACKS), against=AGAINST, reporter=reporter)
    page = root / "demo.html"
    write_comparison(found, page, TITLE)
    return found, page


def _photograph(root: Path, phone: Path, name: str) -> None:
    printout, capture = Printout(root, name), Capture(root, name)
    print_sheets(printout, page=PAGE)
    photograph_simulated(printout, capture, preset=phone, shots=1, workers=1)
    crop(printout, capture, workers=1)


def draw_signs(folder: Path) -> Path:
    """Draw the demo's signs into a folder and return the CSV file that labels them.

    Raises:
        PhysadvError: the folder holds labels of other images.
    """
    drawn = draw_demo_set(SIGNS, size=SIGN_PIXELS, seed=0)
    names = [f"{index:02d}-{label.replace(' ', '-')}.png" for index, (label, _) in enumerate(drawn)]
    written = io.StringIO(newline="")
    rows = [(name, label) for name, (label, _) in zip(names, drawn, strict=True)]
    csv.writer(written).writerows([("path", "label"), *rows])
    _write_own(table := folder / "labels.csv", written.getvalue())
    for name, (_, pixels) in zip(names, drawn, strict=True):
        with replacing(folder / name) as temporary:
            Image.fromarray(pixels).save(temporary, "PNG")
    return table


def _write_own(path: Path, text: str) -> None:
    """Write a file of the demo's, or leave it as it is; refuse to overwrite anything else."""
    content = text.encode()
    if path.exists() and path.read_bytes() != content:
        raise PhysadvError(f"{path}: was not written by this demo; name another folder: --root FOLDER")
    with replacing(path) as temporary:
        temporary.write_bytes(content)
