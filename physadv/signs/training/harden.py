"""`harden`: fine-tune the sign classifier on stickers made against it, and write weights and card."""

from dataclasses import dataclass
from pathlib import Path

import torch

from physadv import defences
from physadv.attacks.patches import Placement, square
from physadv.classifiers import load_classifier
from physadv.classifiers.signs import SignsNetwork, load_network
from physadv.classifiers.specs import SIGN_LABELS
from physadv.classifiers.weight_files import write_state_dict
from physadv.defences.universal_stickers import PIECES
from physadv.files import replacing
from physadv.keeping import Kept
from physadv.locking import one_writer
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed, generator
from physadv.signs.drawing.faces import ABROAD
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
from physadv.signs.training.one_class import DRAWN, FAR, SETS, OneClass, OneClassStickers, drawn_abroad
from physadv.text import without_home

CARD = Path(__file__).with_name("card.md")
JUDGE = defences.StickerAttack(Placement((0.1, 0.1), ROTATION), steps=20, shapes=(square,))
"""The attack that measures a network: more and smaller steps than in training."""
STICKERED_EVERY = 10
"""Every n-th test image is measured with a sticker on it."""


@dataclass(frozen=True)
class Accuracies:
    """How many images a network gets right.

    Attributes:
        test: GTSRB test images right.
        victims: photos of US stop signs right.
        stickered: test images right with fresh stickers on them: a square of a tenth, by 20 steps.
    """

    test: defences.Measured
    victims: defences.Measured
    stickered: defences.Measured


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


def harden(data: Path, settings: HardenSettings, out: Path, reporter: Reporter = silent) -> Hardened:
    """Fine-tune, write weights (safetensors) and card (.md) to `out`, and measure what was written.

    The state is kept beside `out` after every epoch; the same settings again continue from there.

    `data` is a folder with traffic/gtsrb32.npz and traffic/rp2/victims.

    Raises:
        PhysadvError: data are missing or damaged, the model is not of the bundled architecture, or `out` has
            another suffix.
        MachineError: another process is writing `out`.
    """
    check_harden(data, settings, out)
    with one_writer(out):
        return _harden(data, settings, out, reporter)


def _harden(data: Path, settings: HardenSettings, out: Path, reporter: Reporter) -> Hardened:
    network = load_classifier(settings.model).network
    if not isinstance(network, SignsNetwork):
        raise other_architecture(settings)
    signs, _ = read_training(data)
    test, victims = read_test(data), read_victims(data)
    before = _accuracies(network, test, victims, settings)
    reporter.say(f"before: {before.test} of the test images, {before.stickered} with stickers")
    schedule = defences.Schedule(settings.epochs, PEAK_RATE)
    kept = Kept(out.with_name(f".{out.name}.checkpoint"), f"{data} {settings}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        defences.train(
            network.requires_grad_(True),
            *signs,
            schedule,
            generator(settings.seed, "harden"),
            augment=augmented,
            attack=inner_attack(settings, signs, data),
            kept=kept,
            reporter=reporter,
        )
    card = out.with_suffix(".md")
    card.unlink(missing_ok=True)  # it is of other weights
    write_state_dict(network, out)
    done = Hardened(out, before, _accuracies(load_network(out), test, victims, settings))
    with replacing(card, tidy=True) as temporary:
        text = without_home(model_card(settings, schedule, done, len(signs.labels)))
        temporary.write_text(text, encoding="utf-8")
    kept.forget()
    return done


def inner_attack(settings: HardenSettings, signs: Signs, data: Path) -> defences.Mixture:
    """Return what a batch is made of: stickers of an image's own, shared stickers, noise, and the rest.

    Raises:
        HardenError: stickers are to be shared by signs of a class of which there are none.
    """
    protected = SIGN_LABELS.index(settings.protect)
    if settings.shared and protected not in signs.labels.tolist():
        raise HardenError(f"class '{settings.protect}' has no training images in {data}")
    abroad = drawn_abroad(settings.protect, DRAWN, derive_seed(settings.seed, "harden", "abroad"))
    one_class = OneClass(signs, protected, settings.focus, abroad, settings.drawn)
    own = defences.StickerAttack(Placement(settings.area, ROTATION), settings.steps)
    shared = OneClassStickers(defences.UniversalStickers(steps=2 * settings.steps), one_class)
    parts: list[tuple[defences.InnerAttack, float]] = [(own, settings.stickered), (shared, settings.shared)]
    if settings.eps:
        parts.append((defences.NoiseAttack(settings.eps, settings.steps), 0.3))
    return defences.Mixture(parts)


def _accuracies(network: SignsNetwork, test: Signs, victims: Signs, settings: HardenSettings) -> Accuracies:
    images, labels = test.images[::STICKERED_EVERY].float() / 255, test.labels[::STICKERED_EVERY]
    worn = JUDGE(network, images, labels, generator(settings.seed, "harden", "worth"))
    return Accuracies(
        defences.measure(network, *test),
        defences.measure(network, *victims),
        defences.measure(network, (worn * 255).round().byte(), labels),
    )


def model_card(settings: HardenSettings, schedule: defences.Schedule, done: Hardened, trained: int) -> str:
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
        places=defences.StickerAttack.places,
        shared=100 * settings.shared,
        focus=100 * settings.focus,
        sets=SETS,
        pieces=PIECES,
        shared_area=[100 * share for share in defences.UniversalStickers.area],
        shared_steps=2 * settings.steps,
        layouts=defences.UniversalStickers.layouts,
        far=FAR,
        abroad=abroad,
        noise=noise,
    )
