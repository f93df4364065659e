"""Attacks that aim at one failure, taken together: an image has failed where any of them made it fail."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from physadv.evaluation.intervals import Estimate, share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from physadv.evaluation.outcomes import Bools


@dataclass(frozen=True)
class Worst:
    """Several attacks on the same images, and what they amount to together.

    Attributes:
        attack: name of the attack under which most images fail, the worst row.
        alone: share of images that fail under it.
        union: share of images that fail under any of the attacks.
        notes: a sentence for every attack without a target that is weaker than one with a target and the
            same budget.
    """

    attack: str
    alone: Estimate
    union: Estimate
    notes: tuple[str, ...]


def worst_over(
    failed: "Mapping[str, ArrayLike]",
    targeted: Collection[str] = (),
    budgets: Mapping[str, Hashable] | None = None,
) -> Worst:
    """Return the union over attacks, and the strongest one.

    An image called the target is called wrong: an attack without a target that finds fewer failures than one
    with a target and the same budget has missed some that are there, and says nothing of robustness.

    Args:
        failed: attack → (P,) whether each image is classified wrong under it, the images in one order.
        targeted: names of the attacks that aim at a class.
        budgets: attack → what it may change; one for all by default.

    Raises:
        ValueError: there is no attack, they were not made on the same number of images, or an image is
            missing under one of them: leave it out of all.

    >>> found = worst_over({"pgd": [0, 0, 1, 0], "pgd to 'stop'": [1, 1, 0, 0]}, {"pgd to 'stop'"})
    >>> found.attack, found.alone.value, found.union.value
    ("pgd to 'stop'", 0.5, 0.75)
    >>> print(*found.notes)
    pgd found 1 failure of 4, fewer than the targeted pgd to 'stop' (2): a failed attack, not robustness
    """
    import numpy as np

    found: dict[str, Bools] = {}
    for name, each in failed.items():
        # A missing value would pass for a failure, or for none.
        if not np.isin(np.asarray(each, object), (0, 1)).all():
            raise ValueError(f"{name}: wanted whether each image failed, and none that is missing")
        found[name] = np.asarray(each, bool)
    if len({each.shape for each in found.values()}) != 1:
        raise ValueError("wanted one attack or more, all on the same images")
    counts = {name: int(each.sum()) for name, each in found.items()}
    strongest = max(counts, key=counts.__getitem__)
    images = len(found[strongest])
    budgets, notes = budgets or {}, []
    for name, count in counts.items():
        rivals = [other for other in targeted if budgets.get(other) == budgets.get(name)]
        aimed = max(rivals, key=counts.__getitem__, default=name)
        if name not in targeted and count < counts[aimed]:
            notes.append(
                f"{name} found {count} failure{'s' * (count != 1)} of {images}, fewer than the targeted "
                f"{aimed} ({counts[aimed]}): a failed attack, not robustness"
            )
    union = np.any(list(found.values()), axis=0)
    return Worst(strongest, share(found[strongest]), share(union), tuple(notes))
