"""Draw docs/loop.png from a finished demo: `physadv demo && python docs/make_loop_picture.py`."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from physadv.demo import AGAINST
from physadv.pipeline.measure import measure, photo_outcomes
from physadv.runs import Capture, Printout
from physadv.sheets.pdf import page_pixels

HEIGHT, SMALL, GAP, MARGIN, TITLE = 360, 150, 70, 24, 44
INK, QUIET, PAPER = "#1c1f24", "#6b7280", "#ffffff"


def titled(pictures: list[tuple[Image.Image, str]]) -> Image.Image:
    """Stack small pictures with a line under each."""
    step = SMALL + 30
    column = Image.new("RGB", (SMALL, step * len(pictures)), PAPER)
    draw = ImageDraw.Draw(column)
    for place, (picture, line) in enumerate(pictures):
        column.paste(picture.resize((SMALL, SMALL), Image.Resampling.LANCZOS), (0, place * step))
        middle = (SMALL / 2, place * step + SMALL + 4)
        draw.text(middle, line, fill=QUIET, font=ImageFont.load_default(13), anchor="ma")
    return column


def main(root: Path) -> None:
    """Compose examples → sheet → photo → crops, of one attack."""
    printout, capture = Printout(root, AGAINST), Capture(root, AGAINST)
    manifest = printout.manifest()
    (measurement,) = measure(printout, capture)
    crops = {crop.example: crop for crop in reversed(measurement.crops) if crop.path}
    with capture.store() as store:
        seen = {outcome.pair: outcome for outcome in photo_outcomes(store, measurement)}
    fooled = [pair for pair in manifest.pairs() if pair[1].digital[0].label != pair[1].label]
    clean, adversarial = fooled[0]
    photo = ImageOps.exif_transpose(Image.open(capture.photos / crops[adversarial.id].photo)).convert("RGB")
    sheet = Image.fromarray(page_pixels(printout.pdf, crops[adversarial.id].sheet, 5))
    after = (seen[clean.pair].clean_after[0], seen[clean.pair].adversarial_after[0])
    cut = [
        (Image.open(capture.folder / str(crops[e.id].path)), f"seen: {measurement.labels[judged.labels[0]]}")
        for e, judged in zip((clean, adversarial), after, strict=True)
    ]
    columns = [
        (
            "generate",
            titled([(printout.image(e), f"seen: {e.digital[0].name}") for e in (clean, adversarial)]),
        ),
        ("print", ImageOps.expand(ImageOps.contain(sheet, (1000, HEIGHT - 2)), 1, "#d1d5db")),
        ("photograph (here simulated)", ImageOps.contain(photo, (1000, HEIGHT))),
        ("crop and measure", titled(cut)),
    ]
    width = sum(picture.width for _, picture in columns) + GAP * (len(columns) - 1) + 2 * MARGIN
    page = Image.new("RGB", (width, HEIGHT + TITLE + 2 * MARGIN), PAPER)
    draw = ImageDraw.Draw(page)
    x = MARGIN
    for place, (name, picture) in enumerate(columns):
        draw.text(
            (x + picture.width / 2, MARGIN), name, fill=INK, font=ImageFont.load_default(20), anchor="ma"
        )
        page.paste(picture, (x, MARGIN + TITLE + (HEIGHT - picture.height) // 2))
        x += picture.width
        if place < len(columns) - 1:
            y = MARGIN + TITLE + HEIGHT / 2
            draw.line((x + 16, y, x + GAP - 20, y), fill=QUIET, width=3)
            draw.polygon([(x + GAP - 14, y), (x + GAP - 26, y - 7), (x + GAP - 26, y + 7)], fill=QUIET)
            x += GAP
    page.save(Path(__file__).with_name("loop.png"), optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
