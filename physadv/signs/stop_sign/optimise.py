"""Stickers for many signs at once: RP2 (Eykholt et al. 2018) through the one attack loop."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.attacks import objectives
from physadv.attacks.lit_stickers import MARGIN, PAPER, SharedStickers, metered, white_light
from physadv.attacks.loop import expected_loss
from physadv.attacks.running import Options
from physadv.attacks.stickers import optimise_rp2
from physadv.profiles import read_profile
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.stop_sign import FACE_SIDE
from physadv.signs.stop_sign.camera import drawn_backgrounds
from physadv.signs.stop_sign.masks import load_mask, vulnerable_rectangles
from physadv.signs.stop_sign.plate import SignPhoto, outline
from physadv.signs.stop_sign.settings import (
    AUTO,
    BLACK_AND_WHITE,
    StopSignSettings,
    parse_palette,
    read_colours,
)
from physadv.signs.stop_sign.sign_photos import rectified
from physadv.signs.stop_sign.views import Judge
from physadv.transforms import load_preset, round_to_8_bits
from physadv.transforms.colours import linear_to_srgb, srgb_to_linear

SIDE = 80
"""Pixels of the face while stickers are optimised: more than twice what sign classifiers look at."""
_FLAT_AFTER = 0.4
"""Share of the steps after which flat colours are chosen."""
_SPARSITY = 20.0
"""Weight of the mean change while vulnerable places are looked for."""
_SPARSE_STEPS = 0.5
"""Steps that look for vulnerable places, as a share of those that follow."""
_NEAREST, _TRIAL = 9, 16
"""Classes that are tried where there is no target, as many as by AutoAttack (Croce and Hein 2020), and the
part of the steps that each trial has."""


def mask_for(
    judge: Judge, signs: Sequence[SignPhoto], settings: StopSignSettings, reporter: Reporter = silent
) -> Tensor:
    """Return the mask (FACE_SIDE, FACE_SIDE) that the settings name or leave to be found, whole 8-bit levels.

    Raises:
        StopSignError: it cannot be read, or there is no room for the rectangles.
    """
    found = settings.mask == AUTO
    return round_to_8_bits(
        find_vulnerable(judge, signs, settings, reporter) if found else load_mask(settings.mask)
    )


def easiest_class(
    judge: Judge, signs: Sequence[SignPhoto], settings: StopSignSettings, reporter: Reporter = silent
) -> int | None:
    """Return the class to aim at where any wrong one will do; None aims at all others at once.

    Away from the true class a loss points to all others at once; where a classifier holds them equally
    unlikely it leads nowhere, and the places it finds are poor. So short attacks are tried, one with that
    loss and one on each of the nearest classes: those with the least lead of the true class over the L1 norm
    of its gradient, where a linear classifier would change its answer first (Croce and Hein 2020). The one
    under which signs are least likely to be read right, in views drawn anew, wins. Under 16 steps none is
    tried.
    """
    if settings.steps < _TRIAL:
        return None
    settings = replace(settings, steps=settings.steps // _TRIAL)
    distribution, away = load_preset(settings.transforms), _objective(judge, settings.batch)
    losses: dict[int | None, float] = {}
    for target in (None, *_nearest_classes(judge, signs)):
        aimed = replace(judge, target=target)
        mask = mask_for(aimed, signs, settings)
        stickers = optimise_stickers(aimed, signs, mask, settings, reporter)
        variable, random = _variable(signs, _reduced(mask), settings), generator(settings.seed, "try classes")
        values = 255 * F.interpolate(stickers, (SIDE, SIDE), mode="bilinear", antialias=True)
        loss, _ = expected_loss(
            judge.classifier, away, variable, distribution, values, samples=4, generator=random
        )
        losses[target] = float(loss.mean())
    return min(losses, key=lambda target: losses[target])


def _nearest_classes(judge: Judge, signs: Sequence[SignPhoto]) -> list[int]:
    faces, light = rectified(signs, SIDE, MARGIN), white_light(rectified(signs, SIDE), outline(SIDE))
    faces = metered(faces, light)[0].requires_grad_()
    logits = judge.classifier(faces)
    distances = []
    for other in range(logits.shape[1]):
        lead = logits[:, judge.label] - logits[:, other]
        (slope,) = torch.autograd.grad(lead.sum(), faces, retain_graph=True)
        distances.append((lead / slope.abs().sum(dim=(1, 2, 3)).clamp_min(1e-12)).mean())
    nearest = torch.stack(distances).argsort().tolist()
    return [other for other in nearest if other != judge.label][:_NEAREST]


def optimise_stickers(
    judge: Judge,
    signs: Sequence[SignPhoto],
    mask: Tensor,
    settings: StopSignSettings,
    reporter: Reporter = silent,
) -> Tensor:
    """Return stickers (1, 3, FACE_SIDE, FACE_SIDE) in [0, 1] that change how the signs are classified.

    The signs are all of one class; every step draws some of them. The mask (FACE_SIDE, FACE_SIDE) in [0, 1]
    is where stickers are.

    Raises:
        AttackError: a gradient is not finite.
    """
    variable = _variable(signs, _reduced(mask), settings)
    steps, palette = settings.steps, palette_colours(settings.palette)
    if isinstance(palette, int):
        # Which colours are worth having shows only once there is something to show.
        first = max(1, round(_FLAT_AFTER * steps))
        free = _descend(judge, variable, settings, first, "choose colours", reporter)
        given = None if settings.colours is None else printable_colours(settings.colours)
        palette = objectives.flat_colours(variable.images(free).detach(), variable.mask, palette, given)
        variable, steps = replace(variable, start_at=free), max(1, steps - first)
    variable = replace(variable, palette=palette)
    values = _descend(judge, variable, settings, steps, "optimise stickers", reporter)
    return variable.images(_enlarged(values))


def find_vulnerable(
    judge: Judge, signs: Sequence[SignPhoto], settings: StopSignSettings, reporter: Reporter = silent
) -> Tensor:
    """Return the mask (FACE_SIDE, FACE_SIDE) of the rectangles where the classifier is vulnerable.

    RP2's two stages (Eykholt et al. 2018, section 3.3): an attack on the whole face that pays for every
    change by its L1 norm shows where; `vulnerable_rectangles` puts `settings.rectangles` stickers there. For
    the arguments see `optimise_stickers`.

    Raises:
        StopSignError: there is no room for the rectangles.
    """
    variable = _variable(signs, _reduced(load_mask("octagon")), settings)
    edge = (variable.scenes.shape[-1] - SIDE) // 2
    faces = variable.scenes[..., edge : edge + SIDE, edge : edge + SIDE]
    face = 255 * faces.mean(dim=0, keepdim=True)
    variable = replace(variable, start_at=face)
    steps, settings = max(1, round(_SPARSE_STEPS * settings.steps)), replace(settings, printability=0.0)

    def sparsity(values: Tensor) -> Tensor:
        return _SPARSITY * (values - face).abs().mean(dim=(1, 2, 3)) / 255

    what = "find where it is vulnerable"
    values = _descend(judge, variable, settings, steps, what, reporter, sparsity)
    changed = ((values - face).abs().mean(dim=1)[0] * variable.mask)[None, None]
    weight = F.interpolate(changed, (FACE_SIDE, FACE_SIDE), mode="bilinear", align_corners=False)[0, 0]
    return vulnerable_rectangles(weight, settings.rectangles, settings.area)


def palette_colours(text: str) -> Tensor | int | None:
    """Return what `--palette` allows: any colours (None), these (2, 3) in [0, 1], or so many flat ones."""
    palette = parse_palette(text)
    return objectives.PRINTABLE[:2] if palette == BLACK_AND_WHITE else palette


def printable_colours(path: Path | None) -> Tensor:
    """Return the colours (C, 3) in [0, 1] that a text file lists as printable; examples without one.

    Raises:
        StopSignError: as `read_colours`.
    """
    given = read_colours(path)
    return objectives.PRINTABLE if given is None else torch.tensor(given) / 255


def as_photographed(path: Path | None) -> Callable[[Tensor], Tensor] | None:
    """Return what stickers (B, 3, S, S) printed and photographed as in a profile look like, None without one.

    Light and exposure are not the profile's but those that show white paper as signs are lit: see `relit`.
    """
    if path is None:
        return None
    looks = read_profile(path).looks()
    white = srgb_to_linear(looks.apply(torch.ones(1, 3, 1, 1), {}))

    def seen(stickers: Tensor) -> Tensor:
        light = srgb_to_linear(looks.apply(stickers, {})) / white.to(stickers)
        return linear_to_srgb((PAPER * light).clamp(0, 1))

    return seen


def _variable(signs: Sequence[SignPhoto], mask: Tensor, settings: StopSignSettings) -> SharedStickers:
    plate, batch = outline(SIDE), settings.batch
    light = white_light(rectified(signs, SIDE), plate)
    scenes, light = metered(rectified(signs, SIDE, MARGIN), light)
    size = (scenes.shape[-2], scenes.shape[-1])
    backgrounds = drawn_backgrounds(derive_seed(settings.seed, "attack"))
    behind = F.interpolate(backgrounds, size, mode="bilinear", antialias=True).clamp(0, 1)
    return SharedStickers(
        scenes=scenes,
        mask=mask,
        plate=plate,
        light=light,
        backgrounds=behind,
        batch=batch,
        seen=as_photographed(settings.profile),
    )


def _descend(
    judge: Judge,
    variable: SharedStickers,
    settings: StopSignSettings,
    steps: int,
    what: str,
    reporter: Reporter,
    sparsity: objectives.Penalty | None = None,
) -> Tensor:
    """Return the levels (1, 3, SIDE, SIDE) after some steps from the variable's start."""

    def tick(step: int, losses: Tensor) -> None:
        next(ticks)

    ticks = iter(reporter.track(range(steps), steps, what))
    distribution = load_preset(settings.transforms)
    options: Options = {"distribution": distribution, "steps": steps, "samples": 1, "callback": tick}
    options["generator"] = generator(settings.seed, what)
    values = optimise_rp2(
        judge.classifier,
        _objective(judge, settings.batch),
        variable,
        variable.mask,
        options,
        printability=settings.printability,
        smoothness=settings.smoothness,
        nps=settings.nps,
        printable=printable_colours(settings.colours),
        penalty=sparsity,
    )
    # The reporter's last word comes when its items end.
    next(ticks, None)
    return values.detach()


def _objective(judge: Judge, batch: int) -> objectives.Objective:
    if judge.target is None:
        return objectives.untargeted_likelihood(torch.full((batch,), judge.label))
    return objectives.targeted_cross_entropy(torch.full((batch,), judge.target))


def _reduced(mask: Tensor) -> Tensor:
    return F.interpolate(mask[None, None], (SIDE, SIDE), mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


def _enlarged(values: Tensor) -> Tensor:
    enlarged = F.interpolate(values, (FACE_SIDE, FACE_SIDE), mode="bicubic", align_corners=False)
    return enlarged.clamp(0, 255)
