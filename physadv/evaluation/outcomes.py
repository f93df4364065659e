"""A classifier's answers on pairs before and after a channel: one by one, and counted for a whole channel.

A channel is whatever lies between an example and the classifier: print and photo, or a transformation.
"""

from collections.abc import Iterable, Sequence
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
        seen: (P,) times each was seen.
        right: (P, 2) times its label was among the first `TOPS`.
        target: (P, 2) times the attack's target was.
        confidence: (P,) sum of the first answer's probabilities.
    """

    seen: Ints
    right: Ints
    target: Ints
    confidence: Floats


@dataclass(frozen=True)
class Photographed:
    """Answers on pairs in photos that show several, counted pair by pair in each photo.

    Attributes:
        pair: (M,) place of the pair.
        photo: (M,) number of the photo.
        tally: of M pairs: what became of this pair in this photo.
    """

    pair: Ints
    photo: Ints
    tally: "Tally"


@dataclass(frozen=True)
class Tally:
    """One classifier's answers on P pairs through one channel, counted.

    Attributes:
        counts: by kind of example, before and after the channel.
        targeted: (P,) whether the attack had a target.
        clean_right: (P, 2) views of the adversarial example whose clean one, in the same photo or by the same
            transformation, had the label among the first `TOPS`.
        both_right: (P, 2) views of them in which the adversarial example had it there too.
        photographed: the same photo by photo, None where pairs share no photos.
    """

    counts: dict[tuple[Kind, When], Counts]
    targeted: Bools
    clean_right: Ints
    both_right: Ints
    photographed: Photographed | None = None

    def right_before(self, kind: Kind, top: int) -> Bools:
        """Return which examples (P,) were classified right before the channel."""
        return self.counts[kind, "before"].right[:, TOPS.index(top)] > 0

    def of(self, pairs: Ints) -> "Tally":
        """Return the tally of some pairs, by their places and in that order."""
        import numpy as np

        counts = {
            key: Counts(each.seen[pairs], each.right[pairs], each.target[pairs], each.confidence[pairs])
            for key, each in self.counts.items()
        }
        apart = self.photographed
        if apart is not None:
            place = np.full(len(self.targeted), -1)
            place[pairs] = np.arange(len(pairs))
            kept = np.flatnonzero(place[apart.pair] >= 0)
            apart = Photographed(place[apart.pair[kept]], apart.photo[kept], apart.tally.of(kept))
        return Tally(counts, self.targeted[pairs], self.clean_right[pairs], self.both_right[pairs], apart)

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

    seen: dict[tuple[Kind, When], list[tuple[Judgement, ...]]] = {
        ("clean", "before"): [(o.clean,) for o in outcomes],
        ("adversarial", "before"): [(o.adversarial,) for o in outcomes],
        ("clean", "after"): [o.clean_after for o in outcomes],
        ("adversarial", "after"): [o.adversarial_after for o in outcomes],
    }
    targeted = np.array([o.target is not None for o in outcomes], np.bool_)
    counts = {key: _counts(found, outcomes) for key, found in seen.items()}
    together = np.array([_together(outcome) for outcome in outcomes], np.int64).reshape(-1, 2, len(TOPS))
    return Tally(counts, targeted, together[:, 0], together[:, 1], _photographed(outcomes))


def _photographed(outcomes: Sequence[PairOutcome]) -> Photographed | None:
    """Return the outcomes photo by photo; answers of a pair that name no photo are one photo of its own."""
    import numpy as np

    def unnamed(answers: Sequence[Judgement], photo: str) -> tuple[Judgement, ...]:
        return tuple(replace(answer, photo="") for answer in _shown(answers, photo))

    cells = dict.fromkeys(
        (place, answer.photo)
        for place, outcome in enumerate(outcomes)
        for answer in (*outcome.clean_after, *outcome.adversarial_after)
    )
    if not any(photo for _, photo in cells):
        return None
    photos: list[str | int] = [photo or place for place, photo in cells]
    numbers = {photo: number for number, photo in enumerate(dict.fromkeys(photos))}
    apart = [
        replace(
            outcomes[place],
            clean_after=unnamed(outcomes[place].clean_after, photo),
            adversarial_after=unnamed(outcomes[place].adversarial_after, photo),
        )
        for place, photo in cells
    ]
    pairs = np.array([place for place, _ in cells], np.int64)
    return Photographed(pairs, np.array([numbers[photo] for photo in photos], np.int64), tally(apart))


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
        if own.photographed is not None:
            edges.append((own.photographed.pair, own.photographed.photo + pairs + photos))
            photos += int(own.photographed.photo.max(initial=-1)) + 1
    ends = np.concatenate(edges, axis=1) if edges else np.zeros((2, 0), np.int64)
    joined = coo_array((np.ones(ends.shape[1]), ends), shape=(pairs + photos, pairs + photos))
    found: Ints = connected_components(joined, directed=False)[1][:pairs]
    return found


def is_prefiltered(label: int, clean: Judgement, adversarial: Judgement) -> bool:
    """Return whether a pair is of the prefiltered case, as `Tally.prefiltered` defines it."""
    return bool(tally([PairOutcome("", label, clean, adversarial, (), ())]).prefiltered[0])


def _shown(answers: Sequence[Judgement], photo: str) -> tuple[Judgement, ...]:
    """Return the answers on what one photo shows."""
    return tuple(answer for answer in answers if answer.photo == photo)


def _together(outcome: PairOutcome) -> tuple[list[int], list[int]]:
    """Return, by `TOPS`, in how many views the clean example was right, and in how many of them both were."""
    views: list[tuple[Judgement, Judgement]] = []
    for photo in dict.fromkeys(answer.photo for answer in outcome.clean_after):
        both = [_shown(after, photo) for after in (outcome.clean_after, outcome.adversarial_after)]
        if len(both[0]) == len(both[1]):
            views += zip(*both, strict=True)
    kept = [[other for clean, other in views if clean.right(outcome.label, top)] for top in TOPS]
    right = [
        sum(other.right(outcome.label, top) for other in own) for own, top in zip(kept, TOPS, strict=True)
    ]
    return [len(own) for own in kept], right


def _counts(found: Sequence[Sequence[Judgement]], outcomes: Sequence[PairOutcome]) -> Counts:
    import numpy as np

    def hits(labels: Iterable[int | None]) -> Ints:
        counted = [
            [sum(label is not None and judgement.right(label, top) for judgement in judged) for top in TOPS]
            for judged, label in zip(found, labels, strict=True)
        ]
        return np.array(counted, np.int64).reshape(-1, len(TOPS))

    return Counts(
        seen=np.array([len(judged) for judged in found], np.int64),
        right=hits(o.label for o in outcomes),
        target=hits(o.target for o in outcomes),
        confidence=np.array([sum(j.confidence for j in judged) for judged in found], np.float64),
    )
