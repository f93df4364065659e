"""Printing a sign with its stickers: printouts/NAME as any run has it, and PDFs of the scale asked for."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from physadv.attacks.objectives import nearest_colours
from physadv.files import file_sha256, replacing
from physadv.pipeline.examples import predictions, to_tensor
from physadv.runs import Example, Manifest, Printout
from physadv.runs.manifest import AttackRecord, ClassifierRecord, Selection
from physadv.sheets.codes import RUN_CHARACTERS, digest36
from physadv.sheets.layout import Sheet
from physadv.signs.drawing.faces import STOP_SIGN_REACH, face
from physadv.signs.drawing.pen import FACE_REACH
from physadv.signs.posters import MINIATURE_MM, TRUE_SIZE_NOTICE
from physadv.signs.posters.paper_signs import PaperSign
from physadv.signs.posters.pdf import plan_miniature, write_pages
from physadv.signs.posters.sticker_sheets import plan_stickers
from physadv.signs.posters.tiles import plan_poster
from physadv.signs.stop_sign import FACE_SIDE
from physadv.signs.stop_sign.make import RECORD, StickerRun, save_png
from physadv.signs.stop_sign.plate import octagon, to_pixels
from physadv.signs.stop_sign.settings import MINIATURE, TRUE, sign_size_mm
from physadv.signs.stop_sign.views import Judge

_SIDE = 4 * FACE_SIDE
"""Pixels of a printed face: three quarters of a millimetre each on a sign of true size."""
_FIRST_SHEET = 100
"""Step between the numbers of the first pages of a run's PDFs."""


def print_sign(
    printout: Printout, run: StickerRun, *, scale: str = MINIATURE, page: str = "a4"
) -> list[Path]:
    """Write the printed faces, the manifest and the PDFs, and return the PDFs.

    `sheets.pdf` is a miniature and its stickers, which `physadv crop` knows from the manifest; `clean.pdf`
    the same sign without them. A larger scale adds `poster.pdf`: the sign on as many pages as it takes, the
    stickers alone and where they go.

    Raises:
        SheetError: the page or the size cannot be.
        StopSignError: as `sign_size_mm`.
    """
    size_mm = sign_size_mm(scale)
    clean, attacked, mask = _printed_faces(run)
    outline = octagon(_SIDE) + 0.5
    kinds = {"clean": clean, "adversarial": attacked}
    examples = tuple(_example(printout, run.judge, kind, pixels) for kind, pixels in kinds.items())
    code = digest36("/".join(example.sha256 for example in examples), RUN_CHARACTERS)
    small = min(size_mm, MINIATURE_MM)
    worn = PaperSign(Image.fromarray(attacked), outline, small, mask)
    plain = PaperSign(Image.fromarray(clean), outline, small)
    files = {
        "sheets.pdf": [plan_miniature(worn, "adversarial", page), *plan_stickers(worn, page)],
        "clean.pdf": [plan_miniature(plain, "clean", page)],
    }
    if size_mm > small:
        large = replace(worn, size_mm=size_mm)
        files["poster.pdf"] = [*plan_poster(large, "adversarial", page), *plan_stickers(large, page)]
    sheets = []
    for number, (name, pages) in enumerate(files.items()):
        notice = TRUE_SIZE_NOTICE if scale == TRUE and name == "poster.pdf" else ""
        title, first = f"physadv   {printout.name}", _FIRST_SHEET * number
        with replacing(printout.folder / name) as path:
            sheets.append(write_pages(path, pages, run=code, title=title, notice=notice, first_sheet=first))
    _manifest(printout, run, code, examples, tuple(sheets[0])).write(printout.manifest_path)
    return [printout.folder / name for name in files]


def _printed_faces(run: StickerRun) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]:
    """Return the drawn sign's face clean and with stickers, (S, S, 3), and the mask (S, S), finely."""
    reach = FACE_REACH * STOP_SIGN_REACH
    whole = round(_SIDE / reach)
    colour, _ = face("stop", whole)
    start = (whole - _SIDE) // 2
    clean = torch.from_numpy(colour[start : start + _SIDE, start : start + _SIDE].copy()).permute(2, 0, 1)
    mask = _enlarged(run.mask[None, None])[0, 0]
    stickers = _enlarged(run.stickers)
    if run.record["asked"]["palette"] != "free":
        stickers = nearest_colours(stickers, torch.unique(run.stickers[0, :, run.mask > 0.5].T, dim=0))
    attacked = clean.float() + mask * (stickers[0] - clean.float())
    return to_pixels(clean.float()), to_pixels(attacked), mask.double().numpy()


def _enlarged(picture: Tensor) -> Tensor:
    return F.interpolate(picture, (_SIDE, _SIDE), mode="bicubic", align_corners=False).clamp(0, 1)


def _example(printout: Printout, judge: Judge, kind: str, pixels: NDArray[np.uint8]) -> Example:
    classifier, path = judge.classifier, printout.folder / kind / "sign.png"
    save_png(pixels, path)
    with torch.no_grad():
        seen = predictions(classifier, to_tensor([pixels]).to(classifier.device))
    return Example(
        id=kind,
        pair="sign",
        kind="clean" if kind == "clean" else "adversarial",
        path=f"{kind}/sign.png",
        sha256=file_sha256(path),
        size_px=(pixels.shape[1], pixels.shape[0]),
        source="drawn stop sign",
        label=judge.label,
        label_name=classifier.labels[judge.label],
        target=judge.target,
        digital=seen[0],
    )


def _manifest(
    printout: Printout, run: StickerRun, code: str, examples: tuple[Example, ...], sheets: tuple[Sheet, ...]
) -> Manifest:
    asked, labels = run.record["asked"], run.judge.classifier.labels
    names = ("target", "mask", "palette", "transforms", "steps", "batch", "nps", "printability", "smoothness")
    parameters = {"area": run.record["area_of_the_sign"], **{name: asked[name] for name in names}}
    return Manifest(
        name=printout.name,
        code=code,
        seed=asked["seed"],
        classifier=ClassifierRecord(spec=asked["model"], labels_file=asked["labels"], classes=len(labels)),
        attack=AttackRecord(name="stop-sign", eps=None, parameters={**parameters, "record": RECORD}),
        selection=Selection(
            images=asked["victims"] or "drawn", limit=None, prefiltered=False, candidates=1, labels="given"
        ),
        versions={"physadv": version("physadv"), "torch": torch.__version__},
        examples=examples,
        sheets=sheets,
    )
