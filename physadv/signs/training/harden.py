"""`harden`: fine-tune the sign classifier on stickers made against it, and write weights and card."""

from pathlib import Path

import torch

from physadv.attacks.patches import Placement, square
from physadv.classifiers import load_classifier
from physadv.classifiers.signs import SignsNetwork, load_network
from physadv.classifiers.specs import SIGN_LABELS
from physadv.classifiers.weight_files import write_state_dict
from physadv.defences import (
    InnerAttack,
    Mixture,
    NoiseAttack,
    Schedule,
    StickerAttack,
    UniversalStickers,
    measure,
    train,
)
from physadv.files import replacing
from physadv.keeping import Kept
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.training.augmentation import augmented
from physadv.signs.training.data import Signs, read_test, read_training, read_victims
from physadv.signs.training.harden_settings import (
    PEAK_RATE,
    ROTATION,
    HardenError,
    HardenSettings,
    check_harden,
    other_architecture,
)
from physadv.signs.training.model_card import Accuracies, Hardened, model_card
from physadv.signs.training.one_class import DRAWN, OneClass, OneClassStickers, drawn_abroad

JUDGE = StickerAttack(Placement((0.1, 0.1), ROTATION), steps=20, shapes=(square,))
"""The attack that measures a network: more and smaller steps than in training."""
STICKERED_EVERY = 10
"""Every n-th test image is measured with a sticker on it."""


def harden(data: Path, settings: HardenSettings, out: Path, reporter: Reporter = silent) -> Hardened:
    """Fine-tune, write weights (safetensors) and card (.md) to `out`, and measure what was written.

    The state is kept beside `out` after every epoch; the same settings again continue from there.

    Args:
        data: folder with traffic/gtsrb32.npz and traffic/rp2/victims.
        settings: what is hardened, and against what.
        out: the file of weights, a .safetensors.
        reporter: shows the progress.

    Raises:
        PhysadvError: data are missing or damaged, the model is not of the bundled architecture, or `out` has
            another suffix.
    """
    check_harden(data, settings, out)
    network = load_classifier(settings.model).network
    if not isinstance(network, SignsNetwork):
        raise other_architecture(settings)
    signs, _ = read_training(data)
    test, victims = read_test(data), read_victims(data)
    before = _accuracies(network, test, victims, settings)
    reporter.say(f"before: {before.test} of the test images, {before.stickered} with stickers")
    schedule = Schedule(settings.epochs, PEAK_RATE)
    kept = Kept(out.with_name(f".{out.name}.checkpoint"), f"{data} {settings}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        train(
            network.requires_grad_(True),
            *signs,
            schedule,
            generator(settings.seed, "harden"),
            augment=augmented,
            attack=inner_attack(settings, signs, data),
            kept=kept,
            reporter=reporter,
        )
    write_state_dict(network, out)
    kept.forget()
    done = Hardened(out, before, _accuracies(load_network(out), test, victims, settings))
    with replacing(out.with_suffix(".md")) as temporary:
        temporary.write_text(model_card(settings, schedule, done, len(signs.labels)), encoding="utf-8")
    return done


def inner_attack(settings: HardenSettings, signs: Signs, data: Path) -> Mixture:
    """Return what a batch is made of: stickers of an image's own, shared stickers, noise, and the rest.

    Raises:
        HardenError: stickers are to be shared by signs of a class of which there are none.
    """
    protected = SIGN_LABELS.index(settings.protect)
    if settings.shared and protected not in signs.labels.tolist():
        raise HardenError(f"class '{settings.protect}' has no training images in {data}")
    abroad = drawn_abroad(settings.protect, DRAWN, derive_seed(settings.seed, "harden", "abroad"))
    one_class = OneClass(signs, protected, settings.focus, abroad, settings.drawn)
    own = StickerAttack(Placement(settings.area, ROTATION), settings.steps)
    shared = OneClassStickers(UniversalStickers(steps=2 * settings.steps), one_class)
    parts: list[tuple[InnerAttack, float]] = [(own, settings.stickered), (shared, settings.shared)]
    if settings.eps:
        parts.append((NoiseAttack(settings.eps, settings.steps), 0.3))
    return Mixture(parts)


def _accuracies(network: SignsNetwork, test: Signs, victims: Signs, settings: HardenSettings) -> Accuracies:
    images, labels = test.images[::STICKERED_EVERY].float() / 255, test.labels[::STICKERED_EVERY]
    worn = JUDGE(network, images, labels, generator(settings.seed, "harden", "worth"))
    return Accuracies(
        measure(network, *test),
        measure(network, *victims),
        measure(network, (worn * 255).round().byte(), labels),
    )
