"""`harden`: fine-tune the sign classifier on stickers it finds for itself, and write weights and card."""

import hashlib
from pathlib import Path

import torch

from physadv.attacks.patches import Placement, square
from physadv.classifiers import load_classifier
from physadv.classifiers.signs import SIGN_LABELS, SignsNetwork, load_network
from physadv.files import replacing
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.training.fitting import (
    Schedule,
    Signs,
    fit,
    measure,
    read_test,
    read_training,
    read_victims,
    write_weights,
)
from physadv.signs.training.harden_settings import (
    PEAK_RATE,
    ROTATION,
    Hardened,
    HardenError,
    HardenSettings,
    Worth,
)
from physadv.signs.training.inner_attacks import StickerAttack
from physadv.signs.training.model_card import model_card
from physadv.signs.training.one_class import DRAWN, OneClass, drawn_abroad

JUDGE = StickerAttack(Placement((0.1, 0.1), ROTATION), steps=20)
"""The attack that says what a network is worth: more steps than in training, smaller ones."""
STICKERED_EVERY = 10
"""Every so manyth test image is judged with stickers."""


def harden(settings: HardenSettings, out: Path, reporter: Reporter = silent) -> Hardened:
    """Fine-tune, write weights (safetensors) and card (.md) to `out`, and measure what was written.

    Where it stands is kept beside `out` after every epoch; the same settings again go on from there.

    Raises:
        PhysadvError: data are missing or damaged, the model is not of the bundled architecture, or `out` is
            named otherwise.
    """
    if out.suffix != ".safetensors":
        raise HardenError(f"{out}: wanted the name of a .safetensors file")
    mixture = settings.mixture()
    network = load_classifier(settings.model).network
    if not isinstance(network, SignsNetwork):
        raise HardenError(
            f"model '{settings.model}' is not of the bundled architecture; "
            "wanted signs, signs-hardened or signs@PATH"
        )
    signs, _ = read_training(settings.data)
    test, victims = read_test(settings.data), read_victims(settings.data)
    before = _worth(network, test, victims, settings)
    reporter.say(f"before: {before.test} of the test images, {before.stickered} with stickers")
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = _checkpoint(settings, out)
    random = generator(settings.seed, "harden")
    protected = SIGN_LABELS.index(settings.protect)
    if settings.shared and protected not in signs.labels.tolist():
        raise HardenError(f"class '{settings.protect}' has no training images in {settings.data}")
    abroad = drawn_abroad(settings.protect, DRAWN, derive_seed(settings.seed, "harden", "abroad"))
    one_class = OneClass(signs, protected, settings.focus, abroad, settings.drawn, random)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        fit(
            network.requires_grad_(True),
            signs,
            Schedule(settings.epochs, PEAK_RATE),
            random,
            reporter,
            spoil=lambda images, labels: mixture(network, images, labels, random, one_class),
            checkpoint=checkpoint,
        )
    write_weights(network, out)
    checkpoint.unlink()
    done = Hardened(out, before, _worth(load_network(out), test, victims, settings))
    with replacing(out.with_suffix(".md")) as temporary:
        temporary.write_text(model_card(settings, done, len(signs.labels)), encoding="utf-8")
    return done


def _checkpoint(settings: HardenSettings, out: Path) -> Path:
    """Return the file of where training stands, of another name for other settings."""
    digest = hashlib.sha256(repr(settings).encode()).hexdigest()[:12]
    return out.with_name(f".{out.name}.{digest}.checkpoint")


def _worth(network: SignsNetwork, test: Signs, victims: Signs, settings: HardenSettings) -> Worth:
    some = Signs(test.images[::STICKERED_EVERY], test.labels[::STICKERED_EVERY])
    worn = JUDGE(
        network, some.images.float() / 255, some.labels, generator(settings.seed, "harden", "worth"), square
    )
    stickered = Signs((worn * 255).round().byte(), some.labels)
    return Worth(measure(network, test), measure(network, victims), measure(network, stickered))
