"""What photos say that phones wrote, beside simulated photos of phones made after them: JPEG, edges, noise.

`python benchmarks/phone_files.py DATA` measures every photo in DATA/phones and photos of a chart that the
virtual phones of `FILES` take, all by the same rules, none at a place chosen by hand. It writes
docs/results/phone-files.md, its figure and its numbers, each with value, unit, source, kind (measured,
published or assumed) and n, and prints one JSON line. Nothing of a photo but numbers is kept. A killed run
goes on where it was.
"""

import argparse
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import pi_heif
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from physadv.files import replacing
from physadv.keeping import Kept
from physadv.phone import PHONES, Phone, Printer, draw_shot, encode_jpeg, print_page, take_photo
from physadv.phone.phones import NEVER
from physadv.phone.presets import DEVICES
from physadv.phone.sensor import CAMERAS
from physadv.profiles import edges as edge_fits
from physadv.profiles import noise as noise_fits
from physadv.profiles.edges import AMOUNT, RADIUS, SIGMA, Edge, FitError, fit_edge
from physadv.profiles.noise import flattened, measure_noise
from physadv.profiles.reading import nearest_quality, subsampling
from physadv.progress import reporter
from physadv.randomness import generator
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import paragraph

NAME = "phone-files"
SHOTS = 3
NOISE_PER_ISO, LEAST_NOISE = 1e-6, 1e-4  # the shot noise of a sensitivity is assumed; its least is published
SMALLER = 2  # the frame's sides are divided by this; blur and noise are in pixels, so they stay as they are
PAGE_MM, DOTS_PER_MM = (210.0, 297.0), 12
EDGE, FLAT = 25, 32  # sides of the patches, pixels
MOST_EDGES, MOST_FLATS = 150, 40  # fitted a photo; measured a photo and level
CONTRAST, COHERENCE, RESIDUAL, OFF_CENTRE, OFF_AXIS = 0.2, 0.93, 0.04, 3.0, 2.0
CLIPPED = 0.002  # share of pixels that may be at 0 or 255
LEVELS = ((16, 80), (80, 144), (144, 208), (208, 250))  # of the mean of a flat field, 8-bit
CHANNELS = ("R", "G", "B")
DISTANCES = np.arange(-6, 6.01, 0.5)
BROOKS = (
    "Brooks et al. 2019, Unprocessing Images for Learned Raw Denoising, arXiv:1811.11127; read in the "
    "authors' code, google-research/unprocessing/unprocess.py at 0c1bbe5"
)


@dataclass(frozen=True)
class Files:
    """The photos that a virtual phone was made from, and the sensitivity, ISO, they were taken at."""

    names: tuple[str, ...]
    iso: float


FILES = {
    "like-iphone-6": Files(("iphone_6.jpg",), 32),
    "like-iphone-11-pro-max": Files(("iphone_11_pro_max.heic",), 32),
    "like-jolla": Files(("jolla.jpg",), 320),
    "like-nokia-8-3": Files(("nokia_8_3.jpg", "nokia_8_3.heif"), 100),
}

Code = NDArray[np.uint8]
Row = dict[str, Any]


def published() -> list[Row]:
    """Return the figures of Brooks et al. 2019, of raw light before white balance, 1 = the sensor clips."""
    figures: tuple[tuple[str, Any, str], ...] = (
        ("shot noise", "log-uniform in [0.0001, 0.012]", "variance per unit of raw light"),
        ("read noise", "log ~ N(2.18 log(shot noise) + 1.20, sd 0.26)", "variance, raw light squared"),
        ("red gain of white balance", "uniform in [1.9, 2.4]", "ratio"),
        ("blue gain of white balance", "uniform in [1.5, 1.9]", "ratio"),
        ("gain of all channels", "1 / N(0.8, sd 0.1)", "ratio"),
        ("gamma", 2.2, "exponent"),
        ("tone curve", "3 x^2 - 2 x^3, after gamma", "code value"),
        ("colour matrices, XYZ to camera, mixed at random", CAMERAS, "ratio"),
    )
    return [
        {"name": name, "value": value, "unit": unit, "source": BROOKS, "kind": "published", "n": None}
        for name, value, unit in figures
    ]


# Selection


def edges(code: Code) -> Iterator[tuple[Edge, NDArray[np.floating]]]:
    """Yield the straight edges of a picture (H, W, 3) and their patches of luma, by the rules of the page."""
    luma = cv2.cvtColor(code, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    half = EDGE // 2
    for y, x in _straight(luma)[:MOST_EDGES]:
        patch = luma[y - half : y + half + 1, x - half : x + half + 1]
        whole = code[y - half : y + half + 1, x - half : x + half + 1]
        low, high = np.percentile(patch, (5, 95))
        if high - low < CONTRAST or _clips(whole):
            continue
        try:
            edge = fit_edge(patch)
        except FitError:
            continue
        if _is_edge(edge):
            yield edge, patch


def _straight(luma: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return at most one centre in each cell of `EDGE` pixels, the straightest first."""
    across = cv2.Sobel(luma, -1, 1, 0, ksize=5, scale=1 / 128)
    down = cv2.Sobel(luma, -1, 0, 1, ksize=5, scale=1 / 128)
    xx, yy, xy = (cv2.boxFilter(product, -1, (EDGE, EDGE)) for product in (across**2, down**2, across * down))
    coherence = np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-9)
    strength = across**2 + down**2
    rows, columns = (side // EDGE for side in luma.shape)
    cells = strength[: rows * EDGE, : columns * EDGE].reshape(rows, EDGE, columns, EDGE)
    best = cells.transpose(0, 2, 1, 3).reshape(rows, columns, -1).argmax(axis=2)
    found = []
    for row in range(1, rows - 1):
        for column in range(1, columns - 1):
            y, x = row * EDGE + best[row, column] // EDGE, column * EDGE + best[row, column] % EDGE
            # A step of `CONTRAST`, five pixels wide at the most: what is softer is out of focus.
            if coherence[y, x] > COHERENCE and strength[y, x] > (CONTRAST / 5) ** 2:
                found.append((float(coherence[y, x]), int(y), int(x)))
    return [(y, x) for _, y, x in sorted(found, reverse=True)]


def _clips(patch: Code) -> bool:
    return float(((patch == 0) | (patch == 255)).mean()) > CLIPPED


def _is_edge(edge: Edge) -> bool:
    off_axis = abs((edge.angle + 45) % 90 - 45)
    return (
        edge.residual < RESIDUAL
        and abs(edge.position) < OFF_CENTRE
        and edge.high - edge.low > CONTRAST
        and off_axis > OFF_AXIS
        and 1.02 * SIGMA[0] < edge.sigma < 0.98 * SIGMA[1]
        and edge.amount < 0.98 * AMOUNT[1]
        and (edge.amount < 0.02 or 1.02 * RADIUS[0] < edge.radius < 0.98 * RADIUS[1])
    )


def flats(code: Code) -> Iterator[tuple[int, Code]]:
    """Yield the flat fields of a picture (H, W, 3), each with its place in `LEVELS`."""
    luma = cv2.cvtColor(code, cv2.COLOR_RGB2GRAY)
    rows, columns = (side // FLAT for side in luma.shape)
    found: dict[int, list[tuple[int, int]]] = {}
    for y in range(0, rows * FLAT, FLAT):
        for x in range(0, columns * FLAT, FLAT):
            patch = luma[y : y + FLAT, x : x + FLAT]
            level, spread = float(patch.mean()), float(patch.std())
            bins = [place for place, (low, high) in enumerate(LEVELS) if low <= level < high]
            if bins and spread < 16 and not _clips(code[y : y + FLAT, x : x + FLAT]) and _is_flat(patch):
                found.setdefault(bins[0], []).append((y, x))
    for place, corners in sorted(found.items()):
        # Evenly among all, never by how noisy they are.
        for pick in np.linspace(0, len(corners) - 1, min(MOST_FLATS, len(corners))).round().astype(int):
            y, x = corners[pick]
            yield place, code[y : y + FLAT, x : x + FLAT]


def _is_flat(patch: Code) -> bool:
    """Return whether means of 8 × 8 pixels differ no more than noise lets them: texture differs more."""
    rest, _ = flattened(patch)
    blocks = rest.reshape(FLAT // 8, 8, FLAT // 8, 8).mean(axis=(1, 3)).std()
    return bool(blocks < max(0.5, 0.4 * rest.std()))


# Measurement


def measured(data: bytes) -> Row:
    """Return everything that the page says of a photo, from its file, as JSON holds it."""
    with Image.open(io.BytesIO(data)) as image:
        tables = [list(table) for _, table in sorted(getattr(image, "quantization", {}).items())]
        layers = getattr(image, "layer", [])
        exif = image.getexif()
        iso = exif.get_ifd(0x8769).get(34855)
        size, form = image.size, image.format
        # The file's own code values: no colour profile is applied and nothing is turned.
        code = np.asarray(image.convert("RGB"))
    kept = list(edges(code))
    return {
        "camera": " ".join(str(exif.get(tag, "")).strip() for tag in (271, 272)).strip(),
        "iso": iso,
        "size": size,
        "format": form,
        "tables": tables,
        "subsampling": subsampling(layers),
        "edges": [{**asdict(edge), "overshoot": edge.overshoot, "rise": edge.rise} for edge, _ in kept],
        "profile": profile(kept),
        **noise(code),
    }


def sharpest(found: Sequence[Any], sigma: Callable[[Any], float]) -> list[Any]:
    """Return the quarter of edges with the smallest sigma: in a photo of depth, those in focus."""
    return sorted(found, key=sigma)[: max(1, len(found) // 4)] if found else []


def profile(found: Sequence[tuple[Edge, NDArray[np.floating]]]) -> list[float]:
    """Return the mean profile at `DISTANCES` of the sharpest edges' pixels, 0 = dark side, 1 = light side."""
    if not found:
        return []
    places, values = [], []
    half = EDGE // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    for edge, patch in sharpest(found, lambda one: one[0].sigma):
        turn = np.radians(edge.angle)
        places.append((x * np.cos(turn) + y * np.sin(turn) - edge.position).ravel())
        values.append(((patch - edge.low) / (edge.high - edge.low)).ravel())
    place, value = np.concatenate(places), np.concatenate(values)
    near = np.abs(place[:, None] - DISTANCES) < 0.25
    return [float(np.median(value[inside])) for inside in near.T]


def noise(code: Code) -> Row:
    """Return the noise of the flat fields by level and channel, and the spectrum of the green one."""
    rows: list[Row] = []
    spectra = []
    window = np.outer(np.hanning(FLAT), np.hanning(FLAT))
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(FLAT),) * 2))
    rings = [np.abs(frequency - ring / FLAT) < 0.5 / FLAT for ring in range(1, FLAT // 2 + 1)]
    for place, patch in flats(code):
        row: Row = {"bin": place}
        for channel, letter in enumerate(CHANNELS):
            found = measure_noise(patch[..., channel])
            row[letter] = {"level": found.level, "sd": found.sd, "length": found.length}
        rows.append(row)
        rest, _ = flattened(patch[..., 1])
        power = np.abs(np.fft.fft2(rest * window)) ** 2 / (window**2).sum()
        spectra.append([float(power[ring].mean()) for ring in rings])
    return {"noise": rows, "spectrum": np.median(spectra, axis=0).tolist() if spectra else []}


def chart() -> Code:
    """Return a page: dark and light squares turned by several degrees, and flat fields between them."""
    size = tuple(round(side * DOTS_PER_MM) for side in PAGE_MM)
    page = np.full((size[1], size[0], 3), 255, np.uint8)
    grays = (90, 105, 120, 140, 160, 180, 205, 230)
    for row in range(7):
        for column in range(5):
            number = row * 5 + column
            middle = ((column + 0.5) * size[0] / 5, (row + 0.5) * size[1] / 7)
            gray = grays[number % len(grays)]
            box = cv2.boxPoints((middle, (30.0 * DOTS_PER_MM, 32.0 * DOTS_PER_MM), 4.0 + 1.7 * (number % 7)))
            cv2.fillPoly(page, [(box * 16).astype(np.int32)], (gray,) * 3, cv2.LINE_AA, shift=4)
    return page


def simulated(name: str, shot: int, reflectance: Any) -> bytes:
    """Return the file of a phone's photo of the chart, held still, at the sensitivity of the phone's files.

    The printer spreads no ink, so that edges are the camera's; the chart fills the photo, and nothing clips.
    """
    phone = PHONES["office"].taken_with(DEVICES[name]).phone
    noise = max(NOISE_PER_ISO * FILES[name].iso, LEAST_NOISE)
    still = replace(phone, fill=(1.3, 1.3), exposure=(0.6, 0.6), motion=NEVER, defocus=NEVER)
    still = replace(still, shot_noise=(noise, noise))
    smaller: Phone = replace(
        still,
        width=phone.width // SMALLER,
        height=phone.height // SMALLER,
        focal=phone.focal / SMALLER,
    )
    drawn = draw_shot(smaller, PAGE_MM, generator(shot, "phone files", name))
    return encode_jpeg(take_photo([reflectance], drawn), drawn)


# The page


@dataclass(frozen=True)
class Quantity:
    """A number of a photo, and its unit."""

    name: str
    unit: str
    value: Callable[[Row], list[float]]


def _of_edges(name: str) -> Callable[[Row], list[float]]:
    return lambda row: [each[name] for each in sharpest(row["edges"], lambda one: float(one["sigma"]))]


def _of_noise(name: str, place: int, channel: str = "G") -> Callable[[Row], list[float]]:
    return lambda row: [each[channel][name] for each in row["noise"] if each["bin"] == place]


def _quantiser(row: Row) -> list[float]:
    return [float(np.mean(row["tables"][0]))] if row["tables"] else []


QUANTITIES = (
    Quantity("JPEG, mean luma quantiser", "levels", _quantiser),
    Quantity("edge, sigma in linear light", "pixels", _of_edges("sigma")),
    Quantity("edge, 10 to 90 % rise", "pixels", _of_edges("rise")),
    Quantity("edge, overshoot", "share of the step", _of_edges("overshoot")),
    *(
        Quantity(f"noise at {low} to {high}, sd, {channel}", "levels", _of_noise("sd", place, channel))
        for place, (low, high) in enumerate(LEVELS)
        for channel in CHANNELS
    ),
    *(
        Quantity(
            f"noise at {low} to {high}, length, {channel}", "pixels", _of_noise("length", place, channel)
        )
        for place, (low, high) in enumerate(LEVELS)
        for channel in CHANNELS
    ),
)
ENOUGH = 3  # edges or fields, without which a photo says nothing of a quantity


def median(quantity: Quantity, row: Row) -> float | None:
    """Return the median of a quantity over a photo's edges or fields, None where there are too few."""
    values = quantity.value(row)
    enough = 1 if quantity.value is _quantiser else ENOUGH
    return float(np.median(values)) if len(values) >= enough else None


def spread(quantity: Quantity, row: Row) -> str:
    """Return median, quartiles and n of a quantity in a photo, in words."""
    values = quantity.value(row)
    if median(quantity, row) is None:
        return f"– ({len(values)})" if values else "–"
    low, middle, high = np.percentile(values, (25, 50, 75))
    return f"{middle:.2f} ({low:.2f}–{high:.2f}; {len(values)})" if len(values) > 1 else f"{middle:.2f}"


def beside(quantity: Quantity, real: Mapping[str, Row], shots: Sequence[Row]) -> tuple[str, str, str]:
    """Return the range over files, the range over simulated photos, and what the two say."""
    seen = [value for row in real.values() if (value := median(quantity, row)) is not None]
    drawn = [value for row in shots if (value := median(quantity, row)) is not None]
    if not seen or not drawn:
        return _range(seen), _range(drawn), "not compared"
    if len(seen) == 1:
        below, above = sum(value < seen[0] for value in drawn), sum(value > seen[0] for value in drawn)
        return _range(seen), _range(drawn), f"one file only ({below} below it, {above} above)"
    within = sum(min(seen) <= value <= max(seen) for value in drawn)
    below, above = sum(value < min(seen) for value in drawn), sum(value > max(seen) for value in drawn)
    where = [f"{count} {word}" for count, word in ((below, "below"), (above, "above")) if count]
    verdict = "outside" if not within else "partly outside" if where else "inside"
    return _range(seen), _range(drawn), f"{verdict} ({', '.join(where)})" if where else verdict


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f}–{max(values):.2f} (n = {len(values)})" if values else "–"


def page(real: Mapping[str, Row], virtual: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Yield the lines of the page."""
    shots = len(next(iter(virtual.values())))
    yield from ("# What phones write, beside the virtual phone", "")
    yield paragraph(
        f"{len(real)} photos as phones wrote them (exif-samples, CC BY-SA 4.0; four phones, one of them with "
        f"and without HDR) beside **simulated** photos (as many as n says) of the virtual phones that were "
        f"made after them, by the same rules. `python benchmarks/phone_files.py DATA --shots {shots}` wrote "
        f"this page; {NAME}.json has every number with kind and source. [channel.md](channel.md) says which "
        "number of a virtual phone comes from here."
    )
    yield from ("", "## How far this goes", "")
    edged = sum(median(QUANTITIES[1], row) is not None for row in real.values())
    yield paragraph(
        f"- **Edges were found in too few files: {edged} of {len(real)} has {ENOUGH} or more in its sharpest "
        "quarter**, so that sharpness and halo are measured of one camera and assumed of the others."
    )
    yield from (
        paragraph(
            "- Four phones of 2014 to 2021 in daylight and shade are no sample of phones. Ranges over "
            "files are smallest and largest, with n files; no interval would mean anything."
        ),
        paragraph(
            "- Edges are of things, not of a chart: an edge that is itself soft, or out of focus, adds "
            "to sigma. The sharpest quarter of a file's edges is what is compared, real and simulated "
            "alike; sigma of a real file is still an upper bound of its camera's."
        ),
        paragraph(
            "- Sigma is in linear light by the sRGB curve; the phones' own tone curves are not known. "
            "The 10 to 90 % rise and the overshoot are in code values. Amount and radius of a halo "
            "make up for each other; their overshoot is compared."
        ),
        paragraph(
            "- Noise is what denoising and JPEG left of it, with any fine texture of the thing itself: "
            "again an upper bound. The dark fields of `nokia_8_3.jpg` are the sea: their 10 levels are "
            "waves; those of `nokia_8_3.heif` may be texture too. A virtual phone was therefore set by the "
            "level at which its file is quietest. No photo was taken by night."
        ),
        paragraph(
            "- The photos of the iPhone 6 are a digital zoom of 1.97 (EXIF), which spreads edges and noise "
            "over as many pixels. The virtual phone does not zoom: its lengths are the file's through 1.97."
        ),
        paragraph(
            "- The Nokia's JPEG is of its ultra-wide camera (EXIF: f/2.2), its HEIF of the main one (f/1.89) "
            "and of an application that left no name. The virtual phone has its edges from the HEIF, its "
            "noise and tables from the JPEG."
        ),
        paragraph(
            f"- Simulated photos are of a chart of gray squares, not of what the files show, at 1/{SMALLER} "
            "of the frame's sides (blur and noise are in pixels), from a printer that spreads no ink, "
            "by a phone held still, at the file's ISO: 1e-6 of shot noise an ISO, and no less than the "
            "published 1e-4."
        ),
    )
    yield from ("", "## Rules by which places were chosen", "")
    yield paragraph(
        f"Edges: in every cell of {EDGE} × {EDGE} pixels the strongest gradient; coherence of the structure "
        f"tensor over {EDGE} pixels above {COHERENCE}; luma step of {CONTRAST} or more (5th to 95th "
        f"percentile), no more than {CLIPPED:.1%} of values at 0 or 255. The {MOST_EDGES} straightest are "
        f"fitted; kept where the fit leaves less than {RESIDUAL:.0%} of the step, the edge is within "
        f"{OFF_CENTRE:g} pixels of the patch's centre and more than {OFF_AXIS:g}° from the pixels' rows and "
        "columns, and no parameter ends at its bound."
    )
    yield ""
    yield paragraph(
        f"Flat fields: {FLAT} × {FLAT} pixels on a fixed grid, nothing clipped, less the nearest quadratic "
        "surface; kept where means of 8 × 8 pixels differ by less than 0.5 levels or 0.4 of the pixels' own "
        f"deviation. Of each level at most {MOST_FLATS}, evenly among all, whatever their noise."
    )
    yield from ("", "## JPEG", "", jpeg_table(real), "")
    yield from ("", "## Edges and noise of each file", "")
    yield paragraph(
        "Median (quartiles; n edges or fields). Length: the gaussian sigma over which white noise would be "
        f"spread to be as correlated; 0.20 means none. Fewer than {ENOUGH} say nothing."
    )
    yield from ("", quantity_table(real), "", "## Virtual phones beside their files", "")
    yield paragraph(
        "Smallest to largest median of a photo; verdict: how many of the simulated photos' medians lie below "
        "and above what the phone's file says; red is left out, it is much as green. One or two files are no "
        "range: *outside* is a reason to look, no test."
    )
    yield from ("", f"![Edge profiles and noise spectra]({NAME}.svg)", "")
    yield device_table(real, virtual)


def jpeg_table(real: Mapping[str, Row]) -> str:
    def quality(item: tuple[str, Row]) -> str:
        if not item[1]["tables"]:
            return "–"
        best, same = nearest_quality(item[1]["tables"][0])
        return f"{best}" if same else f"none; nearest {best}"

    columns = (
        Column[tuple[str, Row]]("file", lambda item: item[0]),
        Column[tuple[str, Row]]("camera", lambda item: item[1]["camera"] or "not said"),
        Column[tuple[str, Row]]("ISO", lambda item: item[1]["iso"], "number"),
        Column[tuple[str, Row]]("size", lambda item: " × ".join(map(str, item[1]["size"]))),
        Column[tuple[str, Row]]("subsampling", lambda item: item[1]["subsampling"] or "no JPEG"),
        Column[tuple[str, Row]](
            "mean quantiser, luma and chroma",
            lambda item: ", ".join(f"{np.mean(table):.1f}" for table in item[1]["tables"]) or "–",
        ),
        Column[tuple[str, Row]]("libjpeg quality", quality),
    )
    return to_markdown(Table("", columns, {"": list(real.items())}))


def quantity_table(real: Mapping[str, Row]) -> str:
    def cell(name: str) -> Callable[[Quantity], str]:
        return lambda quantity: spread(quantity, real[name])

    columns = (
        Column[Quantity]("quantity", lambda quantity: quantity.name),
        Column[Quantity]("unit", lambda quantity: quantity.unit),
        *(Column[Quantity](name, cell(name)) for name in real),
    )
    return to_markdown(Table("", columns, {"": QUANTITIES[1:]}))


def device_table(real: Mapping[str, Row], virtual: Mapping[str, Sequence[Row]]) -> str:
    compared = [
        (quantity, name, *beside(quantity, {file: real[file] for file in FILES[name].names}, shots))
        for name, shots in virtual.items()
        for quantity in QUANTITIES
        if not quantity.name.endswith(", R")
    ]
    Compared = tuple[Quantity, str, str, str, str]  # noqa: N806
    columns = (
        Column[Compared]("phone", lambda row: f"`{row[1]}`", once=True),
        Column[Compared]("quantity", lambda row: row[0].name),
        Column[Compared]("unit", lambda row: row[0].unit),
        Column[Compared]("its files", lambda row: row[2]),
        Column[Compared]("simulated", lambda row: row[3]),
        Column[Compared]("verdict", lambda row: row[4]),
    )
    return to_markdown(Table("", columns, {"": [row for row in compared if row[4] != "not compared"]}))


def parameters(real: Mapping[str, Row]) -> list[Row]:
    """Return every figure that a virtual phone can cite."""
    found = []
    for name, row in real.items():
        source = f"{name}, {row['camera'] or 'camera not said'}, exif-samples, CC BY-SA 4.0"
        common = {"source": source, "kind": "measured"}
        if row["tables"]:
            tables = {"name": "JPEG quantisers, luma and chroma", "value": row["tables"], "unit": "levels"}
            found.append({**tables, **common, "n": 1})
            chroma = {"name": "chroma subsampling", "value": row["subsampling"], "unit": "ratio"}
            found.append({**chroma, **common, "n": 1})
        for quantity in QUANTITIES:
            values = quantity.value(row)
            if (value := median(quantity, row)) is None:
                continue
            quartiles = [float(each) for each in np.percentile(values, (25, 75))]
            number = {"name": quantity.name, "value": value, "unit": quantity.unit, "quartiles": quartiles}
            found.append({**number, **common, "n": len(values)})
    return [*found, *published()]


def draw(real: Mapping[str, Row], virtual: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Draw edge profiles, noise spectra and JPEG tables, each phone's files solid and its photos dashed."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "physadv", "font.size": 9}):
        figure = Figure(figsize=(13, 4.4), layout="constrained")
        FigureCanvasSVG(figure)
        edges_of, noise_of, tables_of = figure.subplots(1, 3)
        frequency = np.arange(1, FLAT // 2 + 1) / FLAT
        order = np.argsort(np.add.outer(np.arange(8), np.arange(8)).ravel(), kind="stable")
        for number, (name, shots) in enumerate(virtual.items()):
            drawn = [(file, [real[file]], "-") for file in FILES[name].names]
            for place, (label, rows, style) in enumerate([*drawn, (f"{name} (simulated)", shots, "--")]):
                line = {
                    "label": label,
                    "color": f"C{number}",
                    "linestyle": style,
                    "alpha": 1 - 0.3 * (place % 2),
                }
                if profiles := [row["profile"] for row in rows if len(row["edges"]) >= ENOUGH]:
                    edges_of.plot(DISTANCES, np.median(profiles, axis=0), **line)
                if spectra := [row["spectrum"] for row in rows if len(row["noise"]) >= ENOUGH]:
                    noise_of.semilogy(frequency, np.median(spectra, axis=0), **line)
                if tables := rows[0]["tables"]:
                    tables_of.plot(np.array(tables[0])[order], **line)
        edges_of.set(xlabel="distance from the edge, pixels", ylabel="share of the step, code values")
        noise_of.set(xlabel="frequency, cycles a pixel", ylabel="noise power of G, levels²")
        tables_of.set(xlabel="coefficient, by its diagonal", ylabel="quantiser of luma, levels")
        edges_of.set_title("sharpest quarter of the edges")
        noise_of.set_title("flat fields of all levels")
        tables_of.set_title("JPEG")
        for axes in (edges_of, noise_of, tables_of):
            axes.grid(alpha=0.3)
            axes.legend(fontsize=6)
        figure.savefig(path, format="svg", metadata=dict.fromkeys(("Date", "Creator")))


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with phones/")
    parser.add_argument("--root", type=Path, default=Path("studies/phone-files"), help="where parts are kept")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of the page")
    parser.add_argument("--shots", type=int, default=SHOTS, help="simulated photos a phone")
    chosen = parser.parse_args()
    pi_heif.register_heif_opener()
    files = sorted(path for path in (chosen.data / "phones").glob("*") if path.is_file())
    if not files:
        parser.error(f"{chosen.data / 'phones'}: no photos; give the folder that contains phones/")
    chosen.root.mkdir(parents=True, exist_ok=True)
    sources = [Path(file) for file in (__file__, edge_fits.__file__, noise_fits.__file__)]
    fingerprint = "".join(path.read_text(encoding="utf-8").partition("\n# The page\n")[0] for path in sources)
    kept = Kept(chosen.root / "measured.json", fingerprint + repr([DEVICES[name] for name in FILES]))
    rows: dict[str, Row] = kept.load() or {}
    progress = reporter(quiet=False)
    names = [path.name for path in files]
    wanted = [(name, shot) for name in FILES for shot in range(chosen.shots)]
    reflectance = print_page(
        chart(), PAGE_MM, PHONES["office"].settings, Printer("offset-coated", spread_mm=1e-6)
    )
    todo: list[tuple[str, Callable[[], bytes]]] = [(path.name, path.read_bytes) for path in files]
    todo += [(f"{name} {shot}", partial(simulated, name, shot, reflectance)) for name, shot in wanted]
    for name, data in progress.track(todo, len(todo), "measuring"):
        if name not in rows:
            rows[name] = measured(data())
            kept.save(rows)
    real = {name: rows[name] for name in names}
    virtual = {name: [rows[f"{name} {shot}"] for shot in range(chosen.shots)] for name in FILES}
    details = {"parameters": parameters(real), "photos": len(real), "simulated_photos": len(wanted)}
    with replacing(chosen.out / f"{NAME}.svg") as temporary:
        draw(real, virtual, temporary)
    with replacing(chosen.out / f"{NAME}.json") as temporary:
        temporary.write_text(json.dumps(details, indent=1) + "\n", encoding="utf-8")
    with replacing(chosen.out / f"{NAME}.md") as temporary:
        temporary.write_text("\n".join(page(real, virtual)) + "\n", encoding="utf-8")
    counts = {"edges": "edges", "fields": "noise"}
    print(json.dumps({key: sum(len(row[kind]) for row in real.values()) for key, kind in counts.items()}))


if __name__ == "__main__":
    main()
