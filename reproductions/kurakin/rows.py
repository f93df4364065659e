"""The rows of the photographed page: each attack at equal eps, at equal file accuracy and at equal ΔE.

What eps a row has is found on the files, before anything is photographed. Files have 8 bits: between two
levels of eps a row takes, pixel value by pixel value, the file of the level above with a chance, else the one
of the level below (level 0 is the clean image). At eps 0.3, three values in ten keep their change of a level.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from physadv.classifiers import Classifier
from physadv.keeping import Kept
from physadv.pictures.damage import Pixels
from physadv.pipeline.adopt import adopt
from physadv.pipeline.examples import predictions, to_tensor
from physadv.pipeline.generate import generate
from physadv.pipeline.settings import GenerateSettings
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed
from physadv.runs import Printout
from reproductions.kurakin import ATTACKS, EPS

FILE_ACCURACY = 0.28
"""Top-1 accuracy of files that rows of equal file accuracy come nearest to; the paper's `bim` has 28.4 %."""
REFERENCE = "bim"
"""Attack whose ΔE at `EPS` the others are brought to."""
SMALLER_EPS = 8
EQUAL_EPS, EQUAL_ACCURACY, EQUAL_CHANGE, EQUAL_SMALLER = "eps-16", "file-accuracy", "delta-e", "eps-8"
_HALVINGS = 6
_BATCH = 32


@dataclass(frozen=True)
class Settings:
    """What all rows share.

    Attributes:
        images: table of the images and their labels.
        root: where the runs are kept.
        model: spec of the classifier.
        size: pixels a side.
        pairs: how many images; all by default.
        workers: processes for photos and crops.
    """

    images: Path
    root: Path
    model: str
    size: int
    pairs: int | None = None
    workers: int | None = None


@dataclass(frozen=True)
class Made:
    """One attack at one eps.

    Attributes:
        name: of the row, such as "bim-file-accuracy".
        attack: name of the attack.
        eps: budget in 8-bit levels; one that is not whole lies between two files, see the module.
        run: the run that holds the files.
        delta_e: mean CIEDE2000 difference of a pixel from the clean image's, over all images.
        levels: mean absolute change of a channel, 8-bit levels.
    """

    name: str
    attack: str
    eps: float
    run: Printout
    delta_e: float
    levels: float


class Rows:
    """Makes the rows; what an earlier start made is kept.

    Args:
        settings: what all rows share.
        classifier: that of the settings.
        progress: shows progress.
    """

    def __init__(self, settings: Settings, classifier: Classifier, progress: Reporter = silent) -> None:
        self._settings, self._classifier, self._progress = settings, classifier, progress
        self._runs: dict[tuple[str, int], Printout] = {}

    def headline(self) -> list[Made]:
        """Make the rows that are photographed three times: equal eps, equal file accuracy, equal ΔE."""
        found = [self._made(EQUAL_EPS, attack, EPS) for attack in ATTACKS]
        found += [self._made(EQUAL_ACCURACY, attack, self._eps_of_accuracy(attack)) for attack in ATTACKS]
        wanted = next(row.delta_e for row in found if row.attack == REFERENCE)
        fast = ATTACKS[0]
        eps = nearest_level(lambda level: _change(self._attacked(fast, level))[0], wanted, EPS)
        return [*found, self._made(EQUAL_CHANGE, fast, eps)]

    def smaller(self) -> list[Made]:
        """Make the rows of the paper's smaller eps, which are photographed once."""
        return [self._made(EQUAL_SMALLER, attack, SMALLER_EPS) for attack in ATTACKS]

    def _made(self, terms: str, attack: str, eps: float) -> Made:
        run = self._attacked(attack, int(eps)) if eps == int(eps) else self._between(attack, eps)
        return Made(f"{attack}-{terms}", attack, eps, run, *_change(run))

    def _attacked(self, attack: str, eps: int) -> Printout:
        if (attack, eps) not in self._runs:
            printout = Printout(self._settings.root, f"{attack}-{eps}")
            chosen = GenerateSettings(
                images=self._settings.images,
                model=self._settings.model,
                attack=attack,
                eps=eps,
                size=self._settings.size,
                limit=self._settings.pairs,
                device="cpu",
            )
            generate(printout, chosen, self._progress)
            self._runs[attack, eps] = printout
        return self._runs[attack, eps]

    def _eps_of_accuracy(self, attack: str) -> float:
        """Return the eps of `nearest_eps` for an attack, or what an earlier start found on the same files."""
        code = self._attacked(attack, 1).manifest().code
        fingerprint = f"{code} {self._classifier.identity} {FILE_ACCURACY} {_HALVINGS}"
        kept = Kept(self._settings.root / f"eps-of-{attack}.json", fingerprint)
        found: float | None = kept.load()
        if found is None:
            found = nearest_eps(lambda eps: self._accuracy(attack, eps))
            kept.save(found)
        return found

    def _accuracy(self, attack: str, eps: float) -> float:
        files = list(self._files(attack, eps))
        right = 0
        for start in range(0, len(files), _BATCH):
            own = files[start : start + _BATCH]
            answers = predictions(self._classifier, to_tensor([pixels for _, pixels in own]))
            right += sum(top[0].label == label for (label, _), top in zip(own, answers, strict=True))
        self._progress.say(f"-- {attack}, eps {eps:g}: {100 * right / len(files):.1f} % of the files right")
        return right / len(files)

    def _between(self, attack: str, eps: float) -> Printout:
        """Make the run of an eps between two levels."""
        above = self._attacked(attack, int(eps) + 1)
        pairs = above.manifest().pairs()
        targets = [adversarial.target for _, adversarial in pairs if adversarial.target is not None]
        printout = Printout(self._settings.root, f"{attack}-{eps:g}")
        adopt(
            printout,
            self._classifier,
            [above.pixels(clean) for clean, _ in pairs],
            [pixels for _, pixels in self._files(attack, eps)],
            [clean.label for clean, _ in pairs],
            targets=targets or None,
            made_by=f"{attack} at eps {eps:g}",
            sources=[clean.source for clean, _ in pairs],
            reporter=self._progress,
        )
        return printout

    def _files(self, attack: str, eps: float) -> Iterator[tuple[int, Pixels]]:
        """Yield every image's label and its file at an eps of a level or between two."""
        level = math.ceil(eps)
        above = self._attacked(attack, level)
        below = self._attacked(attack, level - 1) if level > 1 else None
        lower = below.manifest().pairs() if below else []
        for place, (clean, adversarial) in enumerate(above.manifest().pairs()):
            base = below.pixels(lower[place][1]) if below else above.pixels(clean)
            seed = derive_seed(0, "values changed", clean.pair)
            yield clean.label, mixed(base, above.pixels(adversarial), eps - (level - 1), seed)


def nearest_level(measure: Callable[[int], float], wanted: float, most: int) -> int:
    """Return the whole eps from 1 to `most` at which what rises with eps is nearest to what is wanted.

    >>> nearest_level(lambda eps: 0.6 * eps, wanted=3.1, most=16)
    5
    """
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if measure(middle) < wanted else (low, middle)
    return min((low, high), key=lambda eps: abs(measure(eps) - wanted))


def nearest_eps(accuracy: Callable[[float], float], wanted: float = FILE_ACCURACY) -> float:
    """Return the eps at which an accuracy that falls with eps is nearest to what is wanted.

    Whole levels are tried from 1 on until one lies below; between it and the level before, eps is halved
    `_HALVINGS` times.

    >>> nearest_eps(lambda eps: 0.8 - 0.2 * eps, wanted=0.3)
    2.5
    """
    level = 1
    while accuracy(level) > wanted and level < EPS:
        level += 1
    tried = {float(level): accuracy(level)}
    low, high = level - 1.0, float(level)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried[middle] = accuracy(middle)
        low, high = (middle, high) if tried[middle] > wanted else (low, middle)
    return min(tried, key=lambda eps: abs(tried[eps] - wanted))


def mixed(below: Pixels, above: Pixels, chance: float, seed: int) -> Pixels:
    """Return a file between two, (H, W, 3) uint8: each value from `above` with a chance, else from `below`.

    A seed draws the same number for a value whatever the chance: what is taken at a smaller one stays taken.
    """
    drawn = np.random.default_rng(seed).random(below.shape)
    return np.where(drawn < chance, above, below)


def _change(run: Printout) -> tuple[float, float]:
    """Return the mean ΔE (CIEDE2000) of a pixel and the mean change of a channel in levels; both are kept."""
    manifest = run.manifest()
    kept = Kept(run.root / f"change-{run.name}.json", manifest.code)
    found: list[float] | None = kept.load()
    if found is None:
        from skimage.color import deltaE_ciede2000, rgb2lab

        changes = []
        for clean, adversarial in manifest.pairs():
            before, after = run.pixels(clean), run.pixels(adversarial)
            delta_e = np.mean(deltaE_ciede2000(rgb2lab(before), rgb2lab(after)))
            changes.append((delta_e, np.abs(before.astype(float) - after).mean()))
        found = np.mean(changes, axis=0).tolist()
        kept.save(found)
    return found[0], found[1]
