"""How well a chance that was predicted for every image agrees with what was seen of it."""

from dataclasses import dataclass

from physadv.evaluation.calibration import BINS, Answers, Reliability, reliability
from physadv.evaluation.clusters import Z
from physadv.evaluation.intervals import Estimate, mean
from physadv.evaluation.outcomes import Bools, Floats, Ints


@dataclass(frozen=True)
class Prediction:
    """A predicted chance beside what was seen.

    Attributes:
        brier: mean square of chance less outcome, 0 for perfect predictions (Brier 1950).
        brier_of_mean: that of the one chance which fits all views best, the share seen.
        rank: Spearman's correlation, over images, of the chance with the share seen of each image.
        reliability: share seen by predicted chance, in bins; its `accuracy` is the share seen of all views,
            its `confidence` the mean chance.
    """

    brier: Estimate
    brier_of_mean: float | None
    rank: Estimate
    reliability: Reliability


def judge_prediction(chance: Floats, seen: Bools, image: Ints, photo: Ints) -> Prediction:
    """Return how well chances agree with views, all intervals over images and over the photos they share.

    The interval of the rank correlation is Fisher's with the variance (1 + r²/2) / (P − 3) of Bonett and
    Wright (2000); it is undefined for under 4 images, or where all chances or all shares are alike.

    Args:
        chance: (P,) predicted for every image, 0 to 1.
        seen: (V,) whether it came true in a view.
        image: (V,) number of the image in a view.
        photo: (V,) number of the photo that is the view's.

    >>> import numpy as np
    >>> chance, views = np.array([0.1, 0.4, 0.6, 0.9]), np.arange(4)
    >>> found = judge_prediction(chance, np.array([False, False, True, True]), views, views)
    >>> round(found.brier.value, 3), found.brier_of_mean, round(found.rank.value, 2)
    (0.085, 0.25, 0.89)
    """
    import numpy as np

    ones, predicted, outcome = np.ones(len(seen)), chance[image], seen.astype(np.float64)
    within = np.minimum((predicted * BINS).astype(int), BINS - 1)[:, None] == np.arange(BINS)
    rows = (within.astype(np.int64), within & seen[:, None], within * predicted[:, None])
    answers = Answers(rows[0], rows[1].astype(np.int64), rows[2], image, photo)
    share = outcome.mean() if len(seen) else None
    return Prediction(
        brier=mean((predicted - outcome) ** 2, ones, image, photo),
        brier_of_mean=None if share is None else float(share * (1 - share)),
        rank=_rank(chance, outcome, image),
        reliability=reliability(answers),
    )


def _rank(chance: Floats, outcome: Floats, image: Ints) -> Estimate:
    import numpy as np
    from scipy.stats import spearmanr

    places, number = np.unique(image, return_inverse=True)
    shares = np.bincount(number, outcome) / np.maximum(np.bincount(number), 1)
    n = len(places)
    if n < 4:
        return Estimate(None, None, None, len(image), n, "under 4 images")
    if not (np.ptp(chance[places]) and np.ptp(shares)):
        return Estimate(None, None, None, len(image), n, "all alike")
    r = float(spearmanr(chance[places], shares).statistic)
    half = Z * ((1 + r**2 / 2) / (n - 3)) ** 0.5
    middle = np.arctanh(np.clip(r, -0.999999, 0.999999))
    return Estimate(r, float(np.tanh(middle - half)), float(np.tanh(middle + half)), len(image), n)
