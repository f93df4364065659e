"""`demo`: the whole loop on drawn traffic signs, the bundled classifier and the virtual phone.

Needs no download, no data and no printer; it says that its photos are simulated.
"""

import csv
from pathlib import Path

from PIL import Image

from physadv.files import replacing
from physadv.pipeline.crop import crop
from physadv.pipeline.generate import generate
from physadv.pipeline.measure import measure
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.photograph import photograph_simulated
from physadv.pipeline.print_sheets import print_sheets
from physadv.pipeline.settings import GenerateSettings
from physadv.progress import Reporter, silent
from physadv.report.run_page import write_report
from physadv.runs import Capture, Printout
from physadv.signs.drawing.drawing import draw_demo_set

NAME = "demo"
SIGNS = 24
SIGN_PIXELS = 96
TRANSFORMS = ("blur=1", "noise=10", "jpeg=50")


def run_demo(root: Path, reporter: Reporter = silent) -> tuple[Measurement, Path]:
    """Run generate, print, photograph, crop, destruction-rate and report; return the result and the report.

    Signs, printouts and captures are in folders below `root`; a second run finishes what is missing.
    """
    printout, capture = Printout(root, NAME), Capture(root, NAME)
    signs = draw_signs(root / "signs")
    generate(printout, GenerateSettings(images=signs, attack="bim", eps=8), reporter)
    print_sheets(printout, preview=True, reporter=reporter)
    photograph_simulated(printout, capture, shots=2, reporter=reporter)
    crop(printout, capture, reporter=reporter)
    (measurement,) = measure(printout, capture, transforms=TRANSFORMS, reporter=reporter)
    return measurement, write_report(printout, capture, [measurement], reporter)


def draw_signs(folder: Path) -> Path:
    """Draw the demo's signs into a folder and return the CSV file that labels them."""
    table = folder / "labels.csv"
    rows = []
    for index, (label, pixels) in enumerate(draw_demo_set(SIGNS, size=SIGN_PIXELS, seed=0)):
        path = folder / f"{index:02d}-{label.replace(' ', '-')}.png"
        with replacing(path) as temporary:
            Image.fromarray(pixels).save(temporary, "PNG")
        rows.append((path.name, label))
    with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    return table
