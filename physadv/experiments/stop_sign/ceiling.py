"""How much more is possible under a mask: every single change of a noise tried, and kept where it helps."""

from dataclasses import dataclass

import torch
from torch import Tensor

from physadv.classifiers import Classifier
from physadv.experiments.stop_sign.published import SPEED_LIMIT_45, NoiseOnCrops, PublishedAttack, whole_plane
from physadv.randomness import generator


@dataclass(frozen=True)
class Ceiling:
    """What changing one pixel's channel at a time, to the range's ends or its middle, makes of a noise.

    Attributes:
        tried: changes; `kept` those that raised the target's mean probability.
        sights: crops under draws of the camera that they were judged by.
        before: share of sights that reach the target; `after` with all that was kept.
    """

    tried: int
    kept: int
    sights: int
    before: float
    after: float


@torch.no_grad()
def climb(
    classifier: Classifier, attack: PublishedAttack, backgrounds: Tensor, *, sights: int, seed: int
) -> Ceiling:
    """Return how far coordinate ascent gets from the published noise, judged by the sights it climbs on.

    That flatters what it finds: where even so little is gained, no other noise near it is worth more.

    Args:
        classifier: RP2's.
        attack: the published one.
        backgrounds: (K, 3, C, C) in [0, 1].
        sights: crops with views of their own.
        seed: of the views.
    """
    variable, camera = NoiseOnCrops(attack, backgrounds), whole_plane()
    random = generator(seed, "ceiling")
    drawn, views = variable.draw(sights, random), camera.sample(sights, random)

    def judged(noise: Tensor) -> tuple[float, float]:
        shown = camera.apply(variable.render(255 * noise, drawn, 1), views)
        found = classifier.probabilities(shown)
        reached = (found.argmax(dim=1) == SPEED_LIMIT_45).float()
        return float(found[:, SPEED_LIMIT_45].mean()), float(reached.mean())

    best = attack.noise.clone()
    (level, before), kept = judged(best), 0
    values = (float(attack.noise.min()), 0.0, float(attack.noise.max()))
    places = [(channel, *place) for channel in range(3) for place in attack.mask.nonzero().tolist()]
    after = before
    for channel, row, column in places:
        for value in values:
            changed = best.clone()
            changed[0, channel, row, column] = value
            mean, share = judged(changed)
            if mean > level:
                best, level, after, kept = changed, mean, share, kept + 1
    return Ceiling(len(places) * len(values), kept, sights, before, after)
