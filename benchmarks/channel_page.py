"""The page on the channel: every number of the virtual printers, phones and situations, and where it is from.

`python benchmarks/channel_page.py` writes docs/results/channel.md from the package's own files in a second;
`phone_files.py` measures what it cites, and draws the figure. Nothing is judged here.
"""

import argparse
import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from phone_files import BROOKS, FILES

from physadv.files import replacing
from physadv.phone import PHONES, Phone, PrintSettings, Scene
from physadv.phone.presets import CHANNELS, DEVICES, KINDS, count_kinds, load_device
from physadv.phone.printers import PRINTERS
from physadv.phone.sensor import AROUND, CAMERAS, COARSE, EDGE, LUMA
from physadv.phone.shots import READ_LEVEL, READ_SLOPE, READ_SPREAD
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import paragraph
from reproductions.frozen import NUMBERS

ROOT = Path(__file__).parents[1]
BEFORE = 47
"""Numbers of a preset, its phone and its printer before any had a source: all of them were assumed."""
DEFAULT = "assumed: the default, which nothing asks to change"


@dataclass(frozen=True)
class Number:
    """A number of the channel, and where it comes from: first one of `KINDS`, then the source."""

    of: str
    name: str
    value: str
    source: str

    @property
    def kind(self) -> str:
        """Return measured, published or assumed."""
        return self.source.partition(":")[0]


CONSTANTS = (
    Number(
        "sensor",
        "read noise",
        f"log variance = {READ_SLOPE} log shot noise + {READ_LEVEL}, sd {READ_SPREAD}",
        "published: Brooks et al. 2019",
    ),
    *(
        Number(
            "sensor", f"colour matrix, XYZ to camera: {name}", str(matrix), "published: Brooks et al. 2019"
        )
        for name, matrix in CAMERAS.items()
    ),
    Number("sensor", "mixture of the matrices", "uniform weights", "published: Brooks et al. 2019"),
    Number("sensor", "Bayer mosaic", "RGGB", "published: Brooks et al. 2019"),
    Number("denoising", "brightness", f"{LUMA[0]} of R, G, B", "assumed: as many sites as the mosaic has"),
    Number("local tone", "region, pixels a side", str(COARSE), "assumed: far below what a person sees"),
    Number("local tone", "surroundings, regions each way", str(AROUND), "assumed: a thirtieth of the photo"),
    Number("local tone", "edge, log2 of light", f"{EDGE}", "assumed: a sixth of black on paper"),
)


def shown(value: Any) -> str:
    """Return a value as a table shows it."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return f"{len(value)} tables of {len(value[0])} in the file"
    if isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]:
        return shown(value[0])
    return ", ".join(map(shown, value)) if isinstance(value, tuple) else str(value)


def of_phones() -> list[Number]:
    """Return every number of the named phones."""
    return [
        Number(device.name, name, shown(value), device.sources[name])
        for device in DEVICES.values()
        for name, value in device.phone.items()
    ]


def of_presets() -> list[Number]:
    """Return every number of a situation that its preset gives, or the one it is based on."""
    return [
        Number(preset.name, name, shown(value), source)
        for preset in PHONES.values()
        for name, source in preset.sources.items()
        if name not in load_device(str(preset.device)).phone or name in _own(preset.name)
        for value in [getattr(preset.phone, name, None) or getattr(preset.phone.scene, name, None) or 0]
    ]


def _own(preset: str) -> set[str]:
    """Return the phone's own numbers that a situation replaces."""
    device = load_device(str(PHONES[preset].device)).sources
    return {name for name, source in PHONES[preset].sources.items() if device.get(name, source) != source}


def of_printers() -> list[Number]:
    """Return every number of the named printers."""
    return [
        Number(name, attribute, shown(getattr(each.printer, attribute)), source)
        for name, each in PRINTERS.items()
        for attribute, source in each.sources.items()
    ]


def channel(name: str) -> Counter[str]:
    """Return kind → how many numbers of a channel, from the printer to the sensor's constants."""
    preset, phone, printer = CHANNELS[name]
    taken = PHONES[preset].taken_with(load_device(phone))
    every = [each.name for kind in (Phone, Scene, PrintSettings) for each in fields(kind)]
    # Either tables or a quality: the other has no effect. The sensor's constants have read noise.
    unused = {"scene", "read_noise", "quality" if taken.phone.quantisers else "quantisers"}
    sources = {each: taken.sources.get(each, DEFAULT) for each in every if each not in unused}
    printed = {f"printer's {each}": source for each, source in PRINTERS[printer].sources.items()}
    constant = {f"{each.of}'s {each.name}": each.source for each in CONSTANTS}
    return count_kinds(sources | printed | constant)


def frozen() -> tuple[str, str]:
    """Return the short hash and the date of the last commit that changed a number of the channel."""
    command = ["git", "log", "-1", "--no-merges", "--format=%h %cs", "--", *NUMBERS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    commit, _, date = done.stdout.strip().partition(" ")
    return commit, date


def table(numbers: Sequence[Number]) -> str:
    columns = (
        Column[Number]("of", lambda each: f"`{each.of}`", once=True),
        Column[Number]("number", lambda each: each.name),
        Column[Number]("value", lambda each: each.value),
        Column[Number]("kind", lambda each: each.kind),
        Column[Number]("source", lambda each: each.source.partition(":")[2].strip()),
    )
    return to_markdown(Table("", columns, {"": list(numbers)}))


def share_table() -> str:
    rows: list[tuple[str, Mapping[str, int]]] = [("before, any preset", {"assumed": BEFORE})]
    rows += [(f"{name}: {', '.join(CHANNELS[name])}", channel(name)) for name in CHANNELS]

    def share(row: tuple[str, Mapping[str, int]]) -> str:
        return f"{row[1].get('assumed', 0) / sum(row[1].values()):.0%}"

    def count(kind: str) -> Column[tuple[str, Mapping[str, int]]]:
        return Column(kind, lambda row: row[1].get(kind, 0), "number")

    name = Column[tuple[str, Mapping[str, int]]]("channel", lambda row: row[0])
    columns = (name, *map(count, KINDS), Column("share assumed", share))
    return to_markdown(Table("", columns, {"": rows}))


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    commit, date = frozen()
    yield from ("# The channel, number by number", "")
    yield paragraph(
        "What stands between a page and its photo in simulation: a printer, a situation and a phone, every "
        "number with its value, its kind (measured, published or assumed) and its source. `python "
        f"benchmarks/channel_page.py` wrote this page from the package's files. **The numbers are as of "
        f"{commit} ({date}); they were set from measured quantities (noise, sharpness, JPEG tables) and "
        "published ones, and from nothing that a classifier or an attack does in a photo.**"
    )
    yield from ("", "## How far this goes", "")
    yield from (
        paragraph(
            "- **Handling is still assumed, all of it**: tilt, shake, focus, exposure, light, the paper's "
            "bow. The published sources here say how a camera sees, not how a person holds one."
        ),
        paragraph(
            "- *Measured* is mostly of one photo a phone, of whatever it showed: JPEG tables and sizes are "
            "what they are; denoising and sharpening were set until the noise of a flat field was near the "
            "file's at its quietest level, and for one phone until an edge was. The figure shows how near."
        ),
        paragraph(
            "- *Published* is of four cameras, one of them a phone's, and for raw files; that these phones "
            "are alike is an assumption. Which ISO has which noise is assumed: 1e-6 of shot noise an ISO."
        ),
        paragraph(
            "- Denoising, local tone mapping and the halo are models of this project's, one of many that "
            "look alike in a flat field and at an edge. No phone publishes its own."
        ),
        paragraph("- The measured presses are offset presses. Office printers are assumed around them."),
    )
    yield from ("", "## How much is assumed", "", share_table(), "")
    yield paragraph(
        "Each number of a channel once: an interval, a table or a name is one number. A number that neither "
        "phone nor preset gives is the default and counts as assumed."
    )
    yield from ("", "## Files that phones wrote, beside photos of the phones made after them", "")
    files = "; ".join(f"`{name}`: {', '.join(each.names)}" for name, each in FILES.items())
    yield paragraph(
        f"[phone-files.md](phone-files.md) has every measurement, by rules that look at nothing by hand. "
        f"{files}. The content is not the same: no phone here was at hand to photograph the chart."
    )
    yield from ("", "![Edge profiles, noise spectra and JPEG tables](phone-files.svg)", "")
    yield from ("## Phones", "", table(of_phones()), "")
    yield from ("## The sensor, for all phones", "", f"{BROOKS}.", "", table(CONSTANTS), "")
    yield from ("## Situations", "", table(of_presets()), "")
    yield from ("## Printers", "", table(of_printers()))


def main() -> None:
    """Write the page, and print how many numbers of each channel are of which kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs/results", help="folder of the page")
    chosen = parser.parse_args()
    with replacing(chosen.out / "channel.md") as temporary:
        temporary.write_text("\n".join(page()) + "\n", encoding="utf-8")
    print(json.dumps({name: channel(name) for name in CHANNELS}))


if __name__ == "__main__":
    main()
