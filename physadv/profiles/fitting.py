"""From what photos show of a target to a profile: light, colours, blur, noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import nnls
from skimage.color import deltaE_ciede2000, rgb2lab

from physadv.capture.geometry import Points
from physadv.capture.light import to_linear
from physadv.profiles.channel import FULL, ColourTable
from physadv.profiles.errors import ProfileError
from physadv.profiles.even_light import code_per_log, even_light
from physadv.profiles.noise import flattened, measure_noise
from physadv.profiles.profile import (
    Blur,
    Colour,
    ColourSpread,
    HeldOut,
    Jpeg,
    Kind,
    Noise,
    Profile,
    SourcePhoto,
)
from physadv.profiles.reading import Reading, Window
from physadv.profiles.target import Target, make_target
from physadv.transforms.presses import NODES

FEWEST = 2
SAME_PLACE_PX = 0.5
"""How far patches may be from each other in photos of which the difference is noise."""
SMOOTHINGS = (0.0, *np.logspace(-6, 0, 7))
FOLDS = 5
NEAR_LEVELS = 12.0
COLOURFUL, LEAST_CHROMA = 40.0, 0.15
"""Chroma of printed patches that a photo must show, and the least share of it that a print in colour has."""


@dataclass(frozen=True)
class Fit:
    """A profile with what it was fitted to, for a figure.

    Attributes:
        profile: the profile.
        measured: sRGB (K, 3) from 0 to 1 of the held-out patches in the middle photo.
        predicted: what the profile says of them.
    """

    profile: Profile
    measured: Points
    predicted: Points


def fit_profile(name: str, readings: Sequence[Reading]) -> Fit:
    """Fit a profile to what photos show of the target of a name.

    Raises:
        ProfileError: too few photos, of different prints, of one without colours or without clean edges.
    """
    if (count := len({reading.sha256 for reading in readings})) < FEWEST:
        raise ProfileError(
            f"too few photos of the target: {count}; wanted {FEWEST} or more, two of them from one place"
        )
    if len(pages := {reading.page for reading in readings}) > 1:
        raise ProfileError(f"photos of prints on {' and '.join(sorted(pages))}; wanted one print in all")
    target = make_target(name, readings[0].page)
    pairs = _from_one_place(readings)
    places = [number for number in range(len(readings)) if number not in {second for _, second in pairs}]
    light = even_light(target, np.stack([reading.levels for reading in readings]) / 255, places)
    _refuse_grey(target, light.colours)
    colour, held_out, predicted = fit_colours(target, light.colours)
    spread = light.gains[places].std(axis=0, ddof=1) if len(places) > 1 else np.zeros(3)
    qualities = [reading.jpeg.quality for reading in readings if reading.jpeg.quality]
    profile = Profile(
        format_version=1,
        name=name,
        made_from=tuple(
            SourcePhoto(
                file=reading.path.name,
                sha256=reading.sha256,
                taken=reading.taken,
                camera=reading.camera,
                simulated=reading.simulated,
                pixels_per_mm=reading.pixels_per_mm,
                exposure=float(np.exp(gains[1])),
                lens=reading.lens,
            )
            for reading, gains in zip(readings, light.gains, strict=True)
        ),
        pixels_per_mm=float(np.median([reading.pixels_per_mm for reading in readings])),
        colour=colour,
        colour_spread=ColourSpread(
            exposure=float(spread[1]),
            red=_tint_sd(light.gains[places], 0),
            blue=_tint_sd(light.gains[places], 2),
            shading=light.shading,
        ),
        blur=fit_blur(readings),
        noise=fit_noise(readings, pairs),
        jpeg=Jpeg(quality=min(qualities, default=None), subsampling=readings[0].jpeg.subsampling),
        held_out=held_out,
    )
    return Fit(profile, light.colours[target.held_out], predicted)


def _tint_sd(gains: Points, channel: int) -> float:
    tint = gains[:, channel] - gains[:, 1]
    return float(tint.std(ddof=1)) if len(tint) > 1 else 0.0


def _from_one_place(readings: Sequence[Reading]) -> list[tuple[int, int]]:
    """Return disjoint pairs of photos that show every patch in the same pixels, by their numbers."""
    pairs: list[tuple[int, int]] = []
    for first, one in enumerate(readings):
        for second, other in enumerate(readings[first + 1 :], start=first + 1):
            taken = {number for pair in pairs for number in pair}
            if first in taken or second in taken or one.size != other.size or one.sha256 == other.sha256:
                continue
            if np.abs(one.places_px - other.places_px).max() < SAME_PLACE_PX:
                pairs.append((first, second))
    return pairs


def _refuse_grey(target: Target, colours: Points) -> None:
    printed, seen = (
        np.hypot(*rgb2lab(each)[:, 1:].T) for each in (target.colours / 255, np.asarray(colours))
    )
    colourful = printed > COLOURFUL
    share = float(np.median(seen[colourful] / printed[colourful]))
    if share < LEAST_CHROMA:
        raise ProfileError(
            f"the photos show {share:.0%} of the target's colours: a black-and-white print or photo; print "
            "it in colour, and photograph it without a filter"
        )


def delta_e(colours: Points, others: Points) -> Points:
    """Return the CIEDE2000 differences (...) (Sharma et al. 2005) of sRGB colours (..., 3) from 0 to 1."""
    return np.asarray(deltaE_ciede2000(rgb2lab(colours), rgb2lab(others)), np.float64)


def fit_colours(target: Target, colours: Points) -> tuple[Colour, HeldOut, Points]:
    """Fit the map from printed to photographed sRGB (N, 3); return it, its errors, the held-out it predicts.

    A thin-plate spline (Duchon 1977) whose smoothing cross-validation chooses, and an affine map: what
    predicts the held-out patches better is kept, as a table.
    """
    printed, held = target.colours / 255, target.held_out
    shown, copies = np.unique(printed[~held], axis=0, return_inverse=True)
    true = np.stack([np.bincount(copies, colours[~held, c]) / np.bincount(copies) for c in range(3)], axis=1)
    fold = np.random.default_rng(0).permutation(len(shown)) % FOLDS

    def missed(smoothing: float) -> float:
        guessed = np.empty_like(true)
        for k in range(FOLDS):
            guessed[fold == k] = _spline(shown[fold != k], true[fold != k], smoothing)(shown[fold == k])
        return float(delta_e(guessed.clip(0, 1), true).mean())

    smoothing = float(min(SMOOTHINGS, key=missed))
    nodes = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    grid = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    affine = np.linalg.lstsq(_with_one(shown), true, rcond=None)[0]
    maps: dict[Kind, Points] = {
        "thin-plate spline": _spline(shown, true, smoothing)(grid),
        "affine": _with_one(grid) @ affine,
    }
    tables = {kind: np.round(each.clip(0, 1) * FULL) for kind, each in maps.items()}
    predicted = {kind: _through(table, printed[held]) for kind, table in tables.items()}
    errors = {kind: delta_e(each, colours[held]) for kind, each in predicted.items()}
    kind = min(errors, key=lambda each: float(errors[each].mean()))
    chosen = smoothing if kind == "thin-plate spline" else 0.0
    return (
        Colour(kind=kind, smoothing=chosen, table=tables[kind].astype(int).tolist()),
        HeldOut(
            mean=float(errors[kind].mean()),
            p95=float(np.percentile(errors[kind], 95)),
            patches=int(held.sum()),
            affine_mean=float(errors["affine"].mean()),
            affine_p95=float(np.percentile(errors["affine"], 95)),
        ),
        predicted[kind],
    )


def _with_one(colours: Points) -> Points:
    return np.column_stack([colours, np.ones(len(colours))])


def _spline(shown: Points, true: Points, smoothing: float) -> RBFInterpolator:
    return RBFInterpolator(shown, true, kernel="thin_plate_spline", smoothing=smoothing)


def _through(table: Points, colours: Points) -> Points:
    """Return colours (N, 3) from 0 to 1 through a table (17³, 3), as a profile takes them through its own."""
    import torch

    looks = ColourTable(tuple(map(tuple, table.astype(int).tolist())))
    seen = looks.apply(torch.from_numpy(colours.T[None, :, :, None]).float(), {})
    return np.asarray(seen[0, :, :, 0].T, np.float64)


def fit_blur(readings: Sequence[Reading]) -> Blur:
    """Return what photos did to the target's edges: medians over the photos.

    Raises:
        ProfileError: no photo has a clean edge.
    """
    seen = [(reading.edge, reading.pixels_per_mm) for reading in readings if reading.edge]
    if not seen:
        raise ProfileError(
            "no clean edge in any photo; wanted sharp photos, in which the target fills the frame"
        )
    sigmas = np.array([edge.sigma for edge, _ in seen])
    return Blur(
        sigma_px=float(np.median(sigmas)),
        sigma_mm=float(np.median([edge.sigma / scale for edge, scale in seen])),
        spread=float(sigmas.std() / sigmas.mean()),
        amount=float(np.median([edge.amount for edge, _ in seen])),
        radius_px=float(np.median([edge.radius for edge, _ in seen])),
        tone=float(np.median([edge.tone for edge, _ in seen])),
        edges=sum(reading.edges for reading in readings),
    )


def fit_noise(readings: Sequence[Reading], pairs: Sequence[tuple[int, int]]) -> Noise:
    """Return the noise of the target's grey fields: half the variance of what pairs of photos differ by.

    Where no two photos are from one place, it is that of single photos, with the texture of print and paper.

    Raises:
        ProfileError: no field can be seen.
    """
    chosen = pairs or [(number, number) for number in range(len(readings))]
    levels, variances, lengths = [], [], []
    for first, second in chosen:
        for one, other in zip(readings[first].fields, readings[second].fields, strict=True):
            if one is None or other is None:
                continue
            a, b = _common(one, other)
            rest = (a - b) / np.sqrt(2) if pairs else a
            lengths.append(measure_noise(rest[..., 1]).length)
            for channel in range(3):
                flat, lost = flattened(rest[..., channel])
                levels.append((a[..., channel].mean() + b[..., channel].mean()) / 2)
                variances.append((flat**2).sum() / (flat.size - lost))
    if not levels:
        raise ProfileError("the grey fields are too small to measure noise: take photos from nearer by")
    level, variance = np.array(levels), np.array(variances)
    light = to_linear(level / 255)
    # The slope of light over code takes a variance from one to the other.
    slope = light / code_per_log(np.log(light))
    of_light = variance / 255**2 * slope**2
    # Relative errors, so that dark fields count as much as bright ones.
    rows = np.column_stack([light, np.ones_like(light)]) / of_light[:, None]
    shot, read = nnls(rows, np.ones_like(light))[0]
    order = np.argsort(level)
    return Noise(
        shot=float(shot),
        read=float(np.sqrt(read)),
        curve=tuple(round(sd, 4) for sd in _noise_curve(level, variance)),
        length_px=float(np.median(lengths)),
        pairs=len(pairs),
        levels=tuple((round(float(level[k]), 2), round(float(np.sqrt(variance[k])), 4)) for k in order),
    )


def _noise_curve(level: Points, variance: Points) -> list[float]:
    """Return the standard deviation at the nodes' levels: lines through the logarithms of what is near."""
    sds = []
    for node in np.linspace(0, 255, NODES).clip(level.min(), level.max()):
        near = np.exp(-0.25 * ((level - node) / NEAR_LEVELS) ** 2) + 1e-9
        _, at_node = np.polyfit(level - node, np.log(variance), 1, w=near)
        sds.append(float(np.exp(at_node / 2)))
    return sds


def _common(one: Window, other: Window) -> tuple[Points, Points]:
    """Return the pixels of two windows in the part of the photo that both are of, float64."""
    left, top = max(one.left, other.left), max(one.top, other.top)
    right = min(each.left + each.pixels.shape[1] for each in (one, other))
    bottom = min(each.top + each.pixels.shape[0] for each in (one, other))
    first, second = (
        each.pixels[top - each.top : bottom - each.top, left - each.left : right - each.left].astype(float)
        for each in (one, other)
    )
    return first, second
