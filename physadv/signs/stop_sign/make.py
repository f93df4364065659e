"""Making stickers: photos of signs in, stickers and their mask out; the command writes printouts/NAME."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from physadv.attacks.objectives import printing_errors
from physadv.classifiers import Classifier, load_classifier
from physadv.files import file_sha256, replacing
from physadv.pipeline.examples import versions
from physadv.pipeline.settings import profile_record
from physadv.progress import Reporter, silent
from physadv.randomness import derive_seed
from physadv.runs import Printout
from physadv.signs.stop_sign.masks import area_share
from physadv.signs.stop_sign.optimise import (
    as_photographed,
    easiest_class,
    mask_for,
    optimise_stickers,
    printable_colours,
)
from physadv.signs.stop_sign.plate import SignPhoto, from_pixels, to_pixels
from physadv.signs.stop_sign.settings import StopSignSettings, find_class
from physadv.signs.stop_sign.sign_photos import contact_sheet, drawn_sign_photos, held_out, read_sign_photos
from physadv.signs.stop_sign.views import Judge
from physadv.text import without_home
from physadv.transforms import round_to_8_bits

RECORD = "stop-sign.json"
PICTURES = ("stickers.png", "mask.png")
Split = Callable[[Sequence[SignPhoto]], tuple[list[SignPhoto], list[SignPhoto]]]


@dataclass(frozen=True)
class StickerRun:
    """Stickers that were made, and what they were made with.

    Attributes:
        judge: the classifier that was attacked, the signs' true class and the attack's target.
        judged: signs that the attack has not seen, or all where there are under four.
        stickers: (1, 3, FACE_SIDE, FACE_SIDE) in [0, 1], whole 8-bit levels as they are printed.
        mask: (FACE_SIDE, FACE_SIDE) in [0, 1], whole 8-bit levels.
        record: the content of `stop-sign.json`.
        seen: what printed colours look like, as `as_photographed` returns it.
    """

    judge: Judge
    judged: Sequence[SignPhoto]
    stickers: Tensor
    mask: Tensor
    record: dict[str, Any]
    seen: Callable[[Tensor], Tensor] | None = None


def make_stickers(printout: Printout, settings: StopSignSettings, reporter: Reporter = silent) -> StickerRun:
    """Make stickers for some of the signs and write them; read them if they were made with the same settings.

    Writes `stickers.png` (transparent beside the mask), `mask.png`, `victims.png` with the outlines drawn in,
    and `stop-sign.json`.

    Raises:
        PhysadvError: of the rooms: a photo, mask, palette, class or model cannot be used.
    """
    classifier = load_classifier(settings.model, settings.labels, device=settings.device)
    judge = _judge_of(classifier, settings)
    if settings.victims:
        photos = read_sign_photos(settings.victims)
    else:
        photos = drawn_sign_photos(settings.drawn, settings.seed)
    save_png(contact_sheet(photos), printout.folder / "victims.png")
    asked = {**_as_json(settings), "fingerprint": _fingerprint(settings)}
    if kept := _kept(printout, asked):
        reporter.say(f"{printout.folder}: has these stickers already; not made again")
        return StickerRun(judge, held_out(photos)[1], *kept, as_photographed(settings.profile))
    run = stickers_for(classifier, photos, settings, reporter)
    run.record["asked"] = asked
    mask = run.mask[None]
    save_png(to_pixels(torch.cat([run.stickers[0], mask])), printout.folder / "stickers.png")
    save_png(to_pixels(mask)[..., 0], printout.folder / "mask.png")
    run.record["files"] = {name: file_sha256(printout.folder / name) for name in PICTURES}
    with replacing(printout.folder / RECORD) as temporary:
        temporary.write_text(json.dumps(run.record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return run


def stickers_for(
    classifier: Classifier,
    photos: Sequence[SignPhoto],
    settings: StopSignSettings,
    reporter: Reporter = silent,
    split: Split = held_out,
) -> StickerRun:
    """Return stickers made on one side of the signs, the other side to be judged; nothing is written.

    The classifier is attacked; `settings.model` only names it. `split` says which signs are on which side.

    Raises:
        PhysadvError: of the rooms: a mask, class or transformation cannot be used.
    """
    judge = _judge_of(classifier, settings)
    attacked, judged = split(photos)
    aimed = judge
    if judge.target is None:
        aimed = replace(judge, target=easiest_class(judge, attacked, settings, reporter))
    mask = mask_for(aimed, attacked, settings, reporter)
    stickers = round_to_8_bits(optimise_stickers(aimed, attacked, mask, settings, reporter))
    target, aim = (None if each.target is None else classifier.labels[each.target] for each in (judge, aimed))
    record = {
        "asked": _as_json(settings),
        "classes": {"label": classifier.labels[judge.label], "target": target},
        "aimed_at": aim,
        "attacked": [photo.name for photo in attacked],
        "judged": [photo.name for photo in judged],
        "area_of_the_sign": round(area_share(mask), 4),
        "printability": printing_errors(stickers, mask, printable_colours(settings.colours)),
        "versions": versions(),
    }
    return StickerRun(judge, judged, stickers, mask, record, as_photographed(settings.profile))


def _judge_of(classifier: Classifier, settings: StopSignSettings) -> Judge:
    target = None if settings.target is None else find_class(classifier.labels, settings.target)
    return Judge(classifier, find_class(classifier.labels, settings.label), target)


def _kept(printout: Printout, asked: dict[str, Any]) -> tuple[Tensor, Tensor, dict[str, Any]] | None:
    """Return stickers, mask and record of an earlier run with the same settings, None without one."""
    try:
        record = json.loads(without_home((printout.folder / RECORD).read_text(encoding="utf-8")))
        # A killed run may have left the pictures of other settings beside this record.
        found = {name: file_sha256(printout.folder / name) for name in PICTURES}
        if record["asked"] != asked or record["files"] != found:
            return None
        with Image.open(printout.folder / "stickers.png", formats=["PNG"]) as image:
            colours = from_pixels(np.asarray(image.convert("RGBA"))[..., :3].copy())
        with Image.open(printout.folder / "mask.png", formats=["PNG"]) as image:
            mask = torch.from_numpy(np.asarray(image.convert("L")).copy())
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return colours[None], mask.float() / 255, record


def _as_json(settings: StopSignSettings) -> dict[str, Any]:
    """Return the settings as the record holds them, which is published: without the user's home folder."""
    asked = {**vars(settings), **profile_record(settings.profile)}
    if settings.profile is None:
        del asked["profile"]  # stickers from before there were profiles are not made again
    return {
        name: without_home(str(value)) if isinstance(value, (Path, str)) else value
        for name, value in asked.items()
    }


def _fingerprint(settings: StopSignSettings) -> str:
    """Return a digest of the named files' content, so that a changed photo makes new stickers."""
    named = (settings.labels, settings.colours, settings.profile, Path(settings.mask))
    files: list[Path] = [path for path in named if path]
    if settings.victims:
        files += sorted(settings.victims.iterdir())
    return str(derive_seed(0, *(file_sha256(path) for path in files if path.is_file())))


def save_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a picture (H, W), (H, W, 3) or (H, W, 4) that is either there whole or not at all."""
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")
