"""What `harden` is asked for, checked before anything heavy is imported."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typing_extensions import Doc

from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.specs import SIGN_LABELS, check_spec
from physadv.errors import PhysadvError, unknown_name

PEAK_RATE = 1.5e-3
ROTATION = 45.0
"""Largest rotation of a sticker, degrees either way."""


class HardenError(PhysadvError):
    """A classifier cannot be hardened as asked."""


@dataclass(frozen=True)
class HardenSettings:
    """What is hardened, and against what; the text of a field is the help of its command-line option."""

    model: Annotated[str, Doc("Weights to start from: signs, signs-hardened or signs@PATH.")] = "signs"
    epochs: Annotated[int, Doc("How many times every training image is seen.")] = 18
    area: Annotated[
        tuple[float, float], Doc("Least and largest share of an image that a sticker of its own covers.")
    ] = (0.02, 0.15)
    stickered: Annotated[float, Doc("Share of every batch that wears stickers of its own.")] = 0.15
    shared: Annotated[
        float, Doc("Share of every batch that is signs of one class in stickers that they share.")
    ] = 0.5
    protect: Annotated[
        str, Doc("Class that shared stickers are made for: all of them or, with --focus, some.")
    ] = "stop"
    focus: Annotated[float, Doc("Share of the sets of shared stickers made for the protected class.")] = 1.0
    drawn: Annotated[
        float,
        Doc("Share of the protected class's sets made on drawings of the sign as it is in another country."),
    ] = 0.5
    steps: Annotated[
        int, Doc("Steps of the attacks on single images; shared stickers take twice as many.")
    ] = 8
    eps: Annotated[
        int, Doc("L-inf noise, in 8-bit levels, on a further 30 % of every batch; 0 for none.")
    ] = 0
    seed: Annotated[int, Doc("Seed of everything random.")] = 0

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
        return (
            f"physadv harden --model {self.start} --data DATA --epochs {self.epochs} "
            f"--area {self.area[0]:g} {self.area[1]:g} --steps {self.steps} "
            f"--stickered {self.stickered:g} --shared {self.shared:g} --protect '{self.protect}' "
            f"--focus {self.focus:g} --drawn {self.drawn:g} --eps {self.eps} --seed {self.seed}"
        )


def check_harden(data: Path, settings: HardenSettings, out: Path) -> None:
    """Check names and files as far as no torch is needed.

    Raises:
        HardenError: `out` has another suffix than .safetensors, or the model is of another architecture.
        ClassifierError: the model is unknown, or its weights or the data are missing.
    """
    if out.suffix != ".safetensors":
        raise HardenError(f"{out}: wanted the name of a .safetensors file")
    if check_spec(settings.model).kind in ("torchvision", "timm"):
        raise other_architecture(settings)
    training_file(data)


def training_file(data: Path) -> Path:
    """Return the file of GTSRB signs in the folder.

    Raises:
        ClassifierError: it is not there.
    """
    path = data / "traffic" / "gtsrb32.npz"
    if not path.is_file():
        raise ClassifierError(f"{path}: no such file of GTSRB signs")
    return path


def other_architecture(settings: HardenSettings) -> HardenError:
    """Return the error for a model that is not of the bundled architecture."""
    return HardenError(
        f"model '{settings.model}' is not of the bundled architecture; "
        "wanted signs, signs-hardened or signs@PATH"
    )
