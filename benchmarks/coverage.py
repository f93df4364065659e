"""How often intervals for a share cover, and how often the paired test is wrong, where the truth is known.

`python benchmarks/coverage.py` draws images × photos: each image's own share comes from a beta distribution
with mean p and intraclass correlation ICC, its photos are trials with that share (beta-binomial; with one
photo an image, or ICC 0, plain binomial). Every candidate gives its 95 % interval for p. `--quick` draws
fewer and takes a few images and photos only; `--page FILE` writes the page docs/results/coverage.md.

The last line is one JSON object about the interval and the test that physadv uses: `worst_coverage` and
`mean_coverage` over all cells; `monotone_violations`, how often one failure more moved the lower end up, or
the upper; `width_ratio`, the mean width over that of an oracle (Clopper-Pearson at the effective number of
photos, of which it knows the ICC); `width_ratio_by_cell`, the mean of the cells' own ratios;
`beyond_coverage`, the worst where the model does not hold or the ICC lies beyond the grid; `worst_size` of
the paired test at 5 %, `size_unlike` where shares are the same and ICCs are not; `crossed_coverage` and
`crossed_size` where several images share photos, and both `by_image`, as if they did not;
`size_unequal` where photos are unequally many; `difference_coverage` and `false_verdicts` of the interval of
the difference, the worst of all settings; `power` at 10 points, 100 pairs × 4
photos, and `power_mcnemar` of McNemar's exact test on one photo of each.
"""

import argparse
import json
import math
import os
import textwrap
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, betaln, fdtri, gammaln, ndtr, ndtri
from scipy.stats import binom
from scipy.stats import t as student

from physadv.evaluation.comparisons import Counted, compare_paired, sign_flip
from physadv.evaluation.intervals import proportion
from physadv.parallel import map_items

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Interval = Callable[[Ints, int], tuple[Floats, Floats]]
"""From successes (S, images) of so many photos each to the two ends, (S,) each."""

IMAGES, PHOTOS = (20, 40, 100, 240), (1, 4, 15, 120)
SHARES, CORRELATIONS = (0.01, 0.05, 0.5, 0.9, 0.97, 0.99), (0.0, 0.05, 0.2, 0.5)
Z = 1.959963984540054
RESAMPLES = 1000
CHOSEN = "Clopper-Pearson at the effective number, upper limit of the ICC, monotone (chosen)"


@dataclass(frozen=True)
class Cell:
    """One setting of the simulation: images × photos with a share and an intraclass correlation."""

    images: int
    photos: int
    share: float
    icc: float

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """Return successes (count, images)."""
        return rng.binomial(self.photos, own_shares(rng, self.share, self.icc, (count, self.images)))


def own_shares(rng: np.random.Generator, share: float, icc: float, shape: tuple[int, ...]) -> Floats:
    """Return each image's own share: beta with that mean and ICC; with ICC 1 an image is all or nothing."""
    if icc == 0:
        return np.full(shape, share)
    if icc == 1:
        return (rng.random(shape) < share).astype(np.float64)
    strength = 1 / icc - 1
    return rng.beta(share * strength, (1 - share) * strength, shape)


def quantiles(cell: Cell, places: Floats) -> Floats:
    """Return images' own shares by their places, from 0 to 1, in a cell's distribution of them."""
    if cell.icc == 0:
        return np.full(places.shape, cell.share)
    strength = 1 / cell.icc - 1
    return np.asarray(betaincinv(cell.share * strength, (1 - cell.share) * strength, places))


def cells(quick: bool) -> list[Cell]:
    """Return the grid; with one photo an image there is no correlation, and such a cell is there once."""
    grid = product((20, 100) if quick else IMAGES, (1, 4, 15) if quick else PHOTOS, SHARES, CORRELATIONS)
    return [Cell(*each) for each in grid if each[1] > 1 or each[3] == 0]


# The candidates


def mirrored(low: Callable[[Ints, int], Floats]) -> Interval:
    """Return the interval whose lower end `low` gives from failures; the upper one mirrors it."""

    def interval(successes: Ints, photos: int) -> tuple[Floats, Floats]:
        return low(photos - successes, photos), 1 - low(successes, photos)

    return interval


def wilson_low(failing: Floats, trials: Floats | float) -> Floats:
    """Return the lower end of Wilson's interval."""
    q = np.asarray(failing)
    spread = np.sqrt(q * (1 - q) / trials + Z**2 / (4 * trials**2))
    return np.asarray(1 - (q + Z**2 / (2 * trials) + Z * spread) / (1 + Z**2 / trials))


def clopper_pearson_low(failing: Floats, trials: Floats | float) -> Floats:
    """Return the lower end of Clopper and Pearson's interval."""
    n = np.asarray(trials, np.float64)
    x = n * (1 - np.asarray(failing))
    ends = betaincinv(np.maximum(x, 1e-12), n - x + 1, 0.025)
    return np.where(x <= 1e-9, 0.0, ends)


def korn_graubard(failures: Ints, photos: int, agreeing: float) -> tuple[Floats, Floats]:
    """Return failing share and effective number of photos (Korn and Graubard 1998), t-adjusted, at most all.

    Args:
        failures: (S, images).
        photos: of each image.
        agreeing: effective number where all photos agree.
    """
    images = failures.shape[1]
    q = failures.mean(axis=1) / photos
    if photos == 1:
        return q, np.full(q.shape, float(images))
    variance = (failures / photos).var(axis=1, ddof=1) / images
    adjusted = variance * (student.ppf(0.975, images - 1) / Z) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.minimum(q * (1 - q) / adjusted, images * photos)
    return q, np.where((q == 0) | (q == 1), agreeing, n)


def by_korn_graubard(low: Callable[[Floats, Floats], Floats], agree_as_images: bool) -> Interval:
    """Return an interval at the effective number; photos that all agree count as images, or as photos."""

    def ends(failures: Ints, photos: int) -> Floats:
        images = failures.shape[1]
        return low(*korn_graubard(failures, photos, images if agree_as_images else images * photos))

    return mirrored(ends)


@lru_cache(maxsize=2)
def _resampled(successes: bytes, images: int, photos: int) -> Floats:
    """Return the sorted shares of resampled images, the same for both kinds of bootstrap."""
    shares = np.frombuffer(successes, np.int64).reshape(-1, images) / photos
    draws = np.random.default_rng(0).multinomial(images, np.full(images, 1 / images), RESAMPLES)
    return np.sort(shares @ draws.T / images, axis=1)


def bootstrap(accelerated: bool) -> Interval:
    """Return the percentile or BCa interval (Efron 1987) over images; Clopper-Pearson where all agree."""

    def interval(successes: Ints, photos: int) -> tuple[Floats, Floats]:
        count, images = successes.shape
        shares = successes / photos
        value = shares.mean(axis=1)
        drawn = _resampled(successes.tobytes(), images, photos)
        levels = np.broadcast_to([0.025, 0.975], (count, 2))
        if accelerated:
            below = (drawn < value[:, None] - 1e-12).mean(axis=1) + (
                abs(drawn - value[:, None]) <= 1e-12
            ).mean(axis=1) / 2
            bias = ndtri(np.clip(below, 0.5 / RESAMPLES, 1 - 0.5 / RESAMPLES))[:, None]
            left = value[:, None] - shares
            spread = (left**2).sum(axis=1) ** 1.5
            skew = np.where(spread > 0, -(left**3).sum(axis=1) / np.maximum(6 * spread, 1e-300), 0)[:, None]
            shifted = bias + ndtri(levels)
            levels = ndtr(bias + shifted / (1 - skew * shifted))
        places = np.clip(np.rint(levels * (RESAMPLES - 1)), 0, RESAMPLES - 1).astype(int)
        ends = np.take_along_axis(drawn, places, axis=1)
        agree = shares.min(axis=1) == shares.max(axis=1)
        floor = clopper_pearson_low(1 - value, np.full(count, float(images)))
        ceiling = 1 - clopper_pearson_low(value, np.full(count, float(images)))
        return np.where(agree, floor, ends[:, 0]), np.where(agree, ceiling, ends[:, 1])

    return interval


@cache
def _beta_binomial(photos: int) -> tuple[Floats, Floats]:
    """Return shares (G,) and log probabilities of k successes by share and ICC (photos + 1, G, R)."""
    shares = 1 / (1 + np.exp(-np.linspace(-9, 9, 181)))
    icc = np.concatenate([[1e-5], np.linspace(0.01, 0.1, 8), np.linspace(0.13, 0.97, 16)])
    k = np.arange(photos + 1)[:, None, None]
    strength = 1 / icc - 1
    a, b = shares[:, None] * strength, (1 - shares[:, None]) * strength
    ways = gammaln(photos + 1) - gammaln(k + 1) - gammaln(photos - k + 1)
    return shares, ways + betaln(k + a, photos - k + b) - betaln(a, b)


def profile_likelihood(successes: Ints, photos: int) -> tuple[Floats, Floats]:
    """Return the beta-binomial profile likelihood interval: twice the log ratio at most 3.84."""
    shares, logs = _beta_binomial(photos)
    counted = np.stack([np.bincount(own, minlength=photos + 1) for own in successes])
    profile = (counted @ logs.reshape(photos + 1, -1)).reshape(len(successes), *logs.shape[1:]).max(axis=2)
    inside = profile >= profile.max(axis=1, keepdims=True) - Z**2 / 2
    low, high = shares[inside.argmax(axis=1)], shares[len(shares) - 1 - inside[:, ::-1].argmax(axis=1)]
    low = np.where(successes.sum(axis=1) == 0, 0.0, low)
    return low, np.where((successes == photos).all(axis=1), 1.0, high)


def by_limit(failures: Ints, photos: int) -> Floats:
    """Return lower ends as `proportion` has them before they are made monotone; K where all agree."""
    images = failures.shape[1]
    q = failures.mean(axis=1) / photos
    n = np.full(q.shape, float(images))
    if photos > 1:
        spread = (
            photos * (failures / photos).var(axis=1, ddof=1) / fdtri(images - 1, images * (photos - 1), 0.2)
        )
        within = (failures * (1 - failures / photos)).sum(axis=1) / (images * (photos - 1))
        whole = spread + (photos - 1) * within
        icc = np.clip((spread - within) / np.where(whole > 0, whole, 1), 0, 1)
        n = np.where((q == 0) | (q == 1), images, images * photos / (1 + (photos - 1) * icc))
    return clopper_pearson_low(q, n)


def chosen(successes: Ints, photos: int) -> tuple[Floats, Floats]:
    """Return the interval of `proportion`, data set by data set; like ones are computed once."""
    distinct, place = np.unique(np.sort(successes, axis=1), axis=0, return_inverse=True)
    found = [proportion(own, np.full(own.shape, photos)) for own in distinct]
    low, high = np.array([(each.low, each.high) for each in found]).T[:, place.reshape(-1)]
    return low, high


CANDIDATES: dict[str, Interval] = {
    "Wilson, every photo a trial": mirrored(
        lambda f, m: wilson_low(f.mean(axis=1) / m, float(f.shape[1] * m))
    ),
    "percentile bootstrap over images": bootstrap(accelerated=False),
    "BCa bootstrap over images": bootstrap(accelerated=True),
    "beta-binomial profile likelihood": profile_likelihood,
    "Wilson at the effective number": by_korn_graubard(wilson_low, agree_as_images=True),
    "Clopper-Pearson at the effective number": by_korn_graubard(clopper_pearson_low, agree_as_images=True),
    "the same, all photos where all agree": by_korn_graubard(clopper_pearson_low, agree_as_images=False),
    "Clopper-Pearson, upper limit of the ICC": mirrored(by_limit),
    CHOSEN: chosen,
}


def oracle(cell: Cell, successes: Ints) -> tuple[Floats, Floats]:
    """Return Clopper-Pearson at the effective number of photos that the true ICC gives."""
    value = successes.mean(axis=1) / cell.photos
    n = np.full(value.shape, cell.images * cell.photos / (1 + (cell.photos - 1) * cell.icc))
    return clopper_pearson_low(1 - value, n), 1 - clopper_pearson_low(value, n)


# What is measured


@dataclass(frozen=True)
class Found:
    """What a candidate did in one cell: coverage, mean width, how often a failure more moved an end up."""

    coverage: float
    width: float
    violations: int


def covers(ends: tuple[Floats, Floats], share: float) -> tuple[float, float]:
    """Return how often the interval holds the share, and the mean width."""
    low, high = ends
    return float(((low <= share) & (share <= high)).mean()), float((high - low).mean())


def one_failure_more(rng: np.random.Generator, successes: Ints) -> tuple[Ints, Ints]:
    """Return the data sets that have a success, and the same with one success of theirs a failure."""
    some = successes[successes.sum(axis=1) > 0]
    image = (rng.random(some.shape) * (some > 0)).argmax(axis=1)
    fewer = some.copy()
    fewer[np.arange(len(some)), image] -= 1
    return some, fewer


def measure(
    seeded: tuple[int, Cell], simulations: int, flips: int
) -> tuple[dict[str, Found], tuple[float, float]]:
    """Return what every candidate did in a cell, and the oracle's coverage and width."""
    seed, cell = seeded
    rng = np.random.default_rng(seed)
    drawn = cell.draw(rng, simulations)
    before, after = one_failure_more(rng, drawn[:flips])
    found = {}
    for name, interval in CANDIDATES.items():
        moved = 0
        if len(before):
            old, new = interval(before, cell.photos), interval(after, cell.photos)
            moved = int(((new[0] > old[0] + 1e-9) | (new[1] > old[1] + 1e-9)).sum())
        found[name] = Found(*covers(interval(drawn, cell.photos), cell.share), moved)
    return found, covers(oracle(cell, drawn), cell.share)


def beyond(simulations: int) -> dict[str, float]:
    """Return the chosen interval's worst coverage where the grid's model does not hold, by the difference."""
    rng = np.random.default_rng(7)
    found: dict[str, float] = {}

    def note(name: str, data: Iterator[tuple[Ints, Ints]], share: float) -> None:
        hits = [each.low <= share <= each.high for each in (proportion(*own) for own in data)]
        found[name] = min(found.get(name, 1.0), float(np.mean(hits)))

    for images, share in product((20, 100), (0.5, 0.9, 0.97, 0.99)):
        for icc, photos in product((0.8, 1.0), (4, 15)):
            same = np.full(images, photos)
            drawn = Cell(images, photos, share, icc).draw(rng, simulations)
            note(f"ICC {icc:g}", ((own, same) for own in drawn), share)
        for icc in (0.0, 0.2, 0.5):
            seen = rng.integers(1, 31, (simulations, images))
            drawn = rng.binomial(seen, own_shares(rng, share, icc, seen.shape))
            note("1 to 30 photos an image", iter(zip(drawn, seen, strict=True)), share)
        same = np.full(images, 15)
        fixed = np.where(
            rng.random((simulations, images)) < 0.5, share, share > rng.random((simulations, images))
        )
        note("half of the images all or nothing", ((own, same) for own in rng.binomial(15, fixed)), share)
    return found


# The paired test


def both_shares(
    rng: np.random.Generator, first: Cell, second: Cell, count: int, shared: bool
) -> tuple[Floats, Floats]:
    """Return the own shares of the same images under two attacks, (count, images) each.

    With `shared` an image that breaks often under one attack does so under the other: its own share is the
    same quantile of both cells' distributions. Images stay independent of each other.
    """
    shape = (count, first.images)
    if not shared:
        return own_shares(rng, first.share, first.icc, shape), own_shares(
            rng, second.share, second.icc, shape
        )
    places = rng.random(shape)
    return quantiles(first, places), quantiles(second, places)


def paired(
    rng: np.random.Generator, first: Cell, second: Cell, count: int, shared: bool
) -> tuple[Ints, Ints, Ints, Ints]:
    """Return successes of two attacks on the same images (count, images), and in the first photo alone."""
    both = both_shares(rng, first, second, count, shared)
    singles = [rng.random(own.shape) < own for own in both]
    rest = [rng.binomial(first.photos - 1, own) for own in both]
    return singles[0] + rest[0], singles[1] + rest[1], singles[0] * 1, singles[1] * 1


def rejected(differences: Ints) -> float:
    """Return how often the sign-flip test rejects at 5 %, of differences (count, clusters).

    Twenty data sets are tested by `sign_flip`, which the others have to agree with: their p come from the
    same distribution of the sum, all data sets at once, by its characteristic function Π cos(d t).
    """
    sizes, observed = abs(differences), abs(differences.sum(axis=1))
    largest, total = int(sizes.max(initial=0)), int(sizes.sum(axis=1).max(initial=0))
    places = 2 * total + 1
    t = 2 * np.pi * np.arange(places) / places
    held = np.stack([(sizes == size).sum(axis=1) for size in range(1, largest + 1)], axis=1)
    waves = np.cos(np.outer(np.arange(1, largest + 1), t))
    p = np.empty(len(differences))
    for part in np.array_split(np.arange(len(p)), max(1, len(p) * places // 2_000_000)):
        with np.errstate(divide="ignore", under="ignore"):
            values = np.exp(held[part] @ np.log(np.maximum(abs(waves), 1e-300)))
        values *= 1 - 2 * ((held[part] @ (waves < 0)) % 2)
        chances = np.fft.ifft(values, axis=1).real
        # Sums lie at 0 to total and, from the end, at −1 to −total.
        tails = 2 * np.cumsum(chances[:, total:0:-1], axis=1)[:, ::-1]
        reached = tails[np.arange(len(part)), np.maximum(observed[part], 1) - 1]
        p[part] = np.where(observed[part] == 0, 1.0, reached)
    exact = [sign_flip(own) for own in differences[:20]]
    if not np.allclose(p[:20], exact, atol=1e-9):
        raise AssertionError("the test here is not that of physadv")
    return float((p < 0.05 - 1e-9).mean())


def mcnemar_rejects(first: Ints, second: Ints) -> float:
    """Return how often McNemar's exact test rejects at 5 %."""
    more, less = (first > second).sum(axis=1), (first < second).sum(axis=1)
    p = np.minimum(1, 2 * binom.cdf(np.minimum(more, less), more + less, 0.5))
    return float((p < 0.05).mean())


# Photos that several images share


@dataclass(frozen=True)
class Crossed:
    """Sheets of eight images, each photographed some times: images crossed with photos.

    An answer is right where a normal variate lies below the share's quantile; an image and a photo each have
    a part of its variance, and with it all of their own answers move together.
    """

    sheets: int
    photos: int
    share: float
    image: float
    photo: float

    def draw(self, rng: np.random.Generator, count: int, own: Floats | None = None) -> NDArray[np.bool_]:
        """Return answers (count, sheets, images, photos); images may have their `own` part already."""
        shape = count, self.sheets, ON_A_SHEET, self.photos
        images = rng.standard_normal((*shape[:3], 1)) if own is None else own
        photos = rng.standard_normal((count, self.sheets, 1, self.photos))
        rest = math.sqrt(1 - self.image - self.photo) * rng.standard_normal(shape)
        return math.sqrt(self.image) * images + math.sqrt(self.photo) * photos + rest < ndtri(self.share)


ON_A_SHEET = 8
IMAGE_PART, PHOTO_PARTS = 0.3, (0.0, 0.1, 0.3, 0.5)
"""Parts of the variance; as intraclass correlation of answers at a share of one half 0.19, and 0 to 0.33."""


def crossed(simulations: int, quick: bool) -> dict[Crossed, tuple[float, float, float]]:
    """Return coverage with photos counted, its mean width over that without, and coverage without."""
    rng = np.random.default_rng(19)
    found = {}
    grid = product((2, 13) if quick else (1, 2, 5, 13), (1, 3), (0.5, 0.9, 0.97, 0.99), PHOTO_PARTS)
    for sheets, photos, share, part in grid:
        cell = Crossed(sheets, photos, share, IMAGE_PART, part)
        drawn = cell.draw(rng, simulations)
        by_image = drawn.sum(axis=3).reshape(simulations, -1)
        by_photo = drawn.sum(axis=2).reshape(simulations, -1)
        seen = np.full(by_image.shape[1], photos), np.full(by_photo.shape[1], ON_A_SHEET)
        both = [proportion(k, seen[0], (own, seen[1])) for k, own in zip(by_image, by_photo, strict=True)]
        alone = [proportion(k, seen[0]) for k in by_image]
        (held, width), (held_alone, width_alone) = (
            covers((np.array([each.low for each in own]), np.array([each.high for each in own])), share)
            for own in (both, alone)
        )
        found[cell] = held, width / width_alone, held_alone
    return found


def crossed_sizes(simulations: int, quick: bool) -> tuple[float, float]:
    """Return the worst size of the test that flips sheet by sheet, and of one that flips image by image.

    Two attacks on the same images, on sheets and in photos of their own; nothing differs.
    """
    rng = np.random.default_rng(23)
    by_sheet = by_image = 0.0
    for sheets, photos, share, part in product((13,) if quick else (8, 13), (1, 3), (0.5, 0.9), PHOTO_PARTS):
        cell = Crossed(sheets, photos, share, IMAGE_PART, part)
        own = rng.standard_normal((simulations, sheets, ON_A_SHEET, 1))
        one, other = (cell.draw(rng, simulations, own).sum(axis=3) for _ in range(2))
        differences = one - other
        by_sheet = max(by_sheet, rejected(differences.sum(axis=2)))
        by_image = max(by_image, rejected(differences.reshape(simulations, -1)))
    return by_sheet, by_image


def sizes(simulations: int, quick: bool) -> dict[str, float]:
    """Return how often the test rejects where both shares are the same, the worst of each kind of null."""
    rng = np.random.default_rng(11)
    worst: dict[str, float] = {}
    grid = product((20, 100), (1, 4, 15), (0.5, 0.9, 0.97), (0.0, 0.2, 0.5), (False, True))
    for images, photos, share, icc, shared in grid:
        if (photos == 1 and icc > 0) or (icc == 0 and shared) or (quick and images == 100):
            continue
        cell = Cell(images, photos, share, icc)
        kinds = {"alike": cell} if icc < 0.5 else {"alike": cell, "unlike": Cell(images, photos, share, 0.05)}
        for kind, other in kinds.items():
            ours, theirs, _, _ = paired(rng, cell, other, simulations, shared)
            size = rejected(ours - theirs)
            worst[kind] = max(worst.get(kind, 0.0), size)
    return worst


@dataclass(frozen=True)
class Differing:
    """Data sets of two attacks on the same images, and the difference of their shares.

    Attributes:
        kind: how they were drawn, in words.
        cell: numbers of images or sheets and photos, and both shares.
        difference: the true one.
        same: whether both attacks do the same, so that signs may be flipped.
        counts: (count, images) successes and photos of the first, then of the second.
        sheet: (images,) the sheet that each is on, None where each has photos of its own.
    """

    kind: str
    cell: str
    difference: float
    same: bool
    counts: tuple[Ints, Ints, Ints, Ints]
    sheet: Ints | None = None


UNEQUAL = "1 to 30 photos of each", "120 photos against one"


def differing(simulations: int, quick: bool) -> Iterator[Differing]:
    """Yield every setting in which the interval of the difference and the verdict are looked at."""
    rng = np.random.default_rng(17)
    shares = ((0.5, 0.5), (0.97, 0.97), (0.4, 0.5), (0.85, 0.95))
    photos: dict[str, tuple[tuple[int, int], ...]] = {
        "as many photos of each": ((1, 1), (1, 1), (4, 4), (4, 4), (15, 15), (15, 15)),
        UNEQUAL[0]: ((1, 30), (1, 30)),
        UNEQUAL[1]: ((120, 120), (1, 1)),
    }
    for images, (one, other), (icc, other_icc), alike in product(
        (20,) if quick else (10, 20, 100), shares, ((0.5, 0.5), (0.5, 0.05), (0.05, 0.05)), (False, True)
    ):
        first, second = Cell(images, 1, one, icc), Cell(images, 1, other, other_icc)
        for kind, ranges in photos.items():
            for own, others in zip(ranges[::2], ranges[1::2], strict=True):
                both = both_shares(rng, first, second, simulations, alike)
                seen = [rng.integers(least, most + 1, both[0].shape) for least, most in (own, others)]
                a, b = (rng.binomial(n, share) for n, share in zip(seen, both, strict=True))
                name = f"{images} images, {own[0]} to {own[1]} photos, {one:g} and {other:g}"
                yield Differing(kind, name, one - other, first == second, (a, seen[0], b, seen[1]))
    for sheets, each, (one, other), part in product(
        (2, 8) if quick else (2, 5, 8, 13), (1, 3), ((0.5, 0.5), (0.4, 0.5), (0.05, 0.6)), PHOTO_PARTS[1:]
    ):
        own_part = rng.standard_normal((simulations, sheets, ON_A_SHEET, 1))
        a, b = (
            Crossed(sheets, each, share, IMAGE_PART, part)
            .draw(rng, simulations, own_part)
            .sum(axis=3)
            .reshape(simulations, -1)
            for share in (one, other)
        )
        same, sheet = np.full(a.shape, each), np.arange(a.shape[1]) // ON_A_SHEET
        name = f"{sheets} sheets, {each} photos, {one:g} and {other:g}"
        yield Differing("sheets of eight", name, one - other, one == other, (a, same, b, same), sheet)


def verdicts(simulations: int, quick: bool) -> dict[str, tuple[float, float, float]]:
    """Return, by kind, how seldom the difference's interval holds it and how often nothing gets a verdict.

    The third is how often p is below 5 % where both attacks do the same. All are those of the worst cell.
    """
    found: dict[str, tuple[float, float, float]] = {}
    for each in differing(simulations, quick):
        together: dict[Hashable, Hashable] | None = None
        if each.sheet is not None:
            together = dict(enumerate(each.sheet.tolist()))
        held = wrong = small = 0
        for a, n, b, m in zip(*(own.tolist() for own in each.counts), strict=True):
            counts: dict[str, Counted] = {"first": dict(enumerate(zip(a, n, strict=True)))}
            counts["second"] = dict(enumerate(zip(b, m, strict=True)))
            (test,) = compare_paired(counts, together=together)
            low, high = test.difference.low, test.difference.high
            if low is None or high is None or test.p is None:
                raise AssertionError(f"no interval: {each.cell}")
            held += low - 1e-12 <= each.difference <= high + 1e-12
            wrong += each.difference == 0 and test.verdict.endswith("higher")
            small += each.same and test.p < 0.05
        worst, most, size = found.get(each.kind, (1.0, 0.0, 0.0))
        found[each.kind] = (
            min(worst, held / simulations),
            max(most, wrong / simulations),
            max(size, small / simulations),
        )
    return found


def powers(simulations: int) -> dict[str, tuple[float, float]]:
    """Return power at 10 points, 100 pairs × 4 photos, and McNemar's on one photo, by the setting."""
    rng = np.random.default_rng(13)
    found = {}
    for (one, other), icc, shared in product(((0.4, 0.5), (0.85, 0.95)), (0.2, 0.5), (False, True)):
        first, second = Cell(100, 4, one, icc), Cell(100, 4, other, icc)
        a, b, single_a, single_b = paired(rng, first, second, simulations, shared)
        name = f"{one:.0%} and {other:.0%}, ICC {icc:g}, images {'alike' if shared else 'independent'}"
        found[name] = rejected(a - b), mcnemar_rejects(single_a, single_b)
    return found


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer cells and simulations")
    parser.add_argument("--simulations", type=int, help="of each cell; 1000, with --quick 100")
    parser.add_argument("--page", type=Path, help="the page to write")
    parser.add_argument("--workers", type=int, default=1, help="processes that measure the cells")
    asked = parser.parse_args()
    simulations = asked.simulations or (100 if asked.quick else 1000)
    grid = cells(asked.quick)
    found: list[tuple[Cell, dict[str, Found]]] = []
    ideal: list[tuple[float, float]] = []
    measured = partial(measure, simulations=simulations, flips=min(simulations, 50 if asked.quick else 100))
    for cell, (each, known) in zip(
        grid, map_items(measured, list(enumerate(grid)), workers=asked.workers), strict=True
    ):
        found.append((cell, each))
        ideal.append(known)
    widths = np.array([width for _, width in ideal])
    rows = [("oracle, knows the ICC", *oracle_row(ideal))]
    for name in CANDIDATES:
        own = [each[name] for _, each in found]
        covered, width = np.array([each.coverage for each in own]), np.array([each.width for each in own])
        violations = sum(each.violations for each in own)
        ratios = float(width.mean() / widths.mean()), float((width / widths).mean())
        rows.append((name, float(covered.min()), float(covered.mean()), *ratios, violations))
    lines = ["| interval | worst | mean | width | by cell | moved up |", "|---|---:|---:|---:|---:|---:|"]
    lines += [f"| {n} | {w:.3f} | {m:.3f} | {r:.2f} | {c:.2f} | {v} |" for n, w, m, r, c, v in rows]
    hardest = sorted(found, key=lambda each: each[1][CHOSEN].coverage)[:8]
    hard = ["| images | photos | p | ICC | coverage |", "|---:|---:|---:|---:|---:|"]
    hard += [
        f"| {c.images} | {c.photos} | {c.share:g} | {c.icc:g} | {own[CHOSEN].coverage:.3f} |"
        for c, own in hardest
    ]
    others, size = beyond(200 if asked.quick else 1000), sizes(500 if asked.quick else 8000, asked.quick)
    judged = verdicts(100 if asked.quick else 500, asked.quick)
    power = powers(200 if asked.quick else 2000)
    shared = crossed(simulations, asked.quick)
    by_sheet, by_image = crossed_sizes(500 if asked.quick else 8000, asked.quick)
    tested = ["| 10 points | sign flips, 4 photos | McNemar, 1 photo |", "|---|---:|---:|"]
    tested += [f"| {name} | {ours:.2f} | {mcnemar:.2f} |" for name, (ours, mcnemar) in power.items()]
    least = min(power.values(), key=lambda pair: pair[0] - pair[1])
    result = {
        "worst_coverage": rows[-1][1],
        "mean_coverage": rows[-1][2],
        "monotone_violations": rows[-1][5],
        "width_ratio": rows[-1][3],
        "width_ratio_by_cell": rows[-1][4],
        "beyond_coverage": min(others.values()),
        "worst_size": size["alike"],
        "size_unlike": size["unlike"],
        "size_unequal": max(small for kind, (_, _, small) in judged.items() if kind in UNEQUAL),
        "difference_coverage": min(held for held, _, _ in judged.values()),
        "false_verdicts": max(wrong for _, wrong, _ in judged.values()),
        "crossed_coverage": min(held for held, _, _ in shared.values()),
        "crossed_coverage_by_image": min(alone for _, _, alone in shared.values()),
        "crossed_size": by_sheet,
        "crossed_size_by_image": by_image,
        "power": least[0],
        "power_mcnemar": least[1],
    }
    result = {name: round(value, 4) for name, value in result.items()}
    result |= {"cells": len(found), "simulations": simulations}
    text = page(lines, hard, others, size, tested, crossed_lines(shared), verdict_lines(judged), result)
    if asked.page:
        asked.page.write_text(text, encoding="utf-8")
    print(text)
    print(f"{sum(os.times()[:4]):.0f} processor seconds on {os.cpu_count()} cores")
    print(json.dumps(result))


def crossed_lines(found: dict[Crossed, tuple[float, float, float]]) -> list[str]:
    """Return the table of coverage where images share photos: the worst over numbers of sheets."""
    lines = ["| photos | p | photo's part | images alone | with photos | width |", "|" + "---:|" * 6]
    for photos, share, part in dict.fromkeys((cell.photos, cell.share, cell.photo) for cell in found):
        own = [
            each
            for cell, each in found.items()
            if (cell.photos, cell.share, cell.photo) == (photos, share, part)
        ]
        held, alone = min(each[0] for each in own), min(each[2] for each in own)
        wider = float(np.mean([each[1] for each in own]))
        lines.append(f"| {photos} | {share:g} | {part:g} | {alone:.3f} | {held:.3f} | {wider:.2f} |")
    return lines


def verdict_lines(found: dict[str, tuple[float, float, float]]) -> list[str]:
    """Return the table of what compare says, in the worst cell of each kind."""
    lines = ["| photos | interval holds the difference | false verdicts | p < 0.05 |", "|---|---:|---:|---:|"]
    return lines + [f"| {kind} | {h:.3f} | {w:.3f} | {s:.3f} |" for kind, (h, w, s) in found.items()]


def oracle_row(ideal: list[tuple[float, float]]) -> tuple[float, float, float, float, int]:
    """Return the oracle's row; whether it is monotone does not matter, it knows what data cannot say."""
    covered = [each for each, _ in ideal]
    return min(covered), float(np.mean(covered)), 1.0, 1.0, 0


def paragraph(text: str) -> str:
    """Return text in lines of 118 characters."""
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def page(
    lines: list[str],
    hard: list[str],
    others: dict[str, float],
    size: dict[str, float],
    tested: list[str],
    together: list[str],
    judged: list[str],
    result: dict[str, float],
) -> str:
    """Return docs/results/coverage.md."""
    elsewhere = ["| otherwise | worst coverage |", "|---|---:|"]
    elsewhere += [f"| {name} | {worst:.3f} |" for name, worst in others.items()]
    parts = [
        "# Intervals that cover, and the paired test",
        paragraph(
            "Made by `python benchmarks/coverage.py --page docs/results/coverage.md`, fixed seeds. "
            f"Unit: a simulated data set; {result['simulations']:.0f} a cell, {result['cells']:.0f} "
            f"cells: images {{20, 40, 100, 240}} × photos of each {{1, 4, 15, 120}} × share {{.01, .05, "
            f".5, .9, .97, .99}} × intraclass correlation (ICC) {{0, .05, .2, .5}}. Photos of one image "
            "are beta-binomial: the image's own share is beta-distributed. With one photo an image "
            "there is no correlation, and such a cell is counted once. Nominal 95 %. The worst of so "
            "many cells lies below its true value: one cell's standard error is 0.007."
        ),
        "## Candidates",
        paragraph(
            "Worst and mean coverage over cells; mean width over the oracle's mean width; the mean of "
            "the cells' own ratios; how often one failure more moved an end of the interval up (it "
            "makes the reader surer that the share is high). The oracle is Clopper and Pearson's "
            "interval at the effective number of photos N / (1 + (m − 1) ICC), with the true ICC."
        ),
        "\n".join(lines),
        paragraph(
            "An interval at the estimated effective number is too sure where few images fail: the few "
            "say little of the ICC. Taking its upper 80 % limit and the least lower end over all data "
            "with fewer failures mends both, at a price: where nearly all photos agree the interval is "
            "as wide as if the photos of an image were almost one, whatever the truth. That is why the "
            "mean of the cells' own ratios is higher than the ratio of the means."
        ),
        "Where the chosen one covers least:",
        "\n".join(hard),
        "## Beyond the model",
        paragraph(
            "The chosen interval where something differs from the grid, 20 and 100 images, shares .5, "
            ".9, .97 and .99. An image that is all or nothing has the same answer in all of its photos."
        ),
        "\n".join(elsewhere),
        "## Photos that several images share",
        paragraph(
            "Sheets of eight images, each sheet photographed once or three times: images are crossed with "
            "photos, and light moves all images of a photo. An answer is right where a normal variate lies "
            f"below the share's quantile; {IMAGE_PART:g} of its variance is the image's, a part is the "
            "photo's. Coverage, the worst over 1, 2, 5 and 13 sheets, with images and photos counted and "
            "with images alone, and the mean of the cells' own ratios of the two widths. The paired test "
            "on images in photos of their own under each attack, 8 and 13 sheets: it rejects in at most "
            f"{result['crossed_size']:.3f} where signs are flipped sheet by sheet, as `compare` does, and "
            f"in {result['crossed_size_by_image']:.3f} where image by image."
        ),
        "\n".join(together),
        "## The paired test",
        paragraph(
            "Exact sign-flip test on the difference of each image's shares, at 5 %. Worst rate of "
            f"rejection where nothing differs: {size['alike']:.3f} with the same ICC under both "
            f"attacks, {size['unlike']:.3f} with ICC 0.5 against 0.05, where flipped signs are no "
            "exact null (20 and 100 images × 1, 4 and 15 photos × shares .5, .9, .97). Where one side has "
            "more than twice as many photos of an image, twice as many are drawn of them for the test."
        ),
        paragraph(
            "A verdict asks for more: the whole interval of the difference beyond 3 points. The worst cell "
            "of each kind: how often the interval holds the difference, how often there is a verdict where "
            "the shares are the same, and how often p is below 5 % where both attacks do the same. 500 data "
            "sets a cell (standard error 0.010): 10, 20 and 100 images with shares .5 and .5, .97 and .97, "
            ".4 and .5, .85 and .95, ICC 0.5 and 0.05, images alike or independent; 2 to 13 sheets of eight "
            "with light that moves all images of a photo, .5 and .5, .4 and .5, .05 and .6."
        ),
        "\n".join(judged),
        "Power of the test, 100 images × 4 photos:",
        "\n".join(tested),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
