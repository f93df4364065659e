"""Stickers that all stop signs share, made on half of the photos and judged on the other half."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.attacks.loop import optimise
from physadv.attacks.objectives import targeted_cross_entropy, untargeted_cross_entropy
from physadv.attacks.optimisers import TorchOptimiser
from physadv.attacks.stickers import Stickers, bars
from physadv.classifiers import Classifier
from physadv.classifiers.specs import SIGN_LABELS
from physadv.evaluation.intervals import Estimate, proportion
from physadv.randomness import generator
from physadv.signs.training.data import Signs
from physadv.transforms import load_preset, round_to_8_bits

TARGET = SIGN_LABELS.index("speed limit 50")
"""What the stickers are to say: the nearest to the speed limit 45 of Eykholt et al. 2018."""
AIMS = ("not called stop", "called speed limit 50")
PRESET = "rp2-sign"
TEXELS = 20
"""Side of the canvas; on it the two bars of `bars` cover exactly a tenth."""
SIDE = 64
"""Photos are reduced to this many pixels a side, twice what the network sees."""


def stop_sign_shares(
    classifier: Classifier, photos: Signs, *, steps: int = 200, samples: int = 4, draws: int = 20
) -> dict[str, Estimate]:
    """Return treatment and aim → share of held-out views; every treatment is seen in the same views.

    Those not called stop are of the views in which the clean sign is; those called the target are of all.
    Random stickers are the optimised ones with their squares of colour put in another order. Every second
    photo is for making the stickers, the others judge them.

    Args:
        classifier: the classifier, of the bundled classes.
        photos: photos that a stop sign fills.
        steps: steps of Adam, at 0.05 of the pixel range.
        samples: views drawn of every photo and step.
        draws: held-out views of every held-out photo.
    """
    images = F.interpolate(
        photos.images.float() / 255, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False
    )
    ours, held_out = _on(round_to_8_bits(images[::2])), _on(round_to_8_bits(images[1::2]))
    labels = photos.labels[::2]
    judge = partial(_answers, classifier, held_out, draws=draws)
    clean = judge(None) == photos.labels[1::2]
    shares = {"clean, not called stop": _share(~clean, torch.ones_like(clean))}
    for aim, objective in (
        (AIMS[0], untargeted_cross_entropy(labels)),
        (AIMS[1], targeted_cross_entropy(torch.full_like(labels, TARGET))),
    ):
        random = generator(0, "hardening", "stop signs", aim)
        adam = TorchOptimiser(partial(torch.optim.Adam, lr=255 * 0.05))
        values = optimise(
            classifier,
            objective,
            ours,
            load_preset(PRESET),
            adam,
            steps=steps,
            samples=samples,
            generator=random,
        )
        for treatment, worn in (("random", _shuffled(values, random)), ("optimised", values)):
            answers = judge(worn)
            if aim == AIMS[0]:
                share = _share(answers != photos.labels[1::2], clean)
            else:
                share = _share(answers == TARGET, torch.ones_like(clean))
            shares[f"{treatment}, {aim}"] = share
    return shares


def _on(images: Tensor) -> Stickers:
    """Return the stickers on photos that the sign fills, as those of Eykholt et al. 2018 are cropped."""
    scale = images.shape[-1] / TEXELS
    fill = torch.tensor([(scale, 0, (scale - 1) / 2), (0, scale, (scale - 1) / 2), (0, 0, 1)])
    return Stickers(images, bars(TEXELS, TEXELS), fill.double().expand(len(images), 3, 3))


@torch.no_grad()
def _answers(classifier: Classifier, stickers: Stickers, worn: Tensor | None, *, draws: int) -> Tensor:
    """Return the classes (draws, B) of held-out views of photos with stickers on them, or without."""
    views = load_preset(PRESET)
    shown = stickers.photos if worn is None else round_to_8_bits(stickers.render(worn, {}, 1))
    drawn = generator(0, "hardening", "held-out views")
    answers = []
    for _ in range(draws):
        seen = views.apply(shown, views.sample(len(shown), drawn)).clamp(0, 1)
        answers.append(classifier(seen).argmax(dim=1))
    return torch.stack(answers)


def _shuffled(values: Tensor, random: torch.Generator) -> Tensor:
    """Return stickers (1, 3, s, s) of the same colours in another order."""
    under = bars(TEXELS, TEXELS).bool()
    colours = values[0][:, under]
    shuffled = values.clone()
    shuffled[0][:, under] = colours[:, torch.randperm(colours.shape[1], generator=random)]
    return shuffled


def _share(hits: Tensor, counted: Tensor) -> Estimate:
    """Return the share of hits among what is counted, both (draws, B); it rests on photos."""
    counts = counted.bool()
    return proportion((hits & counts).sum(dim=0).numpy(), counts.sum(dim=0).numpy())
