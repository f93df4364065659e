"""What `stop-sign` is asked to do, checked before a model is loaded: this module imports no torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, get_args

from typing_extensions import Doc

from physadv.attacks.recipes import RECIPES, Nps
from physadv.classifiers.specs import SIGN_LABELS, check_detector, check_spec, read_label_file
from physadv.errors import reading, unknown_name
from physadv.evaluation.comparisons import SMALLEST, check_smallest
from physadv.pipeline.settings import ClassNames, Model, Seed, profile_record
from physadv.signs.posters import MINIATURE_MM
from physadv.signs.stop_sign import FACE_MM, StopSignError
from physadv.signs.stop_sign.cells import photos_by_cell

RP2 = RECIPES["rp2"]
"""The numbers of the optimiser."""
_WEIGHTS = RP2.parameters
CLEAN, RANDOM, OPTIMISED = "clean", "random", "optimised"
TREATMENTS = (CLEAN, RANDOM, OPTIMISED)
"""What a sign can wear: nothing, random stickers, the optimised ones."""
MINIATURE, TRUE = "miniature", "true"
AUTO = "auto"
"""The mask that the attack finds for itself; see `masks.vulnerable_rectangles`."""
MASKS = {
    "poster": "the whole plate, printed anew",
    "octagon": "the plate within its white rim",
    "two-bars": "a bar above and a bar below the word",
    "graffiti": "the words LOVE and HATE around the sign's own",
    "camouflage": "four rectangles above and below the word",
}
"""The masks that have a name; `masks.load_mask` draws them."""
BLACK_AND_WHITE: Literal["bw"] = "bw"
Levels = tuple[int, int, int]
"""One colour in 8-bit levels, RGB."""
_MOST_COLOURS = 64


@dataclass(frozen=True)
class StopSignSettings:
    """What stickers are made of, and against which classifier; a field's text is the help of its option.

    Attributes:
        victims: folder of photos of signs, see `read_sign_photos`; None draws `drawn` signs.
        drawn: number of signs to draw where there is no folder.
        batch: number of signs, each under one transformation, in a step.
        nps: form of the non-printability score that is optimised; both forms are reported.
        device: device of the classifier.

    Raises:
        StopSignError: a file is missing, or a mask, a palette or a number cannot be used.
        TransformError: the transformations cannot be read.
        ProfileError: the profile cannot be read, or was edited.
    """

    victims: Path | None = None
    drawn: int = 16
    model: Model = "signs"
    labels: ClassNames = None
    label: Annotated[str, Doc("The sign's true class, by name or number.")] = "stop"
    target: Annotated[str | None, Doc("Class to be taken for; any other than the true one by default.")] = (
        None
    )
    mask: Annotated[
        str, Doc("Stickers: poster, octagon, two-bars, graffiti, camouflage, auto, or an image file.")
    ] = AUTO
    rectangles: Annotated[int, Doc("How many stickers 'auto' places.")] = 3
    area: Annotated[float, Doc("Share of the sign that the stickers of 'auto' cover, 0 to 1.")] = 0.19
    palette: Annotated[
        str, Doc("Colours of the stickers: free, bw (black and white) or a number of flat colours.")
    ] = "free"
    colours: Annotated[Path | None, Doc("Text file of printable colours: #rrggbb or r g b, one a line.")] = (
        None
    )
    transforms: Annotated[str, Doc("EOT preset or TOML file: what happens between sign and classifier.")] = (
        RP2.transforms
    )
    profile: Annotated[
        Path | None, Doc("Measured printer and phone, which says what colours the stickers come out in.")
    ] = None
    steps: Annotated[int, Doc("Steps of the optimiser.")] = RP2.steps_for()
    batch: int = 32
    nps: Nps = "product"
    printability: Annotated[float, Doc("Weight of the non-printability score.")] = _WEIGHTS["printability"]
    smoothness: Annotated[float, Doc("Weight of the stickers' total variation.")] = _WEIGHTS["smoothness"]
    seed: Seed = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.victims is not None and not self.victims.is_dir():
            raise StopSignError(f"{self.victims}: no such folder; wanted photos of signs")
        from physadv.transforms.presets import load_preset

        load_preset(self.transforms)
        profile_record(self.profile)
        check_mask_name(self.mask)
        if self.mask == AUTO and (self.rectangles < 1 or not 0 < self.area <= 1):
            given = f"{self.rectangles} rectangles over {self.area:g} of the sign"
            raise StopSignError(f"{given}; wanted 1 or more over 0 to 1")
        parse_palette(self.palette)
        read_colours(self.colours)
        if self.nps not in get_args(Nps):
            raise StopSignError(unknown_name("non-printability score", self.nps, get_args(Nps)))
        _check_counts(self, "steps", "batch")


@dataclass(frozen=True)
class StudySize:
    """How many views the tests have.

    Attributes:
        shots: photos of every sign in every cell of the lab test.
        approaches: drives to every sign.
        every: every n-th frame of a drive is judged.
        most: number of signs that are judged; None judges all that were held out.
    """

    shots: int = 3
    approaches: int = 1
    every: int = 10
    most: int | None = None

    def __post_init__(self) -> None:
        _check_counts(self, "shots", "approaches", "every")


@dataclass(frozen=True)
class JudgeSettings:
    """What is judged beside the simulated tests, and how large these are.

    Attributes:
        size: size of the simulated tests.
        known_place: cut signs out of simulated frames where they stand, as the paper's were by hand, instead
            of finding them by their outline.
        photos: (treatment, folder) of real photos, named by cell.
        videos: (treatment, file) of real videos of an approach.
        detector: spec of a detector that is asked whether it still finds the sign; None asks none.
        smallest: smallest difference of interest between two treatments, in shares.
    """

    size: StudySize = field(default_factory=StudySize)
    known_place: bool = False
    photos: tuple[tuple[str, Path], ...] = ()
    videos: tuple[tuple[str, Path], ...] = ()
    detector: str | None = None
    smallest: float = SMALLEST

    def __post_init__(self) -> None:
        check_smallest(self.smallest)
        for _, folder in self.photos:
            photos_by_cell(folder)
        for _, path in self.videos:
            if not path.is_file():
                raise StopSignError(f"{path}: No such file or directory")


def check_models(settings: StopSignSettings, detector: str | None) -> None:
    """Refuse a model, a class of it or a detector, as far as names and files tell.

    Raises:
        ClassifierError: there is no such model, label file or detector.
        StopSignError: the model has no such class.
    """
    spec = check_spec(settings.model, settings.labels)
    if detector is not None:
        check_detector(detector)
    if settings.labels is not None or spec.kind == "signs":
        labels = SIGN_LABELS if settings.labels is None else read_label_file(settings.labels)
        for text in filter(None, (settings.label, settings.target)):
            find_class(labels, text)


def find_class(labels: Sequence[str], text: str) -> int:
    """Return the number of a class given by its name or its number.

    Raises:
        StopSignError: there is no such class; the line names the nearest.
    """
    if text in labels:
        return list(labels).index(text)
    if text.isdecimal() and len(text) < 20 and int(text) < len(labels):
        return int(text)
    raise StopSignError(unknown_name("class", text, labels))


def parse_pictures(option: str, given: Sequence[str]) -> tuple[tuple[str, Path], ...]:
    """Return (treatment, path) of texts such as `optimised=stickers/`.

    Raises:
        StopSignError: a text names no treatment, or one that is none of `TREATMENTS`.
    """
    parsed = []
    for text in given:
        treatment, equals, path = text.partition("=")
        if not equals or not path or treatment not in TREATMENTS:
            raise StopSignError(
                f"{option} '{text}': wanted what the sign wears and where it is seen, as optimised=PATH; "
                f"known: {', '.join(TREATMENTS)}"
            )
        parsed.append((treatment, Path(path)))
    return tuple(parsed)


def parse_palette(text: str) -> int | Literal["bw"] | None:
    """Return what `--palette` allows: None for `free`, "bw", or the number of flat colours.

    Raises:
        StopSignError: it is none of these, or one colour, which can show nothing.
    """
    if text in ("free", BLACK_AND_WHITE):
        return None if text == "free" else BLACK_AND_WHITE
    if not text.isdecimal() or len(text) > 20:
        raise StopSignError(f"palette '{text:.20}'; wanted free, bw or a number of flat colours")
    count = int(text)
    if not 2 <= count <= _MOST_COLOURS:
        raise StopSignError(f"a palette of {count} colour{'s' * (count != 1)}; wanted 2 to {_MOST_COLOURS}")
    return count


def read_colours(path: Path | None) -> tuple[Levels, ...] | None:
    """Return the colours that a text file lists, one a line: `#c81e28` or `200 30 40`; None without.

    Raises:
        StopSignError: naming file and line: it cannot be read, is no colour, or there are under 2.
    """
    if path is None:
        return None
    fault = f"{path}: cannot be read as a list of colours"
    with reading(path, lambda error: StopSignError(f"{fault} ({error})")):
        lines = path.read_text(encoding="utf-8").splitlines()
    given = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    colours = tuple(_colour(text, f"{path}, line {number}") for number, text in given)
    if len(set(colours)) < 2:
        raise StopSignError(f"{path}: a palette of {len(set(colours))} colour; wanted 2 or more, one a line")
    return colours


def _colour(text: str, where: str) -> Levels:
    try:
        if text.startswith("#") and len(text) == 7:
            levels = [int(text[k : k + 2], 16) for k in (1, 3, 5)]
        else:
            levels = [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        levels = []
    if len(levels) != 3 or not all(0 <= level <= 255 for level in levels):
        raise StopSignError(f"{where}: '{text}' is no colour; wanted #rrggbb or three levels from 0 to 255")
    return (levels[0], levels[1], levels[2])


def check_mask_name(name: str) -> None:
    """Refuse a mask that is neither a known name nor an existing file.

    Raises:
        StopSignError: naming the nearest mask, or the missing file.
    """
    known = [*MASKS, AUTO]
    if name not in known and not Path(name).suffix:
        raise StopSignError(f"{unknown_name('mask', name, known)}, or an image file")
    if name not in known and not Path(name).is_file():
        raise StopSignError(f"{name}: cannot be read as a picture of a mask (no such file)")


def sign_size_mm(scale: str) -> float:
    """Return the size on paper that `--scale` asks for, in millimetres.

    Raises:
        StopSignError: it is neither `miniature`, `true` nor a number of millimetres below true size.
    """
    if scale in (MINIATURE, TRUE):
        return MINIATURE_MM if scale == MINIATURE else FACE_MM
    try:
        size = float(scale)
    except ValueError:
        size = math.nan
    if not math.isfinite(size):
        raise StopSignError(f"scale '{scale}'; wanted miniature, true or millimetres")
    if size >= FACE_MM:
        raise StopSignError(f"scale {size:g} mm is a sign of true size; say --scale true")
    return size


def _check_counts(settings: object, *names: str) -> None:
    for name in names:
        if getattr(settings, name) < 1:
            raise StopSignError(f"{name} is {getattr(settings, name)}; wanted at least 1")
