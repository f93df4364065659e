"""Defences: adversarial training of a network of your own, on images of your own.

One loop (`train`) learns from batches that an inner attack has changed (Madry et al. 2018). An inner attack
is a function `attack(network, images, labels, generator) -> images`: `NoiseAttack`, `StickerAttack` and
`UniversalStickers` are three, any function of yours is another, and `Mixture` gives each a share of the
batch. A new defence is a new inner attack or a new mixture.

This room works on tensors only. It knows no data set, no class and no file but the state it resumes from.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.defences.inner_attacks import InnerAttack, Mixture, NoiseAttack, StickerAttack
    from physadv.defences.training import DefenceError, Measured, Schedule, measure, train
    from physadv.defences.universal_stickers import UniversalStickers

# fmt: off
__all__ = [
    "DefenceError", "InnerAttack", "Measured", "Mixture", "NoiseAttack", "Schedule", "StickerAttack",
    "UniversalStickers", "measure", "train",
]
# fmt: on

__getattr__, __dir__ = lazy_names(__name__)
