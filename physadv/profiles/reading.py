"""What one photo shows of a target: levels of its patches, pixels of its fields, its edges, and its file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from physadv.capture.crop_photo import crop_photo
from physadv.capture.geometry import Pixels, Points, SheetModel, fit_flat, is_inside, jacobians, pixels_per_mm
from physadv.capture.light import BURNT, to_linear
from physadv.capture.papers import FoundSheet
from physadv.capture.reading import CaptureError, Photo, read_photo
from physadv.files import file_sha256
from physadv.profiles.edges import STARTS, Edge, FitError, Patch, fit_edge, fit_pooled, pool_edges
from physadv.profiles.errors import ProfileError
from physadv.profiles.profile import Jpeg
from physadv.profiles.target import PICTURES, SEEN_PX, UNITS, Target, every_page
from physadv.sheets.layout import GREYS

INNER = slice(2, 5)
"""Which pixels of a patch's seven, along either side, are far enough from its neighbours to be read."""
MOST_BURNT = 0.1
"""Share of the patches of which a channel may be burnt out: of bright saturated ink it always is."""
SHORTEST_FIELD = 32
FIELD_SHARE = 0.8
ALONG, ACROSS = 60, 20
"""Half the pixels of a window on an edge, along and across it."""
WORST_RESIDUAL = 0.15
"""What an edge's fit may leave, as a share of its step: noise and dots of ink leave less, a shadow more."""
WHITE_LIGHT = 0.85
"""Light of white paper in a photo that is well exposed; 1 clips."""


@dataclass(frozen=True)
class Window:
    """A rectangle of a photo's own pixels.

    Attributes:
        left: column of its first pixel.
        top: row of its first pixel.
        pixels: its pixels (h, w, 3), uint8 sRGB.
    """

    left: int
    top: int
    pixels: Pixels


@dataclass(frozen=True)
class Reading:
    """What one photo shows of a target.

    Attributes:
        path: the photo's file.
        sha256: its hash.
        taken: date and time by its EXIF, empty if it has none.
        camera: maker and model by its EXIF, empty if it has none.
        simulated: whether the virtual phone took it.
        page: the paper size that was printed on.
        levels: 8-bit levels (N, 3) of the patches, nan where one cannot be seen.
        fields: each grey field, None where it cannot be seen.
        edges: number of slanted edges of middle greys that are clean.
        edge: all of them as one, None without any.
        distances: of pixels near them, (K,), pixels.
        lumas: luma (K,) of these pixels from 0 to 1, as if all edges had the same levels.
        places_px: where the middles of the patches are (N, 2), pixels.
        size: width and height of the photo, pixels.
        pixels_per_mm: resolution on the paper.
        lens: coefficients k1 and k2 of radial distortion.
        jpeg: what its file loses.
    """

    path: Path
    sha256: str
    taken: str
    camera: str
    simulated: bool
    page: str
    levels: Points
    fields: tuple[Window | None, ...]
    edges: int
    edge: Edge | None
    distances: Patch
    lumas: Patch
    places_px: Points
    size: tuple[int, int]
    pixels_per_mm: float
    lens: tuple[float, float]
    jpeg: Jpeg


def read_target(path: Path, name: str) -> Reading:
    """Return what a photo shows of the target of a name.

    Raises:
        ProfileError: it shows no target, that of another name, or one that is overexposed; it cannot be read.
        OSError: the file cannot be opened.
    """
    targets = every_page(name)
    any_target = next(iter(targets.values()))
    try:
        photo = read_photo(path)
        found = crop_photo(
            photo, [target.sheet for target in targets.values()], picture=any_target.seen.__getitem__
        )
    except CaptureError as error:
        wanted = f"wanted a photo of the target '{name}'; see 'physadv calibrate print --name {name}'"
        raise ProfileError(f"{path}: {error}; {wanted}") from error
    paper = next(paper for paper in found.sheets if not paper.reason)
    target = targets[paper.sheet.code]
    levels = _levels(target, paper)
    if unseen := [f"{cell.example} {cell.reason}" for cell in paper.cells if cell.crop is None]:
        raise ProfileError(f"{path}: {'; '.join(unseen)}; wanted a photo of the whole target")
    _refuse_burnt(path, target, levels)
    places = paper.model.to_photo(target.places_mm)
    scale = float(np.median(pixels_per_mm(jacobians(paper.model, target.places_mm))))
    flat = fit_flat(*paper.evidence.stacked(), photo.pinhole)
    taken, jpeg = _file(path)
    tone = _edges(photo, paper.model, target.edges_mm(high_contrast=True))
    seen = _edges(photo, paper.model, target.edges_mm(high_contrast=False))
    # Middle greys are as good as straight; what little their curve is bent, black on white has shown.
    bend = fit_pooled(*tone[1:]).tone if tone[0] else 0.0
    edges, distances, lumas = seen
    return Reading(
        path=path,
        sha256=file_sha256(path),
        taken=taken,
        camera=photo.camera,
        simulated=photo.simulated,
        page=target.page,
        levels=levels,
        fields=tuple(_field(photo, paper.model, corners) for _, corners in target.fields_mm()),
        edges=len(edges),
        edge=fit_pooled(distances, lumas, bend) if edges else None,
        distances=distances,
        lumas=lumas,
        places_px=places,
        size=(photo.gray.shape[1], photo.gray.shape[0]),
        pixels_per_mm=scale,
        lens=(flat.k1, flat.k2),
        jpeg=jpeg,
    )


def _levels(target: Target, paper: FoundSheet) -> Points:
    levels = np.full((len(target.colours), 3), np.nan)
    for cell in paper.cells:
        if cell.crop is None:
            continue
        units = cell.crop.reshape(UNITS, SEEN_PX, UNITS, SEEN_PX, 3)[:, INNER, :, INNER].mean(axis=(1, 3))
        inside = target.places[:, 0] == cell.number
        levels[inside] = units[target.places[inside, 1], target.places[inside, 2]]
    return levels


def _refuse_burnt(path: Path, target: Target, levels: Points) -> None:
    """Refuse a photo in which greys are burnt out, or many colours; say where and how to expose."""
    burnt = levels.max(axis=1) >= BURNT - 0.5
    greys = {
        grey: np.median(levels[target.neutral & (target.colours[:, 0] == grey)].max(axis=1)) for grey in GREYS
    }
    lost = [grey for grey, level in greys.items() if level >= BURNT - 0.5]
    if not lost and burnt.mean() <= MOST_BURNT:
        return
    counts = ((name, int(burnt[target.places[:, 0] == cell].sum())) for cell, name in enumerate(PICTURES))
    where = ", ".join(f"{name} {count}" for name, count in counts if count)
    kept = max((grey for grey in greys if grey not in lost and grey), default=GREYS[1])
    seen, printed = to_linear(np.array([greys[kept], kept]) / 255)
    white = seen / printed
    stops = max(0.5, float(np.log2(white / WHITE_LIGHT)))
    which = f", all greys from {lost[0]} up among them" if lost else ""
    raise ProfileError(
        f"{path}: {int(burnt.sum())} of {len(burnt)} patches are overexposed ({where}){which}; take it again "
        f"with {stops:.1f} stops less light: touch the paper on the screen and drag the brightness down"
    )


def _field(photo: Photo, model: SheetModel, corners_mm: Points) -> Window | None:
    """Return the largest upright square in the middle of a field, None where it is not seen or is small."""
    corners = model.to_photo(corners_mm)
    if not is_inside(photo.gray, corners).all():
        return None
    middle, sides = corners.mean(axis=0), np.roll(corners, -1, axis=0) - corners
    normals = sides[:, ::-1] * (1, -1) / np.linalg.norm(sides, axis=1, keepdims=True)
    distances = np.abs(((corners - middle) * normals).sum(axis=1))
    half = int(FIELD_SHARE * (distances / np.abs(normals).sum(axis=1)).min())
    if 2 * half < SHORTEST_FIELD:
        return None
    left, top = (round(float(place)) - half for place in middle)
    return Window(left, top, photo.rgb[top : top + 2 * half, left : left + 2 * half].copy())


def _edges(photo: Photo, model: SheetModel, ends_mm: Sequence[Points]) -> tuple[list[Edge], Patch, Patch]:
    """Return the edges between pairs of ends that are clean, and distances and lumas of their pixels."""
    windows, edges = [], []
    for ends in ends_mm:
        seen = model.to_photo(ends)
        x, y = (int(place) for place in seen.mean(axis=0))
        along = np.abs(seen[1] - seen[0])
        far, near = (int(min(most, along.max() * share)) for most, share in ((ALONG, 0.35), (ACROSS, 0.2)))
        wide, high = (far, near) if along[0] > along[1] else (near, far)
        window = photo.gray[y - high : y + high + 1, x - wide : x + wide + 1] / 255
        try:
            edge = fit_edge(window, starts=STARTS[:1])
        except FitError:
            continue
        if edge.residual < WORST_RESIDUAL:
            windows.append(window)
            edges.append(edge)
    if not edges:
        return edges, np.empty(0), np.empty(0)
    return edges, *pool_edges(windows, edges)


def _file(path: Path) -> tuple[str, Jpeg]:
    """Return when a photo was taken, and what its file loses."""
    with Image.open(path) as image:
        exif = image.getexif()
        taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(
            ExifTags.Base.DateTime, ""
        )
        tables = getattr(image, "quantization", None)
        if not tables:
            return str(taken), Jpeg(quality=None, subsampling=None)
        quality, _ = nearest_quality(list(tables[0]))
        return str(taken), Jpeg(quality=quality, subsampling=subsampling(getattr(image, "layer", [])))


def subsampling(layers: Sequence[Sequence[int]]) -> str:
    """Return the chroma subsampling that a JPEG's components (id, horizontal, vertical, ...) say.

    >>> subsampling([(1, 2, 2, 0), (2, 1, 1, 1), (3, 1, 1, 1)])
    '4:2:0'
    """
    if len(layers) != 3:
        return ""
    ratio = (layers[0][1] // layers[1][1], layers[0][2] // layers[1][2])
    return {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}.get(ratio, f"{ratio[0]} × {ratio[1]}")


def nearest_quality(table: Sequence[int]) -> tuple[int, bool]:
    """Return the libjpeg quality whose luma table is nearest, and whether it is the same."""
    best = min(range(1, 101), key=lambda quality: int(np.abs(np.subtract(luma_table(quality), table)).sum()))
    return best, luma_table(best) == list(table)


@lru_cache(maxsize=100)
def luma_table(quality: int) -> list[int]:
    """Return the luma quantiser (64 numbers, row by row) with which Pillow saves at a quality."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
    return list(Image.open(buffer).quantization[0])  # type: ignore[attr-defined]
