"""Attacks that aim at one failure, taken together: an image has failed where any of them made it fail."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from physadv.evaluation.intervals import Estimate, share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Worst:
    """Several attacks on the same images, and what they amount to together.

    Attributes:
        attack: name of the attack under which most images fail, the worst row.
        alone: share of images that fail under it.
        union: share of images that fail under any of the attacks.
        notes: a sentence for every attack without a target that is weaker than one with a target.
    """

    attack: str
    alone: Estimate
    union: Estimate
    notes: tuple[str, ...]


def worst_over(failed: "Mapping[str, ArrayLike]", targeted: Collection[str] = ()) -> Worst:
    """Return the union over attacks, and the strongest one.

    An image called the target is called wrong: an attack without a target that finds fewer failures than one
    with a target has missed some that are there, and says nothing of robustness.

    Args:
        failed: attack → (P,) whether each image is classified wrong under it, the images in one order.
        targeted: names of the attacks that aim at a class.

    Raises:
        ValueError: there is no attack, or they were not made on the same number of images.

    >>> found = worst_over({"pgd": [0, 0, 1, 0], "pgd to 'stop'": [1, 1, 0, 0]}, {"pgd to 'stop'"})
    >>> found.attack, found.alone.value, found.union.value
    ("pgd to 'stop'", 0.5, 0.75)
    >>> print(*found.notes)
    pgd found 1 failure of 4, fewer than the targeted pgd to 'stop' (2): a failed attack, no robustness
    """
    import numpy as np

    found = {name: np.asarray(each, bool) for name, each in failed.items()}
    if len({each.shape for each in found.values()}) != 1:
        raise ValueError("wanted one attack or more, all on the same images")
    counts = {name: int(each.sum()) for name, each in found.items()}
    strongest = max(counts, key=counts.__getitem__)
    aimed = max((name for name in counts if name in targeted), key=counts.__getitem__, default=None)
    images = len(found[strongest])
    notes = tuple(
        f"{name} found {count} failure{'s' * (count != 1)} of {images}, fewer than the targeted {aimed} "
        f"({counts[aimed]}): a failed attack, no robustness"
        for name, count in counts.items()
        if aimed is not None and name not in targeted and count < counts[aimed]
    )
    union = np.any(list(found.values()), axis=0)
    return Worst(strongest, share(found[strongest]), share(union), notes)
