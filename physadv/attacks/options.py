"""The calling convention that every recipe shares."""

from typing import TypedDict

import torch
from torch import Tensor

from physadv.attacks.loop import Callback, Goal, Keep, Snapshot
from physadv.transforms import Transformation


class Options(TypedDict, total=False):
    """What every recipe takes besides its classifier, images, labels and budget; all may be left out.

    Attributes:
        generator: of random starts and transformation draws; seed 0 without it.
        distribution: the transformations to survive; `identity` without it.
        samples: draws of it per image and step, 1 without it.
        steps: in place of the published number.
        targets: int64 (B,), the classes to reach; away from the labels without them.
        chunk: samples per image held in memory at once; as many as suit the device without it.
        callback: called with (step, losses (B,)) before every step.
        goal: pictures → bool (B,), which need no more steps.
        keep: called before every step with where the loop stands; `resume` goes on from there.
    """

    generator: torch.Generator
    distribution: Transformation
    samples: int
    steps: int | None
    targets: Tensor | None
    chunk: int | None
    callback: Callback | None
    goal: Goal | None
    keep: Keep | None
    resume: Snapshot | None
