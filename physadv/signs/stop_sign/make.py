"""`stop-sign`: signs → stickers in printouts/NAME, and what a classifier says of them → captures/NAME."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from physadv.classifiers import Classifier, load_classifier
from physadv.errors import PhysadvError, unknown_name
from physadv.files import file_sha256, replacing
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed
from physadv.runs import Printout
from physadv.signs.stop_sign.masks import AUTO, area_share, load_mask
from physadv.signs.stop_sign.optimise import (
    Nps,
    StickerSettings,
    find_vulnerable,
    optimise_stickers,
)
from physadv.signs.stop_sign.palettes import parse_palette, printing_errors, read_colours
from physadv.signs.stop_sign.rendering import drawn_backgrounds
from physadv.signs.stop_sign.sign import Victim
from physadv.signs.stop_sign.victims import contact_sheet, drawn_victims, held_out, read_victims
from physadv.transforms import load_preset

RECORD = "stop-sign.json"


class StopSignError(PhysadvError):
    """What was asked of `stop-sign` does not fit together."""


@dataclass(frozen=True)
class StopSignSettings:
    """What stickers are made of, and against which classifier.

    Attributes:
        victims: a folder of photos, see `read_victims`; without it `drawn` signs of the project's own.
        model: the classifier's spec; `labels` its class names, `label` the signs' true one.
        target: class to reach, by name or number; none without it.
        mask: a name of `MASKS`, `auto` or an image file.
        rectangles: how many `auto` finds; `area` the share of the sign that they cover.
        palette: `free`, `bw` or a number of flat colours.
        colours: text file of what can be printed, a colour a line.
        transforms: EOT preset or TOML file.
        steps: of Adam.
        batch: signs and transformations a step.
        nps: which non-printability score is optimised; both are reported.
        printability: its weight; `smoothness` that of the total variation.
        seed: of everything random.
        device: where the classifier runs.
    """

    victims: Path | None = None
    drawn: int = 16
    model: str = "signs"
    labels: Path | None = None
    label: str = "stop"
    target: str | None = None
    mask: str = AUTO
    rectangles: int = 3
    area: float = 0.19
    palette: str = "free"
    colours: Path | None = None
    transforms: str = "rp2-sign"
    steps: int = 300
    batch: int = 32
    nps: Nps = "product"
    printability: float = 0.01
    smoothness: float = 0.3
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class StickerRun:
    """Stickers that were made, and what they were made with.

    Attributes:
        classifier: that was attacked.
        label: the signs' true class; `target` the attack's, if it has one.
        judged: signs that the attack has not seen, or all where there are under four.
        stickers: (1, 3, FACE_SIDE, FACE_SIDE) in [0, 1], whole 8-bit levels.
        mask: (FACE_SIDE, FACE_SIDE).
        record: what `stop-sign.json` says.
    """

    classifier: Classifier
    label: int
    target: int | None
    judged: Sequence[Victim]
    stickers: Tensor
    mask: Tensor
    record: dict[str, Any]


def make_stickers(printout: Printout, settings: StopSignSettings, reporter: Reporter = silent) -> StickerRun:
    """Optimise stickers for some of the signs and write them; take them up again if nothing has changed.

    Writes `stickers.png` (transparent beside the mask), `mask.png`, `victims.png` with the outlines drawn in,
    and `stop-sign.json`.

    Raises:
        PhysadvError: of the rooms: a photo, mask, palette, class or model cannot be used.
    """
    classifier = load_classifier(settings.model, settings.labels, device=settings.device)
    label = find_class(classifier, settings.label)
    target = None if settings.target is None else find_class(classifier, settings.target)
    palette, printable = parse_palette(settings.palette), read_colours(settings.colours)
    victims = (
        read_victims(settings.victims) if settings.victims else drawn_victims(settings.drawn, settings.seed)
    )
    attacked, judged = held_out(victims)
    _save(Image.fromarray(contact_sheet(victims)), printout.folder / "victims.png")
    asked = {**_as_json(settings), "fingerprint": _fingerprint(settings)}
    kept = _kept(printout, asked)
    if kept is not None:
        stickers, mask, record = kept
        reporter.say(f"stickers of {printout.folder} are those that were asked for; not made again")
        return StickerRun(classifier, label, target, judged, stickers, mask, record)
    how = StickerSettings(
        label=label,
        target=target,
        steps=settings.steps,
        batch=settings.batch,
        printability=settings.printability,
        nps=settings.nps,
        smoothness=settings.smoothness,
        palette=palette,
        printable=printable,
        only_printable=settings.colours is not None,
        seed=settings.seed,
    )
    distribution = load_preset(settings.transforms)
    backgrounds = drawn_backgrounds(derive_seed(settings.seed, "attack"))
    if settings.mask == AUTO:
        mask = find_vulnerable(
            classifier,
            attacked,
            distribution,
            backgrounds,
            how,
            count=settings.rectangles,
            area=settings.area,
            reporter=reporter,
        )
    else:
        mask = load_mask(settings.mask)
    mask = (mask * 255).round() / 255
    stickers = optimise_stickers(classifier, attacked, mask, distribution, backgrounds, how, reporter)
    stickers = (stickers * 255).round() / 255
    record = {
        "asked": asked,
        "classes": {"label": classifier.labels[label], "target": _name(classifier, target)},
        "attacked": [victim.name for victim in attacked],
        "judged": [victim.name for victim in judged],
        "area_of_the_sign": round(area_share(mask), 4),
        "printability": printing_errors(stickers, mask, printable),
        "versions": {
            "physadv": version("physadv"),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    _save(_transparent(stickers, mask), printout.folder / "stickers.png")
    _save(Image.fromarray(_levels(mask)), printout.folder / "mask.png")
    with replacing(printout.folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return StickerRun(classifier, label, target, judged, stickers, mask, record)


def find_class(classifier: Classifier, text: str) -> int:
    """Return the number of a class given by its name or its number.

    Raises:
        StopSignError: the classifier has no such class; the line names the nearest.
    """
    if text in classifier.labels:
        return list(classifier.labels).index(text)
    if text.isdecimal() and int(text) < len(classifier.labels):
        return int(text)
    raise StopSignError(unknown_name("class", text, classifier.labels))


def _kept(printout: Printout, asked: dict[str, Any]) -> tuple[Tensor, Tensor, dict[str, Any]] | None:
    """Return stickers, mask and record of an earlier run that was asked the same, None without one."""
    try:
        record = json.loads((printout.folder / RECORD).read_text(encoding="utf-8"))
        if record["asked"] != asked:
            return None
        with Image.open(printout.folder / "stickers.png") as image:
            colours = torch.from_numpy(np.asarray(image.convert("RGBA"))[..., :3].copy())
        with Image.open(printout.folder / "mask.png") as image:
            mask = torch.from_numpy(np.asarray(image.convert("L")).copy())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return colours.permute(2, 0, 1)[None].float() / 255, mask.float() / 255, record


def _as_json(settings: StopSignSettings) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in asdict(settings).items()
    }


def _fingerprint(settings: StopSignSettings) -> str:
    """Return what the files that were named hold, so that a changed photo makes new stickers."""
    files: list[Path] = [path for path in (settings.labels, settings.colours, Path(settings.mask)) if path]
    if settings.victims:
        files += sorted(settings.victims.iterdir())
    return str(derive_seed(0, *(file_sha256(path) for path in files if path.is_file())))


def _name(classifier: Classifier, target: int | None) -> str | None:
    return None if target is None else classifier.labels[target]


def _levels(picture: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return (picture * 255).round().to(torch.uint8).numpy()


def _transparent(stickers: Tensor, mask: Tensor) -> Image.Image:
    layers = torch.cat([stickers[0], mask[None]]).permute(1, 2, 0)
    return Image.fromarray(_levels(layers))


def _save(image: Image.Image, path: Path) -> None:
    with replacing(path) as temporary:
        image.save(temporary, "PNG")
