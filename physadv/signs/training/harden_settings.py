"""What is hardened against what, and what a network is worth before and after."""

from dataclasses import dataclass
from pathlib import Path

from physadv.attacks.patches import Placement
from physadv.classifiers.signs import SIGN_LABELS
from physadv.errors import PhysadvError, unknown_name
from physadv.signs.training.fitting import Measured
from physadv.signs.training.inner_attacks import Mixture, NoiseAttack, StickerAttack
from physadv.signs.training.universal_stickers import UniversalStickers

PEAK_RATE = 1.5e-3
ROTATION = 45.0
"""Stickers are turned up to so many degrees either way."""


class HardenError(PhysadvError):
    """A classifier cannot be hardened as asked."""


@dataclass(frozen=True)
class HardenSettings:
    """What is hardened, on what, against what.

    Attributes:
        data: folder with traffic/gtsrb32.npz and traffic/rp2/victims.
        model: `signs`, `signs-hardened` or `signs@PATH`: the network whose weights are the start.
        epochs: how often every training image is seen.
        area: the least and the largest share of an image that stickers of its own cover.
        steps: of every inner attack on single images.
        stickered: share of every batch that wears stickers of its own.
        shared: share of every batch that is signs of one class, all in the same stickers, which take twice
            as many steps and cover up to a quarter of the sign.
        protect: the class that a share `focus` of such sets is made for, drawn set by set; the others are
            for any class.
        focus: see `protect`.
        drawn: share of the sets for the protected class that are made on drawings of it as it looks in
            another country than the training images, where the project draws it so (`stop`).
        eps: 8-bit levels of L∞ noise on a further 30 % of every batch; 0 without it.
        seed: of everything random.
    """

    data: Path
    model: str = "signs"
    epochs: int = 18
    area: tuple[float, float] = (0.02, 0.15)
    steps: int = 8
    stickered: float = 0.15
    shared: float = 0.5
    protect: str = "stop"
    focus: float = 1.0
    drawn: float = 0.5
    eps: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        most = round((0.7 if self.eps else 1) - self.shared, 6)
        for name, good, wanted in (
            ("epochs", self.epochs >= 1, "1 or more"),
            ("steps", self.steps >= 1, "1 or more"),
            ("eps", 0 <= self.eps <= 255, "8-bit levels, 0 to 255"),
            ("shared", 0 <= self.shared <= 0.7, "a share of the batch, 0 to 0.7"),
            ("focus", 0 <= self.focus <= 1, "a share, 0 to 1"),
            ("drawn", 0 <= self.drawn <= 1, "a share, 0 to 1"),
            ("stickered", 0 <= self.stickered <= most, f"a share of the batch, 0 to {most:g}"),
            ("stickered", self.stickered + self.shared > 0, "more than 0 where no stickers are shared"),
        ):
            if not good:
                raise HardenError(f"{name} {getattr(self, name):g}: wanted {wanted}")
        if self.protect not in SIGN_LABELS:
            raise HardenError(unknown_name("class", self.protect, SIGN_LABELS))

    def mixture(self) -> Mixture:
        """Return what a batch is made of.

        Raises:
            AttackError: the area is no share of an image.
        """
        noise = NoiseAttack(self.eps, self.steps) if self.eps else None
        return Mixture(
            StickerAttack(Placement(self.area, ROTATION), self.steps),
            self.stickered,
            UniversalStickers(steps=2 * self.steps),
            self.shared,
            noise,
        )

    @property
    def start(self) -> str:
        """Return the model without the folder of its weights, which only this machine has."""
        kind, at, path = self.model.partition("@")
        return f"{kind}{at}{Path(path).name}"

    def command(self) -> str:
        """Return the command line that does the same again."""
        given = [f"physadv harden --model {self.start} --data DATA --epochs {self.epochs}"]
        given += [f"--area {self.area[0]:g} {self.area[1]:g} --steps {self.steps}"]
        given += [f"--stickered {self.stickered:g} --shared {self.shared:g} --protect '{self.protect}'"]
        given += [f"--focus {self.focus:g} --drawn {self.drawn:g}"]
        given += [f"--eps {self.eps} --seed {self.seed}"]
        return " ".join(given)


@dataclass(frozen=True)
class Worth:
    """How many images a network gets right.

    Attributes:
        test: the GTSRB test images.
        victims: the photos of US stop signs.
        stickered: test images with fresh stickers, of four times as many steps as in training.
    """

    test: Measured
    victims: Measured
    stickered: Measured


@dataclass(frozen=True)
class Hardened:
    """What came of it, of the file as reloaded.

    Attributes:
        weights: the file; the card lies beside it.
        before: what the classifier was worth before; likewise `after`.
    """

    weights: Path
    before: Worth
    after: Worth
