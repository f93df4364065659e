"""Stickers for many signs at once: RP2 (Eykholt et al. 2018) through the one attack loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.attacks.checks import check_count
from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import Objective, targeted_cross_entropy, untargeted_likelihood
from physadv.attacks.penalties import PRINTABLE, Penalty
from physadv.attacks.recipe import Nps
from physadv.attacks.running import Options
from physadv.attacks.stickers import optimise_rp2
from physadv.classifiers import Classifier
from physadv.progress import Reporter, silent
from physadv.randomness import generator
from physadv.signs.stop_sign import FACE_SIDE
from physadv.signs.stop_sign.colours import flat_colours
from physadv.signs.stop_sign.masks import load_mask, vulnerable_rectangles
from physadv.signs.stop_sign.plate import SignPhoto, outline
from physadv.signs.stop_sign.settings import RP2, check_rectangles
from physadv.signs.stop_sign.sign_photos import rectified
from physadv.signs.stop_sign.stickers import MARGIN, SharedStickers, metered, white_light
from physadv.transforms import Transformation

SIDE = 80
"""Pixels of the face while stickers are optimised: more than twice what sign classifiers look at."""
_FLAT_AFTER = 0.4
"""Share of the steps after which flat colours are chosen."""
_SPARSITY = 20.0
"""Weight of the mean change while vulnerable places are looked for."""
_SPARSE_STEPS = 0.5
"""Steps that look for vulnerable places, as a share of those that follow."""


@dataclass(frozen=True)
class StickerSettings:
    """How stickers are optimised.

    Attributes:
        label: the signs' true class.
        target: the class they should be taken for; anything but `label` without it.
        steps: number of steps of Adam.
        rate: Adam's first learning rate, in units of the pixel range.
        batch: signs and transformations a step.
        printability: weight of the non-printability score.
        nps: form of the non-printability score.
        smoothness: weight of the total variation.
        palette: the only colours (N, 3) stickers may have, or how many flat ones; any without it.
        printable: (C, 3), colours that can be printed.
        only_printable: whether flat colours are chosen from `printable`.
        seed: seed of everything random.
    """

    label: int
    target: int | None = None
    steps: int = RP2.steps_for()
    rate: float = RP2.step_size() / 255
    batch: int = 32
    printability: float = RP2.parameters["printability"]
    nps: Nps = "product"
    smoothness: float = RP2.parameters["smoothness"]
    palette: Tensor | int | None = None
    printable: Tensor = PRINTABLE
    only_printable: bool = False
    seed: int = 0


def optimise_stickers(
    classifier: Classifier,
    signs: Sequence[SignPhoto],
    mask: Tensor,
    distribution: Transformation,
    backgrounds: Tensor,
    settings: StickerSettings,
    reporter: Reporter = silent,
) -> Tensor:
    """Return stickers (1, 3, FACE_SIDE, FACE_SIDE) in [0, 1] that change what a classifier says of the signs.

    Args:
        classifier: sees crops of any size.
        signs: photos of signs, all of one class; every step draws some of them.
        mask: (FACE_SIDE, FACE_SIDE) in [0, 1], where stickers are.
        distribution: of what happens between a sign and the classifier's input.
        backgrounds: (K, 3, h, w) in [0, 1], scenes that may be behind a sign.
        settings: the rest.
        reporter: shows the steps.

    Raises:
        AttackError: a class is none of the classifier's, or a gradient is not finite.
    """
    _check(classifier, settings)
    variable = _variable(signs, _reduced(mask), backgrounds, settings.batch)
    steps, palette = settings.steps, settings.palette
    if isinstance(palette, int):
        # Which colours are worth having shows only once there is something to show.
        first = max(1, round(_FLAT_AFTER * steps))
        free = _descend(classifier, variable, distribution, settings, first, "choose colours", reporter)
        printable = settings.printable if settings.only_printable else None
        palette = flat_colours(variable.images(free).detach(), variable.mask, palette, printable)
        variable, steps = replace(variable, start_at=free), max(1, steps - first)
    variable = replace(variable, palette=palette)
    values = _descend(classifier, variable, distribution, settings, steps, "optimise stickers", reporter)
    return variable.images(_enlarged(values))


def find_vulnerable(
    classifier: Classifier,
    signs: Sequence[SignPhoto],
    distribution: Transformation,
    backgrounds: Tensor,
    settings: StickerSettings,
    *,
    count: int,
    area: float,
    reporter: Reporter = silent,
) -> Tensor:
    """Return the mask (FACE_SIDE, FACE_SIDE) of the `count` rectangles where the classifier is vulnerable.

    RP2's two stages (Eykholt et al. 2018, section 3.3): an attack on the whole face that pays for every
    change by its L1 norm shows where; `vulnerable_rectangles` puts stickers there. Other arguments and errors
    as `optimise_stickers` and `vulnerable_rectangles`.
    """
    _check(classifier, settings)
    check_rectangles(count, area)
    variable = _variable(signs, _reduced(load_mask("octagon")), backgrounds, settings.batch)
    edge = (variable.scenes.shape[-1] - SIDE) // 2
    faces = variable.scenes[..., edge : edge + SIDE, edge : edge + SIDE]
    face = 255 * faces.mean(dim=0, keepdim=True)
    variable = replace(variable, start_at=face)
    sparse = replace(
        settings, steps=max(1, round(_SPARSE_STEPS * settings.steps)), palette=None, printability=0.0
    )
    values = _descend(
        classifier,
        variable,
        distribution,
        sparse,
        sparse.steps,
        "find where it is vulnerable",
        reporter,
        lambda values: _SPARSITY * (values - face).abs().mean(dim=(1, 2, 3)) / 255,
    )
    changed = ((values - face).abs().mean(dim=1)[0] * variable.mask)[None, None]
    weight = F.interpolate(changed, (FACE_SIDE, FACE_SIDE), mode="bilinear", align_corners=False)[0, 0]
    return vulnerable_rectangles(weight, count, area)


def _check(classifier: Classifier, settings: StickerSettings) -> None:
    classes = len(classifier.labels)
    for name, value in (("label", settings.label), ("target", settings.target)):
        if value is not None and not 0 <= value < classes:
            raise AttackError(f"{name} {value}; wanted a class from 0 to {classes - 1}")
    if settings.target == settings.label:
        raise AttackError(f"target {settings.target} is the signs' own class; wanted another")
    check_count("steps", settings.steps)
    check_count("batch", settings.batch)


def _variable(signs: Sequence[SignPhoto], mask: Tensor, backgrounds: Tensor, batch: int) -> SharedStickers:
    plate = outline(SIDE)
    light = white_light(rectified(signs, SIDE), plate)
    scenes, light = metered(rectified(signs, SIDE, MARGIN), light)
    size = (scenes.shape[-2], scenes.shape[-1])
    return SharedStickers(
        scenes=scenes,
        mask=mask,
        plate=plate,
        light=light,
        backgrounds=F.interpolate(backgrounds, size, mode="bilinear", antialias=True).clamp(0, 1),
        batch=batch,
    )


def _descend(
    classifier: Classifier,
    variable: SharedStickers,
    distribution: Transformation,
    settings: StickerSettings,
    steps: int,
    what: str,
    reporter: Reporter,
    sparsity: Penalty | None = None,
) -> Tensor:
    """Return the levels (1, 3, SIDE, SIDE) after so many steps from the variable's start."""

    def tick(step: int, losses: Tensor) -> None:
        next(ticks)

    ticks = iter(reporter.track(range(steps), steps, what))
    options: Options = {
        "distribution": distribution,
        "steps": steps,
        "samples": 1,
        "generator": generator(settings.seed, what),
        "callback": tick,
    }
    values = optimise_rp2(
        classifier,
        _objective(settings),
        variable,
        variable.mask,
        options,
        rate=settings.rate,
        printability=settings.printability,
        smoothness=settings.smoothness,
        nps=settings.nps,
        printable=settings.printable,
        penalty=sparsity,
    )
    # The reporter's last word comes when its items end.
    next(ticks, None)
    return values.detach()


def _objective(settings: StickerSettings) -> Objective:
    if settings.target is None:
        return untargeted_likelihood(torch.full((settings.batch,), settings.label))
    return targeted_cross_entropy(torch.full((settings.batch,), settings.target))


def _reduced(mask: Tensor) -> Tensor:
    return F.interpolate(mask[None, None], (SIDE, SIDE), mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


def _enlarged(values: Tensor) -> Tensor:
    enlarged = F.interpolate(values, (FACE_SIDE, FACE_SIDE), mode="bicubic", align_corners=False)
    return enlarged.clamp(0, 255)
