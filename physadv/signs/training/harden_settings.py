"""What `harden` is asked for, checked without loading anything."""

from dataclasses import dataclass
from pathlib import Path

from physadv.classifiers.gtsrb import SIGN_LABELS
from physadv.errors import PhysadvError, unknown_name

PEAK_RATE = 1.5e-3
ROTATION = 45.0
"""Largest rotation of a sticker, degrees either way."""


class HardenError(PhysadvError):
    """A classifier cannot be hardened as asked."""


@dataclass(frozen=True)
class HardenSettings:
    """What is hardened, on what data, against what.

    Attributes:
        data: folder with traffic/gtsrb32.npz and traffic/rp2/victims.
        model: `signs`, `signs-hardened` or `signs@PATH`: the network whose weights training starts from.
        epochs: how many times every training image is seen.
        area: least and largest share of an image that a sticker of its own covers.
        steps: steps of the attacks on single images; shared stickers take twice as many.
        stickered: share of every batch that wears stickers of its own.
        shared: share of every batch that is signs of one class in stickers they share, which cover up to a
            quarter of the sign.
        protect: the class that shared stickers are made for, with probability `focus` for each set.
        focus: share of the sets of shared stickers made for the protected class; others are for any class.
        drawn: share of the sets for the protected class that are made on drawings of it as it looks in
            another country than the training images, where the project can draw that (`stop`).
        eps: 8-bit levels of L∞ noise on a further 30 % of every batch; 0 for none.
        seed: seed of everything random.
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
        low, high = self.area
        if not 0 < low <= high <= 1:
            raise HardenError(f"patch area {low:g} to {high:g}: wanted shares of the image, 0 to 1")
        if self.protect not in SIGN_LABELS:
            raise HardenError(unknown_name("class", self.protect, SIGN_LABELS))

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
