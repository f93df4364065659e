"""The card that lies beside hardened weights: how they were made, what they measure, what they are for."""

from dataclasses import dataclass
from pathlib import Path

import torch

from physadv.classifiers.signs import SignsNetwork
from physadv.defences import Measured, Schedule, StickerAttack, UniversalStickers
from physadv.defences.universal_stickers import PIECES
from physadv.signs.drawing.faces import ABROAD
from physadv.signs.training.harden_settings import ROTATION, HardenSettings
from physadv.signs.training.one_class import FAR, SETS

CARD = Path(__file__).with_name("card.md")


@dataclass(frozen=True)
class Accuracies:
    """How many images a network gets right.

    Attributes:
        test: GTSRB test images right.
        victims: photos of US stop signs right.
        stickered: test images right with fresh stickers on them: a square of a tenth, by 20 steps.
    """

    test: Measured
    victims: Measured
    stickered: Measured


@dataclass(frozen=True)
class Hardened:
    """What hardening wrote, and what it changed.

    Attributes:
        weights: the file of weights; the card lies beside it.
        before: accuracies of the network that training started from.
        after: accuracies of the weights as read back from the file.
    """

    weights: Path
    before: Accuracies
    after: Accuracies


def model_card(settings: HardenSettings, schedule: Schedule, done: Hardened, trained: int) -> str:
    """Return the card, in Markdown, of weights that were trained on `trained` images."""
    noise = (
        f"A further 30 % bear L∞ noise of eps {settings.eps}, found by {settings.steps} signed steps."
        if settings.eps
        else "No other attack was trained against."
    )
    abroad = (
        f"Of the `{settings.protect}` groups {100 * settings.drawn:g} % are drawings of the sign as it\n"
        f"is in another country (`{ABROAD[settings.protect]}`)."
        if settings.drawn and settings.protect in ABROAD
        else "All were photographed."
    )
    return CARD.read_text(encoding="utf-8").format(
        settings=settings,
        schedule=schedule,
        done=done,
        trained=trained,
        command=settings.command(),
        torch=torch.__version__.partition("+")[0],
        threads=torch.get_num_threads(),
        parameters=sum(p.numel() for p in SignsNetwork().parameters()),
        size=done.weights.stat().st_size,
        stickered=100 * settings.stickered,
        area=[100 * share for share in settings.area],
        rotation=ROTATION,
        places=StickerAttack.places,
        shared=100 * settings.shared,
        focus=100 * settings.focus,
        sets=SETS,
        pieces=PIECES,
        shared_area=[100 * share for share in UniversalStickers.area],
        shared_steps=2 * settings.steps,
        layouts=UniversalStickers.layouts,
        far=FAR,
        abroad=abroad,
        noise=noise,
    )
