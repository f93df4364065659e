"""How far a classifier's confidence can be believed: reliability bins and expected calibration error."""

from dataclasses import dataclass

from physadv.evaluation.intervals import NO_PAIRS, Estimate, mean, proportion
from physadv.evaluation.outcomes import Floats, Ints, summed

BINS = 10


@dataclass(frozen=True)
class Answers:
    """Answers on images, counted by the confidence of the first; M rows, each of one image.

    Attributes:
        seen: (M, B) answers whose confidence lay in bin b of B equal ones, 1 in the last.
        right: (M, B) how many of them were right.
        confidence: (M, B) the sum of their confidences.
        image: (M,) number of the image, None where every row has one of its own.
        photo: (M,) number of the photo that shows it, None where no two images share one.
    """

    seen: Ints
    right: Ints
    confidence: Floats
    image: "Ints | None" = None
    photo: "Ints | None" = None


@dataclass(frozen=True)
class Bin:
    """One bar of a reliability diagram: the answers whose confidence lies in one interval.

    Attributes:
        low: lower end of the interval, 0 to 1.
        high: upper end of the interval, 0 to 1.
        confidence: mean confidence of the answers, None where there is none.
        accuracy: share of the answers that were right.
    """

    low: float
    high: float
    confidence: float | None
    accuracy: Estimate


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram in numbers.

    Attributes:
        bins: in the order of confidence; of an empty one confidence and accuracy are undefined.
        confidence: mean confidence over all answers.
        accuracy: share of all answers that were right.
        ece: expected calibration error, None without an answer; it is biased upwards where bins are thin.
        undefined: why there is no error, None where there is one.
    """

    bins: tuple[Bin, ...]
    confidence: Estimate
    accuracy: Estimate
    ece: float | None
    undefined: str | None = None


def reliability(answers: Answers) -> Reliability:
    """Return the reliability of answers and ECE = Σ n_b/n · |accuracy_b − confidence_b| (Guo et al. 2017).

    >>> import numpy as np
    >>> sure = Answers(np.eye(1, 10, 9, int), np.eye(1, 10, 9, int), 0.95 * np.eye(1, 10, 9))
    >>> round(reliability(sure).ece, 2)
    0.05
    """
    import numpy as np

    seen, right, sums = answers.seen, answers.right, answers.confidence.sum(axis=0)
    n, count = seen.sum(axis=0), seen.shape[1]
    images = np.arange(len(seen)) if answers.image is None else answers.image

    def accuracy(bins: slice) -> Estimate:
        def by(labels: Ints) -> tuple[Floats, Floats]:
            return summed(right[:, bins].sum(axis=1), labels), summed(seen[:, bins].sum(axis=1), labels)

        return proportion(*by(images), None if answers.photo is None else by(answers.photo))

    bins = tuple(
        Bin(
            low=b / count,
            high=(b + 1) / count,
            confidence=float(sums[b] / n[b]) if n[b] else None,
            accuracy=accuracy(slice(b, b + 1)),
        )
        for b in range(count)
    )
    error = float(abs(right.sum(axis=0) - sums).sum() / n.sum()) if n.sum() else None
    return Reliability(
        bins=bins,
        confidence=mean(answers.confidence.sum(axis=1), seen.sum(axis=1), images, answers.photo),
        accuracy=accuracy(slice(None)),
        ece=error,
        undefined=NO_PAIRS if error is None else None,
    )
