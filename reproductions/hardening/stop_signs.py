"""Stickers that all stop signs share: made on half of the photos and judged on the other half.

They are made and judged as those of `physadv stop-sign` and of `reproductions.rp2` are.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from physadv.classifiers import Classifier
from physadv.evaluation.intervals import Estimate
from physadv.progress import Reporter, silent
from physadv.signs.stop_sign.make import stickers_for
from physadv.signs.stop_sign.plate import SignPhoto
from physadv.signs.stop_sign.score import Shares
from physadv.signs.stop_sign.settings import AUTO, CLEAN, OPTIMISED, RANDOM, StopSignSettings, StudySize
from reproductions.rp2.held_out import exhibit_of, run_held_out, under_preset
from reproductions.rp2.study import TARGETS

SMALL_AREA = 0.1
TARGET = "speed limit 50"
"""What small stickers are to say: the nearest to the speed limit 45 of Eykholt et al. 2018."""
AIMS = ("not called stop", f"called {TARGET}")
CAMERA_MASKS = ("two-bars", AUTO)
CAMERA_TARGETS = (TARGETS["signs"], "no entry", None)
"""The stop-sign study's target, the only other white-on-red sign, and whichever class is easiest."""


def preset_shares(
    classifier: Classifier,
    photos: Sequence[SignPhoto],
    *,
    steps: int = 300,
    draws: int = 20,
    reporter: Reporter = silent,
) -> dict[str, Estimate]:
    """Return treatment and aim → share of held-out views in the transformations the stickers are made for.

    The stickers are the rectangles of `auto`, a tenth of the plate together. Every treatment is seen in the
    same views; intervals are over signs.

    Args:
        classifier: the classifier, of the bundled classes.
        photos: photos of stop signs.
        steps: steps of the optimiser, after half as many that look for the places.
        draws: held-out views of every held-out sign.
        reporter: shows the steps.
    """
    shares: dict[str, Estimate] = {}
    for target in (None, TARGET):
        settings = StopSignSettings(model=classifier.spec, target=target, area=SMALL_AREA, steps=steps)
        run = stickers_for(classifier, photos, settings, reporter)
        score = under_preset(exhibit_of(run), settings.transforms, draws=draws, seed=settings.seed)
        shares |= _named(score.overall, target)
    return shares


def camera_shares(
    classifier: Classifier,
    photos: Sequence[SignPhoto],
    size: StudySize,
    *,
    steps: int = 300,
    reporter: Reporter = silent,
) -> dict[str, Estimate]:
    """Return mask, test, treatment and aim → share, of larger stickers before the simulated cameras.

    For the arguments see `preset_shares`; `size` is that of the tests.
    """
    shares: dict[str, Estimate] = {}
    for mask, target in product(CAMERA_MASKS, CAMERA_TARGETS):
        settings = StopSignSettings(model=classifier.spec, target=target, mask=mask, steps=steps)
        found = run_held_out(stickers_for(classifier, photos, settings, reporter), size, reporter)
        for test, score in (("lab", found.lab), ("drive-by", found.drive), ("drive-by, found", found.found)):
            shares |= _named(score.overall, target, f"{test}, ", f"{mask}, ")
    return dict(sorted(shares.items(), key=lambda item: not item[0].startswith(CLEAN)))


def _named(
    outcome: Mapping[str, Shares], target: str | None, test: str = "", mask: str = ""
) -> dict[str, Estimate]:
    """Return the shares not called stop, or with stickers for a target called that."""
    shares = {f"{CLEAN}, {test}not called stop": outcome[CLEAN].untargeted}
    for treatment in (RANDOM, OPTIMISED):
        worn = outcome[treatment]
        aim, share = (
            ("not called stop", worn.untargeted) if target is None else (f"called {target}", worn.targeted)
        )
        shares[f"{mask}{test}{treatment}, {aim}"] = share
    return shares
