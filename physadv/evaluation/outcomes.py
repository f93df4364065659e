"""A classifier's answers on pairs before and after a channel: one by one, and counted for a whole channel.

A channel is whatever lies between an example and the classifier: print and photo, or a transformation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Case = Literal["average", "prefiltered"]
CASES: tuple[Case, ...] = ("average", "prefiltered")
Kind = Literal["clean", "adversarial"]
KINDS: tuple[Kind, ...] = ("clean", "adversarial")
When = Literal["before", "after"]
WHENS: tuple[When, ...] = ("before", "after")
TOPS = (1, 5)
PREFILTER_CONFIDENCE = 0.8

Ints: TypeAlias = "NDArray[np.int64]"
Floats: TypeAlias = "NDArray[np.float64]"
Bools: TypeAlias = "NDArray[np.bool_]"


@dataclass(frozen=True)
class Judgement:
    """A classifier's answer on one image.

    Attributes:
        labels: its five most likely classes, the most likely first.
        confidence: probability of the first, 0 to 1.
        photo: name of the photo that shows the image, which may show others; empty where none is shared.
    """

    labels: tuple[int, ...]
    confidence: float
    photo: str = ""

    def right(self, label: int, top: int) -> bool:
        """Return whether the label is among the `top` first."""
        return label in self.labels[:top]


@dataclass(frozen=True)
class PairOutcome:
    """One source image: a classifier's answers on its two examples before and after a channel.

    Attributes:
        pair: name of the pair.
        label: true class.
        clean: answer on the clean example before the channel.
        adversarial: answer on the adversarial example before the channel.
        clean_after: answers on the clean example, one each time it came through the channel.
        adversarial_after: answers on the adversarial example, one each time it came through the channel.
            Those that name one photo are of one view; of those that name none, or of several in one photo,
            those of one place are, where both examples have as many.
        target: class that the attack was to reach, None for an attack without a target.
    """

    pair: str
    label: int
    clean: Judgement
    adversarial: Judgement
    clean_after: tuple[Judgement, ...]
    adversarial_after: tuple[Judgement, ...]
    target: int | None = None


@dataclass(frozen=True)
class Counts:
    """Answers on P images, each seen any number of times.

    Attributes:
        sums: (P, 10) sums over each image's answers: one for every answer, whether its label is among the
            first `TOPS`, whether the attack's target is, the probability of the first class, and of an
            adversarial example whether its clean one, in the same photo or by the same transformation, has
            the label among the first `TOPS`, and whether both have.
    """

    sums: Floats

    @property
    def seen(self) -> Ints:
        """Return (P,) times each was seen."""
        return self._whole(slice(0, 1))[:, 0]

    @property
    def right(self) -> Ints:
        """Return (P, 2) times its label was among the first `TOPS`."""
        return self._whole(slice(1, 3))

    @property
    def target(self) -> Ints:
        """Return (P, 2) times the attack's target was."""
        return self._whole(slice(3, 5))

    @property
    def confidence(self) -> Floats:
        """Return (P,) sum of the first answer's probabilities."""
        return self.sums[:, 5]

    @property
    def clean_right(self) -> Ints:
        """Return (P, 2) views of an adversarial example in which its clean one was right, by `TOPS`."""
        return self._whole(slice(6, 8))

    @property
    def both_right(self) -> Ints:
        """Return (P, 2) views in which both were right, by `TOPS`."""
        return self._whole(slice(8, 10))

    def _whole(self, columns: slice) -> Ints:
        chosen: Ints = self.sums[:, columns].astype("int64")
        return chosen


@dataclass(frozen=True)
class Shown:
    """M sums of answers, each of one pair in one photo.

    Attributes:
        pair: (M,) place of the pair.
        photo: (M,) number of the photo, -1 where none is named.
        counts: the sums, of M images.
    """

    pair: Ints
    photo: Ints
    counts: Counts


@dataclass(frozen=True)
class Tally:
    """One classifier's answers on P pairs through one channel, counted.

    Attributes:
        counts: by kind of example, before and after the channel.
        targeted: (P,) whether the attack had a target.
        photographed: kind of example → the same photo by photo after the channel; empty where no photo is
            named. Where some are, answers of a pair that name none are one photo of its own.
    """

    counts: Mapping[tuple[Kind, When], Counts]
    targeted: Bools
    photographed: Mapping[Kind, Shown]

    @classmethod
    def of_shown(cls, targeted: Bools, shown: Mapping[tuple[Kind, When], Shown]) -> "Tally":
        """Return the tally of P pairs from what each photo shows of them, or what lies in none."""
        import numpy as np

        counts = {key: Counts(summed(own.counts.sums, own.pair, targeted.size)) for key, own in shown.items()}
        after = {kind: shown[kind, "after"] for kind in KINDS}
        last = max(own.photo.max(initial=-1) for own in after.values())
        if last < 0:
            return cls(counts, targeted, {})
        named = {
            kind: replace(own, photo=np.where(own.photo < 0, last + 1 + own.pair, own.photo))
            for kind, own in after.items()
        }
        return cls(counts, targeted, named)

    def right_before(self, kind: Kind, top: int) -> Bools:
        """Return which examples (P,) were classified right before the channel."""
        return self.counts[kind, "before"].right[:, TOPS.index(top)] > 0

    def by_photo(self, kind: Kind, when: When) -> Shown | None:
        """Return what each photo shows of the examples of a kind; files are in none."""
        return self.photographed.get(kind) if when == "after" else None

    def of(self, pairs: Ints) -> "Tally":
        """Return the tally of some pairs, by their places and in that order."""
        import numpy as np

        counts = {key: Counts(each.sums[pairs]) for key, each in self.counts.items()}
        place = np.full(len(self.targeted), -1)
        place[pairs] = np.arange(len(pairs))
        photographed = {}
        for kind, own in self.photographed.items():
            kept = np.flatnonzero(place[own.pair] >= 0)
            photographed[kind] = Shown(place[own.pair[kept]], own.photo[kept], Counts(own.counts.sums[kept]))
        return Tally(counts, self.targeted[pairs], photographed)

    @property
    def prefiltered(self) -> Bools:
        """Return which pairs (P,) are of the prefiltered case (Kurakin et al. 2017, section 3.2).

        The clean image is classified right and the adversarial one wrong, at top-1 and at top-5, both with a
        probability of 0.8 or more.
        """
        sure = [self.counts[kind, "before"].confidence >= PREFILTER_CONFIDENCE for kind in KINDS]
        return self.right_before("clean", 1) & ~self.right_before("adversarial", 5) & sure[0] & sure[1]


def tally(outcomes: Sequence[PairOutcome]) -> Tally:
    """Return the outcomes of P pairs, counted; each example is seen once before the channel.

    Answers that name their photo are counted by photo too.

    >>> right, wrong = Judgement((3, 1, 2, 4, 5), 0.9), Judgement((7, 1, 2, 4, 5), 0.8)
    >>> counted = tally([PairOutcome("a", 3, right, wrong, (right, right), (wrong, right))])
    >>> counted.counts["adversarial", "after"].right.tolist()
    [[1, 1]]
    """
    import numpy as np

    answers = [each for o in outcomes for each in (*o.clean_after, *o.adversarial_after)]
    photos = {name: k for k, name in enumerate(dict.fromkeys(each.photo for each in answers if each.photo))}

    def shown(given: Iterable[Sequence[tuple[Judgement, Judgement | None]]]) -> Shown:
        rows = [
            (place, photos.get(answer.photo, -1), *_sums(outcomes[place], answer, clean))
            for place, answers in enumerate(given)
            for answer, clean in answers
        ]
        found = np.array(rows, np.float64).reshape(len(rows), 12)
        pair, photo = found[:, :2].astype(np.int64).T
        return Shown(pair, photo, Counts(found[:, 2:]))

    return Tally.of_shown(
        np.array([o.target is not None for o in outcomes], np.bool_),
        {
            ("clean", "before"): shown([(o.clean, None)] for o in outcomes),
            ("adversarial", "before"): shown([(o.adversarial, None)] for o in outcomes),
            ("clean", "after"): shown([(each, None) for each in o.clean_after] for o in outcomes),
            ("adversarial", "after"): shown(map(_views, outcomes)),
        },
    )


def summed(rows: "Floats | Ints", labels: Ints, count: int | None = None) -> Floats:
    """Return (K, ...) sums of the rows (M, ...) of each label (M,), 0 to below K; by default all there are.

    >>> import numpy as np
    >>> summed(np.array([1.0, 2.0, 4.0]), np.array([1, 0, 1]))
    array([2., 5.])
    """
    import numpy as np

    found = np.zeros((labels.max(initial=-1) + 1 if count is None else count, *rows.shape[1:]))
    np.add.at(found, labels, rows)
    return found


def sharing_photos(tallies: Sequence[Tally]) -> Ints:
    """Return a number for each of P pairs, the same for two that share a photo in any of the tallies.

    So do those that share photos with a third: all pairs of one sheet.

    >>> answer = [Judgement((3,), 0.9, photo) for photo in ("1.jpg", "1.jpg", "2.jpg")]
    >>> counted = tally([PairOutcome(str(k), 3, own, own, (), (own,)) for k, own in enumerate(answer)])
    >>> sharing_photos([counted]).tolist()
    [0, 0, 1]
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs, photos = len(tallies[0].targeted), 0
    edges = []
    for own in tallies:
        for shown in own.photographed.values():
            edges.append((shown.pair, shown.photo + pairs + photos))
        photos = max((int(photo.max(initial=pairs - 1)) + 1 - pairs for _, photo in edges), default=0)
    ends = np.concatenate(edges, axis=1) if edges else np.zeros((2, 0), np.int64)
    joined = coo_array((np.ones(ends.shape[1]), ends), shape=(pairs + photos, pairs + photos))
    found: Ints = connected_components(joined, directed=False)[1][:pairs]
    return found


def is_prefiltered(label: int, clean: Judgement, adversarial: Judgement) -> bool:
    """Return whether a pair is of the prefiltered case, as `Tally.prefiltered` defines it."""
    return bool(tally([PairOutcome("", label, clean, adversarial, (), ())]).prefiltered[0])


def _views(outcome: PairOutcome) -> list[tuple[Judgement, Judgement | None]]:
    """Return the adversarial answers after the channel, each beside the clean one of the same view."""
    clean = [answer.photo for answer in outcome.clean_after]
    adversarial = [answer.photo for answer in outcome.adversarial_after]
    beside = {
        photo: iter([answer for answer in outcome.clean_after if answer.photo == photo])
        for photo in adversarial
        if clean.count(photo) == adversarial.count(photo)
    }
    return [(answer, next(beside.get(answer.photo, iter(())), None)) for answer in outcome.adversarial_after]


def _sums(outcome: PairOutcome, answer: Judgement, clean: Judgement | None) -> list[float]:
    """Return what one answer adds to the sums of `Counts`."""
    right = [answer.right(outcome.label, top) for top in TOPS]
    target = [outcome.target is not None and answer.right(outcome.target, top) for top in TOPS]
    clean_right = [clean is not None and clean.right(outcome.label, top) for top in TOPS]
    both = [mine and other for mine, other in zip(right, clean_right, strict=True)]
    return [1, *right, *target, answer.confidence, *clean_right, *both]
